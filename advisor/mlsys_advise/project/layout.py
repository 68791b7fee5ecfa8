"""Where a project ends and what its modules are called; a property of each file, never of the arguments of a run."""

from __future__ import annotations

import functools
import os
import posixpath
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

#: A file of this name marks a project root.
SETTINGS = "mlsys-advise.toml"
_TABLE = b"mlsys-advise"


def project_root(path: Path, isolated: bool = False) -> Path:
    """The root of the project that a file belongs to.

    The nearest folder with settings of ours, else the root of its repository, else the nearest folder with a
    ``pyproject.toml``, else its own folder. ``isolated`` ignores settings.
    """
    folder = path if path.is_dir() else path.parent
    return _root(os.path.realpath(folder), isolated)


@functools.lru_cache(maxsize=65536)
def _root(folder: str, isolated: bool) -> Path:
    start = Path(folder)
    outwards = [start, *start.parents]
    if not isolated:
        for around in outwards:
            if _has_settings(str(around)):
                return around
    for around in outwards:
        if _exists(str(around / ".git")):
            return around
    for around in outwards:
        if _exists(str(around / "pyproject.toml")):
            return around
    return start


@functools.lru_cache(maxsize=65536)
def _exists(path: str) -> bool:
    return os.path.lexists(path)


@functools.lru_cache(maxsize=65536)
def _has_settings(folder: str) -> bool:
    if Path(folder, SETTINGS).is_file():
        return True
    try:
        data = Path(folder, "pyproject.toml").read_bytes()
    except OSError:
        return False
    if _TABLE not in data:
        return False
    try:
        return "mlsys-advise" in tomllib.loads(data.decode("utf-8", "replace")).get("tool", {})
    except (tomllib.TOMLDecodeError, AttributeError):
        return False


def forget() -> None:
    """Look at the file system afresh: for long-lived processes and tests."""
    _root.cache_clear()
    _exists.cache_clear()
    _has_settings.cache_clear()


def module_table(paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The dotted names under which other files may import each Python file, shortest first.

    A name starts at any folder that is not a package, since a script may run from there; packages stay whole. The
    full path is always among the names.
    """
    packages = _packages(paths)
    table: dict[str, tuple[str, ...]] = {}
    starts: dict[str, list[int]] = {}
    for path in paths:
        if not path.endswith((".py", ".pyw", ".ipynb")):
            continue
        folder, _, base = path.rpartition("/")
        parts = folder.split("/") if folder else []
        stem = base.rpartition(".")[0]
        names = parts if stem == "__init__" else [*parts, stem]
        if not names:
            continue
        offsets = starts.get(folder)
        if offsets is None:
            offsets = starts[folder] = [
                depth for depth in range(len(parts), -1, -1) if "/".join(parts[:depth]) not in packages
            ]
        found = [".".join(names[depth:]) for depth in offsets if depth < len(names)]
        full = ".".join(names)
        if full not in found:
            found.append(full)
        table[path] = tuple(found)
    return table


def _packages(paths: Iterable[str]) -> frozenset[str]:
    return frozenset(posixpath.dirname(path) for path in paths if path.endswith("/__init__.py"))
