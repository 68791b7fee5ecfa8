"""A marked example project as syntax trees, so that a rewrite moves the marks along with the statements.

A mark is a number; every statement that holds it is a place where its finding may stand, and one of them is enough.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
from collections.abc import Iterator
from pathlib import PurePosixPath

import msgspec

from mlsys_advise.example import Expected, Project

Place = tuple[str, int, int]
#: What a mark can stand on: each of these begins a line of its own in unparsed code.
Anchor = ast.stmt | ast.excepthandler | ast.match_case | ast.expr


class Variant(msgspec.Struct, frozen=True):
    """Files, and for each mark its code and the places (path, cell, line) one of which must be flagged."""

    name: str
    files: dict[str, str]
    marks: tuple[tuple[str, frozenset[Place]], ...]


@dataclasses.dataclass
class Program:
    """``trees`` are the Python files by path, ``others`` the remaining files, which no rewrite touches."""

    trees: dict[str, ast.Module]
    others: dict[str, str]
    codes: list[str]
    fixed: dict[int, Place]

    @classmethod
    def read(cls, project: Project) -> Program:
        """Raises ``SyntaxError`` if a Python file of the project is broken."""
        program = cls({}, {}, [], {})
        for block in project.blocks:
            if block.title.endswith(".py"):
                program.trees[block.title] = ast.parse(block.text)
            else:
                program.others[block.title] = block.contents()
        for mark in project.expected:
            program._place(mark)
        return program

    def _place(self, mark: Expected) -> None:
        number = len(self.codes)
        self.codes.append(mark.code)
        if mark.path not in self.trees:
            self.fixed[number] = (mark.path, mark.cell, mark.line)
            return
        anchors = anchors_on(self.trees[mark.path], mark.line)
        if not anchors:
            raise ValueError(f"no statement stands at the mark {mark.path}:{mark.line}")
        for anchor in anchors:
            add_marks(anchor, frozenset({number}))

    def is_own(self, statement: ast.ImportFrom) -> bool:
        """Whether the statement imports from a file of this program (by the last part of the module's name)."""
        last = (statement.module or "").rpartition(".")[2]
        return bool(statement.level) or any(
            last == (path.stem if path.stem != "__init__" else path.parent.name)
            for path in map(PurePosixPath, self.trees)
        )

    def copy(self) -> Program:
        return copy.deepcopy(self)

    def render(self, name: str) -> Variant:
        """Raises ``ValueError`` if a tree does not survive being written and read again: the rewrite is at fault."""
        files = dict(self.others)
        places: dict[int, set[Place]] = {number: {place} for number, place in self.fixed.items()}
        for path, tree in self.trees.items():
            ast.fix_missing_locations(tree)
            files[path] = text = ast.unparse(tree) + "\n"
            for number, line in _mark_lines(tree, text):
                places.setdefault(number, set()).add((path, 0, line))
        marks = [(code, frozenset(places.get(number, ()))) for number, code in enumerate(self.codes)]
        if lost := [number for number, (_, where) in enumerate(marks) if not where]:
            raise ValueError(f"{name}: the rewrite lost the marks {lost}")
        return Variant(name, files, tuple(marks))


def anchors_on(tree: ast.Module, line: int) -> list[Anchor]:
    """The innermost statements (or handlers, cases, decorators) that the line belongs to."""
    found: list[Anchor] = []
    level: list[Anchor] = list(tree.body)
    while level:
        level = [anchor for anchor in level if _first_line(anchor) <= line <= _last_line(anchor)]
        found = level or found
        level = [child for anchor in level for child in _children(anchor)]
    return found


def marks_of(node: ast.AST) -> frozenset[int]:
    """The marks that the node itself holds."""
    return getattr(node, "marks", frozenset())


def add_marks(node: ast.AST, marks: frozenset[int]) -> None:
    if marks:
        node.marks = marks_of(node) | marks  # type: ignore[attr-defined]


def marks_within(node: ast.AST) -> frozenset[int]:
    return frozenset().union(*(marks_of(child) for child in ast.walk(node)))


def _mark_lines(tree: ast.Module, text: str) -> Iterator[tuple[int, int]]:
    again = ast.parse(text)
    if ast.dump(again) != ast.dump(tree):
        raise ValueError(f"written and read again, this is another tree:\n{text}")
    for old, new in zip(ast.walk(tree), ast.walk(again), strict=True):
        for number in marks_of(old):
            assert isinstance(new, Anchor), "marks stand on statements"
            yield number, new.pattern.lineno if isinstance(new, ast.match_case) else new.lineno


def _children(anchor: Anchor) -> Iterator[Anchor]:
    for child in ast.iter_child_nodes(anchor):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
    yield from _decorators(anchor)


def _decorators(anchor: Anchor) -> list[ast.expr]:
    if isinstance(anchor, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return anchor.decorator_list
    return []


def _first_line(anchor: Anchor) -> int:
    if isinstance(anchor, ast.match_case):
        return anchor.pattern.lineno
    return min([anchor.lineno, *(decorator.lineno for decorator in _decorators(anchor))])


def _last_line(anchor: Anchor) -> int:
    if isinstance(anchor, ast.match_case):
        return anchor.body[-1].end_lineno or anchor.pattern.lineno
    return anchor.end_lineno or anchor.lineno
