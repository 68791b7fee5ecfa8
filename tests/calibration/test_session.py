"""What is measured is kept: after an interruption, over a second run, and never across machines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlsys_calibration.profile import Machine, Measurement, Point, ProfileError, parse
from mlsys_calibration.session import Session
from tests.calibration.samples import _declare
from tests.calibration.test_profile import PLAIN

HERE = Machine(**PLAIN["machine"])
ONE, TWO = (_declare(name, lambda size: None) for name in ("one", "two"))


def measurement(status: str, slow: float = 4.0) -> Measurement:
    points = [Point(size=1, slow=slow, fast=1.0, ratio=slow, spread=0.1)] if status in ("measured", "unstable") else []
    return Measurement(
        status=status,  # type: ignore[arg-type]
        quantity="seconds",
        axis="rows",
        per="call",
        typical=1,
        date="2026-01-31",  # type: ignore[arg-type]
        points=points,
    )


def session(path: Path, *, quick: bool = True, machine: Machine = HERE) -> Session:
    return Session(path, "mine", "0.1.0", quick, machine)


def on_disk(path: Path) -> dict[str, str]:
    return {name: found.status for name, found in parse(path.read_bytes()).measurements.items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "mine.json"


def test_each_figure_is_on_the_disk_at_once(path: Path) -> None:
    running = session(path)
    running.take("one", measurement("measured"))
    assert on_disk(path) == {"one": "measured"}
    assert not parse(path.read_bytes()).complete
    assert [entry.name for entry in path.parent.iterdir()] == ["mine.json"]


def test_an_interrupted_run_goes_on_where_it_stopped(path: Path) -> None:
    first = session(path)
    first.take("one", measurement("measured"))
    first.take("two", measurement("unstable"))
    second = session(path)
    assert second.resumes
    assert second.remaining([ONE, TWO]) == [TWO]


def test_a_complete_run_is_refreshed(path: Path) -> None:
    first = session(path)
    first.take("one", measurement("measured"))
    first.finish([ONE])
    second = session(path)
    assert second.remaining([ONE, TWO]) == [ONE, TWO]
    second.take("one", measurement("measured", slow=8.0))
    assert parse(path.read_bytes()).measurements["one"].points[0].slow == 8.0


def test_a_first_look_does_not_displace_a_sound_figure_until_the_run_is_over(path: Path) -> None:
    first = session(path)
    first.take("one", measurement("measured"))
    first.finish([ONE])
    second = session(path)
    second.take("one", measurement("unstable"))
    second.write(complete=False)
    assert on_disk(path) == {"one": "measured"}
    second.finish([ONE])
    assert on_disk(path) == {"one": "unstable"}


def test_figures_of_another_machine_are_not_mixed_in(path: Path) -> None:
    session(path).take("one", measurement("measured"))
    other = HERE.model_copy(update={"memory_bytes": 1})
    second = session(path, machine=other)
    assert second.replaces
    assert second.remaining([ONE]) == [ONE]
    second.take("two", measurement("measured"))
    assert on_disk(path) == {"two": "measured"}


def test_figures_of_another_effort_are_not_mixed_in(path: Path) -> None:
    session(path).take("one", measurement("measured"))
    assert session(path, quick=False).kept == {}


def test_a_file_that_is_no_profile_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"precious": 1}))
    with pytest.raises(ProfileError, match="precious"):
        session(path)
    assert path.read_text() == json.dumps({"precious": 1})


def test_a_run_whose_time_was_too_short_goes_on_next_time(path: Path) -> None:
    first = session(path)
    first.take("one", measurement("measured"))
    assert not first.finish([ONE, TWO]).complete
    assert session(path).remaining([ONE, TWO]) == [TWO]
