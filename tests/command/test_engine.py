"""The command line and the real engine together, on real files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import sysconfig
import time
from contextlib import closing
from pathlib import Path
from subprocess import PIPE

import pytest

SCRIPT = [sys.executable, "-P", "-m", "mlsys_advise"]

TRAIN = """\
import gc

import torch
from torch.utils.data import DataLoader


def train(model, dataset, optimizer):
    for images, labels in DataLoader(dataset, batch_size=64):
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        gc.collect()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlsys-advise.toml").touch()
    (folder / "train.py").write_text(TRAIN)
    return folder


def advise(folder: Path, *argv: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [*SCRIPT, *argv]
    return subprocess.run(command, cwd=folder, input=given, capture_output=True, text=True, timeout=300, check=False)


def test_a_finding_is_reported_with_the_path_of_its_heat(project: Path) -> None:
    done = advise(project, "--no-cache", "--select", "MLS401", ".")
    assert (done.returncode, done.stderr) == (1, "")
    assert "warning[MLS401]: gc.collect() " in done.stdout
    assert "  --> train.py:12:9\n" in done.stdout
    assert "12 |         gc.collect()\n   |         ^^^^^^^^^^^^\n" in done.stdout
    assert "   = heat: training step" in done.stdout
    assert "           train.py:8: " in done.stdout


def test_standard_input_stands_for_the_file_it_is_named_after(project: Path) -> None:
    options = ("--no-cache", "--select", "MLS401")
    named = advise(project, *options, "--stdin-filename", "train.py", "-", given=TRAIN)
    assert named.stdout == advise(project, *options, "train.py").stdout
    edited = advise(project, *options, "--stdin-filename", "train.py", "-", given=TRAIN.replace("gc.collect()", "pass"))
    assert (edited.returncode, edited.stdout) == (0, "No findings in 1 file.\n")


def test_standard_input_without_a_name_is_python(project: Path) -> None:
    done = advise(project, "--no-cache", "--select", "MLS401", "-", given=TRAIN)
    assert done.returncode == 1
    assert "--> stdin.py:12:9" in done.stdout


def test_the_formats_agree(project: Path) -> None:
    options = ("--no-cache", "--select", "MLS401", ".")
    (found,) = json.loads(advise(project, "--output-format", "json", *options).stdout)
    concise = advise(project, "--output-format", "concise", *options).stdout.splitlines()
    assert found["filename"] == str(project / "train.py")
    assert found["location"] == {"row": 12, "column": 9}
    assert {"context": "training", "frequency": "step"} in found["heat"]
    assert found["heat_path"][0]["filename"] == str(project / "train.py")
    assert concise[0] == f"train.py:12:9: warning[MLS401] {found['message']}"
    assert concise[1] == "Found 1 finding (1 warning) in 1 file."


def test_the_cache_changes_nothing_that_is_printed(project: Path, tmp_path: Path) -> None:
    options = ("--cache-dir", str(tmp_path / "kept"), "-v", ".")
    first, second = advise(project, *options), advise(project, *options)
    assert (second.stdout, second.stderr, second.returncode) == (first.stdout, first.stderr, first.returncode)
    assert first.stdout == advise(project, "--no-cache", "-v", ".").stdout
    assert list((tmp_path / "kept").glob("*.sqlite3"))


def test_a_cache_that_cannot_be_kept_is_a_notice(project: Path) -> None:
    done = advise(project, "--cache-dir", "train.py/below", "--select", "MLS401", ".")
    assert done.returncode == 1
    assert "note: train.py/below: nothing is cached: " in done.stderr.replace("\\", "/")
    assert "MLS401" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_loses_nothing_that_was_done(tmp_path: Path) -> None:
    """The files that had been read when the user lost patience are not read again."""
    folder, kept = tmp_path / "project", tmp_path / "kept"
    library = Path(sysconfig.get_path("stdlib"))
    for name in ("asyncio", "email", "unittest", "xml"):
        shutil.copytree(library / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "mlsys-advise.toml").touch()
    options = ["-j", "2", "--cache-dir", str(kept), "--select", "MLS401", "."]
    run = subprocess.Popen([*SCRIPT, *options], cwd=folder, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 120
    while _stored(kept) < 10 and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    begin = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert time.monotonic() - begin < 5
    assert (run.returncode, errors) == (130, "mlsys-advise: interrupted\n")
    stored = _stored(kept)
    assert stored >= 10
    again = advise(folder, *options)
    assert again.stdout == advise(folder, "-j", "1", "--no-cache", *options[4:]).stdout
    assert _stored(kept) > stored


def _stored(folder: Path) -> int:
    try:
        (path,) = folder.glob("*.sqlite3")
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("SELECT count(*) FROM entry").fetchone()[0])
    except (ValueError, sqlite3.Error):
        return 0


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_warnings_of_the_code_that_is_read_stay_there(project: Path, jobs: str) -> None:
    line = 'x = "\\d" is 1  # an invalid escape and a literal compared by identity\n'
    for number in range(8):
        (project / f"warned_{number}.py").write_text(line + "# padding\n" * 40_000)
    done = advise(project, "--no-cache", "-j", jobs, "--select", "MLS401", ".")
    assert done.stderr == ""
    assert done.returncode == 1


def test_the_readme_shows_what_is_printed() -> None:
    repository = Path(__file__).resolve().parents[2]
    readme = (repository / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("$ mlsys-advise --select MLS401 examples\n")[2].partition("\n\n")[0]
    printed = advise(repository, "--no-cache", "-q", "--select", "MLS401", "examples").stdout.rstrip("\n")
    assert [line.removeprefix("    ") for line in shown.splitlines()] == printed.splitlines()
