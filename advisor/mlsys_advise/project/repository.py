"""Where a git repository begins and where it keeps its own files; nothing here runs git."""

from __future__ import annotations

import os
from pathlib import Path

from mlsys_advise.finding import Notice
from mlsys_advise.languages.source import read


def is_repository(folder: Path | str) -> bool:
    """Whether the folder is the root of a repository: its ``.git`` is a directory or points to one."""
    return os.path.lexists(os.path.join(folder, ".git"))  # noqa: PTH118


def repository_root(folder: Path) -> Path | None:
    """The nearest root of a repository from ``folder`` outwards."""
    return next(filter(is_repository, (folder, *folder.parents)), None)


def git_directory(root: Path) -> Path | None:
    """The directory behind ``.git``, which lies elsewhere for a linked work tree and a submodule."""
    directory = root / ".git"
    if directory.is_dir():
        return directory
    pointer = _pointed_to(directory, b"gitdir:")
    if pointer is None:
        return None
    directory = root / pointer
    shared = _pointed_to(directory / "commondir", b"")
    return directory if shared is None else directory / shared


def _pointed_to(file: Path, mark: bytes) -> str | None:
    data = read(file)
    if isinstance(data, Notice) or not data.startswith(mark):
        return None
    return os.fsdecode(data.removeprefix(mark).strip())
