"""Answers to conditions, with their evidence: the one place where questions meet the project."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import (
    Affected,
    AlwaysUnder,
    AnyOf,
    BatchWeighs,
    Clause,
    Condition,
    Derives,
    DrawsInWorkers,
    Exists,
    Fetched,
    FileWritten,
    HandedTo,
    HasProperty,
    Hot,
    InProcessPool,
    KindIs,
    LiesHere,
    LoadedByCaller,
    OnAccelerator,
    PatchedMemory,
    PathFromOutside,
    Pinned,
    RankIs,
    SavesOptions,
    ServesLocally,
    SharesGradients,
    StartsWorkers,
    Traced,
    Trains,
    Unused,
    Uses,
    ValueIs,
    WorkersOver,
    WritesInto,
)
from mlsys_advise.heat import Context, Frequency, per
from mlsys_advise.languages.python.loaded_files import holds_objects
from mlsys_advise.library.advisories import advisories
from mlsys_advise.library.averaging import AVERAGING
from mlsys_advise.project.arrays import Arrays
from mlsys_advise.project.compilers import Compilers
from mlsys_advise.project.configured import configured
from mlsys_advise.project.deployment import Deployment
from mlsys_advise.project.devices import Devices
from mlsys_advise.project.files import Files
from mlsys_advise.project.flows import Flow, Flows, Use, place
from mlsys_advise.project.hotness import Cause, Hotness
from mlsys_advise.project.listening import Listening
from mlsys_advise.project.loaders import Loaders
from mlsys_advise.project.mentions import Mentions
from mlsys_advise.project.processes import Processes
from mlsys_advise.project.properties import Properties
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.residence import Residence
from mlsys_advise.project.samples import Samples
from mlsys_advise.project.scopes import Programs
from mlsys_advise.project.values import Head, Locus, Values
from mlsys_advise.project.world import World
from mlsys_advise.project.wrappers import Wrappers
from mlsys_advise.term import Item, Term, children

#: Questions answered from tables come before those that walk calls (see ``questions`` in the architecture).
_COST: Final[dict[type, int]] = {
    Pinned: 1,
    Affected: 1,
    Exists: 2,
    Trains: 2,
    SharesGradients: 2,
    ServesLocally: 3,
    SavesOptions: 9,
    LiesHere: 9,
    Derives: 3,
    Hot: 4,
    KindIs: 5,
    ValueIs: 6,
    RankIs: 6,
    WritesInto: 7,
    OnAccelerator: 8,
    HasProperty: 7,
    Traced: 7,
    AlwaysUnder: 7,
    WorkersOver: 8,
    DrawsInWorkers: 8,
    InProcessPool: 7,
    Uses: 9,
    BatchWeighs: 8,
    HandedTo: 9,
    PatchedMemory: 4,
    FileWritten: 6,
    Fetched: 6,
    PathFromOutside: 7,
    Unused: 10,
    LoadedByCaller: 9,
    StartsWorkers: 10,
    AnyOf: 6,
}


#: Methods of fitted estimators.
_OF_MODELS: Final = frozenset(
    {"predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "kneighbors", "encode"}
)

#: Effects of a training step, and kinds of objects that make such steps.
_AVERAGING: Final = tuple(sorted(AVERAGING))
_BACKWARD: Final = (".backward", ".train_batch")
_TRAINERS: Final = ("hf_trainer", "lightning_trainer", "trainer")
_METHODS_OF_DICTS: Final = frozenset({"items", "keys", "values", "get", "pop", "copy", "update", "setdefault"})


class Answers:
    """Everything that conditions can be asked of."""

    def __init__(self, world: World, deployment: Deployment) -> None:
        self.world = world
        self.values = Values(world)
        self.hotness = Hotness(world, self.values)
        self.flows = Flows(world, self.values)
        self.devices = Devices(world, self.values)
        self.properties = Properties(world, self.values, self.devices)
        self.arrays = Arrays(world, self.values)
        self.programs = Programs(world)
        self.samples = Samples(world, self.values)
        self.residence = Residence(world, self.values, self.devices, self.programs)
        self.loaders = Loaders(world, self.values, self.hotness, self.flows, self.programs)
        self.compilers = Compilers(world, self.values, self.loaders)
        self.files = Files(world, self.values, self.properties, self.hotness)
        self.listening = Listening(world, self.values, self.programs)
        self.mentions = Mentions(world, self.values, self.hotness)
        self.wrappers = Wrappers(world, self.values, self.flows, self.hotness, self.compilers)
        self.deployment = deployment
        self.processes = Processes(world, self.values, self.loaders, self.programs, deployment)

    def ask(self, condition: Condition, path: str) -> Reply:
        """The answer to a condition of a candidate in a file."""
        match condition:
            case KindIs(term, kinds, every):
                return self._kind(term, kinds, every, path)
            case Derives(cls, kinds):
                return self._derives(cls, kinds, path)
            case ValueIs(term, test):
                return configured(self.values, term, test, path)
            case RankIs(term, rank):
                return self._rank(term, rank, path)
            case WritesInto(callee, position, keyword):
                return self._writes(callee, position, keyword, path)
            case OnAccelerator(values, devices):
                return self.residence.on_accelerator(values, devices, path)
            case Trains():
                return self._trains(path)
            case SharesGradients():
                return self._shares_gradients(path)
            case ServesLocally():
                return self.listening.locally(path)
            case HasProperty(callee, name):
                return self._property(callee, name, path)
            case DrawsInWorkers(cls, attribute, readers):
                return self.loaders.draws(cls, attribute, readers, path)
            case InProcessPool(function):
                return self.loaders.pooled(function, path)
            case WorkersOver(cls, alike):
                return self.loaders.workers(cls, path, alike)
            case Uses(function, site, use):
                return self._use(function, site, use, path)
            case BatchWeighs(function, site, samples, size):
                return self.samples.weighs(function, site, samples, size, path)
            case HandedTo(function, site, owners):
                return self.loaders.handed(function, site, owners, path)
            case Exists(tokens, scope):
                return self._exists(tokens, scope, path)
            case Hot(function, loop, contexts, least, unless):
                return self._hot(function, loop, contexts, least, unless, path)
            case Traced(function):
                return self.compilers.traced(function, path)
            case AlwaysUnder(function, regions):
                return self._always_under(function, regions, path)
            case Pinned(package, below):
                return self._admits_only(package, f"<{below}", path)
            case Affected(package, concerns, kind):
                return self._affected(package, concerns, kind, path)
            case FileWritten(term, writers):
                return self.files.written(term, writers, path)
            case SavesOptions():
                return self.files.saves_options(path, self.programs.program(path))
            case PathFromOutside(term):
                return self.files.set_outside(term, path)
            case Fetched(term, function):
                return self.files.fetched(term, function, path)
            case LiesHere(address):
                return self.files.lies_here(address, path)
            case LoadedByCaller(function):
                return self._loaded_by_caller(function, path)
            case Unused(function):
                return self.mentions.unused(function, path)
            case StartsWorkers(site):
                return self.processes.share_memory(path, site)
            case PatchedMemory(site):
                return self.deployment.patched_memory(path, site)
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

    def _rank(self, term: Term, rank: int, path: str) -> Reply:
        known = [self.arrays.rank(head) for head in self.values.heads(term, path)]
        if rank in known:
            return Reply(True)
        if known and None not in known:
            return Reply(False, reason=f"it has {known[0]} axes")
        return Reply(None, reason="its number of axes is not known")

    def _writes(self, callee: Term, position: int, keyword: str, path: str) -> Reply:
        trait = self.arrays.writes_into(callee, position, keyword, path)
        return Reply(trait.value, trait.causes, {}, trait.reason)

    def _property(self, callee: Term, name: str, path: str) -> Reply:
        trait = self.properties.of_callee(callee, path, name)
        facts = {"inner": trait.causes[-1].message} if trait.causes else {}
        return Reply(trait.value, trait.causes, facts, trait.reason)

    # -- uses of objects

    def _use(self, function: str, site: int, use: str, path: str) -> Reply:
        if use == "used as a model":
            return self._is_model(self.flows.of(path, function, site))
        known = self.loaders.uses.get(use) or self.wrappers.uses.get(use)
        if known is not None:
            return known(function, site, path)
        flow = self.flows.of(path, function, site)
        return self._is_called(flow, path) if use == "called" else self._escapes(flow, path)

    def _is_called(self, flow: Flow, path: str) -> Reply:
        for use in flow.uses:
            if use.what == "called" and not use.element:
                return Reply(True, (Cause(place(use), "called here"),))
            if use.what == "method" and use.name in ("forward", "__call__"):
                return Reply(True, (Cause(place(use), "its forward is called here"),))
        return Reply(None if flow.leaks else False)

    def _is_model(self, flow: Flow) -> Reply:
        """Whether an object is asked to predict, or its parameters are taken."""
        for use in flow.uses:
            if use.what == "method" and use.name in _OF_MODELS:
                return Reply(True, (Cause(place(use), f"used as a model: .{use.name}()"),))
            if use.what == "argument" and use.name == "load_state_dict":
                return Reply(True, (Cause(place(use), "loaded into a model here"),))
        return Reply(None, reason="it is not seen to be used as a model")

    def _loaded_by_caller(self, function: str, path: str) -> Reply:
        flow = self.flows.of_result(path, function)
        other = next((use for use in flow.uses if self._wants_objects(use)), None)
        for use in flow.uses:
            if use.what == "argument" and use.name == "load_state_dict" and other is None:
                return Reply(True, (Cause(place(use), "loaded into a model here"),))
        return Reply(None, reason="it is not seen to be loaded into a model, and nothing else")

    def _wants_objects(self, use: Use) -> bool:
        """Whether a use of a loaded object asks for more than containers of tensors."""
        if use.what == "argument":
            record = self.world.function(use.path, use.function, "calls")
            given = record.calls[use.number].argument(str(use.key), _position(use)) if record is not None else None
            return given is not None and any(holds_objects(key) for key in _keys(given))
        return use.what == "called" or (use.what == "method" and use.name not in _METHODS_OF_DICTS)

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

    def _trains(self, path: str) -> Reply:
        """Whether a program that reaches the file runs a backward pass, or makes the trainer of a framework."""
        found = self._exists(_BACKWARD, "program", path)
        if found.value:
            return found
        for file in self.programs.makers(path, _TRAINERS):
            return Reply(True, (Cause(Locus(file, "definition", ""), "a trainer is made in it"),))
        return Reply(False, reason="no program that reaches it trains")

    def _shares_gradients(self, path: str) -> Reply:
        """Whether a program that reaches the file calls what makes ranks share gradients, or imports it by name: which
        of several such wrappers a name stands for may depend on what is installed."""
        if self._exists(_AVERAGING, "program", path).value:
            return Reply(True)
        program = self.programs.program(path)
        if any(file in program for dotted in _AVERAGING for file in self.world.table("import", dotted)):
            return Reply(True)
        return Reply(False, reason="no program that reaches it shares gradients between ranks")

    def _hot(self, function: str, loop: int, contexts: Context, least: Frequency, unless: int, path: str) -> Reply:
        level = Frequency(least)
        heat = self.hotness.place(path, function, loop, unless)
        if heat.meets(contexts, level):
            pairs = [pair for pair in heat.within(contexts).pairs() if pair[1] >= level]
            context, frequency = max(pairs, key=lambda pair: (pair[1], -pair[0]))
            causes = self.hotness.path(path, function, loop, context, level, unless)
            return Reply(True, causes, {"unit": per(context, frequency), "context": context.name or ""})
        if heat:
            return Reply(False, reason="it runs, but not so often in these contexts")
        return Reply(None, reason="nothing is known to call it")

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

    def _affected(self, package: str, concerns: str, kind: str, path: str) -> Reply:
        replies: list[Reply] = []
        for advisory in advisories(package, concerns):
            if advisory.kind != kind:
                continue
            reply = self._admits_only(package, advisory.affected, path)
            if reply.value:
                return Reply(True, reply.causes, {**reply.facts, "advisory": advisory.id}, advisory.summary)
            replies.append(reply)
        open_ = next((reply for reply in replies if reply.value is None), None)
        return open_ or (replies[0] if replies else Reply(False, reason="no advisory is known"))

    def _admits_only(self, package: str, affected: str, path: str) -> Reply:
        answer = self.deployment.pin(package, affected, posixpath.dirname(path))
        facts = {"pin": answer.version, "manifest": ", ".join(answer.manifests)}
        causes = tuple(
            Cause(Locus(manifest, "place", package), f"pins {package} {answer.version}")
            for manifest in answer.manifests[:1]
        )
        if answer.verdict == "yes":
            return Reply(True, causes, facts)
        return Reply(False if answer.verdict == "no" or answer.unpinned else None, reason=answer.reason)


def _position(use: Use) -> int:
    return use.key if isinstance(use.key, int) else -1


def _keys(term: Term) -> Iterator[str]:
    """The constant keys under which a term takes parts of something."""
    stack = [term]
    while stack:
        part = stack.pop()
        if isinstance(part, Item) and isinstance(part.key, str):
            yield part.key
        stack.extend(children(part))


def cost(condition: Condition) -> int:
    """The order in which conditions are tried: the cheap ones first."""
    return _COST[type(condition)]


def clause_cost(clause: Clause) -> int:
    return cost(clause.condition) + (20 if clause.part == "grade" else 0)
