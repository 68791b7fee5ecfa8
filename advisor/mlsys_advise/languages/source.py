"""From bytes on disk to text with positions; what is not a plain file of bounded size is never opened for reading.

Invariant: the lines of a ``Source`` are exactly the lines that ``ast`` counts, so a position of ``ast`` needs only its
byte column converted.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from mlsys_advise.finding import Notice
from mlsys_advise.span import Span

#: Bytes. Hand-written files stay far below it; what lies above is generated code or data.
LIMIT = 2 << 20
#: Bytes. A notebook carries its outputs (images, tables) beside a few kilobytes of code.
NOTEBOOK_LIMIT = 64 << 20

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")
#: Decoding takes quadratic time or warns on the screen, and no source file is written in them.
_REFUSED_CODECS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape"})
#: Bytes in which the cookie is looked for: a minified file may be one line of megabytes.
_COOKIE_WINDOW = 1 << 12
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Positioned(Protocol):
    """A node of ``ast``: lines start at 1, columns count UTF-8 bytes from 0, the end is exclusive."""

    lineno: int
    col_offset: int
    end_lineno: int | None
    end_col_offset: int | None


class CellStart(msgspec.Struct, frozen=True, array_like=True):
    """A notebook cell in the text of its ``Source``; cells are numbered from 1, ``line`` is its first line there."""

    line: int
    number: int


class Source:
    """The text of one file with line endings normalised to ``\\n``, and the way from ``ast`` positions to spans."""

    __slots__ = ("_ascii", "_cell_lines", "_lines", "cells", "path", "text")

    def __init__(self, text: str, path: str, cells: Sequence[CellStart] = ()) -> None:
        self._ascii = text.isascii()
        self.text = text if self._ascii else without_surrogates(text)
        self.path = path
        self.cells = tuple(cells)
        self._lines: list[str] | None = None
        self._cell_lines = [cell.line for cell in self.cells]

    @property
    def lines(self) -> list[str]:
        """The lines without their ends, split where ``ast`` splits them: at ``\\n`` and at nothing else."""
        if self._lines is None:
            self._lines = self.text.split("\n")
        return self._lines

    def line(self, number: int, cell: int = 0) -> str:
        """The text of a line (from 1), counted within ``cell`` where that is not 0; empty beyond the end."""
        if cell:
            number += next((start.line - 1 for start in self.cells if start.number == cell), len(self.lines))
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def span(self, line: int, byte: int, end_line: int, end_byte: int) -> Span:
        """The span of an ``ast`` position: lines from 1, UTF-8 byte columns from 0."""
        if self._ascii:
            column, end_column = byte + 1, end_byte + 1
        else:
            column, end_column = self._column(line, byte), self._column(end_line, end_byte)
        if self._cell_lines:
            index = bisect_right(self._cell_lines, line) - 1
            if index >= 0:
                start = self.cells[index]
                before = start.line - 1
                return Span(line - before, column, end_line - before, end_column, start.number)
        return Span(line, column, end_line, end_column)

    def span_of(self, node: Positioned) -> Span:
        """The span of a node that ``ast`` made from this text, or from a masked copy of it."""
        end_line, end_byte = node.end_lineno, node.end_col_offset
        if end_line is None or end_byte is None:
            end_line, end_byte = node.lineno, node.col_offset
        return self.span(node.lineno, node.col_offset, end_line, end_byte)

    def located(self, notice: Notice) -> Notice:
        """The notice with its line counted within its cell, which the message then names, where there are cells."""
        if not self._cell_lines or not notice.line:
            return notice
        span = self.span(notice.line, 0, notice.line, 0)
        return Notice(notice.path, f"cell {span.cell}: {notice.message}", span.line)

    def _column(self, line: int, byte: int) -> int:
        text = self.line(line)
        if text.isascii():
            return byte + 1
        return len(text.encode()[:byte].decode("utf-8", "ignore")) + 1


def without_surrogates(text: str) -> str:
    """The text with lone surrogates, which JSON can smuggle in and no file can hold, replaced one for one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def decode(data: bytes, path: str) -> Source | Notice:
    """The text of a file by its byte order mark or coding cookie (PEP 263), UTF-8 without either."""
    if data.startswith(_UTF_16):
        return Notice(path, "is encoded in UTF-16 instead of UTF-8: skipped")
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    data = data[len(mark) :]
    declared = _cookie(data)
    encoding = _text_codec(declared) if declared else "utf-8"
    if encoding is None:
        return Notice(path, f"declares the unknown encoding {declared}: skipped", 1)
    if mark and not encoding.startswith("utf-8"):
        return Notice(path, f"declares the encoding {declared} but starts with the mark of UTF-8: skipped", 1)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Notice(path, f"is not valid {encoding} (byte 0x{data[error.start]:02x}): skipped", line)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Source(text, path)


def encoding_of(data: bytes) -> tuple[str, bytes]:
    """The encoding of a file that ``decode`` can read, and the byte order mark at its start."""
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    declared = _cookie(data[len(mark) :])
    return (_text_codec(declared) if declared else None) or "utf-8", mark


def _cookie(data: bytes) -> str:
    """The encoding that one of the first two lines declares, or an empty string."""
    # splitlines of bytes splits at \n, \r and \r\n only, as the tokenizer does.
    for line in data[:_COOKIE_WINDOW].splitlines()[:2]:
        found = _COOKIE.match(line)
        if found:
            return found.group(1).decode("ascii", "replace")
        if not _BLANK.match(line):
            break
    return ""


def _text_codec(name: str) -> str | None:
    """Python's own name of an encoding in which a source file can be written."""
    try:
        codec = codecs.lookup(name).name
        # What spells ASCII in another way cannot have written the cookie.
        usable = codec not in _REFUSED_CODECS and b"# coding".decode(codec) == "# coding"
    except (LookupError, ValueError):
        return None
    return codec if usable else None


def read(path: Path | str, limit: int = LIMIT, name: str = "") -> bytes | Notice:
    """The bytes of a regular file of at most ``limit`` bytes; anything else is described and never read.

    ``name`` is how notices call the file, by default ``path`` itself. No exception leaves this function for a file
    that is missing, unreadable, or changed between the look and the read.
    """
    try:
        data = _read_regular(path, limit)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        data = f"cannot be read ({reason}): skipped"
    return data if isinstance(data, bytes) else Notice(name or Path(path).as_posix(), data)


def _read_regular(path: Path | str, limit: int) -> bytes | str:
    """The bytes of the file, or why they were not read."""
    refusal = _refusal(os.stat(path), limit)  # noqa: PTH116
    if refusal:
        return refusal
    # The file may have been exchanged since: O_NONBLOCK keeps the opening of a FIFO from waiting for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        refusal = _refusal(status, limit)
        if refusal:
            return refusal
        data = _read_at_most(descriptor, limit + 1, status.st_size)
    finally:
        os.close(descriptor)
    return data if len(data) <= limit else _too_large(len(data), limit)


def _refusal(status: os.stat_result, limit: int) -> str:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        return f"is {_KINDS.get(kind, 'not a regular file')}: skipped"
    return _too_large(status.st_size, limit) if status.st_size > limit else ""


def _too_large(size: int, limit: int) -> str:
    return f"is larger ({size / (1 << 20):.1f} MiB) than the limit of {limit / (1 << 20):.1f} MiB: skipped"


def _read_at_most(descriptor: int, most: int, expected: int) -> bytes:
    """Up to ``most`` bytes. Files under /proc report a size of 0, so a size is a hint and never the end."""
    parts = []
    while most > 0:
        part = os.read(descriptor, min(most, max(expected + 1, 1 << 16)))
        if not part:
            break
        parts.append(part)
        most -= len(part)
        if expected and len(part) == expected:
            break
    return b"".join(parts)
