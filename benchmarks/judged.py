"""Precision on real repositories, judged by readers: lint, draw a sample, record the verdicts, print the figures.

    python -m benchmarks.judged run --repository OWNER/NAME --commit HASH FOLDER > run.json
    python -m benchmarks.judged sample --round NAME --seed N run.json... > tasks.jsonl
    python -m benchmarks.judged record tasks.jsonl
    python -m benchmarks.judged report [--round NAME]

A reader gets a task, which holds what the linter said, and the repository; never the rule's page or its guards. The
reader fills in ``verdict`` (``true-worth``, ``true-not-worth`` or ``false``), ``reason`` and ``judge``.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from benchmarks.process import advise
from tests.judged import verdicts
from tests.judged.verdicts import PER_REPOSITORY, PER_RULE, Verdict


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What the linter said, with paths relative to the repository; ``copies`` counts the same text elsewhere in it.

    ``heat``, ``heat_path`` and ``related`` are passed on to the reader as the linter's JSON has them.
    """

    path: str
    line: int
    code: str
    message: str
    severity: str
    name: str = ""
    why: str = ""
    copies: int = 0
    cell: int | None = None
    heat: tuple[Any, ...] = ()
    heat_path: tuple[Any, ...] = ()
    related: tuple[Any, ...] = ()
    assumed: tuple[str, ...] = ()


class Run(msgspec.Struct, frozen=True):
    """The findings in one repository at one commit."""

    repository: str
    commit: str
    fresh: bool
    findings: tuple[Reported, ...]


class Task(Reported, frozen=True, kw_only=True):
    """One finding for a reader, and the reader's answer."""

    repository: str
    commit: str
    fresh: bool
    round: str
    seed: int
    verdict: Literal["", "true-worth", "true-not-worth", "false"] = ""
    reason: str = ""
    judge: str = ""


class _Location(msgspec.Struct):
    row: int


class _Finding(msgspec.Struct):
    """The part of the linter's JSON that is used."""

    filename: str
    location: _Location
    code: str
    message: str
    severity: str
    name: str = ""
    why: str = ""
    cell: int | None = None
    heat: tuple[Any, ...] = ()
    heat_path: tuple[Any, ...] = ()
    related: tuple[Any, ...] = ()
    assumed: tuple[str, ...] = ()


def reported(output: bytes, folder: Path) -> tuple[Reported, ...]:
    """The findings in the linter's JSON, the first of each site: equal text of the flagged line is one site."""
    found = [_reported(finding, folder) for finding in msgspec.json.decode(output, type=list[_Finding])]
    sites: dict[object, list[Reported]] = {}
    for finding in sorted(found, key=_place):
        sites.setdefault((finding.code, _flagged_text(finding, folder)), []).append(finding)
    return tuple(msgspec.structs.replace(site[0], copies=len(site) - 1) for site in sites.values())


def sample(
    runs: Iterable[Run], round_: str, seed: int, per_rule: int = PER_RULE, per_repository: int = PER_REPOSITORY
) -> list[Task]:
    """Draw findings of each rule: in an order that the seed alone decides, as far as the limits allow."""
    tasks = [
        Task(
            **msgspec.structs.asdict(finding),
            repository=run.repository,
            commit=run.commit,
            fresh=run.fresh,
            round=round_,
            seed=seed,
        )
        for run in runs
        for finding in run.findings
    ]
    drawn: list[Task] = []
    by_rule: Counter[str] = Counter()
    by_repository: Counter[tuple[str, str]] = Counter()
    for task in sorted(tasks, key=_lot):
        key = (task.code, task.repository)
        if by_rule[task.code] < per_rule and by_repository[key] < per_repository:
            by_rule[task.code] += 1
            by_repository[key] += 1
            drawn.append(task)
    return sorted(drawn, key=lambda task: (task.repository, task.code, _place(task)))


def verdict(task: Task) -> Verdict | None:
    """What is kept of a task; None while nobody has judged it."""
    if not task.verdict:
        return None
    return Verdict(
        repository=task.repository,
        commit=task.commit,
        path=task.path,
        line=task.line,
        code=task.code,
        verdict=task.verdict,
        reason=task.reason,
        judge=task.judge,
        round=task.round,
        fresh=task.fresh,
        seed=task.seed,
    )


def table(given: Iterable[Verdict]) -> str:
    """Precision by rule and pooled, as a Markdown table."""
    figures = verdicts.precision(given)
    pooled = figures.pop("")
    heading = ["Rule", "read", "repositories", "true, worth fixing", "true, not worth it", "false", "precision"]
    rows = [
        [code, *map(str, (at.read, at.repositories, at.right, at.not_worth, at.false)), f"{at.share:.1%}"]
        for code, at in [*figures.items(), ("all", pooled)]
    ]
    return "\n".join([f"| {' | '.join(row)} |" for row in (heading, ["---"] * len(heading), *rows)])


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    match options.command:
        case "run":
            output = advise(options.folder.resolve()).output
            found = reported(output, options.folder.resolve())
            print(msgspec.json.encode(Run(options.repository, options.commit, not options.seen, found)).decode())
        case "sample":
            runs = [msgspec.json.decode(path.read_bytes(), type=Run) for path in options.runs]
            for task in sample(runs, options.round, options.seed, options.per_rule, options.per_repository):
                print(msgspec.json.encode(task).decode())
        case "record":
            tasks = [
                msgspec.json.decode(line, type=Task)
                for path in options.tasks
                for line in path.read_text(encoding="utf-8").splitlines()
            ]
            for path in verdicts.write(verdicts.FOLDER, filter(None, map(verdict, tasks))):
                print(path)
        case "report":
            given = verdicts.verdicts()
            names = [options.round] if options.round else [entry.name for entry in verdicts.rounds()]
            for name in names:
                print(f"Round {name}\n\n{table(entry for entry in given if entry.round == name)}\n")
    return 0


def _reported(finding: _Finding, folder: Path) -> Reported:
    fields = msgspec.structs.asdict(finding)
    for field in ("heat_path", "related"):
        fields[field] = tuple(place | {"filename": _within(folder, place["filename"])} for place in fields[field])
    path = _within(folder, fields.pop("filename"))
    return Reported(path=path, line=fields.pop("location").row, **fields)


def _within(folder: Path, path: str) -> str:
    return Path(path).relative_to(folder).as_posix()


def _place(finding: Reported) -> tuple[str, int, int, str, str]:
    return finding.path, finding.cell or 0, finding.line, finding.code, finding.message


def _flagged_text(finding: Reported, folder: Path) -> str:
    if finding.cell:
        return f"{finding.path}:{finding.cell}:{finding.line}"
    lines = (folder / finding.path).read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[finding.line - 1].strip() if finding.line <= len(lines) else ""


def _lot(task: Task) -> bytes:
    """Where the task stands in the order of drawing; two tasks of one place stand together."""
    return hashlib.sha256(repr((task.seed, task.repository, *_place(task))).encode()).digest()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="lint a checkout and print its findings")
    run.add_argument("folder", type=Path)
    run.add_argument("--repository", required=True, help="owner/name, or pypi/name")
    run.add_argument("--commit", required=True, help="full hash, or the release")
    run.add_argument("--seen", action="store_true", help="it was linted before the last change of the rules")
    drawing = commands.add_parser("sample", help="draw findings for the readers")
    drawing.add_argument("runs", nargs="+", type=Path)
    drawing.add_argument("--round", required=True)
    drawing.add_argument("--seed", type=int, required=True)
    drawing.add_argument("--per-rule", type=int, default=PER_RULE)
    drawing.add_argument("--per-repository", "--per-repo", type=int, default=PER_REPOSITORY)
    record = commands.add_parser("record", help="store what the readers said")
    record.add_argument("tasks", nargs="+", type=Path)
    report = commands.add_parser("report", help="print the precision by rule and pooled")
    report.add_argument("--round")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
