"""The lower envelope: what a twin costs when nothing disturbs it, and whether we can know that we have seen it.

Interference by other processes adds time and never removes any. So the least of many short blocks is what the code
costs, provided that it was reached more than once, independently.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

#: How far two disjoint halves of the observations may lie apart.
TOLERANCE = 0.05


class Envelope(msgspec.Struct, frozen=True):
    """The least value seen, and by how much of it the second half of the observations stays above."""

    least: float
    spread: float

    @property
    def stable(self) -> bool:
        return self.spread <= TOLERANCE


def envelope(minima: Sequence[float], grain: float = 0.0) -> Envelope:
    """The envelope of the minima of visits to one twin, each visit far apart in time from the next.

    The visits can be dealt into two halves whose minima agree exactly if the two least visits do: put one into each.
    Differences below ``grain`` count as none. One visit alone proves nothing: its spread is infinite.
    Raises ValueError if there is no visit.
    """
    first, *others = sorted(minima)
    if not others:
        return Envelope(first, float("inf"))
    apart = others[0] - first
    return Envelope(first, 0.0 if apart <= grain else apart / max(first, grain))


def ratio(slow: float, fast: float, grain: float) -> float:
    """How many times the fast twin the slow one costs; what lies below the grain counts as the grain."""
    return max(slow, grain) / max(fast, grain)
