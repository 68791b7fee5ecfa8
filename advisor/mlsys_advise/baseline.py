"""The file of accepted findings: a project starts with what it has, and hears only of what is new.

The file is JSON with one finding to a line, sorted, without positions, so that it changes only when findings come or
go, and two branches that change it can be merged. Paths are relative to its folder.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from mlsys_advise.accepted import Known
from mlsys_advise.finding import Notice
from mlsys_advise.languages.source import read
from mlsys_advise.usage import FileError, UsageError

VERSION = 1
_LIMIT = 64 << 20


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    code: str
    fingerprint: str
    count: int = 1


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    findings: list[_Entry] = []


def load(file: Path) -> Counter[Known]:
    """The findings of a baseline, with absolute paths.

    Raises FileError if it cannot be read.
    """
    data = read(file, _LIMIT)
    if isinstance(data, Notice):
        raise FileError(file, 1, 1, data.message.removesuffix(": skipped"))
    try:
        content = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileError(file, *_place_of_error(data), f"is not a baseline: {error}") from None
    if content.version != VERSION:
        raise FileError(file, 1, 1, f"is a baseline of version {content.version}; this is version {VERSION}")
    folder = file.absolute().parent
    found: Counter[Known] = Counter()
    for entry in content.findings:
        path = Path(os.path.normpath(folder / entry.path)).as_posix()
        found[path, entry.code, entry.fingerprint] += max(entry.count, 0)
    return found


def write(file: Path, findings: Counter[Known]) -> None:
    """Replace the file, at once or not at all.

    Raises UsageError if it cannot be written.
    """
    folder = file.absolute().parent
    lines = [
        json.dumps({"path": path, "code": code, "fingerprint": digest} | ({"count": count} if count > 1 else {}))
        for (path, code, digest), count in sorted(_relative(findings, folder))
    ]
    text = '{"version": %d, "findings": [%s\n]}\n' % (VERSION, ",".join(f"\n{line}" for line in lines))  # noqa: UP031
    partial = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UsageError(f"cannot write the baseline {file}: {error.strerror}") from None


def described(gone: Iterable[Known], folder: Path) -> str:
    """``MLS401 in a.py, b.py``: what a baseline in ``folder`` names and nobody finds any more."""
    paths: dict[str, list[str]] = {}
    for path, code, _ in sorted(gone):
        shown = _from(path, folder)
        if shown not in paths.setdefault(code, []):
            paths[code].append(shown)
    parts = []
    for code, where in sorted(paths.items()):
        more = f" and {len(where) - 2} other files" if len(where) > 3 else ""
        parts.append(f"{code} in {', '.join(where[:2] if more else where)}{more}")
    return ", ".join(parts)


def _relative(findings: Counter[Known], folder: Path) -> list[tuple[Known, int]]:
    return [((_from(path, folder), code, digest), count) for (path, code, digest), count in findings.items() if count]


def _from(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path


def _place_of_error(data: bytes) -> tuple[int, int]:
    """Line and column at which the text stops being JSON; the beginning where it is JSON of another shape."""
    try:
        json.loads(data)
    except json.JSONDecodeError as error:
        return error.lineno, error.colno
    except (UnicodeDecodeError, RecursionError):
        pass
    return 1, 1
