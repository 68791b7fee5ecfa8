"""Rewrites that wrap the same statements otherwise."""

from __future__ import annotations

import ast
from collections import Counter

from tests.recall.imports import Import
from tests.recall.program import Program
from tests.recall.replace import replace
from tests.recall.scopes import Definition, Function, all_names, bindings, free_names, fresh, top_names

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def classes(program: Program) -> bool:
    """A function becomes a class: parameters and plainly assigned locals are attributes, the body is its ``run``.

    Functions that are decorated, generate, nest others, or are used as values stay as they are.
    """
    trees = list(program.trees.values())
    taken = all_names(trees)
    made: dict[str, str] = {}
    for tree in trees:
        for index, node in enumerate(tree.body):
            if isinstance(node, Function) and _is_plain(node) and _only_called(trees, node.name):
                made[node.name] = fresh(node.name.title().replace("_", ""), taken)
                tree.body[index] = _class(node, made[node.name])
    for tree in trees:
        _use_classes(tree, made)
    return bool(made)


def main_guard(program: Program) -> bool:
    """What a script does at the top goes into ``main()``, called if the module is the program."""
    changed = False
    for tree in program.trees.values():
        work = [node for node in tree.body if not _declares(node)]
        others = [node for node in tree.body if _declares(node)]
        if not work or top_names(work) & free_names(others) or _is_imported(program, top_names(work)):
            continue
        name = fresh("main", all_names([tree]))
        main = ast.parse(f"def {name}(): pass\nif __name__ == '__main__':\n    {name}()").body
        assert isinstance(main[0], ast.FunctionDef)
        main[0].body = work
        tree.body = [*others, *main]
        changed = True
    return changed


def _is_plain(node: Function) -> bool:
    arguments = node.args
    odd = arguments.posonlyargs or arguments.vararg or arguments.kwarg or node.decorator_list
    inner = [child for statement in node.body for child in ast.walk(statement)]
    unfit = Definition | ast.Lambda | ast.Yield | ast.YieldFrom | ast.Global | ast.Nonlocal
    return not odd and not node.name.startswith("__") and not any(isinstance(child, unfit) for child in inner)


def _only_called(trees: list[ast.Module], name: str) -> bool:
    """Whether each use of the function is a call by its bare name (or an import of it)."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    called = sum(isinstance(node, ast.Call) and _is_name(node.func, name) for node in nodes)
    used = sum(_is_name(node, name) for node in nodes)
    bound = sum(bindings(tree)[name] for tree in trees)
    imported = sum(isinstance(node, ast.alias) and node.name == name and not node.asname for node in nodes)
    spelt = any(isinstance(node, ast.Attribute) and node.attr == name for node in nodes)
    return used == called and bound == 1 + imported and not spelt


def _class(function: Function, name: str) -> ast.ClassDef:
    parameters = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
    attributes = {*parameters, *_plain_locals(function)} - _comprehension_names(function)
    stores = "".join(f"        self.{parameter} = {parameter}\n" for parameter in parameters)
    new = ast.parse(f"class {name}:\n    def __init__(self):\n{stores or '        pass'}").body[0]
    assert isinstance(new, ast.ClassDef)
    init = new.body[0]
    assert isinstance(init, ast.FunctionDef)
    init.args = function.args
    init.args.args.insert(0, ast.arg("self"))

    for statement in function.body:
        replace(statement, lambda node: _as_attribute(node, attributes))
    loads = [f"{parameter} = self.{parameter}" for parameter in parameters if parameter not in attributes]
    function.body[:0] = ast.parse("\n".join(loads)).body
    function.args = ast.arguments(posonlyargs=[], args=[ast.arg("self")], kwonlyargs=[], kw_defaults=[], defaults=[])
    function.name = "run"
    new.body = [init, function] if parameters else [function]
    return new


def _plain_locals(function: Function) -> set[str]:
    """The locals that one statement of the form ``x = ...`` binds, and nothing else."""
    count: Counter[str] = Counter()
    for statement in function.body:
        count.update(bindings(statement))
    assigned = {
        node.targets[0].id
        for statement in function.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    }
    return {name for name in assigned if count[name] == 1}


def _comprehension_names(function: Function) -> set[str]:
    return {
        name
        for node in ast.walk(function)
        if isinstance(node, _COMPREHENSIONS)
        for generator in node.generators
        for name in bindings(generator.target)
    }


def _as_attribute(node: ast.expr, attributes: set[str]) -> ast.expr | None:
    if isinstance(node, ast.Name) and node.id in attributes:
        return _attribute(node.id, node.ctx)
    return None


def _attribute(name: str, context: ast.expr_context) -> ast.Attribute:
    return ast.Attribute(ast.Name("self", ast.Load()), name, context)


def _use_classes(tree: ast.Module, made: dict[str, str]) -> None:
    """``f(x)`` becomes ``F(x).run()``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                alias.name = made.get(alias.name, alias.name)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in made:
            made_object = ast.Call(ast.Name(made[node.func.id], ast.Load()), node.args, node.keywords)
            node.func, node.args, node.keywords = ast.Attribute(made_object, "run", ast.Load()), [], []


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _declares(node: ast.stmt) -> bool:
    """Whether the statement imports, defines, documents, or is the main guard."""
    guard = isinstance(node, ast.If) and any(_is_name(inner, "__name__") for inner in ast.walk(node.test))
    document = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, Definition | Import) or guard or document


def _is_imported(program: Program, names: set[str]) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and program.is_own(node) and names & {alias.name for alias in node.names}
        for tree in program.trees.values()
        for node in ast.walk(tree)
    )
