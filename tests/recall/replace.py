"""Putting other expressions in the place of those that a tree holds."""

from __future__ import annotations

import ast
from collections.abc import Callable

from tests.recall.program import add_marks, marks_of


def replace(tree: ast.AST, new: Callable[[ast.expr], ast.expr | None]) -> None:
    """Replace each expression that ``new`` answers for, outermost first; what replaces it is not looked into."""
    _Replace(new).visit(tree)


def rename_uses(tree: ast.AST, renamed: dict[str, str]) -> None:
    """Put the new name in the place of every use of an old one, whatever its scope."""

    def renaming(node: ast.expr) -> ast.expr | None:
        return ast.Name(renamed[node.id], node.ctx) if isinstance(node, ast.Name) and node.id in renamed else None

    replace(tree, renaming)


def use_members(tree: ast.AST, members: dict[str, tuple[str, str]]) -> None:
    """Put ``module.attr`` in the place of every use of a name; ``members`` maps names to (module, attr)."""

    def member(node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Name) or node.id not in members:
            return None
        module, attr = members[node.id]
        return ast.Attribute(ast.Name(module, ast.Load()), attr, node.ctx)

    replace(tree, member)


class _Replace(ast.NodeTransformer):
    def __init__(self, new: Callable[[ast.expr], ast.expr | None]) -> None:
        self.new = new

    def generic_visit(self, node: ast.AST) -> ast.AST:
        replacement = self.new(node) if isinstance(node, ast.expr) else None
        if replacement is None:
            return super().generic_visit(node)
        add_marks(replacement, marks_of(node))
        return replacement
