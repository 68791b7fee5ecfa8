"""Which parameters a function writes into: stores through subscripts, methods that work in place, `out=`, `+=`.

A view counts as the array that it shows. What the function hands on to others is not followed here.
"""

from __future__ import annotations

import ast
from typing import Final

from mlsys_advise.languages.python import indices
from mlsys_advise.languages.python.scopes import Bind, Module, Scope
from mlsys_advise.library import arrays

_VIEWS: Final = frozenset(
    {"view", "reshape", "flatten", "ravel", "squeeze", "unsqueeze", "transpose", "t", "permute", "detach", "numpy"}
)
_STEPS: Final = 6


def written(scope: Scope, module: Module) -> tuple[int, ...]:
    """The numbers of the parameters that the code of a function writes into."""
    if not scope.parameters or scope.kind == "class":
        return ()
    numbers = {number for number in scope.written if isinstance(number, int)}
    for place in scope.written:
        if isinstance(place, ast.expr):
            numbers.update(_load(place, module))
    for site in scope.calls:
        name = site.name
        if name in _SHUFFLES or arrays.mutates(name):
            func, args = site.node.func, site.node.args
            if type(func) is ast.Attribute:
                if arrays.mutates(name):
                    numbers.update(_load(func.value, module))
                if name in _SHUFFLES and args:
                    numbers.update(_load(args[0], module))
        if site.out is not None:
            numbers.update(_load(site.out, module))
    found: set[int] = set()
    for number in numbers:
        found.update(_parameters(number, module))
    return tuple(sorted(found))


_SHUFFLES: Final = frozenset(name.rpartition(".")[2] for name in arrays.IN_PLACE_FUNCTIONS) - {"put"}


def _load(node: ast.expr, module: Module) -> list[int]:
    """The binding of the name that a place is a part or a view of."""
    for _ in range(_STEPS):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS:
            node = node.func.value
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
    name = indices.root(node)
    number = module.loads.get(name) if name is not None else None
    return [] if number is None else [number]


def _parameters(number: int, module: Module) -> set[int]:
    """The parameters that a binding may be, through plain and view assignments."""
    found: set[int] = set()
    seen: set[int] = set()
    stack = [number]
    while stack and len(seen) < 20:
        one = stack.pop()
        if one in seen:
            continue
        seen.add(one)
        binding = module.bindings[one]
        if binding.kind == Bind.PARAM:
            found.add(binding.path[0])
        elif binding.kind in (Bind.PHI, Bind.AUGMENT):
            stack.extend(binding.previous)
        elif binding.kind == Bind.ASSIGN and not binding.path and _shows(binding.value):
            assert binding.value is not None
            stack.extend(_load(binding.value, module))
    return found


def _shows(node: ast.expr | None) -> bool:
    """Whether the value of an expression shares the memory of the name it starts from."""
    while node is not None:
        match node:
            case ast.Name():
                return True
            case ast.Attribute(value) | ast.Subscript(value):
                node = value
            case ast.Call(ast.Attribute(value, name)) if name in _VIEWS:
                node = value
            case _:
                return False
    return False
