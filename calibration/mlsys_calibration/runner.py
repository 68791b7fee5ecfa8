"""Runs benchmarks in passes until each is settled or the time is up, and reports every figure as it comes.

A pass visits each benchmark of a group that is not settled yet, at each size, in a process of its own. So the visits to
one benchmark lie a whole pass apart, and what disturbs the machine for some seconds spoils one visit, not all.
"""

from __future__ import annotations

import datetime
import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import get_args

import msgspec

from mlsys_calibration.benchmark import GRAIN, Benchmark, Twin
from mlsys_calibration.envelope import envelope, ratio
from mlsys_calibration.needs import missing
from mlsys_calibration.profile import Measurement, Point
from mlsys_calibration.visit import Outcome, Visit

Isolate = Callable[[Benchmark, Visit], Outcome]
#: Called with a benchmark and what is known of it now.
Listener = Callable[[Benchmark, Measurement], None]


class Plan(msgspec.Struct, frozen=True):
    """How much a run may take: ``seconds`` in all, ``slice`` for the twins of one visit, at most ``passes`` passes."""

    quick: bool
    seconds: float
    slice: float
    passes: int

    def after(self, spent: float) -> Plan:
        """The plan with so many seconds less."""
        return msgspec.structs.replace(self, seconds=self.seconds - spent)


#: A minute less what the last visit may take beyond it.
QUICK = Plan(quick=True, seconds=54.0, slice=0.08, passes=12)
THOROUGH = Plan(quick=False, seconds=1800.0, slice=0.5, passes=12)


#: Benchmarks that take turns before the next ones begin, and how often: seconds lie between the visits to one of them.
GROUP = 16
GROUP_PASSES = 2


class _Series:
    """What the visits to one benchmark have shown so far."""

    def __init__(self, benchmark: Benchmark, sizes: Sequence[int]) -> None:
        self.benchmark = benchmark
        self.sizes = sizes
        self.minima: dict[tuple[int, Twin], list[float]] = {}
        self.occurrences: dict[int, int] = {}
        self.failure = ""
        self.spent = 0.0

    def take(self, size: int, outcome: Outcome) -> None:
        if outcome.status == "failed":
            self.failure = f"at {size:,} {self.benchmark.axis}: {outcome.reason}"
            return
        self.occurrences[size] = outcome.occurrences
        if outcome.slow is not None:
            self.minima.setdefault((size, "slow"), []).append(outcome.slow)
        if outcome.fast is not None:
            self.minima.setdefault((size, "fast"), []).append(outcome.fast)

    def settled(self, size: int) -> bool:
        grain = GRAIN[self.benchmark.quantity]
        return all(
            (size, twin) in self.minima and envelope(self.minima[size, twin], grain).stable for twin in get_args(Twin)
        )

    @property
    def done(self) -> bool:
        return bool(self.failure) or all(self.settled(size) for size in self.sizes)

    def points(self) -> list[Point]:
        return [
            self._point(size) for size in self.sizes if (size, "slow") in self.minima and (size, "fast") in self.minima
        ]

    def _point(self, size: int) -> Point:
        grain = GRAIN[self.benchmark.quantity]
        slow, fast = envelope(self.minima[size, "slow"], grain), envelope(self.minima[size, "fast"], grain)
        spread = max(slow.spread, fast.spread)
        return Point(
            size=size,
            slow=slow.least,
            fast=fast.least,
            occurrences=self.occurrences[size],
            ratio=ratio(slow.least, fast.least, grain),
            spread=spread if math.isfinite(spread) else None,
        )

    def measurement(self) -> Measurement:
        points = [] if self.failure else self.points()
        if not points:
            return _without_points(self.benchmark, "failed", self.failure)
        left_out = [size for size in self.sizes if size not in {point.size for point in points}]
        notes = f"not reached in the time given: {', '.join(f'{size:,}' for size in left_out)}" if left_out else ""
        return _empty(self.benchmark).model_copy(
            update={
                "status": "measured" if self.done else "unstable",
                "points": points,
                "crossover": crossover(points),
                "unit_cost": unit_cost(points, self.benchmark.typical),
                "notes": notes,
            }
        )


def measure(
    benchmarks: Sequence[Benchmark],
    plan: Plan,
    devices: Mapping[str, int],
    isolate: Isolate,
    listener: Listener,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[str, Measurement]]:
    """Measurements by benchmark id, yielded again whenever one has changed; so who stops early keeps what there is.

    The benchmarks come in groups, so that a machine too busy for all of them still settles some; what a group leaves
    open has the rest of the time. Nothing is yielded of a benchmark that was not reached.
    """
    deadline = clock() + plan.seconds
    series: list[_Series] = []
    for benchmark in benchmarks:
        absent = missing(benchmark.needs, devices)
        if benchmark.thorough and plan.quick:
            absent.append("--thorough")
        if absent:
            measurement = not_applicable(benchmark, absent)
            listener(benchmark, measurement)
            yield benchmark.id, measurement
        else:
            series.append(_Series(benchmark, benchmark.chosen_sizes(plan.quick)))
    groups = [(series[first : first + GROUP], GROUP_PASSES) for first in range(0, len(series), GROUP)]
    for members, passes in [*groups, (series, plan.passes)]:
        for one in _turns(members, passes):
            for size in [size for size in one.sizes if not one.settled(size)]:
                if clock() >= deadline or one.failure:
                    break
                begin = clock()
                _visit(one, size, plan, isolate)
                one.spent += clock() - begin
            if one.points() or one.failure:
                measurement = one.measurement()
                listener(one.benchmark, measurement)
                yield one.benchmark.id, measurement
            if clock() >= deadline:
                return


def _turns(members: Sequence[_Series], passes: int) -> Iterator[_Series]:
    """Those that are not settled, again and again; who has had the least time comes first, so that it settles many."""
    for _ in range(passes):
        yield from sorted((one for one in members if not one.done), key=lambda one: one.spent)


def _visit(one: _Series, size: int, plan: Plan, isolate: Isolate) -> None:
    benchmark = one.benchmark
    twins: tuple[Twin | None, ...] = ("slow", "fast") if benchmark.twin_by_twin else (None,)
    for twin in twins:
        visit = Visit(benchmark.prepare.__module__, benchmark.id, size, plan.slice, twin)
        one.take(size, isolate(benchmark, visit))


def not_applicable(benchmark: Benchmark, absent: Sequence[str]) -> Measurement:
    return _without_points(benchmark, "not-applicable", f"needs {', '.join(absent)}")


def _without_points(benchmark: Benchmark, status: str, notes: str) -> Measurement:
    return _empty(benchmark).model_copy(update={"status": status, "notes": notes})


def _empty(benchmark: Benchmark) -> Measurement:
    return Measurement(
        status="failed",
        quantity=benchmark.quantity,
        device=benchmark.device,
        axis=benchmark.axis,
        per=benchmark.per,
        typical=benchmark.typical,
        date=datetime.datetime.now(datetime.UTC).date(),
    )


def crossover(points: Sequence[Point]) -> float | None:
    """The size at which the twins cost the same, between the first two neighbours that disagree; logarithmic."""
    for one, other in itertools.pairwise(points):
        if (one.ratio > 1.0) != (other.ratio > 1.0) and one.ratio > 0 and other.ratio > 0:
            before, after = math.log(one.ratio), math.log(other.ratio)
            share = before / (before - after) if before != after else 0.0
            return math.exp(math.log(one.size) + share * (math.log(other.size) - math.log(one.size)))
    return None


def unit_cost(points: Sequence[Point], typical: int) -> float | None:
    """What one occurrence loses, at the measured size nearest to the typical one by their quotient."""
    if not points:
        return None
    nearest = min(points, key=lambda point: abs(math.log(point.size / typical)))
    return (nearest.slow - nearest.fast) / nearest.occurrences
