"""Cuts Python text, broken or not, into logical lines: statements as the tokenizer sees them, headers without bodies.

Invariant: every logical line ends, whatever is wrong in the text. A bracket or string that is never closed ends where
the code after it plainly starts anew, and its line is marked ``broken``; the work stays linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from mlsys_advise.languages.python.grammar import stands_alone
from mlsys_advise.languages.python.string_literals import Literals, opening

#: Statements that carry a block.
COMPOUND = frozenset(
    {
        *("if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "match", "case"),
        *("async def", "async for", "async with"),
    }
)
#: Keywords only where the line ends in a colon.
SOFT = frozenset({"match", "case"})

#: Strings that one file may have lost a quote of; each costs a pass.
_MOST_CUTS = 3

#: Brackets that the parser nests at most; looking deeper would take quadratic time.
_DEEPEST = 200

_INDENT = re.compile(r"[ \t\f]*")
_WORD = re.compile(r"async[ \t]+(?:def|for|with)\b|@|[A-Za-z_]\w*")
_TOKEN = re.compile(r"[#'\"()\[\]{}\n]|\\\n")
_OPENS = frozenset("([{")
_CLOSES = {")": "(", "]": "[", "}": "{"}
#: Keywords that no expression can hold: inside brackets they prove that a bracket was never closed.
_PROOF = re.compile(
    r"[ \t\f]*(?:(?:def|class|return|import|while|with|try|raise|del|global|nonlocal|assert|pass|break|continue"
    r"|except|finally|elif)\b|from[ \t]+[.\w]+[ \t]+import\b|@\w)"
)
#: What starts a line of code, as opposed to prose or the rest of an expression.
_CODE = re.compile(
    r"(?:(?:async[ \t]+)?(?:def|for|with)|class|return|import|from|while|try|if|raise|del|assert|except|elif|yield)\b"
    r"|@\w|[A-Za-z_][\w.]*(?:\[[^\]]*\])?[ \t]*(?::[^=\n]+|[-+*/%|&^])?(?:=(?!=)|\()"
)


class LogicalLine:
    """One statement, or the header of one; offsets into the text, physical lines from 0, ``last`` inclusive."""

    __slots__ = ("broken", "end", "first", "indent", "last", "margin", "opens", "start", "word")

    def __init__(self, start: int, first: int, margin: str) -> None:
        self.start = start
        self.end = start
        self.first = first
        self.last = first
        #: The white space before it, and its width in columns: a tab goes to the next multiple of eight.
        self.margin = margin
        self.indent = _width(margin)
        #: The leading keyword (``async`` with the next one), ``@`` for a decorator, else whatever name comes first.
        self.word = ""
        #: The line ends in a colon, so that an indented block must follow.
        self.opens = False
        #: Brackets or strings do not close: certainly not valid.
        self.broken = False

    def code(self, text: str) -> str:
        """The statement without its indentation and without a comment behind it."""
        return text[self.start : self.end]


def logical_lines(text: str, foreign: re.Pattern[str] | None = None) -> list[LogicalLine]:
    """The logical lines of a text whose line endings are ``\n``; blank lines and comments belong to none.

    Where one starts with what ``foreign`` matches, it is another language's: it ends with its line, whatever brackets
    and quotes it holds, unless a backslash continues it.
    """
    cuts: dict[int, int] = {}
    while True:
        scan = _Scan(text, cuts, foreign)
        scan.run()
        culprit = scan.culprit() if scan.unterminated and len(cuts) < _MOST_CUTS else None
        if culprit is None:
            return scan.found
        start, line = culprit
        cuts[start] = line


class _LongString(msgspec.Struct, frozen=True):
    """A triple-quoted string over several lines: offsets, first line and last, indentation of its statement."""

    start: int
    first: int
    last: int
    indent: int


class _Scan:
    """One pass over the text. ``cuts`` maps the offset of a string to the line (from 0) before which it must end."""

    def __init__(self, text: str, cuts: dict[int, int], foreign: re.Pattern[str] | None) -> None:
        self.text = text
        self.foreign = foreign
        self.cuts = cuts
        self.literals = Literals(text)
        self.found: list[LogicalLine] = []
        #: By offset, since the lines behind a forgotten bracket are read twice.
        self.long_strings: dict[int, _LongString] = {}
        #: Some triple-quoted string runs to the end of the text; it is then the last of ``long_strings``.
        self.unterminated = False
        #: Before this offset a bracket ends at the first line that does not look like its continuation.
        self.eager_before = 0
        self.offsets = [0, *(newline.end() for newline in re.finditer("\n", text)), len(text) + 1]

    def run(self) -> None:
        line, lines = 0, len(self.offsets) - 1
        while line < lines:
            start = _INDENT.match(self.text, self.offsets[line]).end()  # type: ignore[union-attr]  # it always matches
            if self.text[start : start + 1] in ("", "#", "\n"):
                line += 1
                continue
            found = LogicalLine(start, line, self.text[self.offsets[line] : start])
            if self.foreign and self.foreign.match(self.text, start):
                self._read_foreign(found)
            else:
                self._read(found)
            self._describe(found)
            self.found.append(found)
            line = found.last + 1

    def _indentation(self, position: int) -> tuple[int, int]:
        """The offset of the first character behind the indentation, and its width in columns."""
        start = _INDENT.match(self.text, position).end()  # type: ignore[union-attr]  # it always matches
        return start, _width(self.text[position:start])

    def _read_foreign(self, found: LogicalLine) -> None:
        line = found.first
        while line + 2 < len(self.offsets) and self.text[self.offsets[line + 1] - 2] == "\\":
            line += 1
        found.last, found.end = line, self.offsets[line + 1] - 1

    def _read(self, found: LogicalLine) -> None:
        """Finds where the statement ends."""
        text, position, line = self.text, found.start, found.first
        brackets: list[str] = []
        continued: list[int] = []
        while True:
            token = _TOKEN.search(text, position)
            if token is None:
                if brackets:
                    self._end_early(found, continued, line + 1)
                else:
                    found.last, found.end = line, len(text)
                return
            kind, position = token.group(), token.end()
            if kind in _OPENS:
                brackets.append(kind)
            elif kind in _CLOSES:
                found.broken |= not _close(brackets, _CLOSES[kind])
            elif kind == "\\\n":
                line += 1
            elif kind == "\n":
                if not brackets:
                    found.last, found.end = line, token.start()
                    return
                line += 1
                continued.append(line)
                if self._starts_anew(found, position):
                    self._end_early(found, continued, line)
                    return
            elif kind == "#":
                if not brackets:
                    found.last, found.end = line, token.start()
                    return
                position = self.offsets[line + 1] - 1
            else:
                end = self._string(found, token.start(), line)
                if end is None:
                    return
                line += text.count("\n", position, end)
                position = end

    def _string(self, found: LogicalLine, start: int, line: int) -> int | None:
        """The end of the string literal whose quote is at ``start``; ``None`` where the statement ends with it."""
        cut = self.cuts.get(start)
        if cut is not None:
            self._end_before(found, cut)
            return None
        end = self.literals.end(start)
        if len(opening(self.text, start)) == 1:
            if end is None:
                found.broken = True
                return self.offsets[line + 1] - 1
            return end
        if end is None:
            lines = len(self.offsets) - 1
            self.unterminated = True
            self.long_strings[start] = _LongString(start, line, lines - 1, found.indent)
            self._end_before(found, lines)
            return None
        last = line + self.text.count("\n", start, end)
        if last > line:
            self.long_strings[start] = _LongString(start, line, last, found.indent)
        return end

    def _starts_anew(self, found: LogicalLine, position: int) -> bool:
        """Whether the line at ``position``, inside brackets of ``found``, belongs to another statement."""
        if _PROOF.match(self.text, position):
            return True
        return (found.broken or position < self.eager_before) and self._leaves(found, position)

    def _leaves(self, found: LogicalLine, position: int) -> bool:
        """Whether the line is indented no more than the statement and does not close a bracket of it."""
        start, indent = self._indentation(position)
        return indent <= found.indent and self.text[start : start + 1] not in ("", "\n", "#", ")", "]", "}")

    def _end_early(self, found: LogicalLine, continued: list[int], proof: int) -> None:
        """Ends a statement whose bracket is still open at line ``proof``, where other code certainly begins.

        ``continued`` are the lines that begin inside its brackets: the first that looks like code of its own is where
        the bracket was forgotten.
        """
        self.eager_before = max(self.eager_before, self.offsets[proof])
        header = _leading_word(self.text, found.start) in COMPOUND
        for line in continued:
            if self._leaves(found, self.offsets[line]) or (header and self._starts_body(line)):
                proof = line
                break
        self._end_before(found, proof)

    def _starts_body(self, line: int) -> bool:
        """Whether a line behind an unfinished header reads like the first of its block."""
        start, _ = self._indentation(self.offsets[line])
        header = self.text[self.offsets[line - 1] : self.offsets[line] - 1]
        return header.rstrip().endswith(":") or _CODE.match(self.text, start) is not None

    def _end_before(self, found: LogicalLine, line: int) -> None:
        found.broken = True
        found.last, found.end = line - 1, self.offsets[line] - 1

    def _describe(self, found: LogicalLine) -> None:
        code = self.text[found.start : found.end].rstrip(" \t\f\n")
        found.end = found.start + len(code)
        found.word = _leading_word(code, 0)
        found.opens = code.endswith(":") and found.word in COMPOUND and not found.broken
        if found.word in SOFT and not code.endswith(":"):
            found.word = ""

    def culprit(self) -> tuple[int, int] | None:
        """The string that lost its closing quote, or stands where an opening one was lost, and the line of code it
        swallowed; ``None`` where no string holds code.

        Behind the culprit, strings and code have changed places: so it is where strings begin to hold code.
        """
        strings = list(self.long_strings.values())
        swallowed = [self._swallowed(string) for string in strings[:-1]]
        swallowed.append(self._overrun(strings[-1]) or self._swallowed(strings[-1]))
        best, score = len(swallowed), 0
        balance = 0
        for index in range(len(swallowed) - 1, -1, -1):
            balance += 1 if swallowed[index] is not None else -1
            if balance > score:
                best, score = index, balance
        for string, line in zip(strings[best:], swallowed[best:], strict=True):
            if line is not None:
                return string.start, self._overrun(string) or line
        return None

    def _swallowed(self, string: _LongString) -> int | None:
        """The first line in the string that is a line of code, no deeper than the statement which holds the string."""
        return next((line for line, indent in self._code_in(string) if indent <= string.indent), None)

    def _overrun(self, string: _LongString) -> int | None:
        """The first line of code at any depth in the string, unless most of the string looks like prose."""
        code = [line for line, _ in self._code_in(string)]
        lines = self.text[self.offsets[string.first + 1] : self.offsets[string.last + 1]].split("\n")
        return code[0] if code and len(code) * 3 >= sum(1 for line in lines if line.strip()) else None

    def _code_in(self, string: _LongString) -> Iterator[tuple[int, int]]:
        """The lines of a string that could be statements, with their indentation."""
        for line in range(string.first + 1, string.last + 1):
            start, indent = self._indentation(self.offsets[line])
            if _CODE.match(self.text, start):
                code = self.text[start : self.offsets[line + 1] - 1].rstrip()
                if stands_alone(code, _leading_word(code, 0)):
                    yield line, indent


def _close(brackets: list[str], opener: str) -> bool:
    """Takes the brackets from the stack down to ``opener``; whether it was the topmost."""
    if brackets and brackets[-1] == opener:
        brackets.pop()
        return True
    if opener in brackets[-_DEEPEST:]:
        while brackets.pop() != opener:
            pass
    return False


def _leading_word(text: str, position: int) -> str:
    found = _WORD.match(text, position)
    return " ".join(found.group().split()) if found else ""


def _width(indentation: str) -> int:
    """Columns; a tab goes to the next multiple of eight, a form feed back to the first column."""
    if "\t" not in indentation and "\f" not in indentation:
        return len(indentation)
    return len(indentation.rpartition("\f")[2].expandtabs(8))
