"""What becomes of the wrapper that a compiler returns: whether it is called, or only asked for the model's own methods.

Invariant: a wrapper that is lost from sight may be called there, so nothing is said of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mlsys_advise.heat import Frequency
from mlsys_advise.interface import CallRecord
from mlsys_advise.languages.python.extract import LAYER
from mlsys_advise.project.compilers import Compilers
from mlsys_advise.project.flows import Flow, Flows, Use, place
from mlsys_advise.project.hotness import Cause, Hotness
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.values import Locus, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import Member, Self, Term, last_name

#: Methods that compute, by the names that libraries and people give them.
_COMPUTES: Final = re.compile(
    r"^(generate(_\w+)?|encode(_\w+)?|decode(_\w+)?|predict(_\w+)?|infer|inference|sample|transcribe|translate|embed"
    r"|forward_(features|head|train|test|once|encoder|decoder|pass|intermediates)|get_\w+_features|get_logits"
    r"|get_action\w*|act|score|classify|detect|denoise|log_prob|inverse|reconstruct|training_step)$"
)
_NOT_COMPUTED: Final = re.compile(r"(config|tokens?|args|name|dim|size|shape|schema|labels?)$")
#: Builtins that look at an object and let it be.
_LOOKS: Final = frozenset({"print", "len", "type", "id", "isinstance", "hasattr", "repr", "str"})
#: How far a method may lead through other methods of its object.
_DEPTH: Final = 3


class Wrappers:
    """Answers about the object that a call of a compiler makes."""

    def __init__(self, world: World, values: Values, flows: Flows, hotness: Hotness, compilers: Compilers) -> None:
        self.world = world
        self.values = values
        self.flows = flows
        self.hotness = hotness
        self.compilers = compilers
        self.uses: dict[str, Callable[[str, int, str], Reply]] = {"bypassed": self._bypassed, "unread": self._unread}

    def _unread(self, function: str, site: int, path: str) -> Reply:
        """Whether nothing at all is done with the wrapper."""
        flow = self.flows.of(path, function, site)
        if flow.leaks:
            return Reply(None, reason="it is lost from sight")
        return Reply(not flow.uses, reason="it is used")

    def _bypassed(self, function: str, site: int, path: str) -> Reply:
        """Whether the wrapper is asked for a method that computes, and is itself never called."""
        record = self.world.function(path, function, "calls")
        made = next((call for call in record.calls if call.site == site), None) if record is not None else None
        if made is None:
            return Reply(None, reason="the call is not recorded")
        flow = self.flows.of(path, function, site)
        escape = self._escape(flow, made)
        if escape is not None:
            return Reply(None, (Cause(place(escape), "given away here"),), reason="it leaves the code that can be seen")
        methods = [use for use in flow.uses if use.what == "method" and not use.element]
        bypass = self._bypass(methods, made, path)
        if bypass is None:
            return Reply(False, reason="none of the methods that it is asked for is known to compute")
        use, defined = bypass
        for other in flow.uses:
            if self._calls(other) and not (self._repeated(use) and not self._repeated(other)):
                return Reply(False, (Cause(place(other), "called here"),), reason="the wrapper itself is called")
        if self._compiled_too(use, path):
            return Reply(False, reason=f"{use.name} or forward is compiled too")
        causes = [Cause(place(use), f".{use.name}() is the model's own")]
        if defined is not None:
            causes.append(Cause(Locus(defined.path, "definition", defined.name), "runs the model itself, uncompiled"))
        return Reply(True, tuple(causes), {"method": use.name})

    def _escape(self, flow: Flow, made: CallRecord) -> Use | None:
        """A use behind which somebody unseen may call the wrapper."""
        if flow.leaks:
            return flow.leaks[0]
        for use in flow.uses:
            if use.element:
                continue
            if use.what == "returned" and not self.values.callers(use.path, use.function):
                return use
            if use.what == "argument" and use.name not in _LOOKS:
                record = self.world.function(use.path, use.function, "calls")
                if record is not None and record.calls[use.number] == made:
                    continue
                if record is None or not self.values.functions(record.calls[use.number].callee, use.path, 3)[0]:
                    return use
        return None

    def _calls(self, use: Use) -> bool:
        if use.element:
            return False
        return use.what == "called" or (use.what == "method" and use.name in ("forward", "__call__"))

    def _repeated(self, use: Use) -> bool:
        """Whether a use is known to run again and again."""
        record = self.world.function(use.path, use.function, "calls")
        loop = record.calls[use.number].loop if record is not None else -1
        heat = self.hotness.place(use.path, use.function, loop)
        return any(frequency >= Frequency.STEP for _, frequency in heat.pairs())

    def _bypass(self, methods: list[Use], made: CallRecord, path: str) -> tuple[Use, Target | None] | None:
        """The first use of a method that computes, with its definition where the model's class is of the project."""
        model = made.argument("model", 0)
        classes = [self.values.instance(head) for head in self.values.heads(model, path)] if model is not None else []
        known = [target for target in classes if target is not None]
        for use in methods:
            for cls in known:
                method = self.world.method(cls.path, cls.name, use.name)
                if method is None:
                    continue
                if self.compilers.traced(method.name, method.path, callers=0).value:
                    return None
                if self._computes(method, cls) or _named_so(use.name):
                    return use, method
            if not known and _named_so(use.name):
                return use, None
            if known and _named_so(use.name) and not all(self._defines(cls, use.name) for cls in known):
                return use, None
        return None

    def _defines(self, cls: Target, name: str) -> bool:
        return self.world.method(cls.path, cls.name, name) is not None

    def _computes(self, method: Target, cls: Target) -> bool:
        """Whether a method calls its own object, or a module that the object holds."""
        frontier = [(method, _DEPTH)]
        seen = {method}
        for target, depth in frontier:
            record = self.world.function(target.path, target.name, "calls", "effects", "head")
            if record is not None and any(effect.token == LAYER for effect in record.effects):
                return True
            for call in record.calls if record is not None else ():
                if self._runs_module(call.callee, target.path):
                    return True
                if isinstance(call.callee, Member) and isinstance(call.callee.of, Self) and depth > 1:
                    inner = self.world.method(cls.path, cls.name, call.callee.name)
                    if inner is not None and inner not in seen:
                        seen.add(inner)
                        frontier.append((inner, depth - 1))
        return False

    def _runs_module(self, callee: Term, path: str) -> bool:
        match callee:
            case Self() | Member(Self(), "forward"):
                return True
            case Member(Self()):
                return "module" in self.values.kinds(callee, path).known
            case _:
                return False

    def _compiled_too(self, use: Use, path: str) -> bool:
        """Whether the method, or the model's forward, is given to a compiler in a file of the wrapper's."""
        for file in sorted({path, use.path}):
            for caller in self.compilers.compilations(file, "compile"):
                for argument in caller.record.args[:1]:
                    if isinstance(argument, Member) and last_name(argument) in (use.name, "forward"):
                        return True
        return False


def _named_so(name: str) -> bool:
    return bool(_COMPUTES.match(name)) and not _NOT_COMPUTED.search(name)
