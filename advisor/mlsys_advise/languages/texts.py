"""The lines of files that findings lie in, read again for display and for fingerprints.

A file that has changed or vanished since it was analysed gives fewer lines or none, never an error.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from mlsys_advise.finding import Notice
from mlsys_advise.languages import notebook, source

_NOTEBOOK = ".ipynb"


class Texts:
    """``given`` holds the text of files that are not, or not as they are, on the disk."""

    def __init__(self, given: Mapping[str, bytes] | None = None) -> None:
        self._given = dict(given or {})
        self._path = ""
        self._cells: dict[int, Sequence[str]] = {}

    def lines(self, path: str, cell: int = 0) -> Sequence[str]:
        """The lines of ``path``; those of its ``cell`` in a notebook."""
        return self.cells(path).get(cell, ())

    def cells(self, path: str) -> Mapping[int, Sequence[str]]:
        """The lines of each code cell of a notebook, of any other file as those of cell 0. One file is kept."""
        if path != self._path:
            self._path, self._cells = path, self._read(path)
        return self._cells

    def content(self, path: str) -> bytes | Notice:
        """The bytes of a file, or why it cannot be read."""
        limit = source.NOTEBOOK_LIMIT if path.endswith(_NOTEBOOK) else source.LIMIT
        return self._given[path] if path in self._given else source.read(path, limit)

    def _read(self, path: str) -> dict[int, Sequence[str]]:
        content = self.content(path)
        if isinstance(content, Notice):
            return {}
        if path.endswith(_NOTEBOOK):
            return _cells(notebook.decode_notebook(content, path))
        decoded = source.decode(content, path)
        return {} if isinstance(decoded, Notice) else {0: decoded.lines}


def _cells(decoded: notebook.Notebook | Notice) -> dict[int, Sequence[str]]:
    if isinstance(decoded, Notice):
        return {}
    lines, starts = decoded.source.lines, decoded.source.cells
    ends = [following.line - 2 for following in starts[1:]]  # an empty line stands before each cell
    return {start.number: lines[start.line - 1 : end] for start, end in itertools.zip_longest(starts, ends)}
