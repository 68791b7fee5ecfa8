"""The passage of a text that an edit needs to see: the smallest whole statement around it, as whole lines.

A passage can be parsed alone, so broken code, magics and generated statements elsewhere in the file do not matter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from mlsys_advise.fixing.refusal import Refusal


class Region(msgspec.Struct, frozen=True, order=True):
    """A range in the text: lines start at 1, columns at 0 and count code points."""

    line: int
    column: int
    end_line: int
    end_column: int


class Passage(msgspec.Struct, frozen=True):
    """Whole lines, from ``first`` to ``last``, that hold one statement or several beside each other."""

    first: int
    last: int


def around(tree: ast.Module, lines: Sequence[str], regions: Iterable[Region], *, block: bool = False) -> Passage:
    """The smallest passage that holds all regions; with ``block`` the one with the whole block in which they stand.

    Raises Refusal if no statement holds them, as where they stand in different ones of the module.
    """
    wanted = tuple(regions)
    first, last = min(region.line for region in wanted), max(region.end_line for region in wanted)
    found: Passage | None = None
    bodies: list[list[ast.stmt]] = [tree.body]
    while bodies:
        body = bodies.pop()
        for statement in body:
            begin, end = begins(statement), statement.end_lineno or statement.lineno
            if begin <= first and last <= end:
                inner = block and begin == first and found is not None
                if not inner and _opens_its_line(begin, statement, lines):
                    found = Passage(begin, _with_neighbours(body, end))
                bodies = list(_bodies(statement))
                break
    if found is None:
        raise Refusal("no single statement holds what has to be changed")
    return found


def begins(statement: ast.stmt) -> int:
    """The line on which a statement begins, decorators included."""
    decorators = getattr(statement, "decorator_list", None)
    return min(decorators[0].lineno, statement.lineno) if decorators else statement.lineno


def _opens_its_line(begin: int, statement: ast.stmt, lines: Sequence[str]) -> bool:
    line = lines[begin - 1].lstrip(" \t\f")
    column = len(lines[begin - 1]) - len(line)
    starts = (
        line.startswith("@") or len(lines[begin - 1].encode()[: statement.col_offset].decode(errors="ignore")) == column
    )
    return starts and not (isinstance(statement, ast.If) and line.startswith("elif"))


def _with_neighbours(body: Sequence[ast.stmt], last: int) -> int:
    """The last line, once what stands behind a semicolon on it is taken in whole."""
    for statement in body:
        if statement.lineno <= last < (statement.end_lineno or last):
            last = statement.end_lineno or last
    return last


def _bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for handler in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield handler.body
