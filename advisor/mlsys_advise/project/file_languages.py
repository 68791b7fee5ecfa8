"""The language of a file by its name, which is all that a walk looks at."""

from __future__ import annotations

import enum
import os
import re


class Language(enum.StrEnum):
    """The languages that files are read as."""

    PYTHON = "python"
    NOTEBOOK = "notebook"
    YAML = "yaml"
    DOCKERFILE = "dockerfile"
    SHELL = "shell"
    REQUIREMENTS = "requirements"


_SUFFIXES = {
    ".py": Language.PYTHON,
    ".pyw": Language.PYTHON,
    ".ipynb": Language.NOTEBOOK,
    ".yaml": Language.YAML,
    ".yml": Language.YAML,
    ".sh": Language.SHELL,
    ".bash": Language.SHELL,
    ".slurm": Language.SHELL,
    ".sbatch": Language.SHELL,
}
#: Suffixes that only manifests of certain names have; "" is that of ``Pipfile``.
_MANIFEST_SUFFIXES = frozenset({".txt", ".in", ".toml", ".cfg", ".lock", ".yaml", ".yml", ""})
_MANIFEST = re.compile(
    r"(?:requirements|constraints|reqs?)(?:[-_.].*)?\.(?:txt|in)|.*[-_.]requirements\.(?:txt|in)"
    r"|pyproject\.toml|setup\.cfg|(?:environment|conda)(?:[-_.].*)?\.ya?ml|uv\.lock|poetry\.lock|pipfile(?:\.lock)?"
)
_MANIFEST_FOLDERS = frozenset({"requirements", "requires", "reqs"})
_DOCKERFILE = re.compile(r"(?:dockerfile|containerfile)(?:[-_.].*)?|.*\.(?:dockerfile|containerfile)")
#: What is named after a Dockerfile and is none.
_NOT_DOCKERFILE = (".dockerignore", ".md", ".rst", ".bak", ".orig")


def language_of(path: str) -> Language | None:
    """The language that a file's path promises, whatever the case of its letters."""
    folder, _, name = path.replace(os.sep, "/").rpartition("/")
    return language_named(folder.rpartition("/")[2], name)


def language_named(folder: str, name: str) -> Language | None:
    """The language of a file by its name and that of the folder that holds it."""
    name = name.lower()
    dot = name.rfind(".")
    suffix = name[dot:] if dot >= 0 else ""
    if suffix in _MANIFEST_SUFFIXES and (
        _MANIFEST.fullmatch(name) or (suffix in (".txt", ".in") and folder.lower() in _MANIFEST_FOLDERS)
    ):
        return Language.REQUIREMENTS
    language = _SUFFIXES.get(suffix)
    if language is None and "erfile" in name and _DOCKERFILE.fullmatch(name) and not name.endswith(_NOT_DOCKERFILE):
        return Language.DOCKERFILE
    return language
