"""The same findings for the same text, however they are asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import surfaces
from mlsys_advise import engine
from mlsys_advise.project.discovery import Settings, discover

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples")) / "vision"


@pytest.mark.parametrize("ruff", [False, True])
def test_all_surfaces_agree_on_the_examples(project: Path, ruff: bool) -> None:
    files = list(discover([project], Settings()).files)
    assert len(files) > 15
    assert list(surfaces.compare(project, files, ruff=ruff)) == []


def test_a_surface_that_knows_less_is_noticed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = engine.check

    def forgetful(paths: list[Path], options: engine.Options, **rest: object) -> engine.Report:
        alone = paths and paths[0].is_file()
        return engine.Report() if alone else check(paths, options, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "check", forgetful)
    found = list(surfaces.compare(project, [project / "leaves" / "housekeeping.py"]))
    assert {disagreement.surface for disagreement in found} == {"hook", "one file", "standard input"}
    assert all(disagreement.only_tree for disagreement in found)
