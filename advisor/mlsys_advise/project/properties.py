"""Properties of functions, closed under calls: waits for the device, issues work to it, blocks its thread, downloads.

An answer is yes with the place of an instance, no after a complete search, or unknown: a call that could not be
resolved, or one of a library that nothing is known of, lies on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from mlsys_advise.interface import CallRecord, FunctionRecord
from mlsys_advise.languages.python.extract import LAYER
from mlsys_advise.languages.python.scopes import Region
from mlsys_advise.library.downloads import DOWNLOADS, REQUESTS
from mlsys_advise.library.waiting import (
    BLOCKING_CALLS,
    BLOCKING_FUNCTIONS,
    BLOCKING_METHODS,
    LOADING_FUNCTIONS,
    NOUNS,
    QUIET,
    READING_FUNCTIONS,
    READS_BACK,
    WAITING_FUNCTIONS,
    WAITING_METHODS,
    WAITS,
)
from mlsys_advise.project.devices import Devices
from mlsys_advise.project.hotness import Cause, memoised
from mlsys_advise.project.values import Locus, Values, pretrained
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import Elem, Lit, Map, Member, Name, Param, Self, Seq, Term, Unknown, children, last_name

#: How many calls deep a search goes: models are nested deeper than servers.
_DEPTH: Final = {"waits": 8, "issues": 5, "blocks": 3, "downloads": 3}
#: Calls under these are not made for each request.
_SELDOM: Final = Region.LAZY | Region.EXCEPT | Region.DEAD
#: Kinds that are what they are called: calling them runs their own code.
_DEFINED: Final = frozenset({"class", "function"})


class Trait(msgspec.Struct, frozen=True):
    """An answer: True with the causes, False after a complete search, None otherwise, with what was in the way."""

    value: bool | None
    causes: tuple[Cause, ...] = ()
    reason: str = ""


_NO: Final = Trait(False)


class Properties:
    """Transitive properties over a world: ``waits``, ``issues``, ``blocks`` and ``downloads``."""

    def __init__(self, world: World, values: Values, devices: Devices) -> None:
        self.world = world
        self.values = values
        self.devices = devices
        self._known: dict[tuple[Target, str, int], tuple[Trait, int]] = {}
        self._active: set[tuple[Target, str]] = set()
        #: How often a cycle was cut: an answer is kept only if none was while it was found, or nothing is around it.
        self._cuts = 0
        self._of_call: dict[str, Callable[[CallRecord, str], Trait | None]] = {
            "waits": self._call_waits,
            "issues": self._call_issues,
            "blocks": self._call_blocks,
            "downloads": self._call_downloads,
        }
        self._of_function: dict[str, Callable[[Target, FunctionRecord], Trait | None]] = {
            "waits": self._function_waits,
            "issues": self._function_issues,
            "blocks": self._function_blocks,
            "downloads": self._function_downloads,
        }

    def of_callee(self, callee: Term, path: str, name: str) -> Trait:
        """Whether calling a value has a property."""
        return self.of_call(CallRecord(callee), path, name, _DEPTH[name])

    def of_call(self, call: CallRecord, path: str, name: str, depth: int) -> Trait:
        """Whether a recorded call has a property: by what is called, or through the functions that it runs."""
        callee = self.values.split(call.callee, path)
        if callee is not call.callee:
            call = msgspec.structs.replace(call, callee=callee)
        own = self._of_call[name](call, path)
        return own if own is not None else self._through(call, path, name, depth)

    def has(self, target: Target, name: str, depth: int) -> Trait:
        """Whether a function has a property, itself or through what it calls."""
        key = (target, name, depth)
        known = self._known.get(key)
        if known is not None:
            self.world.depend(known[1])
            return known[0]
        if (target, name) in self._active:
            self._cuts += 1
            return _NO
        cuts = self._cuts
        self._active.add((target, name))
        try:
            with self.world.recording() as reads:
                trait = self._find(target, name, depth)
        finally:
            self._active.discard((target, name))
        if cuts == self._cuts or not self._active:
            self._known[key] = (trait, reads.node)
        return trait

    def _find(self, target: Target, name: str, depth: int) -> Trait:
        record = self.world.function(target.path, target.name, "effects", "calls", "head")
        if record is None:
            return Trait(None, (), f"{target.name} could not be read")
        own = self._of_function[name](target, record)
        if own is not None and own.value is not None:
            return own
        unknown = own.reason if own is not None else ""
        if depth <= 0:
            return Trait(None, (), f"{target.name} calls too deep to follow")
        for number, call in enumerate(record.calls):
            if not _counts(call, record, name):
                continue
            trait = self.of_call(call, target.path, name, depth - 1)
            if trait.value and name == "blocks" and _gives_nothing(call) and len(trait.causes) > 1:
                trait = Trait(None, (), f"{last_name(call.callee)} is given nothing to work on")
            if trait.value:
                locus = Locus(target.path, "call", target.name, number)
                says = trait.causes[-1].message if len(trait.causes) == 1 else f"calls {last_name(call.callee)}"
                return Trait(True, (Cause(locus, says), *trait.causes[1:]))
            if trait.value is None:
                unknown = unknown or trait.reason
        return Trait(None, (), unknown) if unknown else _NO

    def _through(self, call: CallRecord, path: str, name: str, depth: int) -> Trait:
        """The property of the functions that a call may run."""
        targets, complete = self.values.functions(call.callee, path, 4)
        unknown = ""
        for target in targets:
            if name in ("issues", "blocks") and self._runs_later(target):
                continue
            trait = self.has(target, name, depth)
            if trait.value:
                head = Cause(Locus(target.path, "definition", target.name), f"{last_name(call.callee)} is defined here")
                return Trait(True, (head, *trait.causes))
            if trait.value is None:
                unknown = unknown or trait.reason
        if unknown:
            return Trait(None, (), unknown)
        if not targets and not complete and not self._harmless(call, path):
            return Trait(None, (), f"{last_name(call.callee) or 'a call'} could not be resolved")
        return _NO

    def _runs_later(self, target: Target) -> bool:
        """Whether a call only makes a coroutine or a generator."""
        record = self.world.function(target.path, target.name, "head")
        return record is not None and (record.is_async or record.generator or memoised(record))

    def _harmless(self, call: CallRecord, path: str) -> bool:
        callee = call.callee
        if isinstance(callee, Member):
            if callee.name in self.world.lexicon.vocabulary.common:
                return True
            return bool(self.values.kinds(callee.of, path).known - {"instance"})
        return not isinstance(callee, Unknown | Self)

    def _library(self, callee: Term, path: str) -> str:
        """The canonical name of a function or class of a library; "" for anything else."""
        if not isinstance(callee, Name):
            return ""
        target = self.world.resolve(callee.dotted, path)
        return target.name if target is not None and target.what == "library" else ""

    # -- waits for the device

    def _call_waits(self, call: CallRecord, path: str) -> Trait | None:
        library = self._library(call.callee, path)
        if library:
            if library in WAITING_FUNCTIONS:
                return self._says(call.callee, path, f"waits for the device: {library}")
            made = self.world.lexicon.constructed(library)
            if library.partition(".")[0] in QUIET or (made and library.rpartition(".")[2][:1].isupper()):
                return _NO
            return Trait(None, (), f"nothing is known of {library}")
        if isinstance(call.callee, Member):
            kinds = self.values.kinds(call.callee.of, path).known
            if call.callee.name in WAITING_METHODS or kinds & READS_BACK:
                return self._says(call.callee, path, f"waits for the device: {call.callee.name}")
            if call.callee.name == "step" and (call.args or "scaler" in kinds):
                return self._says(call.callee, path, "the scaler reads whether gradients are finite")
        if self.values.kinds(call.callee, path).known & READS_BACK:
            return self._says(call.callee, path, "hands back host data")
        return None

    def _function_waits(self, target: Target, record: FunctionRecord) -> Trait | None:
        for effect in record.effects:
            if effect.token in WAITS:
                locus = Locus(target.path, "definition", target.name)
                return Trait(True, (Cause(locus, f"waits for the device: {effect.token.lstrip('.')}"),))
        foreign = [package for package in record.foreign if package not in QUIET]
        if foreign:
            what = "something unknown" if "?" in foreign else foreign[0]
            return Trait(None, (), f"{target.name or 'the module'} calls {what}")
        return None

    # -- issues work to the device

    def _call_issues(self, call: CallRecord, path: str) -> Trait | None:
        kinds = self.values.kinds(call.callee, path).known
        if "jitted" in kinds:
            return self._says(call.callee, path, "a compiled function of JAX")
        if self._library(call.callee, path):
            return _NO
        if "module" in kinds and not kinds & _DEFINED:
            reply = self.devices.accelerated(call.callee, path)
            if reply.value:
                return Trait(True, reply.causes or (Cause(Locus(path, "definition", ""), "on the device"),))
            return Trait(reply.value, (), reply.reason)
        return None

    def _function_issues(self, target: Target, record: FunctionRecord) -> Trait | None:
        jitted = any(self._library(one.callee, target.path) in ("jax.jit", "jax.pmap") for one in record.decorators)
        if jitted or "jax" in record.foreign:
            return Trait(True, (Cause(Locus(target.path, "definition", target.name), "computes with JAX"),))
        return None

    # -- blocks the thread

    def _call_blocks(self, call: CallRecord, path: str) -> Trait | None:
        says = "" if call.awaited or self._reads_fixed_file(call, path) else self._blocking(call.callee, path)
        return self._says(call.callee, path, says) if says else None

    def _reads_fixed_file(self, call: CallRecord, path: str) -> bool:
        """Whether a file is read whose name the code says: no request makes it large."""
        return bool(call.args) and self._library(call.callee, path) in READING_FUNCTIONS and _is_fixed(call.args[0])

    def _blocking(self, callee: Term, path: str) -> str:
        """What a call does that keeps its thread busy for long; "" if nothing is known."""
        library = self._library(callee, path)
        if library:
            if library in BLOCKING_FUNCTIONS:
                return f"{library}()"
            return "a model is loaded" if pretrained(library) not in ("", "tokenizer") else ""
        if isinstance(callee, Member):
            for kind in sorted(self.values.kinds(callee.of, path).known):
                if callee.name in BLOCKING_METHODS.get(kind, ()):
                    return f"{NOUNS.get(kind, kind)}.{callee.name}()"
        kinds = self.values.kinds(callee, path).known
        callable_kinds = sorted(kinds & BLOCKING_CALLS)
        if callable_kinds and not kinds & _DEFINED:
            return f"a call of a {NOUNS.get(callable_kinds[0], callable_kinds[0])}"
        return ""

    def _function_blocks(self, target: Target, record: FunctionRecord) -> Trait | None:
        for effect in record.effects:
            if effect.token in LOADING_FUNCTIONS and not effect.region & _SELDOM:
                return Trait(True, (Cause(Locus(target.path, "definition", target.name), f"{effect.token}()"),))
            if effect.token == LAYER and not effect.region & _SELDOM:
                return Trait(True, (Cause(Locus(target.path, "definition", target.name), "layers of a model"),))
        return None

    # -- fetches files

    def _call_downloads(self, call: CallRecord, path: str) -> Trait | None:
        library = self._library(call.callee, path)
        if library in DOWNLOADS:
            return Trait(True, (Cause(Locus(path, "definition", ""), f"{library}()"),))
        return _NO if library else None

    def _function_downloads(self, target: Target, record: FunctionRecord) -> Trait | None:
        tokens = {effect.token for effect in record.effects}
        fetching = tokens & DOWNLOADS or (tokens & REQUESTS if "builtins.open" in tokens else None)
        if not fetching:
            return None
        return Trait(True, (Cause(Locus(target.path, "definition", target.name), f"downloads: {min(fetching)}()"),))

    def _says(self, callee: Term, path: str, says: str) -> Trait:
        """Yes, with the place that decides what is called."""
        of = callee.of if isinstance(callee, Member) else callee
        for head in self.values.heads(of, path, 4):
            for locus in head.trail[-1:]:
                return Trait(True, (Cause(locus, says),))
        return Trait(True, (Cause(Locus(path, "definition", ""), says),))


def _is_fixed(term: Term) -> bool:
    """Whether a path is made of literals and names of the module alone."""
    stack = [term]
    while stack:
        part = stack.pop()
        if isinstance(part, Param | Self | Elem | Unknown | Lit):
            return False
        stack.extend(children(part))
    return True


def _gives_nothing(call: CallRecord) -> bool:
    """Whether a call hands over empty collections alone, for which the function may do nothing."""
    given = (*call.args, *(term for _, term in call.keywords))
    return bool(given) and all(isinstance(term, Seq | Map) and not term.items for term in given)


def _counts(call: CallRecord, record: FunctionRecord, name: str) -> bool:
    """Whether a call inside a function makes the function have a property."""
    match name:
        case "blocks":
            return not call.awaited and not call.region & _SELDOM
        case "issues":
            return call.loop < 0 or record.loops[call.loop].size in ("small", "once")
    return True
