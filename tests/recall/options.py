"""Rewrites that read numbers from the command line."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

from tests.recall.program import Program
from tests.recall.scopes import Function, all_names, bindings, callee, fresh

#: Options are module variables, a module variable that a parsing function returns, or handed from call to call.
Way = Literal["variable", "function", "parameter"]

#: These declare options and fields; their numbers are not to be read from options.
_DECLARATIONS = frozenset({"add_argument", "field", "Field", "Option", "Argument"})
#: Nobody makes the axis of a tensor an option.
_STRUCTURE = frozenset({"dim", "axis", "dims", "axes", "ndim"})


def options(way: Way) -> Callable[[Program], bool]:
    """Numbers that are passed by keyword, and the bounds of ranges, become options with these as defaults."""

    def rewrite(program: Program) -> bool:
        passed = [_pass(program, tree) if way == "parameter" else _share(tree, way) for tree in program.trees.values()]
        return any(passed)

    return rewrite


class _Parser:
    """The statements that declare and parse the options of one module."""

    def __init__(self, tree: ast.Module) -> None:
        taken = all_names([tree])
        self.parsed = fresh("options", taken)
        self.entry = fresh("parse_options", taken)
        self._parser = fresh("parser", taken)
        self._names: set[str] = set()
        self._added: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._added)

    def use(self, nodes: list[ast.stmt]) -> None:
        """Put an option in the place of each number in these statements."""
        for call in (node for top in nodes for node in ast.walk(top) if isinstance(node, ast.Call)):
            for name, number, put in list(_numbers(call)):
                put(self._option(name, number))

    def statements(self) -> list[str]:
        return [f"{self._parser} = argparse.ArgumentParser()", *self._added]

    def result(self) -> str:
        return f"{self._parser}.parse_args()"

    def function(self) -> str:
        return "\n    ".join([f"def {self.entry}():", *self.statements(), f"return {self.result()}"])

    def _option(self, name: str, number: ast.Constant) -> ast.expr:
        name = fresh(name, self._names)
        flag, kind = f"--{name.replace('_', '-')}", type(number.value).__name__
        self._added.append(f"{self._parser}.add_argument({flag!r}, type={kind}, default={number.value!r})")
        return ast.Attribute(ast.Name(self.parsed, ast.Load()), name, ast.Load())


def _share(tree: ast.Module, way: Way) -> bool:
    parser = _Parser(tree)
    parser.use(tree.body)
    if not parser:
        return False
    if way == "function":
        lines = [parser.function(), f"{parser.parsed} = {parser.entry}()"]
    else:
        lines = [*parser.statements(), f"{parser.parsed} = {parser.result()}"]
    _after_imports(tree, lines)
    return True


def _pass(program: Program, tree: ast.Module) -> bool:
    """Functions get the options from their callers, and these from theirs, up to what the module does itself."""
    needing = _needing(program, tree)
    parser = _Parser(tree)
    parser.use(list(needing.values()))
    if not parser:
        return False
    for function in needing.values():
        function.args.args.insert(0, ast.arg(parser.parsed))
    for call in _calls(tree, needing):
        call.args.insert(0, ast.Name(parser.parsed, ast.Load()))
    first = next(node for node in tree.body if not isinstance(node, Function) and any(_calls(node, needing)))
    block, index = (first.body, 0) if isinstance(first, ast.If) else (tree.body, tree.body.index(first))
    block[index:index] = ast.parse(f"{parser.parsed} = {parser.entry}()").body
    _after_imports(tree, [parser.function()])
    return True


def _needing(program: Program, tree: ast.Module) -> dict[str, Function]:
    """The functions that hold numbers, and those that call them; only where every caller can hand the options on."""
    passing = {
        node.name: node for node in tree.body if isinstance(node, Function) and _is_internal(program, tree, node)
    }
    callers = {name: [node for node in tree.body if any(_calls(node, {name: passing[name]}))] for name in passing}
    while True:
        open_ends = [
            name
            for name in passing
            if not callers[name] or any(_defines(node) and node not in passing.values() for node in callers[name])
        ]
        for name in open_ends:
            del passing[name]
        if not open_ends:
            break
    needing = [
        name
        for name, function in passing.items()
        if any(list(_numbers(call)) for call in ast.walk(function) if isinstance(call, ast.Call))
    ]
    for name in needing:
        needing.extend(node.name for node in callers[name] if isinstance(node, Function) and node.name not in needing)
    return {name: passing[name] for name in needing}


def _is_internal(program: Program, tree: ast.Module, function: Function) -> bool:
    """Whether the function is plain, called by name in this module, and known nowhere else."""
    name = function.name
    elsewhere = all_names(other for other in program.trees.values() if other is not tree)
    uses = sum(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))
    calls = len(list(_calls(tree, {name: function})))
    plain = not function.decorator_list and not function.args.posonlyargs
    return plain and name not in elsewhere and uses == calls and bindings(tree)[name] == 1


def _calls(tree: ast.AST, functions: dict[str, Function]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
            yield node


def _defines(node: ast.stmt) -> bool:
    return isinstance(node, Function | ast.ClassDef)


def _numbers(call: ast.Call) -> Iterator[tuple[str, ast.Constant, Callable[[ast.expr], None]]]:
    """Name and value of each number that may be an option, and what puts another expression in its place."""
    if callee(call) in _DECLARATIONS:
        return
    for keyword in call.keywords:
        if keyword.arg and keyword.arg not in _STRUCTURE and (number := _number(keyword.value)):
            yield keyword.arg, number, partial(setattr, keyword, "value")
    if isinstance(call.func, ast.Name) and call.func.id == "range":
        for index, argument in enumerate(call.args):
            if (number := _number(argument)) and number.value not in (0, 1):
                yield "count", number, partial(call.args.__setitem__, index)


def _number(node: ast.expr) -> ast.Constant | None:
    return node if isinstance(node, ast.Constant) and type(node.value) in (int, float) else None


def _after_imports(tree: ast.Module, lines: list[str]) -> None:
    index = next((index for index, node in enumerate(tree.body) if not _is_preamble(node)), len(tree.body))
    tree.body[index:index] = ast.parse("\n".join(["import argparse", *lines])).body


def _is_preamble(node: ast.stmt) -> bool:
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or isinstance(node, ast.Import | ast.ImportFrom)
