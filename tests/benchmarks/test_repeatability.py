"""What counts as settled and as agreeing."""

from __future__ import annotations

import json

from benchmarks.repeatability import SEVERAL, agreeing, rows, settled
from mlsys_calibration.collection import load_benchmarks
from mlsys_calibration.profile import Profile, parse
from tests.calibration.test_profile import PLAIN


def profile(**ratios: float | str) -> Profile:
    """A profile with a ratio for each benchmark, or the status of one that has none."""
    data = json.loads(json.dumps(PLAIN))
    measured = data["measurements"]["scalar-readback"]
    point = measured["points"][0]
    data["measurements"] = {}
    for name, value in ratios.items():
        if isinstance(value, str):
            points = [point] if value == "unstable" else []
            data["measurements"][name] = measured | {"status": value, "points": points}
        else:
            data["measurements"][name] = measured | {"points": [point | {"ratio": value}]}
    return parse(json.dumps(data))


def test_what_was_not_reached_did_not_settle_and_what_cannot_run_does_not_count() -> None:
    names = frozenset({"a", "b", "c", "d", "e"})
    assert settled(profile(a=2.0, b="unstable", c="not-applicable", d="failed"), names) == (1, 4)


def test_runs_agree_where_every_ratio_is_within_a_tenth() -> None:
    first = profile(a=2.0, b=2.0, c=2.0, d="unstable")
    second = profile(a=2.19, b=2.21, c="unstable", d=2.0)
    assert agreeing(first, second, frozenset({"a", "b", "c", "d"})) == (1, 2)


def test_the_table_says_which_bound_is_missed() -> None:
    known = {benchmark.id for benchmark in load_benchmarks() if benchmark.device == "cpu"} - SEVERAL
    sound = profile(**dict.fromkeys(known, 2.0))
    table, met = rows(sound, sound, sound)
    assert met
    assert [row[-1] for row in table[:3]] == ["yes"] * 3
    table, met = rows(profile(**dict.fromkeys(known, "unstable")), sound, profile(**dict.fromkeys(known, 3.0)))
    assert not met
    assert [row[-1] for row in table[:3]] == ["**no**", "yes", "**no**"]


def test_twins_of_several_processes_are_benchmarks_that_exist() -> None:
    assert {benchmark.id for benchmark in load_benchmarks()} >= SEVERAL
