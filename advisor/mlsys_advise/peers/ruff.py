"""Running ruff: the installed module's binary, once over all files, with our selection and nobody's settings.

It never runs a ruff that the project brings, reads no settings of the project, and writes nothing. Ruff can die on
input that we survive; then there is a reason instead of findings.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import os
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import msgspec

from mlsys_advise.span import Span
from mlsys_advise.usage import UsageError

#: Seconds: ruff reads 100,000 lines in less than one.
_LIMIT = 300


class RuffError(Exception):
    """Ruff has not answered; the message says why, in one line."""


class Said(msgspec.Struct, frozen=True, array_like=True):
    """One finding of ruff's."""

    code: str
    message: str
    span: Span


class _Position(msgspec.Struct, frozen=True):
    row: int
    column: int


class _Reported(msgspec.Struct, frozen=True):
    filename: str
    message: str
    location: _Position
    end_location: _Position
    code: str | None = None
    cell: int | None = None


@functools.lru_cache(maxsize=1)
def binary() -> str:
    """The absolute path of the binary that the installed module ``ruff`` brings.

    Raises UsageError if there is none.
    """
    try:
        found: str = importlib.import_module("ruff").find_ruff_bin()
    except (ImportError, FileNotFoundError):
        raise UsageError("--ruff needs ruff in the same environment: pip install 'mlsys-advise[ruff]'") from None
    return found


@functools.lru_cache(maxsize=1)
def version() -> str:
    return importlib.metadata.version("ruff")


def findings(files: Collection[Path], codes: Iterable[str]) -> dict[Path, list[Said]]:
    """What ruff says of files on the disk, by their paths, which are absolute.

    Raises RuffError.
    """
    listed = [path for path in map(os.fspath, files) if "\n" not in path and "\r" not in path]
    if not listed:
        return {}
    with tempfile.TemporaryDirectory(prefix="mlsys-advise-") as folder:
        arguments = Path(folder) / "files.txt"  # a command line has no room for thousands of names
        arguments.write_text("\n".join(listed), encoding="utf-8", errors="surrogateescape")
        output = _output([*_check(codes), f"@{arguments}"], folder)
    found: dict[Path, list[Said]] = {}
    for path, said in _read(output):
        found.setdefault(path, []).append(said)
    return found


def findings_in(content: bytes, name: Path, codes: Iterable[str]) -> list[Said]:
    """What ruff says of a text that stands for the file ``name``. Raises RuffError."""
    with tempfile.TemporaryDirectory(prefix="mlsys-advise-") as folder:
        output = _output([*_check(codes), "--stdin-filename", os.fspath(name), "-"], folder, content)
    return [said for _, said in _read(output)]


def settings_of(file: Path) -> str:
    """The settings that ruff would use for a file, as it prints them. Raises RuffError."""
    return _output(["check", "--no-cache", "--show-settings", os.fspath(file)], os.fspath(file.parent)).decode(
        "utf-8", "replace"
    )


def _check(codes: Iterable[str]) -> list[str]:
    selected = ",".join(sorted(codes))
    return ["check", "--isolated", "--no-cache", "--no-fix", "--output-format", "json", "--select", selected]


def _output(arguments: Sequence[str], folder: str, content: bytes = b"") -> bytes:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}
    try:
        ended = subprocess.run(
            [binary(), *arguments],
            input=content,
            capture_output=True,
            cwd=folder,
            env=variables,
            timeout=_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuffError(f"ruff {version()} did not answer ({type(error).__name__})") from None
    if ended.returncode not in (0, 1):
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines() or [""]
        raise RuffError(f"ruff {version()} ended with status {ended.returncode} ({said[-1].strip()})")
    return ended.stdout


def _read(output: bytes) -> Iterable[tuple[Path, Said]]:
    try:
        reported = msgspec.json.decode(output, type=list[_Reported])
    except msgspec.MsgspecError as error:
        raise RuffError(f"the output of ruff {version()} cannot be read ({error})") from None
    for entry in reported:
        if entry.code is not None:  # a syntax error has none
            begin, end = entry.location, entry.end_location
            span = Span(begin.row, begin.column, end.row, end.column, entry.cell or 0)
            yield Path(entry.filename), Said(entry.code, entry.message, span)
