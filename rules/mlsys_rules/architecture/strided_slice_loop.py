"""MLS102: a loop that takes an array apart along an axis that is not the leading one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from mlsys_advise.condition import Clause, Hot, KindIs, RankIs, Traced, ValueIs, grade, presume, refute, require
from mlsys_advise.heat import STEP, WORK
from mlsys_advise.here import Here
from mlsys_advise.languages.python import bodies, indices, loops
from mlsys_advise.languages.python.scopes import Loop
from mlsys_advise.languages.python.shapes import COLUMNS, PERMUTED
from mlsys_advise.rule import Answer, Candidate, rule

#: Kinds that understand slices and are not stored by rows.
_OTHERS: Final = (
    "ndarray_fortran",
    "sparse",
    "frame",
    "frame_part",
    "series",
    "lazy_frame",
    "container",
    "list",
    "dict",
    "str",
)
_ARRAYS: Final = ("tensor", "ndarray", "np_loaded", "cupy_array")
_ON_HOST: Final = ("ndarray", "np_loaded", "ndarray_or_scalar")
_FEW: Final = 16
_IS_HOST: Final = "it is a NumPy array"
_IS_LAST: Final = "the walked axis is the last one"
_IS_HOT: Final = "it runs for every step, item or request"
_MESSAGE: Final = (
    "the loop takes `{array}` apart along {axis}: each pass touches one element of every row and is an operation of "
    "its own; one expression over the whole array streams through it once"
)


class _Walk(msgspec.Struct, frozen=True):
    """An array with the way in which a loop walks it.

    ``last`` says whether the walked axis is the last one, None if it is in an array of ``axes`` axes.
    """

    node: ast.expr
    array: ast.expr
    axes: int
    last: bool | None


def _settle(candidate: Candidate, answers: Mapping[str, Answer]) -> Candidate | None:
    """A warning for the last axis and for hot code; a middle axis in host memory counts only where it is hot."""
    last = candidate.facts["last"] == "yes" or (_IS_LAST in answers and answers[_IS_LAST].value is True)
    facts = candidate.facts | {"axis": "its last axis" if last else "an axis that is not the leading one"}
    if last or answers[_IS_HOT].value:
        return msgspec.structs.replace(candidate, facts=facts)
    if candidate.facts["host"] == "yes" or answers[_IS_HOST].value:
        return None
    return msgspec.structs.replace(candidate, facts=facts, severity="info")


@rule(
    "MLS102",
    severity="warning",
    category="performance",
    lesson="caches",
    evidence="column-walk",
    optin=True,
    confirm=_settle,
)
def strided_slice_loop(
    node: ast.For | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, here: Here
) -> Iterator[Candidate]:
    """The numbers of a column lie a row apart: each costs a cache line of its own, and each pass an operation."""
    loop = here.loops_of(node)[-1]
    if not here.bodies.innermost(loop) or not here.bodies.straight(loop):
        return
    walks = _walks(loop, here)
    if not walks or not here.bodies.works_on(loop, {walk.node for walk in walks}):
        return
    if here.bodies.weight(loop) not in (bodies.SCALAR, bodies.LIGHT) or _needs_other_passes(loop, here):
        return
    length = _long(loop, here)
    if length is None or here.is_reference(node) or here.is_setup(node):
        return
    walk = max(walks, key=lambda walk: (walk.last is True, walk.last is None))
    term = here.term(walk.array)
    function, number = here.number(node)
    yield here.candidate(
        "MLS102",
        node,
        _MESSAGE,
        *length,
        *(presume(KindIs(here.term(one.array), _OTHERS), "") for one in walks),
        refute(Traced(here.owner(node)), "a compiler takes the loop apart"),
        require(KindIs(term, _ARRAYS), "it is an array") if _unproved(walk, loop, here) else None,
        grade(KindIs(term, _ON_HOST), _IS_HOST),
        grade(RankIs(term, walk.axes), _IS_LAST) if walk.last is None else None,
        grade(Hot(function, number, WORK, STEP), _IS_HOT),
        span=here.header(node) if isinstance(node, ast.For) else None,
        facts={
            "array": here.text(walk.array),
            "last": "yes" if walk.last else "no",
            "host": "yes" if here.tensor(walk.array).device == "host" else "no",
        },
    )


def _walks(loop: Loop, here: Here) -> list[_Walk]:
    """The arrays that a loop walks along an axis that is not the leading one; none if one is indexed otherwise."""
    found: list[_Walk] = []
    array = _transposed(loop.iterated)
    if array is not None and isinstance(loop.target, ast.Name):
        if not _by_rows(array, here):
            return []
        name = loop.target.id
        found.extend(
            _Walk(node, array, 2, last=True)
            for node in here.bodies.nodes(loop)
            if isinstance(node, ast.Name) and node.id == name
        )
    elif here.bound(loop) is None:
        return []
    for node in here.bodies.nodes(loop):
        if not isinstance(node, ast.Subscript):
            continue
        parts = tuple(indices.parts_of(node.slice))
        moving = [part for part in parts if indices.depends(part, loop, here.module)]
        if any(indices.shifted(part, loop, here.module) is None for part in moving):
            return []
        axis = indices.walked_axis(parts, loop, here.module)
        if axis is None:
            continue
        if not _by_rows(node.value, here):
            return []
        found.append(_walk(node, parts, axis, here))
    return found


def _walk(node: ast.Subscript, parts: tuple[ast.expr, ...], axis: int, here: Here) -> _Walk:
    """Whether the walked axis is the last one: nothing follows it behind `...`, or the rank is known."""
    sorts = [indices.sort(part) for part in parts]
    behind = [sort for sort in sorts[axis + 1 :] if sort != indices.NEW_AXIS]
    position = axis - sorts[:axis].count(indices.NEW_AXIS)
    rank = here.tensor(node.value).rank
    last: bool | None
    if behind or indices.ELLIPSIS in sorts:
        last = not behind
    else:
        last = None if rank is None else position == rank - 1
    return _Walk(node, node.value, position + 1, last)


def _by_rows(array: ast.expr, here: Here) -> bool:
    """Whether nothing speaks against an array that is stored by rows."""
    if here.tensor(array).order in (COLUMNS, PERMUTED):
        return False
    return here.kinds(array).isdisjoint(_OTHERS)


def _transposed(iterated: ast.expr | None) -> ast.expr | None:
    """The array whose columns `x.T` or `x.t()` yields."""
    match iterated:
        case ast.Attribute(array, "T") | ast.Call(ast.Attribute(array, "t"), []):
            return array
    return None


def _unproved(walk: _Walk, loop: Loop, here: Here) -> bool:
    """Whether nothing shows that it is an array that is walked: `x[:, i]` is proof, `x.T` is none."""
    return _transposed(loop.iterated) is not None and here.tensor(walk.array).rank is None


def _needs_other_passes(loop: Loop, here: Here) -> bool:
    """Whether a pass reads what another one has stored, or carries anything but a sum or an extreme along."""
    if here.bodies.carried(loop):
        return True
    stored: dict[str, str] = {}
    for node in here.bodies.nodes(loop):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            place = indices.key(node.value)
            index = _index(node, loop, here)
            if place is None or not index or stored.setdefault(place, index) != index:
                return True
    for node in here.bodies.nodes(loop):
        if isinstance(node, ast.Name | ast.Attribute) and indices.key(node) in stored:
            around = here.parent(node)
            if isinstance(around, ast.Attribute):
                continue
            if not isinstance(around, ast.Subscript) or _index(around, loop, here) != stored[indices.key(node) or ""]:
                return True
    return False


def _index(node: ast.Subscript, loop: Loop, here: Here) -> str:
    """The parts of an index that follow the loop, with their positions, as text."""
    parts = enumerate(indices.parts_of(node.slice))
    return ", ".join(f"{at}: {ast.unparse(part)}" for at, part in parts if indices.depends(part, loop, here.module))


def _long(loop: Loop, here: Here) -> list[Clause] | None:
    """What remains to be asked about the number of passes; None if there are too few."""
    trips = here.trips(loop)
    if trips is not None:
        return [] if trips > _FEW else None
    bound = here.bound(loop)
    match here.size(loop):
        case loops.DATA:
            return []
        case loops.OPEN if bound is not None:
            return [require(ValueIs(here.term(bound), f"over {_FEW}"), "the loop has many passes")]
        case loops.OPEN:
            return []
        case _:
            return None
