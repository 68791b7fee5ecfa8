"""A file as fixes see it: its text and tree, and the way from edits to replacements and back to bytes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from mlsys_advise.edit import AddImport, Edit, Fix, HoistStatement, RemoveStatement
from mlsys_advise.finding import Notice
from mlsys_advise.fixing import imports, notebook_file, rewriting
from mlsys_advise.fixing.passage import Region, around, begins
from mlsys_advise.fixing.refusal import Refusal
from mlsys_advise.fixing.replacement import Replacement, applied, between
from mlsys_advise.languages import notebook, source
from mlsys_advise.languages.python.parsing import parse
from mlsys_advise.span import Span

_LINE_END = re.compile("\r\n|\r|\n")
_STEP = " " * 4


class Fixable:
    """One Python file or notebook, by its bytes.

    Raises Refusal if it cannot be read.
    """

    def __init__(self, data: bytes, path: str) -> None:
        self.path = path
        self._data = data
        self._notebook = path.endswith(".ipynb")
        if self._notebook:
            read = notebook.decode_notebook(data, path)
            if isinstance(read, Notice):
                raise Refusal(read.message)
            self._source, code, sections = read.source, read.code, read.sections
        else:
            decoded = source.decode(data, path)
            if isinstance(decoded, Notice):
                raise Refusal(decoded.message)
            self._source, code, sections = decoded, decoded.text, ()
        parsed = parse(code, path, sections=sections)
        self._tree = parsed.tree
        self.broken = len(parsed.masked)

    def replacements(self, fix: Fix) -> tuple[Replacement, ...]:
        """What a fix changes in the text. Raises Refusal if it cannot be carried out here."""
        edits = [edit for edit in fix.edits if not isinstance(edit, AddImport)]
        changes = list(self._rewritten(edits)) if edits else []
        first = min((change.line for change in changes), default=len(self._source.lines) + 1)
        for edit in fix.edits:
            if isinstance(edit, AddImport):
                changes += imports.added(edit, self._tree, self._source.lines, self._top(first), first)
        return tuple(changes)

    def _rewritten(self, edits: Sequence[Edit]) -> tuple[Replacement, ...]:
        lines = self._source.lines
        regions = [self._region(span) for edit in edits for span in _spans(edit)]
        # Whether a statement leaves an empty block behind shows in the block.
        leaves = any(isinstance(edit, RemoveStatement | HoistStatement) for edit in edits)
        passage = around(self._tree, lines, regions, block=leaves)
        first = self._above_comments(passage.first)
        old = lines[first - 1 : passage.last]
        new = rewriting.rewritten(old, edits, self._region, first, self._step())
        # A line beside it, of the same cell, lets a passage that vanishes take its line end along.
        if passage.last < len(lines) and passage.last + 2 not in {cell.line for cell in self._source.cells}:
            below = lines[passage.last]
            return between([*old, below], [*new, below], first)
        above = lines[first - 2 : first - 1]
        return between([*above, *old], [*above, *new], first - len(above))

    def _above_comments(self, first: int) -> int:
        """The first of the comments right above a line: what is put in front of a statement stands above them, too."""
        lines = self._source.lines
        while first > 1 and lines[first - 2].lstrip().startswith("#"):
            if _indent(lines, first - 1) != _indent(lines, first):
                break
            first -= 1
        return first

    def with_changes(self, changes: Sequence[Replacement]) -> bytes:
        """The bytes of the file once the changes are made. Raises Refusal if they cannot be written in it."""
        if self._notebook:
            return notebook_file.with_changes(self._data, self._source.cells, changes)
        return _encoded(self._data, changes)

    def located(self, change: Replacement) -> tuple[Span, str]:
        """A replacement with the span, counted in its cell, by which people and editors know it."""
        span = Span(change.line, change.column + 1, change.end_line, change.end_column + 1)
        for cell in self._source.cells:
            if cell.line <= change.line:
                before = cell.line - 1
                span = Span(
                    change.line - before,
                    change.column + 1,
                    change.end_line - before,
                    change.end_column + 1,
                    cell.number,
                )
        return span, change.content

    def _region(self, span: Span) -> Region:
        before = 0
        if span.cell:
            before = next((cell.line - 1 for cell in self._source.cells if cell.number == span.cell), 0)
        return Region(span.line + before, span.column - 1, span.end_line + before, span.end_column - 1)

    def _top(self, near: int) -> int:
        """The first line on which an import may stand where there is none: in a notebook, that of the cell."""
        if self._source.cells:
            return max((cell.line for cell in self._source.cells if cell.line <= near), default=1)
        return 1

    def _step(self) -> str:
        """One step of indentation, as the first block of the file shows it."""
        for node in ast.walk(self._tree):
            for name in ("body", "orelse", "finalbody"):
                body = getattr(node, name, None)
                if isinstance(node, ast.stmt) and isinstance(body, list) and body and begins(body[0]) > node.lineno:
                    outer, inner = (
                        _indent(self._source.lines, begins(node)),
                        _indent(self._source.lines, begins(body[0])),
                    )
                    if inner.startswith(outer) and inner != outer:
                        return inner[len(outer) :]
        return _STEP


def _spans(edit: Edit) -> Iterable[Span]:
    """The places that an edit names."""
    return (value for name in edit.__struct_fields__ if isinstance(value := getattr(edit, name), Span))


def _indent(lines: Sequence[str], number: int) -> str:
    line = lines[number - 1]
    return line[: len(line) - len(line.lstrip())]


def _encoded(data: bytes, changes: Sequence[Replacement]) -> bytes:
    """The bytes with the changes, in the encoding and with the line ends of the file."""
    encoding, mark = source.encoding_of(data)
    text = data[len(mark) :].decode(encoding)
    ends = _LINE_END.findall(text)
    lines = _LINE_END.split(text)
    for change in sorted(changes, reverse=True):
        new = applied(lines[change.line - 1 : change.end_line], [change.moved(1 - change.line)])
        here = ends[change.line - 1 : change.end_line - 1]
        usual = ends[change.line - 1] if change.line <= len(ends) else (ends[-1] if ends else "\n")
        lines[change.line - 1 : change.end_line] = new
        ends[change.line - 1 : change.end_line - 1] = [*here, *[usual] * (len(new) - 1)][: len(new) - 1]
    whole = "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))
    try:
        return mark + whole.encode(encoding)
    except UnicodeEncodeError:
        raise Refusal(f"the file is encoded in {encoding}, which cannot hold the change") from None
