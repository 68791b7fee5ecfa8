"""Placement: which values and device expressions of one file decide where a tensor lives.

PyTorch refuses to compute with tensors of several devices, so one operand that is known to live on a device is enough.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from mlsys_advise.languages.python.scopes import Bind, Binding, Module, Scope
from mlsys_advise.languages.python.shapes import Shapes
from mlsys_advise.languages.python.terms import Terms
from mlsys_advise.library import arrays
from mlsys_advise.library.waiting import ACCELERATING, ON_HOST
from mlsys_advise.term import Const, Def, Name, Term, Unknown

ACCELERATOR: Final = "accelerator"
HOST: Final = "host"

#: Functions that make a tensor where they are told to, by default on the host.
_MAKING: Final = (
    arrays.FILLED
    | arrays.ONE_AXIS
    | arrays.CONVERTED
    | frozenset("eye tril_indices triu_indices from_numpy randint LongTensor FloatTensor IntTensor BoolTensor".split())
)
#: Attributes of tensors that are no tensors.
_NO_TENSORS: Final = frozenset({"shape", "dtype", "device", "ndim", "requires_grad", "is_cuda", "grad_fn", "layout"})
#: Builtin functions that hand on what they are given.
_CARRIERS: Final = frozenset(
    {"enumerate", "zip", "list", "tuple", "reversed", "sorted", "iter", "next", "map", "filter"}
)
_OPERATIONS: Final = (
    arrays.SAME_SHAPE
    | arrays.BROADCAST
    | arrays.REDUCTIONS
    | arrays.PERMUTING
    | arrays.ELEMENTWISE
    | arrays.VIEWS
    | arrays.MATRIX
)
#: Methods that bring a tensor to the host: if one is met on any way, the tensor may be there.
_FETCHING: Final = ON_HOST - {"item", "tolist"}
_FETCHED: Final = "fetched"
_MOST: Final = 80
_MOST_SOURCES: Final = 8


class Placement(msgspec.Struct, frozen=True):
    """Where a tensor lives: ACCELERATOR or HOST if the file decides it, else "" with what decides it.

    It lives where one of ``values`` does, or on one of ``devices``.
    """

    device: str = ""
    values: tuple[Term, ...] = ()
    devices: tuple[Term, ...] = ()


class Placements:
    """The placements of one file."""

    def __init__(self, module: Module, terms: Terms, shapes: Shapes, named: Callable[[Term], str]) -> None:
        self.module = module
        self.terms = terms
        self.shapes = shapes
        #: where this file alone puts a device expression
        self._named = named

    def of(self, node: ast.expr, scope: Scope) -> Placement:
        """What decides where the value of an expression lives."""
        values: dict[Term, None] = {}
        devices: dict[Term, None] = {}
        found: set[str] = set()
        stack: list[tuple[ast.expr, Scope]] = [(node, scope)]
        seen: set[ast.expr] = set()
        while stack and len(seen) < _MOST:
            part, around = stack.pop()
            if part in seen:
                continue
            seen.add(part)
            for step in reversed([*self._back(part, around)]):
                match step:
                    case str():
                        found.add(step)
                    case ast.expr():
                        stack.append((step, around))
                    case (ast.expr() as other, Scope() as home):
                        stack.append((other, home))
                    case _Device(expression):
                        device = self._named(expression)
                        if device:
                            found.add(device)
                        else:
                            devices[expression] = None
                    case _Value(term) if not isinstance(term, Unknown | Const | Name | Def):
                        values[term] = None
        if _FETCHED in found:
            return Placement(HOST)
        if ACCELERATOR in found:
            return Placement(ACCELERATOR)
        if not values and not devices:
            return Placement(HOST if HOST in found else "")
        return Placement("", tuple(values)[:_MOST_SOURCES], tuple(devices)[:_MOST_SOURCES])

    def _back(self, node: ast.expr, scope: Scope) -> Iterator[_Step]:
        match node:
            case ast.Name():
                yield from self._name(node, scope)
            case ast.Attribute(value, attr):
                if attr in _NO_TENSORS:
                    return
                if not self._of_receiver(value, scope):
                    yield value
                    return
                yield _Value(self.terms.of(node, scope))
                yield from self._assigned.get((scope.cls, attr), ())
            case ast.Subscript(value) | ast.Starred(value) | ast.Await(value) | ast.NamedExpr(value=value):
                yield value
            case ast.BinOp(left, _, right):
                yield from (left, right)
            case ast.Compare(left, _, comparators):
                yield from (left, *comparators)
            case ast.UnaryOp(_, operand):
                yield operand
            case ast.BoolOp(values=values) | ast.List(values) | ast.Tuple(values):
                yield from values
            case ast.IfExp(_, body, orelse):
                yield from (body, orelse)
            case ast.ListComp(elt) | ast.GeneratorExp(elt):
                yield elt
            case ast.Call():
                yield from self._call(node, scope)

    @functools.cached_property
    def _assigned(self) -> dict[tuple[str, str], list[tuple[ast.expr, Scope]]]:
        """What the methods of a class of the file assign to its attributes."""
        found: dict[tuple[str, str], list[tuple[ast.expr, Scope]]] = {}
        for scope in self.module.scopes:
            for node, value, path, _ in scope.attributes if scope.cls else ():
                if value is not None and not path and self._of_receiver(node.value, scope):
                    found.setdefault((scope.cls, node.attr), []).append((value, scope))
        return found

    def _of_receiver(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an attribute belongs to the object of the method, or to a module: other files may say more."""
        return isinstance(node, ast.Name) and (
            bool(scope.parameters and scope.cls and node.id == scope.parameters[0])
            or isinstance(self.terms.of(node, scope), Name)
        )

    # -- names

    def _name(self, node: ast.Name, scope: Scope) -> Iterator[_Step]:
        if node not in self.module.loads:
            yield _Value(self.terms.of(node, scope))
            return
        for binding in self.terms.reaching(node, _MOST):
            yield from self._bound(binding)

    def _bound(self, binding: Binding) -> Iterator[_Step]:
        """What a binding gives its name; where a file is left, the term."""
        home = self.module.scopes[binding.scope]
        match binding.kind:
            case Bind.ASSIGN | Bind.AUGMENT if binding.value is not None:
                value = binding.value
                for position in binding.path:
                    if not isinstance(value, ast.Tuple | ast.List) or not 0 <= position < len(value.elts):
                        break
                    value = value.elts[position]
                yield (value, home)
            case Bind.FOR:
                part, _, counts = self.shapes.component(binding.value, binding.path, home)
                if part is not None and not counts:
                    yield (part, home)
            case Bind.PARAM:
                yield _Value(self.terms.parameter(home, binding.path[0]))

    # -- calls

    def _call(self, node: ast.Call, scope: Scope) -> Iterator[_Step]:
        callee = self.terms.of(node.func, scope)
        if isinstance(callee, Name):
            yield from self._named_call(node, self.terms.lexicon.canonical(callee.dotted), scope)
        elif isinstance(node.func, ast.Attribute) and not isinstance(callee, Def):
            yield from self._method(node, node.func, scope)
        else:
            yield _Value(self.terms.of(node, scope))
            yield from node.args
            inside = self.module.by_qualname.get(callee.qualname) if isinstance(callee, Def) else None
            if inside is not None and inside.kind == "function":
                yield from ((returned, inside) for returned in inside.returns)

    def _method(self, node: ast.Call, func: ast.Attribute, scope: Scope) -> Iterator[_Step]:
        name, receiver = func.attr, func.value
        device = _keyword(node, "device")
        if name in ACCELERATING:
            yield ACCELERATOR
        elif name in ON_HOST:
            yield _FETCHED if name in _FETCHING else HOST
        elif name == "to":
            target = device or (node.args[0] if node.args else None)
            if target is None or self._is_type(target, scope):
                yield receiver
                return
            yield _Device(self.terms.of(target, scope))
            yield target
            yield from self._beside(target)
        elif name.startswith("new_"):
            yield _Device(self.terms.of(device, scope)) if device is not None else receiver
            if device is not None:
                yield from self._beside(device)
        else:
            yield _Value(self.terms.of(node, scope))
            if not self._of_receiver(receiver, scope):
                yield receiver
            if name not in _OPERATIONS and not arrays.mutates(name):
                yield from node.args

    def _named_call(self, node: ast.Call, name: str, scope: Scope) -> Iterator[_Step]:
        package, _, last = name.rpartition(".")
        device = _keyword(node, "device")
        if package == "torch" and (last in _MAKING or last in arrays.LIKE):
            if device is not None:
                yield _Device(self.terms.of(device, scope))
                yield from self._beside(device)
            elif last in arrays.LIKE or last == "as_tensor":
                yield from node.args[:1]
            else:
                yield HOST
        elif package == "builtins":
            yield from node.args if last in _CARRIERS else ()
        elif name.startswith(("torch.", "einops.", "torchvision.ops.")):
            yield from node.args
            yield from (keyword.value for keyword in node.keywords)
        elif name.startswith("numpy."):
            yield HOST
        else:
            yield _Value(self.terms.of(node, scope))
            yield from node.args

    def _beside(self, device: ast.expr) -> Iterator[_Step]:
        """The tensor whose device an expression names: `x.device`, also under a name."""
        for _ in range(4):
            match device:
                case ast.Attribute(value, "device"):
                    yield value
                    return
                case ast.Call(args=[inner, *_]):
                    device = inner
                case ast.Name():
                    number = self.module.loads.get(device)
                    binding = self.module.bindings[number] if number is not None else None
                    if binding is None or binding.value is None or binding.path or binding.kind != Bind.ASSIGN:
                        return
                    device = binding.value
                case _:
                    return

    def _is_type(self, node: ast.expr, scope: Scope) -> bool:
        term = self.terms.of(node, scope)
        return isinstance(term, Name) and term.dotted.startswith("torch.")


class _Value(msgspec.Struct, frozen=True):
    """A value that other files know more of."""

    term: Term


class _Device(msgspec.Struct, frozen=True):
    """An expression that names a device."""

    term: Term


_Step = str | ast.expr | tuple[ast.expr, Scope] | _Value | _Device


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)
