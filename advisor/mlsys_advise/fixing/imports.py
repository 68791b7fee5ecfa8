"""Where an import belongs, and whether it is there already."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from mlsys_advise.edit import AddImport
from mlsys_advise.fixing.refusal import Refusal
from mlsys_advise.fixing.replacement import Replacement


def added(edit: AddImport, tree: ast.Module, lines: Sequence[str], top: int, before: int) -> tuple[Replacement, ...]:
    """The import as a line of its own below the imports above line ``before``; nothing where the name is imported.

    ``top`` is the first line on which it may stand where there are no imports: below encoding and licence.
    Raises Refusal if the module gives the name to something else.
    """
    bound = edit.name or edit.module.partition(".")[0]
    if _imports(edit, tree):
        return ()
    if bound in _names(tree):
        raise Refusal(f"{bound} is the name of something else in this file")
    text = f"from {edit.module} import {edit.name}" if edit.name else f"import {edit.module}"
    line = _below(tree, before) or _above_first(tree, lines, top)
    return (Replacement(line, 0, line, 0, f"{text}\n"),)


def _imports(edit: AddImport, tree: ast.Module) -> bool:
    for node in tree.body:
        match node:
            case ast.Import() if not edit.name:
                names = {alias.name if alias.asname is None else "" for alias in node.names}
                if edit.module in names or any(name.startswith(f"{edit.module}.") for name in names):
                    return True
            case ast.ImportFrom(module=module, level=0) if module == edit.module:
                if any(alias.name == edit.name and alias.asname in (None, edit.name) for alias in node.names):
                    return True
    return False


def _names(tree: ast.Module) -> set[str]:
    """What the module itself binds, apart from what it declares below conditions."""
    return set(_bound(tree))


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case _:
                yield from (
                    part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
                )


def _below(tree: ast.Module, before: int) -> int:
    """The line below the imports that open the module; 0 where there are none."""
    line = 0
    for node in tree.body:
        if (node.end_lineno or node.lineno) >= before or isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.For | ast.While
        ):
            break
        if isinstance(node, ast.Import | ast.ImportFrom):
            line = (node.end_lineno or node.lineno) + 1
    return line


def _above_first(tree: ast.Module, lines: Sequence[str], top: int) -> int:
    """The line above the first statement, below a docstring and what comments open the file."""
    for number, node in enumerate(tree.body):
        match node:
            case ast.Expr(ast.Constant(str())) if number == 0:
                top = (node.end_lineno or node.lineno) + 1
            case _:
                while top < node.lineno and lines[top - 1].startswith("#"):
                    top += 1
                return top
    return top
