"""Where a project ends and what its modules are called.

Invariant: both are properties of the file and of the folders around it, never of the arguments of a run or of the
current directory.
"""

from __future__ import annotations

import functools
import keyword
import os
import posixpath
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlsys_advise.finding import Notice
from mlsys_advise.languages.source import read
from mlsys_advise.project.repository import is_repository

#: A file of this name marks a project root.
SETTINGS = "mlsys-advise.toml"
_TABLE = b"mlsys-advise"
#: The header of the table, or one of its keys, for a file whose TOML is broken elsewhere.
_HEADER = re.compile(rb"^[ \t]*(?:\[[ \t]*)?[\"']?tool[\"']?[ \t]*\.[ \t]*[\"']?mlsys-advise", re.MULTILINE)
_CODE = (".py", ".pyw", ".ipynb")


def project_root(path: Path, isolated: bool = False) -> Path:
    """The root of the project that a file belongs to, without links.

    The nearest folder with settings of ours, else the root of its repository, else the nearest folder with a
    ``pyproject.toml``, else its own folder. ``isolated`` ignores settings.
    """
    text = os.fspath(path)
    if not os.path.isabs(text):  # noqa: PTH117
        text = os.path.abspath(text)  # noqa: PTH100
    return _root(text if os.path.isdir(text) else os.path.dirname(text), isolated)  # noqa: PTH112, PTH120


@functools.lru_cache(maxsize=1 << 16)
def _root(folder: str, isolated: bool) -> Path:
    start = _without_links(folder)
    outwards = [start]
    while (outer := os.path.dirname(outwards[-1])) != outwards[-1]:  # noqa: PTH120
        outwards.append(outer)
    configured = None if isolated else next(filter(_has_settings, outwards), None)
    return Path(configured or next(filter(_has_git, outwards), None) or next(filter(_has_pyproject, outwards), start))


#: Real paths of folders, by their own: of the thousands of a project each is its parent's and a name.
_real: dict[str, str] = {}


def _without_links(folder: str) -> str:
    """The real path of a folder, with one look at each folder that was not looked at before."""
    inwards = [folder]
    while inwards[-1] not in _real and (outer := os.path.dirname(inwards[-1])) != inwards[-1]:  # noqa: PTH120
        inwards.append(outer)
    real = _real.get(inwards[-1], inwards[-1])
    for around in reversed(inwards):
        if around not in _real:
            is_plain = around != inwards[-1] and not os.path.islink(around)  # noqa: PTH114
            _real[around] = os.path.join(real, os.path.basename(around)) if is_plain else os.path.realpath(around)  # noqa: PTH118, PTH119
        real = _real[around]
    return real


@functools.lru_cache(maxsize=1 << 16)
def _has_git(folder: str) -> bool:
    return is_repository(folder)


@functools.lru_cache(maxsize=1 << 16)
def _has_pyproject(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, "pyproject.toml"))  # noqa: PTH113, PTH118


@functools.lru_cache(maxsize=1 << 16)
def _has_settings(folder: str) -> bool:
    if os.path.isfile(os.path.join(folder, SETTINGS)):  # noqa: PTH113, PTH118
        return True
    if not _has_pyproject(folder):
        return False
    data = read(Path(folder, "pyproject.toml"))
    if isinstance(data, Notice) or _TABLE not in data:
        return False
    tool = _toml(data).get("tool")
    return bool(_HEADER.search(data)) if tool is None else isinstance(tool, dict) and "mlsys-advise" in tool


def has_settings(folder: Path) -> bool:
    """Whether the folder holds settings of ours, be they valid or not."""
    return _has_settings(os.fspath(folder))


def _toml(data: bytes) -> dict[str, object]:
    """The content of a TOML file, nothing where it is broken."""
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError):  # also for numbers of more digits than Python converts
        return {}


def forget() -> None:
    """Look at the file system afresh: for long-lived processes and tests."""
    _real.clear()
    _root.cache_clear()
    _has_git.cache_clear()
    _has_pyproject.cache_clear()
    _has_settings.cache_clear()


def module_table(paths: Sequence[str], packages: Mapping[str, str] | None = None) -> dict[str, tuple[str, ...]]:
    """The dotted names under which other files may import each Python file or notebook, shortest first.

    A name starts at any folder that is not a package, since a script may run from there; packages stay whole. The
    full path is always among the names, because relative imports lead to it. ``packages`` are folders that the project
    itself calls by another name (see ``declared_packages``); ``paths`` are relative to the project root.
    """
    table: dict[str, tuple[str, ...]] = {}
    names = _FolderNames(paths, packages or {})
    known: dict[str, tuple[str, ...]] = {}
    for path in paths:
        if not path.endswith(_CODE):
            continue
        folder, _, base = path.rpartition("/")
        stem = base[: base.rfind(".")]
        folders = known.get(folder)
        if folders is None:
            folders = known[folder] = names.of(folder)
        if stem == "__init__":
            found = tuple(name for name in folders if name)
        else:
            found = tuple(f"{name}.{stem}" if name else stem for name in folders)
        if found:
            table[path] = found
    return table


class _FolderNames:
    """The dotted names of folders, seen from each place that code may run from."""

    def __init__(self, paths: Iterable[str], packages: Mapping[str, str]) -> None:
        self._inits = frozenset(posixpath.dirname(path) for path in paths if path.endswith("/__init__.py"))
        self._packages = packages

    def of(self, folder: str) -> tuple[str, ...]:
        """Shortest first; empty for the folder that code runs from itself."""
        parts = folder.split("/") if folder else []
        found: list[str] = []
        for depth in range(len(parts), -1, -1):
            around = "/".join(parts[:depth])
            declared = self._packages.get(around)
            if declared is not None:
                found.append(".".join([*filter(None, [declared]), *parts[depth:]]))
            if around not in self._inits:
                found.append(".".join(parts[depth:]))
        found.append(".".join(parts))
        return tuple(dict.fromkeys(found))


def declared_packages(pyproject: bytes) -> dict[str, str]:
    """The folders to which a ``pyproject.toml`` gives another dotted name than their path: setuptools' ``package-dir``,
    hatch's ``sources``, poetry's ``from`` and ``to``. An empty name is that of a folder that holds packages."""
    tool = _toml(pyproject).get("tool")
    if not isinstance(tool, dict):
        return {}
    found: dict[str, str] = {}
    directories = _table(tool, "setuptools", "package-dir")
    found |= {folder: name for name, folder in directories.items() if isinstance(folder, str)}
    for where in ((), ("targets", "wheel")):
        sources = _table(tool, "hatch", "build", *where, "sources")
        found |= {folder: name.replace("/", ".") for folder, name in sources.items() if isinstance(name, str)}
    poetry = tool.get("poetry")
    listed = poetry.get("packages") if isinstance(poetry, dict) else None
    for package in listed if isinstance(listed, list) else ():
        if isinstance(package, dict) and isinstance(package.get("include"), str):
            folder, to = package.get("from", ""), package.get("to")
            if isinstance(folder, str) and isinstance(to, str):
                found[posixpath.join(folder, package["include"])] = f"{to.replace('/', '.')}.{package['include']}"
    clean = {posixpath.normpath(folder): name for folder, name in found.items() if _is_dotted(name)}
    return {"" if folder == "." else folder: name for folder, name in clean.items() if not folder.startswith("..")}


def _table(content: object, *keys: str) -> dict[str, object]:
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split(".")) if name else True
