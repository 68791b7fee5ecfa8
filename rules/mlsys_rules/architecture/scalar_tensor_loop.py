"""MLS101: a Python loop that handles a tensor or an array one element at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from mlsys_advise.condition import Clause, Hot, KindIs, RankIs, Traced, ValueIs, grade, presume, refute, require
from mlsys_advise.heat import STEP, WORK
from mlsys_advise.here import Here
from mlsys_advise.languages.python import bodies, indices
from mlsys_advise.languages.python.loops import DATA, OPEN
from mlsys_advise.languages.python.scopes import Loop, Scope
from mlsys_advise.rule import Answer, Candidate, rule

_TENSOR: Final = ("tensor",)
_ARRAYS: Final = ("ndarray", "np_loaded", "cupy_array")
#: Kinds that may still turn out to be an array.
_VAGUE: Final = frozenset({"ndarray_or_scalar", "loaded", "model_output", "tensor_or_any", "batch", "batch_part"})
#: So many passes are worth a whole-array operation: over a tensor, and over a NumPy array outside of hot code.
_MANY: Final = 64
_SHORT: Final = 16
_VERY_MANY: Final = 4096
_IS_TENSOR: Final = "it is a tensor"
_IS_HOT: Final = "it runs for every step, item or request"
_MESSAGE: Final = (
    "`{array}` is read or written one element at a time in a Python loop, at about {cost} an access; "
    "an operation on the whole {noun} costs at most a few nanoseconds an element"
)


class _Element(msgspec.Struct, frozen=True):
    """One access: ``axes`` is how many axes the array must have for it to be one element, 0 if it certainly is one."""

    base: ast.expr
    axes: int
    stored: bool
    nest: tuple[Loop, ...]


def _settle(candidate: Candidate, answers: Mapping[str, Answer]) -> Candidate | None:
    """A tensor counts anywhere, a NumPy array where it is hot, or as a hint in a nest of many passes."""
    if answers[_IS_TENSOR].value:
        return msgspec.structs.replace(candidate, facts=candidate.facts | {"noun": "tensor", "cost": "2 us"})
    facts = candidate.facts | {"noun": "array", "cost": "0.1 us"}
    nested = candidate.facts["nested"] == "yes"
    if answers[_IS_HOT].value and (nested or candidate.facts["fills"] == "no"):
        return msgspec.structs.replace(candidate, facts=facts)
    passes = candidate.facts["passes"]
    if nested and (not passes or int(passes) >= _VERY_MANY):
        return msgspec.structs.replace(candidate, facts=facts, severity="info")
    return None


@rule(
    "MLS101",
    severity="warning",
    category="performance",
    lesson="pipelining",
    evidence="tensor-element-access",
    sized_by="passes",
    optin=True,
    confirm=_settle,
)
def scalar_tensor_loop(
    node: ast.For | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, here: Here
) -> Iterator[Candidate]:
    """Each access to one element runs thousands of instructions to move four bytes, past all vector units."""
    loop = here.loops_of(node)[-1]
    if not here.bodies.innermost(loop) or not _may_take_elements(loop, here):
        return
    if here.bodies.weight(loop) != bodies.SCALAR:
        return
    found = list(_elements(loop, here))
    if not found or here.is_reference(node):
        return
    by_place: dict[str, list[_Element]] = {}
    for element in found:
        by_place.setdefault(indices.key(element.base) or "", []).append(element)
    reads = any(not element.stored for element in found)
    candidates = [
        (order, candidate)
        for elements in by_place.values()
        for order, candidate in [_candidate(node, loop, elements, here, reads=reads)]
        if candidate is not None
    ]
    yield from (candidate for _, candidate in sorted(candidates, key=lambda pair: pair[0]))


def _may_take_elements(loop: Loop, here: Here) -> bool:
    """Cheap: whether a pass has a subscript, or uses the element of an array of numbers that the loop walks."""
    return loop.subscripted or bool(_vectors(loop, here))


def _vectors(loop: Loop, here: Here) -> dict[tuple[int, ...], ast.expr]:
    """The arrays with one axis that a loop walks, by the part of the target that holds their elements."""
    scope = here.module.scopes[loop.scope]
    found: dict[tuple[int, ...], ast.expr] = {}
    for binding in here.targets(loop):
        walked = here.walked(loop, binding.path)
        if walked is not None and here.tensor(walked, scope).rank == 1:
            found[binding.path] = walked
    return found


def _walked(loop: Loop, here: Here) -> Iterator[tuple[ast.Name, ast.expr]]:
    """The uses of the elements of an array with one axis that a loop walks, each with the array."""
    vectors = _vectors(loop, here)
    for name in here.bodies.nodes(loop) if vectors else ():
        if isinstance(name, ast.Name) and indices.variable_of(name, here.module) == loop.index:
            walked = vectors.get(here.module.bindings[here.module.loads[name]].path)
            if walked is not None:
                yield name, walked


def _elements(loop: Loop, here: Here) -> Iterator[_Element]:
    """The accesses of a pass that take one element, or take one if the array has so many axes."""
    counts = _counts(loop, here)
    scope = here.module.scopes[loop.scope]
    for chain in here.bodies.elements(loop) if counts else ():
        if indices.key(chain.base) is None or not _may_be_array(chain.base, scope, here):
            continue
        if not all(_is_certain(part, scope, here) for part in chain.parts):
            continue
        array = here.tensor(chain.base, scope)
        if array.dtype == "object" or array.rank not in (None, len(chain.parts)):
            continue
        if _read_back(chain.node, here) and here.kinds(chain.base, scope).isdisjoint(_ARRAYS):
            continue
        stored = isinstance(chain.node.ctx, ast.Store)
        certain = array.rank is not None or chain.node in here.bodies.numbers(loop)
        parent = here.parent(chain.node)
        if isinstance(parent, ast.Assign) and stored:
            certain = certain or here.shapes.of(parent.value, scope).rank == 0
        nest = tuple(
            around
            for around in _nest(loop, here)
            if any(indices.depends(part, around, here.module) for part in chain.parts)
        )
        yield _Element(chain.base, 0 if certain else len(chain.parts), stored, nest)
    for name, walked in _walked(loop, here):
        if _may_be_array(walked, scope, here):
            if not _read_back(name, here) or not here.kinds(walked, scope).isdisjoint(_ARRAYS):
                yield _Element(walked, 0, stored=False, nest=(loop,))


def _nest(loop: Loop, here: Here) -> Iterator[Loop]:
    """A loop with those around it, as far as their passes consist of its: a short loop may be the least of them."""
    trips = here.trips(loop)
    for around in here.bodies.nest(loop):
        if around is not loop and trips is not None and trips <= _SHORT:
            if here.bodies.weight(around) != bodies.SCALAR:
                return
        yield around


def _counts(loop: Loop, here: Here) -> bool:
    """Whether a loop has a counter, or walks an array whose elements may serve as indices."""
    if here.bound(loop) is not None:
        return True
    match loop.iterated:
        case ast.Call() as call if any(
            isinstance(part, ast.Name) and part.id == "enumerate" for part in ast.walk(call)
        ):
            return True
    return _walks(loop, here)


def _is_certain(part: ast.expr, scope: Scope, here: Here) -> bool:
    """Whether an index is a number: a bare name that nothing is known of may as well be a list of indices."""
    return not isinstance(part, ast.Name) or here.tensor(part, scope).rank == 0 or "scalar" in here.kinds(part, scope)


def _may_be_array(base: ast.expr, scope: Scope, here: Here) -> bool:
    kinds = here.kinds(base, scope) - _VAGUE
    return not kinds or not kinds.isdisjoint(_TENSOR + _ARRAYS)


def _read_back(node: ast.expr, here: Here) -> bool:
    """Whether an element only becomes a Python number, which is another rule's to say."""
    match here.parent(node):
        case ast.Call(ast.Name("int" | "float" | "bool"), [only]) if only is node:
            return True
        case ast.Attribute(attr="item"):
            return True
    return False


def _candidate(
    node: ast.AST, loop: Loop, elements: list[_Element], here: Here, *, reads: bool
) -> tuple[int, Candidate | None]:
    """The candidate for one array, and its rank among those of the loop: tensors first, NumPy arrays last."""
    first = min(elements, key=lambda element: (-len(element.nest), element.axes))
    nested = len(first.nest) > 1
    if not nested and here.is_setup(node):
        return 0, None
    passes, clauses = _passes(first, here)
    if passes is None or (passes and passes <= _MANY):
        return 0, None
    kinds = here.kinds(first.base)
    term = here.term(first.base)
    if kinds.isdisjoint(_TENSOR + _ARRAYS):
        clauses.append(require(KindIs(term, _TENSOR + _ARRAYS), "it is a tensor or an array"))
    single = [RankIs(here.term(chain.base), len(chain.parts)) for chain in here.bodies.assumed(loop)]
    if all(element.axes for element in elements):
        single.append(RankIs(term, first.axes))
    clauses.extend(require(rank, "the accesses take single elements") for rank in dict.fromkeys(single))
    outer = first.nest[-1]
    function, number = here.number(outer.node)
    candidate = here.candidate(
        "MLS101",
        node,
        _MESSAGE,
        refute(Traced(here.owner(node)), "a compiler takes the loop apart"),
        grade(KindIs(term, _TENSOR), _IS_TENSOR),
        grade(Hot(function, number, WORK, STEP), _IS_HOT),
        *clauses,
        span=here.header(node) if isinstance(node, ast.For) else None,
        facts={
            "array": here.text(first.base),
            "nested": "yes" if nested else "no",
            "fills": "no" if reads else "yes",
            "passes": str(passes or ""),
        },
        group=str(loop.index),
        at=outer.node,
    )
    return (0 if "tensor" in kinds else 2 if kinds else 1), candidate


def _passes(element: _Element, here: Here) -> tuple[int | None, list[Clause]]:
    """How many passes the loops make together: a number, 0 for as many as there is data, None for too few.

    What cannot be told here is left as clauses.
    """
    literal = 1
    sizes: set[str] = set()
    told = [here.trips(loop) for loop in element.nest]
    clauses: list[Clause] = []
    for loop, trips in zip(element.nest, told, strict=True):
        if trips is not None:
            literal *= trips
            continue
        size = DATA if _walks(loop, here) else here.size(loop)
        bound = here.bound(loop)
        if size == OPEN and told.count(None) == 1:
            if bound is not None:
                clauses.append(require(ValueIs(here.term(bound), f"over {_MANY}"), "the loop has many passes"))
            elif not element.stored or len(told) > 1:
                return None, []
        elif size == OPEN and bound is not None:
            clauses.append(presume(ValueIs(here.term(bound), "at most 8"), ""))
        sizes.add(size)
    if not sizes:
        return literal, []
    if DATA in sizes or sizes == {OPEN}:
        return 0, clauses
    return None, []


def _walks(loop: Loop, here: Here) -> bool:
    """Whether the elements of an array are what a loop iterates."""
    part = here.walked(loop, (0,)) if isinstance(loop.target, ast.Tuple) else here.walked(loop)
    return part is not None and here.tensor(part, here.module.scopes[loop.scope]).rank == 1
