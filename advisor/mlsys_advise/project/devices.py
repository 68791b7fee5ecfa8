"""Devices: whether a model or tensor lives on an accelerator, by every way in which it may have got there.

A module moves in place: `model.cuda()` as a statement counts for whoever holds the model.
"""

from __future__ import annotations

from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.values import ACCELERATOR, HOST, Head, Locus, Values, holder
from mlsys_advise.project.world import World
from mlsys_advise.term import Const, Either, Member, Name, Param, Self, Term, Var

_STEPS = 4


class Devices:
    """Answers to "where does this live?" over a world."""

    def __init__(self, world: World, values: Values) -> None:
        self.world = world
        self.values = values

    def accelerated(self, term: Term, path: str) -> Reply:
        """Whether a value may live on an accelerator; no if every way leads to the host."""
        hosts = others = 0
        for head in self.values.heads(term, path):
            if head.device not in ("", HOST):
                return Reply(True, tuple(Cause(locus, "comes from here") for locus in head.trail[-1:]))
            if self._mapped(head):
                return Reply(True, (Cause(Locus(head.path, "definition", _function(head)), "loaded there"),))
            hosts += head.device == HOST
            others += head.device != HOST
        cause = self._moved(term, path, _STEPS)
        if cause is not None:
            return Reply(True, (cause,))
        return Reply(False if hosts and not others else None, reason="it is not known to live on an accelerator")

    def _mapped(self, head: Head) -> bool:
        """Whether it was loaded with a `device_map` that is not the host's."""
        made = holder(head)
        record = self.world.function(made[0], made[1], "calls") if made is not None else None
        if record is None or made is None:
            return False
        for call in record.calls:
            if call.site == made[2]:
                given = call.argument("device_map", -1)
                return given is not None and given not in (Const("cpu"), Const(None))
        return False

    def _moved(self, term: Term, path: str, steps: int) -> Cause | None:
        """Where a statement moves the value in place: under this name, or under one by which it was handed on."""
        if steps <= 0:
            return None
        if not isinstance(term, Either):
            for function, record in self.world.functions_of(path).items():
                for number, call in enumerate(record.calls):
                    callee = call.callee
                    if isinstance(callee, Member) and callee.name in ("cuda", "to") and callee.of == term:
                        self.world.read("calls", path, function)
                        device = (
                            ACCELERATOR
                            if callee.name == "cuda"
                            else self.values.device(call.args[0], path)
                            if call.args
                            else ""
                        )
                        if device not in ("", HOST):
                            return Cause(Locus(path, "call", function, number), "moved to the device here")
        for other, file in self._earlier(term, path):
            cause = self._moved(other, file, steps - 1)
            if cause is not None:
                return cause
        return None

    def _earlier(self, term: Term, path: str) -> list[tuple[Term, str]]:
        """The terms of the same value one step back: arguments, assignments, attributes."""
        match term:
            case Either(options):
                return [(option, path) for option in options]
            case Param(function, index):
                record = self.world.function(path, function, "head")
                if record is None or index >= len(record.params):
                    return []
                found: list[tuple[Term, str]] = []
                for caller in (self.values.callers(path, function) or ())[:12]:
                    argument = caller.argument(record.params[index], index, record)
                    if argument is not None:
                        found.append((argument, caller.path))
                return found
            case Name(dotted):
                target = self.world.resolve(dotted, path)
                if target is not None and target.what == "variable":
                    return [(Var(target.name), target.path)]
            case Var(name):
                value = self.world.variable(path, name)
                return [(value, path)] if value is not None else []
            case Member(Self(cls), name):
                record_of = self.world.cls(path, cls)
                values = (
                    [value for attribute, value, _ in record_of.attributes if attribute == name] if record_of else []
                )
                return [(value, path) for value in values[:4]]
        return []


def _function(head: Head) -> str:
    made = holder(head)
    return made[1] if made is not None else ""
