"""The rewrite that gives variables and functions names which say nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from tests.recall.program import Program
from tests.recall.scopes import Function, all_names, bindings, class_names, fresh, is_builtin, quoted_names

#: Frameworks find these by their names.
PROTOCOLS = frozenset({"self", "cls", "model_fn", "input_fn", "predict_fn", "output_fn", "init", "run", "handle"})


def rename(program: Program) -> bool:
    """Variables, parameters and functions become ``v1``, ``f1``...: one new name for each old one, in all files.

    Attributes, methods, keywords of calls, classes, and names that other kinds of file or strings spell keep theirs.
    """
    trees = list(program.trees.values())
    taken = all_names(trees)
    functions = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, Function)}
    names = sorted(_own_names(trees) - _fixed_names(program))
    renamed = {name: fresh("f" if name in functions else "v", taken) for name in names}
    for tree in trees:
        for node in ast.walk(tree):
            _rename(node, renamed, program)
    return bool(renamed)


def _own_names(trees: Iterable[ast.Module]) -> set[str]:
    """The names that the program binds by anything but an import or a class."""
    names: set[str] = set()
    for tree in trees:
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.alias)]
        names |= set(bindings(tree)) - {name for alias in imports for name in bindings(alias)}
    return names


def _fixed_names(program: Program) -> set[str]:
    trees = list(program.trees.values())
    fixed = set(PROTOCOLS) | quoted_names(trees)
    for text in program.others.values():
        fixed.update(re.findall(r"\w+", text))
    for tree in trees:
        fixed |= class_names(tree)
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.ClassDef(name=name):
                    fixed.add(name)
                case ast.Import(names=aliases):
                    fixed |= {name for alias in aliases for name in bindings(alias)}
                case ast.ImportFrom(names=aliases):
                    own = program.is_own(node)
                    fixed |= {name for alias in aliases if alias.asname or not own for name in bindings(alias)}
    return fixed | {name for name in _own_names(trees) if is_builtin(name) or name.startswith("_")}


def _rename(node: ast.AST, renamed: dict[str, str], program: Program) -> None:
    match node:
        case ast.Name(id=name) if name in renamed:
            node.id = renamed[name]
        case ast.arg(arg=name) if name in renamed:
            node.arg = renamed[name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name in renamed:
            node.name = renamed[name]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            node.names = [renamed.get(name, name) for name in names]
        case ast.ImportFrom(names=aliases) if program.is_own(node):
            for alias in aliases:
                alias.name = renamed.get(alias.name, alias.name)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            node.name = renamed.get(name, name)
        case ast.MatchMapping(rest=str(name)):
            node.rest = renamed.get(name, name)
