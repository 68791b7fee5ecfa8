"""Files that findings lie in, read again for what is told beside the findings: lines, and the text of fixes.

A file that has changed or vanished since it was analysed gives fewer lines or none, never an error.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from mlsys_advise.edit import Fix
from mlsys_advise.finding import Notice
from mlsys_advise.languages import notebook, source
from mlsys_advise.span import Span

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

    def edits(self, path: str, fix: Fix) -> list[tuple[Span, str]] | None:
        """What a fix puts in the place of what, by spans of the file or of its cells; None if it cannot be made."""
        from mlsys_advise.fixing.fixable import Fixable
        from mlsys_advise.fixing.refusal import Refusal

        content = self._content(path)
        if isinstance(content, Notice):
            return None
        try:
            file = Fixable(content, path)
            return [file.located(change) for change in file.replacements(fix)]
        except Refusal:
            return None

    def _content(self, path: str) -> bytes | Notice:
        limit = source.NOTEBOOK_LIMIT if path.endswith(_NOTEBOOK) else source.LIMIT
        return self._given[path] if path in self._given else source.read(path, limit)

    def _read(self, path: str) -> dict[int, Sequence[str]]:
        content = self._content(path)
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
