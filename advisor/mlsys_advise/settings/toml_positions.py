"""Where the keys and values of a TOML file stand, which the parser of the standard library does not say.

Invariant: for text that ``tomllib`` accepts, every path of keys and indices that it holds has a position; for other
text there may be fewer. Nothing is evaluated here.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping

Path = tuple[str | int, ...]
#: Line and column, both from 1.
Position = tuple[int, int]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""["]{0,2}|\'\'\'(?:[^\']|\'(?!\'\'))*\'\'\'[\']{0,2}'
    r'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)


def positions(text: str) -> Mapping[Path, Position]:
    """The position of each key, by its path, and of each item of an array, by its path with its index."""
    return _Reader(text).read()


class _Reader:
    """One pass over the text, with a stack for values in values."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, Position] = {}
        self._lines = [0, *(newline.end() for newline in re.finditer("\n", text))]
        #: How many tables an array of tables has so far.
        self._tables: dict[Path, int] = {}

    def read(self) -> Mapping[Path, Position]:
        table: Path = ()
        while True:
            self._skip(_SPACE)
            if self.at >= len(self.text):
                return self.found
            if self.text[self.at] == "[":
                several = self.text.startswith("[[", self.at)
                self.at += 2 if several else 1
                self._skip(_BLANK)
                table = self._header(several)
                self._to_end_of_line()
            elif not self._assignment(table):
                self._to_end_of_line()

    def _header(self, several: bool) -> Path:
        """Reads the name of a table: within the last of each array of tables on the way."""
        path: Path = ()
        parts = self._parts()
        for depth, (part, offset) in enumerate(parts):
            path = (*path, part)
            self.found.setdefault(path, self._position(offset))
            if several and depth == len(parts) - 1:
                self._tables[path] = self._tables.get(path, -1) + 1
            if path in self._tables:
                path = (*path, self._tables[path])
                self.found.setdefault(path, self._position(offset))
        return path

    def _assignment(self, table: Path) -> bool:
        """Reads ``key = value``; whether there was one."""
        start = self.at
        path = self._key(table)
        self._skip(_BLANK)
        if self.at == start or self.text[self.at : self.at + 1] != "=":
            return False
        self.at += 1
        self._skip(_BLANK)
        self._value(path)
        return True

    def _key(self, table: Path) -> Path:
        """Reads a dotted key, each part recorded where it stands for the first time."""
        path = table
        for part, offset in self._parts():
            path = (*path, part)
            self.found.setdefault(path, self._position(offset))
        return path

    def _parts(self) -> list[tuple[str, int]]:
        """The parts of a dotted key with their offsets."""
        parts: list[tuple[str, int]] = []
        while True:
            string, bare = _STRING.match(self.text, self.at), _BARE.match(self.text, self.at)
            found = string or bare
            if found is None:
                return parts
            parts.append((_unquoted(found[0]) if string else found[0], self.at))
            self.at = found.end()
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] != ".":
                return parts
            self.at += 1
            self._skip(_BLANK)

    def _value(self, path: Path) -> None:
        """Reads a value, and those in it, with a stack of the arrays and inline tables that are open."""
        open_: list[tuple[Path, int | None]] = []  # an array has the index of its next item
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "[":
                self.at += 1
                open_.append((path, 0))
            elif character == "{":
                self.at += 1
                open_.append((path, None))
            else:
                found = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
                self.at = found.end() if found else self.at + 1
            # To the next value within what is open.
            while open_:
                self._skip(_SPACE)
                owner, index = open_[-1]
                character = self.text[self.at : self.at + 1]
                if character == ",":
                    self.at += 1
                    continue
                if character in ("]", "}", ""):
                    self.at += 1
                    open_.pop()
                    continue
                if index is None:
                    path = self._key(owner)
                    self._skip(_BLANK)
                    if self.text[self.at : self.at + 1] != "=":
                        return
                    self.at += 1
                    self._skip(_BLANK)
                else:
                    path = (*owner, index)
                    self.found.setdefault(path, self._position(self.at))
                    open_[-1] = (owner, index + 1)
                break
            if not open_:
                return

    def _position(self, offset: int) -> Position:
        line = bisect.bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def _to_end_of_line(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end + 1


def _unquoted(literal: str) -> str:
    if literal.startswith("'"):
        return literal[1:-1]
    return _ESCAPE.sub(_escaped, literal[1:-1])


def _escaped(found: re.Match[str]) -> str:
    digits = found[1] or found[2]
    if digits:
        return chr(int(digits, 16)) if int(digits, 16) < 0x110000 else ""
    return _ESCAPES.get(found[3], found[3])
