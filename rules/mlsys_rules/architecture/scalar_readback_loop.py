"""MLS103: a loop that fetches the numbers of a tensor one at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import (
    AnyOf,
    Clause,
    Hot,
    KindIs,
    OnAccelerator,
    Traced,
    Trains,
    WritesInto,
    presume,
    refute,
    require,
)
from mlsys_advise.edit import Edit, Fix, InsertStatement, ReplaceExpression
from mlsys_advise.heat import DECODING, EPOCH, EVALUATION, ITEM, SERVING, STEP, TRAINING, Context
from mlsys_advise.here import Here
from mlsys_advise.languages.python import indices
from mlsys_advise.languages.python.placement import HOST
from mlsys_advise.languages.python.scopes import Loop, Region
from mlsys_advise.library import arrays
from mlsys_advise.rule import Candidate, rule

_CONVERSIONS: Final = frozenset({"int", "float", "bool"})
#: Kinds whose elements are cheap to read, or have no ``tolist`` in common.
_NOT_TENSORS: Final = (
    "ndarray",
    "np_loaded",
    "ndarrays",
    "ndarray_or_scalar",
    "list",
    "tuple",
    "dict",
    "frame",
    "series",
    "jax_array",
)
_RARE: Final = Region.EVERY_K | Region.DEBUG | Region.FIRST | Region.EXCEPT | Region.OOM | Region.DEAD
_FEW: Final = 4
#: So many reads may wait for nothing but their copies before anybody would change the code.
_FEW_COPIES: Final = 16
#: What may run a loop again and again on a device; data are prepared on the host.
_STEPS: Final = TRAINING | EVALUATION | DECODING | SERVING
#: Operations between a tensor and the view that it was made of.
_MOST_STEPS: Final = 8
#: Methods of arrays with a single result.
_ONE_RESULT: Final = (arrays.REDUCTIONS - arrays.PAIRED) | arrays.SAME_SHAPE | arrays.PERMUTING
#: Ways to give all elements of a tensor one axis: as many as the whole batch has, of pixels or of tokens.
_FLATTENING: Final = frozenset({"flatten", "ravel"})
_RESHAPING: Final = frozenset({"view", "reshape"})
#: Methods that turn tokens on a device into text, and those that write a file. They only ever excuse.
_FETCHING: Final = frozenset({"decode", "batch_decode"})
_WRITING: Final = frozenset({"savefig", "save", "write", "imwrite", "export"})
_MESSAGE: Final = (
    "`{read}` reads `{tensor}` back one element at a time, each with a wait for the device; "
    "`{tensor}.tolist()` in front of the loop fetches all of them at once"
)


@rule(
    "MLS103",
    severity="warning",
    category="performance",
    lesson="pipelining",
    evidence="scalar-readback",
    calls=_CONVERSIONS | {"item"},
)
def scalar_readback_loop(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """Every element read back drains the queue of the device; one `tolist()` before the loop reads them all."""
    read = _read(call)
    if read is None:
        return
    loops = here.loops(call)
    if not loops or here.region(call) & _RARE or here.is_reference(call) or _shown(call, here):
        return
    explicit = isinstance(call.func, ast.Attribute)
    if isinstance(read, ast.Name):
        yield from _walk(call, read, loops, here)
        return
    chain = indices.access(read)
    place = indices.key(chain.base)
    scope = here.scope(call)
    if place is None or not all(here.bodies.is_number(part, scope) for part in chain.parts):
        return
    loop = next((loop for loop in loops if _varies(chain, loop, here)), None)
    if loop is None or isinstance(loop.node, ast.While) or _changes(place, loop, here):
        return
    yield from _candidate(call, chain.base, place, loop, here, explicit=explicit)


def _read(call: ast.Call) -> ast.Subscript | ast.Name | None:
    """What `x.item()` or `int(x)` reads, if that is an element or a name."""
    func = call.func
    if type(func) is ast.Attribute:
        read = func.value if func.attr == "item" and not call.args else None
    elif type(func) is ast.Name and func.id in _CONVERSIONS and len(call.args) == 1:
        read = call.args[0]
    else:
        return None
    return read if isinstance(read, ast.Subscript | ast.Name) else None


def _varies(chain: indices.Access, loop: Loop, here: Here) -> bool:
    return any(indices.depends(part, loop, here.module) for part in chain.parts)


def _changes(place: str, loop: Loop, here: Here) -> bool:
    """Whether a pass rebinds the tensor or what it hangs from, or writes into it."""
    changed = here.bodies.changed(loop)
    return any(place == other or place.startswith((f"{other}.", f"{other}[")) for other in changed)


def _walk(call: ast.Call, name: ast.Name, loops: list[Loop], here: Here) -> Iterator[Candidate]:
    """A loop over the tensor itself, whose body does nothing with an element but read it back."""
    number = indices.variable_of(name, here.module)
    loop = next((loop for loop in loops if loop.index == number), None)
    if loop is None:
        return
    binding = here.module.bindings[here.module.loads[name]]
    walked = here.walked(loop, binding.path)
    if walked is None:
        return
    for node in here.bodies.nodes(loop):
        if isinstance(node, ast.Name) and node.id == name.id and isinstance(node.ctx, ast.Load):
            parent = here.parent(node)
            around = parent if isinstance(parent, ast.Call) else here.parent(parent) if parent is not None else None
            if not isinstance(around, ast.Call) or _read(around) is not node:
                return
    yield from _candidate(call, walked, indices.key(walked) or here.text(walked), loop, here, explicit=False)


def _candidate(
    call: ast.Call, tensor: ast.expr, place: str, loop: Loop, here: Here, *, explicit: bool
) -> Iterator[Candidate]:
    kinds = here.kinds(tensor)
    if "tensor" not in kinds and not kinds.isdisjoint(_NOT_TENSORS):
        return
    trips = here.trips(loop)
    few = _FEW if here.bodies.launches(loop) else _FEW_COPIES
    if (trips is not None and trips <= few) or call in here.bodies.last_acts(loop):
        return
    if _waits_anyway(loop, place, here):
        return
    placement = here.placement(tensor)
    if placement.device == HOST:
        return
    term = here.term(tensor)
    clauses: list[Clause] = [refute(Traced(here.owner(call))), *_repeated(loop, place, here)]
    if not placement.device:
        if not placement.values and not placement.devices:
            return
        clauses.append(require(OnAccelerator(placement.values, placement.devices), "it lives on an accelerator"))
    if not explicit and not _computed(tensor, here):
        clauses.append(require(KindIs(term, ("tensor",))))
    elif "tensor" not in kinds:
        clauses.append(presume(KindIs(term, _NOT_TENSORS), ""))
    for handing in here.bodies.handed(loop, place):
        if not here.is_builtin(handing.call.func):
            clauses.append(refute(WritesInto(here.term(handing.call.func), handing.position, handing.keyword)))
    yield here.candidate(
        "MLS103",
        call,
        _MESSAGE,
        *clauses,
        facts={"read": here.text(call), "tensor": here.text(tensor, 40)},
        group=f"{loop.index}:{place}",
        fix=_fix(tensor, place, loop, here),
    )


def _repeated(loop: Loop, place: str, here: Here) -> Iterator[Clause]:
    """What makes the waits of one loop many: it runs in every step, and if it launches nothing, it has many passes.

    A pass that launches work stands still until it is done, each time. Where none is launched, only the first read
    waits, and the others pay for their copies: about ten microseconds each, too little for the samples of one batch.
    It adds up for every decoded token, and where the loop stands in another one or walks all elements of a batch.
    """
    function, number = here.number(loop.node)
    yield require(AnyOf(_often(function, number, _STEPS)), "the loop runs in every step")
    if not here.bodies.launches(loop):
        decoding = Hot(function, number, DECODING, STEP)
        between_epochs = Hot(function, -1, TRAINING, EPOCH)
        yield require(
            AnyOf((decoding, between_epochs, *_often(function, number, TRAINING))),
            "every token, training step or evaluation",
        )
        yield require(AnyOf((Trains(), decoding)), "the program trains or decodes")
        if not _walks_flattened(loop, here):
            yield require(
                AnyOf((decoding, *_nested(loop, place, here))),
                "the loop runs for every sample or token, or over a flattened tensor",
            )


def _nested(loop: Loop, place: str, here: Here) -> Iterator[Hot]:
    """The loops around a loop, in its function or around a call of it in this file: one of them may run in each step.

    How long such a loop is need not be known: whatever it runs over multiplies the reads. A pass that waits for more
    than the reads, or writes a file, is long beside them.
    """
    around = list(here.bodies.nest(loop))[1:]
    if any(_fetches_or_writes(outer, place, here) for outer in around[:1]):
        return
    yield Hot(*here.number(loop.node), TRAINING | EVALUATION, ITEM)
    for call in here.calls_to(here.function(loop.node)):
        around.extend(outer for outer in here.loops(call) if not _fetches_or_writes(outer, place, here))
    for outer in around:
        yield Hot(*here.number(outer.node), TRAINING | EVALUATION, STEP, _RARE)


def _walks_flattened(loop: Loop, here: Here) -> bool:
    """Whether a pass takes an element of a tensor that was given a single axis: the loop is as long as all of it."""
    walked = here.walked(loop)
    if walked is not None and _flattened(walked, here):
        return True
    return any(_flattened(chain.base, here) for chain in here.bodies.elements(loop))


def _flattened(tensor: ast.expr, here: Here) -> bool:
    """Whether a tensor was given a single axis, as by `view(-1)`, and kept it."""
    for _ in range(_MOST_STEPS):
        match here.source_of(tensor):
            case ast.Call(ast.Attribute(_, attr)) if attr in _FLATTENING:
                return True
            case ast.Call(ast.Attribute(_, attr), [ast.UnaryOp(ast.USub(), ast.Constant(1)), *rest]) if (
                attr in _RESHAPING
            ):
                return all(here.literal(axis) == 1 for axis in rest)
            case ast.Call(ast.Attribute(of, attr)) if attr in arrays.SAME_SHAPE:
                tensor = of
            case ast.Compare(left) | ast.BinOp(left):
                tensor = left
            case _:
                return False
    return False


def _often(function: str, number: int, contexts: Context) -> tuple[Hot, ...]:
    """In every step, or for every batch of what is called in some steps only, such as an evaluation."""
    return Hot(function, number, contexts, STEP, _RARE), Hot(function, number, contexts, ITEM)


def _computed(tensor: ast.expr, here: Here) -> bool:
    """Whether a value is the result of an operation on one array: it is no tuple or list, whatever it was made of."""
    match here.source_of(tensor):
        case ast.BinOp() | ast.Compare():
            return True
        case ast.Call(ast.Attribute(_, attr)):
            return attr in _ONE_RESULT
    return False


def _waits_anyway(loop: Loop, place: str, here: Here) -> bool:
    """Whether each pass waits for something else, which no list in front of the loop could hold, or writes a file.

    One wait less then changes nothing.
    """
    if _fetches_or_writes(loop, place, here):
        return True
    for node in here.bodies.nodes(loop):
        match node:
            case ast.If(test) | ast.IfExp(test) if _tests_relative(test, place, loop, here):
                return True
            case ast.Call() if here.device_work.measures(node) or here.device_work.uploads(node):
                return True
    return False


def _fetches_or_writes(loop: Loop, place: str, here: Here) -> bool:
    """Whether each pass brings something else to the host, or writes a file."""
    for node in here.bodies.nodes(loop):
        match node:
            case ast.Call(ast.Attribute(of, "cpu" | "numpy" | "tolist")):
                if not (indices.key(of) or "").startswith(place):
                    return True
            case ast.Call(ast.Attribute(ast.Call(func), "item")) if not here.is_builtin(func):
                return True
            case ast.Call(ast.Attribute(_, attr)) if attr in _FETCHING or attr in _WRITING:
                return True
    return False


def _tests_relative(test: ast.expr, place: str, loop: Loop, here: Here) -> bool:
    """Whether a test compares an element that is not read by name, of another tensor that lives where this one does."""
    for part in ast.walk(test):
        if not isinstance(part, ast.Compare):
            continue
        for operand in (part.left, *part.comparators):
            if isinstance(operand, ast.Subscript):
                chain = indices.access(operand)
                if indices.key(chain.base) != place and _varies(chain, loop, here) and "tensor" in _likely(chain, here):
                    return True
    return False


def _likely(chain: indices.Access, here: Here) -> frozenset[str]:
    """The kinds of what is subscribed; arithmetic on columns of an array gives an array."""
    match here.source_of(chain.base):
        case ast.BinOp():
            return frozenset({"tensor"})
    return here.kinds(chain.base)


def _shown(call: ast.Call, here: Here) -> bool:
    """Whether a value only goes into text, a log or a picture."""
    for node in here.ancestors(call):
        match node:
            case ast.JoinedStr() | ast.Raise() | ast.Assert():
                return True
            case ast.Call() if here.shows(node):
                return True
            case ast.stmt():
                return False
    return False


def _fix(tensor: ast.expr, place: str, loop: Loop, here: Here) -> Fix | None:
    """One `tolist()` in front of the statement that loops; safe if the tensor has one axis and every pass is run."""
    statement = here.statement(loop.node)
    if indices.key(tensor) is None or len(here.loops_of(loop.node)) > 1:
        return None
    name = "".join(part if part.isalnum() else "_" for part in place).strip("_").replace("self_", "") + "_list"
    if name in here.module.words or not here.begins_line(statement):
        return None
    edits: list[Edit] = []
    for chain in here.bodies.elements(loop):
        around = here.parent(chain.node)
        call = here.parent(around) if isinstance(around, ast.Attribute) else around
        if indices.key(chain.base) != place or not isinstance(call, ast.Call) or _read(call) is not chain.node:
            continue
        element = f"{name}{here.text(chain.node, 200).removeprefix(here.text(chain.base, 200))}"
        # A method such as item() goes; a function such as float() stays around the element.
        read = call if isinstance(call.func, ast.Attribute) else chain.node
        edits.append(ReplaceExpression(here.span(read), element))
    if not edits:
        return None
    edits.append(InsertStatement(here.span(statement), f"{name} = {here.text(tensor, 200)}.tolist()"))
    certain = here.tensor(tensor).rank == 1 and "tensor" in here.kinds(tensor) and not here.bodies.exits(loop)
    return Fix(
        f"read {place} with one tolist() in front of the loop",
        "safe" if certain else "suggested",
        tuple(edits),
    )
