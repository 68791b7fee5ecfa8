"""Loop bodies: what a pass does, how heavy it is, what it changes and what it takes from the pass before.

A body is *scalar* if it handles numbers one at a time, *light* if it also does element-wise work, reductions or views
of arrays, *heavy* if it multiplies matrices, *unknown* if it calls anything else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import msgspec

from mlsys_advise.languages.python import indices
from mlsys_advise.languages.python.scopes import Bind, Loop, Module, Scope, children
from mlsys_advise.languages.python.shapes import Shapes
from mlsys_advise.languages.python.terms import Terms
from mlsys_advise.library import arrays
from mlsys_advise.term import Name, Term

SCALAR: Final = "scalar"
LIGHT: Final = "light"
HEAVY: Final = "heavy"
UNKNOWN: Final = "unknown"

#: Asks for the kinds that a value is known to have; must not lead back to what holds the bodies (no cycles).
KindsOf: TypeAlias = Callable[[Term], frozenset[str]]

_NUMBER_BUILTINS: Final = frozenset(
    {"int", "float", "bool", "abs", "min", "max", "round", "len", "divmod", "pow", "ord", "isinstance"}
)
_COUNTERS: Final = frozenset({"range", "trange", "enumerate"})
_WIDE_PARTS: Final = frozenset({indices.SLICE, indices.ELLIPSIS, indices.MASK, indices.ARRAY})
_CONTAINER_METHODS: Final = frozenset({"append", "add", "get", "setdefault"})
_CASTS: Final = frozenset({"item", "long", "int", "float", "double", "bool", "half"})
#: Methods of tensors that compute.
_COMPUTING: Final = (
    arrays.REDUCTIONS
    | arrays.MATRIX
    | (arrays.ELEMENTWISE - arrays.VIEWS)
    | arrays.PAIRED
    | frozenset(
        "repeat_interleave repeat gather index_select masked_fill scatter scatter_add topk sort argsort clone".split()
    )
)
#: Functions of torch that make tensors on the host, or ask about them.
_HOSTED: Final = arrays.CONVERTED | frozenset({"from_numpy", "is_tensor", "numel", "device", "Size", "Generator"})
#: Functions of torch that fill a tensor, on the host unless they are given a device.
_FILLING: Final = (arrays.FILLED | arrays.ONE_AXIS | frozenset({"eye", "randint"})) - {"bincount", "flatnonzero"}
_SIMPLE: Final = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Pass)
_BRANCHES: Final = (ast.If, ast.Continue, ast.Break, ast.Return)
_DEFINITIONS: Final = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef})
#: Nodes that weigh nothing themselves: most of a body, so they are passed over before `match` looks at the rest.
_WEIGHTLESS: Final = frozenset({ast.Name, ast.Constant, ast.Attribute, ast.keyword, ast.Tuple, *_SIMPLE, *_BRANCHES})
#: Nodes that force a part of theirs to be a number, if it is in a scalar body.
_FORCING: Final = frozenset({ast.If, ast.IfExp, ast.Assign, ast.AugAssign, ast.Call})
_OPERATORS: Final = frozenset({ast.BinOp, ast.AugAssign, ast.Compare, ast.UnaryOp})
_OPAQUE: Final = (
    ast.JoinedStr,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.Starred,
)


class Handing(msgspec.Struct, frozen=True):
    """A value that a call in the loop is given whole: by position, or by keyword where ``keyword`` is not empty."""

    call: ast.Call
    position: int
    keyword: str


class Bodies:
    """The loop bodies of one module."""

    def __init__(self, module: Module, terms: Terms, shapes: Shapes, kinds: KindsOf) -> None:
        self.module = module
        self.terms = terms
        self.shapes = shapes
        self._kinds_of = kinds
        self._parents = {loop.parent for loop in module.loops}
        self._calls: dict[int, list[ast.Call]] | None = None
        self._nodes: dict[int, tuple[ast.AST, ...]] = {}
        self._numbers: dict[int, set[ast.AST]] = {}
        self._assumed: dict[int, list[indices.Access]] = {}

    def kinds(self, node: ast.expr, scope: Scope) -> frozenset[str]:
        """The kinds that the value of an expression is known to have."""
        return self._kinds_of(self.terms.of(node, scope))

    # -- structure

    def innermost(self, loop: Loop) -> bool:
        """Whether no other loop, comprehension included, runs inside."""
        return loop.index not in self._parents

    def roots(self, loop: Loop) -> list[ast.stmt] | list[ast.expr]:
        """The statements of a pass, or the expressions of a comprehension's pass."""
        node = loop.node
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            return node.body
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return [*(test for clause in node.generators for test in clause.ifs), *results]

    def nodes(self, loop: Loop) -> tuple[ast.AST, ...]:
        """The nodes that a pass evaluates, in the order of the text; bodies of functions in it are left out."""
        known = self._nodes.get(loop.index)
        if known is None:
            found: list[ast.AST] = []
            stack: list[ast.AST] = [*reversed(self.roots(loop))]
            while stack:
                node = stack.pop()
                found.append(node)
                if type(node) not in _DEFINITIONS:
                    stack.extend(reversed(children(node)))
            known = self._nodes[loop.index] = tuple(found)
        return known

    def nest(self, loop: Loop) -> Iterator[Loop]:
        """A loop and the loops around it in its function, innermost first."""
        around: Loop | None = loop
        while around is not None:
            yield around
            around = around.outer

    def straight(self, loop: Loop) -> bool:
        """Whether every pass does the same: assignments and appends, without a branch or an exit."""
        for root in self.roots(loop):
            if isinstance(root, ast.stmt) and not isinstance(root, _SIMPLE):
                return False
        if not isinstance(loop.node, (ast.For, ast.AsyncFor, ast.While)):
            return not any(clause.ifs for clause in loop.node.generators)
        return True

    def exits(self, loop: Loop) -> bool:
        """Whether a pass may end the loop: `break`, `return` or `raise`."""
        return any(isinstance(node, (ast.Break, ast.Return, ast.Raise)) for node in self.nodes(loop))

    # -- weight

    def weight(self, loop: Loop) -> str:
        """SCALAR, LIGHT, HEAVY or UNKNOWN."""
        scope = self.module.scopes[loop.scope]
        last = self.last_acts(loop)
        for call in self._own_calls().get(loop.index, ()):  # most bodies end here, before their nodes are looked at
            weight = SCALAR if call in last else self._call(call, scope)
            if weight in (UNKNOWN, HEAVY):
                return weight
        found = SCALAR
        for node in self.nodes(loop):
            if type(node) in _WEIGHTLESS or node in last:
                continue
            match node:
                case ast.Call():
                    weight = self._call(node, scope)
                case ast.Subscript(of, index):
                    wide = any(indices.sort(part) in _WIDE_PARTS for part in indices.parts_of(index))
                    weight = LIGHT if wide and self._may_be_array(of, scope) else SCALAR
                case ast.BinOp(op=ast.MatMult()):
                    weight = HEAVY
                case ast.BinOp(ast.Constant(value=str()), ast.Mod(), _):
                    weight = UNKNOWN
                case ast.For(iter=iterated):
                    weight = SCALAR if self._counts(iterated, scope) else UNKNOWN
                case ast.stmt() if not isinstance(node, (*_SIMPLE, *_BRANCHES)):
                    weight = UNKNOWN
                case ast.expr() if isinstance(node, _OPAQUE):
                    weight = UNKNOWN
                case _:
                    continue
            if weight in (UNKNOWN, HEAVY):
                return weight
            if weight == LIGHT:
                found = LIGHT
        return LIGHT if found == LIGHT or self._wide(loop, scope) else SCALAR

    def last_acts(self, loop: Loop) -> set[ast.AST]:
        """What runs at most once, because the loop ends right behind it: blocks that close with `break` or `return`."""
        found: set[ast.AST] = set()
        stack: list[ast.stmt] = [root for root in self.roots(loop) if isinstance(root, ast.If)]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.If):
                for block in (node.body, node.orelse):
                    if block and isinstance(block[-1], (ast.Break, ast.Return, ast.Raise)):
                        found.update(part for statement in block for part in ast.walk(statement))
                    else:
                        stack.extend(block)
        return found

    def _own_calls(self) -> dict[int, list[ast.Call]]:
        """The calls of each loop outside of the loops in it."""
        if self._calls is None:
            self._calls = {}
            for scope in self.module.scopes:
                for site in scope.calls:
                    if site.loop >= 0:
                        self._calls.setdefault(site.loop, []).append(site.node)
        return self._calls

    def _call(self, node: ast.Call, scope: Scope) -> str:
        callee = self.terms.of(node.func, scope, 4)
        if isinstance(callee, Name):
            dotted = self.terms.lexicon.canonical(callee.dotted)
            top, _, last = dotted.rpartition(".")
            if top == "builtins":
                return SCALAR if last in _NUMBER_BUILTINS or last in _COUNTERS else UNKNOWN
            if top == "math":
                return SCALAR
            if dotted.partition(".")[0] in ("torch", "numpy", "cupy"):
                if last in arrays.MATRIX:
                    return HEAVY
                if last in arrays.ELEMENTWISE and all(self._certain(arg, scope) for arg in node.args):
                    return SCALAR
                return (
                    LIGHT
                    if last in arrays.ELEMENTWISE or last in arrays.REDUCTIONS or last in arrays.VIEWS
                    else UNKNOWN
                )
            return UNKNOWN
        if isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in _CONTAINER_METHODS:
                return SCALAR
            if name in arrays.MATRIX:
                return HEAVY
            if name in _CASTS and self._element(node.func.value, scope):
                return SCALAR
            if name in arrays.VIEWS or name in arrays.ELEMENTWISE or name in arrays.REDUCTIONS:
                return LIGHT
        return UNKNOWN

    def _counts(self, iterated: ast.expr, scope: Scope) -> bool:
        """Whether an inner loop only counts."""
        callee = self.terms.of(iterated.func, scope, 4) if isinstance(iterated, ast.Call) else None
        return isinstance(callee, Name) and callee.dotted.rpartition(".")[2] in _COUNTERS

    def _may_be_array(self, node: ast.expr, scope: Scope) -> bool:
        kinds = self.kinds(node, scope)
        return not kinds or not kinds.isdisjoint(arrays.ARRAY_KINDS)

    def _element(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression takes single elements, or is a number."""
        if isinstance(node, ast.Subscript):
            return all(indices.sort(part) == indices.SCALAR for part in indices.access(node).parts)
        return self.shapes.of(node, scope).rank == 0

    def _certain(self, node: ast.expr, scope: Scope) -> bool:
        return self.shapes.of(node, scope).rank == 0

    def _wide(self, loop: Loop, scope: Scope) -> bool:
        """Whether arithmetic in a pass may work on a whole array.

        What is compared in a test, stored into one element or given to ``int`` or ``math`` can only be a number, and so
        can everything that it is computed from.
        """
        forced = self.numbers(loop)
        seen = {ast.unparse(node) for node in forced if isinstance(node, ast.Subscript)}
        for node in self.nodes(loop):
            if type(node) not in _OPERATORS or node in forced:
                continue
            for leaf in _leaves(node):
                if leaf not in forced and self._may_be_wide(leaf, scope, seen):
                    return True
        return False

    def _may_be_wide(self, leaf: ast.expr, scope: Scope, seen: set[str]) -> bool:
        rank = self.shapes.of(leaf, scope).rank
        if rank is not None:
            return rank > 0
        if isinstance(leaf, ast.Subscript) and ast.unparse(leaf) in seen:
            return False
        return not self.kinds(leaf, scope).isdisjoint(arrays.ARRAY_KINDS)

    def numbers(self, loop: Loop) -> set[ast.AST]:
        """The expressions of a pass that can only be numbers, by what is done with them."""
        known = self._numbers.get(loop.index)
        if known is None:
            known = self._numbers[loop.index] = self._forced(loop, self.module.scopes[loop.scope])
        return known

    def _forced(self, loop: Loop, scope: Scope) -> set[ast.AST]:
        forced: set[ast.AST] = set()
        stack: list[ast.AST] = []
        for node in self.nodes(loop):
            if type(node) not in _FORCING:
                continue
            match node:
                case ast.If(test) | ast.IfExp(test):
                    stack.append(test)
                case ast.Assign([ast.Subscript() as target], value) | ast.AugAssign(
                    ast.Subscript() as target, _, value
                ):
                    element = self.is_element(target, scope)
                    if element is None:
                        operands = _leaves(node if isinstance(node, ast.AugAssign) else value)
                        element = any(self._may_be_wide(leaf, scope, set()) for leaf in operands)
                        if element:
                            self._assumed.setdefault(loop.index, []).append(indices.access(target))
                    if element:
                        stack.append(value)
                        forced.add(node)
                        forced.update(ast.walk(target))
                case ast.Call(ast.Name("int" | "float" | "bool" | "round"), args):
                    stack.extend(args)
                case ast.Call(ast.Attribute(ast.Name("math")), args):
                    stack.extend(args)
        if not isinstance(loop.node, (ast.For, ast.AsyncFor, ast.While)):
            stack.extend(test for clause in loop.node.generators for test in clause.ifs)
        while stack:
            node = stack.pop()
            for part in ast.walk(node):
                forced.add(part)
                if isinstance(part, ast.Name):
                    number = self.module.loads.get(part)
                    if number is None or number < loop.first:
                        continue
                    binding = self.module.bindings[number]
                    if binding.kind == Bind.ASSIGN and binding.value is not None and binding.value not in forced:
                        stack.append(binding.value)
        return forced

    def assumed(self, loop: Loop) -> list[indices.Access]:
        """The stores of a scalar body that were taken to be into one element, though the array's axes are not known."""
        self.numbers(loop)
        return self._assumed.get(loop.index, [])

    def is_element(self, node: ast.Subscript, scope: Scope) -> bool | None:
        """Whether a chain of subscripts takes one element: as many numbers as the array has axes, if that is known."""
        chain = indices.access(node)
        if not all(self.is_number(part, scope) for part in chain.parts):
            return False
        rank = self.shapes.of(chain.base, scope).rank
        if rank is not None:
            return rank == len(chain.parts)
        return None if self._may_be_array(chain.base, scope) else False

    def elements(self, loop: Loop) -> Iterator[indices.Access]:
        """The chains of subscripts in a pass whose every index is a number, one of which changes with each pass.

        What they take is one element if the array has as many axes as there are indices.
        """
        scope = self.module.scopes[loop.scope]
        inner: set[ast.AST] = set()
        for node in self.nodes(loop):
            if not isinstance(node, ast.Subscript) or node in inner:
                continue
            chain = indices.access(node)
            part = node.value
            while isinstance(part, ast.Subscript) and part is not chain.base:
                inner.add(part)
                part = part.value
            if any(indices.depends(part, loop, self.module) for part in chain.parts) and all(
                self.is_number(part, scope) for part in chain.parts
            ):
                yield chain

    def is_number(self, part: ast.expr, scope: Scope) -> bool:
        """Whether an index is a number, as far as can be told: no slice, mask, key or list of indices."""
        if indices.sort(part) != indices.SCALAR:
            return False
        if not isinstance(part, ast.Name):
            return True
        return self.shapes.of(part, scope).rank == 0 or not self.kinds(part, scope) - {"scalar", "tensor"}

    def works_on(self, loop: Loop, values: set[ast.AST]) -> bool:
        """Whether a pass calculates with some of these expressions, itself or under a name that it gives them.

        An operator, an element-wise function or a reduction is work; an index or a view is none.
        """
        names: set[str] = set()
        for node in self.nodes(loop):
            if isinstance(node, ast.Assign) and not values.isdisjoint(ast.walk(node.value)):
                names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        for node in self.nodes(loop):
            match node:
                case ast.BinOp() | ast.AugAssign():
                    pass
                case ast.Call(ast.Attribute(_, name)) if name in arrays.REDUCTIONS or name in arrays.ELEMENTWISE:
                    pass
                case _:
                    continue
            for part in ast.walk(node):
                if part in values or (isinstance(part, ast.Name) and part.id in names):
                    return True
        return False

    def launches(self, loop: Loop) -> bool:
        """Whether a pass has tensors computed: by a function of torch, a method that computes, or a module."""
        scope = self.module.scopes[loop.scope]
        for node in self.nodes(loop):
            match node:
                case ast.Call(func):
                    if self._computes(func, scope) and not self._fills_host(node, scope):
                        return True
                case ast.Subscript(of, index, ast.Store()):
                    wide = any(indices.sort(part) in _WIDE_PARTS for part in indices.parts_of(index))
                    if wide and "tensor" in self.kinds(of, scope):
                        return True
        return False

    def _takes_axes(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an index of several axes shows that something of unknown kind is an array."""
        return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and not self.kinds(node, scope)

    def _fills_host(self, node: ast.Call, scope: Scope) -> bool:
        """Whether a tensor is filled where nobody named a device: on the host, by default."""
        callee = self.terms.of(node.func, scope, 4)
        if not isinstance(callee, Name) or callee.dotted.rpartition(".")[2] not in _FILLING:
            return False
        return all(keyword.arg not in ("device", None) for keyword in node.keywords)

    def _computes(self, func: ast.expr, scope: Scope) -> bool:
        callee = self.terms.of(func, scope, 4)
        if isinstance(callee, Name):
            dotted = self.terms.lexicon.canonical(callee.dotted)
            last = dotted.rpartition(".")[2]
            if not dotted.startswith("torch.") or last in arrays.VIEWS or last in _HOSTED:
                return False
            return self.terms.lexicon.constructed(dotted) in ("tensor", "tensors")
        if isinstance(func, ast.Attribute) and func.attr in _COMPUTING:
            return "tensor" in self.kinds(func.value, scope) or self._takes_axes(func.value, scope)
        return "module" in self._kinds_of(callee)

    # -- what a pass takes from the one before

    def carried(self, loop: Loop) -> list[str]:
        """Names whose value in one pass comes from the pass before, unless they are only accumulated."""
        return sorted(name for name in loop.carried if not self.accumulates(loop, name))

    def accumulates(self, loop: Loop, name: str) -> bool:
        """Whether a name only gathers a sum, product, minimum or maximum, which no pass looks at."""
        gathering: set[ast.AST] = set()
        for node in self.nodes(loop):
            match node:
                case ast.AugAssign(ast.Name(target), ast.Add() | ast.Mult() | ast.Sub()) if target == name:
                    gathering.add(node.target)
                case ast.Assign([ast.Name(target) as bound], value) if target == name:
                    operands: list[ast.expr]
                    match value:
                        case ast.BinOp(left, ast.Add() | ast.Mult(), right):
                            operands = [left, right]
                        case ast.Call(func, args) if _last(func) in ("max", "min", "maximum", "minimum"):
                            operands = args
                        case _:
                            return False
                    own = [part for part in operands if isinstance(part, ast.Name) and part.id == name]
                    if len(own) != 1:
                        return False
                    gathering.update((bound, own[0]))
        uses = [node for node in self.nodes(loop) if isinstance(node, ast.Name) and node.id == name]
        return all(node in gathering for node in uses)

    # -- what a pass changes

    def changed(self, loop: Loop) -> set[str]:
        """The places (see ``indices.key``) that a pass rebinds or writes into itself."""
        found: set[str] = set()
        for node in self.nodes(loop):
            match node:
                case ast.Name(name, ast.Store() | ast.Del()):
                    found.add(name)
                case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                    found.update(_places(node))
                case ast.Call(ast.Attribute(of, name)) if arrays.mutates(name):
                    found.update(_places(of))
            if isinstance(node, ast.Call):
                for keyword in node.keywords:
                    if keyword.arg == "out":
                        found.update(_places(keyword.value))
        for part in ast.walk(loop.target) if loop.target is not None else ():
            if isinstance(part, ast.Name):
                found.add(part.id)
        return found

    def handed(self, loop: Loop, place: str) -> list[Handing]:
        """The calls in a pass that are given a place whole, or a view of it that is no single element."""
        found: list[Handing] = []
        for node in self.nodes(loop):
            if not isinstance(node, ast.Call):
                continue
            for position, arg in enumerate(node.args):
                if _is_view(arg, place):
                    found.append(Handing(node, position, ""))
            for keyword in node.keywords:
                if keyword.arg and _is_view(keyword.value, place):
                    found.append(Handing(node, -1, keyword.arg))
        return found


def _places(node: ast.expr) -> Iterator[str]:
    """The places that a store into an expression changes: ``self.x`` for ``self.x[0].data``."""
    while True:
        found = indices.key(node)
        if found is not None:
            yield found
        if isinstance(node, (ast.Subscript, ast.Attribute)):
            node = node.value
            if isinstance(node, ast.Name):
                if found is None:
                    yield node.id
                return
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value
        else:
            return


def _is_view(node: ast.expr, place: str) -> bool:
    while True:
        if indices.key(node) == place:
            return True
        if isinstance(node, ast.Subscript):
            if all(indices.sort(part) == indices.SCALAR for part in indices.parts_of(node.slice)):
                return False
            node = node.value
        elif isinstance(node, ast.Starred):
            node = node.value
        else:
            return False


def _leaves(node: ast.AST) -> Iterator[ast.expr]:
    """The operands of arithmetic, through nested operators."""
    stack: list[ast.AST] = [node]
    while stack:
        part = stack.pop()
        match part:
            case ast.BinOp(left, _, right):
                stack += [left, right]
            case ast.AugAssign(target, _, value):
                stack += [value, target] if isinstance(target, ast.Subscript) else [value]
            case ast.Compare(left, _, comparators):
                stack += [left, *comparators]
            case ast.UnaryOp(_, operand):
                stack.append(operand)
            case ast.Name() | ast.Subscript() | ast.Attribute():
                yield part


def _last(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
