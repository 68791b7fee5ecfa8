"""A warm run tells what a cold run tells, after whatever was edited in between.

The large version of this test, on real code, is ``python -m benchmarks.freshness``.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from benchmarks.edits import Workspace
from benchmarks.process import advise

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
EDITS = 8


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shutil.copytree(EXAMPLES / "vision", tmp_path / "project")


@pytest.mark.parametrize("seed", range(2))
def test_warm_equals_cold_after_each_edit(project: Path, tmp_path: Path, seed: int) -> None:
    cache = tmp_path / "cache"
    advise(project, cache=cache, folder=project)
    workspace = Workspace(project, seed)
    for _ in range(EDITS):
        done = workspace.edit()
        warm = advise(project, cache=cache, folder=project).output
        cold = advise(project, folder=project).output
        assert warm == cold, done


def test_undone_edits_leave_no_trace(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    before = advise(project, cache=cache, folder=project).output
    workspace = Workspace(project, seed=0)
    for _ in range(EDITS):
        workspace.edit()
    assert advise(project, cache=cache, folder=project).output != before
    workspace.restore()
    assert advise(project, cache=cache, folder=project).output == before


def test_workers_and_order_change_nothing(project: Path) -> None:
    one = advise(project, folder=project).output
    files = sorted(file for file in project.rglob("*") if file.is_file())
    random.Random(0).shuffle(files)
    assert advise(project, jobs=2, folder=project).output == one
    assert advise(project, jobs=4, folder=project).output == one
    assert advise(*files, folder=project).output == one
