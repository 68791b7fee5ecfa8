"""MLS301: compilers that are called, and whose compiled code never runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import Exists, Uses, require
from mlsys_advise.edit import Fix, ReplaceStatement
from mlsys_advise.here import Here
from mlsys_advise.rule import Candidate, rule

_COMPILERS: Final = frozenset(
    {"torch.compile", "torch.jit.script", "torch.jit.trace", "jax.jit", "numba.njit", "numba.jit"}
)
_ALIVE: Final = "torch.compile"
#: Variables of the environment that turn the compiler off.
_SWITCHES: Final = frozenset({"TORCHDYNAMO_DISABLE", "TORCH_COMPILE_DISABLE"})

#: A setting of the compiler means nothing in a program that compiles nothing.
_COMPILES: Final = require(Exists(("torch.compile",), "program"), "the program compiles")


@rule(
    "MLS301",
    severity="warning",
    category="performance",
    lesson="torch-compile",
    evidence="compiled-vs-eager-pointwise",
    words=("compile", "jit", "njit", "script", "trace", "environ"),
    calls=_COMPILERS,
)
def ineffective_compile(node: ast.Module | ast.Call, here: Here) -> Iterator[Candidate]:
    """A compiler returns a wrapper; only calling that wrapper runs compiled code, all else of the model stays eager."""
    if here.in_test_file:
        return
    match node:
        case ast.Module():
            yield from _switches(node, here)
        case ast.Call():
            compiler = here.callee(node)
            if node.args or any(word.arg in _MODEL for word in node.keywords):
                yield from _compilation(node, compiler, here)


_MODEL: Final = frozenset({"model", "obj", "func", "fun", "fn"})


def _compilation(call: ast.Call, compiler: str, here: Here) -> Iterator[Candidate]:
    match _target(call, here):
        case None:
            return
        case ast.Expr() | ast.Name("_"):
            if not here.is_tried(call) and not _registers_class(call, compiler, here):
                yield here.candidate(
                    "MLS301",
                    call,
                    "{compiler}() changes nothing in place, and the wrapper that it returns is thrown away",
                    facts={"compiler": compiler},
                )
        case ast.Return() if compiler == _ALIVE:
            yield from _wrapper(call, None, here)
        case ast.Name() | ast.Attribute() as target if compiler == _ALIVE:
            yield from _wrapper(call, target, here)


def _registers_class(call: ast.Call, compiler: str, here: Here) -> bool:
    """Whether TorchScript is made to know a class, for which the result is not needed."""
    given = here.text(call.args[0]).rpartition(".")[2] if call.args else ""
    return compiler == "torch.jit.script" and given[:1].isupper() and not given.isupper()


def _target(call: ast.Call, here: Here) -> ast.Expr | ast.Return | ast.expr | None:
    """The statement that drops or returns a call's value, or what it is assigned to, alone or as a branch."""
    inner: ast.AST = call
    for around in here.ancestors(call):
        match around:
            case ast.IfExp() if inner is not around.test:
                inner = around
            case ast.Expr():
                return around if inner is call else None
            case ast.Return():
                return around
            case ast.Assign([target]) | ast.AnnAssign(target):
                return target
            case _:
                return None
    return None


def _wrapper(call: ast.Call, target: ast.Name | ast.Attribute | None, here: Here) -> Iterator[Candidate]:
    record = here.record(call)
    model = next(iter(call.args), None) or next(word.value for word in call.keywords if word.arg in _MODEL)
    if record is None or isinstance(here.source_of(model), ast.Lambda):
        return
    facts = {"wrapper": here.text(target, 30) if target is not None else "..", "model": here.text(model, 30)}
    yield here.candidate(
        "MLS301",
        call,
        "compiled, and never called: `{wrapper}.{method}(..)` is a method of the original model, which runs eagerly",
        require(Uses(*record, "bypassed"), "its methods are used, but not the wrapper"),
        facts=facts,
        group=f"{call.lineno}:{call.col_offset}",
        fix=_fix(call, target, model, here) if target is not None else None,
    )
    if target is not None and here.text(target) != here.text(model) and _called_after(model, call, here):
        yield here.candidate(
            "MLS301",
            call,
            "`{wrapper}` is never used: it is `{model}` that is called, and that runs eagerly",
            require(Uses(*record, "unread"), "the wrapper is not used"),
            facts=facts,
            group=f"{call.lineno}:{call.col_offset}",
        )


def _called_after(model: ast.expr, call: ast.Call, here: Here) -> bool:
    """Whether what was compiled is called below, in the same function or, of a module, in any."""
    name = here.text(model)
    return any(
        other.lineno > call.lineno and here.text(other.func) == name for other in here.calls(here.function(call).node)
    )


def _fix(call: ast.Call, target: ast.expr, model: ast.expr, here: Here) -> Fix | None:
    """Compile in place, where the wrapper takes the model's name in a statement of its own."""
    statement = here.parent(call)
    if not isinstance(statement, ast.Assign) or here.text(target) != here.text(model):
        return None
    options = [here.text(word, 400) for word in call.args[1:]]
    options += [f"{word.arg}={here.text(word.value, 400)}" for word in call.keywords if word.arg not in (None, "model")]
    if any(word.arg is None for word in call.keywords):
        return None
    name = here.text(model, 400)
    in_place = ReplaceStatement(here.span(statement), f"{name}.compile({', '.join(options)})")
    return Fix(f"compile {name} in place", "suggested", (in_place,))


def _switches(module: ast.Module, here: Here) -> Iterator[Candidate]:
    """Statements that turn the compiler off for the whole program."""
    if not any(name in here.document.source.text for name in _SWITCHES):
        return
    for node in ast.walk(module):
        match node:
            case ast.Assign([ast.Subscript(environment, ast.Constant(str() as name))], ast.Constant("1" | "true")):
                if name in _SWITCHES and here.qualified(environment) == "os.environ" and here.is_unconditional(node):
                    yield here.candidate(
                        "MLS301",
                        node,
                        "{name} turns the compiler off: what this program compiles runs eagerly",
                        _COMPILES,
                        facts={"name": name},
                    )
