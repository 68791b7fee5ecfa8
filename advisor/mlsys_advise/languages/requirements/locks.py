"""Lock files of uv, Poetry and PDM, and ``pylock.toml``: the exact versions that were resolved."""

from __future__ import annotations

import re

from mlsys_advise.languages.requirements import pep508
from mlsys_advise.languages.requirements.manifest import Reading, Requirement
from mlsys_advise.languages.requirements.names import distribution
from mlsys_advise.languages.requirements.toml_positions import positions
from mlsys_advise.languages.requirements.toml_tables import Table, load, table, tables

# Nine tenths of a lock file are one-line tables of archives and their hashes, which nobody here asks about and which
# the parser would spend its time on. They are items of arrays, so the file stays valid without them, line for line.
_ARCHIVE_LINE = re.compile(
    r"^[ \t]*\{ ?(?:url|file|path|name) = \"[^\n]*(?:hash|hashes|sha256)[^\n]*\},?[ \t]*$", re.MULTILINE
)


def read(text: str, reading: Reading) -> None:
    reading.declares = True
    data = load(_ARCHIVE_LINE.sub("", text), reading)
    locked: dict[str, set[str]] = {}
    for package in [*tables(data.get("package")), *tables(data.get("packages"))]:
        name, version = package.get("name"), package.get("version")
        member = _member(table(package.get("source")))
        if member is not None:
            reading.members.add(member)
        elif isinstance(name, str) and isinstance(version, str):
            locked.setdefault(distribution(name), set()).update(pep508.admitted(f"=={version}"))
    for name, versions in locked.items():
        reading.require(Requirement(name, tuple(sorted(versions))))
    python = data.get("requires-python")
    if isinstance(python, str):
        reading.require(Requirement("python", pep508.admitted(python)))
    reading.spans.update(positions(text, {requirement.package for requirement in reading.requirements}))


def _member(source: Table) -> str | None:
    """The folder of a package that is itself a project of the workspace."""
    for kind in ("editable", "virtual"):
        folder = source.get(kind)
        if isinstance(folder, str):
            return folder
    return None
