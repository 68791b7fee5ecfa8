"""Evaluation of terms: what a value may be, followed across files in a bounded number of steps.

A term *expands* to heads: constructor calls, literals, receivers and library names, each with the file it stands in.
Each hop from parameter to argument, call to return, attribute or variable to assignment costs one step; four find 99%
of what a fix-point finds (measured on 2.1 million lines), so recursion is bounded by steps and independent of order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from mlsys_advise.interface import CallRecord, FunctionRecord
from mlsys_advise.languages.python.terms import element, item, views
from mlsys_advise.library.arrays import SHAPED
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import (
    UNKNOWN,
    Arith,
    Call,
    Const,
    Def,
    Either,
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
    children,
    last_name,
)

STEPS: Final = 5
_CAP: Final = 12
#: A name with more call sites than this says nothing of who calls.
COMMON_NAME: Final = 400
ACCELERATOR: Final = "accelerator"
HOST: Final = "host"
#: Accelerators that share the host's memory, by their name: nothing is copied, but calls return early all the same.
_SHARED: Final = {"mps": "mps"}


class Locus(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A place of an interface without its line: ``what`` is definition, call, loop, variable, attribute or option;
    in languages other than Python it is place."""

    path: str
    what: str
    name: str
    number: int = 0


class Head(msgspec.Struct, frozen=True, array_like=True):
    """A term that leads nowhere further, the file it stands in, where its value was moved to, and how it was found."""

    term: Term
    path: str
    device: str = ""
    trail: tuple[Locus, ...] = ()
    overridable: bool = False


class Kinds(msgspec.Struct, frozen=True):
    """The kinds that a term may have, with what it also may be by inheritance, and whether nothing else is possible."""

    known: frozenset[str]
    complete: bool


class Values:
    """Expansion and classification of terms over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lexicon = world.lexicon
        self._heads: dict[tuple[str, Term, int], tuple[tuple[Head, ...], int]] = {}
        self._callers: dict[tuple[str, str], tuple[tuple[Caller, ...] | None, int]] = {}
        self._kinds: dict[tuple[str, Term, int], tuple[Kinds, int]] = {}
        self._active: set[tuple[str, Term]] = set()
        #: How often a cycle was cut: a result is kept only if none was while it was found.
        self._cuts = 0

    # -- expansion

    def heads(self, term: Term, path: str, steps: int = STEPS) -> tuple[Head, ...]:
        """The heads of a term; ``Unknown`` among them means that something could not be followed."""
        key = (path, term, steps)
        known = self._heads.get(key)
        if known is not None:
            self.world.depend(known[1])
            return known[0]
        if (path, term) in self._active or len(self._active) > 60:
            self._cuts += 1
            return (Head(UNKNOWN, path),)
        cuts = self._cuts
        self._active.add((path, term))
        try:
            with self.world.recording() as reads:
                found = self._expand(term, path, steps)
        finally:
            self._active.discard((path, term))
        unique: dict[Head, None] = dict.fromkeys(found)
        heads = tuple(unique)[:_CAP] if len(unique) <= _CAP else (*tuple(unique)[:_CAP], Head(UNKNOWN, path))
        if cuts == self._cuts or not self._active:
            self._heads[key] = (heads, reads.node)
        return heads

    def _expand(self, term: Term, path: str, steps: int) -> list[Head]:
        if steps <= 0:
            return [Head(UNKNOWN, path)]
        match term:
            case Either(options):
                return [head for option in options for head in self.heads(option, path, steps)]
            case Var(name):
                value = self.world.variable(path, name)
                if value is None:
                    return [Head(UNKNOWN, path)]
                return self._via(self.heads(value, path, steps - 1), Locus(path, "variable", name))
            case Param(function, index):
                return self._parameter(path, function, index, steps)
            case Name(dotted):
                target = self.world.resolve(dotted, path)
                if target is not None and target.what == "variable":
                    return list(self.heads(Var(target.name), target.path, steps))
                if target is not None and target.what in ("class", "function"):
                    return [Head(Def(target.name), target.path)]
                split = self.split(term, path)
                if isinstance(split, Member):
                    return self._member(split.of, split.name, path, steps)
                return [Head(term, path)]
            case Member(of, name):
                return self._member(of, name, path, steps)
            case Elem(of):
                return self._part(of, None, path, steps, elements=True)
            case Item(of, key):
                return self._part(of, key, path, steps, elements=False)
            case Call():
                return self._call(term, path, steps)
            case _:
                return [Head(term, path)]

    def split(self, term: Term, path: str) -> Term:
        """A dotted name through a variable or class, `module.variable.name`, as an attribute of it; else the term."""
        if isinstance(term, Name):
            owner, _, name = term.dotted.rpartition(".")
            if owner and self.world.resolve(term.dotted, path) is None:
                target = self.world.resolve(owner, path)
                if target is not None and target.what in ("variable", "class"):
                    return Member(Name(owner), name)
        return term

    def _via(self, heads: tuple[Head, ...], locus: Locus) -> list[Head]:
        return [Head(head.term, head.path, head.device, (*head.trail, locus)[:6], head.overridable) for head in heads]

    def _parameter(self, path: str, function: str, index: int, steps: int) -> list[Head]:
        record = self.world.function(path, function, "head")
        if record is None or index >= len(record.params):
            return [Head(UNKNOWN, path)]
        found: list[Head] = []
        annotated = record.annotations[index] if index < len(record.annotations) else None
        if annotated is not None:
            found.extend(self.heads(annotated, path, steps))
        default = record.defaults[index] if index < len(record.defaults) else None
        callers = self.callers(path, function)
        name = record.params[index]
        supplied = False
        for caller in callers or ():
            argument = caller.argument(name, index, record)
            if argument is None:
                continue
            supplied = True
            locus = Locus(caller.path, "call", caller.function, caller.number)
            found.extend(self._via(self.heads(argument, caller.path, steps - 1), locus))
        if default is not None and default != Const(None):
            found.extend(self.heads(default, path, steps))
        elif default is not None and not found:
            found.append(Head(default, path))
        if callers is None or (not supplied and default is None and annotated is None):
            found.append(Head(UNKNOWN, path))
        return found

    def _member(self, of: Term, name: str, path: str, steps: int) -> list[Head]:
        found: list[Head] = []
        for head in self.heads(of, path, steps):
            for one in self._attribute(head, name, steps):
                found.append(one)
        if isinstance(of, Param) and all(isinstance(head.term, Unknown | Member) for head in found):
            return [*self._given_with(of, name, path, steps)] or found
        return found

    def _given_with(self, of: Param, name: str, path: str, steps: int) -> Iterator[Head]:
        """What callers store in an attribute of what they hand over: `args.device = ..; evaluate(args)`."""
        record = self.world.function(path, of.function, "head")
        for caller in (self.callers(path, of.function) or ())[:_CAP] if record is not None and steps > 1 else ():
            argument = caller.argument(record.params[of.index], of.index, record) if record is not None else None
            around = self.world.function(caller.path, caller.function, "calls")
            for receiver, attribute, value in around.stores if around is not None else ():
                if attribute == name and receiver == argument and value != UNKNOWN:
                    yield from self.heads(value, caller.path, steps - 1)

    def _attribute(self, head: Head, name: str, steps: int) -> list[Head]:
        owner = self.instance(head)
        if owner is not None:
            return self._instance_attribute(owner, head, name, steps)
        if self.is_options(head):
            return self._option(head, name, steps)
        if isinstance(head.term, Member) and head.term.name == "state" and "app_state" in self.head_kinds(head):
            return self._application_state(name, steps) or [Head(UNKNOWN, head.path)]
        match head.term:
            case Name(dotted):
                target = self.world.resolve(f"{dotted}.{name}", head.path)
                if target is not None and target.what == "variable":
                    return list(self.heads(Var(target.name), target.path, steps - 1))
                if target is not None and target.what in ("class", "function"):
                    return [Head(Def(target.name), target.path)]
                return [Head(Name(f"{dotted}.{name}"), head.path)]
            case Def(qualname):
                target = self.world.method(head.path, qualname, name) if self.is_class(head) else None
                if target is not None:
                    return [Head(Def(target.name), target.path)]
                if self.is_class(head):
                    record = self.world.cls(head.path, qualname)
                    values = [value for attribute, value, _ in record.attributes if attribute == name] if record else []
                    if values:
                        return [h for value in values[:4] for h in self.heads(value, head.path, steps - 1)]
                return [Head(Member(head.term, name), head.path)]
            case Map() | Seq("dict") if name in ("items", "values"):
                return [Head(Member(head.term, name), head.path)]
            case Map(items):
                return [h for key, value in items if key == name for h in self.heads(value, head.path, steps)]
            case Unknown():
                return [head]
            case _:
                return [Head(Member(head.term, name), head.path, head.device, head.trail)]

    def _instance_attribute(self, owner: Target, head: Head, name: str, steps: int) -> list[Head]:
        """An attribute of an instance: assignments along the ancestors, else annotations, else a method."""
        ancestors, complete = self.world.ancestors(owner.path, owner.name)
        if isinstance(head.term, Self):
            ancestors = (*ancestors, *self.world.subclasses(owner.path, owner.name, 8))
        found: list[Head] = []
        annotated: list[Head] = []
        for target in ancestors:
            if target.what != "class":
                continue
            record = self.world.cls(target.path, target.name)
            if record is None:
                continue
            values = [value for attribute, value, _ in record.attributes if attribute == name]
            known = [value for value in values if value != Const(None)] or values
            locus = Locus(target.path, "attribute", f"{target.name}.{name}")
            for value in known[:4]:
                found.extend(self._via(self.heads(value, target.path, steps - 1), locus))
            for attribute, value in record.annotations:
                if attribute == name:
                    annotated.extend(self.heads(value, target.path, steps - 1))
            if not found and name in record.methods:
                return [Head(Member(head.term, name), head.path, "", head.trail)]
        if found or annotated:
            return [*found, *annotated] if not found or all(isinstance(h.term, Unknown) for h in found) else found
        kinds = self.world.class_kinds(owner.path, owner.name)
        if kinds or not complete:
            return [Head(Member(head.term, name), head.path, "", head.trail)]
        return [Head(UNKNOWN, head.path)]

    def _part(self, of: Term, key: int | str | None, path: str, steps: int, *, elements: bool) -> list[Head]:
        """An element or item of a value, through displays; other values keep the projection for their kind."""
        found: list[Head] = []
        for head in self.heads(of, path, steps):
            match head.term:
                case Seq() | Map():
                    part = element(head.term) if elements else item(head.term, key)
                    found.extend(self.heads(part, head.path, steps - 1))
                case Unknown():
                    found.append(head)
                case Call(callee, args) if args and self.wraps(callee, head.path):
                    inner = args[key] if isinstance(key, int) and 0 <= key < len(args) and len(args) > 1 else args[0]
                    if elements:
                        found.extend(self._part(inner, None, head.path, steps, elements=True))
                    else:
                        prepared = ACCELERATOR if self._prepares(callee, head.path) else ""
                        for one in self.heads(inner, head.path, steps):
                            found.append(Head(one.term, one.path, one.device or prepared, one.trail, one.overridable))
                case _:
                    projected = Elem(head.term) if elements else Item(head.term, key)
                    found.append(Head(projected, head.path, head.device, head.trail))
        return found

    def _call(self, term: Call, path: str, steps: int) -> list[Head]:
        callee = term.callee
        if isinstance(callee, Member) and callee.name in self.lexicon.vocabulary.transparent:
            device = self._moved(callee.name, term.args, path, steps)
            inner = self.heads(callee.of, path, steps)
            plain = [head for head in inner if self.instance(head) is None or not self._own(head, callee.name)]
            if plain:
                return [Head(head.term, head.path, device or head.device, head.trail) for head in inner]
        found: list[Head] = []
        for head in self.heads(callee, path, steps):
            found.extend(self._called(head, term, path, steps))
        return found

    def _own(self, head: Head, method: str) -> bool:
        owner = self.instance(head)
        return owner is not None and self.world.method(owner.path, owner.name, method) is not None

    def _moved(self, method: str, args: tuple[Term, ...], path: str, steps: int) -> str:
        """Where `.to(..)`, `.cuda()` or `.cpu()` puts a value; "" if it is only a cast or nothing is known."""
        if method in ("cuda", "xpu", "npu"):
            return ACCELERATOR
        if method == "cpu":
            return HOST
        if method == "to" and args:
            return self.device(args[0], path, steps)
        return ""

    def _called(self, head: Head, term: Call, path: str, steps: int) -> list[Head]:
        """What calling a head yields. A constructor keeps the call, whose site is the identity of the object."""
        match head.term:
            case Unknown():
                return [Head(UNKNOWN, path)]
            case Name(dotted):
                if self.wraps(head.term, head.path) and term.args:
                    if len(term.args) == 1 or self.lexicon.canonical(dotted) in _FIRST_ONLY:
                        return list(self.heads(term.args[0], path, steps))
                    return [Head(Call(head.term, term.args), path)]
                kept = term.args if self.lexicon.canonical(dotted) in SHAPED or dotted in _EXTREMES else ()
                return [Head(Call(head.term, kept, term.function, term.site), path, "", head.trail)]
            case Def(qualname):
                if self.is_class(head):
                    return (
                        [Head(Call(head.term, (), term.function, term.site), head.path if term.site < 0 else path)]
                        if (head.path == path or term.site < 0)
                        else [Head(Call(Name(_absolute(head.path, qualname)), (), term.function, term.site), path)]
                    )
                return self._returned(head.path, qualname, steps)
            case Member(Map() | Seq("dict") as of, "items" | "values" as name):
                view = views(of, name)
                return list(self.heads(view, head.path, steps)) if view is not None else []
            case Member(of, name):
                receiver = Head(of, head.path, head.device)
                if self.wraps(head.term, head.path) and term.args:
                    return (
                        list(self.heads(term.args[0], path, steps))
                        if len(term.args) == 1
                        else [Head(Call(head.term, term.args), path)]
                    )
                owner = self.instance(receiver)
                if owner is not None:
                    method = self.world.method(owner.path, owner.name, name)
                    if method is not None:
                        return self._returned(method.path, method.name, steps)
                return [Head(Call(head.term), head.path, head.device, head.trail)]
            case Call() | Self():
                owner = self.instance(head)
                if owner is not None:
                    for name in ("__call__", "forward"):
                        method = self.world.method(owner.path, owner.name, name)
                        if method is not None:
                            return self._returned(method.path, method.name, steps)
                return [Head(Call(head.term), head.path, head.device)]
            case _:
                return [Head(Call(head.term), head.path)]

    def _returned(self, path: str, function: str, steps: int) -> list[Head]:
        record = self.world.function(path, function, "returns", "head")
        if record is None or record.generator or not record.returns:
            return [Head(UNKNOWN, path)]
        locus = Locus(path, "definition", function)
        return [head for term in record.returns for head in self._via(self.heads(term, path, steps - 1), locus)]

    def _option(self, head: Head, name: str, steps: int) -> list[Head]:
        """An attribute of parsed options: what the program assigns to it, or the default of the option."""
        found = self._assigned_option(head, name, steps)
        files = self.world.table("option", name)
        file = head.path if head.path in files else self.world.nearest(files, head.path)
        if file is not None:
            for option in self.world.options(file):
                if option.key == name:
                    locus = Locus(file, "option", name)
                    for one in self.heads(option.default, file, steps - 1):
                        found.append(Head(one.term, one.path, one.device, (*one.trail, locus), True))
        return found or [Head(UNKNOWN, head.path)]

    def _application_state(self, name: str, steps: int) -> list[Head]:
        """What the project stores under a name in `app.state`."""
        found: list[Head] = []
        if steps <= 1:
            return found
        for file in self.world.table("member", name)[:20]:
            for function, record in self.world.functions_of(file).items():
                for receiver, attribute, value in record.stores:
                    if attribute == name and isinstance(receiver, Member) and receiver.name == "state":
                        self.world.read("calls", file, function)
                        found.extend(self.heads(value, file, steps - 1))
        return found

    def _assigned_option(self, head: Head, name: str, steps: int) -> list[Head]:
        """What is assigned to an attribute of parsed options: `args.device = torch.device(..)`."""
        found: list[Head] = []
        if steps <= 2:
            return found
        for file in self.world.table("member", name)[:20]:
            for function, record in self.world.functions_of(file).items():
                for receiver, attribute, value in record.stores:
                    if attribute != name or value == UNKNOWN:
                        continue
                    self.world.read("calls", file, function)
                    same = (one for one in self.heads(receiver, file, steps - 1) if one.path == head.path)
                    if any(one.term == head.term for one in same):
                        found.extend(self.heads(value, file, steps - 1))
        return [one for one in found if not isinstance(one.term, Unknown)]

    # -- classification

    def wraps(self, callee: Term, path: str) -> bool:
        """Whether a callee returns what it is given: DDP, compile, `accelerator.prepare`, tqdm."""
        wrappers = self.lexicon.vocabulary.wrappers
        match callee:
            case Name(dotted):
                return self.lexicon.canonical(dotted) in wrappers
            case Member(of, name):
                return any(f"{kind}.{name}" in wrappers for kind in sorted(self.kinds(of, path).known))
            case _:
                return False

    def _prepares(self, callee: Term, path: str) -> bool:
        """Whether a wrapper also moves what it is given to the device."""
        return isinstance(callee, Member) and bool(self.kinds(callee.of, path).known & {"accelerator", "fabric"})

    def is_class(self, head: Head) -> bool:
        if not isinstance(head.term, Def):
            return False
        return self.world.cls(head.path, head.term.qualname) is not None

    def instance(self, head: Head) -> Target | None:
        """The class of the project that a head is an instance of."""
        match head.term:
            case Self(cls):
                return Target("class", head.path, cls)
            case Call(Def(qualname)):
                return Target("class", head.path, qualname) if self.is_class(Head(Def(qualname), head.path)) else None
            case Call(Name(dotted)):
                target = self.world.resolve(dotted, head.path)
                return target if target is not None and target.what == "class" else None
            case Call(Member(Name() | Def() as of, "from_pretrained" | "from_config" | "load_from_checkpoint")):
                target = self.world.denotes(of, head.path)
                return target if target is not None and target.what == "class" else None
            case _:
                return None

    def is_options(self, head: Head) -> bool:
        """Whether a head is the result of parsing a command line."""
        match head.term:
            case Call(Member(of, "parse_args")):
                kinds = self.kinds(of, head.path).known
                return not kinds or "option_parser" in kinds
            case Item(Call(Member(of, "parse_known_args")), 0):
                return "option_parser" in self.kinds(of, head.path).known
            case _:
                return False

    def kinds(self, term: Term, path: str, steps: int = STEPS) -> Kinds:
        """The kinds of a value over all that it may be."""
        key = (path, term, steps)
        known = self._kinds.get(key)
        if known is not None:
            self.world.depend(known[1])
            return known[0]
        cuts = self._cuts
        with self.world.recording() as reads:
            found: set[str] = set()
            complete = True
            for head in self.heads(term, path, steps):
                kinds = self.head_kinds(head)
                if not kinds:
                    complete = False
                found |= kinds
            result = Kinds(frozenset(found), complete)
        if cuts == self._cuts or not self._active:
            self._kinds[key] = (result, reads.node)
        return result

    def head_kinds(self, head: Head, depth: int = 8) -> frozenset[str]:
        """The kinds of one head; empty if nothing is known."""
        owner = self.instance(head)
        if owner is not None:
            return self.world.class_kinds(owner.path, owner.name) | {"instance"}
        if depth <= 0:
            return frozenset()
        lexicon = self.lexicon
        match head.term:
            case Const(value):
                return frozenset({"none" if value is None else "str" if isinstance(value, str) else "scalar"})
            case Lit(builtin):
                return frozenset({"scalar" if builtin in ("int", "float", "bool") else builtin})
            case Seq(builtin):
                return frozenset({builtin})
            case Map():
                return frozenset({"dict"})
            case Arith(operands):
                found: set[str] = set()
                for operand in operands:
                    for part in self.heads(operand, head.path, 3):
                        found |= self.head_kinds(part, depth - 2)
                for strong in ("tensor", "ndarray", "jax_array", "path"):
                    if strong in found:
                        return frozenset({strong})
                return frozenset({"scalar"}) if found == {"scalar"} else frozenset()
            case Call(callee):
                return self._result_kinds(callee, head, depth)
            case Member(of, name):
                return self._all_kinds(self.head_kinds(Head(of, head.path), depth - 1), name, member=True)
            case Elem(of) | Item(of):
                base = self.head_kinds(Head(of, head.path), depth - 1)
                elements = {lexicon.vocabulary.elements[kind] for kind in base if kind in lexicon.vocabulary.elements}
                return frozenset().union(*(lexicon.kinds(kind) for kind in elements))
            case Name(dotted):
                target = self.world.resolve(dotted, head.path)
                if target is not None and target.what == "library":
                    kind = lexicon.vocabulary.constructors.get(target.name, "")
                    return lexicon.kinds(kind) if kind in ("flask_request", "request_bytes") else frozenset({"library"})
                return frozenset()
            case Def():
                return frozenset({"class"} if self.is_class(head) else {"function"})
            case _:
                return frozenset()

    def _result_kinds(self, callee: Term, head: Head, depth: int) -> frozenset[str]:
        lexicon = self.lexicon
        match callee:
            case Name(dotted):
                target = self.world.resolve(dotted, head.path)
                if target is None or target.what != "library":
                    return frozenset()
                made = pretrained(target.name) or lexicon.constructed(target.name)
                return lexicon.kinds(made) if made else frozenset()
            case Member(of, name):
                base = self.head_kinds(Head(of, head.path), depth - 1)
                if name in lexicon.vocabulary.transparent and base:
                    return base
                return self._all_kinds(base, name, member=False)
            case Call() | Self():
                base = self.head_kinds(Head(callee, head.path), depth - 1)
                if "pipeline" in base:
                    return frozenset({"pipeline_output"})
                return frozenset({"model_output"}) if "module" in base else frozenset()
            case _:
                return frozenset()

    def _all_kinds(self, base: frozenset[str], name: str, *, member: bool) -> frozenset[str]:
        look = self.lexicon.member if member else self.lexicon.method
        found: frozenset[str] = frozenset()
        for kind in sorted(base):
            made = look(kind, name)
            if made:
                found |= self.lexicon.kinds(made)
        return found

    def device(self, term: Term, path: str, steps: int = STEPS) -> str:
        """ACCELERATOR if a device expression may name one, HOST if it can only be the host, "" if unknown."""
        found: set[str] = set()
        for head in self.heads(term, path, steps):
            match head.term:
                case Const(str() as text):
                    found.add(
                        ACCELERATOR if text.startswith(("cuda", "xpu", "npu", "hip")) else _SHARED.get(text, HOST)
                    )
                case Const(bool()) | Const(None):
                    continue
                case Const(int()):
                    found.add(ACCELERATOR)
                case Lit("int"):  # a rank: an integer names an accelerator
                    found.add(ACCELERATOR)
                case Arith(operands):
                    first = operands[0] if operands else UNKNOWN
                    text = str(first.value) if isinstance(first, Const) else ""
                    if text.startswith("cuda") or self.head_kinds(head) == {"scalar"}:
                        found.add(ACCELERATOR)
                case Member(of, "device"):
                    kinds = self.head_kinds(Head(of, head.path))
                    if head.device or kinds & {"accelerator", "fabric"}:
                        found.add(head.device or ACCELERATOR)
                case Call(Name(dotted)) if self.lexicon.canonical(dotted).startswith(_RANKS):
                    found.add(ACCELERATOR)
        found.discard("")
        for device in (ACCELERATOR, *_SHARED.values()):
            if device in found:
                return device
        return HOST if found == {HOST} else ""

    def constants(self, term: Term, path: str, steps: int = STEPS) -> tuple[tuple[Head, ...], bool]:
        """The literal values that a term may have, and whether there are no others."""
        heads = self.heads(term, path, steps)
        values = tuple(head for head in heads if isinstance(head.term, Const))
        return values, len(values) == len(heads)

    # -- calls

    def recorded(self, path: str, function: str, site: int) -> CallRecord | None:
        """The recorded call of a site."""
        record = self.world.function(path, function, "calls")
        return next((call for call in record.calls if call.site == site), None) if record is not None else None

    def made(self, head: Head) -> CallRecord | None:
        """The recorded call that made the value of a head."""
        site = holder(head)
        return self.recorded(*site) if site is not None else None

    def functions(self, callee: Term, path: str, steps: int = STEPS) -> tuple[list[Target], bool]:
        """The functions of the project that a callee may be, overrides included, and whether that is all of them."""
        found: dict[Target, None] = {}
        complete = True
        for head in self.heads(callee, path, steps):
            match head.term:
                case Def(qualname):
                    if self.is_class(head):
                        method = self.world.method(head.path, qualname, "__init__")
                        if method is not None:
                            found[method] = None
                    else:
                        found[Target("function", head.path, qualname)] = None
                case Member(of, name):
                    owner = self.instance(Head(of, head.path))
                    if owner is None:
                        base = self.head_kinds(Head(of, head.path))
                        complete = complete and bool(base)
                        continue
                    method = self.world.method(owner.path, owner.name, name)
                    if method is not None:
                        found[method] = None
                    if isinstance(of, Self):
                        for child in self.world.subclasses(owner.path, owner.name):
                            record = self.world.cls(child.path, child.name)
                            if record is not None and name in record.methods:
                                found[Target("function", child.path, record.methods[name])] = None
                case Call() | Self():
                    owner = self.instance(head)
                    for name in ("__call__", "forward"):
                        method = self.world.method(owner.path, owner.name, name) if owner is not None else None
                        if method is not None:
                            found[method] = None
                            break
                    else:
                        complete = complete and (owner is not None or bool(self.head_kinds(head)))
                case Name():
                    continue
                case _:
                    complete = False
        return list(found), complete

    def callers(self, path: str, function: str) -> tuple[Caller, ...] | None:
        """The calls of a function; None if its name is too common to tell."""
        key = (path, function)
        known = self._callers.get(key)
        if known is not None:
            self.world.depend(known[1])
            return known[0]
        with self.world.recording() as reads:
            self._callers[key] = ((), reads.node)
            found = self._find_callers(path, function)
        self._callers[key] = (found, reads.node)
        return found

    def _find_callers(self, path: str, function: str) -> tuple[Caller, ...] | None:
        record = self.world.function(path, function, "head")
        if record is None:
            return ()
        name = function.rpartition(".")[2].partition("#")[0]
        if name == "__init__" and record.cls:
            name = record.cls.rpartition(".")[2]
        wanted = Target("function", path, function)
        found: list[Caller] = []
        files = self.world.table("call", name)
        if len(files) > COMMON_NAME:
            return None
        for file in files:
            for caller in self.calls_named(file, name):
                if self._calls(caller, wanted):
                    found.append(caller)
        if record.cls and function.endswith(".__init__"):
            found.extend(self._constructions(wanted, record.cls))
        if record.cls and name in _CALLED:
            found.extend(self._instance_calls(wanted, record.cls))
        return tuple(found)

    def _instance_calls(self, wanted: Target, cls: str) -> Iterator[Caller]:
        """The calls of instances of a class: as they are made, or under an attribute or variable that holds one."""
        last = cls.rpartition(".")[2]
        holders = {last}
        files = self.world.table("refer", last)
        for file in files if len(files) <= _HOLDERS else ():
            interface = self.world.interface(file)
            if interface is None:
                continue
            for record in interface.classes.values():
                holders.update(name for name, value, _ in record.attributes if _constructs(value, last))
            holders.update(name for name, value in interface.variables.items() if _constructs(value, last))
        for name in sorted(holders):
            files = self.world.table("call", name)
            for file in files if len(files) <= _HOLDERS else ():
                for caller in self.calls_named(file, name):
                    if not isinstance(caller.record.callee, Name | Def) or name != last:
                        if wanted in self.functions(caller.record.callee, file, 3)[0]:
                            yield caller

    def _constructions(self, wanted: Target, cls: str) -> Iterator[Caller]:
        """The calls of a constructor by way of subclasses: theirs, if they have none, or `super().__init__(..)`."""
        for child in self.world.subclasses(wanted.path, cls):
            record = self.world.cls(child.path, child.name)
            own = record.methods.get("__init__") if record is not None else None
            if own is not None:
                if self.world.super_method(child.path, child.name, "__init__") == wanted:
                    yield from self._super_calls(child.path, own)
                continue
            last = child.name.rpartition(".")[2]
            files = self.world.table("call", last)
            for file in files if len(files) <= COMMON_NAME else ():
                for caller in self.calls_named(file, last):
                    if self._calls(caller, wanted):
                        yield caller

    def _super_calls(self, path: str, constructor: str) -> Iterator[Caller]:
        record = self.world.function(path, constructor, "calls")
        for number, call in enumerate(record.calls if record is not None else ()):
            match call.callee:
                case Member(Call(Name("builtins.super")), "__init__"):
                    yield Caller(path, constructor, number, call)

    def calls_named(self, path: str, name: str) -> list[Caller]:
        """The recorded calls in a file whose callee ends in a name."""
        return [Caller(path, function, number, call) for function, number, call in self.world.calls_named(path, name)]

    def _calls(self, caller: Caller, wanted: Target) -> bool:
        callee = caller.record.callee
        match callee:
            case Name() | Def():
                target = self.world.denotes(callee, caller.path)
                if target is None:
                    split = self.split(callee, caller.path)
                    return isinstance(split, Member) and wanted in self.functions(split, caller.path, 3)[0]
                if target.what == "class":
                    return self.world.method(target.path, target.name, "__init__") == wanted
                return target == wanted
            case Member(of):
                cls = wanted.name.rpartition(".")[0]
                record = self.world.function(wanted.path, wanted.name, "head")
                if record is not None and not record.cls:
                    target = self.world.denotes(callee, caller.path)
                    return target == wanted
                del cls, of
                return wanted in self.functions(callee, caller.path, 4)[0]
            case Var():
                return wanted in self.functions(callee, caller.path, 3)[0]
            case _:
                return False


class Caller(msgspec.Struct, frozen=True):
    """A recorded call, with the function it stands in."""

    path: str
    function: str
    number: int
    record: CallRecord

    def argument(self, name: str, index: int, callee: FunctionRecord) -> Term | None:
        """What this call gives for a parameter; the receiver of a method is not among its arguments."""
        bound = bool(callee.cls) and not callee.static and not isinstance(self.record.callee, Unknown)
        position = index - 1 if bound else index
        return self.record.argument(name, position)


_FIRST_ONLY: Final = frozenset(
    {
        "torch.nn.parallel.DistributedDataParallel",
        "torch.nn.DataParallel",
        "torch.distributed.fsdp.FullyShardedDataParallel",
        "torch.compile",
        "torch.jit.script",
        "torch.jit.trace",
        "tqdm.tqdm",
        "tqdm.auto.tqdm",
        "tqdm.notebook.tqdm",
        "itertools.islice",
        "builtins.enumerate",
        "builtins.iter",
        "builtins.next",
        "functools.partial",
        "torch.device",
        "copy.deepcopy",
        "builtins.sorted",
    }
)
#: Methods that run when an instance is called.
_CALLED: Final = frozenset({"__call__", "forward"})
#: In how many files an instance is looked for, under each name.
_HOLDERS: Final = 60
_EXTREMES: Final = frozenset({"builtins.min", "builtins.max"})
#: Calls whose result, given as a device, names an accelerator.
_RANKS: Final = ("torch.cuda.current_device", "torch.accelerator", "torch.distributed.get_rank")
_NOT_MODELS: Final = ("Tokenizer", "TokenizerFast", "Processor", "Config", "FeatureExtractor", "Scheduler")


def holder(head: Head) -> tuple[str, str, int] | None:
    """The site that made the value of a head: file, function, number."""
    term = head.term
    return (head.path, term.function, term.site) if isinstance(term, Call) and term.site >= 0 else None


def pretrained(dotted: str) -> str:
    """The kind that `X.from_pretrained(..)` yields, by the class's own name; "" for any other call."""
    owner, _, method = dotted.rpartition(".")
    if method not in ("from_pretrained", "from_single_file"):
        return ""
    name = owner.rpartition(".")[2]
    if name.endswith(_NOT_MODELS):
        return "tokenizer"
    if name.endswith("Pipeline"):
        return "pipeline"
    if owner.partition(".")[0] in ("transformers", "peft", "diffusers", "auto_gptq", "optimum", "unsloth", "trl"):
        return "pretrained"
    return ""


def _constructs(value: Term, cls: str) -> bool:
    """Whether a value is made by a call of a class of this name, or a container of such."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, Call) and last_name(part.callee) == cls:
            return True
        stack.extend(children(part))
    return False


def _absolute(path: str, qualname: str) -> str:
    """The dotted name of a definition by the full path of its file, which every file has."""
    stem = path.rpartition(".")[0].removesuffix("/__init__")
    return f"{stem.replace('/', '.')}.{qualname}"
