"""How fine the clocks are: the smallest step of time.time and of perf_counter, in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from mlsys_calibration.benchmark import Benchmark, Reading, Twins


def _smallest_step(clock: Callable[[], float], count: int) -> Reading:
    smallest = float("inf")
    for _ in range(count):
        before = after = clock()
        while after == before:
            after = clock()
        smallest = min(smallest, after - before)
    return Reading(smallest, count)


def prepare(size: int) -> Twins:
    return Twins(
        slow=lambda: _smallest_step(time.time, size),
        fast=lambda: _smallest_step(time.perf_counter, size),
    )


BENCHMARK = Benchmark(
    id="clock-resolution",
    summary="the smallest step of time.time(), and of time.perf_counter()",
    prepare=prepare,
    axis="steps",
    sizes=(1000,),
    quick=(1000, 1000),
    typical=1000,
    per="reading",
)
