"""Places in source text."""

from __future__ import annotations

import msgspec


class Span(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A range of source text: lines and columns start at 1, columns count code points, the end is exclusive.

    In a notebook, lines count within ``cell`` (which starts at 1); elsewhere ``cell`` is 0.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    cell: int = 0


class Place(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A span in a file; ``path`` is relative to the project root, with forward slashes."""

    path: str
    span: Span
