"""``calibrate`` from its options to the profile it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlsys_advise.command import calibrate, dispatch
from mlsys_calibration import isolation, runner
from mlsys_calibration.profile import Measurement, parse
from tests.calibration import samples
from tests.calibration.test_profile import PLAIN


class Program:
    """The command line in this process, with benchmarks of the tests."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.err = ""

    def __call__(self, *arguments: str, status: int = 0) -> str:
        found = dispatch.run(["calibrate", *arguments])
        captured = self._capsys.readouterr()
        self.err = captured.err
        assert found == status, captured
        return captured.out


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Program:
    known = (samples.SLEEPING, samples.DIFFERING, samples.NEEDY)
    monkeypatch.setattr(calibrate, "load_benchmarks", lambda: known)
    monkeypatch.setattr(isolation, "environment", dict)
    monkeypatch.setenv("MLSYS_ADVISE_DATA_DIR", str(tmp_path))
    return Program(tmp_path, capsys)


def test_a_run_prints_each_figure_and_leaves_a_profile(program: Program) -> None:
    out = program()
    assert "differing                      failed: at 1 rows: the twins compute different things" in out
    assert "needy                          not-applicable: needs no_such_package" in out
    assert "pip install 'mlsys-advise[calibrate-all]'" in out
    sleeping = next(line for line in out.splitlines() if line.startswith("sleeping"))
    assert "at 1 rows" in sleeping
    assert " ms against " in sleeping
    profile = parse((program.folder / "this-machine.json").read_bytes())
    assert profile.complete
    assert set(profile.measurements) == {"sleeping", "differing", "needy"}
    assert 1.2 < profile.measurements["sleeping"].points[0].ratio < 2.5


def test_the_options_choose_what_is_measured(program: Program) -> None:
    output = program.folder / "elsewhere" / "a.json"
    program("--only", "differing", "--output", str(output), "--name", "box")
    profile = parse(output.read_bytes())
    assert (profile.name, set(profile.measurements)) == ("box", {"differing"})
    assert not (program.folder / "this-machine.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "nothing"], "there is no benchmark nothing"),
        (["--module", "nothing"], "there is no module nothing; there are calibration"),
        (["--name", "../x"], "cannot name a profile"),
        (["--compare", "no.json", "no.json"], "cannot read no.json"),
        (["--quick", "--thorough"], "not allowed with"),
    ],
)
def test_wrong_usage_is_one_line(program: Program, arguments: list[str], message: str) -> None:
    program(*arguments, status=2)
    assert message in program.err
    assert len(program.err.splitlines()) == 1


def test_what_is_measured_survives_an_interrupt_and_the_next_run_goes_on(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = runner.measure

    def interrupted(*arguments: Any) -> Iterator[tuple[str, Measurement]]:
        for name, measurement in real(*arguments):
            yield name, measurement
            if name == "differing":
                raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(runner, "measure", interrupted)
        assert "interrupted; the same command goes on from here" in program(status=130)
    profile = parse((program.folder / "this-machine.json").read_bytes())
    assert not profile.complete
    assert profile.measurements["differing"].status == "failed"
    out = program()
    assert "Going on with an interrupted run: 1 of 3 benchmarks are left." in out
    assert "differing   " not in out
    profile = parse((program.folder / "this-machine.json").read_bytes())
    assert profile.complete
    assert set(profile.measurements) == {"sleeping", "differing", "needy"}


def test_a_profile_is_checked_against_this_machine(program: Program) -> None:
    program("--check", status=2)
    program("--only", "differing")
    assert program("--check") == "The profile this-machine is of this machine.\n"
    path = program.folder / "this-machine.json"
    data = json.loads(path.read_text())
    data["machine"]["cpu"]["model"] = "Something Else"
    path.write_text(json.dumps(data))
    assert program("--check", status=1).startswith("cpu.model: Something Else in the profile, ")


def test_two_profiles_are_compared_size_by_size(program: Program) -> None:
    data = json.loads(json.dumps(PLAIN))
    first, second = program.folder / "a.json", program.folder / "b.json"
    first.write_text(json.dumps(data))
    data["name"] = "other-vm"
    data["measurements"]["scalar-readback"]["points"][0]["ratio"] = 80.0
    second.write_text(json.dumps(data))
    lines = program("--compare", str(first), str(second)).splitlines()
    assert lines[0].split() == ["some-vm", "other-vm"]
    assert lines[1].split() == ["pinned-transfer", "not-applicable", "not-applicable"]
    assert lines[2].split() == ["scalar-readback", "at", "64", "about", "40x", "about", "80x", "!"]


def test_benchmarks_are_listed_without_measuring(program: Program) -> None:
    lines = program("--list").splitlines()
    assert lines[0] == "calibration"
    assert [line.split()[:2] for line in lines[1:3]] == [["sleeping", "cpu"], ["differing", "cpu"]]
    assert list(program.folder.iterdir()) == []
