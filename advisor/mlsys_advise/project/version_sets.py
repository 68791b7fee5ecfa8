"""Sets of PEP 440 versions as intervals of the version order, so that "admits only" is a subset and not a guess.

Invariant: a set says what a specifier admits among all versions there could be, pre-releases included; it does not
know which exist. Local labels (``+cu118``) name builds of one version and are dropped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec
from packaging.version import InvalidVersion, Version

#: Epoch, release without trailing zeros, pre-release, post-release, development release.
_Key = tuple[float, tuple[int, ...], tuple[int, int], float, float]

#: A point between versions: just before (0) or just after (1) the one with this key.
_Cut = tuple[_Key, int]

_BOTTOM: _Cut = ((-1, (), (0, 0), 0, 0), 0)
_TOP: _Cut = ((math.inf, (), (0, 0), 0, 0), 0)

_PRE_RELEASES = {"a": 0, "b": 1, "rc": 2}
_ONLY_DEV, _FINAL = (-1, 0), (3, 0)

_CLAUSE = re.compile(r"(===|==(?!=)|!=|<=|>=|~=|<|>)\s*(.*)")


class VersionSet(msgspec.Struct, frozen=True):
    """Disjoint intervals in ascending order, each from a cut to a later one."""

    intervals: tuple[tuple[_Cut, _Cut], ...] = ()

    def __or__(self, other: VersionSet) -> VersionSet:
        return _union([*self.intervals, *other.intervals])

    def __and__(self, other: VersionSet) -> VersionSet:
        return (self.complement() | other.complement()).complement()

    def __le__(self, other: VersionSet) -> bool:
        """Whether every version of this set is one of ``other``."""
        return not self & other.complement()

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __contains__(self, version: str) -> bool:
        """Raises ``packaging.version.InvalidVersion`` where ``version`` is none."""
        cut = (_key(Version(version)), 0)
        return any(low <= cut < high for low, high in self.intervals)

    def complement(self) -> VersionSet:
        edges = [_BOTTOM, *(cut for interval in self.intervals for cut in interval), _TOP]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return VersionSet(tuple((low, high) for low, high in pairs if low < high))

    @property
    def unbounded(self) -> bool:
        """Whether there is no newest version in it."""
        return bool(self.intervals) and self.intervals[-1][1] == _TOP


NOTHING = VersionSet()
EVERYTHING = VersionSet(((_BOTTOM, _TOP),))


def _union(intervals: Iterable[tuple[_Cut, _Cut]]) -> VersionSet:
    merged: list[tuple[_Cut, _Cut]] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return VersionSet(tuple(merged))


@lru_cache(maxsize=4096)
def versions(specifiers: str) -> VersionSet:
    """What ``>=1.7,!=1.12,<2.6`` admits; the empty text admits everything.

    Raises ValueError where a clause is not one of PEP 440.
    """
    admitted = EVERYTHING
    for clause in specifiers.split(","):
        if clause.strip():
            admitted &= _clause(clause.strip())
    return admitted


def any_of(alternatives: Iterable[str]) -> VersionSet:
    """What at least one of several specifier sets admits. Raises ValueError like ``versions``."""
    admitted = NOTHING
    for specifiers in alternatives:
        admitted |= versions(specifiers)
    return admitted


def _clause(text: str) -> VersionSet:
    match = _CLAUSE.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is not a version clause")
    operator, stated = match[1], match[2].strip()
    if operator == "===":
        return _identical(stated)
    if stated.endswith(".*"):
        family = _family(Version(stated.removesuffix(".*")))
        return {"==": family, "!=": family.complement()}[operator] if operator in ("==", "!=") else _rejected(text)
    version = Version(stated)
    at = _key(version)
    match operator:
        case "==":
            return _between((at, 0), (at, 1))
        case "!=":
            return _between((at, 0), (at, 1)).complement()
        case ">=":
            return _between((at, 0), _TOP)
        case "<=":
            return _between(_BOTTOM, (at, 1))
        case "<":
            return _below(version)
        case ">":
            return _above(version)
        case _:
            if len(version.release) < 2:
                return _rejected(text)
            return _between((at, 0), _TOP) & _family(_truncated(version))


def _rejected(text: str) -> VersionSet:
    raise ValueError(f"`{text}` is not a version clause")


def _identical(stated: str) -> VersionSet:
    """``===`` compares text; what is no version at all equals none that is."""
    try:
        at = _key(Version(stated))
    except InvalidVersion:
        return NOTHING
    return _between((at, 0), (at, 1))


def _below(version: Version) -> VersionSet:
    """``<2.6`` does not admit 2.6rc1, though that comes before 2.6."""
    at = _key(version)
    if version.is_prerelease:
        return _between(_BOTTOM, (at, 0))
    epoch, release, pre, post, _ = at
    own_first = (epoch, release, pre, post, 0) if version.is_postrelease else _first_of_release(at)
    return _between(_BOTTOM, (own_first, 0))


def _above(version: Version) -> VersionSet:
    """``>2.6`` does not admit 2.6.post1, though that comes after 2.6."""
    at = _key(version)
    above = _between((at, 1), _TOP)
    if version.is_postrelease or version.is_devrelease:
        return above
    epoch, release, pre, *_ = at
    own_posts = _between(((epoch, release, pre, 0, 0), 0), ((epoch, release, pre, math.inf, math.inf), 1))
    return above & own_posts.complement()


def _family(prefix: Version) -> VersionSet:
    """``2.4.*``: from the first development release of 2.4 to that of 2.5."""
    following = (*prefix.release[:-1], prefix.release[-1] + 1)
    first = (_first_of_release((prefix.epoch, _trimmed(prefix.release), _FINAL, -1, math.inf)), 0)
    last = (_first_of_release((prefix.epoch, _trimmed(following), _FINAL, -1, math.inf)), 0)
    return _between(first, last)


def _truncated(version: Version) -> Version:
    """``~=2.4.1`` stays within 2.4."""
    return Version(f"{version.epoch}!{'.'.join(map(str, version.release[:-1]))}")


def _between(low: _Cut, high: _Cut) -> VersionSet:
    return VersionSet(((low, high),)) if low < high else NOTHING


def _key(version: Version) -> _Key:
    if version.pre is not None:
        pre = (_PRE_RELEASES[version.pre[0]], version.pre[1])
    else:
        pre = _ONLY_DEV if version.dev is not None and version.post is None else _FINAL
    return (
        version.epoch,
        _trimmed(version.release),
        pre,
        -1 if version.post is None else version.post,
        math.inf if version.dev is None else version.dev,
    )


def _trimmed(release: tuple[int, ...]) -> tuple[int, ...]:
    """1.0 and 1 are one version."""
    end = len(release)
    while end and release[end - 1] == 0:
        end -= 1
    return release[:end]


def _first_of_release(key: _Key) -> _Key:
    epoch, release, *_ = key
    return (epoch, release, _ONLY_DEV, -1, 0)
