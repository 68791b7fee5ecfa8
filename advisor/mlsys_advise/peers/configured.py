"""What a project's own settings of ruff enable: those codes are left to it, for it reports them already.

Ruff itself is asked, once for each file of settings; which file counts is ruff's rule, the nearest one outwards.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from mlsys_advise.peers import ruff

_ENABLED = re.compile(r"^linter\.rules\.enabled = \[(.*?)^\]", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"\(([A-Z]+\d+)\),?\s*$", re.MULTILINE)


def enabled(files: Iterable[Path]) -> dict[Path, frozenset[str]]:
    """The codes that are left to ruff for each file; no settings, no codes, whatever ruff's defaults are.

    Raises ruff.RuffError if settings cannot be read.
    """
    settings: dict[Path, Path | None] = {}
    known: dict[Path, frozenset[str]] = {}
    result = {}
    for file in files:
        found = _settings(file.parent, settings)
        if found is None:
            continue
        if found not in known:
            known[found] = _codes(ruff.settings_of(file))
        result[file] = known[found]
    return result


def _codes(printed: str) -> frozenset[str]:
    found = _ENABLED.search(printed)
    return frozenset(_CODE.findall(found[1])) if found else frozenset()


def _settings(folder: Path, known: dict[Path, Path | None]) -> Path | None:
    """The settings file of ruff's that counts in a folder; ``known`` has those of folders that were asked before."""
    passed = []
    found = None
    for outer in (folder, *folder.parents):
        if outer in known:
            found = known[outer]
            break
        passed.append(outer)
        if (found := _settings_in(outer)) is not None:
            break
    known.update(dict.fromkeys(passed, found))
    return found


def _settings_in(folder: Path) -> Path | None:
    for name in (".ruff.toml", "ruff.toml"):
        if (folder / name).is_file():
            return folder / name
    project = folder / "pyproject.toml"
    return project if _has_table(project) else None


def _has_table(project: Path) -> bool:
    try:
        return "ruff" in tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return False
