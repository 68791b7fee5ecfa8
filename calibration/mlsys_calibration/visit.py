"""One visit to a benchmark at one size: the twins take turns in short blocks, and the least block of each counts.

Runs in a process made for it and returns plain data; it knows nothing of profiles.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import msgspec

from mlsys_calibration.benchmark import Benchmark, Quantity, Reading, Twin, Twins
from mlsys_calibration.host_memory import HostMemory

#: Seconds that a block lasts at least: so long that reading the clock does not show in it, and so short that on a busy
#: machine many blocks fit between two moments at which another process takes the CPU.
BLOCK = 0.0005
#: Blocks of each twin in one visit, whatever they cost.
LEAST_BLOCKS = 3
#: Seconds from which one block of a twin is enough for a visit; what matters then is to come back later.
LONG = 0.2

Status = Literal["measured", "failed"]


class Visit(msgspec.Struct, frozen=True):
    """What to do: ``seconds`` is how long the twins take turns; ``twin`` the one to run alone, if only one is."""

    module: str
    benchmark: str
    size: int
    seconds: float
    twin: Twin | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What came of a visit: the least value of each twin that ran, per call, or the reason why there is none."""

    status: Status
    slow: float | None = None
    fast: float | None = None
    occurrences: int = 1
    blocks: int = 0
    reason: str = ""


class TwinsDiffer(Exception):
    """The twins do not compute the same thing, so their costs must not be compared."""


def carry_out(benchmark: Benchmark, visit: Visit) -> Outcome:
    """Prepare the twins and measure them. Raises what they raise, and TwinsDiffer."""
    twins = benchmark.prepare(visit.size)
    try:
        if visit.twin is not None:
            call, other = (twins.slow, twins.fast) if visit.twin == "slow" else (twins.fast, twins.slow)
            value, result = memory_of(call, benchmark.quantity)
            _compare(result, other(), twins)  # afterwards, when its memory disturbs nothing
            least = {visit.twin: value}
            return Outcome("measured", least.get("slow"), least.get("fast"), twins.occurrences, 1)
        if benchmark.quantity == "share":
            return _read_once(twins)
        return _take_turns(twins, visit.seconds)
    finally:
        if twins.close is not None:
            twins.close()


def require_same(twins: Twins) -> bool:
    """Call both twins once and compare what they computed; whether they measure themselves. Raises TwinsDiffer."""
    slow = twins.slow()
    _compare(slow, twins.fast(), twins)
    return isinstance(slow, Reading)


def _compare(one: object, other: object, twins: Twins) -> None:
    first, second = (result.result if isinstance(result, Reading) else result for result in (one, other))
    if first is None or second is None:
        raise TwinsDiffer("a twin returns nothing that could be compared")
    if not twins.same(first, second):
        raise TwinsDiffer("the twins compute different things")


def _read_once(twins: Twins) -> Outcome:
    """The values of twins that count something: no disturbance adds to them, so one call of each tells all."""
    slow, fast = twins.slow(), twins.fast()
    _compare(slow, fast, twins)
    if not isinstance(slow, Reading) or not isinstance(fast, Reading):
        raise TwinsDiffer("a share is counted by the twins themselves")
    return Outcome("measured", slow.value, fast.value, twins.occurrences, 2)


def _take_turns(twins: Twins, seconds: float) -> Outcome:
    reads = require_same(twins)
    slow, fast = (_Side(call, twins, reads) for call in (twins.slow, twins.fast))
    deadline = time.perf_counter() + seconds
    order = (slow, fast)
    while min(slow.blocks, fast.blocks) < LEAST_BLOCKS or time.perf_counter() < deadline:
        for side in order:
            side.block()
        if max(slow.longest, fast.longest) > LONG:
            break
        order = (order[1], order[0])
    return Outcome("measured", slow.least, fast.least, twins.occurrences, slow.blocks + fast.blocks)


class _Side:
    """One twin in the course of a visit. A twin that measures itself is called once in a block."""

    def __init__(self, call: Callable[[], object], twins: Twins, reads: bool) -> None:
        self._call = call
        self._twins = twins
        self._reads = reads
        self._repetitions = 1
        self._long_enough = reads
        self.least = float("inf")
        self.longest = 0.0
        self.blocks = 0

    def block(self) -> None:
        """Measure one block; the first one also finds out, by trying, how many calls make a block."""
        while True:
            if self._twins.renew is not None:
                self._twins.renew()
            value, lasted = self._read() if self._reads else self._timed()
            if self._long_enough or lasted >= BLOCK:
                break
            self._repetitions *= 2 if lasted > BLOCK / 8 else 8
        self._long_enough = True
        self.least = min(self.least, value)
        self.longest = max(self.longest, lasted)
        self.blocks += 1

    def _timed(self) -> tuple[float, float]:
        lasted = self._twins.clock(self._call, self._repetitions)
        return lasted / self._repetitions, lasted

    def _read(self) -> tuple[float, float]:
        begin = time.perf_counter()
        reading = self._call()
        if not isinstance(reading, Reading):
            raise TwinsDiffer("one twin measures itself and the other does not")
        return reading.value, time.perf_counter() - begin


def memory_of(call: Callable[[], object], quantity: Quantity) -> tuple[float, object]:
    """Bytes above what was held before, at the peak or after the call, unless the call measures itself; its result."""
    meter = HostMemory()
    meter.begin()
    result = call()
    if isinstance(result, Reading):
        return result.value, result
    return float(meter.peak() if quantity == "peak-host-bytes" else meter.held()), result
