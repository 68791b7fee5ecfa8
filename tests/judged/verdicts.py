"""Verdicts of readers on findings in real repositories: the format, its reader, and the precision that follows.

``rounds.toml`` lists the rounds; ``ROUND/OWNER+NAME.jsonl`` holds the verdicts on one repository, one a line. A file
holds no code of the repository: it names the place, and the reason is the reader's own.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

FOLDER = Path(__file__).resolve().parent

#: What must be reached: pooled precision, wrong findings of a rule, repositories, and what is read of each.
LEAST_PRECISION = 0.95
ONE_WRONG_IN = 20
LEAST_REPOSITORIES = 8
PER_RULE, PER_REPOSITORY = 20, 5

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}|\d+(\.\w+)+")
_LONGEST_REASON = 400


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """One reader's judgement of one finding.

    ``repository`` is ``owner/name``, or ``pypi/name`` with the release as ``commit``. ``true-worth``: what it says is
    so, and worth fixing; only this counts as right. ``fresh``: the repository was first linted after the last change
    of the rule. ``seed`` drew the sample.
    """

    repository: str
    commit: str
    path: str
    line: int
    code: str
    verdict: Literal["true-worth", "true-not-worth", "false"]
    reason: str
    judge: str
    round: str
    fresh: bool
    seed: int

    @property
    def right(self) -> bool:
        return self.verdict == "true-worth"


class Round(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One drawing and reading of a sample; the figures of the final one are those that count."""

    name: str
    seed: int
    about: str
    final: bool = False


class Precision(msgspec.Struct, frozen=True):
    """The counts of verdicts on one rule, or on all of them."""

    right: int = 0
    not_worth: int = 0
    false: int = 0
    repositories: int = 0

    @property
    def read(self) -> int:
        return self.right + self.not_worth + self.false

    @property
    def wrong(self) -> int:
        return self.not_worth + self.false

    @property
    def share(self) -> float:
        return self.right / self.read if self.read else 0.0


def rounds(folder: Path = FOLDER) -> list[Round]:
    """Raises ``msgspec.ValidationError`` if ``rounds.toml`` is not as ``Round`` describes it."""
    path = folder / "rounds.toml"
    document = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return msgspec.convert(document.get("round", []), list[Round])


def verdicts(folder: Path = FOLDER) -> list[Verdict]:
    """All that are stored.

    Raises ``msgspec.ValidationError`` naming the file and line that is not as ``Verdict`` describes it.
    """
    return [verdict for path in files(folder) for verdict in read(path)]


def files(folder: Path = FOLDER) -> list[Path]:
    return sorted(folder.glob("*/*.jsonl"))


def read(path: Path) -> list[Verdict]:
    """Raises ``msgspec.ValidationError`` naming the line that is not as ``Verdict`` describes it."""
    result = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            result.append(msgspec.json.decode(line, type=Verdict))
        except msgspec.MsgspecError as error:
            raise msgspec.ValidationError(f"{path}:{number}: {error}") from error
    return result


def write(folder: Path, given: Iterable[Verdict]) -> list[Path]:
    """Store verdicts, each in the file of its round and repository, in place of an earlier one on the same finding."""
    batches: dict[Path, dict[object, Verdict]] = {}
    for verdict in given:
        path = folder / verdict.round / f"{verdict.repository.replace('/', '+')}.jsonl"
        batch = batches.setdefault(path, {_finding(old): old for old in (read(path) if path.is_file() else [])})
        batch[_finding(verdict)] = verdict
    for path, batch in batches.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(msgspec.json.encode(verdict) + b"\n" for verdict in sorted(batch.values())))
    return sorted(batches)


def faults(known: Collection[Round], given: Collection[Verdict]) -> Iterator[str]:
    """What contradicts the way in which samples are drawn and read."""
    if len({entry.name for entry in known}) < len(known):
        yield "two rounds have one name"
    if sum(entry.final for entry in known) > 1:
        yield "only one round can be final"
    seeds = {entry.name: entry.seed for entry in known}
    for verdict in given:
        where = f"{verdict.round}: {verdict.code} at {verdict.repository}/{verdict.path}:{verdict.line}"
        if verdict.round not in seeds:
            yield f"{where}: the round is not in rounds.toml"
        elif verdict.seed != seeds[verdict.round]:
            yield f"{where}: seed {verdict.seed} is not the seed of the round"
        yield from (f"{where}: {fault}" for fault in _field_faults(verdict))
    for what, count in Counter((verdict.round, *_finding(verdict)) for verdict in given).items():
        if count > 1:
            yield f"{what} was judged {count} times in one round"
    for (round_, code), count in Counter((verdict.round, verdict.code) for verdict in given).items():
        if count > PER_RULE:
            yield f"{round_}: {count} verdicts on {code}, and {PER_RULE} are drawn at most"
    for key, count in Counter((verdict.round, verdict.code, verdict.repository) for verdict in given).items():
        if count > PER_REPOSITORY:
            yield f"{key}: {count} verdicts, and {PER_REPOSITORY} of a rule in a repository are drawn at most"


def precision(given: Iterable[Verdict]) -> dict[str, Precision]:
    """By code, sorted; under ``""`` all of them pooled."""
    groups: dict[str, list[Verdict]] = {"": []}
    for verdict in given:
        groups[""].append(verdict)
        groups.setdefault(verdict.code, []).append(verdict)
    return {code: _precision(groups[code]) for code in sorted(groups)}


def shortfalls(given: Collection[Verdict]) -> Iterator[str]:
    """Where the verdicts of a round miss what must be reached; only fresh ones count."""
    fresh = [verdict for verdict in given if verdict.fresh]
    figures = precision(fresh)
    pooled = figures.pop("")
    if pooled.repositories < LEAST_REPOSITORIES:
        yield f"{pooled.repositories} fresh repositories; {LEAST_REPOSITORIES} are needed"
    if pooled.share < LEAST_PRECISION:
        yield f"pooled precision {pooled.share:.1%} ({pooled.right} of {pooled.read}) is below {LEAST_PRECISION:.0%}"
    for code, figure in figures.items():
        if figure.wrong > figure.read // ONE_WRONG_IN:
            allowed = figure.read // ONE_WRONG_IN
            yield f"{code}: {figure.wrong} of {figure.read} are wrong or not worth it; at most {allowed} may be"


def _precision(group: Collection[Verdict]) -> Precision:
    count = Counter(verdict.verdict for verdict in group)
    repositories = len({verdict.repository for verdict in group})
    return Precision(count["true-worth"], count["true-not-worth"], count["false"], repositories)


def _finding(verdict: Verdict) -> tuple[str, str, int, str]:
    return verdict.repository, verdict.path, verdict.line, verdict.code


def _field_faults(verdict: Verdict) -> Iterator[str]:
    if not _REPOSITORY.fullmatch(verdict.repository):
        yield f"repository {verdict.repository!r} is not owner/name"
    if not _COMMIT.fullmatch(verdict.commit):
        yield f"commit {verdict.commit!r} is neither a full hash nor a release"
    if verdict.path.startswith("/") or "\\" in verdict.path or verdict.line < 1:
        yield "the place is not a relative path with forward slashes and a line"
    if not verdict.reason.strip() or "\n" in verdict.reason or len(verdict.reason) > _LONGEST_REASON:
        yield f"the reason must be one line of at most {_LONGEST_REASON} characters"
    if not verdict.judge.strip():
        yield "nobody judged it"
