"""Makes broken Python text parse by masking its broken statements, the smallest that explain the errors.

Invariant: the masked text has the same lines as the original, and every statement that is not masked stands on its own
line; where its indentation had to change, the columns in the tree are put back. The work is bounded: at most
``TRIES`` parses of the whole, and linear time between them.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from typing import cast

import msgspec

from mlsys_advise.languages.python.blocks import CONTINUATIONS, UNKNOWN, Line, arrange
from mlsys_advise.languages.python.grammar import (
    PARSE_ERRORS,
    TOO_DEEP,
    complaint,
    is_too_deep,
    message_of,
    stands_alone,
    tree_of,
)
from mlsys_advise.languages.python.logical_lines import COMPOUND, LogicalLine, logical_lines
from mlsys_advise.languages.python.newer_syntax import Rewritten, rewritten

TRIES = 8
#: Levels of nesting that are searched for the smallest statement that is too deep.
_DEEPEST_MASK = 8

_NAME = re.compile(r"(?:async[ \t]+)?(?:def|class)[ \t]+([A-Za-z_]\w*)")
_PYTHON_2 = re.compile(
    r"""(?:[^#"'\n]*:[ \t]*)?
    (?: print\b(?![ \t]*[(.=])[ \t]*\S | exec[ \t]+[\w"'] | except\b[^,]+,[ \t]*[a-z_]\w*[ \t]*:
      | raise[ \t]+[\w.]+[ \t]*,[ \t]*["'\w] | \w[\w.]*[ \t]*=[ \t]*ur["'])""",
    re.VERBOSE,
)


class MaskedRange(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Lines (from 1, ``last`` inclusive) whose statements are not in the tree."""

    first: int
    last: int


class Diagnosis(msgspec.Struct):
    """What was wrong with a text, for the notices: numbers of statements that were masked, the first fault, the newest
    syntax met."""

    broken: int = 0
    python_2: int = 0
    too_deep: int = 0
    newer: Rewritten | None = None
    message: str = ""
    line: int = 0

    def add_fault(self, message: str, line: int, masked: bool = True) -> None:
        """Counts a broken statement; the first one in the text gives line and message."""
        self.broken += masked
        if not self.line or line < self.line:
            self.message, self.line = message, line


class _Form(msgspec.Struct, frozen=True):
    """What to write instead of a statement."""

    code: str
    opens: bool = False
    word: str = ""
    lost: bool = True


_GONE = _Form("")
_PASS = _Form("pass")


class Masking:
    """The masks of one broken text; ``run`` looks for those that make it parse."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = logical_lines(text)
        self.diagnosis = Diagnosis()
        self._firsts = [line.first for line in self.lines]
        self._forms: dict[int, _Form] = {}
        self._arranged: list[tuple[int, Line]] = []
        self._judged: set[int] = set()

    def run(self, error: BaseException) -> ast.Module | None:
        """The tree of the masked text, ``error`` being what the parser raised for the original; ``None`` after
        ``TRIES`` parses in vain."""
        for attempt in range(TRIES):
            self._learn(error, attempt)
            try:
                tree = tree_of(self.masked_text())
            except PARSE_ERRORS as caught:
                error = caught
            else:
                self.restore_columns(tree)
                return tree
        return None

    def _learn(self, error: BaseException, attempt: int) -> None:
        """Masks what the error points at, casting the net wider with every attempt."""
        if attempt >= TRIES - 2 or (attempt and not isinstance(error, SyntaxError)):
            self._mask_blocks()
        elif attempt == 1 or not isinstance(error, SyntaxError):
            for index in range(len(self.lines)):
                self._mend(index)
        elif attempt == 0:
            self._mend_certain()
            self._mend_around(self._at(error))
        else:
            index = self._at(error)
            while index > 0 and self._forms.get(index) in (_PASS, _GONE):
                index -= 1
            self._put(index, _PASS)

    def _at(self, error: SyntaxError) -> int:
        """The statement of an error, the last one where the parser does not say."""
        line = error.lineno if error.lineno is not None else len(self.text)
        return max(bisect_right(self._firsts, line - 1) - 1, 0)

    def _mend_certain(self) -> None:
        for index, line in enumerate(self.lines):
            if line.broken:
                self._mend(index)

    def _mend_around(self, index: int) -> None:
        """Mends a statement and, where it is broken, the broken ones that touch it: prose comes in paragraphs."""
        for step in (1, -1):
            at = index
            while 0 <= at < len(self.lines) and self._mend(at):
                at += step

    def _mend(self, index: int) -> bool:
        """Gives a broken statement a form that is valid by itself; whether it was broken."""
        if index not in self._judged:
            self._judged.add(index)
            line = self.lines[index]
            code = line.code(self.text)
            fault = complaint(code, line.word)
            if line.broken or fault:
                self._put(index, self._form(line, code, fault))
        return index in self._forms

    def _form(self, line: LogicalLine, code: str, fault: str) -> _Form:
        word = line.word
        if word in COMPOUND and not line.broken and not line.opens and stands_alone(code + ":", word):
            # Only the colon is missing, which is what happens while one types.
            self.diagnosis.add_fault(fault, line.first + 1, masked=False)
            return _Form(code + ":", opens=True, word=word, lost=False)
        newer = rewritten(code, word)
        if newer is not None:
            if self.diagnosis.newer is None or newer.version > self.diagnosis.newer.version:
                self.diagnosis.newer = newer
            return _Form(newer.code, opens=line.opens, word=word, lost=newer.lost)
        if fault == TOO_DEEP:
            self.diagnosis.too_deep += 1
        elif _PYTHON_2.match(code):
            self.diagnosis.python_2 += 1
        else:
            self.diagnosis.add_fault(fault or "unfinished statement", line.first + 1)
        return _stub(word, code)

    def _put(self, index: int, form: _Form) -> None:
        self._forms[index] = form
        self._arranged = []

    def _mask_blocks(self) -> None:
        """Masks the smallest statements that do not parse, each with all that is in it, though each line of it does."""
        present = self._present()
        text = self.masked_text().split("\n")
        for start, end in _statements(present, 0, len(present)):
            error = self._block_error(present, text, start, end)
            for _ in range(_DEEPEST_MASK):
                if error is None:
                    break
                inner = ((one, self._block_error(present, text, *one)) for one in _statements(present, start + 1, end))
                found = next(((one, fault) for one, fault in inner if fault is not None), None)
                if found is None:
                    break
                (start, end), error = found
            if error is not None:
                self._mask_block([index for index, _ in present[start:end]], error)

    def _block_error(
        self, present: list[tuple[int, Line]], text: list[str], start: int, end: int
    ) -> BaseException | None:
        first, last = self.lines[present[start][0]].first, self.lines[present[end - 1][0]].last
        header = ["if 1:"] if present[start][1].indentation else []
        try:
            tree_of("\n".join([*header, *text[first : last + 1]]))
        except PARSE_ERRORS as error:
            return error
        return None

    def _mask_block(self, indices: list[int], error: BaseException) -> None:
        if is_too_deep(error):
            self.diagnosis.too_deep += 1
        else:
            self.diagnosis.add_fault(message_of(error), self.lines[indices[0]].first + 1)
        self._put(indices[0], _PASS)
        for index in indices[1:]:
            self._put(index, _GONE)

    def _present(self) -> list[tuple[int, Line]]:
        """The lines that are left, arranged, with their index."""
        if not self._arranged:
            lines = [self._line(index) for index in range(len(self.lines)) if self._forms.get(index) is not _GONE]
            arrange([line for _, line in lines])
            self._arranged = lines
        return self._arranged

    def _line(self, index: int) -> tuple[int, Line]:
        line = self.lines[index]
        form = self._forms.get(index)
        if form is None:
            return index, Line(line.code(self.text), line.word, line.opens, line.margin, line.indent, False)
        return index, Line(form.code, form.word, form.opens, line.margin, line.indent, True)

    def masked_text(self) -> str:
        """The text with each mask in its place; it has the lines of the original."""
        written = {
            index: line.indentation + line.code
            for index, line in self._present()
            if line.changed or line.indentation != self.lines[index].margin
        }
        written |= {index: "" for index, form in self._forms.items() if form is _GONE}
        pieces, done = [], 0
        for index in sorted(written):
            line = self.lines[index]
            missing = self.text.count("\n", line.start, line.end) - written[index].count("\n")
            pieces += [self.text[done : line.start - len(line.margin)], written[index], "\n" * missing]
            done = line.end
        return "".join([*pieces, self.text[done:]])

    def masked(self) -> list[MaskedRange]:
        """The lines whose meaning is not in the tree, in order, those that touch joined."""
        ranges: list[MaskedRange] = []
        present = dict(self._present())
        for index, line in enumerate(self.lines):
            form, kept = self._forms.get(index), present.get(index)
            if (form is None or not form.lost) and not (kept and kept.lost):
                continue
            if ranges and ranges[-1].last >= line.first:
                ranges[-1] = MaskedRange(ranges[-1].first, line.last + 1)
            else:
                ranges.append(MaskedRange(line.first + 1, line.last + 1))
        return ranges

    def restore_columns(self, tree: ast.Module, before: int = 0) -> None:
        """Puts back the columns of statements whose indentation was changed; ``before`` lines precede the text."""
        moved = {}
        for index, line in self._present():
            original = self.lines[index]
            difference = len(original.margin) - len(line.indentation)
            if difference:
                moved[original.first + 1 + before] = difference
        for node in ast.walk(tree) if moved else ():
            if "lineno" in node._attributes:
                placed = cast(ast.stmt, node)
                placed.col_offset += moved.get(placed.lineno, 0)
                if placed.end_lineno is not None and placed.end_col_offset is not None:
                    placed.end_col_offset += moved.get(placed.end_lineno, 0)


def _statements(lines: list[tuple[int, Line]], start: int, end: int) -> list[tuple[int, int]]:
    """The statements of the shallowest block between two lines, each from its first line, decorators included, to
    behind its last one. Between two branches of one statement there is the header of the second."""
    depth = min((len(line.indentation) for _, line in lines[start:end] if line.word not in CONTINUATIONS), default=0)
    found: list[tuple[int, int]] = []
    begun: int | None = None
    decorated = False
    for at in range(start, end):
        line = lines[at][1]
        width = len(line.indentation)
        begins = width == depth and not decorated and line.word not in CONTINUATIONS
        if begun is not None and (begins or width < depth):
            found.append((begun, at))
            begun = None
        if begins:
            begun = at
        decorated = width == depth and line.word == "@"
    return found if begun is None else [*found, (begun, end)]


def _stub(word: str, code: str) -> _Form:
    """What stands for a broken statement: a header of the same kind that says nothing, ``pass`` for the others."""
    name = _NAME.match(code)
    called = name.group(1) if name else UNKNOWN
    match word:
        case "def" | "async def":
            header = f"{word} {called}(*_, **__):"
        case "class":
            header = f"class {called}({UNKNOWN}):"
        case "for" | "async for":
            header = f"{word} {UNKNOWN} in {UNKNOWN}:"
        case "try" | "else" | "finally":
            header = f"{word}:"
        case "except" if re.match(r"except[ \t]*\*", code):
            header = f"except* {UNKNOWN}:"
        case "@":
            return _Form(f"@{UNKNOWN}", word="@")
        case _ if word in COMPOUND:
            header = f"{word} {UNKNOWN}:"
        case _:
            return _PASS
    return _Form(header, opens=True, word=word)
