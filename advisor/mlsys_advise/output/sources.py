"""Lines of the files that findings lie in, read again for display only.

A file that has changed or vanished since it was analysed gives fewer lines or none, never an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mlsys_advise.finding import Notice
from mlsys_advise.languages import source

_NOTEBOOK = ".ipynb"


class Sources:
    """``given`` holds the text of files that are not, or not as they are, on the disk."""

    def __init__(self, given: Mapping[str, bytes] | None = None) -> None:
        self._given = dict(given or {})
        self._path = ""
        self._cells: dict[int, Sequence[str]] = {}

    def lines(self, path: str, cell: int = 0) -> Sequence[str]:
        """The lines of ``path``; those of its ``cell`` in a notebook. One file at a time is kept."""
        if path != self._path:
            self._path, self._cells = path, self._read(path)
        return self._cells.get(cell, ())

    def _read(self, path: str) -> dict[int, Sequence[str]]:
        limit = source.NOTEBOOK_LIMIT if path.endswith(_NOTEBOOK) else source.LIMIT
        content = self._given[path] if path in self._given else source.read(path, limit)
        if isinstance(content, Notice):
            return {}
        if path.endswith(_NOTEBOOK):
            return _cells(content)
        decoded = source.decode(content, path)
        return {} if isinstance(decoded, Notice) else {0: decoded.lines}


def _cells(notebook: bytes) -> dict[int, Sequence[str]]:
    try:
        cells = json.loads(notebook)["cells"]
        return {number: "".join(cell["source"]).split("\n") for number, cell in enumerate(cells, start=1)}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
