"""When a least value may be believed."""

from __future__ import annotations

import math

import pytest

from mlsys_calibration.envelope import envelope, ratio


def test_one_visit_proves_nothing() -> None:
    found = envelope([1.0])
    assert found.least == 1.0
    assert math.isinf(found.spread)
    assert not found.stable


def test_two_visits_that_agree_are_enough_whatever_the_others_say() -> None:
    found = envelope([3.0, 1.0, 9.0, 1.04])
    assert found.least == 1.0
    assert found.spread == pytest.approx(0.04)
    assert found.stable


def test_visits_that_lie_apart_are_not_believed() -> None:
    assert not envelope([1.0, 1.06, 1.07]).stable


def test_differences_below_the_grain_are_none() -> None:
    assert envelope([0.0, 3e5], grain=1e6).stable
    assert not envelope([0.0, 3e6], grain=1e6).stable


def test_no_visit_is_an_error() -> None:
    with pytest.raises(ValueError, match="unpack"):
        envelope([])


def test_what_lies_below_the_grain_counts_as_the_grain() -> None:
    assert ratio(100e6, 0.0, 1e6) == 100.0
    assert ratio(0.0, 0.0, 1e6) == 1.0
