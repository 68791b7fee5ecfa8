"""From expressions to terms: what a file can say of a value without reading another file."""

from __future__ import annotations

import ast
import builtins
from typing import Final

from mlsys_advise.languages.python.scopes import Bind, Module, Scope
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
_SCALARS: Final = frozenset({"int", "float", "bool", "len", "hash", "id", "ord", "round"})
_ITERATING: Final = frozenset({"builtins.enumerate", "builtins.zip"})


class Terms:
    """Builds terms for one module; results for whole bindings are kept."""

    def __init__(self, module: Module, lexicon: Lexicon) -> None:
        self.module = module
        self.lexicon = lexicon
        self.sites: dict[ast.Call, tuple[str, int]] = {}
        self._bindings: dict[int, Term] = {}
        self._sites_of: dict[str, int] = {}
        self._busy: set[int] = set()

    def of(self, node: ast.expr | None, scope: Scope, depth: int = DEPTH) -> Term:
        """The term of an expression evaluated in ``scope``."""
        if node is None or depth <= 0:
            return UNKNOWN
        match node:
            case ast.Name():
                return self.name(node, scope, depth)
            case ast.Attribute(value, attr):
                return self.member(self.of(value, scope, depth - 1), attr)
            case ast.Call():
                return self.call(node, scope, depth)
            case ast.Constant(value):
                return constant(value)
            case ast.Await(value) | ast.NamedExpr(value=value):
                return self.of(value, scope, depth)
            case ast.Starred(value):
                return Elem(self.of(value, scope, depth - 1))
            case ast.Subscript(value, index):
                return item(self.of(value, scope, depth - 1), key(index))
            case ast.Tuple(elts) | ast.List(elts) | ast.Set(elts):
                kind = type(node).__name__.lower()
                if len(elts) > 2 * _WIDTH:
                    return Seq(kind, (either([self.of(e, scope, depth - 2) for e in elts[:_WIDTH]]),), many=True)
                return Seq(kind, tuple(self.of(element, scope, depth - 1) for element in elts))
            case ast.Dict(keys, values):
                if len(keys) > 2 * _WIDTH or not all(isinstance(k, ast.Constant) for k in keys):
                    return Lit("dict")
                pairs = zip(keys, values, strict=True)
                return Map(
                    tuple((str(k.value), self.of(v, scope, depth - 1)) for k, v in pairs if isinstance(k, ast.Constant))
                )
            case ast.ListComp(element) | ast.SetComp(element) | ast.GeneratorExp(element):
                kind = {"ListComp": "list", "SetComp": "set"}.get(type(node).__name__, "generator")
                return Seq(kind, (self.of(element, scope, depth - 1),), many=True)
            case ast.DictComp():
                return Lit("dict")
            case ast.IfExp(_, body, orelse):
                return either([self.of(body, scope, depth - 1), self.of(orelse, scope, depth - 1)])
            case ast.BoolOp(ast.Or(), values):
                return either([self.of(value, scope, depth - 1) for value in values[:_WIDTH]])
            case ast.BoolOp(_, values):
                return self.of(values[-1], scope, depth - 1)
            case ast.BinOp(left, op, right):
                first = self.of(left, scope, depth - 2)
                if isinstance(op, ast.Mod) and isinstance(first, Lit | Const) and _type_of(first) == "str":
                    return Lit("str")
                if isinstance(op, ast.Mult) and isinstance(first, Seq):
                    return Seq(first.builtin, first.items, many=True)
                return Arith((first, self.of(right, scope, depth - 2)))
            case ast.Compare(left, ops, comparators):
                if isinstance(ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn):
                    return Lit("bool")
                return Arith((self.of(left, scope, depth - 2), self.of(comparators[0], scope, depth - 2)))
            case ast.UnaryOp(ast.Not()):
                return Lit("bool")
            case ast.UnaryOp(op, operand):
                inner = self.of(operand, scope, depth - 1)
                if isinstance(op, ast.USub) and isinstance(inner, Const) and isinstance(inner.value, int | float):
                    return Const(-inner.value)
                return inner
            case ast.JoinedStr():
                return Lit("str")
            case ast.Lambda():
                inside = self.module.scope_of.get(node)
                return Def(inside.qualname) if inside is not None else UNKNOWN
            case _:
                return UNKNOWN

    def name(self, node: ast.Name, scope: Scope, depth: int = DEPTH) -> Term:
        number = self.module.loads.get(node)
        if number is None:
            return self.free(node.id, scope, depth)
        if self.module.bindings[number].kind not in (Bind.PARAM, Bind.IMPORT, Bind.DEF):
            carried = self._carried(node.id, number)
            if carried is not None:
                return either([self.binding(number, depth), self.binding(carried, depth - 2)])
        return self.binding(number, depth)

    def _carried(self, name: str, number: int) -> int | None:
        """The binding by which a later iteration of a loop may have replaced this one."""
        scope = self.module.scopes[self.module.bindings[number].scope]
        for loop in scope.loops:
            if loop.reads.get(name) == number and name in loop.carried:
                return loop.carried[name]
        return None

    def free(self, name: str, scope: Scope, depth: int = DEPTH) -> Term:
        """A name that the scope does not bind before the load: enclosing functions, the module, builtins."""
        around: Scope | None = scope
        while around is not None:
            numbers = around.bindings.get(name)
            if numbers and (around.kind != "class" or around is scope):
                if around.kind == "module":
                    return self.exported(name, numbers, depth)
                return either([self.binding(number, depth - 1) for number in numbers[:_WIDTH]])
            around = around.parent
        return Name(f"builtins.{name}") if name in _BUILTINS else UNKNOWN

    def exported(self, name: str, numbers: list[int], depth: int = DEPTH) -> Term:
        """A module-level name seen from elsewhere: an import or definition, or else a variable of the module."""
        terms: list[Term] = []
        for number in numbers[:_WIDTH]:
            binding = self.module.bindings[number]
            if binding.kind in (Bind.IMPORT, Bind.DEF):
                terms.append(self.binding(number, depth))
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
        if depth >= DEPTH - 4:
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
                if before and not isinstance(before[0], Unknown | Arith):
                    return either(before)
                return Arith((*before, self.of(binding.value, scope, depth - 2)))
            case Bind.PHI:
                return either([self.binding(previous, depth - 1) for previous in binding.previous])
            case _:
                return UNKNOWN
        for position in binding.path:
            term = item(term, position if position >= 0 else None)
        return term

    def parameter(self, scope: Scope, index: int) -> Term:
        """A parameter; the first of a method is its receiver."""
        if index == 0 and scope.cls and scope.kind == "function" and not scope.static:
            node = scope.node
            decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
            if any(isinstance(d, ast.Name) and d.id == "classmethod" for d in decorators):
                return Def(scope.cls)
            return Self(scope.cls)
        return Param(scope.qualname, index)

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
        if isinstance(of, Name):
            return Name(f"{of.dotted}.{name}")
        if isinstance(of, Unknown):
            return UNKNOWN
        return Member(of, name)

    def call(self, node: ast.Call, scope: Scope, depth: int = DEPTH) -> Term:
        callee = self.of(node.func, scope, depth - 1)
        if isinstance(callee, Name):
            dotted = callee.dotted
            if dotted.startswith("builtins."):
                name = dotted[9:]
                if name in _SCALARS:
                    return Lit("int" if name == "len" else name)
                if name in ("str", "repr", "format"):
                    return Lit("str")
                if name == "dict" and not node.args and all(k.arg for k in node.keywords):
                    return Map(tuple((k.arg or "", self.of(k.value, scope, depth - 1)) for k in node.keywords))
                if name in ("list", "set", "tuple", "dict") and not node.args:
                    return Lit(name)
                if name == "getattr" and len(node.args) >= 2 and isinstance(node.args[1], ast.Constant):
                    return self.member(self.of(node.args[0], scope, depth - 1), str(node.args[1].value))
                if name == "super":
                    return Call(callee)
            canonical = self.lexicon.canonical(dotted)
            if canonical in self.lexicon.vocabulary.wrappers:
                args = [*node.args, *(k.value for k in node.keywords)][:_WIDTH]
                return Call(callee, tuple(self.of(arg, scope, depth - 1) for arg in args), *self.site(node, scope))
            if canonical in ("os.environ.get", "os.getenv"):
                return Call(Name("os.getenv"), tuple(self.of(arg, scope, 2) for arg in node.args[:2]))
        elif isinstance(callee, Unknown):
            return UNKNOWN
        elif isinstance(callee, Member) and callee.name in _KEEP_ARGUMENTS:
            args = [*node.args, *(k.value for k in node.keywords if k.arg in (None, "device"))][:_WIDTH]
            return Call(callee, tuple(self.of(arg, scope, depth - 2) for arg in args), *self.site(node, scope))
        return Call(callee, (), *self.site(node, scope))

    def site(self, node: ast.Call, scope: Scope) -> tuple[str, int]:
        """The identity of a call, where it has one."""
        return self.sites.get(node, ("", -1))

    def identify(self, node: ast.Call, scope: Scope, owner: str) -> None:
        """Give a call an identity if it constructs something whose way through the project may be asked for."""
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        if not name:
            return
        if not name[:1].isupper() and not _looks_constructed(name):
            callee = self.of(func, scope)
            if (
                not isinstance(callee, Name)
                or self.lexicon.canonical(callee.dotted) not in self.lexicon.vocabulary.sites
            ):
                return
        number = self._sites_of.get(owner, 0)
        self._sites_of[owner] = number + 1
        self.sites[node] = (owner, number)


_KEEP_ARGUMENTS: Final = frozenset(
    {"to", "cuda", "prepare", "setup", "setup_dataloaders", "prepare_data_loader", "prepare_model", "get", "map"}
)


def _looks_constructed(name: str) -> bool:
    return name in ("compile", "from_pretrained", "default_rng", "insecure_channel", "secure_channel")


def _type_of(term: Term) -> str:
    if isinstance(term, Const):
        return type(term.value).__name__
    return term.builtin if isinstance(term, Lit) else ""


def constant(value: object) -> Term:
    """A literal: short ones by value, the rest by type."""
    if isinstance(value, str):
        return Const(value) if len(value) <= 40 else Lit("str")
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 1 << 62):
        return Const(value)
    return Lit(type(value).__name__)


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
        case Unknown():
            return UNKNOWN
        case _:
            return Item(of, index)


def element(of: Term) -> Term:
    """What iterating over a value yields; displays are seen through."""
    match of:
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
    match node:
        case ast.Constant(str() as text):
            try:
                inner = ast.parse(text, mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
            return annotation(inner, terms, scope, depth - 1)
        case ast.BinOp(left, ast.BitOr(), right):
            parts = [annotation(part, terms, scope, depth - 1) for part in (left, right)]
            known = [part for part in parts if part is not None]
            return either(known) if known else None
        case ast.Subscript(value, index):
            outer = last_name(terms.of(value, scope))
            arguments = index.elts if isinstance(index, ast.Tuple) else [index]
            if outer in ("Optional", "Union", "Annotated", "Final", "ClassVar"):
                if outer == "Annotated":
                    arguments = arguments[:1]
                known = [t for t in (annotation(part, terms, scope, depth - 1) for part in arguments) if t is not None]
                return either(known) if known else None
            if outer in ("list", "List", "Sequence", "Iterable", "Iterator", "tuple", "Tuple", "set", "Set"):
                inner_term = annotation(arguments[0], terms, scope, depth - 1) or UNKNOWN
                return Seq(outer.lower() if outer in ("List", "Tuple", "Set") else "list", (inner_term,), many=True)
            if outer in ("dict", "Dict", "Mapping"):
                return Lit("dict")
            return annotation(value, terms, scope, depth - 1)
        case ast.Name() | ast.Attribute():
            term = terms.of(node, scope)
            match term:
                case Name(dotted) if dotted.startswith("builtins."):
                    return Lit(dotted[9:])
                case Name("typing.Any" | "typing.Callable" | "collections.abc.Callable"):
                    return None
                case Name() | Def():
                    return Call(term)
            return None
        case _:
            return None
