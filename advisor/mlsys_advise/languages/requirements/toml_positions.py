"""Where packages stand in a TOML manifest: the parser of the standard library keeps no positions.

Invariant: only packages that the parser found get a position, so that a wrong guess can misplace a finding's related
line but never create a requirement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsys_advise.languages.requirements.names import distribution
from mlsys_advise.span import Span

#: Characters of a line in which a package is looked for; requirements stand in far shorter ones.
_LIMIT = 4000

_HEADER = re.compile(r"\s*+\[{1,2}([^\[\]]++)\]{1,2}\s*+(#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'")
_NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")
_KEYED_TABLES = re.compile(r"(tool\.poetry\..*dependencies|packages|dev-packages)")
_TEXT_TABLES = re.compile(r"dependenc|^packages?\.")
_LOCKED_NAMES = frozenset({"package.name", "packages.name"})
_PYTHON_KEYS = frozenset({"project.requires-python", "requires-python", "requires.python_version"})


def positions(text: str, wanted: set[str]) -> dict[str, Span]:
    """The first mention of each of the ``wanted`` packages."""
    found: dict[str, Span] = {}
    for package, span in _mentions(text):
        if package in wanted:
            found.setdefault(package, span)
    return found


def _mentions(text: str) -> Iterator[tuple[str, Span]]:
    table = key = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > _LIMIT:
            continue
        header = _HEADER.fullmatch(line)
        if header is not None:
            table, key = _plain(header[1]), ""
            parent, _, last = table.rpartition(".")
            if _KEYED_TABLES.fullmatch(parent):
                yield distribution(last), Span(number, header.start(1) + 1, number, header.end(1) + 1)
            continue
        assignment = _KEY.match(line)
        if assignment is not None:
            key = _plain(assignment[1])
            yield from _from_key(table, key, assignment, number, len(line.rstrip()) + 1)
        yield from _from_strings(f"{table}.{key}".strip("."), line, number)


def _from_key(table: str, key: str, match: re.Match[str], number: int, end: int) -> Iterator[tuple[str, Span]]:
    span = Span(number, match.start(1) + 1, number, end)
    path = f"{table}.{key}".strip(".")
    parent, _, last = path.rpartition(".")
    if path in _PYTHON_KEYS:
        yield "python", span
    elif _KEYED_TABLES.fullmatch(parent):
        yield distribution(last), span


def _from_strings(path: str, line: str, number: int) -> Iterator[tuple[str, Span]]:
    if not _TEXT_TABLES.search(path) or (path.startswith("package") and path not in _LOCKED_NAMES):
        return
    if line.lstrip().startswith("#"):
        return
    for string in _STRING.finditer(line):
        content = string[1] if string[1] is not None else string[2]
        name = _NAME.match(content)
        if name is not None:
            yield distribution(name[1]), Span(number, string.start() + 2, number, string.end())


def _plain(dotted: str) -> str:
    """A dotted key without quotes and blanks."""
    return ".".join(part.strip().strip("\"'") for part in dotted.split("."))
