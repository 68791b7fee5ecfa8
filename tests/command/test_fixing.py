"""``--fix`` and ``--diff`` with the real engine: files, notebooks, standard input, statuses, and a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = [sys.executable, "-P", "-m", "mlsys_advise", "--no-cache", "--select", "MLS401,MLS101,MLS103"]

TRAIN = """\
import gc

import torch
from torch.utils.data import DataLoader


def train(model, dataset, optimizer):
    for images, labels in DataLoader(dataset, batch_size=64):
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        gc.collect()  # free what is left
"""
FIXED = TRAIN.replace("        gc.collect()  # free what is left\n", "")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlsys-advise.toml").touch()
    (folder / "train.py").write_text(TRAIN, newline="")
    return folder


def advise(folder: Path, *argv: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [*SCRIPT, *argv]
    return subprocess.run(command, cwd=folder, input=given, capture_output=True, text=True, timeout=300, check=False)


def test_a_suggested_fix_waits_for_the_users_word(project: Path) -> None:
    done = advise(project, "--fix", ".")
    assert (project / "train.py").read_text() == TRAIN
    assert done.returncode == 1
    assert "Fixed 0 findings in 0 files.\n1 more can be fixed with --unsafe-fixes.\n" in done.stderr


def test_what_is_fixed_is_gone_and_what_remains_is_reported(project: Path) -> None:
    done = advise(project, "--fix", "--unsafe-fixes", "--show-fixes", ".")
    assert (project / "train.py").read_text() == FIXED
    assert (done.returncode, done.stdout) == (0, "No findings in 1 file.\n")
    assert done.stderr == ("train.py:\n  1 of MLS401 (gc-collect-in-hot-path)\nFixed 1 finding in 1 file.\n")
    assert sorted(path.name for path in project.iterdir()) == ["mlsys-advise.toml", "train.py"]


def test_a_diff_is_printed_and_nothing_is_changed(project: Path) -> None:
    done = advise(project, "--diff", "--unsafe-fixes", ".")
    assert (project / "train.py").read_text() == TRAIN
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == ["--- train.py", "+++ train.py"]
    assert "-        gc.collect()  # free what is left" in done.stdout.splitlines()
    assert advise(project, "--diff", ".").returncode == 0


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_diff_is_what_patch_applies(project: Path, end: str) -> None:
    (project / "train.py").write_text(TRAIN.rstrip() + end)
    changes = advise(project, "--diff", "--unsafe-fixes", ".").stdout
    applied = subprocess.run(["git", "apply", "-p0", "-"], cwd=project, input=changes, text=True, check=False)
    assert applied.returncode == 0
    assert (project / "train.py").read_text().rstrip() == FIXED.rstrip()


def test_fix_only_is_silent_about_the_rest(project: Path) -> None:
    (project / "other.py").write_text(TRAIN.replace("gc.collect()", "gc.collect(2)"))
    done = advise(project, "--fix-only", ".")
    assert (done.returncode, done.stdout) == (0, "")
    done = advise(project, "--fix-only", "--unsafe-fixes", "--exit-non-zero-on-fix", ".")
    assert (done.returncode, done.stdout) == (1, "")


def test_standard_input_comes_out_fixed(project: Path) -> None:
    done = advise(project, "--fix", "--unsafe-fixes", "--stdin-filename", "train.py", "-", given=TRAIN)
    assert done.stdout == FIXED
    assert (project / "train.py").read_text() == TRAIN


def test_a_notebook_is_fixed_in_its_cell(project: Path) -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# title"]},
        {"cell_type": "code", "metadata": {"a": 1.50}, "outputs": [{"x": "y"}], "source": TRAIN.splitlines(True)},
    ]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"
    (project / "a.ipynb").write_text(text)
    done = advise(project, "--fix", "--unsafe-fixes", "a.ipynb")
    assert done.returncode == 0
    line = '    "        gc.collect()  # free what is left\\n"\n'
    assert (project / "a.ipynb").read_text() == text.replace(",\n" + line, "\n")


def test_a_file_that_cannot_be_written_is_an_error_of_one_line(project: Path) -> None:
    if os.name == "nt" or os.geteuid() == 0:
        pytest.skip("folders are never read-only here")
    project.chmod(0o555)
    done = advise(project, "--fix", "--unsafe-fixes", ".")
    project.chmod(0o755)
    assert done.returncode == 2
    assert done.stderr.startswith("mlsys-advise: cannot write to train.py: ")


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX has them")
def test_a_kill_leaves_each_file_old_or_new(project: Path) -> None:
    for number in range(30):
        (project / f"train{number}.py").write_text(TRAIN)
    child = subprocess.Popen([*SCRIPT, "--fix", "--unsafe-fixes", "-q", "."], cwd=project, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while all(path.read_text() == TRAIN for path in project.glob("train*.py")) and time.monotonic() < end:
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert {path.read_text() for path in project.glob("train*.py")} <= {TRAIN, FIXED}
    assert advise(project, "--fix", "--unsafe-fixes", ".").returncode == 0
    assert {path.read_text() for path in project.glob("train*.py")} == {FIXED}
    assert not [path for path in project.iterdir() if path.suffix not in (".py", ".toml")]
