"""Subscripts: what a chain of them takes out of an array, part by part, and how a part depends on a loop.

Only syntax and reaching definitions are looked at; whether a name is a number or an array is asked of the caller.
"""

from __future__ import annotations

import ast
from typing import Final

import msgspec

from mlsys_advise.languages.python.scopes import Bind, Loop, Module, children

SCALAR: Final = "scalar"
SLICE: Final = "slice"
ELLIPSIS: Final = "ellipsis"
NEW_AXIS: Final = "new axis"
MASK: Final = "mask"
ARRAY: Final = "array"
KEY: Final = "key"


class Access(msgspec.Struct, frozen=True):
    """A chain of subscripts: ``node`` is the outermost, ``parts`` are all indices from the left."""

    node: ast.Subscript
    base: ast.expr
    parts: tuple[ast.expr, ...]


def access(node: ast.Subscript) -> Access:
    """The chain that ends in a subscript; ``x[0][i]`` is the same as ``x[0, i]`` if the first takes elements."""
    parts = parts_of(node.slice)
    base = node.value
    while isinstance(base, ast.Subscript):
        before = parts_of(base.slice)
        if any(sort(part) != SCALAR for part in before):
            break
        parts = before + parts
        base = base.value
    return Access(node, base, tuple(parts))


def parts_of(index: ast.expr) -> list[ast.expr]:
    """The parts of one pair of brackets."""
    return list(index.elts) if isinstance(index, ast.Tuple) else [index]


def sort(part: ast.expr) -> str:
    """What a part of an index does, by its form; a bare name, an element or a call is taken for a number."""
    match part:
        case ast.Slice():
            return SLICE
        case ast.Constant(value=value):
            if value is None:
                return NEW_AXIS
            return ELLIPSIS if value is Ellipsis else SCALAR if type(value) is int else KEY
        case ast.JoinedStr():
            return KEY
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Invert() | ast.Not()):
            return MASK
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.BitXor()):
            return MASK
        case ast.List() | ast.ListComp() | ast.Tuple() | ast.Starred():
            return ARRAY
        case ast.BinOp(left, _, right):
            worse = [found for found in (sort(left), sort(right)) if found != SCALAR]
            return worse[0] if worse else SCALAR
        case ast.UnaryOp(_, operand):
            return sort(operand)
        case _:
            return SCALAR


def key(node: ast.expr) -> str | None:
    """How a place that holds a value is written: names, attributes and constant keys; None for anything else."""
    suffix = ""
    while True:
        match node:
            case ast.Name(name):
                return name + suffix
            case ast.Attribute(value, attr):
                node, suffix = value, f".{attr}{suffix}"
            case ast.Subscript(value, ast.Constant(value=str() as constant)):
                node, suffix = value, f"[{constant!r}]{suffix}"
            case _:
                return None


def root(node: ast.expr) -> ast.Name | None:
    """The name that a chain of attributes and subscripts starts from."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node if isinstance(node, ast.Name) else None


def variable_of(name: ast.Name, module: Module) -> int:
    """The index of the loop whose target a name is; -1 if it is something else."""
    number = module.loads.get(name)
    if number is None:
        return -1
    binding = module.bindings[number]
    return binding.loop if binding.kind == Bind.FOR else -1


def depends(node: ast.expr, loop: Loop, module: Module) -> bool:
    """Whether a value changes with each pass of a loop: it holds the loop's variable, or a name assigned from it."""
    seen: set[int] = set()
    stack: list[ast.AST] = [node]
    while stack and len(seen) < 40:
        part = stack.pop()
        if isinstance(part, ast.Name):
            number = module.loads.get(part)
            if number is None or number in seen:
                continue
            seen.add(number)
            bound = [module.bindings[number]]
            bound.extend(module.bindings[previous] for previous in bound[0].previous)
            for binding in bound:
                if binding.kind == Bind.FOR and binding.loop == loop.index:
                    return True
                if number >= loop.first and binding.value is not None and binding.kind in (Bind.ASSIGN, Bind.AUGMENT):
                    stack.append(binding.value)
        else:
            stack.extend(children(part))
    return False


def shifted(part: ast.expr, loop: Loop, module: Module) -> ast.expr | int | None:
    """How far an index ``v``, ``v + c``, ``c - v`` is from the loop's variable: 0, or the part itself.

    None if it is no such form of the variable.
    """
    match part:
        case ast.Name() if variable_of(part, module) == loop.index:
            return 0
        case ast.BinOp(left, ast.Add() | ast.Sub(), right):
            inner = [shifted(side, loop, module) for side in (left, right)]
            if sum(found is not None for found in inner) == 1:
                other = right if inner[0] is not None else left
                return None if depends(other, loop, module) else part
            return None
        case ast.UnaryOp(ast.USub(), operand):
            return None if shifted(operand, loop, module) is None else part
        case _:
            return None


def walked_axis(parts: tuple[ast.expr, ...], loop: Loop, module: Module) -> int | None:
    """The position of the part that follows a loop's variable, behind a slice or an ellipsis; None if there is none."""
    behind = False
    for position, part in enumerate(parts):
        found = sort(part)
        if found in (SLICE, ELLIPSIS):
            behind = True
        elif behind and found == SCALAR and shifted(part, loop, module) is not None:
            return position
    return None
