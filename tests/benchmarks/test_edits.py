"""The random edits do what they say, so that a benchmark that made a thousand of them made a thousand changes."""

from __future__ import annotations

import ast
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import edits
from benchmarks.edits import Workspace

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

SOURCE = '''\
from __future__ import annotations

import json
from pathlib import Path


@decorated
def read(path: Path) -> dict:
    """Reads one."""
    text = path.read_text()
    return json.loads(text)


class Store:
    def get(self, key):
        if key:
            return read(key)
        return None
'''


@pytest.mark.parametrize(
    "change",
    [
        edits.delete_statement,
        edits.move_statement,
        edits.rename_definition,
        edits.edit_body,
        edits.edit_signature,
        edits.edit_import,
        edits.break_line,
    ],
)
@pytest.mark.parametrize("seed", range(20))
def test_an_edit_that_says_so_changed_the_text(
    change: Callable[[list[str], random.Random], str | None], seed: int
) -> None:
    lines = SOURCE.splitlines(keepends=True)
    done = change(lines, random.Random(seed))
    assert (done is not None) == ("".join(lines) != SOURCE)


@pytest.mark.parametrize("change", [edits.edit_body, edits.edit_signature, edits.edit_import])
@pytest.mark.parametrize("seed", range(20))
def test_what_warm_runs_are_measured_on_still_parses(
    change: Callable[[list[str], random.Random], str | None], seed: int
) -> None:
    lines = SOURCE.splitlines(keepends=True)
    change(lines, random.Random(seed))
    ast.parse("".join(lines))


def test_a_decorator_goes_with_its_function() -> None:
    tree = ast.parse(SOURCE)
    assert edits.extent(tree.body[3]) == slice(6, 11)


def test_the_same_seed_makes_the_same_edits(tmp_path: Path) -> None:
    histories = []
    for name in ("one", "two"):
        workspace = Workspace(shutil.copytree(EXAMPLES, tmp_path / name), seed=3)
        histories.append([workspace.edit() for _ in range(40)])
    assert histories[0] == histories[1]


def test_restoring_brings_every_file_back(tmp_path: Path) -> None:
    project = shutil.copytree(EXAMPLES, tmp_path / "project")
    workspace = Workspace(project, seed=1)
    for _ in range(60):
        workspace.edit()
    workspace.restore()
    assert _texts(project) == _texts(EXAMPLES)


def _texts(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
