"""Where tensors live: proved to be on an accelerator, proved to be on the host, or unknown.

A tensor is on an accelerator if a way back leads to where it was moved or made there, to the result of a module that
lives there, or to what the forward pass of a module gets in a program that computes on one; and no way leads to the
host. Names never decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mlsys_advise.interface import FunctionRecord, PythonInterface
from mlsys_advise.library.waiting import ACCELERATING, ON_HOST
from mlsys_advise.project.devices import Devices
from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.scopes import Programs
from mlsys_advise.project.values import HOST, Locus, Values
from mlsys_advise.project.world import World
from mlsys_advise.term import (
    Arith,
    Call,
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
    Var,
    children,
)

_STEPS: Final = 6
#: How many terms one question may look at.
_MOST: Final = 400
#: How many files are searched for a move to a device.
_FILES: Final = 60
#: Methods of a module that frameworks give tensors on the module's device.
_PASSES: Final = frozenset({"forward", "training_step", "validation_step", "test_step", "predict_step", "compute_loss"})
#: Kinds of classes with such methods, and of objects that move what they train by themselves.
_PASSING: Final = frozenset({"module", "lightning_module", "hf_trainer", "pretrained"})
_MOVERS: Final = ("accelerator", "fabric", "hf_trainer")
_UNKNOWN: Final = Reply(None, reason="it is not known to live on an accelerator")
_ON_HOST: Final = Reply(False, reason="it lives on the host")


class Residence:
    """Answers to "does this tensor live on an accelerator?" over a world."""

    def __init__(self, world: World, values: Values, devices: Devices, programs: Programs) -> None:
        self.world = world
        self.values = values
        self.devices = devices
        self.programs = programs
        self._left = 0

    def on_accelerator(self, values: tuple[Term, ...], devices: tuple[Term, ...], path: str) -> Reply:
        """Whether one of some values that share a device lives on an accelerator, or one of some devices is one."""
        self._left = _MOST
        replies = [self._device(device, path, _STEPS) for device in devices]
        replies += [self._tensor(value, path, _STEPS) for value in values]
        return _every(replies)

    # -- devices

    def _device(self, term: Term, path: str, steps: int) -> Reply:
        """Whether a device expression names an accelerator."""
        if isinstance(term, Member) and term.name == "device":
            beside = self._tensor(term.of, path, steps)
            if beside.value is not None:
                return beside
        named = self.values.device(term, path)
        if not named:
            return _UNKNOWN
        return Reply(True, self._from(term, path)) if named != HOST else _ON_HOST

    def _from(self, term: Term, path: str) -> tuple[Cause, ...]:
        for head in self.values.heads(term, path):
            for locus in head.trail[-1:]:
                return (Cause(locus, "the device is chosen here"),)
        return ()

    # -- tensors

    def _tensor(self, term: Term, path: str, steps: int) -> Reply:
        self._left -= 1
        if steps <= 0 or self._left < 0:
            return _UNKNOWN
        match term:
            case Either(options):
                return _every([self._tensor(option, path, steps) for option in options])
            case Arith(operands):
                return _one([self._tensor(operand, path, steps) for operand in operands])
            case Seq(items=items):
                return _one([self._tensor(part, path, steps) for part in items])
            case Map(items=pairs):
                return _one([self._tensor(part, path, steps) for _, part in pairs])
            case Elem(of) | Item(of):
                return self._tensor(of, path, steps)
            case Param(function, index):
                return self._parameter(function, index, path, steps)
            case Var() | Name():
                return self._variable(term, path, steps)
            case Member(Self(cls), name):
                return self._attribute(cls, name, path, steps)
            case Member(of):
                return self._tensor(of, path, steps)
            case Call():
                return self._call(term, path, steps)
        return _UNKNOWN

    def _variable(self, term: Term, path: str, steps: int) -> Reply:
        target = self.world.denotes(term, path) if isinstance(term, Name | Var) else None
        if target is None or target.what != "variable":
            return _UNKNOWN
        value = self.world.variable(target.path, target.name)
        return self._tensor(value, target.path, steps - 1) if value is not None else _UNKNOWN

    def _attribute(self, cls: str, name: str, path: str, steps: int) -> Reply:
        """An attribute of a receiver: what the methods of its class, and of those it inherits from, assign to it."""
        replies: list[Reply] = []
        for target in self.world.ancestors(path, cls)[0]:
            record = self.world.cls(target.path, target.name) if target.what == "class" else None
            for attribute, value, _ in record.attributes if record is not None else ():
                if attribute == name:
                    replies.append(self._tensor(value, target.path, steps - 1))
        return _every(replies)

    def _call(self, term: Call, path: str, steps: int) -> Reply:
        callee = term.callee
        if isinstance(callee, Member):
            moved = self._moved(callee, term.args, path, steps)
            if moved is not None:
                return moved
        returned = self._returned(callee, path, steps)
        if returned is not None:
            return returned
        if isinstance(callee, Name):
            return _one([self._tensor(argument, path, steps - 1) for argument in term.args])
        if isinstance(callee, Member):
            receiver = self._tensor(callee.of, path, steps)
            if receiver.value is not None:
                return receiver
            return self._result(callee.of, path)
        return self._result(callee, path)

    def _moved(self, callee: Member, args: tuple[Term, ...], path: str, steps: int) -> Reply | None:
        """Where a method moves its receiver; None if it is no such method, or moves it to where nobody knows."""
        if callee.name in ACCELERATING:
            return Reply(True, (Cause(Locus(path, "definition", ""), "moved to the device"),))
        if callee.name in ON_HOST:
            return _ON_HOST
        if callee.name == "to" and args:
            for reply in (self._device(args[0], path, steps), self._tensor(args[0], path, steps - 1)):
                if reply.value is not None:
                    return reply
        return None

    def _result(self, callee: Term, path: str) -> Reply:
        """What an object that was moved to a device, and is called, computes there: it is a module."""
        reply = self.devices.accelerated(callee, path)
        return reply if reply.value else _UNKNOWN

    def _returned(self, callee: Term, path: str, steps: int) -> Reply | None:
        """What the functions of the project that a call runs return; None if it runs none, or they do not tell."""
        replies: list[Reply] = []
        for target in self.values.functions(callee, path, 3)[0][:4]:
            record = self.world.function(target.path, target.name, "returns")
            for term in record.returns if record is not None else ():
                replies.append(self._tensor(term, target.path, steps - 1))
        reply = _every(replies)
        return reply if reply.value is not None else None

    def _parameter(self, function: str, index: int, path: str, steps: int) -> Reply:
        record = self.world.function(path, function, "head")
        if record is None or index >= len(record.params):
            return _UNKNOWN
        replies: list[Reply] = []
        for caller in self.values.callers(path, function) or ():
            argument = caller.argument(record.params[index], index, record)
            if argument is None:
                continue
            reply = self._tensor(argument, caller.path, steps - 1)
            if reply.value:
                locus = Locus(caller.path, "call", caller.function, caller.number)
                reply = Reply(True, (Cause(locus, "given here"), *reply.causes)[:3])
            replies.append(reply)
        given = _every(replies)
        if given.value is None and self._passes(function, record, path):
            return self.computes(path)
        return given

    def _passes(self, function: str, record: FunctionRecord, path: str) -> bool:
        """Whether a framework, or a call of the module, hands a function tensors on the module's device."""
        if not record.cls or function.rpartition(".")[2] not in _PASSES:
            return False
        return bool(self.world.class_kinds(path, record.cls) & _PASSING)

    # -- programs

    def computes(self, path: str) -> Reply:
        """Whether a program that reaches a file computes on an accelerator: it moves a model or its data there."""
        program = self.programs.program(path)
        for file in self.programs.makers(path, _MOVERS):
            return Reply(True, (Cause(Locus(file, "definition", ""), "computes on the accelerator"),))
        files = {file for name in (*sorted(ACCELERATING), "to") for file in self.world.table("effect", f".{name}")}
        for file in sorted(files & program)[:_FILES]:
            cause = self._move_in(file)
            if cause is not None:
                return Reply(True, (cause,))
        return _UNKNOWN

    def _move_in(self, path: str) -> Cause | None:
        """Where a file moves something to an accelerator."""
        interface = self.world.interface(path)
        if interface is None:
            return None
        for place, term in _terms(interface):
            stack = [term]
            while stack:
                part = stack.pop()
                stack.extend(children(part))
                if isinstance(part, Call) and isinstance(part.callee, Member):
                    name = part.callee.name
                    if name in ACCELERATING or (
                        name == "to" and part.args and self.values.device(part.args[0], path) not in ("", HOST)
                    ):
                        return Cause(Locus(path, "definition", place), "moves to the accelerator")
        return None


def _terms(interface: PythonInterface) -> Iterator[tuple[str, Term]]:
    """The terms of a file that say what it does, with the function they stand in."""
    for name, record in interface.functions.items():
        for call in record.calls:
            yield name, Call(call.callee, call.args)
            yield from ((name, term) for _, term in call.keywords)
        yield from ((name, term) for term in record.returns)
        yield from ((name, value) for _, _, value in record.stores)
    for value in interface.variables.values():
        yield "", value
    for cls in interface.classes.values():
        for _, value, method in cls.attributes:
            yield method, value


def _one(replies: list[Reply]) -> Reply:
    """Operands share a device: one that is known is enough."""
    for value in (True, False):
        for reply in replies:
            if reply.value is value:
                return reply
    return _UNKNOWN


def _every(replies: list[Reply]) -> Reply:
    """Alternatives: yes if one leads to an accelerator and none to the host."""
    known = {reply.value for reply in replies} - {None}
    if known == {True, False}:
        return Reply(None, reason="it may live on the host as well")
    return _one(replies)
