"""Where Python string literals end, by the grammar of 3.12 and later, on every interpreter.

Invariant: linear in the text, however its f-strings are nested or broken.
"""

from __future__ import annotations

import re

import msgspec

_BODY = {
    '"': re.compile(r'(?:[^"\\\n]++|\\.)*+"', re.DOTALL),
    "'": re.compile(r"(?:[^'\\\n]++|\\.)*+'", re.DOTALL),
    '"""': re.compile(r'(?:[^"\\]++|\\.|"(?!""))*+"""', re.DOTALL),
    "'''": re.compile(r"(?:[^'\\]++|\\.|'(?!''))*+'''", re.DOTALL),
}
#: Each costs a walk to the end of the text; code that closes its strings has none.
_MOST_FAILURES = 8
#: CPython nests 150 f-strings at most, each with a field and its format.
_DEEPEST = 450
_PREFIX = "rRbBfFuUtT"
_IN_TEXT = re.compile(r"\\.|\{\{|\}\}|[{}\n]|\"(?:\"\")?|'(?:'')?", re.DOTALL)
_IN_REPLACEMENT = re.compile(r"[\\#\n()\[\]{}:]|\"(?:\"\")?|'(?:'')?")


class Interpolation(msgspec.Struct, frozen=True):
    """An f-string or template string: its end, and whether only Python 3.12's grammar reads it (PEP 701)."""

    end: int
    modern: bool


def prefix_of(text: str, quote: int) -> str:
    """The letters before the quote at offset ``quote``, lower-cased; not those of a name that runs up to it."""
    start = quote
    while start and quote - start < 3 and text[start - 1] in _PREFIX:
        start -= 1
    if start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        return ""
    return text[start:quote].lower()


def opening(text: str, quote: int) -> str:
    """The one or three quotes that stand at offset ``quote``."""
    mark = text[quote]
    return mark * 3 if text.startswith(mark * 3, quote) else mark


class Literals:
    """The string literals of one text; gives up on f-strings where too many of them do not close."""

    __slots__ = ("_failures", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._failures = 0

    def end(self, quote: int) -> int | None:
        """The offset behind the literal whose opening quote is at ``quote``, ``None`` where it is never closed."""
        marks = opening(self.text, quote)
        start = quote + len(marks)
        plain = _BODY[marks].match(self.text, start)
        prefix = prefix_of(self.text, quote)
        if ("f" in prefix or "t" in prefix) and self._failures < _MOST_FAILURES:
            # Before 3.12 an expression cannot hold the quotes around it: then both grammars agree.
            if plain is None or self.text.count("{", start, plain.end()) != self.text.count("}", start, plain.end()):
                found = interpolation(self.text, quote)
                if found is not None:
                    return found.end
                self._failures += 1
        return plain.end() if plain else None


def interpolation(text: str, quote: int) -> Interpolation | None:
    """Reads the f-string or template string whose opening quote is at ``quote``; ``None`` where it does not close."""
    return _Reader(text, quote).read()


class _Level:
    """One level of nesting: the text of a literal, a replacement field, or the format specification of a field."""

    __slots__ = ("brackets", "kind", "marks")

    def __init__(self, kind: str, marks: str) -> None:
        self.kind = kind
        self.marks = marks
        self.brackets = 0


class _Reader:
    """A push-down automaton over one literal; ``levels`` is its stack."""

    def __init__(self, text: str, quote: int) -> None:
        self.text = text
        marks = opening(text, quote)
        self.position = quote + len(marks)
        self.levels = [_Level("text", marks)]
        self.modern = False

    def read(self) -> Interpolation | None:
        while self.levels:
            if len(self.levels) > _DEEPEST:
                return None
            level = self.levels[-1]
            pattern = _IN_REPLACEMENT if level.kind == "field" else _IN_TEXT
            token = pattern.search(self.text, self.position)
            if token is None:
                return None
            self.position = token.end()
            alive = self._field(level, token) if level.kind == "field" else self._text(level, token)
            if not alive:
                return None
        return Interpolation(self.position, self.modern)

    def _text(self, level: _Level, token: re.Match[str]) -> bool:
        found = token.group()
        if found[0] in "\"'":
            if found.startswith(level.marks):
                self.position = token.start() + len(level.marks)
                if level.kind == "specification":
                    return False
                self.levels.pop()
            elif len(found) == 3:
                self.position = token.start() + 1
        elif level.kind == "specification" and found in ("{{", "}}"):
            # A specification has no doubled braces: read one at a time.
            self.position = token.start() + 1
            return self._brace(level, found[0])
        elif found in ("{", "}"):
            return self._brace(level, found)
        elif found == "\n":
            return len(level.marks) == 3
        return True

    def _brace(self, level: _Level, brace: str) -> bool:
        if brace == "{":
            self.levels.append(_Level("field", level.marks))
            return True
        if level.kind != "specification":
            return False
        self.levels.pop()
        self.levels.pop()
        return True

    def _field(self, level: _Level, token: re.Match[str]) -> bool:
        found = token.group()
        if found[0] in "\"'":
            return self._nested(level, token)
        if found in "([{":
            level.brackets += 1
        elif found in ")]}":
            level.brackets -= 1
            if level.brackets < 0:
                self.levels.pop()
                return found == "}"
        elif found == ":":
            if not level.brackets:
                self.levels.append(_Level("specification", level.marks))
        elif found == "#":
            self.modern = True
            newline = self.text.find("\n", self.position)
            self.position = newline if newline >= 0 else len(self.text)
        elif found == "\\" or len(level.marks) == 1:
            self.modern = True
        return True

    def _nested(self, level: _Level, token: re.Match[str]) -> bool:
        """A literal inside a replacement field."""
        quote = token.start()
        marks = opening(self.text, quote)
        if not self.modern:
            self.modern = any(marks[0] == outer.marks[0] and len(marks) >= len(outer.marks) for outer in self.levels)
        prefix = prefix_of(self.text, quote)
        self.position = quote + len(marks)
        if "f" in prefix or "t" in prefix:
            self.levels.append(_Level("text", marks))
            return True
        end = _BODY[marks].match(self.text, self.position)
        if end is None:
            return False
        self.position = end.end()
        return True
