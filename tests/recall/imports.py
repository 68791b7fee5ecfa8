"""Rewrites that spell the same imports otherwise."""

from __future__ import annotations

import ast
import sys

from tests.recall.program import Program
from tests.recall.replace import rename_uses, replace, use_members
from tests.recall.scopes import all_names, bindings, fresh, is_builtin, is_future, quoted_names

Import = ast.Import | ast.ImportFrom
#: Where an imported name stands in code: the statement, and the alias within it.
Site = tuple[Import, ast.alias]


def alias_imports(program: Program) -> bool:
    """``import torch`` becomes ``import torch as lib1``, ``from m import f`` becomes ``from m import f as lib2``."""
    taken = all_names(program.trees.values())
    changed = False
    for path, tree in program.trees.items():
        renamed: dict[str, str] = {}
        for _, alias in _renamable(program, path):
            renamed[bound_name(alias)] = alias.asname = fresh("lib", taken)
        rename_uses(tree, renamed)
        changed |= bool(renamed)
    return changed


def import_modules(program: Program) -> bool:
    """``from m import f`` becomes ``import m as lib1``, and ``f`` becomes ``lib1.f``."""
    taken = all_names(program.trees.values())
    changed = False
    for path, tree in program.trees.items():
        members: dict[str, tuple[str, str]] = {}
        for statement, alias in _renamable(program, path):
            if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
                module = fresh("lib", taken)
                members[bound_name(alias)] = (module, alias.name)
                _replace_alias(tree, statement, alias, ast.Import([ast.alias(statement.module, module)]))
        use_members(tree, members)
        changed |= bool(members)
    return changed


def import_members(program: Program) -> bool:
    """``import torch`` becomes ``from torch import compile, no_grad``, and ``torch.no_grad`` becomes ``no_grad``."""
    changed = False
    for path, tree in program.trees.items():
        taken = all_names([tree])
        for statement, alias in _renamable(program, path):
            uses = _member_uses(tree, bound_name(alias))
            if not isinstance(statement, ast.Import) or not uses or ("." in alias.name and not alias.asname):
                continue
            local = {use.attr: _member_name(use.attr, tree, taken) for use in uses}
            aliases = [ast.alias(attr, None if attr == name else name) for attr, name in sorted(local.items())]
            _replace_alias(tree, statement, alias, ast.ImportFrom(alias.name, aliases, 0))
            names: dict[ast.expr, ast.expr] = {use: ast.Name(local[use.attr], use.ctx) for use in uses}
            replace(tree, names.get)
            changed = True
    return changed


def guard_imports(program: Program) -> bool:
    """Imports of third-party libraries move into ``try: ... except ImportError: name = None``."""
    modules = {path.split("/")[0].removesuffix(".py") for path in program.trees}
    changed = False
    for tree in program.trees.values():
        body: list[ast.stmt] = []
        for statement in tree.body:
            if isinstance(statement, Import) and not is_future(statement) and _third_party(statement, modules):
                fallback: list[ast.stmt] = [
                    ast.Assign([ast.Name(bound_name(alias), ast.Store())], ast.Constant(None))
                    for alias in statement.names
                ]
                handler = ast.ExceptHandler(ast.Name("ImportError", ast.Load()), None, fallback)
                body.append(ast.Try([statement], [handler], [], []))
                changed = True
            else:
                body.append(statement)
        tree.body = body
    return changed


def bound_name(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _renamable(program: Program, path: str) -> list[Site]:
    """The top-level imports whose name is bound once and spelt out nowhere but in this module's own code."""
    tree = program.trees[path]
    count, quoted = bindings(tree), quoted_names([tree])
    wanted = {
        alias.name
        for other in program.trees.values()
        for node in ast.walk(other)
        if isinstance(node, ast.ImportFrom) and other is not tree and program.is_own(node)
        for alias in node.names
    }
    return [
        (statement, alias)
        for statement in list(tree.body)
        if isinstance(statement, Import) and not is_future(statement)
        for alias in list(statement.names)
        if alias.name != "*" and (alias.asname or "." not in alias.name)
        if count[bound_name(alias)] == 1 and bound_name(alias) not in quoted | wanted
    ]


def _third_party(statement: Import, modules: set[str]) -> bool:
    if isinstance(statement, ast.ImportFrom):
        names = [] if statement.level or not statement.module else [statement.module]
    else:
        names = [alias.name for alias in statement.names]
    roots = {name.partition(".")[0] for name in names}
    return bool(roots) and not roots & (modules | sys.stdlib_module_names)


def _replace_alias(tree: ast.Module, statement: Import, alias: ast.alias, new: Import) -> None:
    index = tree.body.index(statement)
    statement.names.remove(alias)
    tree.body[index : index + 1] = [statement, new] if statement.names else [new]


def _member_uses(tree: ast.Module, module: str) -> list[ast.Attribute]:
    """Each ``module.attr`` that is read; nothing if the module is used in any other way."""
    attributes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module
    ]
    names = sum(isinstance(node, ast.Name) and node.id == module for node in ast.walk(tree))
    reads = all(isinstance(node.ctx, ast.Load) for node in attributes)
    return attributes if reads and names == len(attributes) else []


def _member_name(attr: str, tree: ast.Module, taken: set[str]) -> str:
    if is_builtin(attr) or bindings(tree)[attr]:
        return fresh(f"{attr}_", taken)
    return attr
