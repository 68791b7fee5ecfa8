"""The command line run in this process, and as a real one, with an engine that follows a script."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.command import scripted

PROGRAM = Path(__file__).with_name("program.py")


class Result(NamedTuple):
    status: int
    out: str
    err: str


class Call(NamedTuple):
    paths: list[Path]
    options: Any
    overlay: dict[Path, bytes]


class CommandLine:
    """``cli("check", ".")`` runs it; ``report`` is what the engine will answer, ``calls`` what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.report = scripted.report()
        self.failure: Exception | None = None
        self.calls: list[Call] = []
        self.capsys = capsys
        scripted.install(self._check, monkeypatch.setattr)

    def _check(self, paths: Any, options: Any, *, overlay: Any = None, progress: Any = None) -> Any:
        self.calls.append(Call(list(paths), options, overlay))
        if self.failure is not None:
            raise self.failure
        return self.report

    def __call__(self, *argv: object) -> Result:
        from mlsys_advise.command.dispatch import run

        status = run([str(word) for word in argv])
        captured = self.capsys.readouterr()
        return Result(status, captured.out, captured.err)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with one file."""
    (tmp_path / "train.py").write_text("for batch in loader:\n    gc.collect()\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def start(project: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program as a process: ``start("many", "--quiet", ".", stdout=PIPE)``. It ends with the test."""
    with contextlib.ExitStack() as processes:

        def started(scenario: str, *argv: str, environment: dict[str, str] | None = None, **rest: Any) -> Any:
            command = [sys.executable, str(PROGRAM), scenario, *argv]
            variables = os.environ | (environment or {})
            process = processes.enter_context(subprocess.Popen(command, cwd=project, text=True, env=variables, **rest))
            processes.callback(process.kill)
            return process

        yield started
