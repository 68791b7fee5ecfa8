"""What a benchmark is: two ways to do the same work, over a sweep of sizes, measured in one quantity.

Nothing here needs numpy or torch, so that benchmarks can be listed where neither is installed; a benchmark imports
what it needs in its ``prepare``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any, Literal

import msgspec

Quantity = Literal["seconds", "peak-host-bytes", "held-host-bytes", "peak-device-bytes", "bytes-moved", "share"]
Device = Literal["cpu", "cuda", "mps"]
Twin = Literal["slow", "fast"]
#: Seconds that so many calls in a row take.
Clock = Callable[[Callable[[], object], int], float]

#: The least difference that means anything, in the unit of each quantity. Memory of a process is handed out in pages
#: and arenas, so less than 1 MiB of it says nothing about the code.
GRAIN: Mapping[Quantity, float] = {
    "seconds": 1e-9,
    "peak-host-bytes": float(1 << 20),
    "held-host-bytes": float(1 << 20),
    "peak-device-bytes": 512.0,
    "bytes-moved": 1.0,
    "share": 0.01,
}


def wall(call: Callable[[], object], repetitions: int) -> float:
    """Wall-clock seconds of ``repetitions`` calls."""
    begin = time.perf_counter()
    for _ in repeat(None, repetitions):
        call()
    return time.perf_counter() - begin


class Reading(msgspec.Struct, frozen=True):
    """What a twin returns that measures itself: ``value`` in the benchmark's quantity, and what it computed."""

    value: float
    result: object


def agree(first: Any, second: Any) -> bool:
    """Whether two results are the same up to rounding: numbers, strings, sequences, mappings, arrays and tensors."""
    pending = [(first, second)]
    while pending:
        one, other = pending.pop()
        if hasattr(one, "shape") and hasattr(other, "shape"):
            if tuple(one.shape) != tuple(other.shape) or not _close(one, other):
                return False
        elif isinstance(one, Mapping) and isinstance(other, Mapping):
            if one.keys() != other.keys():
                return False
            pending.extend((one[key], other[key]) for key in one)
        elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
            if len(one) != len(other):
                return False
            pending.extend(zip(one, other, strict=True))
        elif isinstance(one, int | float) and isinstance(other, int | float):
            if not math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-6):
                return False
        elif one != other:
            return False
    return True


def _close(one: Any, other: Any) -> bool:
    """Largest difference at most a thousandth of the largest value; low-precision sums differ by their order."""
    if 0 in tuple(one.shape):
        return True
    if "bool" in str(one.dtype) or "bool" in str(other.dtype):
        return bool((one == other).all())
    one, other = (part.float() if hasattr(part, "float") else part.astype("float64") for part in (one, other))
    difference, scale = float(abs(one - other).max()), float(abs(other).max())
    return difference <= 1e-3 * scale + 1e-6


class Twins(msgspec.Struct, frozen=True):
    """The antipattern and its remedy, ready to be called.

    Both return what they computed, or a Reading. One call holds ``occurrences`` of the antipattern. ``renew`` runs,
    unmeasured, before each block; ``close`` when all is done.
    """

    slow: Callable[[], object]
    fast: Callable[[], object]
    occurrences: int = 1
    same: Callable[[Any, Any], bool] = agree
    clock: Clock = wall
    renew: Callable[[], object] | None = None
    close: Callable[[], object] | None = None


class Benchmark(msgspec.Struct, frozen=True):
    """A benchmark as it is declared.

    ``sizes`` counts ``axis`` ("elements", "bytes of the batch"); ``quick`` are the two of them that the quick run
    takes, ``typical`` the one that stands for code of which no size is known. ``per`` names one occurrence of the
    antipattern. ``needs`` are names of packages, and of ``needs.CONDITIONS``. ``threads`` is how many threads the
    libraries may use; ``memory`` how many bytes the benchmark may take beside its libraries; ``limit`` how many
    seconds one visit may last. A ``thorough`` benchmark has to compile first and is left out of the quick run.
    """

    id: str
    summary: str
    prepare: Callable[[int], Twins]
    axis: str
    sizes: tuple[int, ...]
    quick: tuple[int, int]
    typical: int
    per: str = "call"
    quantity: Quantity = "seconds"
    device: Device = "cpu"
    needs: tuple[str, ...] = ()
    threads: int = 1
    memory: int = 2 << 30
    limit: float = 20.0
    thorough: bool = False

    @property
    def module(self) -> str:
        """The module of the course that the benchmark belongs to: the folder it stands in."""
        return self.prepare.__module__.rpartition(".")[0].rpartition(".")[2]

    @property
    def twin_by_twin(self) -> bool:
        """Whether each twin needs a process of its own, because what one leaves in memory would hide the other."""
        return self.quantity in ("peak-host-bytes", "held-host-bytes", "peak-device-bytes")

    def chosen_sizes(self, quick: bool) -> Sequence[int]:
        """The sizes that a run measures."""
        return tuple(dict.fromkeys(self.quick)) if quick else self.sizes
