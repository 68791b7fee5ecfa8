"""``--changed-since``: findings of a change alone, on its lines and elsewhere, read from git without touching it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlsys_advise.changed_lines import changed_lines, origins
from tests.advised import TRAIN, Advised, advised
from tests.repository import commit, git

__all__ = ["advised"]

COLD = """\
import gc


def tidy():
    gc.collect()
"""
CALLS = """\
from torch.utils.data import DataLoader

from tidying import tidy


def train(model, dataset, optimizer):
    for images, labels in DataLoader(dataset, batch_size=64):
        model(images).backward()
        optimizer.step()
"""


def since(advised: Advised, revision: str, *argv: str) -> list[tuple[str, int, str]]:
    return advised.findings("--changed-since", revision, *(argv or (".",)))


def test_only_findings_on_changed_lines_are_reported(advised: Advised) -> None:
    advised.write({"old.py": TRAIN})
    commit(advised.folder)
    assert since(advised, "HEAD") == []
    advised.write({"new.py": TRAIN, "old.py": "import os\n" + TRAIN})
    assert since(advised, "HEAD") == [("new.py", 12, "MLS401")]
    commit(advised.folder)
    assert since(advised, "HEAD") == []
    assert since(advised, "HEAD~1") == [("new.py", 12, "MLS401")]


def test_a_line_that_was_touched_is_reported_though_it_was_found_before(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    commit(advised.folder)
    advised.write({"train.py": TRAIN.replace("gc.collect()", "gc.collect()  # why?")})
    assert since(advised, "HEAD") == [("train.py", 12, "MLS401")]


def test_what_a_change_causes_elsewhere_is_reported_and_marked(advised: Advised) -> None:
    advised.write({"tidying.py": COLD, "train.py": CALLS})
    commit(advised.folder)
    assert advised.findings() == []
    advised.write({"train.py": CALLS + "        tidy()\n"})
    assert since(advised, "HEAD") == [("tidying.py", 5, "MLS401")]
    result = advised("--no-cache", "--changed-since", "HEAD", "--output-format", "concise", ".")
    assert "(this line has not changed since HEAD: the change that causes this is elsewhere)" in result.out
    assert result.status == 1


def test_a_new_copy_does_not_stand_in_for_the_old_one(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    commit(advised.folder)
    advised.write({"train.py": TRAIN.replace("        loss =", "        gc.collect()\n        loss =")})
    result = advised("--no-cache", "--changed-since", "HEAD", "--output-format", "concise", ".")
    assert result.out.count("MLS401") == 1
    assert "train.py:9:" in result.out
    assert "has not changed" not in result.out


def test_a_renamed_file_has_not_changed(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    commit(advised.folder)
    git(advised.folder, "mv", "train.py", "loop.py")
    assert since(advised, "HEAD") == []
    advised.write({"loop.py": TRAIN + "\n\ndef more():\n    pass\n"})
    assert since(advised, "HEAD") == []


def test_a_branch_is_compared_with_where_it_left_the_other(advised: Advised) -> None:
    advised.write({"a.py": COLD})
    commit(advised.folder)
    git(advised.folder, "checkout", "-q", "-b", "feature")
    advised.write({"mine.py": TRAIN})
    commit(advised.folder)
    git(advised.folder, "checkout", "-q", "main")
    advised.write({"theirs.py": TRAIN})
    commit(advised.folder)
    git(advised.folder, "checkout", "-q", "feature")
    assert since(advised, "main") == [("mine.py", 12, "MLS401")]


def test_in_a_notebook_cells_may_move(advised: Advised) -> None:
    import json

    def written(*cells: str) -> str:
        content = [{"cell_type": "code", "source": cell, "metadata": {}} for cell in cells]
        return json.dumps({"cells": content, "metadata": {}, "nbformat": 4})

    head, _, tail = TRAIN.partition("\n\n\n")
    advised.write({"x.ipynb": written(head, tail)})
    commit(advised.folder)
    advised.write({"x.ipynb": written("a = 1", head, tail)})
    assert since(advised, "HEAD") == []
    advised.write({"x.ipynb": written(head, tail.replace("gc.collect()", "gc.collect()  # now"))})
    assert [code for _, _, code in since(advised, "HEAD")] == ["MLS401"]


def test_a_comment_that_was_removed_brings_its_finding_back(advised: Advised) -> None:
    text = TRAIN.replace("def train", "# mlsys: ignore[MLS401]\ndef train")
    advised.write({"train.py": text})
    commit(advised.folder)
    assert since(advised, "HEAD") == []
    advised.write({"train.py": TRAIN})
    assert since(advised, "HEAD") == [("train.py", 12, "MLS401")]


def test_a_project_below_the_root_of_the_repository(advised: Advised) -> None:
    advised.write({"sub/mlsys-advise.toml": "", "sub/train.py": TRAIN, "sub/a b.py": COLD})
    commit(advised.folder)
    advised.write({"sub/new.py": TRAIN})
    assert since(advised, "HEAD") == [("new.py", 12, "MLS401")]
    assert since(advised, "HEAD", "sub/train.py") == []


def test_neither_work_tree_nor_repository_is_written(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    commit(advised.folder)
    advised.write({"new.py": TRAIN})

    def state() -> dict[str, tuple[int, int]]:
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(advised.folder.rglob("*"))}

    before = state()
    assert since(advised, "HEAD") != []
    assert state() == before


def test_nothing_that_the_repository_configures_runs(advised: Advised, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o755)
    advised.write({"train.py": TRAIN, ".gitattributes": "*.py filter=trap diff=trap\n", "git": trap.read_text()})
    (advised.folder / "git").chmod(0o755)
    commit(advised.folder)
    for key in ("core.fsmonitor", "filter.trap.clean", "filter.trap.smudge", "diff.trap.textconv", "diff.external"):
        git(advised.folder, "config", key, str(trap))
    git(advised.folder, "config", "core.hooksPath", str(tmp_path))
    advised.write({"new.py": TRAIN})
    assert since(advised, "HEAD") == [("new.py", 12, "MLS401")]
    assert not (tmp_path / "sprung").exists()


def test_git_is_not_taken_from_the_folder_that_is_read(advised: Advised, monkeypatch: pytest.MonkeyPatch) -> None:
    advised.write({"train.py": TRAIN})
    commit(advised.folder)
    advised.write({"git": "#!/bin/sh\nexit 0\n"})
    (advised.folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", str(advised.folder), os.environ["PATH"]]))
    assert since(advised, "HEAD") == []


@pytest.mark.parametrize("revision", ["gone", "--help", ""])
def test_a_revision_that_there_is_not(advised: Advised, revision: str) -> None:
    advised.write({"train.py": TRAIN})
    commit(advised.folder)
    result = advised("--no-cache", f"--changed-since={revision}", ".")
    if revision:
        assert (result.status, result.err.count("\n")) == (2, 1)
        assert f"there is no revision {revision}" in result.err
    else:
        assert result.status == 1


def test_outside_a_repository(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    result = advised("--no-cache", "--changed-since", "HEAD", ".")
    assert result.status == 2
    assert "needs a git repository" in result.err


def test_cold_and_warm_agree_and_the_run_after_it_too(advised: Advised) -> None:
    advised.write({"tidying.py": COLD, "train.py": CALLS})
    commit(advised.folder)
    advised.write({"train.py": CALLS + "        tidy()\n"})
    every = advised.findings()
    found = since(advised, "HEAD")
    assert since(advised, "HEAD") == found
    assert advised.findings() == every
    result = advised("--no-cache", "--changed-since", "HEAD", "--output-format", "json", ".")
    assert result.findings == found


# -- changed lines


def test_changed_lines() -> None:
    assert changed_lines(["a", "b", "c"], ["a", "x", "c", "d"]) == {2, 4}
    assert changed_lines(["a", "b"], ["b"]) == set()
    assert changed_lines([], ["a"]) == {1}


def test_texts_too_different_to_compare_change_as_a_whole() -> None:
    many = [str(number) for number in range(6000)]
    assert changed_lines(["x", *many, "y"], ["x", *reversed(many), "y"]) == set(range(2, 6002))


def test_a_renamed_and_edited_file_comes_from_what_it_is_most_like() -> None:
    before = {"a.py": b"1\n2\n3\n4\n", "b.py": b"5\n6\n7\n8\n", "c.txt": b"5\n6\n7\n9\n"}
    after = {"d.py": b"5\n6\n7\n9\n", "e.py": b"0\n"}
    assert origins(before, after) == {"d.py": "b.py"}
