"""Order of evaluation: the expressions of a statement or block as they run, operands before what uses them.

Branches follow one another, loops count once, and bodies of nested functions do not run where they are written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
#: Fields whose order in the grammar is not that of evaluation.
_ORDER: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.Assign: ("value", "targets"),
    ast.AnnAssign: ("value", "target"),
    ast.NamedExpr: ("value", "target"),
    ast.AugAssign: ("target", "value"),
    ast.For: ("iter", "target", "body", "orelse"),
    ast.AsyncFor: ("iter", "target", "body", "orelse"),
    ast.IfExp: ("test", "body", "orelse"),
    ast.ListComp: ("generators", "elt"),
    ast.SetComp: ("generators", "elt"),
    ast.GeneratorExp: ("generators", "elt"),
    ast.DictComp: ("generators", "key", "value"),
    ast.comprehension: ("iter", "target", "ifs"),
    ast.ClassDef: ("decorator_list", "bases", "keywords", "body"),
}


def expressions(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions in a node, the node included, in order of evaluation."""
    stack: list[tuple[ast.AST, bool]] = [(node, False)]
    while stack:
        part, ready = stack.pop()
        if ready:
            assert isinstance(part, ast.expr)
            yield part
            continue
        if isinstance(part, ast.expr):
            stack.append((part, True))
        stack.extend((child, False) for child in reversed([*_operands(part)]))


def _operands(node: ast.AST) -> Iterator[ast.AST]:
    """What runs before a node, in order."""
    if isinstance(node, _DEFINITIONS):
        yield from getattr(node, "decorator_list", ())
        yield from (default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None)
        return
    if isinstance(node, ast.Dict):
        for key, part in zip(node.keys, node.values, strict=True):
            if key is not None:
                yield key
            yield part
        return
    for field in _ORDER.get(type(node), node._fields):
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            yield value
        elif isinstance(value, list):
            yield from (part for part in value if isinstance(part, ast.AST))


def between(first: ast.expr, last: ast.expr, statements: Iterable[ast.stmt]) -> list[ast.expr]:
    """What is evaluated after one expression and before another; ``statements`` hold both, in order."""
    found: list[ast.expr] = []
    begun = False
    for statement in statements:
        for expression in expressions(statement):
            if expression is last:
                return found
            if begun:
                found.append(expression)
            begun = begun or expression is first
    return found
