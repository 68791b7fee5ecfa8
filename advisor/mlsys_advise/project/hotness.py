"""Heat of functions and loops: roots, and the calls along which heat flows to a place.

Heat is asked for backwards, from a place to its callers, until nothing is left to add; the group of functions found
in this way is closed under callers, so one round of propagation inside it is exact whatever the cycles.
"""

from __future__ import annotations

import posixpath
from collections import deque
from typing import Final, NamedTuple

import msgspec

from mlsys_advise.heat import (
    DECODING,
    ELEMENT,
    EPOCH,
    EVALUATION,
    ITEM,
    ONCE,
    SERVING,
    SETUP,
    STEP,
    TEST,
    TRAINING,
    Context,
    Frequency,
    Heat,
)
from mlsys_advise.interface import BODY, CallRecord, Effect, FunctionRecord, referred
from mlsys_advise.library.roots import SERVICER, TRITON_CLASS, TRITON_STEP
from mlsys_advise.project.values import COMMON_NAME, Locus, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import Call, Def, Member, Name, Term, children, last_name
from mlsys_advise.vocabulary import Root

_LIMIT: Final = 400
_TEST_WORDS: Final = ("tests", "test", "testing", "unit_tests", "e2e")


class Cause(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One step by which heat arrives: a place and what is to be seen there."""

    locus: Locus
    message: str


class Edge(msgspec.Struct, frozen=True):
    """Heat flows from the body of a loop of ``source`` (or the function, at -1) to a function.

    ``own`` is heat that a framework adds; ``region`` is in force at the call; ``maps`` runs it for each item of data.
    """

    source: Target
    loop: int
    locus: Locus
    message: str
    own: Heat = Heat()
    region: int = 0
    maps: bool = False


class _Given(NamedTuple):
    """An argument of a call, by position or keyword."""

    function: str
    number: int
    call: CallRecord
    key: int | str
    argument: Term


def raised(frequency: Frequency) -> Frequency:
    """The frequency of the body of a loop over data."""
    return {ONCE: ITEM, EPOCH: STEP, STEP: ITEM, ITEM: ELEMENT, ELEMENT: ELEMENT}[frequency]


def epochs(frequency: Frequency) -> Frequency:
    return EPOCH if frequency is ONCE else frequency


class Hotness:
    """Answers to "how hot is this?" over a world."""

    def __init__(self, world: World, values: Values) -> None:
        self.world = world
        self.values = values
        self._functions: dict[tuple[Target, int], tuple[Heat, int]] = {}
        self._edges: dict[Target, tuple[tuple[Edge, ...], int]] = {}
        self._roots: dict[Target, tuple[tuple[Heat, str], ...]] = {}
        self._loops: dict[tuple[str, str, int], tuple[str, int]] = {}
        self._learning: dict[tuple[Target, int], tuple[str, int]] = {}
        #: arguments of calls by file and by what they refer to
        self._arguments: dict[str, dict[str, list[_Given]]] = {}
        roots = world.lexicon.vocabulary.roots
        self._by_method: dict[str, list[Root]] = {}
        self._by_decorator: dict[str, list[Root]] = {}
        self._by_callback: dict[str, Root] = {}
        for root in roots:
            for method in root.methods:
                self._by_method.setdefault(method, []).append(root)
            for decorator in root.decorators:
                self._by_decorator.setdefault(decorator.rpartition(".")[2], []).append(root)
            for callback in root.callbacks:
                self._by_callback[callback] = root

    # -- heat of places

    def place(self, path: str, function: str, loop: int = -1, unless: int = 0) -> Heat:
        """The heat of the body of a loop, or of a function outside its loops; calls under ``unless`` bring none."""
        return self._raise(path, function, loop, self.function(Target("function", path, function), unless))

    def _raise(self, path: str, function: str, loop: int, heat: Heat) -> Heat:
        """Heat within nested loops, outermost first; a loop that is a root sets its own."""
        record = self.world.function(path, function, "calls", "effects", "head")
        if record is None:
            return heat
        for number in chain(record, loop):
            sort = self.loop_sort(path, function, number)
            match sort:
                case "training":
                    heat = Heat.of(TRAINING, STEP)
                case "training epoch":
                    heat = Heat.of(TRAINING, EPOCH)
                case "evaluation":  # between the epochs of a training run, if that is where it stands
                    heat = Heat.of(EVALUATION, STEP) | heat.within(TRAINING)
                case "serving":
                    heat = Heat.of(SERVING, STEP)
                case "decoding":
                    heat = heat | Heat.of(DECODING, STEP)
                case "data":
                    heat = heat.raised(raised)
                case "epochs":
                    heat = heat.raised(epochs)
        return heat

    def loop_sort(self, path: str, function: str, number: int) -> str:
        """What a loop is: training, training epoch, evaluation, serving, decoding, data, epochs, small or open."""
        key = (path, function, number)
        known = self._loops.get(key)
        if known is None:
            with self.world.recording() as reads:
                self._loops[key] = ("open", reads.node)
                sort = self._loop_sort(path, function, number)
            known = self._loops[key] = (sort, reads.node)
        else:
            self.world.depend(known[1])
        return known[0]

    def _loop_sort(self, path: str, function: str, number: int) -> str:
        record = self.world.function(path, function, "calls", "effects", "head")
        if record is None or number >= len(record.loops):
            return "open"
        loop = record.loops[number]
        kinds = (
            self.values.kinds(loop.iterated, path).known
            if not loop.comprehension or loop.size != "small"
            else frozenset()
        )
        over_loader = "loader" in kinds
        if loop.comprehension:
            return "data" if kinds & _DATA_KINDS or loop.size == "data" else loop.size
        learns = self._learns(path, function, record, number)
        if learns == "step":
            inner = any(
                self.loop_sort(path, function, child) in ("training", "training epoch")
                for child, other in enumerate(record.loops)
                if other.parent == number and other.size != "small"
            )
            if inner and not over_loader and not self._clears_gradients(record, number):
                return "training epoch"
            if self._inside_step(path, function, record, number):
                return "small" if loop.size != "data" else "data"
            return "training"
        if learns == "epoch":
            return "training epoch"
        if over_loader:
            return "evaluation" if not self._inside_step(path, function, record, number) else "data"
        if "consumer" in kinds:
            return "serving"
        if self._decodes(path, function, record, number):
            return "decoding"
        if kinds & _DATA_KINDS or (loop.size != "small" and self._yielded(loop.iterated, path)):
            return "data"
        return loop.size

    def _yielded(self, iterated: Term, path: str) -> bool:
        """Whether a generator function of the project yields in a loop what is iterated."""
        if not isinstance(iterated, Call):
            return False
        targets = self.values.functions(iterated.callee, path, 3)[0]
        records = [self.world.function(target.path, target.name, "head", "calls") for target in targets]
        return bool(records) and all(record is not None and record.generator and record.loops for record in records)

    def _clears_gradients(self, record: FunctionRecord, number: int) -> bool:
        """Whether an iteration clears the gradients itself, around a loop that accumulates them."""
        return Effect(".zero_grad", number) in {Effect(one.token, one.loop) for one in record.effects}

    def _inside_step(self, path: str, function: str, record: FunctionRecord, number: int) -> bool:
        """Whether the loop around this one is itself a training step over a loader."""
        parent = record.loops[number].parent
        while parent >= 0:
            iterated = record.loops[parent].iterated
            if "loader" in self.values.kinds(iterated, path).known:
                return True
            parent = record.loops[parent].parent
        return False

    def _learns(self, path: str, function: str, record: FunctionRecord, number: int) -> str:
        """ "step" if an iteration does a backward pass itself, "epoch" if it calls what loops over such, else ""."""
        inside = descendants(record, number)
        for effect in record.effects:
            if effect.loop in inside and effect.token in (".backward", ".train_batch"):
                return "step"
        found = ""
        for call in record.calls:
            if call.loop not in inside or call.loop < 0:
                continue
            sort = self._call_learns(path, call, 4)
            if sort == "step":
                return "step"
            found = found or sort
        return found

    def _call_learns(self, path: str, call: CallRecord, depth: int) -> str:
        if depth <= 0 or last_name(call.callee) in ("", "forward"):
            return ""
        if last_name(call.callee) == "fit" and "trainer" in self.values.kinds(_receiver(call.callee), path).known:
            return ""
        found = ""
        for target in self.values.functions(call.callee, path, 3)[0]:
            sort = self.learns(target, depth - 1)
            if sort == "step":
                return "step"
            found = found or sort
        return found

    def learns(self, target: Target, depth: int = 4) -> str:
        """ "step" if a function does a backward pass outside its loops, "epoch" if in a loop of it, else ""."""
        key = (target, depth)
        known = self._learning.get(key)
        if known is not None:
            self.world.depend(known[1])
            return known[0]
        with self.world.recording() as reads:
            self._learning[key] = ("", reads.node)
            sort = self._function_learns(target, depth)
        self._learning[key] = (sort, reads.node)
        return sort

    def _function_learns(self, target: Target, depth: int) -> str:
        record = self.world.function(target.path, target.name, "calls", "effects", "head")
        if record is None:
            return ""
        found = ""
        for effect in record.effects:
            if effect.token in (".backward", ".train_batch"):
                if effect.loop < 0 or record.loops[effect.loop].size == "small":
                    return "step"
                found = "epoch"
        if depth <= 0:
            return found
        for call in record.calls:
            sort = self._call_learns(target.path, call, depth)
            if sort == "step":
                if call.loop < 0 or record.loops[call.loop].size == "small":
                    return "step"
                found = "epoch"
            elif sort:
                found = "epoch"
        return found

    def _decodes(self, path: str, function: str, record: FunctionRecord, number: int) -> bool:
        """A loop that calls a model, picks a token, and appends it or gives it to the next call."""
        inside = descendants(record, number)
        tokens = {effect.token for effect in record.effects if effect.loop in inside}
        calls = [call for call in record.calls if call.loop in inside]
        if "torch.cat" in tokens and tokens & _PICKS:
            return any(self._is_module(call, path) for call in calls)
        return any(_feeds_back(call) and self._generates(call, path, bool(tokens & _PICKS)) for call in calls)

    def _is_module(self, call: CallRecord, path: str) -> bool:
        return "module" in self.values.kinds(call.callee, path, 3).known

    def _generates(self, call: CallRecord, path: str, picked: bool) -> bool:
        """Whether a call runs a model and picks a token, itself or through what it calls."""
        modelled = self._is_module(call, path)
        frontier = (
            [(target, _PICKING) for target in self.values.functions(call.callee, path, 3)[0]] if not modelled else []
        )
        seen: set[Target] = set()
        for target, depth in frontier:
            record = self.world.function(target.path, target.name, "calls", "effects")
            if target in seen or record is None:
                continue
            seen.add(target)
            picked = picked or any(effect.token in _PICKS for effect in record.effects)
            for inner in record.calls:
                if self._is_module(inner, target.path):
                    modelled = True
                elif depth > 0:
                    frontier.extend((one, depth - 1) for one in self.values.functions(inner.callee, target.path, 3)[0])
        return modelled and picked

    # -- heat of functions

    def function(self, target: Target, unless: int = 0) -> Heat:
        """The union of a function's own roots and of the heat of all that calls it, not under ``unless``."""
        known = self._functions.get((target, unless))
        if known is None:
            self._propagate(target, unless)
            known = self._functions[target, unless]
        self.world.depend(known[1])
        return known[0]

    def _propagate(self, start: Target, unless: int) -> None:
        """Find all that can reach a function and propagate heat among them until nothing changes."""
        with self.world.recording() as reads:
            heats, closed = self._heats(start, unless)
        for target, heat in heats.items():
            # Whose callers were not all found may be hotter than it seems, asked from elsewhere.
            if (closed or target == start) and (target, unless) not in self._functions:
                self._functions[target, unless] = (heat, reads.node)

    def _heats(self, start: Target, unless: int) -> tuple[dict[Target, Heat], bool]:
        """The heat of a function and of all that can reach it, and whether all of these were found."""
        group: dict[Target, tuple[Edge, ...]] = {}
        frontier = deque([start])
        while frontier and len(group) < _LIMIT:
            target = frontier.popleft()
            if target in group:
                continue
            known = self._functions.get((target, unless))
            if known is not None:
                self.world.depend(known[1])
                group[target] = ()
                continue
            edges = tuple([edge for edge in self.edges(target) if not edge.region & unless])
            group[target] = edges
            for edge in edges:
                if edge.source != target:
                    frontier.append(edge.source)
        heats: dict[Target, Heat] = {}
        for target in group:
            known = self._functions.get((target, unless))
            if known is not None:
                heats[target] = known[0]
            else:
                heat = Heat()
                for own, _ in self._roots.get(target, ()):
                    heat |= own
                heats[target] = heat
        changed = True
        while changed:
            changed = False
            for target, edges in group.items():
                heat = heats[target]
                for edge in edges:
                    base = heats.get(edge.source, Heat())
                    heat |= edge.own | self._brought(edge, base)
                if heat != heats[target]:
                    heats[target] = heat
                    changed = True
        return heats, not frontier

    def _brought(self, edge: Edge, base: Heat) -> Heat:
        """The heat that a call brings from a function of heat ``base``."""
        heat = self._raise(edge.source.path, edge.source.name, edge.loop, base)
        return heat.raised(raised) if edge.maps else heat

    def edges(self, target: Target) -> tuple[Edge, ...]:
        """Where the heat of a function may come from; its own roots are kept beside."""
        known = self._edges.get(target)
        if known is None:
            with self.world.recording() as reads:
                self._edges[target] = ((), reads.node)
                record = self.world.function(target.path, target.name, "head")
                self._roots[target] = tuple(self._own_roots(target, record)) if record is not None else ()
                found = tuple(self._find_edges(target, record)) if record is not None else ()
            known = self._edges[target] = (found, reads.node)
        else:
            self.world.depend(known[1])
        return known[0]

    def roots(self, target: Target) -> tuple[tuple[Heat, str], ...]:
        """The heat that a function has of itself, with what says so."""
        self.edges(target)
        return self._roots.get(target, ())

    def frameworks(self, target: Target) -> tuple[str, ...]:
        """What is said of each call that gives the function to a framework which runs it."""
        edges = self.edges(target)
        return tuple(edge.message for edge in edges if edge.own)

    def _find_edges(self, target: Target, record: FunctionRecord) -> list[Edge]:
        found: list[Edge] = []
        if target.name == BODY or memoised(record):
            return found
        for caller in self.values.callers(target.path, target.name) or ():
            source = Target("function", caller.path, caller.function)
            if source == target and caller.record.loop < 0:
                continue
            locus = Locus(caller.path, "call", caller.function, caller.number)
            found.append(Edge(source, caller.record.loop, locus, "called here", region=caller.record.region))
        found.extend(self._handed_over(target, record))
        if record.kind == "lambda" and not found:
            found.append(
                Edge(
                    Target("function", target.path, record.parent),
                    -1,
                    Locus(target.path, "definition", target.name),
                    "defined here",
                )
            )
        return found

    def _handed_over(self, target: Target, record: FunctionRecord) -> list[Edge]:
        """Calls that are given the function: to a framework that runs it, or to a pool that maps it."""
        name = target.name.rpartition(".")[2].partition("#")[0]
        found: list[Edge] = []
        files = (target.path,) if record.kind == "lambda" else self.world.table("refer", name)
        if len(files) > COMMON_NAME:
            return found
        for file in files:
            for given in self._given(file, name):
                if not self._is(given.argument, file, target):
                    continue
                locus = Locus(file, "call", given.function, given.number)
                call = given.call
                root = self._callback(call, file, given.key)
                if root is not None:
                    own = Heat.of(root.context, root.frequency)
                    found.append(Edge(Target("none", "", ""), -1, locus, f"given to a {root.label}", own))
                elif last_name(call.callee) in _POOL_CALLS and given.key in (0, "target"):
                    found.append(
                        Edge(
                            Target("function", file, given.function),
                            call.loop,
                            locus,
                            "handed to a pool here",
                            region=call.region,
                            maps=last_name(call.callee) in _MAPPING,
                        )
                    )
        return found

    def _given(self, path: str, name: str) -> list[_Given]:
        """The arguments of a file's calls that go by a name."""
        self.world.read("given", path, name)
        known = self._arguments.get(path)
        if known is None:
            known = self._arguments[path] = {}
            interface = self.world.unrecorded(path)
            for function, record in interface.functions.items() if interface is not None else ():
                for number, call in enumerate(record.calls):
                    given: list[tuple[int | str, Term]] = [*enumerate(call.args), *call.keywords]
                    for key, argument in given:
                        name_of_it = referred(argument)
                        if name_of_it:
                            known.setdefault(name_of_it, []).append(_Given(function, number, call, key, argument))
        return known.get(name, [])

    def _is(self, argument: Term, path: str, target: Target) -> bool:
        return target in self.values.functions(argument, path, 3)[0]

    def _callback(self, call: CallRecord, path: str, key: int | str) -> Root | None:
        callee = call.callee
        if isinstance(callee, Name):
            dotted = self.world.lexicon.canonical(callee.dotted)
            found = self._by_callback.get(f"{dotted}#{key}")
            if found is not None:
                return found
            kind = self.world.lexicon.constructed(dotted)
            for name in sorted(self.world.lexicon.kinds(kind)) if kind else ():
                found = self._by_callback.get(f"{name}#{key}")
                if found is not None:
                    return found
            return None
        if isinstance(callee, Def):
            target = self.world.denotes(callee, path)
            kinds = self.world.class_kinds(target.path, target.name) if target and target.what == "class" else ()
            return next(
                (self._by_callback[f"{k}#{key}"] for k in sorted(kinds) if f"{k}#{key}" in self._by_callback), None
            )
        if isinstance(callee, Member):
            for kind in sorted(self.values.kinds(callee.of, path).known):
                found = self._by_callback.get(f"{kind}.{callee.name}#{key}")
                if found is not None:
                    return found
            root = self._by_callback.get(f"?.{callee.name}#{key}")
            return root if root is not None and self._may_use(root, path) else None
        return None

    def _may_use(self, root: Root, path: str) -> bool:
        """Whether a file imports the framework of a root whose objects are known by method names alone."""
        packages = {callback.partition(".")[0] for callback in root.callbacks} - {"?"}
        interface = self.world.imports(path)
        imported = (*interface.imports, *interface.lazy_imports) if interface is not None else ()
        return not packages or any(name.partition(".")[0] in packages for name in imported)

    def _own_roots(self, target: Target, record: FunctionRecord) -> list[tuple[Heat, str]]:
        found: list[tuple[Heat, str]] = []
        name = target.name.rpartition(".")[2].partition("#")[0]
        if target.name == BODY:
            interface = self.world.imports(target.path)
            streamlit = interface is not None and "streamlit" in interface.imports
            if streamlit:
                return [(Heat.of(SERVING, STEP), "Streamlit runs the script on every interaction")]
            return [(Heat.of(SETUP, ONCE), "runs when the module is imported")]
        if memoised(record):
            return [(Heat.of(SETUP, ONCE), "runs once, its result is kept")]
        if is_test(target.path, name):
            found.append((Heat.of(TEST, ONCE), "test"))
        for decorator in record.decorators:
            root = self._decorated(decorator, target.path)
            if root is not None:
                found.append((Heat.of(root.context, root.frequency), root.label))
        if record.cls:
            found.extend(self._method_roots(target, record, name))
        return found

    def _method_roots(self, target: Target, record: FunctionRecord, name: str) -> list[tuple[Heat, str]]:
        found: list[tuple[Heat, str]] = []
        candidates = self._by_method.get(name, ())
        cls = record.cls.rpartition(".")[2]
        if cls == TRITON_CLASS and name == TRITON_STEP:
            found.append((Heat.of(SERVING, STEP), "Triton request"))
        servicer = self._servicer(target.path, record.cls)
        if servicer and not name.startswith("_"):
            found.append((Heat.of(SERVING, STEP), "gRPC request handler"))
        if not candidates:
            return found
        kinds = self.world.class_kinds(target.path, record.cls)
        ancestors = {one.name for one in self.world.ancestors(target.path, record.cls)[0] if one.what == "library"}
        for root in candidates:
            if root.base.startswith("@"):
                hit = self._class_decorated(target.path, record.cls, root.base[1:])
            else:
                hit = root.base in kinds or root.base in ancestors
            if hit:
                found.append((Heat.of(root.context, root.frequency), root.label))
        return found

    def _servicer(self, path: str, cls: str) -> bool:
        record = self.world.cls(path, cls)
        return record is not None and any(
            last_name(base).endswith(SERVICER) and last_name(base) != SERVICER for base in record.bases
        )

    def _class_decorated(self, path: str, cls: str, dotted: str) -> bool:
        record = self.world.cls(path, cls)
        for decorator in record.decorators if record is not None else ():
            target = self.world.denotes(decorator.callee, path)
            if target is not None and target.what == "library" and target.name == dotted:
                return True
        return False

    def _decorated(self, decorator: CallRecord, path: str) -> Root | None:
        callee = decorator.callee
        candidates = self._by_decorator.get(last_name(callee), ())
        if not candidates:
            return None
        if isinstance(callee, Name):
            target = self.world.resolve(callee.dotted, path)
            dotted = target.name if target is not None and target.what == "library" else ""
            for root in candidates:
                if dotted in root.decorators:
                    return root
            owner, _, method = callee.dotted.rpartition(".")
            kinds = self.values.kinds(Name(owner), path).known if owner else frozenset()
            return _matching(candidates, kinds, method)
        if isinstance(callee, Member):
            return _matching(candidates, self.values.kinds(callee.of, path).known, callee.name)
        return None

    # -- the path by which heat arrived

    def path(
        self, path: str, function: str, loop: int, contexts: Context, least: Frequency, unless: int = 0
    ) -> tuple[Cause, ...]:
        """How heat of one of the contexts and at least this frequency reaches a place: outermost cause first."""
        start = (Target("function", path, function), loop)
        queue = deque([start])
        came: dict[tuple[Target, int], tuple[tuple[Target, int], Edge] | None] = {start: None}
        while queue and len(came) < _LIMIT:
            here = queue.popleft()
            target, number = here
            cause = self._cause(target, number, contexts, least)
            if cause is not None:
                return (*cause, *self._trail(here, came))
            for edge in sorted(self.edges(target), key=lambda e: (e.locus, e.loop)):
                if edge.region & unless:
                    continue
                if edge.own.within(contexts):
                    return (Cause(edge.locus, edge.message), *self._trail(here, came))
                step = (edge.source, edge.loop)
                heat = self.place(edge.source.path, edge.source.name, edge.loop, unless)
                if step not in came and heat.within(contexts):
                    came[step] = (here, edge)
                    queue.append(step)
        return ()

    def _trail(
        self, node: tuple[Target, int], came: dict[tuple[Target, int], tuple[tuple[Target, int], Edge] | None]
    ) -> list[Cause]:
        steps: list[Cause] = []
        link = came[node]
        while link is not None:
            back, edge = link
            called = back[0].name or "the module"
            steps.append(Cause(edge.locus, f"{called} {edge.message}"))
            link = came[back]
        return steps

    def _cause(self, target: Target, loop: int, contexts: Context, least: Frequency) -> list[Cause] | None:
        """A root at this very place."""
        record = self.world.function(target.path, target.name, "calls", "effects", "head")
        if record is None:
            return None
        for number in reversed(chain(record, loop)):
            sort = self.loop_sort(target.path, target.name, number)
            root = _LOOP_ROOTS.get(sort)
            if root is not None and root[0] & contexts:
                return [Cause(Locus(target.path, "loop", target.name, number), root[1])]
        for heat, label in self.roots(target):
            if heat.within(contexts):
                return [Cause(Locus(target.path, "definition", target.name), label)]
        return None


_LOOP_ROOTS: Final = {
    "training": (TRAINING, "training loop"),
    "training epoch": (TRAINING, "loop over training epochs"),
    "evaluation": (EVALUATION, "evaluation loop"),
    "serving": (SERVING, "loop over messages"),
    "decoding": (DECODING, "decoding loop"),
}
_DATA_KINDS: Final = frozenset(
    ["loader", "dataset", "hf_dataset", "frame", "tensor", "ndarray", "file", "consumer", "rows"]
)


#: Effects of picking the next token, and through how many calls one is looked for.
_PICKS: Final = frozenset({"torch.multinomial", ".multinomial", "torch.argmax", ".argmax", "torch.topk"})
_PICKING: Final = 2


def _feeds_back(call: CallRecord) -> bool:
    """Whether a call is given what it returned in an earlier pass."""
    stack: list[Term] = [*call.args, *(term for _, term in call.keywords)]
    while stack:
        part = stack.pop()
        if isinstance(part, Call) and part.callee == call.callee:
            return True
        stack.extend(children(part))
    return False


def chain(record: FunctionRecord, loop: int) -> list[int]:
    """The loops around a place, outermost first."""
    numbers: list[int] = []
    while loop >= 0 and loop < len(record.loops) and len(numbers) < 40:
        numbers.append(loop)
        loop = record.loops[loop].parent
    return numbers[::-1]


def descendants(record: FunctionRecord, loop: int) -> frozenset[int]:
    """A loop and all loops inside it."""
    found = {loop}
    for number, other in enumerate(record.loops):
        if other.parent in found:
            found.add(number)
    return frozenset(found)


#: Calls of pools that run a function; those of the second sort once for each item of what they are given.
_POOL_CALLS: Final = frozenset(
    {"map", "imap", "imap_unordered", "starmap", "map_async", "starmap_async", "submit", "Thread", "apply_async"}
)
_MAPPING: Final = frozenset({"map", "imap", "imap_unordered", "starmap", "map_async", "starmap_async"})
_KEEPING: Final = frozenset(
    ["cache", "lru_cache", "cached_property", "cached", "cache_resource", "cache_data", "alru_cache"]
)


def memoised(record: FunctionRecord) -> bool:
    """Whether a decorator keeps what the function returns, so that it runs once for each of its arguments."""
    return any(last_name(decorator.callee) in _KEEPING for decorator in record.decorators)


def is_test(path: str, name: str) -> bool:
    """Whether a function is a test by its name and file."""
    base = posixpath.basename(path)
    in_test = base.startswith("test_") or base.endswith("_test.py") or base == "conftest.py"
    return (in_test and name.startswith("test")) or (
        any(part in _TEST_WORDS for part in path.split("/")[:-1]) and name.startswith("test")
    )


def _matching(candidates: list[Root] | tuple[Root, ...], kinds: frozenset[str], method: str) -> Root | None:
    for root in candidates:
        if any(f"{kind}.{method}" in root.decorators for kind in kinds):
            return root
    return None


def _receiver(callee: Term) -> Term:
    return callee.of if isinstance(callee, Member) else callee
