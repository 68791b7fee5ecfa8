"""The program run in this process with the real engine, on a project that a test writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mlsys_advise.project import layout

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
#: The line of ``TRAIN`` on which MLS401 reports.
COLLECT = 12


class Result(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def findings(self) -> list[tuple[str, int, str]]:
        """Name of the file, line and code of each finding of JSON output."""
        found: list[dict[str, Any]] = json.loads(self.out)
        return [(Path(one["filename"]).name, one["location"]["row"], one["code"]) for one in found]


class Advised:
    """``advised("check", ".")`` runs it in ``folder``, with a cache of the test's own."""

    def __init__(self, folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.cache = cache
        self.capsys = capsys

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")

    def __call__(self, *argv: object) -> Result:
        from mlsys_advise.command.dispatch import run

        layout.forget()
        status = run([str(word) for word in argv])
        captured = self.capsys.readouterr()
        return Result(int(status), captured.out, captured.err)

    def findings(self, *argv: object) -> list[tuple[str, int, str]]:
        """What is found; cached results are used and kept."""
        options = ("--jobs", "1", "--cache-dir", self.cache, "--output-format", "json")
        result = self(*(argv or (".",)), *options)
        assert result.status in (0, 1), result.err
        return result.findings


@pytest.fixture
def advised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Advised]:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "mlsys-advise.toml").touch()
    yield Advised(folder, tmp_path / "cache", capsys)
    layout.forget()
