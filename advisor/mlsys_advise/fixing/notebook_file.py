"""Changes to the cells of a notebook, made in its JSON so that all else stays byte for byte as it was.

Invariant: outputs, metadata and the layout of the file are copied, never parsed and written again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest

import msgspec

from mlsys_advise.fixing.refusal import Refusal
from mlsys_advise.fixing.replacement import Replacement, applied
from mlsys_advise.languages.source import CellStart

_MARK = b"\xef\xbb\xbf"
_BLANK = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


class _Piece(msgspec.Struct, frozen=True):
    """A JSON value in the text of the file: where it begins and ends."""

    start: int
    end: int


def with_changes(data: bytes, cells: Sequence[CellStart], changes: Sequence[Replacement]) -> bytes:
    """The file with changes to the text of its cells; lines count in the text that the cells make together.

    Raises Refusal if the cells cannot be found in the file, or hold line ends that are not kept.
    """
    mark = _MARK if data.startswith(_MARK) else b""
    text = data[len(mark) :].decode("utf-8")
    pieces = list(_sources(text))

    def cell_of(change: Replacement) -> CellStart:
        return max((cell for cell in cells if cell.line <= change.line), key=lambda cell: cell.line)

    ordered = sorted(changes, key=lambda change: change.line, reverse=True)
    for cell, group in groupby(ordered, key=cell_of):
        piece = pieces[cell.number - 1] if cell.number <= len(pieces) else None
        if piece is None:
            raise Refusal("the notebook is of an older format")
        inside = [change.moved(1 - cell.line) for change in group]
        text = text[: piece.start] + _source(text[piece.start : piece.end], inside) + text[piece.end :]
    return mark + text.encode("utf-8")


def _sources(text: str) -> Iterator[_Piece | None]:
    """The value of ``source`` of each cell, in order; None for a cell without one."""
    for cell in _items(text, _member(text, _skip(text, 0), "cells")):
        try:
            yield _member(text, cell.start, "source")
        except Refusal:
            yield None


def _member(text: str, start: int, name: str) -> _Piece:
    """The last value under a name of the object that begins at ``start``, as JSON's readers take it."""
    found: _Piece | None = None
    for key, piece in _members(text, start):
        if key == name:
            found = piece
    if found is None:
        raise Refusal("the notebook has no such cell")
    return found


def _members(text: str, start: int) -> Iterator[tuple[str, _Piece]]:
    if text[start] != "{":
        raise Refusal("the notebook is not laid out as expected")
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, at = _decode(text, at)
        value = _skip(text, _skip(text, at) + 1)
        _, end = _decode(text, value)
        yield key, _Piece(value, end)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _items(text: str, piece: _Piece) -> Iterator[_Piece]:
    if text[piece.start] != "[":
        raise Refusal("the notebook is not laid out as expected")
    at = _skip(text, piece.start + 1)
    while text[at] != "]":
        _, end = _decode(text, at)
        yield _Piece(at, end)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _source(raw: str, changes: Sequence[Replacement]) -> str:
    """The JSON of a cell's text with changes in it; lines that stay keep their very characters."""
    value = json.loads(raw)
    whole = value if isinstance(value, str) else "".join(value)
    if "\r" in whole:
        raise Refusal("the cell has line ends of its own")
    new = "\n".join(applied(whole.split("\n"), changes))
    ascii_only = raw.isascii()
    if isinstance(value, str):
        return json.dumps(new, ensure_ascii=ascii_only)
    pieces = list(_items(raw, _Piece(0, len(raw))))
    if not pieces:
        return json.dumps(new.splitlines(keepends=True), ensure_ascii=ascii_only)
    lines = [line for line in re.split(r"(?<=\n)", new) if line]
    between = raw[pieces[0].end : pieces[1].start] if len(pieces) > 1 else "," + raw[1 : pieces[0].start]
    written = _rendered([raw[piece.start : piece.end] for piece in pieces], value, lines, ascii_only)
    return raw[: pieces[0].start] + between.join(written) + raw[pieces[-1].end :]


def _rendered(raw: Sequence[str], old: Sequence[str], new: Sequence[str], ascii_only: bool) -> list[str]:
    """The strings of the new lines; equal lines at the beginning and at the end are taken over as they are written."""
    same = next((n for n, (a, b) in enumerate(zip_longest(old, new)) if a != b), len(new))
    rest = min(len(old), len(new)) - same
    tail = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    middle = [json.dumps(line, ensure_ascii=ascii_only) for line in new[same : len(new) - tail]]
    return [*raw[:same], *middle, *raw[len(raw) - tail :]]
