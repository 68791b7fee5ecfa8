"""Where a value goes: forward from the call that made it, through returns, arguments, attributes and variables.

Each file that a flow touches is indexed once by the *atoms* of its terms (sites, parameters, attributes, variables,
results of calls). A container on the way (a tuple, a dict, a class attribute) is remembered as a stack of keys, so
that `train, val = make_loaders()` follows the right one. What the object yields when iterated is followed too, as an
*element*, up to where it is moved to a device. Objects are followed before elements, and both in bounded steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from mlsys_advise.interface import PythonInterface
from mlsys_advise.project.values import Locus, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import (
    Arith,
    Call,
    Def,
    Either,
    Elem,
    Item,
    Map,
    Member,
    Name,
    Param,
    Self,
    Seq,
    Term,
    Unknown,
    Var,
    last_name,
)

Key: TypeAlias = int | str | None
Op: TypeAlias = tuple[str, Key]
_HOPS: Final = 8
_NODES: Final = 160
#: Indexes that are held at once; one of a large file takes a megabyte.
_INDEXES: Final = 400
#: Steps and nodes for what the object yields, counted from the loop.
_ELEMENT_HOPS: Final = 4
_ELEMENT_NODES: Final = 120


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """A place where a term stands: ``what`` is loop, argument, receiver, callee, return, attribute or variable."""

    what: str
    function: str
    number: int = -1
    key: Key = None
    name: str = ""


class Node(msgspec.Struct, frozen=True, array_like=True):
    """A value that holds the object: ``what`` is site, param, attribute, variable or result."""

    what: str
    path: str
    owner: str
    key: int | str = ""


class Use(msgspec.Struct, frozen=True, array_like=True):
    """Something that is done with the object, or with an element of it where ``element`` is set.

    ``drawn`` elements come from `next(..)`, not from a loop over the object. ``part`` is the item of the element.
    """

    what: str
    path: str
    function: str
    number: int
    key: Key = None
    name: str = ""
    element: bool = False
    drawn: bool = False
    part: Key = None


class State(msgspec.Struct, frozen=True, array_like=True):
    """How a value holds the object: the containers around it, innermost last; and whether it is only an element.

    ``method`` is the method of the object whose result the value is.
    """

    stack: tuple[Key, ...] = ()
    element: bool = False
    drawn: bool = False
    method: str = ""
    part: Key = None


class Flow(msgspec.Struct, frozen=True):
    """All uses of an object that could be followed; ``leaks`` are places where it was lost from sight."""

    uses: tuple[Use, ...]
    leaks: tuple[Use, ...]


def atoms(term: Term) -> list[tuple[Term, tuple[Op, ...]]]:
    """The atoms of a term, each with the operations that lead from it to the term, innermost first."""
    found: list[tuple[Term, tuple[Op, ...]]] = []
    stack: list[tuple[Term, tuple[Op, ...]]] = [(term, ())]
    while stack and len(found) < 40:
        part, ops = stack.pop()
        match part:
            case Param() | Var() | Name() | Def():
                found.append((part, ops))
            case Member(of, name):
                if isinstance(of, Self):
                    found.append((part, ops))
                else:
                    found.append((part, ops))
                    stack.append((of, (("member", name), *ops)))
            case Call(callee, args, _, site):
                if site >= 0:
                    found.append((part, ops))
                if isinstance(callee, Member) and callee.name in _MOVES and not _casts(args):
                    stack.append((callee.of, (("moved", None), *ops)))
                elif isinstance(callee, Member) and callee.name in _TRANSPARENT:
                    stack.append((callee.of, ops))
                elif isinstance(callee, Member):
                    stack.append((callee.of, (("method", callee.name), *ops)))
                if args and not (isinstance(callee, Member) and callee.name in ("to", "cuda", "get", "map")):
                    plural = len(args) > 1 and ops[:1] and ops[0][0] == "item"
                    for position, arg in enumerate(args):
                        if plural and ops[0][1] != position:
                            continue
                        stack.append((arg, ops[1:] if plural else (("wrap", last_name(callee)), *ops)))
                if site < 0 or not isinstance(callee, Name):
                    found.append((Call(callee), ops))
            case Elem(of):
                stack.append((of, (("element", None), *ops)))
            case Item(of, key):
                stack.append((of, (("item", key), *ops)))
            case Seq(items=items, many=many):
                for position, inner in enumerate(items):
                    stack.append((inner, (("inside", None if many else position), *ops)))
            case Map(items):
                for name, inner in items:
                    stack.append((inner, (("inside", name), *ops)))
            case Either(options) | Arith(options):
                stack.extend((option, ops) for option in options)
    return found


_TRANSPARENT: Final = frozenset(
    {"to", "cuda", "cpu", "eval", "train", "half", "float", "bfloat16", "requires_grad_", "share_memory", "__enter__"}
)
_MOVES: Final = frozenset({"to", "cuda"})
_DTYPES: Final = ("torch.float", "torch.bf", "torch.int", "torch.long", "torch.half", "torch.bool", "torch.double")


def _casts(args: tuple[Term, ...]) -> bool:
    """Whether `.to(..)` is given a dtype alone."""
    return len(args) == 1 and isinstance(args[0], Name) and args[0].dotted.startswith(_DTYPES)


class Index:
    """The slots of one file by atom."""

    def __init__(self, interface: PythonInterface) -> None:
        self.sites: dict[tuple[str, int], list[tuple[Slot, tuple[Op, ...]]]] = {}
        self.params: dict[tuple[str, int], list[tuple[Slot, tuple[Op, ...]]]] = {}
        self.members: dict[str, list[tuple[Slot, tuple[Op, ...], Term]]] = {}
        self.variables: dict[str, list[tuple[Slot, tuple[Op, ...]]]] = {}
        self.names: dict[str, list[tuple[Slot, tuple[Op, ...], str]]] = {}
        self.results: dict[str, list[tuple[Slot, tuple[Op, ...], Term]]] = {}
        for function, record in interface.functions.items():
            for number, call in enumerate(record.calls):
                for position, argument in enumerate(call.args):
                    self._add(Slot("argument", function, number, position), argument)
                for keyword, argument in call.keywords:
                    self._add(Slot("argument", function, number, keyword), argument)
                if isinstance(call.callee, Member):
                    self._add(Slot("receiver", function, number, None, call.callee.name), call.callee.of)
                elif isinstance(call.callee, Name) and "." in call.callee.dotted:
                    owner, _, method = call.callee.dotted.rpartition(".")
                    self._add(Slot("receiver", function, number, None, method), Name(owner))
                self._add(Slot("callee", function, number), call.callee)
            for number, loop in enumerate(record.loops):
                self._add(Slot("loop", function, number), loop.iterated)
            for number, term in enumerate(record.returns):
                self._add(Slot("return", function, number), term)
            for number, (_receiver, attribute, value) in enumerate(record.stores):
                self._add(Slot("store", function, number, None, attribute), value)
        for name, cls in interface.classes.items():
            for attribute, value, _ in cls.attributes:
                self._add(Slot("attribute", name, -1, None, attribute), value)
        for name, value in interface.variables.items():
            self._add(Slot("variable", "", -1, None, name), value)

    def _add(self, slot: Slot, term: Term) -> None:
        if isinstance(term, Unknown):
            return
        for atom, ops in atoms(term):
            match atom:
                case Call(callee, _, function, site):
                    if site >= 0:
                        self.sites.setdefault((function, site), []).append((slot, ops))
                    name = last_name(callee)
                    if name:
                        self.results.setdefault(name, []).append((slot, ops, callee))
                case Param(function, index):
                    self.params.setdefault((function, index), []).append((slot, ops))
                case Member(of, name):
                    self.members.setdefault(name, []).append((slot, ops, of))
                case Var(name):
                    self.variables.setdefault(name, []).append((slot, ops))
                case Name(dotted):
                    self.names.setdefault(dotted.rpartition(".")[2], []).append((slot, ops, dotted))


#: The facts that ``slots`` tells of begin so.
SLOTS: Final = "slots of "


def slots(index: Index, what: str, which: str) -> object:
    """Where an atom stands: a site or parameter, given as ``NUMBER:FUNCTION``, or what has a name."""
    if what == f"{SLOTS}sites" or what == f"{SLOTS}params":
        number, _, function = which.partition(":")
        lists = index.sites if what == f"{SLOTS}sites" else index.params
        return lists.get((function, int(number)))
    named: dict[str, Mapping[str, object]] = {
        f"{SLOTS}members": index.members,
        f"{SLOTS}variables": index.variables,
        f"{SLOTS}names": index.names,
        f"{SLOTS}results": index.results,
    }
    return named[what].get(which)


class Flows:
    """Forward flows over a world."""

    def __init__(self, world: World, values: Values) -> None:
        self.world = world
        self.values = values
        self._indexes: dict[str, Index] = {}
        self._flows: dict[Node, tuple[Flow, int]] = {}

    def index(self, path: str, what: str, which: str) -> Index | None:
        """The index of a file, of which one list may be looked at: that of an atom of some sort (see ``slots``)."""
        self.world.read(f"{SLOTS}{what}", path, which)
        interface = self.world.unrecorded(path)
        if interface is None:
            return None
        if path not in self._indexes:
            if len(self._indexes) >= _INDEXES:
                self._indexes.clear()
            self._indexes[path] = Index(interface)
        return self._indexes[path]

    def of(self, path: str, function: str, site: int) -> Flow:
        """The uses of the object that a call site makes."""
        return self._from(Node("site", path, function, site))

    def of_result(self, path: str, function: str) -> Flow:
        """The uses of what a function returns."""
        return self._from(Node("result", path, function))

    def _from(self, start: Node) -> Flow:
        known = self._flows.get(start)
        if known is None:
            with self.world.recording() as reads:
                flow = self._follow(start)
            known = self._flows[start] = (flow, reads.node)
        else:
            self.world.depend(known[1])
        return known[0]

    def _follow(self, start: Node) -> Flow:
        uses: dict[Use, None] = {}
        leaks: dict[Use, None] = {}
        objects: deque[tuple[Node, State, int]] = deque([(start, State(), 0)])
        elements: deque[tuple[Node, State, int]] = deque()
        seen = {(start, State())}
        counted = {True: 0, False: 0}
        while objects or elements:
            node, held, hops = objects.popleft() if objects else elements.popleft()
            counted[held.element] += 1
            if hops > (_ELEMENT_HOPS if held.element else _HOPS) or counted[held.element] > (
                _ELEMENT_NODES if held.element else _NODES
            ):
                if not held.element:
                    leaks[Use("limit", node.path, node.owner, -1)] = None
                continue
            for path, slot, ops in self._occurrences(node):
                state = _apply(ops, held)
                if state is None:
                    continue
                for following, more in self._arrive(path, slot, state, uses, leaks):
                    if (following, more) not in seen:
                        seen.add((following, more))
                        if more.element:
                            elements.append((following, more, hops + 1 if held.element else 0))
                        else:
                            objects.append((following, more, hops + 1))
        return Flow(tuple(uses), tuple(leaks))

    def _occurrences(self, node: Node) -> list[tuple[str, Slot, tuple[Op, ...]]]:
        """Where the value of a node stands in terms, in its own file and in others."""
        found: list[tuple[str, Slot, tuple[Op, ...]]] = []
        match node.what:
            case "site":
                index = self.index(node.path, "sites", f"{node.key}:{node.owner}")
                self._read_function(node.path, node.owner)
                for slot, ops in index.sites.get((node.owner, int(node.key)), ()) if index else ():
                    found.append((node.path, slot, ops))
            case "param":
                index = self.index(node.path, "params", f"{node.key}:{node.owner}")
                self._read_function(node.path, node.owner)
                for slot, ops in index.params.get((node.owner, int(node.key)), ()) if index else ():
                    found.append((node.path, slot, ops))
            case "variable":
                name = str(node.key)
                index = self.index(node.path, "variables", name)
                for slot, ops in index.variables.get(name, ()) if index else ():
                    self._read_function(node.path, slot.function)
                    found.append((node.path, slot, ops))
                for file in self.world.table("refer", name):
                    other = self.index(file, "names", name)
                    for slot, ops, dotted in other.names.get(name, ()) if other else ():
                        target = self.world.resolve(dotted, file)
                        if target == Target("variable", node.path, name):
                            self._read_function(file, slot.function)
                            found.append((file, slot, ops))
            case "attribute":
                found.extend(self._attribute_occurrences(node))
            case "result":
                found.extend(self._result_occurrences(node))
        return found

    def _attribute_occurrences(self, node: Node) -> list[tuple[str, Slot, tuple[Op, ...]]]:
        found: list[tuple[str, Slot, tuple[Op, ...]]] = []
        owner = Target("class", node.path, node.owner)
        name = str(node.key)
        for file in self.world.table("member", name):
            index = self.index(file, "members", name)
            for slot, ops, of in index.members.get(name, ()) if index else ():
                if isinstance(of, Self):
                    related = self.world.ancestors(file, of.cls)[0]
                    hit = (
                        owner in related
                        or (file == node.path and owner.name == of.cls)
                        or Target("class", file, of.cls) in self.world.ancestors(node.path, node.owner)[0]
                    )
                else:
                    hit = any(
                        target is not None and owner in self.world.ancestors(target.path, target.name)[0]
                        for target in map(self.values.instance, self.values.heads(of, file, 3))
                    )
                if hit:
                    self._read_function(file, slot.function)
                    found.append((file, slot, ops))
        return found

    def _result_occurrences(self, node: Node) -> list[tuple[str, Slot, tuple[Op, ...]]]:
        found: list[tuple[str, Slot, tuple[Op, ...]]] = []
        wanted = Target("function", node.path, node.owner)
        name = node.owner.rpartition(".")[2].partition("#")[0]
        names = [name]
        if name in ("__call__", "forward"):
            return found
        for last in names:
            for file in self.world.table("call", last):
                index = self.index(file, "results", last)
                for slot, ops, callee in index.results.get(last, ()) if index else ():
                    if wanted in self.values.functions(callee, file, 3)[0]:
                        self._read_function(file, slot.function)
                        found.append((file, slot, ops))
            # a property is read like an attribute
        record = self.world.function(node.path, node.owner, "head")
        if record is not None and record.cls and any(last_name(d.callee) == "property" for d in record.decorators):
            found.extend(self._attribute_occurrences(Node("attribute", node.path, record.cls, name)))
        return found

    def _read_function(self, path: str, function: str) -> None:
        self.world.read("calls", path, function)
        self.world.read("returns", path, function)

    def _arrive(
        self, path: str, slot: Slot, state: State, uses: dict[Use, None], leaks: dict[Use, None]
    ) -> list[tuple[Node, State]]:
        """Record a use, or say which node holds the object next."""
        if state.method and slot.what != "loop":
            return []
        held = not state.stack
        use = Use(
            slot.what,
            path,
            slot.function,
            slot.number,
            slot.key,
            slot.name,
            state.element,
            state.drawn,
            state.part,
        )
        match slot.what:
            case "loop":
                if held:
                    uses[msgspec.structs.replace(use, name=state.method)] = None
                    if not state.element and not state.method:
                        return self._yielding(path, slot.function)
                elif state.stack[-1] is None:
                    uses[msgspec.structs.replace(use, element=True)] = None
                return []
            case "argument":
                return self._argument(path, slot, state, use, uses, leaks)
            case "receiver":
                if held:
                    uses[msgspec.structs.replace(use, what="method")] = None
                return []
            case "callee":
                if held:
                    uses[msgspec.structs.replace(use, what="called")] = None
                return []
            case "return":
                if not state.element:
                    uses[msgspec.structs.replace(use, what="returned")] = None
                    if slot.function.endswith("__iter__"):
                        return self._instances(path, slot.function)
                return [(Node("result", path, slot.function), state)]
            case "attribute":
                uses[use] = None
                return [(Node("attribute", path, slot.function, slot.name), state)]
            case "variable":
                return [(Node("variable", path, "", slot.name), state)]
            case "store":
                return self._store(path, slot, state, leaks)
        return []

    def _yielding(self, path: str, function: str) -> list[tuple[Node, State]]:
        """What iterates the object and yields, in a generator, is iterated like the object itself."""
        record = self.world.function(path, function, "head")
        if record is None or not record.generator:
            return []
        if function.endswith("__iter__"):
            return self._instances(path, function)
        return [(Node("result", path, function), State())]

    def _instances(self, path: str, method: str) -> list[tuple[Node, State]]:
        """The objects that iterate what a method `__iter__` iterates: instances of its class."""
        record = self.world.function(path, method, "head")
        if record is None or not record.cls:
            return []
        found: list[tuple[Node, State]] = []
        for target in (Target("class", path, record.cls), *self.world.subclasses(path, record.cls, 8)):
            last = target.name.rpartition(".")[2]
            for file in self.world.table("call", last):
                for caller in self.values.calls_named(file, last):
                    if caller.record.site >= 0 and self.world.denotes(caller.record.callee, file) == target:
                        found.append((Node("site", file, caller.function, caller.record.site), State()))
        return found

    def _store(self, path: str, slot: Slot, state: State, leaks: dict[Use, None]) -> list[tuple[Node, State]]:
        record = self.world.function(path, slot.function, "calls")
        if record is None:
            return []
        receiver = record.stores[slot.number][0]
        found: list[tuple[Node, State]] = []
        for head in self.values.heads(receiver, path, 3):
            owner = self.values.instance(head)
            if owner is not None:
                found.append((Node("attribute", owner.path, owner.name, slot.name), state))
        if not found and not state.element:
            leaks[Use("stored", path, slot.function, slot.number, name=slot.name)] = None
        return found

    def _argument(
        self, path: str, slot: Slot, state: State, use: Use, uses: dict[Use, None], leaks: dict[Use, None]
    ) -> list[tuple[Node, State]]:
        record = self.world.function(path, slot.function, "calls")
        if record is None:
            return []
        call = record.calls[slot.number]
        targets, complete = self.values.functions(call.callee, path, 4)
        use = msgspec.structs.replace(use, name=last_name(call.callee))
        uses[use] = None
        found: list[tuple[Node, State]] = []
        for target in targets:
            callee = self.world.function(target.path, target.name, "head")
            if callee is None:
                continue
            index = parameter(slot.key, callee.params, bool(callee.cls) and not callee.static)
            if index is not None:
                found.append((Node("param", target.path, target.name, index), state))
        if not targets and not complete and not state.element:
            leaks[use] = None
        return found


def parameter(key: Key, params: tuple[str, ...], bound: bool) -> int | None:
    """The parameter that an argument of a call fills."""
    if isinstance(key, str):
        return params.index(key) if key in params else None
    if isinstance(key, int):
        index = key + 1 if bound else key
        return index if index < len(params) else None
    return None


def _apply(ops: tuple[Op, ...], held: State) -> State | None:
    """Carry the object through operations; None if neither it nor an element of it is in the result."""
    stack = list(held.stack)
    element, drawn, method, part = held.element, held.drawn, held.method, held.part
    for op, key in ops:
        if op == "inside":
            stack.append(key)
        elif op == "moved":
            if element:
                return None
        elif op == "wrap":
            if key == "next" and not stack and not element:
                element = drawn = True
        elif op == "method" and stack and key in _VIEWS:
            if key == "items":
                stack[-1:] = [1, None]
        elif op in ("member", "method"):
            if stack and stack[-1] == key and op == "member":
                stack.pop()
            elif element and not stack:
                continue
            elif op == "method" and not stack:
                method = str(key)
            else:
                return None
        elif stack:
            if op == "item" and key is not None and stack[-1] is not None and stack[-1] != key:
                return None
            stack.pop()
        elif element:
            part = key if op == "item" and part is None else part
        else:
            element = True
    return State(tuple(stack), element, drawn, method, part)


#: Methods of containers whose result holds the same things.
_VIEWS: Final = frozenset({"values", "items", "get", "copy"})


def place(use: Use) -> Locus:
    """Where a use stands."""
    what = "loop" if use.what == "loop" else "definition" if use.what == "returned" else "call"
    return Locus(use.path, what, use.function, max(use.number, 0))
