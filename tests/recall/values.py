"""Rewrites that make the same objects in another way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from tests.recall.imports import Import
from tests.recall.modules import split_out
from tests.recall.program import Program, add_marks, marks_of
from tests.recall.scopes import Definition, Function, all_names, bindings, callee, free_names, fresh, local_names

#: Besides names in capitals, these make objects.
_CONSTRUCTORS = frozenset(
    {"default_rng", "from_pretrained", "compile", "pipeline", "insecure_channel", "secure_channel", "create_model"}
)
_FUNCTION_SCOPE = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)


def factory(elsewhere: bool) -> Callable[[Program], bool]:
    """``x = Thing(a)`` becomes ``x = make_x(a)``; the factory is in the same file, or in one of its own."""

    def rewrite(program: Program) -> bool:
        made: set[str] = set()
        taken = all_names(program.trees.values())
        for tree in program.trees.values():
            made |= _add_factories(tree, taken)
        return bool(made) and (not elsewhere or split_out(program, made))

    return rewrite


def keywords(named: bool) -> Callable[[Program], bool]:
    """``Thing(a, n=1)`` becomes ``Thing(a, **dict(n=1))``, or has its keywords in a dict literal before it."""

    def rewrite(program: Program) -> bool:
        changed = [_add_dicts(tree, named) for tree in program.trees.values()]
        return any(changed)

    return rewrite


def _add_factories(tree: ast.Module, taken: set[str]) -> set[str]:
    made: dict[str, ast.FunctionDef] = {}
    variables = bindings(ast.Module([node for node in tree.body if not isinstance(node, Definition | Import)], []))
    for top in list(tree.body):
        for scope, node in _assignments(top):
            outside = set(variables) if scope is None else local_names(scope)
            if (new := _factory(node, outside, taken)) is not None:
                made[new.name] = new
                tree.body.insert(tree.body.index(top), new)
    return set(made)


def _assignments(top: ast.stmt) -> Iterator[tuple[Function | None, ast.Assign]]:
    """The plain assignments of constructed objects, each with the outermost function that it is in."""
    pending: list[tuple[Function | None, ast.AST]] = [(None, top)]
    for scope, node in pending:
        inner = node if scope is None and isinstance(node, Function) else scope
        pending.extend((inner, child) for child in ast.iter_child_nodes(node))
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and _constructs(node.value):
            if scope is not None or not isinstance(top, ast.ClassDef):
                yield scope, node


def _constructs(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call) or any(isinstance(node, _FUNCTION_SCOPE) for node in ast.walk(value)):
        return False
    return callee(value)[:1].isupper() or callee(value) in _CONSTRUCTORS


def _factory(node: ast.Assign, variables: set[str], taken: set[str]) -> ast.FunctionDef | None:
    """The function that makes the value; the assignment calls it from now on. None where ``self`` is needed."""
    match node.targets[0]:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case _:
            return None
    parameters = sorted(free_names([node.value]) & variables)
    if "self" in parameters:
        return None
    result = ast.Return(node.value)
    for statement in (node, result):
        add_marks(statement, marks_of(node))
    made = fresh(f"make_{name}", taken)
    arguments: list[ast.expr] = [ast.Name(parameter, ast.Load()) for parameter in parameters]
    node.value = ast.Call(ast.Name(made, ast.Load()), arguments, [])
    return _function(made, parameters, [result])


def _function(name: str, parameters: list[str], body: list[ast.stmt]) -> ast.FunctionDef:
    new = ast.parse(f"def {name}({', '.join(parameters)}): pass").body[0]
    assert isinstance(new, ast.FunctionDef)
    new.body = body
    return new


def _add_dicts(tree: ast.Module, named: bool) -> bool:
    taken = all_names([tree])
    changed = False
    for block in _blocks(tree):
        for statement in list(block):
            for call in _own_calls(statement):
                given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
                if len(given) < len(call.keywords) or not given:
                    continue
                changed = True
                if not named:
                    call.keywords = [ast.keyword(None, ast.Call(ast.Name("dict", ast.Load()), [], call.keywords))]
                    continue
                name = fresh("arguments", taken)
                literal = ast.Dict([ast.Constant(key) for key in given], list(given.values()))
                block.insert(block.index(statement), ast.Assign([ast.Name(name, ast.Store())], literal))
                call.keywords = [ast.keyword(None, ast.Name(name, ast.Load()))]
    return changed


def _blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody") if not isinstance(node, ast.ClassDef) else ():
            if isinstance(block := getattr(node, field, None), list):
                yield block


def _own_calls(statement: ast.stmt) -> Iterator[ast.Call]:
    """The call of a constructor or loader that is all that the statement does."""
    if isinstance(statement, ast.Assign | ast.Return | ast.Expr) and isinstance(statement.value, ast.Call):
        if _constructs(statement.value) or callee(statement.value) == "load":
            yield statement.value
