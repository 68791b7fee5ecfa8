"""Matching findings with those known from before, by what they say and not by where they stand.

A finding first meets one of the same file; what is left on both sides meets wherever it has gone to: a renamed file, a
function moved to another module. Lines, layout and order play no part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from mlsys_advise.finding import Finding
from mlsys_advise.fingerprint import Lines, fingerprints

#: Absolute path, code of the rule, digest of the flagged code.
Known = tuple[str, str, str]


class Matched(msgspec.Struct, frozen=True):
    """The findings that were not known, those that were, and what was known and is not found any more."""

    new: tuple[Finding, ...]
    old: tuple[Finding, ...]
    gone: Counter[Known]


def identities(findings: Sequence[Finding], lines: Lines) -> list[Known]:
    """What findings are known by, in their order."""
    digests = (fingerprint.rpartition(":")[0] for fingerprint in fingerprints(findings, lines))
    return [(finding.path, finding.code, digest) for finding, digest in zip(findings, digests, strict=True)]


def match(
    findings: Sequence[Finding], known: Counter[Known], lines: Lines, was_looked_at: Callable[[str], bool]
) -> Matched:
    """Meet findings with what is known. ``was_looked_at`` says of a path whether all findings of its file are here,
    or the file is gone; what is known of other files stays out of it."""
    left = Counter({one: count for one, count in known.items() if was_looked_at(one[0])})
    named = identities(findings, lines)
    new: list[int] = []
    old: list[int] = []
    for index, identity in enumerate(named):
        if left[identity] > 0:
            left[identity] -= 1
            old.append(index)
        else:
            new.append(index)
    moved: dict[tuple[str, str], list[Known]] = {}
    for identity in sorted((+left).elements(), reverse=True):
        moved.setdefault(identity[1:], []).append(identity)
    for index in list(new):
        candidates = moved.get(named[index][1:])
        if candidates:
            left[candidates.pop()] -= 1
            new.remove(index)
            old.append(index)
    return Matched(tuple(findings[index] for index in new), tuple(findings[index] for index in sorted(old)), +left)
