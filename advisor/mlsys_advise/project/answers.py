"""Answers to conditions, with their evidence: the one place where questions meet the project."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Final

import msgspec

from mlsys_advise.condition import (
    AlwaysUnder,
    AnyOf,
    Clause,
    Condition,
    Derives,
    Exists,
    HandedTo,
    HasProperty,
    Hot,
    KindIs,
    Pinned,
    StartsWorkers,
    Traced,
    Uses,
    ValueIs,
    WorkersOver,
)
from mlsys_advise.heat import EPOCH, TRAINING, per
from mlsys_advise.interface import CallRecord
from mlsys_advise.project.deployment import Deployment
from mlsys_advise.project.flows import Flow, Flows, Use, place
from mlsys_advise.project.hotness import Cause, Hotness, chain
from mlsys_advise.project.properties import Properties
from mlsys_advise.project.scopes import Programs
from mlsys_advise.project.values import ACCELERATOR, HOST, Head, Locus, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import Call, Const, Elem, Lit, Member, Name, Term, Unknown, children, last_name

#: Questions answered from tables come before those that walk calls (see ``questions`` in the architecture).
_COST: Final[dict[type, int]] = {
    Pinned: 1,
    Exists: 2,
    Derives: 3,
    Hot: 4,
    KindIs: 5,
    ValueIs: 6,
    HasProperty: 7,
    Traced: 7,
    AlwaysUnder: 7,
    WorkersOver: 8,
    Uses: 9,
    HandedTo: 9,
    StartsWorkers: 10,
    AnyOf: 6,
}
_CPU_COUNTS: Final = frozenset(
    {"os.cpu_count", "multiprocessing.cpu_count", "os.sched_getaffinity", "os.process_cpu_count"}
)


class Reply(msgspec.Struct, frozen=True):
    """An answer: yes, no or unknown (None), its evidence, facts for messages, and the reason for an unknown."""

    value: bool | None
    causes: tuple[Cause, ...] = ()
    facts: dict[str, str] = {}
    reason: str = ""


class Answers:
    """Everything that conditions can be asked of."""

    def __init__(self, world: World, deployment: Deployment) -> None:
        self.world = world
        self.values = Values(world)
        self.hotness = Hotness(world, self.values)
        self.flows = Flows(world, self.values)
        self.properties = Properties(world, self.values)
        self.programs = Programs(world)
        self.deployment = deployment

    def ask(self, condition: Condition, path: str) -> Reply:
        """The answer to a condition of a candidate in a file."""
        match condition:
            case KindIs(term, kinds, every):
                return self._kind(term, kinds, every, path)
            case Derives(cls, kinds):
                return self._derives(cls, kinds, path)
            case ValueIs(term, test):
                return self._value(term, test, path)
            case HasProperty(callee, name):
                return self._property(callee, name, path)
            case WorkersOver(cls):
                return self._workers(cls, path)
            case Uses(function, site, use):
                return self._use(function, site, use, path)
            case HandedTo(function, site, owners):
                return self._handed(function, site, owners, path)
            case Exists(tokens, scope):
                return self._exists(tokens, scope, path)
            case Hot(function, loop, contexts, least):
                return self._hot(function, loop, contexts, least, path)
            case Traced(function):
                return self._traced(function, path)
            case AlwaysUnder(function, regions):
                return self._always_under(function, regions, path)
            case Pinned(package, below):
                return self._pinned(package, below, path)
            case StartsWorkers(pod, container):
                return self.deployment.starts_workers(path, pod, container, self)
            case AnyOf(options):
                return self._any(options, path)

    def _any(self, options: tuple[Condition, ...], path: str) -> Reply:
        reasons: list[str] = []
        unknown = False
        for option in sorted(options, key=cost):
            reply = self.ask(option, path)
            if reply.value:
                return reply
            unknown = unknown or reply.value is None
            reasons.append(reply.reason)
        return Reply(None if unknown else False, reason="; ".join(filter(None, reasons)))

    # -- values and classes

    def _kind(self, term: Term, wanted: tuple[str, ...], every: bool, path: str) -> Reply:
        known: set[str] = set()
        hits: list[Head] = []
        misses = unknown = 0
        for head in self.values.heads(term, path):
            kinds = self.values.head_kinds(head)
            if kinds & set(wanted):
                hits.append(head)
                known |= kinds & set(wanted)
            elif kinds:
                misses += 1
            else:
                unknown += 1
        causes = tuple(Cause(locus, "comes from here") for head in hits[:1] for locus in head.trail[-2:])
        facts = {"kind": sorted(known)[0]} if known else {}
        if hits and not (every and misses):
            return Reply(True, causes, facts)
        if hits:
            return Reply(None, causes, facts, "call sites disagree on its kind")
        if unknown:
            return Reply(None, reason="its kind is not known")
        return Reply(False, reason="it is of another kind")

    def _derives(self, cls: str, kinds: tuple[str, ...], path: str) -> Reply:
        ancestors, complete = self.world.ancestors(path, cls)
        for target in ancestors:
            if target.what == "library":
                kind = self.world.lexicon.constructed(target.name)
                if target.name in kinds or (kind and self.world.lexicon.kinds(kind) & set(kinds)):
                    return Reply(True, facts={"base": target.name.rpartition(".")[2]})
        if complete:
            return Reply(False, reason=f"{cls} inherits from none of {', '.join(kinds)}")
        return Reply(None, reason=f"a base of {cls} could not be resolved")

    def _value(self, term: Term, test: str, path: str) -> Reply:
        heads = self.values.heads(term, path)
        if test == "accelerator":
            device = self.values.device(term, path)
            return Reply(True if device == ACCELERATOR else False if device == HOST else None)
        passed: list[Head] = []
        failed: list[Head] = []
        for head in heads:
            verdict = passes(head, test, self.world)
            if verdict is True:
                passed.append(head)
            elif verdict is False:
                failed.append(head)
        if passed:
            head = passed[0]
            causes = tuple(Cause(locus, f"set to {shown(head.term)} here") for locus in head.trail[-1:])
            facts = {"value": shown(head.term), "overridable": "by default" if head.overridable else ""}
            return Reply(True, causes, facts)
        if failed and len(failed) == len(heads):
            return Reply(False, reason=f"its value is {shown(failed[0].term)}")
        return Reply(None, reason="its value is not known")

    def _property(self, callee: Term, name: str, path: str) -> Reply:
        trait = self.properties.of_call(CallRecord(callee), path, name)
        facts = {"inner": trait.causes[-1].message} if trait.causes else {}
        return Reply(trait.value, trait.causes, facts, trait.reason)

    # -- loaders

    def _workers(self, cls: str, path: str) -> Reply:
        """Whether a loader over a class, or over an object that holds one, has worker processes."""
        wanted = [Target("class", path, cls), *self.world.subclasses(path, cls)]
        holders = self._holders(wanted)
        open_ = False
        seen = False
        for file, function, number, call in self.loaders():
            dataset = call.argument("dataset", 0)
            if dataset is None:
                open_ = open_ or call.hidden
                continue
            hit, sure = self._holds(dataset, file, [*wanted, *holders])
            collate = call.argument("collate_fn", 6)
            if not hit and collate is not None:
                hit = self._holds(collate, file, wanted)[0]
            if not hit:
                open_ = open_ or not sure
                continue
            seen = True
            workers = call.argument("num_workers", 5)
            if workers is None:
                open_ = open_ or call.hidden
                continue
            reply = self._value(workers, "positive", file)
            if reply.value is None:
                open_ = True
            if reply.value:
                if self._reseeded(call, file, wanted):
                    return Reply(False, reason="worker_init_fn seeds it in every worker")
                here = Cause(
                    Locus(file, "call", function, number), f"this loader starts {reply.facts['value']} workers"
                )
                return Reply(True, (here, *reply.causes), {"workers": reply.facts["value"]})
        if open_:
            return Reply(None, reason="a loader over it has an unknown data set or number of workers")
        return Reply(False, reason="no loader over it has workers" if seen else "no loader over it is in sight")

    def _reseeded(self, call: CallRecord, path: str, wanted: list[Target]) -> bool:
        """A worker_init_fn that cannot be read, or that touches the worker's own data set."""
        argument = call.argument("worker_init_fn", 9)
        if argument is None or argument == Const(None):
            return False
        targets, _ = self.values.functions(argument, path, 3)
        if not targets:
            return True
        for target in targets:
            record = self.world.function(target.path, target.name, "effects", "calls", "head")
            if record is None:
                return True
            if any(effect.token == "torch.utils.data.get_worker_info" for effect in record.effects):
                return True
        return False

    def _holders(self, wanted: list[Target]) -> list[Target]:
        """Classes with an attribute that is an instance of one of the classes (a transform of a data set)."""
        found: list[Target] = []
        for target in wanted[:8]:
            last = target.name.rpartition(".")[2]
            for file in self.world.table("call", last):
                interface = self.world.interface(file)
                for name in interface.classes if interface is not None else ():
                    record = self.world.cls(file, name)
                    if record is None or "dataset" not in self.world.class_kinds(file, name):
                        continue
                    for _, value, _ in record.attributes:
                        if self._holds(value, file, wanted)[0]:
                            found.append(Target("class", file, name))
                            break
            found.extend(self._receiving(target))
        return found

    def _receiving(self, target: Target) -> list[Target]:
        """Data sets that are given an instance of a class as an argument they keep."""
        found: list[Target] = []
        last = target.name.rpartition(".")[2]
        for file in self.world.table("call", last):
            for function, record in self.world.functions_of(file).items():
                for call in record.calls:
                    parts = (*call.args, *(value for _, value in call.keywords))
                    if not any(
                        self._holds(part, file, [target])[0] for part in parts if not isinstance(part, Const | Lit)
                    ):
                        continue
                    self.world.read("calls", file, function)
                    for head in self.values.heads(call.callee, file, 3):
                        if self.values.is_class(head):
                            made = Target("class", head.path, getattr(head.term, "qualname", ""))
                            if "dataset" in self.world.class_kinds(made.path, made.name):
                                found.append(made)
        return found

    def _holds(self, term: Term, path: str, wanted: list[Target]) -> tuple[bool, bool]:
        """Whether a value is, or is made of, an instance of a class; and whether that could be told."""
        sure = True
        for head in self.values.heads(term, path):
            owner = self.values.instance(head)
            if owner is not None:
                if owner in wanted or any(t in wanted for t in self.world.ancestors(owner.path, owner.name)[0][:1]):
                    return True, True
                continue
            if isinstance(head.term, Unknown) or not self.values.head_kinds(head):
                sure = False
            for part in children(head.term):
                if isinstance(part, Name):
                    continue
                hit, _ = self._holds(part, head.path, wanted) if not isinstance(part, Unknown) else (False, False)
                if hit:
                    return True, True
        return False, sure

    def loaders(self) -> list[tuple[str, str, int, CallRecord]]:
        """The calls that make a loader: of the library's classes and of the project's subclasses of them."""
        found: list[tuple[str, str, int, CallRecord]] = []
        names = {"DataLoader", "StatefulDataLoader"}
        for base in ("DataLoader",):
            for file in self.world.table("base", base):
                interface = self.world.interface(file)
                for name in interface.classes if interface is not None else ():
                    if "loader" in self.world.class_kinds(file, name):
                        names.add(name.rpartition(".")[2])
        for name in sorted(names):
            for file in self.world.table("call", name):
                for caller in self.values.calls_named(file, name):
                    if self.is_loader(caller.record, file):
                        found.append((file, caller.function, caller.number, caller.record))
        return found

    def is_loader(self, call: CallRecord, path: str) -> bool:
        """Whether a call makes a loader."""
        if call.site < 0:
            return False
        return "loader" in self.values.kinds(Call(call.callee), path).known

    # -- uses of objects

    def _use(self, function: str, site: int, use: str, path: str) -> Reply:
        flow = self.flows.of(path, function, site)
        finder: dict[str, Callable[[Flow, str], Reply]] = {
            "batches reach a GPU": self._reaches_gpu,
            "iterated in training epochs": self._sampled_in_epochs,
            "called": self._is_called,
            "escapes": self._escapes,
        }
        return finder[use](flow, path)

    def _reaches_gpu(self, flow: Flow, path: str) -> Reply:
        """Whether what iterating over the object yields is moved to an accelerator."""
        unknown = bool(flow.leaks)
        for use in flow.uses:
            if use.what == "loop" and not use.element:
                reply = self._loop_moves(use)
                if reply.value:
                    return reply
                unknown = unknown or reply.value is None
            elif use.what == "argument" and use.name in ("prepare", "setup_dataloaders", "prepare_data_loader"):
                reply = self._prepared(use)
                if reply.value:
                    return reply
            elif use.what == "returned":
                reply = self._returned_to_lightning(use, path)
                if reply.value:
                    return reply
        return Reply(None if unknown else False, reason="no loop over it is seen to move its batches to a GPU")

    def _loop_moves(self, use: Use) -> Reply:
        record = self.world.function(use.path, use.function, "calls", "head")
        if record is None or use.number >= len(record.loops):
            return Reply(None)
        batch = Elem(record.loops[use.number].iterated)
        unknown = False
        for number, call in enumerate(record.calls):
            moved = self._moves(call, batch, use.path)
            if moved is True:
                where = Locus(use.path, "loop", use.function, use.number)
                here = Locus(use.path, "call", use.function, number)
                blocking = not any(k == "non_blocking" and v == Const(True) for k, v in call.keywords)
                facts = {"non_blocking": "" if blocking else "yes"}
                return Reply(
                    True, (Cause(where, "iterated here"), Cause(here, "its batches go to the GPU here")), facts
                )
            unknown = unknown or moved is None
            reply = self._helper_moves(call, batch, use, number)
            if reply is not None:
                return reply
        return Reply(None if unknown else False)

    def _moves(self, call: CallRecord, value: Term, path: str) -> bool | None:
        """Whether a call moves (part of) a value to an accelerator; None if to somewhere unknown."""
        callee = call.callee
        if not isinstance(callee, Member) or callee.name not in ("to", "cuda") or not within(callee.of, value):
            return False
        if callee.name == "cuda":
            return True
        target = call.argument("device", 0)
        if target is None:
            return False
        device = self.values.device(target, path)
        return True if device == ACCELERATOR else False if device == HOST else None

    def _helper_moves(self, call: CallRecord, batch: Term, use: Use, number: int) -> Reply | None:
        """A project function that is given the batch and moves it."""
        keys = [key for key, argument in (*enumerate(call.args), *call.keywords) if within(argument, batch)]
        if not keys:
            return None
        for target in self.values.functions(call.callee, use.path, 4)[0]:
            record = self.world.function(target.path, target.name, "calls", "head")
            if record is None:
                continue
            for inner, other in enumerate(record.calls):
                if (
                    isinstance(other.callee, Member)
                    and other.callee.name in ("to", "cuda")
                    and has_parameter(other.callee.of)
                ):
                    if self._moves(other, first_parameter(other.callee.of), target.path):
                        return Reply(
                            True,
                            (
                                Cause(Locus(use.path, "loop", use.function, use.number), "iterated here"),
                                Cause(
                                    Locus(use.path, "call", use.function, number),
                                    f"its batches are given to {target.name}",
                                ),
                                Cause(Locus(target.path, "call", target.name, inner), "which moves them to the GPU"),
                            ),
                            {"non_blocking": ""},
                        )
        return None

    def _prepared(self, use: Use) -> Reply:
        record = self.world.function(use.path, use.function, "calls")
        if record is None:
            return Reply(None)
        callee = record.calls[use.number].callee
        receiver = callee.of if isinstance(callee, Member) else callee
        if not self.values.kinds(receiver, use.path).known & {"accelerator", "fabric"}:
            return Reply(False)
        for head in self.values.heads(receiver, use.path):
            made = self._record_of(head)
            if made is not None and (
                made.argument("cpu", -1) == Const(True) or made.argument("accelerator", 0) == Const("cpu")
            ):
                return Reply(False, reason="the accelerator object is told to stay on the CPU")
        return Reply(True, (Cause(place(use), f"{use.name}() moves its batches"),), {"non_blocking": ""})

    def _record_of(self, head: Head) -> CallRecord | None:
        """The recorded call that made the value of a head."""
        term = head.term
        if not isinstance(term, Call) or term.site < 0:
            return None
        record = self.world.function(head.path, term.function, "calls")
        return next((call for call in record.calls if call.site == term.site), None) if record is not None else None

    def _returned_to_lightning(self, use: Use, path: str) -> Reply:
        name = use.function.rpartition(".")[2]
        if name not in ("train_dataloader", "val_dataloader", "test_dataloader", "predict_dataloader"):
            return Reply(False)
        record = self.world.function(use.path, use.function, "head")
        if record is None or not record.cls:
            return Reply(False)
        if not self.world.class_kinds(use.path, record.cls) & {"lightning_module", "lightning_datamodule"}:
            return Reply(False)
        for file in self.world.table("call", "Trainer"):
            for caller in self.values.calls_named(file, "Trainer"):
                if "lightning_trainer" not in self.values.kinds(Call(caller.record.callee), file).known:
                    continue
                accelerator = caller.record.argument("accelerator", 0)
                for head in self.values.heads(accelerator, file) if accelerator is not None else ():
                    if head.term in (Const("gpu"), Const("cuda")):
                        here = Cause(
                            Locus(file, "call", caller.function, caller.number),
                            "this Trainer moves its batches to the GPU",
                        )
                        return Reply(True, (here,), {"non_blocking": "yes"})
        return Reply(None, reason="no Trainer that asks for a GPU is in sight")

    def _sampled_in_epochs(self, flow: Flow, path: str) -> Reply:
        """Whether a sampler's loader is iterated in a training loop inside a loop over epochs."""
        unknown = bool(flow.leaks)
        for use in flow.uses:
            if use.what == "argument" and use.key in ("sampler", 3, "batch_sampler", 4):
                record = self.world.function(use.path, use.function, "calls")
                call = record.calls[use.number] if record is not None else None
                if call is None or call.site < 0 or not self.is_loader(call, use.path):
                    continue
                reply = self._trained_in_epochs(self.flows.of(use.path, use.function, call.site))
                if reply.value:
                    return reply
                unknown = unknown or reply.value is None
        return Reply(None if unknown else False, reason="no training loop inside an epoch loop iterates its loader")

    def _trained_in_epochs(self, flow: Flow) -> Reply:
        unknown = bool(flow.leaks)
        for use in flow.uses:
            if use.what != "loop" or use.element:
                continue
            sort = self.hotness.loop_sort(use.path, use.function, use.number)
            if sort != "training":
                continue
            record = self.world.function(use.path, use.function, "calls", "head")
            if record is None:
                continue
            parent = record.loops[use.number].parent
            around = [record.loops[number] for number in chain(record, parent)]
            if any(
                loop.size == "epochs" or self.hotness.loop_sort(use.path, use.function, n) == "training epoch"
                for n, loop in zip(chain(record, parent), around, strict=True)
            ):
                return Reply(
                    True,
                    (
                        Cause(
                            Locus(use.path, "loop", use.function, use.number),
                            "its loader is iterated here, once an epoch",
                        ),
                    ),
                )
            if self.hotness.place(use.path, use.function, parent).meets(TRAINING, EPOCH):
                causes = self.hotness.path(use.path, use.function, parent, TRAINING, EPOCH)
                here = Cause(Locus(use.path, "loop", use.function, use.number), "its loader is iterated here")
                return Reply(True, (*causes, here))
            if self._called_in_loop(use.path, use.function):
                return Reply(
                    True,
                    (
                        Cause(
                            Locus(use.path, "loop", use.function, use.number),
                            "its loader is iterated here, once an epoch",
                        ),
                    ),
                )
        return Reply(None if unknown else False)

    def _called_in_loop(self, path: str, function: str) -> bool:
        """Whether some caller calls a function in a loop over epochs."""
        for caller in self.values.callers(path, function) or ():
            record = self.world.function(caller.path, caller.function, "calls", "head")
            if record is None:
                continue
            for number in chain(record, caller.record.loop):
                if self.hotness.loop_sort(caller.path, caller.function, number) in (
                    "training epoch",
                    "epochs",
                    "training",
                ):
                    return True
        return False

    def _is_called(self, flow: Flow, path: str) -> Reply:
        for use in flow.uses:
            if use.what == "called" and not use.element:
                return Reply(True, (Cause(place(use), "called here"),))
            if use.what == "method" and use.name in ("forward", "__call__"):
                return Reply(True, (Cause(place(use), "its forward is called here"),))
        return Reply(None if flow.leaks else False)

    def _escapes(self, flow: Flow, path: str) -> Reply:
        """Whether the object is given to something that cannot be followed."""
        if flow.leaks:
            return Reply(True, (Cause(place(flow.leaks[0]), "given away here"),))
        for use in flow.uses:
            if (
                use.what == "argument"
                and not use.element
                and use.name not in ("print", "len", "type", "id", "isinstance")
            ):
                record = self.world.function(use.path, use.function, "calls")
                if record is not None and not self.values.functions(record.calls[use.number].callee, use.path, 3)[0]:
                    return Reply(True, (Cause(place(use), "given away here"),))
        return Reply(False)

    def _handed(self, function: str, site: int, owners: tuple[str, ...], path: str) -> Reply:
        """Whether the object, or a loader that holds it, is given to a framework."""
        flow = self.flows.of(path, function, site)
        flows = [flow]
        for use in flow.uses:
            if use.what == "argument":
                record = self.world.function(use.path, use.function, "calls")
                call = record.calls[use.number] if record is not None else None
                if call is not None and call.site >= 0 and self.is_loader(call, use.path):
                    flows.append(self.flows.of(use.path, use.function, call.site))
        unknown = False
        for one in flows:
            unknown = unknown or bool(one.leaks)
            for use in one.uses:
                reply = self._given_to(use, owners)
                if reply is not None:
                    return reply
        return Reply(
            None if unknown else False, reason="it is given to something that could not be followed" if unknown else ""
        )

    def _given_to(self, use: Use, owners: tuple[str, ...]) -> Reply | None:
        if use.what == "returned":
            record = self.world.function(use.path, use.function, "head")
            if record is not None and record.cls:
                kinds = self.world.class_kinds(use.path, record.cls)
                if kinds & set(owners) and use.function.rpartition(".")[2].endswith("dataloader"):
                    return Reply(True, (Cause(place(use), "the framework asks for it here"),))
            return None
        if use.what != "argument" or use.element:
            return None
        record = self.world.function(use.path, use.function, "calls")
        if record is None:
            return None
        callee = record.calls[use.number].callee
        kinds = self.values.kinds(Call(callee), use.path).known
        if isinstance(callee, Member):
            kinds |= self.values.kinds(callee.of, use.path).known
        if kinds & set(owners):
            return Reply(True, (Cause(place(use), "given to the framework here"),))
        return None

    # -- effects, heat, compilers

    def _exists(self, tokens: tuple[str, ...], scope: str, path: str) -> Reply:
        files = sorted({file for token in tokens for file in self.world.table("effect", token)})
        if not files:
            return Reply(False)
        inside = {path} if scope == "module" else self.programs.program(path) if scope == "program" else set(files)
        for file in files:
            if file in inside:
                for name, record in self.world.functions_of(file).items():
                    if any(effect.token in tokens for effect in record.effects):
                        self.world.read("effects", file, name)
                        return Reply(
                            True, (Cause(Locus(file, "definition", name), f"{tokens[0].lstrip('.')} is called in it"),)
                        )
        return Reply(False)

    def _hot(self, function: str, loop: int, contexts: object, least: object, path: str) -> Reply:
        from mlsys_advise.heat import Context, Frequency

        assert isinstance(contexts, Context)
        level = Frequency(least)  # type: ignore[call-overload]  # stored as a plain integer
        heat = self.hotness.place(path, function, loop)
        if heat.meets(contexts, level):
            pairs = [pair for pair in heat.within(contexts).pairs() if pair[1] >= level]
            context, frequency = max(pairs, key=lambda pair: (pair[1], -pair[0]))
            causes = self.hotness.path(path, function, loop, context, level)
            return Reply(True, causes, {"unit": per(context, frequency), "context": context.name or ""})
        if heat:
            return Reply(False, reason="it runs, but not so often in these contexts")
        return Reply(None, reason="nothing is known to call it")

    def _traced(self, function: str, path: str) -> Reply:
        """Whether a function runs under a compiler: decorated, handed to one, or a forward of what is compiled."""
        seen: set[Target] = set()
        frontier = [(Target("function", path, function), 3)]
        unknown = False
        for target, depth in frontier:
            if target in seen:
                continue
            seen.add(target)
            record = self.world.function(target.path, target.name, "head")
            if record is None:
                continue
            for decorator in record.decorators:
                if self._compiles(decorator.callee, target.path):
                    return Reply(
                        True, (Cause(Locus(target.path, "definition", target.name), "compiled by its decorator"),)
                    )
            reply = self._handed_to_compiler(target)
            if reply.value:
                return reply
            unknown = unknown or reply.value is None
            if depth > 0:
                frontier.extend(
                    (Target("function", caller.path, caller.function), depth - 1)
                    for caller in self.values.callers(target.path, target.name) or ()
                    if caller.function
                )
        return Reply(None if unknown else False)

    def _compiles(self, callee: Term, path: str) -> bool:
        target = self.world.denotes(callee, path)
        return target is not None and target.what == "library" and compiler(target.name)

    def _handed_to_compiler(self, target: Target) -> Reply:
        record = self.world.function(target.path, target.name, "head")
        cls = record.cls if record is not None and target.name.rpartition(".")[2] == "forward" else ""
        for name in ("torch.compile", "torch.jit.script", "torch.jit.trace", "jax.jit", "numba.njit", "numba.jit"):
            for file in self.world.table("construct", name):
                for caller in self.values.calls_named(file, name.rpartition(".")[2]):
                    for argument in caller.record.args[:1]:
                        if target in self.values.functions(argument, file, 3)[0]:
                            return Reply(
                                True, (Cause(Locus(file, "call", caller.function, caller.number), f"given to {name}"),)
                            )
                        if cls and self._holds(argument, file, [Target("class", target.path, cls)])[0]:
                            return Reply(
                                True,
                                (
                                    Cause(
                                        Locus(file, "call", caller.function, caller.number),
                                        f"its module is given to {name}",
                                    ),
                                ),
                            )
        return Reply(False)

    def _always_under(self, function: str, regions: int, path: str) -> Reply:
        callers = self.values.callers(path, function)
        if not callers:
            return Reply(None, reason="its callers are not known")
        if all(caller.record.region & regions for caller in callers):
            return Reply(
                True, (Cause(Locus(callers[0].path, "call", callers[0].function, callers[0].number), "called here"),)
            )
        return Reply(False)

    # -- surroundings

    def _pinned(self, package: str, below: str, path: str) -> Reply:
        answer = self.deployment.pin(package, f"<{below}", posixpath.dirname(path))
        facts = {"pin": answer.version, "manifest": ", ".join(answer.manifests)}
        causes = tuple(
            Cause(Locus(manifest, "package", package), f"pins {package} {answer.version}")
            for manifest in answer.manifests[:1]
        )
        if answer.verdict == "yes":
            return Reply(True, causes, facts)
        return Reply(False if answer.verdict == "no" or answer.unpinned else None, reason=answer.reason)


def cost(condition: Condition) -> int:
    """The order in which conditions are tried: the cheap ones first."""
    return _COST[type(condition)]


def clause_cost(clause: Clause) -> int:
    return cost(clause.condition) + (20 if clause.part == "grade" else 0)


def passes(head: Head, test: str, world: World) -> bool | None:
    """Whether a head's value passes a test, as far as it is known."""
    term = head.term
    if isinstance(term, Const):
        value = term.value
        match test:
            case "positive":
                return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
            case "zero":
                return value == 0 and not isinstance(value, bool)
            case "true":
                return value is True
            case "false":
                return value is False
            case "given":
                return value is not None
    if test == "positive" and counts_cpus(term, world, head.path):
        return True
    return None


def counts_cpus(term: Term, world: World, path: str) -> bool:
    """Whether a number is derived from the number of CPUs, and so positive on any machine that trains."""
    stack = [term]
    while stack:
        part = stack.pop()
        if isinstance(part, Call) and isinstance(part.callee, Name):
            target = world.resolve(part.callee.dotted, path)
            if target is not None and target.name in _CPU_COUNTS:
                return True
        stack.extend(children(part))
    return False


def shown(term: Term) -> str:
    """A value as messages print it."""
    return repr(term.value) if isinstance(term, Const) else "as many as there are CPUs"


def within(term: Term, part: Term) -> bool:
    """Whether a term is, or is made of, another."""
    stack = [term]
    while stack:
        one = stack.pop()
        if one == part:
            return True
        stack.extend(children(one))
    return False


def has_parameter(term: Term) -> bool:
    return not isinstance(first_parameter(term), Unknown)


def first_parameter(term: Term) -> Term:
    """The parameter that a value is made of."""
    from mlsys_advise.term import UNKNOWN, Param

    stack = [term]
    while stack:
        one = stack.pop()
        if isinstance(one, Param):
            return one
        stack.extend(children(one))
    return UNKNOWN


def compiler(dotted: str) -> bool:
    """Whether a library name compiles or traces what it is given."""
    return dotted in _COMPILERS or dotted.startswith(("numba.", "triton.jit", "taichi.", "warp."))


_COMPILERS: Final = frozenset(
    "torch.compile torch.jit.script torch.jit.trace torch._dynamo.optimize jax.jit jax.pmap jax.vmap tensorflow.function "
    "triton.jit cython.cfunc cython.ccall triton.autotune flax.nn.jit equinox.filter_jit".split()
)
