"""From Python text to a syntax tree, whatever state the text is in.

Invariant: ``parse`` raises nothing and prints nothing for any text. What could not be read is masked and said in a
notice; every other statement is in the tree at its own position.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from mlsys_advise.finding import Notice
from mlsys_advise.languages.python.grammar import PARSE_ERRORS, TOO_DEEP, is_too_deep, message_of, tree_of
from mlsys_advise.languages.python.masking import Diagnosis, MaskedRange, Masking
from mlsys_advise.languages.source import without_surrogates


class Parsed(msgspec.Struct, frozen=True):
    """A tree with the lines that are missing from it. ``await`` outside a function is in it like any expression."""

    tree: ast.Module
    masked: tuple[MaskedRange, ...] = ()
    notices: tuple[Notice, ...] = ()


def parse(text: str, path: str = "", *, sections: Sequence[int] = ()) -> Parsed:
    """The tree of a text whose line endings are ``\\n``, its broken statements masked.

    ``sections`` are the first lines (from 1, ascending) of parts that were written independently, such as the cells
    of a notebook: what is broken in one harms no other.
    """
    try:
        return Parsed(tree_of(text))
    except PARSE_ERRORS as error:
        if "\0" in text:
            return _unreadable(path, "holds null bytes, so it is not Python code: skipped")
        if isinstance(error, UnicodeEncodeError):
            return parse(without_surrogates(text), path, sections=sections)
        return _parse_broken(text, path, sections, error)


def _parse_broken(text: str, path: str, sections: Sequence[int], error: BaseException) -> Parsed:
    parts = _cut(text, sections)
    if len(parts) == 1:
        return _Report(path).with_masks(text, error)
    report = _Report(path)
    for part in parts:
        fault = _fault(part)
        if fault is None:
            report.keep(part)
        else:
            report.mask(part, fault)
    return report.joined() or _Report(path).with_masks(text, error)


def _cut(text: str, sections: Sequence[int]) -> list[str]:
    """The sections, each without its last line end; what stands before the first one counts as a section, too."""
    lines = text.split("\n")
    bounds = [0, *(first - 1 for first in sections if first > 1), len(lines)]
    return ["\n".join(lines[start:end]) for start, end in pairwise(bounds)]


def _fault(text: str) -> BaseException | None:
    try:
        tree_of(text)
    except PARSE_ERRORS as error:
        return error
    return None


class _Report:
    """Gathers the parts of one text, what is masked in them and what there is to say about it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.parts: list[str] = []
        self.maskings: list[tuple[int, Masking]] = []
        self.masked: list[MaskedRange] = []
        self.notices: list[Notice] = []
        self.before = 0

    def with_masks(self, text: str, error: BaseException) -> Parsed:
        """The whole text as one part."""
        tree = self.mask(text, error)
        return self._parsed(tree or ast.Module(body=[], type_ignores=[]))

    def keep(self, part: str) -> None:
        self.parts.append(part)
        self.before += part.count("\n") + 1

    def mask(self, part: str, error: BaseException) -> ast.Module | None:
        """Takes in a broken part; the tree of it alone, where masks could be found."""
        masking = Masking(part)
        tree = masking.run(error)
        if tree is None:
            last = part.count("\n") + 1
            self.masked.append(MaskedRange(self.before + 1, self.before + last))
            self.notices.append(Notice(self.path, f"syntax error: {message_of(error)}; skipped", self._line(error)))
            self.keep("\n" * (last - 1))
            return None
        self.masked += [MaskedRange(lines.first + self.before, lines.last + self.before) for lines in masking.masked()]
        self.notices += self._said(masking.diagnosis, error)
        self.maskings.append((self.before, masking))
        self.keep(masking.masked_text())
        return tree

    def joined(self) -> Parsed | None:
        """All parts in one tree."""
        try:
            tree = tree_of("\n".join(self.parts))
        except PARSE_ERRORS:
            return None
        for before, masking in self.maskings:
            masking.restore_columns(tree, before)
        return self._parsed(tree)

    def _parsed(self, tree: ast.Module) -> Parsed:
        return Parsed(tree, tuple(self.masked), tuple(dict.fromkeys(self.notices)))

    def _said(self, found: Diagnosis, error: BaseException) -> list[Notice]:
        said = []
        if found.newer is not None:
            needed, running = (".".join(map(str, version)) for version in (found.newer.version, sys.version_info[:2]))
            said.append(
                f"uses {found.newer.feature} and needs Python {needed} to be read whole (this is Python {running})"
            )
        if found.too_deep:
            said.append(f"is {TOO_DEEP}: {_statements(found.too_deep)} skipped")
        # Where most of what is broken is Python 2, the rest is, too, though no pattern knows it.
        old = found.python_2 + (found.broken if found.python_2 > found.broken else 0)
        if old:
            said.append(f"is Python 2 code: {_statements(old)} skipped")
        notices = [Notice(self.path, message) for message in said]
        if found.line and old <= found.python_2:
            skipped = f"; {_statements(found.broken)} skipped" if found.broken else ""
            notices.append(Notice(self.path, f"syntax error: {found.message}{skipped}", self.before + found.line))
        elif not notices:
            # Every statement is valid, only their nesting is not.
            kind = "is" if is_too_deep(error) else "syntax error:"
            notices.append(Notice(self.path, f"{kind} {message_of(error)}", self._line(error)))
        return notices

    def _line(self, error: BaseException) -> int:
        return self.before + (getattr(error, "lineno", None) or 1)


def _statements(number: int) -> str:
    return "1 statement" if number == 1 else f"{number} statements"


def _message(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__


def _unreadable(path: str, reason: str) -> Parsed:
    return Parsed(ast.Module(body=[], type_ignores=[]), (), (Notice(path, reason),))
