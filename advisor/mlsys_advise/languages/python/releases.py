"""Code that drops, moves away or loads something heavy: a model, an engine, a shard of weights.

Names decide here: what follows such a statement is only ever excused by it.
"""

from __future__ import annotations

import ast
import functools
import re
from typing import Any, Final

_HEAVY: Final = re.compile(
    r"(^|_)(model|pipe|pipeline|engine|vae|unet|encoder|decoder|transformer|llm|state_dict|shard|net|network|module|"
    r"checkpoint|ckpt|weights?|trainer|learner)s?(_?\d+|_[a-z])?$"
)
_LOADING: Final = frozenset(
    "from_pretrained from_single_file load_state_dict load_file safe_open load_model load_checkpoint "
    "to_empty load_lora_weights load_weights".split()
)
#: Names of what unloads, and of what takes so long that nothing beside it matters.
_UNLOADING: Final = re.compile(
    r"^_?(unload|offload|destroy|dispose|shutdown|teardown|release|export_|convert_|quantize_|merge_(and|lora|adapter))"
)
_ENDING: Final = re.compile(
    r"unload|release|clean_?up|close|stop|destroy|teardown|tear_down|__a?exit__|__del__|shutdown|history|reset"
)


@functools.lru_cache(maxsize=1 << 15)
def ends_something(function: str) -> bool:
    """Whether a function's name says that it ends something: a session, a server, the life of an object."""
    return _ENDING.search(function.lower()) is not None


@functools.lru_cache(maxsize=1 << 15)
def _lasts(function: str) -> bool:
    """Whether a function's name says that it loads or unloads something heavy."""
    return function in _LOADING or _UNLOADING.match(function) is not None


def releases(statement: ast.stmt) -> bool:
    """Whether a simple statement drops, moves away or loads something heavy.

    The walk asks this of every call and assignment: exact types are tested here, because `match` takes six times
    as long.
    """
    cls = type(statement)
    if cls is ast.Expr or cls is ast.Assign:
        value = statement.value  # type: ignore[attr-defined]
        if type(value) is ast.Call:
            return _loads_or_unloads(value)
        if cls is ast.Assign and type(value) is ast.Constant and value.value is None:
            return any(_heavy(target) for target in statement.targets)  # type: ignore[attr-defined]
    elif cls is ast.Delete:
        return any(_heavy(target) for target in statement.targets)  # type: ignore[attr-defined]
    return False


def _heavy(target: ast.expr) -> bool:
    match target:
        case ast.Name(name) | ast.Attribute(attr=name) | ast.Subscript(value=ast.Name(name) | ast.Attribute(attr=name)):
            return _HEAVY.search(name.lower()) is not None
        case ast.Tuple(elts) | ast.List(elts):
            return any(_HEAVY.search(part.id.lower()) for part in elts if isinstance(part, ast.Name))
    return False


def _loads_or_unloads(call: ast.Call) -> bool:
    """Whether one of the calls of a chain `X.load(..).to(..)` loads or moves away."""
    node: Any = call
    while True:
        cls = type(node)
        if cls is ast.Call:
            func = node.func
            if type(func) is ast.Attribute:
                name, of = func.attr, func.value
                if _lasts(name):
                    return True
                if name == "load" and type(of) is ast.Name and of.id == "torch":
                    return True
                if name == "cpu" or (name == "to" and node.args and _is_host(node.args[0])):
                    if _heavy(of):
                        return True
                node = of
            else:
                return type(func) is ast.Name and _lasts(func.id)
        elif cls is ast.Attribute or cls is ast.Subscript:
            node = node.value
        else:
            return False


def _is_host(node: ast.expr) -> bool:
    match node:
        case ast.Constant("cpu" | "meta"):
            return True
        case ast.Call(ast.Attribute(attr="device"), [ast.Constant("cpu" | "meta")]):
            return True
    return False
