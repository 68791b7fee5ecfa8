"""Loaders of data: who makes them, with how many workers, over what, and where their batches go.

What a loader yields counts as moved to a GPU only where a call is seen that moves it to a device known to be one;
a framework moves what it is given, if it is told to use a GPU.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from mlsys_advise.heat import DATA, EPOCH, STEP, TRAINING
from mlsys_advise.interface import CallRecord, ClassRecord, FunctionRecord
from mlsys_advise.languages.python.scopes import Region
from mlsys_advise.project.configured import configured
from mlsys_advise.project.flows import Flow, Flows, Use, place
from mlsys_advise.project.hotness import Cause, Hotness, chain
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.scopes import Programs
from mlsys_advise.project.values import ACCELERATOR, HOST, Head, Locus, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import (
    Call,
    Const,
    Def,
    Item,
    Lit,
    Map,
    Member,
    Name,
    Self,
    Seq,
    Term,
    Unknown,
    children,
    last_name,
)

#: What Lightning asks for its loaders in each epoch.
_LIGHTNING_HOOKS: Final = frozenset({"train_dataloader", "val_dataloader"})
_PREPARE: Final = frozenset({"prepare", "prepare_data_loader", "setup_dataloaders"})
#: What a loop with such a target repeats is not an epoch over the same data.
_OTHER_DATA: Final = re.compile(r"fold|seed|trial|split|task|stage|client|domain|shard|chunk|file|phase")
#: Parts of a batch that hold a few hundred bytes.
_LIGHT_PART: Final = re.compile(r"^(idx|ids?|index|indexes|indices|\w*_(idx|index|indices)|\w*len(gth)?s?)$")
#: Classes that are built of one another: a holder of such an object is iterated, or read, in its stead.
_CARRIERS: Final = frozenset({"sampler", "loader", "dataset"})
_DEFAULTS: Final = ("DataLoader", "StatefulDataLoader", "NeighborLoader", "DataListLoader")


class Loaders:
    """Questions about loaders, samplers and what workers get a copy of."""

    def __init__(self, world: World, values: Values, hotness: Hotness, flows: Flows, programs: Programs) -> None:
        self.world = world
        self.values = values
        self.hotness = hotness
        self.flows = flows
        self.programs = programs
        self.uses: dict[str, Callable[[str, int, str], Reply]] = {
            "batches reach a GPU": self._reaches_gpu,
            "batches cannot be pinned": self._unpinnable,
            "pins by itself": self._pins_itself,
            "iterated in training epochs without set_epoch": self._replayed,
            "copied into workers that draw from it": self._copied,
        }

    # -- what makes loaders

    def all(self) -> Iterator[tuple[str, str, int, CallRecord]]:
        """The calls that make a loader: of the library's classes and of the project's subclasses of them."""
        for name in self._names():
            for file in self.world.table("call", name):
                for function, number, call in self._named(file, name):
                    yield file, function, number, call

    def made_in(self, path: str) -> Iterator[tuple[str, int, CallRecord]]:
        """The calls in a file that make a loader."""
        for name in self._names():
            if path in self.world.table("call", name):
                yield from self._named(path, name)

    def _named(self, path: str, name: str) -> Iterator[tuple[str, int, CallRecord]]:
        for caller in self.values.calls_named(path, name):
            if self.makes(caller.record, path, "loader"):
                yield caller.function, caller.number, caller.record

    def _names(self) -> list[str]:
        """The last names of classes whose instances are loaders."""
        names = set(_DEFAULTS)
        for base in sorted(names):
            for file in self.world.table("base", base):
                for name in self.world.classes(file):
                    if "loader" in self.world.class_kinds(file, name):
                        names.add(name.rpartition(".")[2])
        return sorted(names)

    def makes(self, call: CallRecord, path: str, kind: str) -> bool:
        """Whether a call constructs an object of a kind."""
        return call.site >= 0 and kind in self.values.kinds(Call(call.callee), path).known

    def _flows(self, path: str, function: str, site: int) -> list[Flow]:
        """The flow of an object, and of the samplers and loaders that are built around it."""
        found = [self.flows.of(path, function, site)]
        seen = {(path, function, site)}
        for flow in found:
            for use in flow.uses:
                if use.what != "argument" or use.element or len(found) > 12:
                    continue
                record = self.world.function(use.path, use.function, "calls")
                call = record.calls[use.number] if record is not None else None
                if call is None or call.site < 0 or (use.path, use.function, call.site) in seen:
                    continue
                if self.values.kinds(Call(call.callee), use.path).known & _CARRIERS:
                    seen.add((use.path, use.function, call.site))
                    found.append(self.flows.of(use.path, use.function, call.site))
        return found

    # -- batches that go to a GPU

    def _reaches_gpu(self, function: str, site: int, path: str) -> Reply:
        """Whether training moves what iterating over the object yields to an accelerator, again and again."""
        unknown = False
        for flow in self._flows(path, function, site):
            unknown = unknown or bool(flow.leaks)
            for use in flow.uses:
                if not self._together(use.path, path):
                    continue
                reply = self._use_moves(use, flow)
                if reply is not None and reply.value:
                    return self._with_loop(reply, flow)
                unknown = unknown or (reply is not None and reply.value is None)
        return Reply(None if unknown else False, reason="no loop over it is seen to move its batches to a GPU")

    def _together(self, one: str, other: str) -> bool:
        """Whether a program holds both files, or none holds the first.

        A generator that several programs call yields, as far as flows can tell, to each what another gave it.
        """
        programs = self.programs.around(one) if one != other else []
        return not programs or any(other in files for files in programs)

    def _with_loop(self, reply: Reply, flow: Flow) -> Reply:
        """The answer with the loop over the object, where what moves its batches stands elsewhere."""
        if any(cause.locus.what == "loop" for cause in reply.causes):
            return reply
        loops = [place(use) for use in flow.uses if use.what == "loop" and not use.element]
        here = tuple(Cause(locus, "iterated here") for locus in loops[:1])
        return Reply(True, (*here, *reply.causes), reply.facts)

    def _use_moves(self, use: Use, flow: Flow) -> Reply | None:
        if use.what == "method" and use.element and use.name in ("to", "cuda"):
            return self._element_moves(use)
        if use.element:
            return None
        if use.what == "argument" and use.name in _PREPARE:
            return self._prepared(use, flow)
        if use.what == "argument" and use.name == "fit":
            return self._fitted(use)
        if use.what == "returned":
            return self._returned_to_lightning(use)
        return None

    def _element_moves(self, use: Use) -> Reply | None:
        record = self.world.function(use.path, use.function, "calls", "head")
        if record is None:
            return None
        call = record.calls[use.number]
        if use.drawn and not self._repeated(use.path, use.function, call.loop):
            return None
        if use.name == "to":
            target = call.argument("device", 0)
            device = self.values.device(target, use.path) if target is not None else HOST
            if device != ACCELERATOR:
                return Reply(None) if not device else None
        if self._is_light(use, record, call):
            return None
        if not self._in_training(use.path, use.function, call.loop):
            return Reply(None, reason="its batches are only evaluated")
        causes: list[Cause] = []
        if call.loop >= 0:
            causes.append(Cause(Locus(use.path, "loop", use.function, call.loop), "iterated here"))
        causes.append(Cause(place(use), "its batches go to the GPU here"))
        waits = not any(key == "non_blocking" and value == Const(True) for key, value in call.keywords)
        return Reply(True, tuple(causes), {"non_blocking": "" if waits else "yes"})

    def _in_training(self, path: str, function: str, loop: int) -> bool:
        """Whether a place belongs to training, or to what is evaluated in each of its epochs."""
        record = self.world.function(path, function, "calls", "head")
        around = chain(record, loop) if record is not None else []
        if any(self.hotness.loop_sort(path, function, number) in ("training", "training epoch") for number in around):
            return True
        heat = self.hotness.function(Target("function", path, function), Region.EVERY_K)
        return bool(heat.within(TRAINING))

    def _repeated(self, path: str, function: str, loop: int) -> bool:
        """Whether a place runs more than once for a loader: in a loop, or as the next step of an iterator."""
        if loop >= 0 or function.rpartition(".")[2] in ("__next__", "next", "preload"):
            return True
        return any(
            caller.record.loop >= 0 and not caller.record.region & Region.EVERY_K
            for caller in self.values.callers(path, function) or ()
        )

    def _is_light(self, use: Use, record: FunctionRecord, call: CallRecord) -> bool:
        """Whether the names say that only an index or a length is moved. They may only excuse."""
        if call.loop < 0 or not isinstance(use.part, int | str):
            return False
        if isinstance(use.part, str):
            return bool(_LIGHT_PART.match(use.part))
        names = record.loops[call.loop].names
        return 0 <= use.part < len(names) and bool(_LIGHT_PART.match(names[use.part]))

    def _prepared(self, use: Use, flow: Flow) -> Reply | None:
        """Given to an accelerator that moves what is then iterated in training."""
        record = self.world.function(use.path, use.function, "calls")
        if record is None:
            return None
        callee = record.calls[use.number].callee
        if not isinstance(callee, Member):
            return None
        if not self.values.kinds(callee.of, use.path).known & {"accelerator", "fabric"}:
            return None
        for head in self.values.heads(callee.of, use.path):
            made = self.values.made(head)
            if made is not None and self._on_host(made, head.path):
                return Reply(False, reason="the object that prepares it is told to stay on the CPU")
        loops = [one for one in flow.uses if one.what == "loop" and not one.element]
        if not any(self._in_training(one.path, one.function, one.number) for one in loops):
            return Reply(None, reason="no training loop over it is in sight")
        return Reply(True, (Cause(place(use), f"{use.name}() has its batches moved to the GPU"),), {"non_blocking": ""})

    def _on_host(self, made: CallRecord, path: str) -> bool:
        cpu = made.argument("cpu", -1)
        accelerator = made.argument("accelerator", -1)
        if cpu is not None and any(head.term == Const(True) for head in self.values.heads(cpu, path)):
            return True
        return accelerator is not None and all(
            head.term == Const("cpu") for head in self.values.heads(accelerator, path)
        )

    def _fitted(self, use: Use) -> Reply | None:
        """Given to the `fit` of a Lightning trainer that was told to use a GPU."""
        record = self.world.function(use.path, use.function, "calls")
        callee = record.calls[use.number].callee if record is not None else None
        if not isinstance(callee, Member) or "lightning_trainer" not in self.values.kinds(callee.of, use.path).known:
            return None
        for head in self.values.heads(callee.of, use.path):
            made = self.values.made(head)
            if made is not None and self._asks_for_gpu(made, head.path):
                return Reply(
                    True, (Cause(place(use), "its batches are moved by the Trainer"),), {"non_blocking": "yes"}
                )
        return Reply(None)

    def _asks_for_gpu(self, trainer: CallRecord, path: str) -> bool:
        accelerator = trainer.argument("accelerator", -1)
        if accelerator is not None:
            return any(head.term in (Const("gpu"), Const("cuda")) for head in self.values.heads(accelerator, path))
        gpus = trainer.argument("gpus", -1)
        return gpus is not None and any(
            isinstance(head.term, Seq)
            or (isinstance(head.term, Const) and head.term.value not in (0, None, False, "", "0"))
            or configured(self.values, head.term, "positive", head.path).value is True
            for head in self.values.heads(gpus, path)
        )

    def _returned_to_lightning(self, use: Use) -> Reply | None:
        if use.function.rpartition(".")[2] not in _LIGHTNING_HOOKS:
            return None
        record = self.world.function(use.path, use.function, "head")
        if record is None or not record.cls:
            return None
        if not self.world.class_kinds(use.path, record.cls) & {"lightning_module", "lightning_datamodule"}:
            return None
        scope = self.programs.program(use.path)
        for file in self.world.table("call", "Trainer"):
            if file not in scope:
                continue
            for caller in self.values.calls_named(file, "Trainer"):
                if self.makes(caller.record, file, "lightning_trainer") and self._asks_for_gpu(caller.record, file):
                    locus = Locus(file, "call", caller.function, caller.number)
                    return Reply(
                        True, (Cause(locus, "this Trainer moves its batches to the GPU"),), {"non_blocking": "yes"}
                    )
        return Reply(None, reason="no Trainer that asks for a GPU is in sight")

    # -- who decides about pinning

    def _pins_itself(self, function: str, site: int, path: str) -> Reply:
        """Whether the loader's own class says something about pinning to the class that it inherits from."""
        call = self.values.recorded(path, function, site)
        if call is None:
            return Reply(None)
        for head in self.values.heads(call.callee, path):
            if not self.values.is_class(head) or not isinstance(head.term, Def):
                continue
            method = self.world.method(head.path, head.term.qualname, "__init__")
            record = self.world.function(method.path, method.name, "calls") if method is not None else None
            for number, inner in enumerate(record.calls if record is not None else ()):
                if last_name(inner.callee) == "__init__" and any(key == "pin_memory" for key, _ in inner.keywords):
                    assert method is not None
                    return Reply(True, (Cause(Locus(method.path, "call", method.name, number), "decided here"),))
        return Reply(False)

    def _unpinnable(self, function: str, site: int, path: str) -> Reply:
        """Whether batches are on a device when they leave the loader, or of a class that cannot be pinned.

        Nothing to be seen means no: both are rare, and both are visible where the data set is.
        """
        call = self.values.recorded(path, function, site)
        if call is None:
            return Reply(None)
        collate = call.argument("collate_fn", 6)
        if collate is not None:
            for target in self._runs(collate, path):
                reply = self._returns_unpinnable(target)
                if reply is not None:
                    return reply
            if not self._runs(collate, path) and collate != Const(None):
                return Reply(False)
        dataset = call.argument("dataset", 0)
        for head in self.values.heads(dataset, path) if dataset is not None else ():
            owner = self.values.instance(head)
            for name in ("__getitem__", "__iter__"):
                method = self.world.method(owner.path, owner.name, name) if owner is not None else None
                reply = self._returns_on_device(method) if method is not None else None
                if reply is not None:
                    return reply
        return Reply(False)

    def _runs(self, callable_: Term, path: str) -> list[Target]:
        """The functions that calling a value runs: itself, or the `__call__` of its class."""
        found, _ = self.values.functions(callable_, path, 4)
        for head in self.values.heads(callable_, path, 4):
            owner = self.values.instance(head)
            method = self.world.method(owner.path, owner.name, "__call__") if owner is not None else None
            if method is not None and method not in found:
                found.append(method)
        return [target for target in found if not target.name.endswith("__init__")]

    def _returns_unpinnable(self, target: Target) -> Reply | None:
        record = self.world.function(target.path, target.name, "returns", "head", "calls")
        for number, call in enumerate(record.calls if record is not None else ()):
            for head in self.values.heads(Call(call.callee), target.path):
                owner = self.values.instance(head)
                if owner is not None and self.world.ancestors(owner.path, owner.name)[1]:
                    kinds = self.world.class_kinds(owner.path, owner.name)
                    if not kinds and self.world.method(owner.path, owner.name, "pin_memory") is None:
                        here = Cause(
                            Locus(target.path, "call", target.name, number), "its batches hold objects of its own"
                        )
                        return Reply(True, (here,))
        for term in record.returns if record is not None else ():
            for head in self.values.heads(term, target.path):
                owner = self.values.instance(head)
                if owner is not None and self.world.method(owner.path, owner.name, "pin_memory") is None:
                    if self._is_plain(owner):
                        locus = Locus(owner.path, "definition", owner.name)
                        return Reply(True, (Cause(locus, "a batch class without pin_memory()"),))
        return self._returns_on_device(target)

    def _is_plain(self, owner: Target) -> bool:
        """Whether a class inherits from nothing outside the project: dicts and named tuples are pinned by parts."""
        ancestors, complete = self.world.ancestors(owner.path, owner.name)
        names = {target.name for target in ancestors if target.what == "library"}
        return complete and not names - {"builtins.object"}

    def _returns_on_device(self, target: Target) -> Reply | None:
        record = self.world.function(target.path, target.name, "returns", "head")
        for term in record.returns if record is not None else ():
            parts = [part for head in self.values.heads(term, target.path) for part in _parts(head)]
            for part in parts:
                if any(head.device == ACCELERATOR for head in self.values.heads(part.term, part.path)) or (
                    part.device == ACCELERATOR
                ):
                    locus = Locus(target.path, "definition", target.name)
                    return Reply(True, (Cause(locus, "batches are on the device already"),))
        return None

    # -- samplers

    def _replayed(self, function: str, site: int, path: str) -> Reply:
        """Whether a sampler's loader trains once an epoch in a program in which nothing sets the sampler's epoch."""
        unknown = False
        for flow in self._flows(path, function, site):
            unknown = unknown or bool(flow.leaks)
            for use, loop in self._iterations(flow):
                if not self._together(use.path, path):
                    continue
                causes = self._epochs_around(use, loop)
                if causes is None:
                    continue
                if self._epoch_is_set(use.path, path):
                    return Reply(False, reason="set_epoch is called in the program that trains with it")
                return Reply(True, causes)
        return Reply(None if unknown else False, reason="no training loop inside an epoch loop iterates its loader")

    def _iterations(self, flow: Flow) -> Iterator[tuple[Use, int]]:
        """The loops that iterate the object: over it, or over a `zip` with it, told by what is done with its parts."""
        for use in flow.uses:
            if use.what == "loop" and not use.element and not use.name:
                yield use, use.number
        for use in flow.uses:
            if use.what in ("argument", "method", "called") and use.element and not use.drawn:
                record = self.world.function(use.path, use.function, "calls")
                if record is not None and record.calls[use.number].loop >= 0:
                    yield use, record.calls[use.number].loop

    def _epochs_around(self, use: Use, loop: int) -> tuple[Cause, ...] | None:
        """The way to a training loop that runs once an epoch; None if the loop is not one."""
        if self.hotness.loop_sort(use.path, use.function, loop) != "training":
            return None
        record = self.world.function(use.path, use.function, "calls", "head")
        if record is None:
            return None
        here = Cause(Locus(use.path, "loop", use.function, loop), "its loader is iterated here, once an epoch")
        around = chain(record, record.loops[loop].parent)
        if any(self._is_epochs(use.path, use.function, record, number) for number in around):
            return (here,)
        callers = [(use.path, use.function)]
        for path, function in callers[:12]:
            for caller in self.values.callers(path, function) or ():
                other = self.world.function(caller.path, caller.function, "calls", "head")
                if other is None:
                    continue
                if any(
                    self._is_epochs(caller.path, caller.function, other, number)
                    for number in chain(other, caller.record.loop)
                ):
                    return (Cause(Locus(caller.path, "call", caller.function, caller.number), "an epoch"), here)
                if len(callers) < 12 and (caller.path, caller.function) not in callers:
                    callers.append((caller.path, caller.function))
        if not around and self.hotness.place(use.path, use.function).meets(TRAINING, EPOCH):
            return (here,)
        return None

    def _is_epochs(self, path: str, function: str, record: FunctionRecord, number: int) -> bool:
        loop = record.loops[number]
        if loop.size in ("once", "data") or any(_OTHER_DATA.search(name) for name in loop.names):
            return False
        return loop.size == "epochs" or self.hotness.loop_sort(path, function, number) == "training epoch"

    def _epoch_is_set(self, loop: str, sampler: str) -> bool:
        """Whether every program that holds both the loop and the sampler calls `set_epoch` somewhere."""
        setters = set(self.world.table("effect", ".set_epoch"))
        if not setters:
            return False
        programs = [files for files in self.programs.around(loop) if sampler in files]
        return all(files & setters for files in programs) if programs else bool(setters & {loop, sampler})

    # -- hand-over to frameworks

    def handed(self, function: str, site: int, owners: tuple[str, ...], path: str) -> Reply:
        """Whether the object, or a loader that holds it, is given to a framework."""
        leak: Use | None = None
        for flow in self._flows(path, function, site):
            for use in flow.uses:
                reply = self._given_to(use, owners)
                if reply is not None:
                    return reply
            leak = leak or (flow.leaks[0] if flow.leaks else None)
        if leak is not None:
            return Reply(None, (Cause(place(leak), "lost from sight here"),), reason="it could not be followed")
        return Reply(False)

    def _given_to(self, use: Use, owners: tuple[str, ...]) -> Reply | None:
        if use.what == "returned":
            record = self.world.function(use.path, use.function, "head")
            if record is not None and record.cls and use.function.rpartition(".")[2].endswith("dataloader"):
                if self.world.class_kinds(use.path, record.cls) & set(owners):
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

    # -- what workers get a copy of

    def workers(self, cls: str, path: str, alike: bool = False) -> Reply:
        """Whether a loader over a class, or an object that holds one, has several workers (that start alike)."""
        wanted = [Target("class", path, cls), *self.world.subclasses(path, cls)]
        holders = self._holders(wanted)
        open_ = seen = False
        for file, function, number, call in self.all():
            hit, sure = self._serves(call, file, [*wanted, *holders], wanted)
            if not hit:
                open_ = open_ or not sure
                continue
            seen = True
            workers = call.argument("num_workers", 5)
            if workers is None:
                open_ = open_ or call.hidden
                continue
            reply = configured(self.values, workers, "over 1", file)
            open_ = open_ or reply.value is None
            if reply.value:
                if self._reseeded(call, file) or (alike and _started_apart(call)):
                    return Reply(False, reason="worker_init_fn may seed it in every worker")
                count = reply.facts["value"]
                here = Cause(Locus(file, "call", function, number), f"this loader starts {count} workers")
                again = "" if _kept_running(call) else ", and the same again in every epoch"
                return Reply(True, (here, *reply.causes), {"workers": count, "again": again})
        if open_:
            return Reply(None, reason="a loader over it has an unknown data set or number of workers")
        return Reply(False, reason="no loader over it has several workers" if seen else "no loader over it is in sight")

    def _serves(self, call: CallRecord, path: str, wanted: list[Target], collators: list[Target]) -> tuple[bool, bool]:
        """Whether workers of a loader get one of the objects, and whether that could be told."""
        dataset = call.argument("dataset", 0)
        if dataset is None:
            return False, not call.hidden
        hit, sure = self.holds(dataset, path, wanted)
        collate = call.argument("collate_fn", 6)
        if not hit and collate is not None:
            hit = self.holds(collate, path, collators)[0]
        return hit, sure

    def _reseeded(self, call: CallRecord, path: str) -> bool:
        """A worker_init_fn that cannot be read, or that touches the worker's own data set."""
        argument = call.argument("worker_init_fn", 9)
        if argument is None or argument == Const(None):
            return False
        targets, _ = self.values.functions(argument, path, 3)
        if not targets:
            return True
        for target in targets:
            record = self.world.function(target.path, target.name, "effects", "calls", "head")
            if record is None or any(effect.token == _WORKER_INFO for effect in record.effects):
                return True
        return False

    def _holders(self, wanted: list[Target]) -> list[Target]:
        """Data sets that hold an instance of one of the classes: one that they make or one that they are given."""
        found: list[Target] = []
        for target in wanted[:8]:
            last = target.name.rpartition(".")[2]
            for file in self.world.table("call", last):
                for name in self.world.classes(file):
                    record = self.world.cls(file, name)
                    if record is None or "dataset" not in self.world.class_kinds(file, name):
                        continue
                    kept = (value for _, value, _ in record.attributes)
                    if self._makes_one(target, file, record) or any(self.holds(one, file, [target])[0] for one in kept):
                        found.append(Target("class", file, name))
                found.extend(self._receiving(target, file))
        return found

    def _makes_one(self, target: Target, file: str, record: ClassRecord) -> bool:
        """Whether the constructor of a class makes an instance of another class."""
        method = record.methods.get("__init__")
        function = self.world.function(file, method, "calls") if method is not None else None
        return function is not None and any(
            call.site >= 0 and self.world.denotes(call.callee, file) == target for call in function.calls
        )

    def _receiving(self, target: Target, file: str) -> Iterator[Target]:
        """The data sets that a file gives an instance of a class."""
        for function, record in self.world.functions_of(file).items():
            for call in record.calls:
                if call.site < 0:
                    continue
                parts = (*call.args, *(value for _, value in call.keywords))
                if not any(self.holds(part, file, [target])[0] for part in parts if not isinstance(part, Const | Lit)):
                    continue
                self.world.read("calls", file, function)
                for head in self.values.heads(call.callee, file, 3):
                    if self.values.is_class(head) and isinstance(head.term, Def):
                        if "dataset" in self.world.class_kinds(head.path, head.term.qualname):
                            yield Target("class", head.path, head.term.qualname)

    def holds(self, term: Term, path: str, wanted: list[Target]) -> tuple[bool, bool]:
        """Whether a value is, or is made of, an instance of a class; and whether that could be told."""
        sure = True
        stack = [(term, path, 6)]
        seen: set[tuple[Term, str]] = set()
        while stack and len(seen) < 60:
            part, file, depth = stack.pop()
            if (part, file) in seen or depth <= 0:
                continue
            seen.add((part, file))
            for head in self.values.heads(part, file):
                owner = self.values.instance(head)
                if owner in wanted:
                    return True, True
                made = self.values.made(head)
                if made is not None:
                    stack.extend((arg, head.path, depth - 1) for arg in made.args)
                    stack.extend((arg, head.path, depth - 1) for _, arg in made.keywords)
                if owner is not None:
                    continue
                if made is None and (isinstance(head.term, Unknown) or not self.values.head_kinds(head)):
                    sure = False
                if isinstance(head.term, Seq | Map | Item | Call | Member):
                    inner = [one for one in children(head.term) if not isinstance(one, Name | Unknown | Self)]
                    stack.extend((one, head.path, depth - 1) for one in inner)
        return False, sure

    def draws(self, cls: str, attribute: str, readers: tuple[str, ...], path: str) -> Reply:
        """Whether code that makes items reads an attribute, and nothing there asks for its worker."""
        owners = [Target("class", path, cls), *self.world.subclasses(path, cls)]
        related = {one for owner in owners for one in self.world.ancestors(owner.path, owner.name)[0]}
        for owner in sorted((one for one in related if one.what == "class"), key=lambda one: (one.path, one.name)):
            record = self.world.cls(owner.path, owner.name)
            for method in record.methods.values() if record is not None else ():
                function = self.world.function(owner.path, method, "effects")
                if function is not None and any(effect.token in _OWN_SEEDS for effect in function.effects):
                    return Reply(False, reason=f"{method} asks which worker it runs in")
        for reader in readers:
            reply = self._makes_items(Target("function", path, reader))
            if reply is not None:
                return reply
        for owner in owners[1:] if readers else owners:
            for name, function in self.world.functions_of(owner.path).items():
                if function.cls == owner.name and _reads(function, owner.name, attribute):
                    self.world.read("calls", owner.path, name)
                    reply = self._makes_items(Target("function", owner.path, name))
                    if reply is not None:
                        return reply
        return Reply(False, reason="it is not drawn from where items are made")

    def _copied(self, function: str, site: int, path: str) -> Reply:
        """Whether a generator ends up as an attribute of what workers get a copy of, and draw from."""
        reasons: list[str] = []
        for use in self.flows.of(path, function, site).uses:
            if use.what != "attribute" or use.element:
                continue
            if self._replaced(use):
                reasons.append("it is replaced outside of the constructor")
                continue
            drawn = self.draws(use.function, use.name, (), use.path)
            reply = self.workers(use.function, use.path) if drawn.value else drawn
            if reply.value:
                kept = Cause(Locus(use.path, "attribute", f"{use.function}.{use.name}"), "kept here")
                return Reply(True, (kept, *drawn.causes, *reply.causes), {**reply.facts, "rng": f"self.{use.name}"})
            reasons.append(reply.reason)
        return Reply(None if reasons else False, reason="; ".join(filter(None, reasons)))

    def _replaced(self, use: Use) -> bool:
        """Whether a method other than the constructor assigns the attribute."""
        record = self.world.cls(use.path, use.function)
        return record is not None and any(
            name == use.name and value != Const(None) and method and not method.endswith("__init__")
            for name, value, method in record.attributes
        )

    def _makes_items(self, target: Target) -> Reply | None:
        name = target.name.rpartition(".")[2]
        if name != "__call__" and not self.hotness.function(target).meets(DATA, STEP):
            return None
        return Reply(True, (Cause(Locus(target.path, "definition", target.name), "drawn from here, in each worker"),))

    def pooled(self, function: str, path: str) -> Reply:
        """Whether a function is handed to a pool of processes."""
        wanted = Target("function", path, function)
        name = function.rpartition(".")[2]
        for file in self.world.table("refer", name):
            for caller, record in self.world.functions_of(file).items():
                for number, call in enumerate(record.calls):
                    if not isinstance(call.callee, Member) or not call.args:
                        continue
                    if wanted not in self.values.functions(call.args[0], file, 3)[0]:
                        continue
                    self.world.read("calls", file, caller)
                    if "process_pool" in self.values.kinds(call.callee.of, file).known:
                        locus = Locus(file, "call", caller, number)
                        return Reply(True, (Cause(locus, "handed to a pool of processes here"),))
        return Reply(False, reason="it is not handed to a pool of processes")


_WORKER_INFO: Final = "torch.utils.data.get_worker_info"
_OWN_SEEDS: Final = frozenset({_WORKER_INFO, "torch.initial_seed"})


def _started_apart(loader: CallRecord) -> bool:
    """Whether something may tell the workers of a loader apart: code of their own, or another way to start them."""
    given = (loader.argument("worker_init_fn", 9), loader.argument("multiprocessing_context", 10))
    return loader.hidden or any(one not in (None, Const(None)) for one in given)


def _kept_running(loader: CallRecord) -> bool:
    """Whether the workers of a loader may live longer than an epoch."""
    return loader.hidden or loader.argument("persistent_workers", 13) not in (None, Const(False))


def _parts(head: Head) -> list[Head]:
    """What a returned value is made of: the parts of a tuple or dict, else itself."""
    if isinstance(head.term, Seq | Map):
        return [Head(part, head.path) for part in children(head.term)]
    return [head]


def _reads(function: FunctionRecord, cls: str, attribute: str) -> bool:
    """Whether the recorded calls of a method read an attribute of its receiver."""
    wanted = Member(Self(cls), attribute)
    stack: list[Term] = [
        term for call in function.calls for term in (call.callee, *call.args, *(value for _, value in call.keywords))
    ]
    while stack:
        part = stack.pop()
        if part == wanted:
            return True
        stack.extend(children(part))
    return False
