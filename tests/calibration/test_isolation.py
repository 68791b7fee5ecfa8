"""Whatever a benchmark does to its process, the run gets an outcome and goes on."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlsys_calibration import isolation
from mlsys_calibration.benchmark import Benchmark, Twin
from mlsys_calibration.visit import Outcome, Visit
from tests.calibration import samples

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits and forks of Linux")


def _processes() -> Iterator[tuple[str, int]]:
    """State and group of each process; one that is dead and not yet reaped has the state Z."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, group = entry.read_text().rpartition(")")[2].split()[:3]
            yield state, int(group)


def outcome(benchmark: Benchmark, size: int = 1, twin: Twin | None = None) -> Outcome:
    return isolation.run(benchmark, Visit(samples.__name__, benchmark.id, size, 0.0, twin))


def test_a_visit_measures_both_twins() -> None:
    found = outcome(samples.SLEEPING)
    assert found.status == "measured", found.reason
    assert found.slow is not None
    assert found.fast is not None
    assert 1.2 < found.slow / found.fast < 2.5


def test_an_exception_is_a_result_without_paths() -> None:
    found = outcome(samples.RAISING)
    assert found.status == "failed"
    assert found.reason == "RuntimeError: no luck in file"


def test_twins_that_differ_are_a_result() -> None:
    assert outcome(samples.DIFFERING).reason == "the twins compute different things"


@linux
def test_a_crash_is_a_result_with_its_signal_and_last_words() -> None:
    assert outcome(samples.CRASHING).reason == "the process ended with SIGSEGV: about to fall"


@linux
def test_a_time_out_ends_the_process_and_those_it_started() -> None:
    mark = Path("/tmp/mlsys-calibration-test-group")
    begin = time.monotonic()
    found = outcome(samples.ENDLESS, size=10)
    assert found.reason == "did not finish within 1 s"
    assert time.monotonic() - begin < 8
    group = int(mark.read_text())
    mark.unlink()
    assert [state for state, of in _processes() if of == group and state != "Z"] == []


@linux
def test_memory_is_limited_beside_what_the_libraries_take() -> None:
    assert outcome(samples.GREEDY).reason == "needs more than 0.3 GB of memory"


@pytest.mark.parametrize(
    ("size", "fact"),
    [
        (1, "the collector is off"),
        (2, "it has a folder of its own"),
        (3, "temporary files go there"),
        (4, "the warm parent had started no thread"),
        (5, "libraries are told to start none"),
    ],
)
def test_the_process_is_prepared(size: int, fact: str) -> None:
    assert outcome(samples.REPORTING, size).slow == 1.0, fact


def test_only_this_machine_can_be_reached() -> None:
    assert outcome(samples.CONNECTING).reason == "PermissionError: a benchmark may connect to this machine only"


@linux
def test_memory_held_and_memory_at_the_peak_are_told_apart() -> None:
    held = outcome(samples.HOLDING, twin="slow").slow
    assert held == pytest.approx(32 << 20, rel=0.1)
    assert (outcome(samples.HOLDING, twin="fast").fast or 0) < 1 << 20
    peak = outcome(samples.FLEETING, twin="slow").slow
    assert peak == pytest.approx(128 << 20, rel=0.1)


def test_folders_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outcome(samples.SLEEPING)
    outcome(samples.RAISING)
    assert list(tmp_path.iterdir()) == []
