"""Parents of nodes, made for one definition at a time: most questions about a file stay within one function of it."""

from __future__ import annotations

import ast
from bisect import bisect_right

from mlsys_advise.languages.python.scopes import children


class Parents:
    """The parent of each node of a module, but for contexts and operators."""

    def __init__(self, tree: ast.Module) -> None:
        self._known: dict[ast.AST, ast.AST] = {}
        self._starts: list[int] = []
        self._parts: list[ast.stmt] = []
        self._made: set[int] = set()
        stack: list[tuple[ast.Module | ast.ClassDef, list[ast.stmt]]] = [(tree, tree.body)]
        while stack:
            owner, body = stack.pop()
            for statement in body:
                self._known[statement] = owner
                if isinstance(statement, ast.ClassDef):
                    self._link(statement, [*statement.bases, *statement.keywords, *statement.decorator_list])
                    stack.append((statement, statement.body))
                else:
                    self._parts.append(statement)
        self._parts.sort(key=_first_line)
        self._starts = [_first_line(part) for part in self._parts]

    def get(self, node: ast.AST) -> ast.AST | None:
        """The node around a node; None for the module."""
        found = self._known.get(node)
        if found is None:
            line = getattr(node, "lineno", 0)
            # several statements may share a line, and a node without one may be anywhere
            end = bisect_right(self._starts, line) if line else len(self._starts)
            for index in range(end - 1, -1, -1):
                self._make(index)
                found = self._known.get(node)
                if found is not None or (line and self._starts[index] < line):
                    break
        return found

    def _make(self, index: int) -> None:
        if index not in self._made:
            self._made.add(index)
            part = self._parts[index]
            self._link(part, [])

    def _link(self, top: ast.AST, only: list[ast.AST]) -> None:
        known = self._known
        stack: list[ast.AST] = [top]
        if only:
            stack = list(only)
            known.update(dict.fromkeys(only, top))
        while stack:
            node = stack.pop()
            inside = children(node)
            known.update(dict.fromkeys(inside, node))
            stack += inside


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", None)
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)]) if decorators else statement.lineno
