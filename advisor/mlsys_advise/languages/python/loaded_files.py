"""What a file does with the object that it loaded from another file: forward from the call that loads.

Invariant: whatever is not known to keep to tensors and plain containers counts as a use of objects, so that "only
weights" is a proof. The search stays in the file; what a function returns to other files is said, not followed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Final

import msgspec

from mlsys_advise.languages.python.scopes import Bind, Module, Scope
from mlsys_advise.term import Def, Member, Self, Term


class Reading(msgspec.Struct, frozen=True):
    """What becomes of a loaded object.

    ``weights``: a part of it is loaded into a model. ``objects``: something is done with it for which tensors and
    containers do not do, or may not. ``resumes``: the state of an optimizer or the like is taken from it. ``returned``
    holds the functions that hand it to callers of which none stands in this file.
    """

    weights: bool = False
    objects: bool = False
    resumes: bool = False
    returned: tuple[str, ...] = ()


class _Held(msgspec.Struct, frozen=True):
    """An expression that holds the object or a container out of it; as an element, what iterating over it yields;
    as derived, what a function that is not followed made of it: weights, or something else."""

    node: ast.expr
    element: bool = False
    derived: bool = False


_MOST: Final = 120
#: Methods of containers whose result is the container, a part or a view of it.
_PARTS: Final = frozenset({"items", "values", "keys", "copy", "get", "pop", "setdefault"})
_CHANGES: Final = frozenset({"update", "clear", "popitem"})
#: What only tensors have: a weight that is looked at before it is loaded.
_OF_TENSORS: Final = frozenset(
    "shape size dim ndim numel dtype permute reshape view unsqueeze squeeze transpose T mean norm clone detach numpy "
    "repeat flatten contiguous".split()
)
_CONTAINERS: Final = frozenset(
    "dict OrderedDict list tuple set sorted reversed iter enumerate zip filter deepcopy copy".split()
)
_LOOKS: Final = frozenset("print len type isinstance hasattr id bool repr str any all max min sum".split())
#: Functions of libraries that load a dict of tensors into the model that stands before it.
_LOADERS: Final = frozenset({"load_state_dict", "set_peft_model_state_dict", "load_adapter_state_dict"})
#: Words in the names of what is restored when a run goes on. They only excuse.
_RUN: Final = ("optim", "sched", "scaler", "grad", "sampler")
#: Keys under which a training program stores how far it is, and those under which whole objects lie. They only excuse.
_PROGRESS: Final = re.compile(r"epoch|step|iter|best|optim|sched|scaler|rng")
_OBJECTS: Final = re.compile(
    r"^(args|opt|options|cfg|conf|config|hparams|hyper_parameters|params|kwargs|callbacks)$|_args$|config$"
)
_LOGS: Final = frozenset({"info", "debug", "warning", "error", "print", "log"})


def holds_objects(key: str) -> bool:
    """Whether more than tensors lies under a key of a checkpoint, by the names that are customary. It only excuses."""
    return bool(_OBJECTS.search(key.lower()))


class LoadedFiles:
    """Readings of one file. ``parent`` gives the node around a node, ``term`` how a callee is spoken of."""

    def __init__(
        self, module: Module, parent: Callable[[ast.AST], ast.AST | None], term: Callable[[ast.expr], Term]
    ) -> None:
        self.module = module
        self.parent = parent
        self.term = term
        self._reads: dict[int, dict[str, list[ast.Name]]] = {}

    def of(self, call: ast.Call, scope: Scope) -> Reading:
        """What becomes of what a call returns."""
        return _Search(self, scope).of(call)

    def reads(self, name: str, scope: Scope) -> list[ast.Name]:
        """The places in a function, inner functions included, where a name is read."""
        known = self._reads.get(scope.index)
        if known is None:
            known = self._reads[scope.index] = {}
            for node in ast.walk(scope.node):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    known.setdefault(node.id, []).append(node)
        return known.get(name, [])


class _Search:
    """One search, forward from a call."""

    def __init__(self, facts: LoadedFiles, scope: Scope) -> None:
        self.facts = facts
        self.pending: list[_Held] = []
        self.seen: set[_Held] = set()
        self.functions = [scope]
        self.weights = self.objects = self.resumes = self.derived = False
        self.returned: dict[str, None] = {}

    def of(self, call: ast.Call) -> Reading:
        self._hold(call)
        while self.pending:
            held = self.pending.pop()
            if len(self.seen) > _MOST:
                self.objects = True
                break
            self.derived = held.derived
            if held.element:
                self._element(held.node)
            else:
                self._container(held.node)
        return Reading(self.weights, self.objects, self.resumes, tuple(self.returned))

    def _hold(self, node: ast.expr, element: bool = False, derived: bool = False) -> None:
        held = _Held(node, element, derived or self.derived)
        if held not in self.seen:
            self.seen.add(held)
            self.pending.append(held)

    def _wants_objects(self) -> None:
        self.objects = self.objects or not self.derived

    # -- the object, or a container out of it

    def _container(self, node: ast.expr) -> None:
        around = self.facts.parent(node)
        match around:
            case ast.Attribute(attr=attr):
                self._member(around, attr)
            case ast.Subscript(value, key, ctx) if value is node:
                if isinstance(ctx, ast.Load):
                    self._keyed(key)
                    self._hold(around)
            case ast.Call():
                self._argument(around, node)
            case ast.keyword(arg=name):
                call = self.facts.parent(around)
                if name is None or not isinstance(call, ast.Call):
                    self._wants_objects()
                else:
                    self._argument(call, node, name)
            case ast.Assign(targets):
                for target in targets:
                    self._assigned(target, node)
            case ast.AnnAssign(target):
                self._assigned(target, node)
            case ast.NamedExpr(target):
                self._assigned(target, node)
                self._hold(around)
            case ast.IfExp(test=test) if test is not node:
                self._hold(around)
            case ast.BoolOp() | ast.Starred() | ast.Await() | ast.BinOp(op=ast.BitOr()):
                self._hold(around)
            case ast.Dict(keys, values) if node in values and keys[values.index(node)] is None:
                self._hold(around)
            case ast.Return() | ast.Yield():
                self._hand_back(node)
            case ast.For(target, iterated) | ast.comprehension(target, iterated) if iterated is node:
                self._iterated(target, around)
            case ast.Compare() | ast.If() | ast.While() | ast.Assert() | ast.Expr() | ast.Delete() | ast.IfExp():
                pass
            case ast.FormattedValue() | ast.UnaryOp() | ast.comprehension():
                pass
            case _:
                self._wants_objects()

    def _member(self, attribute: ast.Attribute, attr: str) -> None:
        call = self.facts.parent(attribute)
        called = isinstance(call, ast.Call) and call.func is attribute
        if called and attr in _PARTS:
            assert isinstance(call, ast.Call)
            for key in call.args[:1] if attr in ("get", "pop") else ():
                self._keyed(key)
            self._hold(call)
        elif not (called and attr in _CHANGES) and attr not in _OF_TENSORS:
            self._wants_objects()

    def _keyed(self, key: ast.expr) -> None:
        """What lies under a key, by the names that are customary."""
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            self.resumes = self.resumes or bool(_PROGRESS.search(key.value.lower()))
            self.objects = self.objects or holds_objects(key.value)

    def _argument(self, call: ast.Call, node: ast.expr, name: str = "") -> None:
        match call.func:
            case ast.Attribute(receiver, "load_state_dict"):
                if any(word in ast.unparse(receiver).lower() for word in _RUN):
                    self.resumes = True
                else:
                    self.weights = True
                return
            case ast.Attribute(_, last) | ast.Name(last):
                pass
            case _:
                self._wants_objects()
                return
        if last in _LOADERS:
            self.weights = True
        elif last in _CONTAINERS:
            self._hold(call)
        elif last not in _LOOKS and last not in _LOGS:
            self._given(call, node, name)

    def _given(self, call: ast.Call, node: ast.expr, name: str) -> None:
        """Follow the object into a function of this file, and what the function makes of it."""
        scope = self._defined(call.func)
        if scope is not None and scope.kind == "function":
            position = call.args.index(node) if not name and node in call.args else -1
            bound = bool(scope.cls) and not scope.static
            parameters = scope.parameters[1 if bound else 0 :]
            parameter = name or (parameters[position] if 0 <= position < len(parameters) else "")
            self._read(parameter, scope)
            self.functions.append(scope)
        self._hold(call, derived=True)

    def _defined(self, func: ast.expr) -> Scope | None:
        match self.facts.term(func):
            case Def(qualname):
                return self.facts.module.by_qualname.get(qualname)
            case Member(Self(cls), name):
                return self.facts.module.by_qualname.get(f"{cls}.{name}")
        return None

    def _assigned(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(name):
                for scope in self.functions:
                    for load in self.facts.reads(name, scope):
                        if self._reaches(load, value):
                            self._hold(load)
            case ast.Subscript(ast.Name(name)):
                self._filled(name)
            case _:
                self._wants_objects()

    def _reaches(self, load: ast.Name, value: ast.expr) -> bool:
        """Whether a name may hold what an assignment gave it."""
        module = self.facts.module
        number = module.loads.get(load)
        if number is None:  # read in an inner function, or a variable of the module
            return any(load.id in scope.bindings and self._inside(load, scope) for scope in self.functions)
        pending, seen = [number], set[int]()
        while pending:
            number = pending.pop()
            if number not in seen:
                seen.add(number)
                binding = module.bindings[number]
                if binding.value is value:
                    return True
                pending.extend(binding.previous if binding.kind in (Bind.PHI, Bind.AUGMENT) else ())
        return False

    def _hand_back(self, node: ast.expr) -> None:
        """Follow what a function returns to its calls in this file."""
        scope = next((one for one in self.functions if self._within(node, one)), None)
        if scope is None:
            self._wants_objects()
            return
        name = scope.qualname.rpartition(".")[2].partition("#")[0]
        calls = [
            site.node
            for around in self.facts.module.scopes
            for site in around.calls
            if _last(site.node.func) == name and self._defined(site.node.func) is scope
        ]
        for call in calls:
            holder = self._scope_of(call)
            if holder is not None and holder not in self.functions:
                self.functions.append(holder)
            self._hold(call)
        if not calls:
            self.returned[scope.qualname] = None

    def _within(self, node: ast.AST, scope: Scope) -> bool:
        around = self.facts.parent(node)
        while around is not None:
            if around is scope.node:
                return True
            if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                return False
            around = self.facts.parent(around)
        return False

    def _inside(self, node: ast.AST, scope: Scope) -> bool:
        around: ast.AST | None = node
        while around is not None and around is not scope.node:
            around = self.facts.parent(around)
        return around is not None

    def _scope_of(self, node: ast.AST) -> Scope | None:
        around = self.facts.parent(node)
        while around is not None:
            scope = self.facts.module.scope_of.get(around)
            if scope is not None and scope.kind == "function":
                return scope
            around = self.facts.parent(around)
        return self.facts.module.scopes[0]

    def _read(self, name: str, scope: Scope) -> None:
        """Hold a name wherever a function reads it."""
        for node in self.facts.reads(name, scope):
            self._hold(node)

    # -- what it holds

    def _iterated(self, target: ast.expr, around: ast.For | ast.comprehension) -> None:
        names = {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
        body = around if isinstance(around, ast.For) else self.facts.parent(around)
        for node in ast.walk(body) if body is not None else ():
            if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load):
                self._hold(node, element=True)

    def _element(self, node: ast.expr) -> None:
        """An element is a key or a weight; of interest is the container that it goes into."""
        inner: ast.AST = node
        around = self.facts.parent(node)
        while around is not None:
            match around:
                case ast.DictComp(_, value) if inner is value:
                    self._hold(around)
                    return
                case ast.ListComp(elt) | ast.GeneratorExp(elt) if inner is elt:
                    self._hold(around)
                    return
                case ast.Assign([ast.Subscript(ast.Name(name))], value) if inner is value:
                    self._filled(name)
                    return
                case ast.stmt():
                    return
            inner, around = around, self.facts.parent(around)

    def _filled(self, name: str) -> None:
        """A dict that weights are put into is a dict of weights."""
        for scope in self.functions:
            if name in scope.bindings:
                self._read(name, scope)
                return


def _last(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
