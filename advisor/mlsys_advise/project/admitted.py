"""From the requirements that bear on a package to the set of versions that an installation may get.

Invariant: requirements that hold together are intersected, installations that exclude one another are united; what
cannot be told stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from mlsys_advise.languages.requirements import Requirement
from mlsys_advise.project.environments import Environment, environments, holds
from mlsys_advise.project.version_sets import EVERYTHING, NOTHING, VersionSet, any_of

Verdict = Literal["yes", "no", "unknown"]

#: Words of file names and groups that belong to working on a project, not to running it.
_DEVELOPMENT = frozenset(
    {"checks", "ci", "cov", "coverage", "dev", "develop", "development", "doc", "docs", "documentation", "format"}
    | {"formatting", "lint", "linter", "linting", "pre", "precommit", "quality", "readthedocs", "release", "rtd"}
    | {"style", "test", "testing", "tests", "types", "typing"}
)


class Mention(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One requirement that bears on a package, and the file in which it stands."""

    path: str
    requirement: Requirement


class Admitted(msgspec.Struct, frozen=True):
    """The versions that some requirements let in.

    ``newest`` stands for an installation that nothing bounds and that gets the newest version, ``unknown`` for one
    whose version cannot be told from the text.
    """

    versions: VersionSet = NOTHING
    newest: bool = False
    unknown: bool = False

    def __or__(self, other: Admitted) -> Admitted:
        return Admitted(self.versions | other.versions, self.newest or other.newest, self.unknown or other.unknown)

    def only(self, wanted: VersionSet) -> Verdict:
        """Whether every installation gets a version in ``wanted``."""
        if (self.newest and not wanted.unbounded) or not self.versions <= wanted:
            return "no"
        return "yes" if (self.versions or self.newest) and not self.unknown else "unknown"

    def some(self, wanted: VersionSet) -> Verdict:
        """Whether some installation may get a version in ``wanted``."""
        if (self.newest and wanted.unbounded) or self.versions & wanted:
            return "yes"
        return "unknown" if self.unknown else "no"


UNPINNED = Admitted(newest=True)
UNKNOWN = Admitted(unknown=True)


def words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", name.lower()))


def for_development(name: str) -> bool:
    """Whether an extra, group or file of this name serves work on the project."""
    return not words(name).isdisjoint(_DEVELOPMENT)


def usual(mentions: Sequence[Mention], python: VersionSet = EVERYTHING) -> tuple[Admitted, frozenset[Mention]]:
    """What the usual installation admits, and the mentions that decide it.

    That is the one on Linux, without optional parts where the package stands outside them. ``mentions`` all bear on
    one package and come from one manifest with what it includes.
    """
    installations = list(_installations(mentions, python))
    if not any(inside for _, inside in installations):
        return UNKNOWN, frozenset(mentions)
    found, decisive = Admitted(), set[Mention]()
    for environment, inside in installations:
        for together in _alternatives(inside) if environment.usual else ():
            found |= _together(together)
            decisive.update(together)
    return found, frozenset(decisive)


def widest(mentions: Sequence[Mention], python: VersionSet = EVERYTHING) -> Admitted:
    """What any installation may get, on whatever system and with whatever optional parts."""
    found = Admitted()
    for _, inside in _installations(mentions, python):
        base = [mention for mention in inside if not mention.requirement.group]
        found |= _together(base)
        for group in sorted({mention.requirement.group for mention in inside} - {""}):
            found |= _together([*base, *(one for one in inside if one.requirement.group == group)])
    return found


def _installations(mentions: Sequence[Mention], python: VersionSet) -> Iterator[tuple[Environment, list[Mention]]]:
    """The mentions in force in each environment. Without markers, one environment speaks for all."""
    marked = any(mention.requirement.marker for mention in mentions)
    for environment in environments(python) if marked else environments(python)[:1]:
        in_force = ((one, holds(one.requirement.marker, environment)) for one in mentions)
        yield environment, [one if sure else _unclear(one) for one, sure in in_force if sure is not False]


def _unclear(mention: Mention) -> Mention:
    """A requirement whose marker is not understood may or may not bound the version."""
    return Mention(mention.path, msgspec.structs.replace(mention.requirement, versions=()))


def _alternatives(inside: Sequence[Mention]) -> list[list[Mention]]:
    """Mentions that hold together, for each way to install. Optional parts are taken to exclude one another."""
    base = [mention for mention in inside if not mention.requirement.group]
    if base or not inside:
        return [base]
    groups = sorted({mention.requirement.group for mention in inside})
    running = [group for group in groups if not for_development(group)]
    parts = [[one for one in inside if one.requirement.group == group] for group in running or groups]
    return parts if running else [[], *parts]


def _together(mentions: Sequence[Mention]) -> Admitted:
    """What satisfies all of them at once; a contradiction is not understood, and nothing at all is no bound."""
    admitted = EVERYTHING
    for mention in mentions:
        requirement = mention.requirement
        if not requirement.versions:
            return UNKNOWN
        admitted &= any_of(requirement.versions)
    if admitted == EVERYTHING:
        return UNPINNED
    return Admitted(admitted) if admitted else UNKNOWN
