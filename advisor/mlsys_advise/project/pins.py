"""Which versions of a package the manifests of a project admit at a place in it.

Invariant: pure functions over interfaces. Everything read goes through a ``Lookup``, which so sees each read, those
that found nothing among them, and can tell later which answers an edit may change.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from mlsys_advise.languages.requirements import Include, RequirementsInterface, distribution
from mlsys_advise.languages.requirements.formats import ENVIRONMENT_FOLDERS, REQUIREMENTS_FOLDERS, format_of
from mlsys_advise.languages.requirements.manifest import PROJECT_FORMATS
from mlsys_advise.project.admitted import (
    UNKNOWN,
    UNPINNED,
    Admitted,
    Mention,
    Verdict,
    for_development,
    usual,
    widest,
    words,
)
from mlsys_advise.project.version_sets import EVERYTHING, VersionSet, any_of, versions

Demand = Literal["only", "may"]

#: At most this many files are opened for the includes of one manifest.
_INCLUDE_LIMIT = 64

#: Words in the names of manifests that hold what every installation needs.
_BASE = frozenset(
    {"base", "common", "conda", "core", "default", "dependencies", "env", "environment", "main", "pip", "prod"}
    | {"production", "req", "reqs", "requirement", "requirements", "run", "runtime"}
)


class Lookup(Protocol):
    """Where interfaces come from. Paths are relative to the project root, with forward slashes; "" is the root."""

    def manifests(self, directory: str) -> Sequence[str]:
        """The sorted paths whose ``governed_directory`` is ``directory``; empty where there are none."""

    def manifest(self, path: str) -> RequirementsInterface | None:
        """The interface of the file at ``path``, which an include may call anything; None where there is none."""


class ManifestTable:
    """A lookup in interfaces that are all at hand."""

    def __init__(self, interfaces: Mapping[str, RequirementsInterface]) -> None:
        self._interfaces = interfaces
        self._by_directory: dict[str, list[str]] = {}
        for path in sorted(interfaces):
            if format_of(path) is not None:
                self._by_directory.setdefault(governed_directory(path), []).append(path)

    def manifests(self, directory: str) -> Sequence[str]:
        return self._by_directory.get(directory, ())

    def manifest(self, path: str) -> RequirementsInterface | None:
        return self._interfaces.get(path)


class PinAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The answer to the question ``pin(package, range)``.

    ``stated`` holds the ranges as the manifests write them, ``manifests`` the files the answer rests on: those that
    mention the package, else those that govern the directory. ``unpinned`` says that no manifest bounds the package,
    so that an installation gets the newest version. ``reason`` is a sentence for ``why``.
    """

    verdict: Verdict
    stated: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    unpinned: bool = False
    reason: str = ""

    @property
    def version(self) -> str:
        """For messages: ``2.4.1`` or ``2.4.*`` for a pin, else the ranges, as in ``<2.6,>=2.1``."""
        exact = [stated.removeprefix("==") for stated in self.stated if re.fullmatch(r"==[^,]+", stated)]
        if len(exact) < len(self.stated):
            return " or ".join(self.stated)
        builds = {version.partition("+")[0]: version for version in reversed(exact)}
        return " or ".join(sorted(builds.values()))


# Where manifests stand ----------------------------------------------------------------------------------------------


def governed_directory(path: str) -> str:
    """The folder that the manifest at ``path`` speaks for: its own, or the one above ``requirements/``, ``conda/``."""
    directory, _, name = path.lower().rpartition("/")
    folder = directory.rpartition("/")[2]
    gathered = (folder in REQUIREMENTS_FOLDERS and name.endswith((".txt", ".in"))) or (
        folder in ENVIRONMENT_FOLDERS and name.endswith((".yml", ".yaml"))
    )
    own = posixpath.dirname(path)
    return posixpath.dirname(own) if gathered else own


def governing(directory: str, lookup: Lookup) -> tuple[str, ...]:
    """The manifests of the nearest folder, outwards from ``directory``, in which some file declares dependencies."""
    return next((paths for _, paths in _governed_folders(directory, lookup)), ())


def _governed_folders(directory: str, lookup: Lookup) -> Iterator[tuple[str, tuple[str, ...]]]:
    for folder in _outwards(directory):
        paths = tuple(path for path in lookup.manifests(folder) if _governs(lookup.manifest(path)))
        if paths:
            yield folder, paths


def _outwards(directory: str) -> Iterator[str]:
    folder = directory.strip("/")
    yield folder
    while folder:
        folder = posixpath.dirname(folder)
        yield folder


def _governs(manifest: RequirementsInterface | None) -> bool:
    """Constraints bind only where a requirements file takes them in."""
    return manifest is not None and manifest.declares and manifest.format != "constraints"


# Questions ----------------------------------------------------------------------------------------------------------


def pin(package: str, directory: str, within: str, lookup: Lookup, demand: Demand = "only") -> PinAnswer:
    """Whether what governs ``directory`` admits *only* versions ``within`` a range, or *may* admit one of them.

    *Only* is about the usual installation: base manifests decide where they mention the package. *May* is about any:
    variants, extras, development files and other systems count too. Where the nearest manifests do not mention the
    package but some further out do, the answer is what both agree on. Raises ValueError where ``within`` is not a
    PEP 440 specifier set.
    """
    name, wanted = distribution(package), versions(within)
    answers: list[PinAnswer] = []
    for folder, paths in _governed_folders(directory, lookup):
        sources = _sources(name, folder, paths, lookup)
        answers.append(_answer(name, sources, paths, wanted, demand))
        if sources:
            break
    if not answers:
        admitted = _unmentioned(name)
        return PinAnswer(
            _verdict(admitted, wanted, demand), unpinned=True, reason="No manifest governs this directory."
        )
    return _agreed(answers)


def mentions(package: str, directory: str, lookup: Lookup) -> tuple[Mention, ...]:
    """The requirements on ``package`` in the nearest folder whose manifests, or what they include, mention it."""
    name = distribution(package)
    for folder, paths in _governed_folders(directory, lookup):
        found = {mention for source in _sources(name, folder, paths, lookup) for mention in source.mentions}
        if found:
            return tuple(sorted(found))
    return ()


def python_range(directory: str, lookup: Lookup) -> tuple[str, ...]:
    """The alternatives of ``requires-python`` that govern ``directory``, as written; empty where none is stated."""
    found = mentions("python", directory, lookup)
    return _stated(found)


def _stated(found: Iterable[Mention]) -> tuple[str, ...]:
    return tuple(sorted({text for mention in found for text in mention.requirement.versions if text}))


def _answer(
    package: str, sources: list[_Source], paths: tuple[str, ...], wanted: VersionSet, demand: Demand
) -> PinAnswer:
    if not sources:
        admitted = _unmentioned(package)
        reason = f"{_listed(paths)} {'does' if len(paths) == 1 else 'do'} not mention {package}."
        return PinAnswer(_verdict(admitted, wanted, demand), (), paths, admitted.newest, reason)
    chosen = _decisive(sources) if demand == "only" else sources
    admitted, found = Admitted(), set[Mention]()
    for source in chosen:
        admitted |= source.usual if demand == "only" else source.widest
        found |= source.decisive if demand == "only" else source.mentions
    stated, files = _stated(found), tuple(sorted({mention.path for mention in found}))
    return PinAnswer(
        _verdict(admitted, wanted, demand),
        stated,
        files or paths,
        admitted == UNPINNED,
        _reason(package, stated, files, paths, admitted),
    )


def _reason(
    package: str, stated: tuple[str, ...], files: tuple[str, ...], paths: tuple[str, ...], admitted: Admitted
) -> str:
    if files:
        said = " or ".join(stated) or ("of any version" if admitted.newest else "of a version it does not tell")
        return f"{_listed(files)} {'asks' if len(files) == 1 else 'ask'} for {package} {said}."
    if admitted.unknown:
        return f"A part of {_listed(paths)} that could not be read may ask for {package}."
    return f"{_listed(paths)} {'asks' if len(paths) == 1 else 'ask'} for {package} only on other systems."


def _decisive(sources: list[_Source]) -> list[_Source]:
    """Base manifests before variants before those for development; what sets no bound contradicts nobody."""
    tier = min(source.tier for source in sources)
    chosen = [source for source in sources if source.tier == tier]
    return [source for source in chosen if source.usual != UNPINNED] or chosen


def _verdict(admitted: Admitted, wanted: VersionSet, demand: Demand) -> Verdict:
    return admitted.only(wanted) if demand == "only" else admitted.some(wanted)


def _unmentioned(package: str) -> Admitted:
    """A package that nothing bounds is installed at its newest; the interpreter is whatever is there."""
    return UNKNOWN if package == "python" else UNPINNED


def _agreed(answers: list[PinAnswer]) -> PinAnswer:
    """The answer of the folder that mentions the package, if the nearer ones, which do not, come to the same."""
    nearest, last = answers[0], answers[-1]
    if any(answer.verdict != last.verdict for answer in answers):
        return msgspec.structs.replace(last, verdict="unknown", reason=f"{nearest.reason} {last.reason}")
    return last if last.stated else nearest


def _listed(paths: Sequence[str]) -> str:
    return " and ".join(paths[:2]) + (f" and {len(paths) - 2} more" if len(paths) > 2 else "")


# What the manifests of one folder say -------------------------------------------------------------------------------

_USUAL, _VARIANT, _DEVELOPMENT = range(3)


class _Source(msgspec.Struct, frozen=True):
    """One way to install from a folder, and what it says of the package in question."""

    tier: int
    usual: Admitted
    decisive: frozenset[Mention]
    widest: Admitted
    mentions: frozenset[Mention]


def _sources(package: str, folder: str, paths: tuple[str, ...], lookup: Lookup) -> list[_Source]:
    """The ways to install that mention ``package``, or that may do so in a part that could not be read."""
    python = _python_of(paths, lookup)
    found: list[_Source] = []
    project: list[_Source] = []
    unread = False
    for path in paths:
        manifest = lookup.manifest(path)
        if manifest is None or manifest.format == "lock" or _is_compiled(path, package, paths, lookup):
            continue
        inside, complete = _collect(path, package, lookup)
        unread = unread or not complete
        if inside:
            (project if manifest.format in PROJECT_FORMATS else found).append(_source(path, inside, python))
    locked = _locked(package, _locks(folder, paths, lookup), lookup)
    if locked:
        project = _refined(project, locked)
    found += project
    if not found and unread:
        return [_Source(_USUAL, UNKNOWN, frozenset(), UNKNOWN, frozenset())]
    return found


def _source(path: str, inside: list[Mention], python: VersionSet) -> _Source:
    tier = _tier(path)
    admitted, decisive = usual(inside, python)
    if tier == _DEVELOPMENT:
        admitted |= UNPINNED  # nobody but the developers gets the version that they work with
    return _Source(tier, admitted, decisive, widest(inside, python), frozenset(inside))


def _tier(path: str) -> int:
    name = posixpath.basename(path)
    if format_of(path) in PROJECT_FORMATS:
        return _USUAL
    stem = name.rpartition(".")[0]
    if for_development(stem):
        return _DEVELOPMENT
    return _USUAL if words(stem) <= _BASE else _VARIANT


def _is_compiled(path: str, package: str, paths: tuple[str, ...], lookup: Lookup) -> bool:
    """Whether ``requirements.txt`` holds what was resolved from this ``requirements.in``."""
    output = path.removesuffix(".in") + ".txt"
    return path.endswith(".in") and output in paths and bool(_collect(output, package, lookup)[0])


def _python_of(paths: tuple[str, ...], lookup: Lookup) -> VersionSet:
    admitted = EVERYTHING
    for path in paths:
        manifest = lookup.manifest(path)
        for requirement in manifest.requirements if manifest is not None else ():
            if requirement.package == "python" and requirement.versions and not requirement.marker:
                admitted &= any_of(requirement.versions)
    return admitted


# Lock files ---------------------------------------------------------------------------------------------------------


def _locks(folder: str, paths: tuple[str, ...], lookup: Lookup) -> list[str]:
    """The lock files of the folder, else the one of a workspace further out that has the folder as a member."""
    own = [path for path in paths if format_of(path) == "lock"]
    if own or not any(format_of(path) in PROJECT_FORMATS for path in paths):
        return own
    for outer in _outwards(posixpath.dirname(folder)) if folder else ():
        for path in lookup.manifests(outer):
            manifest = lookup.manifest(path) if format_of(path) == "lock" else None
            if manifest is not None and folder.removeprefix(f"{outer}/") in manifest.members:
                return [path]
    return []


def _locked(package: str, locks: list[str], lookup: Lookup) -> list[Mention]:
    return [mention for path in locks for mention in _collect(path, package, lookup)[0]]


def _refined(project: list[_Source], locked: list[Mention]) -> list[_Source]:
    """What was resolved settles the declared range, unless the range has moved on since."""
    exact = any_of(version for mention in locked for version in mention.requirement.versions)
    declared = Admitted()
    for source in project:
        declared |= source.usual
    if declared.versions and not (declared.unknown or declared.newest or declared.versions & exact):
        return project
    settled = Admitted(exact) if exact else UNKNOWN
    return [_Source(_USUAL, settled, frozenset(locked), settled, frozenset(locked))]


# Includes -----------------------------------------------------------------------------------------------------------


def _collect(start: str, package: str, lookup: Lookup) -> tuple[list[Mention], bool]:
    """The mentions of ``package`` in a manifest and what it includes, and whether all of that could be read.

    Cycles end because each file is visited once for each group and each choice of extras that include it.
    """
    found: set[Mention] = set()
    complete = True
    waiting: list[tuple[str, str, frozenset[str] | None]] = [(start, "", None)]
    visited: set[tuple[str, str, frozenset[str] | None]] = set()
    while waiting:
        path, group, extras = visit = waiting.pop()
        if visit in visited:
            continue
        visited.add(visit)
        manifest = lookup.manifest(path) if len(visited) <= _INCLUDE_LIMIT else None
        if manifest is None:
            complete = False
            continue
        complete = complete and manifest.complete
        for requirement in manifest.requirements:
            inner = _group_seen(requirement.group, group, extras)
            if requirement.package == package and inner is not None:
                found.add(Mention(path, msgspec.structs.replace(requirement, group=inner)))
        for include in manifest.includes:
            inner = _group_seen(include.group, group, extras)
            targets = _targets(path, include, lookup) if inner is not None else []
            if targets is None:
                complete = False
                continue
            chosen = frozenset(include.extras) if include.role == "project" else extras
            waiting.extend((target, inner or "", chosen) for target in targets)
    return sorted(found), complete


def _group_seen(stated: str, including: str, extras: frozenset[str] | None) -> str | None:
    """The group of a requirement as the including file sees it; None where ``-e .[extras]`` did not ask for it."""
    if extras is None:
        return including or stated
    return including if not stated or stated in extras else None


def _targets(path: str, include: Include, lookup: Lookup) -> list[str] | None:
    """The files behind an include; None where they lie outside the project."""
    if include.role != "project":
        target = _within(posixpath.dirname(path), include.path)
        return None if target is None else [target]
    folder = _within(governed_directory(path), include.path)
    if folder is None:
        return None
    return [manifest for manifest in lookup.manifests(folder) if format_of(manifest) in PROJECT_FORMATS]


def _within(folder: str, path: str) -> str | None:
    if "://" in path or posixpath.isabs(path) or re.match(r"[a-zA-Z]:", path):
        return None
    target = posixpath.normpath(posixpath.join(folder, path))
    if target == ".." or target.startswith("../"):
        return None
    return "" if target == "." else target
