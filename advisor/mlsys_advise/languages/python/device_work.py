"""Device work and waits in a stretch of code: what is queued on an accelerator, and what waits until it is done.

An expression is WORK if this file alone shows that it is queued, a STEP if it is a backward pass or an update of
weights (on whatever device the model is), a WAIT if it waits, or is assumed to, and ASK if only the project can tell.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Final

from mlsys_advise.languages.python.evaluation import between, expressions
from mlsys_advise.library.waiting import (
    CONVERTING,
    CREATING,
    MEASURING,
    QUIET,
    READING,
    READS_BACK,
    WAITING_FUNCTIONS,
    WAITING_METHODS,
)
from mlsys_advise.term import Const, Lit, Name, Term
from mlsys_advise.vocabulary import Lexicon

WORK: Final = "work"
STEP: Final = "step"
WAIT: Final = "wait"
ASK: Final = "ask"
ACCELERATOR: Final = "accelerator"

#: Kinds of values that may live on a device.
_DEVICE_VALUES: Final = frozenset({"tensor", "tensors", "jax_array", "model_output", "cupy_array"})
#: What is known of a tensor without waiting for it.
_HOST_PARTS: Final = frozenset({"shape", "dtype", "device", "ndim", "size", "dim", "numel", "requires_grad", "is_cuda"})
_JAX: Final = ("jax.numpy.", "jax.lax.", "jax.nn.", "jax.scipy.", "jax.random.")
_LOOKING: Final = frozenset({"len", "isinstance", "type", "id", "hasattr", "getattr", "callable", "range", "enumerate"})


class DeviceWork:
    """Classifies expressions of one file."""

    def __init__(
        self,
        lexicon: Lexicon,
        term: Callable[[ast.expr], Term],
        kinds: Callable[[ast.expr], frozenset[str]],
        device: Callable[[ast.expr], str],
        destination: Callable[[ast.expr], str],
    ) -> None:
        self.lexicon = lexicon
        self.term = term
        self.kinds = kinds
        self.device = device
        self.destination = destination

    def events(self, first: ast.expr, last: ast.expr, statements: list[ast.stmt]) -> list[tuple[str, ast.expr]]:
        """The work, steps, waits and open calls between two expressions of a block, in order of evaluation."""
        results = self._results(statements)
        tested = {id(test) for statement in statements for part in ast.walk(statement) for test in _tested(part)}
        found: list[tuple[str, ast.expr]] = []
        for part in between(first, last, statements):
            event = self._event(part, results, id(part) in tested)
            if event:
                found.append((event, part))
        return found

    def first_wait(self, first: ast.expr, last: ast.expr, statements: list[ast.stmt]) -> ast.expr | None:
        """The first expression in between that waits for the device, as far as this file alone can tell."""
        return next((part for event, part in self.events(first, last, statements) if event == WAIT), None)

    def measures(self, call: ast.Call) -> bool:
        """Whether a call makes a tensor whose size the device has yet to compute: the host waits for it."""
        match call:
            case ast.Call(ast.Attribute(_, "nonzero" | "masked_select")):
                return True
            case ast.Call(func, [_], []):
                callee = self.term(func)
                return isinstance(callee, Name) and self.lexicon.canonical(callee.dotted) in MEASURING
        return False

    def uploads(self, call: ast.Call) -> bool:
        """Whether a call copies host data to a device and returns when they are there: it waits for the stream.

        Of a tensor that lives nobody knows where, it may.
        """
        if any(keyword.arg == "non_blocking" for keyword in call.keywords):
            return False
        match call:
            case ast.Call(ast.Attribute(of, "cuda" | "xpu" | "npu")):
                return self._may_be_host(of)
            case ast.Call(ast.Attribute(of, "to"), [destination, *_]):
                return self.destination(destination) == ACCELERATOR and self._may_be_host(of)
            case ast.Call(func, [_, *_]):
                callee = self.term(func)
                if not isinstance(callee, Name) or self.lexicon.canonical(callee.dotted) not in CONVERTING:
                    return False
                return any(one.arg == "device" and self.destination(one.value) != "host" for one in call.keywords)
        return False

    def _may_be_host(self, node: ast.expr) -> bool:
        return self.device(node) != ACCELERATOR and "module" not in self.kinds(node)

    # -- single expressions

    def _event(self, part: ast.expr, results: frozenset[str], tested: bool) -> str:
        if tested and self._on_device(part, results, asking=False):
            return WAIT
        match part:
            case ast.Call():
                return WAIT if self.uploads(part) else self._call(part, results)
            case ast.FormattedValue(value) if self._on_device(value, results):
                return WAIT
            case ast.Subscript(_, ast.Compare() | ast.UnaryOp(ast.Invert()) as mask, ast.Load()):
                return WAIT if self._on_device(mask, results) else ""
            case ast.BinOp(left, _, right):
                return self._operation(left, right)
        return ""

    def _operation(self, left: ast.expr, right: ast.expr) -> str:
        if "accelerator" in (self.device(left), self.device(right)):
            return WORK
        return WORK if "jax_array" in self.kinds(left) | self.kinds(right) else ""

    def _call(self, call: ast.Call, results: frozenset[str]) -> str:
        func = call.func
        callee = self.term(func)
        if isinstance(callee, Name):
            return self._named(call, self.lexicon.canonical(callee.dotted), results)
        if isinstance(func, ast.Attribute):
            event = self._method(call, func)
            if event is not None:
                return event
        kinds = self.kinds(func)
        if kinds & READS_BACK:
            return WAIT
        if "jitted" in kinds:
            return WORK
        return "" if kinds & {"tokenizer", "transform"} else ASK

    def _method(self, call: ast.Call, func: ast.Attribute) -> str | None:
        """What a method call does by its name and its receiver's kind; None if that does not tell."""
        of = self.kinds(func.value)
        match func.attr:
            case name if name in WAITING_METHODS:
                return WAIT
            case "to":
                return WAIT if call.args and self.destination(call.args[0]) == "host" else ""
            case "backward":
                return STEP
            case "step":
                if call.args or "scaler" in of:
                    return WAIT
                return "" if "scheduler" in of else STEP
            case "replay" if "cuda_object" in of:
                return WORK
            case "lower" | "compile" | "cuda" | "eval" | "train" | "zero_grad" | "parameters" | "requires_grad_":
                return ""
        if of & READS_BACK:
            return WAIT
        if of & _DEVICE_VALUES and not of & {"instance"}:
            return WORK if self.device(func.value) == "accelerator" or "jax_array" in of else ""
        return "" if (of and not of & {"instance", "module"}) or func.attr in self.lexicon.vocabulary.common else None

    def _named(self, call: ast.Call, name: str, results: frozenset[str]) -> str:
        """What a call of a library function, or of one that may be of the project, does."""
        package, _, last = name.partition(".")
        if name in WAITING_FUNCTIONS:
            return WAIT
        if package == "builtins":
            return WAIT if last not in _LOOKING and self._reads(call, name, results) else ""
        if name.startswith(_JAX):
            return "" if name.rpartition(".")[2] in CREATING else WORK
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if package == "torch" and self.lexicon.constructed(name) in _DEVICE_VALUES:
            return WORK if any(self.device(argument) == "accelerator" for argument in arguments) else ""
        if package == "numpy":
            return WAIT if any(self._on_device(argument, results) for argument in arguments) else ""
        if package in QUIET:
            return ""
        made = self.lexicon.constructed(name)
        return "" if made and made not in ("sdk_client",) else ASK

    def _reads(self, call: ast.Call, name: str, results: frozenset[str]) -> bool:
        """Whether `float`, `print` and the like are given a tensor; a number of unknown origin may be one."""
        for argument in call.args:
            if self._on_device(argument, results):
                return True
            if name in READING and name != "builtins.print" and not self._is_host(argument):
                return True
        return False

    def _is_host(self, node: ast.expr) -> bool:
        term = self.term(node)
        return isinstance(term, (Const, Lit)) or bool(self.kinds(node) - _DEVICE_VALUES) or _is_part(node)

    def _on_device(self, node: ast.expr, results: frozenset[str], *, asking: bool = True) -> bool:
        """Whether a value may be a tensor whose computation is not known to be done.

        ``asking``: the result of a function that only the project knows may be one.
        """
        stack: list[ast.AST] = [node]
        while stack:
            part = stack.pop()
            match part:
                case ast.Attribute(attr=name) if name in _HOST_PARTS:
                    continue
                case ast.Call(ast.Name(name)) if name in _LOOKING:
                    continue
                case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
                    continue
                case ast.Name() | ast.Attribute() if _key(part) in results:
                    return True
                case ast.Call(ast.Attribute(attr=name)) if name in WAITING_METHODS:
                    continue
                case ast.Call() if self.kinds(part) & _DEVICE_VALUES:
                    return True
                case ast.Call() if self._call(part, results) in ((WORK, ASK) if asking else (WORK,)):
                    return True
                case ast.Name() if self.kinds(part) & _DEVICE_VALUES:
                    return True
                case ast.Lambda() | ast.FunctionDef():
                    continue
            stack.extend(ast.iter_child_nodes(part))
        return False

    def _results(self, statements: list[ast.stmt]) -> frozenset[str]:
        """The names that some statements give to what they compute on a device, or may."""
        found: frozenset[str] = frozenset()
        for statement in statements:
            for part in ast.walk(statement):
                match part:
                    case ast.Assign(targets, value) if self._on_device(value, found):
                        found |= {_key(name) for target in targets for name in _stored(target)}
                    case ast.AugAssign(target, _, value) | ast.NamedExpr(target, value) if self._on_device(
                        value, found
                    ):
                        found |= {_key(name) for name in _stored(target)}
        return found - {""}


def _stored(target: ast.expr) -> Iterator[ast.expr]:
    """The names and attributes that an assignment binds."""
    for part in ast.walk(target):
        if isinstance(part, (ast.Name, ast.Attribute)) and isinstance(part.ctx, ast.Store):
            yield part


def _tested(part: ast.AST) -> tuple[ast.expr, ...]:
    """The expressions whose truth a statement or expression asks for."""
    match part:
        case ast.If(test) | ast.While(test) | ast.Assert(test) | ast.IfExp(test):
            return (test,)
        case ast.UnaryOp(ast.Not(), operand):
            return (operand,)
        case ast.BoolOp(values=values):
            return tuple(values)
    return ()


def _key(node: ast.AST) -> str:
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(value, name):
            return f"{_key(value)}.{name}"
    return ""


def _is_part(node: ast.expr) -> bool:
    """Whether a number is a length or size of something."""
    return any(isinstance(part, ast.Attribute) and part.attr in _HOST_PARTS for part in expressions(node))
