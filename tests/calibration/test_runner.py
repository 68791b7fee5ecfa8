"""Passes, budget, stability: a machine that follows a script, and what the run makes of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import pytest

from mlsys_calibration import runner
from mlsys_calibration.benchmark import Benchmark
from mlsys_calibration.profile import Measurement, Point
from mlsys_calibration.runner import Plan, crossover, measure, unit_cost
from mlsys_calibration.visit import Outcome, Visit
from tests.calibration.samples import _declare

PLAN = Plan(quick=True, seconds=100.0, slice=1.0, passes=5)
ONE, TWO = (_declare(name, lambda size: None, quick=(1, 1)) for name in ("one", "two"))


def run(
    benchmarks: Iterable[Benchmark],
    isolate: Callable[[Benchmark, Visit], Outcome],
    plan: Plan = PLAN,
    clock: Callable[[], float] = lambda: 0.0,
) -> tuple[dict[str, Measurement], list[str]]:
    visited: list[str] = []

    def noted(benchmark: Benchmark, visit: Visit) -> Outcome:
        visited.append(f"{benchmark.id}@{visit.size}{visit.twin or ''}")
        return isolate(benchmark, visit)

    found = dict(measure(list(benchmarks), plan, {}, noted, lambda benchmark, measurement: None, clock))
    return found, visited


def steady(benchmark: Benchmark, visit: Visit) -> Outcome:
    return Outcome("measured", slow=4.0, fast=2.0, occurrences=2)


def test_two_passes_that_agree_settle_a_benchmark() -> None:
    found, visited = run([ONE, TWO], steady)
    assert visited == ["one@1", "two@1", "one@1", "two@1"]
    assert found["one"].status == "measured"
    assert found["one"].points[0].ratio == 2.0
    assert found["one"].unit_cost == 1.0


def test_what_is_not_settled_is_visited_again_and_nothing_else_is() -> None:
    values = itertools.chain([4.0, 8.0, 6.0, 4.1], itertools.repeat(99.0))

    def isolate(benchmark: Benchmark, visit: Visit) -> Outcome:
        return Outcome("measured", slow=next(values) if benchmark is ONE else 4.0, fast=2.0)

    found, visited = run([ONE, TWO], isolate)
    assert visited.count("one@1") == 4
    assert visited.count("two@1") == 2
    assert found["one"].status == "measured"
    assert found["one"].points[0].slow == 4.0
    assert found["one"].points[0].spread == pytest.approx(0.025)


def test_what_never_settles_is_unstable() -> None:
    values = (2.0**number for number in itertools.count())
    found, visited = run([ONE], lambda benchmark, visit: Outcome("measured", slow=next(values), fast=1.0))
    assert len(visited) == runner.GROUP_PASSES + PLAN.passes
    assert found["one"].status == "unstable"


def test_a_failure_is_a_result_and_the_run_goes_on() -> None:
    def isolate(benchmark: Benchmark, visit: Visit) -> Outcome:
        return Outcome("failed", reason="SIGSEGV") if benchmark is ONE else steady(benchmark, visit)

    found, visited = run([ONE, TWO], isolate)
    assert (found["one"].status, found["one"].notes) == ("failed", "at 1 rows: SIGSEGV")
    assert visited.count("one@1") == 1
    assert found["two"].status == "measured"


def test_what_the_time_does_not_reach_is_left_out() -> None:
    ticks = itertools.count(step=40)
    found, visited = run([ONE, TWO, _declare("three", lambda size: None, quick=(1, 1))], steady, clock=ticks.__next__)
    assert visited[:1] == ["one@1"]
    assert "three" not in found
    assert "three@1" not in visited


def test_a_machine_too_busy_for_all_settles_the_first_group() -> None:
    many = [_declare(f"b{number:02}", lambda size: None, quick=(1, 1)) for number in range(2 * runner.GROUP)]
    ticks = itertools.count()
    plan = Plan(quick=True, seconds=9.0 * runner.GROUP, slice=1.0, passes=5)
    found, _ = run(many, steady, plan, clock=ticks.__next__)
    assert {found[one.id].status for one in many[: runner.GROUP]} == {"measured"}
    assert many[-1].id not in found


def test_what_a_group_leaves_open_has_the_rest_of_the_time() -> None:
    many = [_declare(f"b{number:02}", lambda size: None, quick=(1, 1)) for number in range(runner.GROUP + 1)]
    values = (2.0**-number for number in itertools.count())

    def isolate(benchmark: Benchmark, visit: Visit) -> Outcome:
        return Outcome("measured", slow=next(values) if benchmark is many[0] else 4.0, fast=1.0)

    found, visited = run(many, isolate)
    assert visited.count("b00@1") == runner.GROUP_PASSES + PLAN.passes
    assert found["b00"].status == "unstable"


def test_who_has_had_the_least_time_comes_first() -> None:
    now = 0.0

    def isolate(benchmark: Benchmark, visit: Visit) -> Outcome:
        nonlocal now
        now += 9.0 if benchmark is ONE else 1.0
        return steady(benchmark, visit)

    _, visited = run([ONE, TWO], isolate, clock=lambda: now)
    assert visited == ["one@1", "two@1", "two@1", "one@1"]


def test_what_is_missing_is_named() -> None:
    needy = _declare("needy", lambda size: None, needs=("cuda", "no_such_package_here"), thorough=True)
    found, visited = run([needy], steady)
    assert visited == []
    assert found["needy"].status == "not-applicable"
    assert found["needy"].notes == "needs a CUDA device, no_such_package_here, --thorough"


def test_memory_is_measured_twin_by_twin() -> None:
    hungry = _declare("hungry", lambda size: None, quick=(1, 1), quantity="peak-host-bytes")

    def isolate(benchmark: Benchmark, visit: Visit) -> Outcome:
        return Outcome("measured", **{str(visit.twin): 64e6 if visit.twin == "slow" else 0.0})

    found, visited = run([hungry], isolate)
    assert visited[:2] == ["hungry@1slow", "hungry@1fast"]
    assert found["hungry"].points[0].ratio == pytest.approx(64e6 / (1 << 20))


def test_a_thorough_run_takes_all_sizes() -> None:
    long = _declare("long", lambda size: None, sizes=(1, 2, 3), quick=(1, 3))
    plan = Plan(quick=False, seconds=100.0, slice=1.0, passes=2)
    assert [point.size for point in run([long], steady, plan)[0]["long"].points] == [1, 2, 3]
    assert [point.size for point in run([long], steady)[0]["long"].points] == [1, 3]


def point(size: int, slow: float, fast: float = 1.0) -> Point:
    return Point(size=size, slow=slow, fast=fast, ratio=slow / fast, spread=0.0)


def test_the_crossover_lies_where_both_cost_the_same() -> None:
    assert crossover([point(10, 0.5), point(1000, 2.0)]) == pytest.approx(100.0)
    assert crossover([point(10, 1.5), point(1000, 2.0)]) is None


def test_the_unit_cost_is_that_of_the_nearest_size() -> None:
    points = [point(10, 3.0), point(1000, 9.0)]
    assert unit_cost(points, 20) == 2.0
    assert unit_cost(points, 500) == 8.0


def test_the_quick_plan_leaves_room_within_a_minute() -> None:
    assert runner.QUICK.after(10.0).seconds <= 50.0
