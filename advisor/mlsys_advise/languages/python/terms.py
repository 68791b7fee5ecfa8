"""From expressions to terms: what a file can say of a value without reading another file."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from typing import Any, Final

from mlsys_advise.languages.python.scopes import Bind, Binding, Module, Scope
from mlsys_advise.library.arrays import OPERATIONS, SHAPED
from mlsys_advise.term import (
    UNKNOWN,
    Arith,
    Call,
    Const,
    Def,
    Elem,
    Item,
    Lit,
    Map,
    Member,
    Name,
    Param,
    Self,
    Seq,
    Term,
    Unknown,
    Var,
    either,
    last_name,
)
from mlsys_advise.vocabulary import Lexicon

#: How deep a term may become; the measured fix-point of kinds needs four steps across files.
DEPTH: Final = 12
_WIDTH: Final = 4
_BUILTINS: Final = frozenset(dir(builtins))
_PLAIN: Final = {name: Lit(name) for name in ("int", "float", "bool", "str", "bytes", "dict", "list", "tuple", "set")}
_SCALARS: Final = frozenset({"int", "float", "bool", "len", "hash", "id", "ord", "round"})
#: Builtins whose results are known, or are those of their arguments.
_SEEN_THROUGH: Final = _SCALARS | frozenset(
    {"min", "max", "str", "repr", "format", "dict", "list", "set", "tuple", "getattr", "super"}
)
_ITERATING: Final = frozenset({"builtins.enumerate", "builtins.zip"})
#: What stands for the identity of a call that has none.
_NOWHERE: Final = ("", -1)


class Terms:
    """Builds terms for one module; results for whole bindings are kept."""

    def __init__(self, module: Module, lexicon: Lexicon) -> None:
        self.module = module
        self.lexicon = lexicon
        #: the identities of calls that have one
        self.sites: dict[ast.Call, tuple[str, int]] = {}
        self._bindings: dict[int, Term] = {}
        self._sites_of: dict[str, int] = {}
        self._busy: set[int] = set()
        self._exported: dict[str, Term] = {}
        self._members: dict[tuple[str, str], Name] = {}
        self._tracked: dict[str, bool] = {}
        self._free: dict[tuple[int, str], Term] = {}
        self._functions: dict[str, tuple[str, str]] = {}
        #: by binding, the one by which a later iteration of a loop may have replaced it
        self.carried: dict[int, int] = {}
        for loop in module.loops:
            for name, last in loop.carried.items():
                self.carried.setdefault(loop.reads[name], last)
        #: annotations that are names, by scope and name
        self.annotated: dict[tuple[int, str], Term | None] = {}

    def of(self, node: ast.expr | None, scope: Scope, depth: int = DEPTH) -> Term:
        """The term of an expression evaluated in ``scope``."""
        if node is None or depth <= 0:
            return UNKNOWN
        cls = type(node)
        if cls is ast.Name:  # half of all expressions
            number = self.module.loads.get(node)  # type: ignore[call-overload]
            if number is not None and number not in self.carried:
                return self._bindings.get(number) or self.binding(number, depth)
        make = _MAKERS.get(cls)
        return make(self, node, scope, depth) if make is not None else UNKNOWN

    def _attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> Term:
        """A whole chain `a.b.c.d` costs one step of depth, so that long module paths are no longer than short ones."""
        base = node.value
        if type(base) is not ast.Attribute:
            return self.member(self.of(base, scope, depth - 1), node.attr)
        names = [node.attr]
        while type(base) is ast.Attribute:
            names.append(base.attr)
            base = base.value
        if len(names) > DEPTH:
            return UNKNOWN
        term = self.of(base, scope, depth - 1)
        for name in reversed(names):
            term = self.member(term, name)
        return term

    def _constant(self, node: ast.Constant, scope: Scope, depth: int) -> Term:
        return constant(node.value)

    def _value(self, node: ast.Await | ast.NamedExpr, scope: Scope, depth: int) -> Term:
        return self.of(node.value, scope, depth)

    def _starred(self, node: ast.Starred, scope: Scope, depth: int) -> Term:
        return Elem(self.of(node.value, scope, depth - 1))

    def _subscript(self, node: ast.Subscript, scope: Scope, depth: int) -> Term:
        return item(self.of(node.value, scope, depth - 1), key(node.slice))

    def _display(self, node: ast.Tuple | ast.List | ast.Set, scope: Scope, depth: int) -> Term:
        kind = type(node).__name__.lower()
        if len(node.elts) > 2 * _WIDTH:
            return Seq(kind, (either([self.of(part, scope, depth - 2) for part in node.elts[:_WIDTH]]),), many=True)
        return Seq(kind, tuple([self.of(element, scope, depth - 1) for element in node.elts]))

    def _mapping(self, node: ast.Dict, scope: Scope, depth: int) -> Term:
        pairs: list[tuple[str, Term]] = []
        for name, value in zip(node.keys[: 2 * _WIDTH], node.values, strict=False):
            if not isinstance(name, ast.Constant):
                return Lit("dict")
            pairs.append((str(name.value), self.of(value, scope, depth - 1)))
        return Map(tuple(pairs)) if len(node.keys) <= 2 * _WIDTH else Lit("dict")

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope, depth: int) -> Term:
        kind = {"ListComp": "list", "SetComp": "set"}.get(type(node).__name__, "generator")
        return Seq(kind, (self.of(node.elt, scope, depth - 1),), many=True)

    def _conditional(self, node: ast.IfExp, scope: Scope, depth: int) -> Term:
        return either([self.of(node.body, scope, depth - 1), self.of(node.orelse, scope, depth - 1)])

    def _boolean(self, node: ast.BoolOp, scope: Scope, depth: int) -> Term:
        if isinstance(node.op, ast.Or):
            return either([self.of(value, scope, depth - 1) for value in node.values[:_WIDTH]])
        return self.of(node.values[-1], scope, depth - 1)

    def _binary(self, node: ast.BinOp, scope: Scope, depth: int) -> Term:
        depth = min(depth, _ARITHMETIC)
        first = self.of(node.left, scope, depth - 2)
        if isinstance(node.op, ast.Mod) and isinstance(first, (Lit, Const)) and _type_of(first) == "str":
            return Lit("str")
        if isinstance(node.op, ast.Mult) and isinstance(first, Seq):
            return Seq(first.builtin, first.items, many=True)
        second = self.of(node.right, scope, depth - 2)
        if isinstance(node.op, ast.Mult) and type(first) is not Arith and type(second) is not Arith:
            return Arith((first, second), product=True)
        return arith(first, second)

    def _compare(self, node: ast.Compare, scope: Scope, depth: int) -> Term:
        if isinstance(node.ops[0], (ast.Is, ast.IsNot, ast.In, ast.NotIn)):
            return Lit("bool")
        depth = min(depth, _ARITHMETIC)
        return arith(self.of(node.left, scope, depth - 2), self.of(node.comparators[0], scope, depth - 2))

    def _unary(self, node: ast.UnaryOp, scope: Scope, depth: int) -> Term:
        if isinstance(node.op, ast.Not):
            return Lit("bool")
        inner = self.of(node.operand, scope, depth - 1)
        if isinstance(node.op, ast.USub) and isinstance(inner, Const) and isinstance(inner.value, (int, float)):
            return Const(-inner.value)
        return inner

    def _text(self, node: ast.JoinedStr, scope: Scope, depth: int) -> Term:
        """A formatted string; of one that names a device or an endpoint, how it begins is kept, of a file its parts."""
        start = node.values[0] if node.values else None
        end = node.values[-1] if node.values else None
        if isinstance(end, ast.Constant) and str(end.value).endswith(_STORED):
            inner = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
            return self._file(inner, str(end.value), scope, depth)
        if isinstance(start, ast.Constant):
            text = str(start.value)
            if text.startswith("cuda"):
                return Arith((Const("cuda"), Lit("str")))
            if "://" in text[:12] or text.startswith("unix:"):
                return Arith((Const(text[:80]), Lit("str")))
        return Lit("str")

    def _file(self, parts: list[ast.expr], end: str, scope: Scope, depth: int) -> Term:
        """The name of a stored file: what it is made of, and how it ends."""
        return Arith((*[self.of(part, scope, min(depth, 6) - 2) for part in parts[:3]], Const(end[-80:])))

    def _any_dict(self, node: ast.DictComp, scope: Scope, depth: int) -> Term:
        value = self.of(node.value, scope, depth - 1)
        return Lit("dict") if value == UNKNOWN else Seq("dict", (value,), many=True)

    def _lambda(self, node: ast.Lambda, scope: Scope, depth: int) -> Term:
        inside = self.module.scope_of.get(node)
        return Def(inside.qualname) if inside is not None else UNKNOWN

    def name(self, node: ast.Name, scope: Scope, depth: int = DEPTH) -> Term:
        number = self.module.loads.get(node)
        if number is None:
            return self.free(node.id, scope, depth)
        carried = self.carried.get(number)
        if carried is not None:
            kind = self.module.bindings[number].kind
            if kind < Bind.PARAM or kind > Bind.DEF:
                return either([self.binding(number, depth), self.binding(carried, depth - 2)])
        return self._bindings.get(number) or self.binding(number, depth)

    def free(self, name: str, scope: Scope, depth: int = DEPTH) -> Term:
        """A name that the scope does not bind before the load: enclosing functions, the module, builtins."""
        place = (scope.index, name)
        known = self._free.get(place)
        if known is not None:
            return known
        around: Scope | None = scope
        while around is not None:
            numbers = around.bindings.get(name)
            if numbers and (around.kind != "class" or around is scope):
                if around.kind == "module":
                    term = self._free[place] = self.exported(name, numbers)
                    return term
                return either([self.binding(number, depth - 1) for number in numbers[:_WIDTH]])
            around = around.parent
        term = self._free[place] = Name(f"builtins.{name}") if name in _BUILTINS else UNKNOWN
        return term

    def exported(self, name: str, numbers: list[int]) -> Term:
        """A module-level name seen from elsewhere: an import or definition, or else a variable of the module."""
        known = self._exported.get(name)
        if known is None:
            known = self._exported[name] = self._export(name, numbers)
        return known

    def _export(self, name: str, numbers: list[int]) -> Term:
        terms: list[Term] = []
        for number in numbers[:_WIDTH]:
            binding = self.module.bindings[number]
            if binding.kind in (Bind.IMPORT, Bind.DEF):
                terms.append(self.binding(number))
            elif not (isinstance(binding.value, ast.Constant) and binding.value.value is None and len(numbers) > 1):
                return Var(name)
        return either(terms) if terms else Var(name)

    def binding(self, number: int, depth: int = DEPTH) -> Term:
        known = self._bindings.get(number)
        if known is not None:
            return known
        if number in self._busy or depth <= 0:
            return UNKNOWN
        self._busy.add(number)
        term = self._bound(number, depth)
        self._busy.discard(number)
        if depth >= DEPTH - 4 or type(term) in _ATOMIC:
            self._bindings[number] = term
        return term

    def _bound(self, number: int, depth: int) -> Term:
        binding = self.module.bindings[number]
        scope = self.module.scopes[binding.scope]
        match binding.kind:
            case Bind.ASSIGN | Bind.WITH:
                term = self.of(binding.value, scope, depth - 1)
            case Bind.FOR:
                return self.loop_target(binding.value, binding.path, scope, depth - 1)
            case Bind.PARAM:
                return self.parameter(scope, binding.path[0])
            case Bind.IMPORT:
                return Name(binding.dotted)
            case Bind.DEF:
                return Def(binding.dotted)
            case Bind.AUGMENT:
                before = [self.binding(previous, depth - 1) for previous in binding.previous]
                if before and not isinstance(before[0], (Unknown, Arith)):
                    return either(before)
                return arith(*before, self.of(binding.value, scope, min(depth, _ARITHMETIC) - 2))
            case Bind.PHI:
                options = [self.binding(previous, depth - 1) for previous in binding.previous]
                if Const(None) in options and any(isinstance(option, (Name, Def)) for option in options):
                    options.remove(Const(None))  # `except ImportError: torch = None`
                return either(options)
            case _:
                return UNKNOWN
        for position in binding.path:
            term = item(term, position if position >= 0 else None)
        return term

    def parameter(self, scope: Scope, index: int) -> Term:
        """A parameter; the first of a method is its receiver."""
        if index == 0 and scope.cls and scope.kind == "function" and not scope.static:
            for decorator in getattr(scope.node, "decorator_list", ()):
                if type(decorator) is ast.Name and decorator.id == "classmethod":
                    return Def(scope.cls)
            return Self(scope.cls)
        return Param(scope.qualname, index)

    def reaching(self, name: ast.Name, most: int) -> Iterator[Binding]:
        """The bindings that may have given a name its value, through branches, loops and augmentations."""
        number = self.module.loads.get(name)
        pending = [number] if number is not None else []
        seen: set[int] = set()
        while pending and len(seen) < most:
            number = pending.pop()
            if number in seen:
                continue
            seen.add(number)
            binding = self.module.bindings[number]
            carried = self.carried.get(number)
            if carried is not None:
                pending.append(carried)
            if binding.kind in (Bind.PHI, Bind.AUGMENT):
                pending.extend(binding.previous)
            yield binding

    def loop_target(self, iterated: ast.expr | None, path: tuple[int, ...], scope: Scope, depth: int) -> Term:
        """The value of a loop's target: `enumerate`, `zip`, `tqdm` and `.items()` are seen through."""
        while isinstance(iterated, ast.Call) and iterated.args:
            callee = self.of(iterated.func, scope, depth - 1)
            name = self.lexicon.canonical(callee.dotted) if isinstance(callee, Name) else ""
            if name == "builtins.enumerate" and path:
                if path[0] == 0:
                    return Lit("int")
                iterated, path = iterated.args[0], path[1:]
            elif name == "builtins.zip" and path and 0 <= path[0] < len(iterated.args):
                iterated, path = iterated.args[path[0]], path[1:]
            elif name in self.lexicon.vocabulary.wrappers and name not in _ITERATING:
                iterated = iterated.args[0]
            else:
                break
        term: Term = element(self.of(iterated, scope, depth))
        for position in path:
            term = item(term, position if position >= 0 else None)
        return term

    def member(self, of: Term, name: str) -> Term:
        if type(of) is Name:
            pair = (of.dotted, name)
            known = self._members.get(pair)
            if known is None:
                known = self._members[pair] = Name(f"{of.dotted}.{name}")
            return known
        if of is UNKNOWN:
            return UNKNOWN
        return Member(of, name)

    def call(self, node: ast.Call, scope: Scope, depth: int = DEPTH) -> Term:
        callee = self.of(node.func, scope, depth - 1)
        cls = type(callee)
        if cls is Name:
            dotted = callee.dotted  # type: ignore[union-attr]
            builtin, known = self._functions.get(dotted) or self._look_up(dotted)
            term = self._builtin(builtin, node, callee, scope, depth) if builtin else None
            if term is None and known:
                term = self._function(known, node, callee, scope, depth)
            if term is not None:
                return term
        elif callee is UNKNOWN:
            return UNKNOWN
        elif cls is Member:
            name, of = callee.name, callee.of  # type: ignore[union-attr]
            if name in ("items", "values") and not node.args:
                view = views(of, name)
                if view is not None:
                    return view
            elif name in _SAME:
                return of
            elif name == "format":
                text = of.value if type(of) is Const else None
                if type(text) is str and text.endswith(_STORED):
                    return self._file(node.args, text.rpartition("}")[2], scope, depth)
            elif name in _RESHAPING:
                return arith(of)
            elif name in _KEEP_ARGUMENTS:
                args = [*node.args, *(k.value for k in node.keywords if k.arg in (None, "device"))][:_WIDTH]
                return Call(
                    callee, tuple([self.of(arg, scope, depth - 2) for arg in args]), *self.sites.get(node, _NOWHERE)
                )
        return Call(callee, (), *self.sites.get(node, _NOWHERE))

    def _look_up(self, dotted: str) -> tuple[str, str]:
        """What a function is known as: a builtin that is seen through, and a class of functions; "" where it is not."""
        canonical = self.lexicon.canonical(dotted)
        builtin = dotted.removeprefix("builtins.")
        if canonical in self.lexicon.vocabulary.wrappers:
            known = "wrapper"
        elif canonical in SHAPED:
            known = "shaped"
        elif canonical in OPERATIONS:
            known = "operation"
        elif canonical in _PATHS:
            known = "path"
        else:
            known = "environment" if canonical in ("os.environ.get", "os.getenv") else ""
        found = self._functions[dotted] = (builtin if builtin != dotted and builtin in _SEEN_THROUGH else "", known)
        return found

    def _builtin(self, name: str, node: ast.Call, callee: Term, scope: Scope, depth: int) -> Term | None:
        match name:
            case "min" | "max":
                return Call(callee, tuple([self.of(arg, scope, 4) for arg in node.args[:_WIDTH]]))
            case "len":
                return Lit("int")
            case "str" | "repr" | "format":
                return Lit("str")
            case "dict" if not node.args and all(k.arg for k in node.keywords):
                return Map(tuple([(k.arg or "", self.of(k.value, scope, depth - 1)) for k in node.keywords]))
            case "list" | "set" | "tuple" | "dict":
                return None if node.args else Lit(name)
            case "getattr":
                if len(node.args) >= 2 and isinstance(node.args[1], ast.Constant):
                    return self.member(self.of(node.args[0], scope, depth - 1), str(node.args[1].value))
                return None
            case "super":
                return Call(callee)
            case _:
                return Lit(name)

    def _function(self, known: str, node: ast.Call, callee: Term, scope: Scope, depth: int) -> Term:
        """The result of a function of a class whose arguments say something of it."""
        args: list[ast.expr] = node.args
        match known:
            case "operation":
                args, depth = args[:1], depth - 1
            case "wrapper":
                args, depth = [*args, *(k.value for k in node.keywords)], depth - 1
            case "shaped":
                depth = 3
            case "path":
                depth = 4
            case _:
                return Call(Name("os.getenv"), tuple([self.of(arg, scope, 2) for arg in args[:2]]))
        return Call(
            callee, tuple([self.of(arg, scope, depth) for arg in args[:_WIDTH]]), *self.sites.get(node, _NOWHERE)
        )

    def identify(self, node: ast.Call, callee: Term, owner: str) -> None:
        """Give a call an identity if it constructs something whose way through the project may be asked for.

        That is: what the vocabulary lists, and whatever is named like a class and is not known to be of a library.
        """
        if type(callee) is Name:
            tracked = self._tracked.get(callee.dotted)
            if tracked is False or (tracked is None and not self.tracked(callee.dotted)):
                return
        else:
            name = last_name(callee)
            if not name[:1].isupper() and name not in _CONSTRUCTED:
                return
        number = self._sites_of.get(owner, 0)
        self._sites_of[owner] = number + 1
        self.sites[node] = (owner, number)

    def tracked(self, dotted: str) -> bool:
        """Whether calls of a dotted name have an identity."""
        known = self._tracked.get(dotted)
        if known is None:
            known = self._tracked[dotted] = self.lexicon.tracked(dotted)
        return known


_CONSTRUCTED: Final = frozenset({"compile", "from_pretrained", "default_rng", "insecure_channel", "secure_channel"})
_MAKERS: Final[dict[type, Callable[[Terms, Any, Scope, int], Term]]] = {
    ast.Name: Terms.name,
    ast.Attribute: Terms._attribute,
    ast.Call: Terms.call,
    ast.Constant: Terms._constant,
    ast.Await: Terms._value,
    ast.NamedExpr: Terms._value,
    ast.Starred: Terms._starred,
    ast.Subscript: Terms._subscript,
    ast.Tuple: Terms._display,
    ast.List: Terms._display,
    ast.Set: Terms._display,
    ast.Dict: Terms._mapping,
    ast.ListComp: Terms._comprehension,
    ast.SetComp: Terms._comprehension,
    ast.GeneratorExp: Terms._comprehension,
    ast.DictComp: Terms._any_dict,
    ast.IfExp: Terms._conditional,
    ast.BoolOp: Terms._boolean,
    ast.BinOp: Terms._binary,
    ast.Compare: Terms._compare,
    ast.UnaryOp: Terms._unary,
    ast.JoinedStr: Terms._text,
    ast.Lambda: Terms._lambda,
}
#: Methods that return their receiver, or a cast of it, in every library where they exist.
_SAME: Final = frozenset(
    "detach contiguous clone float half bfloat16 double requires_grad_ pin_memory share_memory_ detach_".split()
)
#: Methods of tensors and arrays that return a tensor or array: chains of them say no more than their first receiver.
_RESHAPING: Final = frozenset(
    "view reshape permute transpose squeeze unsqueeze expand repeat flatten masked_fill clamp softmax "
    "sigmoid relu tanh log_softmax expand_as view_as type_as repeat_interleave index_select "
    "masked_select gather roll flip movedim swapaxes unflatten cumsum clip add_ mul_ div_ sub_ copy_ "
    "fill_ zero_ clamp_ t bmm matmul".split()
)
_ARITHMETIC: Final = 6
#: Functions of paths, whose arguments say which file is meant.
_PATHS: Final = frozenset({"builtins.open", "os.path.join", "pathlib.Path"})
#: Endings of files that hold models and the like.
_STORED: Final = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib", ".tar", ".npz", ".npy", ".model")
_ATOMIC: Final = frozenset({Name, Def, Param, Self})
_KEEP_ARGUMENTS: Final = frozenset(
    {"to", "cuda", "prepare", "setup", "setup_dataloaders", "prepare_data_loader", "prepare_model", "get", "map"}
)


def arith(*operands: Term) -> Term:
    """The result of arithmetic: flat, without repetition, at most four operands."""
    flat: list[Term] = []
    for operand in operands:
        for part in operand.operands if type(operand) is Arith else (operand,):
            if part not in flat:
                flat.append(part)
    return Arith(tuple(flat[:4]))


def _type_of(term: Term) -> str:
    if isinstance(term, Const):
        return type(term.value).__name__
    return term.builtin if isinstance(term, Lit) else ""


def constant(value: object) -> Term:
    """A literal: short ones by value, the rest by type."""
    cls = type(value)
    if cls is str:
        return Const(value) if len(value) <= 40 else Lit("str")  # type: ignore[arg-type]
    if value is None or cls is bool or cls is float or (cls is int and abs(value) < 1 << 62):  # type: ignore[arg-type]
        return Const(value)  # type: ignore[arg-type]
    return Lit(cls.__name__)


def key(index: ast.expr) -> int | str | None:
    match index:
        case ast.Constant(int() | str() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() as value)):
            return -value
        case _:
            return None


def item(of: Term, index: int | str | None) -> Term:
    """One part of a value; displays are seen through."""
    cls = type(of)
    if cls is Unknown:
        return UNKNOWN
    if cls is not Seq and cls is not Map:
        return Item(of, index)
    match of:
        case Seq(items=items, many=False) if isinstance(index, int) and -len(items) <= index < len(items):
            return items[index]
        case Seq(items=items, many=True) if items:
            return items[0]
        case Seq(items=items) if index is None and items:
            return either(list(items))
        case Map(pairs):
            found = [part for name, part in pairs if name == index or index is None]
            return either(found) if found else UNKNOWN
        case _:
            return Item(of, index)


def views(of: Term, method: str) -> Term | None:
    """What `.values()` and `.items()` of a dict yield, as a list; None for anything else."""
    match of:
        case Map(pairs):
            found: list[tuple[Term, Term]] = [(Const(name), value) for name, value in pairs]
        case Seq("dict", items):
            found = [(Lit("str"), value) for value in items]
        case _:
            return None
    if method == "values":
        return Seq("list", tuple([value for _, value in found]), isinstance(of, Seq))
    if method == "items":
        return Seq("list", tuple([Seq("tuple", pair) for pair in found]), isinstance(of, Seq))
    return None


def element(of: Term) -> Term:
    """What iterating over a value yields; displays are seen through."""
    match of:
        case Seq("dict"):
            return UNKNOWN
        case Seq(items=items) if items:
            return either(list(items))
        case Call(callee) if last_name(callee) == "range":
            return Lit("int")
        case Unknown():
            return UNKNOWN
        case _:
            return Elem(of)


def annotation(node: ast.expr | None, terms: Terms, scope: Scope, depth: int = 5) -> Term | None:
    """The term of a value with this annotation: an instance of the class named, without `Optional`."""
    if node is None or depth <= 0:
        return None
    if type(node) is ast.Name:
        if node.id in _PLAIN:
            return _PLAIN[node.id]
        place = (scope.index, node.id)
        if place not in terms.annotated:
            terms.annotated[place] = _instance(terms.of(node, scope))
        return terms.annotated[place]
    if type(node) is ast.Attribute:
        return _instance(terms.of(node, scope))
    match node:
        case ast.Constant(str() as text):
            try:
                inner = ast.parse(text, mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
            return annotation(inner, terms, scope, depth - 1)
        case ast.BinOp(left, ast.BitOr(), right):
            return _either([annotation(part, terms, scope, depth - 1) for part in (left, right)])
        case ast.Subscript(value, index):
            outer = last_name(terms.of(value, scope))
            arguments = index.elts if isinstance(index, ast.Tuple) else [index]
            if outer in _TRANSPARENT:
                if outer == "Annotated":
                    arguments = arguments[:1]
                return _either([annotation(part, terms, scope, depth - 1) for part in arguments])
            if outer in _CONTAINERS:
                inner_term = annotation(arguments[0], terms, scope, depth - 1) or UNKNOWN
                return Seq(outer.lower() if outer in ("List", "Tuple", "Set") else "list", (inner_term,), many=True)
            if outer in ("dict", "Dict", "Mapping"):
                return Lit("dict")
            return annotation(value, terms, scope, depth - 1)
        case _:
            return None


_TRANSPARENT: Final = frozenset({"Optional", "Union", "Annotated", "Final", "ClassVar"})
_CONTAINERS: Final = frozenset("list List Sequence Iterable Iterator tuple Tuple set Set".split())


def _either(parts: list[Term | None]) -> Term | None:
    known = [part for part in parts if part is not None]
    return either(known) if known else None


def _instance(cls: Term) -> Term | None:
    """A value of a class that an annotation names."""
    match cls:
        case Name(dotted) if dotted.startswith("builtins."):
            return Lit(dotted[9:])
        case Name("typing.Any" | "typing.Callable" | "collections.abc.Callable"):
            return None
        case Name() | Def():
            return Call(cls)
        case _:
            return None
