"""Which names a piece of code binds, and which it takes from the module around it."""

from __future__ import annotations

import ast
import builtins
import copy
import symtable
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def free_names(nodes: Sequence[ast.stmt | ast.expr]) -> set[str]:
    """The names that these statements or expressions read from the module's scope or from the builtins."""
    names: set[str] = set()
    tables = [_table(nodes)]
    while tables:
        table = tables.pop()
        tables.extend(table.get_children())
        outermost = table.get_type() == "module"
        names.update(
            symbol.get_name()
            for symbol in table.get_symbols()
            if (symbol.is_referenced() if outermost else symbol.is_global())
        )
    return names


def top_names(nodes: Sequence[ast.stmt]) -> set[str]:
    """The names that these statements bind in the module's scope."""
    names: set[str] = set()
    tables = [_table(nodes)]
    while tables:
        table = tables.pop()
        tables.extend(table.get_children())
        names.update(
            symbol.get_name()
            for symbol in table.get_symbols()
            if (symbol.is_assigned() or symbol.is_imported())
            and (table.get_type() == "module" or symbol.is_declared_global())
        )
    return names


def bindings(tree: ast.AST) -> Counter[str]:
    """How often each name is bound anywhere within, whatever the scope."""
    return Counter(name for node in ast.walk(tree) for name in _bound_by(node))


def class_names(tree: ast.AST) -> set[str]:
    """The names that the bodies of classes bind: they are attributes, which other files may spell out."""
    return {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        for name in top_names([statement])
    }


def local_names(function: Function) -> set[str]:
    """Parameters and whatever else is bound within the function, nested scopes included."""
    return set(bindings(function)) - {function.name}


def quoted_names(trees: Iterable[ast.AST]) -> set[str]:
    """The identifiers that occur as a whole string, or within a string annotation: renaming would miss them."""
    names: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                names.add(node.value)
            for annotation in _annotations(node):
                for part in ast.walk(annotation):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        names.update(part.value.replace(".", " ").replace("[", " ").replace("]", " ").split())
    return names


def callee(call: ast.Call) -> str:
    """The last name of what is called; "" if it has none."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def is_builtin(name: str) -> bool:
    return hasattr(builtins, name)


def fresh(stem: str, taken: set[str]) -> str:
    """The stem, or the stem with the first number that makes it a new name; it is taken from now on."""
    name, number = stem, 1
    while name in taken or is_builtin(name):
        number += 1
        name = f"{stem}{number}"
    taken.add(name)
    return name


def all_names(trees: Iterable[ast.AST]) -> set[str]:
    """Every identifier in sight: names, attributes, parameters, keywords, imports."""
    names: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            names.update(_bound_by(node))
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.keyword) and node.arg:
                names.add(node.arg)
    return names


def _table(nodes: Sequence[ast.stmt | ast.expr]) -> symtable.SymbolTable:
    body = [node if isinstance(node, ast.stmt) else ast.Expr(node) for node in nodes]
    module = copy.deepcopy(ast.Module([node for node in body if not is_future(node)], []))
    _Generators().visit(module)
    return symtable.symtable(ast.unparse(module), "<piece>", "exec")


class _Generators(ast.NodeTransformer):
    """Turns comprehensions into generators, whose targets have a scope of their own in every version of Python."""

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return self.generic_visit(ast.GeneratorExp(pair, node.generators))


def is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    for field in ("annotation", "returns"):
        if isinstance(value := getattr(node, field, None), ast.expr):
            yield value


def _bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
