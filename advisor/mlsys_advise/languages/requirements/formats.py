"""Which files are manifests, by name, and the one entry through which their text becomes a document.

Invariant: ``parse`` returns a document for every text; each format's parser, and the library under it, is imported only
when a file of that format is met.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from mlsys_advise.languages.requirements.manifest import Format, Reading, RequirementsDocument

_BY_NAME: dict[str, Format] = {
    "pyproject.toml": "pyproject",
    "setup.cfg": "setup.cfg",
    "setup.py": "setup.py",
    "pipfile": "pipfile",
    "uv.lock": "lock",
    "poetry.lock": "lock",
    "pdm.lock": "lock",
}
_PYLOCK = re.compile(r"pylock(\.[\w-]+)?\.toml")
_CONSTRAINTS = re.compile(r"(.*[-_.])?constraints?([-_.].*)?\.(txt|in)")
_REQUIREMENTS = re.compile(r"(.*[-_.])?(requirements?|reqs?)([-_.\d].*)?\.(txt|in)")
_CONDA = re.compile(r"(.*[-_.])?(environment|env|conda)([-_.].*)?\.ya?ml")

#: Folders that exist to hold the manifests of the folder above them.
REQUIREMENTS_FOLDERS = frozenset({"requirements", "requirement", "reqs"})
ENVIRONMENT_FOLDERS = frozenset({"conda", "environment", "environments", "env", "envs"})


def format_of(path: str) -> Format | None:
    """The format that the name of the file promises; ``path`` has forward slashes.

    A YAML file may still turn out to be something else: then its interface declares nothing.
    """
    pure = PurePosixPath(path)
    name, folder = pure.name.lower(), pure.parent.name.lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    if _PYLOCK.fullmatch(name):
        return "lock"
    if name.endswith((".txt", ".in")):
        if _CONSTRAINTS.fullmatch(name):
            return "constraints"
        if _REQUIREMENTS.fullmatch(name) or folder in REQUIREMENTS_FOLDERS:
            return "requirements"
    if name.endswith((".yml", ".yaml")) and (_CONDA.fullmatch(name) or folder in ENVIRONMENT_FOLDERS):
        return "conda"
    return None


def parse(text: str, path: str, format: Format | None = None) -> RequirementsDocument:
    """Read a manifest. ``format`` is for files that another manifest includes and whose own name promises nothing."""
    chosen = format or format_of(path) or "requirements"
    reading = Reading(chosen)
    unified = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    _reader(chosen)(unified.encode("utf-8", "replace").decode("utf-8"), reading)
    return reading.document(path)


def _reader(format: Format) -> Callable[[str, Reading], None]:
    match format:
        case "requirements" | "constraints":
            from mlsys_advise.languages.requirements.pip import read
        case "conda":
            from mlsys_advise.languages.requirements.conda import read
        case "pyproject":
            from mlsys_advise.languages.requirements.pyproject import read
        case "setup.cfg":
            from mlsys_advise.languages.requirements.setup_cfg import read
        case "setup.py":
            from mlsys_advise.languages.requirements.setup_py import read
        case "pipfile":
            from mlsys_advise.languages.requirements.pipfile import read
        case "lock":
            from mlsys_advise.languages.requirements.locks import read
    return read
