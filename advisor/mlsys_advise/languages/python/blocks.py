"""Puts logical lines, each valid by itself, into blocks that are valid together.

Invariant: whatever the indentation and whatever headers are missing, the lines that come out nest as Python demands;
no statement is dropped, and none moves to another line.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Stands for code that cannot be read: a name that resolves to nothing.
UNKNOWN = "_"
#: The tokenizer refuses the hundredth level of indentation.
_DEEPEST = 98

_CONTINUES = {
    "elif": frozenset({"if", "elif"}),
    "else": frozenset({"if", "elif", "for", "async for", "while", "except"}),
    "except": frozenset({"try", "except"}),
    "finally": frozenset({"try", "except", "else"}),
}
CONTINUATIONS = frozenset(_CONTINUES)
_STARTS_CHAIN = frozenset({"if", "for", "async for", "while", "try"})
_DECORATED = frozenset({"def", "async def", "class", "@"})


class Line:
    """A logical line on its way into a block: ``code`` replaces its text, ``indentation`` what stands before it.

    ``code`` may be shorter than the text by some lines, never longer.
    """

    __slots__ = ("changed", "code", "columns", "indentation", "lost", "opens", "word")

    def __init__(self, code: str, word: str, opens: bool, indentation: str, columns: int, changed: bool) -> None:
        self.code = code
        #: The code is no longer the original's.
        self.changed = changed
        self.word = word
        self.opens = opens
        self.indentation = indentation
        self.columns = columns
        #: Its meaning was given up here, to make the lines around it fit.
        self.lost = False

    def become(self, code: str, word: str) -> None:
        self.code = code
        self.word = word
        self.lost = self.changed = True

    def become_plain(self) -> None:
        """What leads a block leads it still, under a header that needs no partner."""
        self.become(f"if {UNKNOWN}:" if self.opens else "pass", "if" if self.opens else "")

    def close(self) -> None:
        """Gives a header without a body an empty one."""
        self.opens = False
        if self.word == "match":
            self.become("pass", "")
        else:
            self.code += " pass"
            self.changed = True


class _Block:
    """The statements of one block so far."""

    __slots__ = ("cases", "decorators", "head", "last", "match", "open_try")

    def __init__(self, header: Line | None) -> None:
        #: First and last keyword of the compound statement that may still go on.
        self.head = ""
        self.last = ""
        self.open_try: Line | None = None
        self.decorators: list[Line] = []
        self.match = header if header is not None and header.word == "match" else None
        self.cases: list[Line] = []

    def add(self, line: Line) -> None:
        if self.decorators and line.word not in _DECORATED:
            self._drop_decorators()
        if self.match is not None and line.word != "case":
            self._drop_match()
        if line.word == "case":
            if self.match is None:
                line.become_plain()
            else:
                self.cases.append(line)
        if line.word in _CONTINUES:
            if self.last == "try" and not self._continues(line.word):
                self._end_chain()
            if self._continues(line.word):
                self.last = line.word
                if line.word in ("except", "finally"):
                    self.open_try = None
                return
            line.become_plain()
        self._end_chain()
        self.head = self.last = line.word if line.word in _STARTS_CHAIN else ""
        if line.word == "try":
            self.open_try = line
        elif line.word == "@":
            self.decorators.append(line)
        else:
            self.decorators.clear()

    def end(self) -> None:
        """Nothing follows in this block."""
        self._drop_decorators()
        self._end_chain()

    def _continues(self, word: str) -> bool:
        return self.last in _CONTINUES[word] and (word != "finally" or self.head == "try")

    def _end_chain(self) -> None:
        if self.open_try is not None:
            self.open_try.become_plain()
            self.head = self.last = self.open_try.word
            self.open_try = None

    def _drop_decorators(self) -> None:
        for line in self.decorators:
            line.become("pass", "")
        self.decorators.clear()

    def _drop_match(self) -> None:
        """A block that holds other statements than cases is not that of a ``match``."""
        for line in (self.match, *self.cases):
            if line is not None:
                line.become_plain()
        self.match = None
        self.cases.clear()


class _Level:
    """An indentation: its width in the text, the characters to write for it, the block it belongs to."""

    __slots__ = ("block", "columns", "indentation")

    def __init__(self, columns: int, indentation: str, block: _Block) -> None:
        self.columns = columns
        self.indentation = indentation
        self.block = block


def arrange(lines: Sequence[Line]) -> None:
    """Changes indentation and code of ``lines`` where they do not nest; a valid sequence stays as it is."""
    levels = [_Level(0, "", _Block(None))]
    previous: Line | None = None
    for line in lines:
        if previous is not None and previous.opens:
            _enter(levels, line, previous)
        _settle(levels, line)
        levels[-1].block.add(line)
        line.indentation = levels[-1].indentation
        previous = line
    if previous is not None and previous.opens:
        previous.close()
    while levels:
        _leave(levels)


def _enter(levels: list[_Level], line: Line, header: Line) -> None:
    """Opens the block under ``header``, or closes it at once where the line is not in it."""
    outer = levels[-1]
    if line.columns <= outer.columns or len(levels) > _DEEPEST:
        header.close()
        return
    inner = line.indentation
    if not inner.startswith(outer.indentation) or len(inner) <= len(outer.indentation):
        inner = outer.indentation + " "
    levels.append(_Level(line.columns, inner, _Block(header)))


def _settle(levels: list[_Level], line: Line) -> None:
    """Leaves the levels that the line is not in; a line between two levels goes to the nearer one."""
    while len(levels) > 1 and levels[-2].columns >= line.columns:
        _leave(levels)
    level = levels[-1]
    if len(levels) > 1 and line.columns < level.columns:
        if line.columns - levels[-2].columns < level.columns - line.columns:
            _leave(levels)
            level = levels[-1]
    if line.columns > level.columns:
        # Deeper without a header: another level of the text, but no block of its own.
        levels.append(_Level(line.columns, level.indentation, level.block))


def _leave(levels: list[_Level]) -> None:
    level = levels.pop()
    if not levels or levels[-1].block is not level.block:
        level.block.end()
