"""Heat: in which contexts a place runs, and how often in each.

A heat is a set of (context, frequency) pairs packed into one integer, so that a union is ``|``, and a loop that
raises the frequency is a shift. Frequencies are relative to the unit of their context: a *step* is a batch in
training and evaluation, a request in serving, a token in decoding.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec


class Context(enum.IntFlag):
    """What a program is doing when it reaches a place."""

    TRAINING = enum.auto()
    EVALUATION = enum.auto()
    DATA = enum.auto()
    SERVING = enum.auto()
    DECODING = enum.auto()
    SETUP = enum.auto()
    TEST = enum.auto()
    UNKNOWN = enum.auto()


class Frequency(enum.IntEnum):
    """How often, from once in the life of a program to once for each element of a tensor."""

    ONCE = 0
    EPOCH = 1
    STEP = 2
    ITEM = 3
    ELEMENT = 4


TRAINING, EVALUATION, DATA = Context.TRAINING, Context.EVALUATION, Context.DATA
SERVING, DECODING = Context.SERVING, Context.DECODING
SETUP, TEST, UNKNOWN = Context.SETUP, Context.TEST, Context.UNKNOWN
ONCE, EPOCH, STEP, ITEM, ELEMENT = Frequency

#: Contexts in which the program does the work it exists for.
WORK = TRAINING | EVALUATION | DATA | SERVING | DECODING

_LEVELS = len(Frequency)
_CONTEXTS = tuple(Context)
_ROW = (1 << _LEVELS) - 1

_STEP_NOUN = {
    Context.TRAINING: "training step",
    Context.EVALUATION: "evaluation step",
    Context.DATA: "batch",
    Context.SERVING: "request",
    Context.DECODING: "decoded token",
}
_ADJECTIVE = {
    Context.TRAINING: "training",
    Context.EVALUATION: "evaluation",
    Context.DATA: "data",
    Context.SERVING: "serving",
    Context.DECODING: "decoding",
    Context.SETUP: "set-up",
    Context.TEST: "test",
    Context.UNKNOWN: "unknown",
}


class Heat(msgspec.Struct, frozen=True, array_like=True):
    """A set of (context, frequency) pairs; the empty set means that nothing is known to reach the place."""

    bits: int = 0

    @classmethod
    def of(cls, context: Context, frequency: Frequency) -> Heat:
        bits = 0
        for row, member in enumerate(_CONTEXTS):
            if member & context:
                bits |= 1 << (row * _LEVELS + frequency)
        return cls(bits)

    def __or__(self, other: Heat) -> Heat:
        return Heat(self.bits | other.bits)

    def __bool__(self) -> bool:
        return self.bits != 0

    def pairs(self) -> list[tuple[Context, Frequency]]:
        """The members, hottest first within each context."""
        return [
            (context, frequency)
            for row, context in enumerate(_CONTEXTS)
            for frequency in reversed(Frequency)
            if self.bits >> (row * _LEVELS + frequency) & 1
        ]

    def within(self, contexts: Context) -> Heat:
        """The pairs whose context is one of ``contexts``."""
        mask = 0
        for row, context in enumerate(_CONTEXTS):
            if context & contexts:
                mask |= _ROW << (row * _LEVELS)
        return Heat(self.bits & mask)

    def meets(self, contexts: Context, least: Frequency) -> bool:
        """Whether some pair has one of ``contexts`` and at least the frequency ``least``."""
        return any(frequency >= least for _, frequency in self.within(contexts).pairs())

    def raised(self, by: Callable[[Frequency], Frequency]) -> Heat:
        """The heat of the body of a loop that stands at a place of this heat."""
        result = Heat()
        for context, frequency in self.pairs():
            result |= Heat.of(context, by(frequency))
        return result

    def hottest(self, contexts: Context = WORK) -> tuple[Context, Frequency] | None:
        pairs = self.within(contexts).pairs() or self.pairs()
        return max(pairs, key=lambda pair: pair[1]) if pairs else None


def per(context: Context, frequency: Frequency) -> str:
    """A noun phrase for one execution: "training step", "request", "item of the data pipeline"."""
    if frequency is STEP:
        return _STEP_NOUN.get(context, f"step of {_ADJECTIVE[context]}")
    if frequency is ONCE:
        return "run" if context is not SETUP else "start of the program"
    if frequency is EPOCH:
        if context is SERVING:
            return "administrative request"
        return f"{_ADJECTIVE[context]} epoch"
    if frequency is ITEM:
        return "item" if context is DATA else f"item within a {_STEP_NOUN.get(context, 'step')}"
    return f"element within a {_STEP_NOUN.get(context, 'step')}"


def describe(heat: Heat) -> str:
    """``training step, data item``: what ``inspect`` and findings print."""
    pairs = [f"{_ADJECTIVE[context]} {frequency.name.lower()}" for context, frequency in heat.pairs()]
    return ", ".join(pairs) or "unknown"
