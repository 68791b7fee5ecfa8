"""Code that drops, moves away or loads something heavy: a model, an engine, a shard of weights.

Names decide here: what follows such a statement is only ever excused by it.
"""

from __future__ import annotations

import ast
import re
from typing import Final

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


def ends_something(function: str) -> bool:
    """Whether a function's name says that it ends something: a session, a server, the life of an object."""
    return _ENDING.search(function.lower()) is not None


def releases(statement: ast.stmt) -> bool:
    """Whether a simple statement drops, moves away or loads something heavy."""
    match statement:
        case ast.Delete(targets):
            return any(_heavy(target) for target in targets)
        case ast.Assign(targets, ast.Constant(None)):
            return any(_heavy(target) for target in targets)
        case ast.Assign(value=ast.Call() as call) | ast.Expr(ast.Call() as call):
            return _loads_or_unloads(call)
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
    node: ast.expr = call
    while True:
        match node:
            case ast.Call(ast.Attribute(of, name), args):
                if name in _LOADING or _UNLOADING.match(name):
                    return True
                if name == "load" and isinstance(of, ast.Name) and of.id == "torch":
                    return True
                if name == "cpu" or (name == "to" and args and _is_host(args[0])):
                    if _heavy(of):
                        return True
                node = of
            case ast.Call(ast.Name(name)):
                return name in _LOADING or _UNLOADING.match(name) is not None
            case ast.Attribute(of) | ast.Subscript(of):
                node = of
            case _:
                return False


def _is_host(node: ast.expr) -> bool:
    match node:
        case ast.Constant("cpu" | "meta"):
            return True
        case ast.Call(ast.Attribute(attr="device"), [ast.Constant("cpu" | "meta")]):
            return True
    return False
