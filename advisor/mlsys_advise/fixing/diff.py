"""What fixes change, as a unified diff; of a notebook cell by cell."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from mlsys_advise.languages.texts import Texts

_UNENDED = "\n\\ No newline at end of file"


def lines(path: str, shown: str, before: bytes, after: bytes) -> Iterator[str]:
    """The lines of the diff between two contents of a file, which is called ``shown``."""
    old, new = _texts(path, before), _texts(path, after)
    for cell in sorted(old.keys() | new.keys()):
        name = f"{shown}:cell {cell}" if cell else shown
        yield from difflib.unified_diff(old.get(cell, []), new.get(cell, []), name, name, lineterm="")


def _texts(path: str, data: bytes) -> dict[int, list[str]]:
    """The lines of a content by cell, as a diff shows them."""
    cells = Texts({path: data}).cells(path)
    return {cell: list(found) if cell else _ended(list(found)) for cell, found in cells.items()}


def _ended(found: list[str]) -> list[str]:
    """The lines as a diff shows them: one that nothing ends says so."""
    return [*found[:-1], f"{found[-1]}{_UNENDED}"] if found[-1] else found[:-1]
