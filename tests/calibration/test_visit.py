"""One visit: turns, blocks, least values, and twins that must agree."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlsys_calibration import visit
from mlsys_calibration.benchmark import Reading, Twins, agree
from mlsys_calibration.visit import Outcome, TwinsDiffer, Visit, carry_out
from tests.calibration.samples import _declare


def measured(twins: Twins, seconds: float = 0.0) -> Outcome:
    return carry_out(_declare("sample", lambda size: twins), Visit("", "sample", 1, seconds))


class Machine:
    """A clock on which each call costs what a script says."""

    def __init__(self, costs: dict[str, list[float]]) -> None:
        self.costs = costs
        self.order: list[str] = []
        self.last = 0.0

    def twin(self, name: str) -> Callable[[], int]:
        def call() -> int:
            script = self.costs[name]
            self.last = script.pop(0) if len(script) > 1 else script[0]
            self.order.append(name)
            return 1

        return call

    def clock(self, call: Callable[[], object], repetitions: int) -> float:
        total = 0.0
        for _ in range(repetitions):
            call()
            total += self.last
        return total

    def twins(self) -> Twins:
        return Twins(self.twin("slow"), self.twin("fast"), clock=self.clock)


def test_the_least_block_counts() -> None:
    machine = Machine({"slow": [9.0, 0.05, 0.03, 0.04], "fast": [9.0, 0.02, 0.01, 0.02]})
    outcome = measured(machine.twins())
    assert (outcome.slow, outcome.fast) == (0.03, 0.01)


def test_twins_take_turns_and_the_order_alternates() -> None:
    machine = Machine({"slow": [0.01], "fast": [0.01]})
    measured(machine.twins())
    assert machine.order == ["slow", "fast", "slow", "fast", "fast", "slow", "slow", "fast"]


def test_short_calls_are_repeated_until_the_block_is_long_enough() -> None:
    machine = Machine({"slow": [1e-5], "fast": [0.01]})
    outcome = measured(machine.twins())
    longest = max(len(run) for run in "".join(name[0] for name in machine.order).split("f"))
    assert longest * 1e-5 >= visit.BLOCK
    assert outcome.slow == pytest.approx(1e-5)


def test_a_twin_that_lasts_long_gets_one_block_a_visit() -> None:
    machine = Machine({"slow": [3.0], "fast": [0.01]})
    assert measured(machine.twins()).blocks == 2


def test_a_twin_may_measure_itself() -> None:
    values = [0.0, 7.0, 5.0, 6.0]
    outcome = measured(Twins(slow=lambda: Reading(values.pop(0), "same"), fast=lambda: Reading(2.0, "same")))
    assert (outcome.slow, outcome.fast) == (5.0, 2.0)


def test_what_is_counted_is_counted_once() -> None:
    counted: list[int] = []
    twins = Twins(slow=lambda: counted.append(1) or Reading(0.5, 8), fast=lambda: Reading(0.0, 8))
    outcome = carry_out(_declare("share", lambda size: twins, quantity="share"), Visit("", "share", 1, 1.0))
    assert (outcome.slow, outcome.fast, len(counted)) == (0.5, 0.0, 1)


def test_twins_that_compute_different_things_are_not_compared() -> None:
    with pytest.raises(TwinsDiffer, match="different things"):
        measured(Twins(slow=lambda: 1, fast=lambda: 2))
    with pytest.raises(TwinsDiffer, match="nothing"):
        measured(Twins(slow=lambda: None, fast=lambda: None))


def test_what_has_to_be_renewed_is_renewed_before_each_block() -> None:
    machine = Machine({"slow": [0.01], "fast": [0.01]})
    renewed: list[int] = []
    twins = Twins(machine.twin("slow"), machine.twin("fast"), clock=machine.clock, renew=lambda: renewed.append(1))
    assert measured(twins).blocks == len(renewed) == 6


def test_the_twins_are_closed_even_if_they_fail() -> None:
    closed: list[int] = []
    with pytest.raises(TwinsDiffer):
        measured(Twins(slow=lambda: 1, fast=lambda: 2, close=lambda: closed.append(1)))
    assert closed == [1]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, 1.0005, True),
        (1.0, 1.01, False),
        ([1, (2.0, "a")], [1, (2.0, "a")], True),
        ([1, 2], [1, 2, 3], False),
        ({"a": [1.0]}, {"a": [1.0]}, True),
        ({"a": [1.0]}, {"b": [1.0]}, False),
        ("text", "text", True),
        (b"x", b"y", False),
    ],
)
def test_results_are_compared_up_to_rounding(one: object, other: object, same: bool) -> None:
    assert agree(one, other) is same


def test_arrays_are_compared_by_their_largest_value() -> None:
    numpy = pytest.importorskip("numpy")
    ones = numpy.ones((3, 3), dtype=numpy.float32)
    assert agree(ones, ones + 5e-4)
    assert not agree(ones, ones + 5e-3)
    assert not agree(ones, numpy.ones((3, 2), dtype=numpy.float32))
