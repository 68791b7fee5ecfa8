"""MLS401: a full garbage collection on every step, item or request."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from mlsys_advise.condition import Exists, Hot, grade, require
from mlsys_advise.edit import Fix, RemoveStatement
from mlsys_advise.heat import STEP, WORK
from mlsys_advise.here import Here
from mlsys_advise.languages.python.scopes import Region, classify
from mlsys_advise.rule import Answer, Candidate, rule
from mlsys_advise.term import Param

#: What a call on the way may be under without its being a habit: a policy, an accident, or beside something heavy.
_EXCUSES: Final = (
    Region.EVERY_K
    | Region.FIRST
    | Region.EXCEPT
    | Region.OOM
    | Region.DEBUG
    | Region.POLICY
    | Region.RELEASED
    | Region.ENDING
    | Region.DEAD
)
#: Names and routes of endpoints that exist to collect. They only excuse.
_ADMIN: Final = re.compile(r"collect|gc|memory|cache|flush|free|clean|clear|unload")
_COUNTERS: Final = re.compile(
    r"^(max_)?(memory_(allocated|reserved|cached|info|stats|summary)|mem_get_info)$|^reset_(peak|max)_memory|"
    r"^virtual_memory$|^getrusage$|^get_traced_memory$|^get_objects$|^tracemalloc$"
)
_OPT_OUT: Final = re.compile(r"disable|skip|no_gc")
_PAUSES: Final = frozenset({"time.sleep", "asyncio.sleep"})
_FREEZES: Final = "the heap is frozen at start-up"


def _settled(candidate: Candidate, answers: Mapping[str, Answer]) -> Candidate:
    return msgspec.structs.replace(candidate, severity="info") if answers[_FREEZES].value else candidate


@rule(
    "MLS401",
    severity="warning",
    category="performance",
    lesson="garbage-collection",
    evidence="gc-full-collection",
    words=("collect",),
    confirm=_settled,
)
def gc_collect_in_hot_path(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """A full collection visits every container of the process; reference counting has freed the tensors already."""
    if here.qualified(call.func) != "gc.collect" or not _is_full(call, here):
        return
    region = here.region(call)
    if region & ~Region.UNCONDITIONAL or region & _EXCUSES or here.in_test_file:
        return
    if not isinstance(here.parent(call), ast.Expr) or _is_endpoint(call, here) or _measures_or_waits(call, here):
        return
    if _returns_early(call, here) or _ends_a_run(call, here):
        return
    yield here.candidate(
        "MLS401",
        call,
        "gc.collect() walks every container object of the process on each {unit}; "
        "reference counting has already freed the tensors",
        require(Hot(*here.number(call), WORK, STEP, _EXCUSES), "it runs on every step"),
        grade(Exists(("gc.freeze",)), _FREEZES),
        fix=Fix("remove the collection", "suggested", (RemoveStatement(here.span(here.statement(call))),)),
    )


def _is_full(call: ast.Call, here: Here) -> bool:
    """Whether the oldest generation is collected, by default or by its number."""
    generation = here.argument(call, "generation", 0)
    return generation is None or here.literal(generation) == 2


def _returns_early(call: ast.Call, here: Here) -> bool:
    """Whether the function gives up before the call where a test of memory says so; `--disable-gc` is no such test."""
    for statement in here.before(here.statement(call)):
        for part in ast.walk(statement):
            if isinstance(part, ast.If) and any(isinstance(child, ast.Return | ast.Continue) for child in part.body):
                test = here.text(part.test)
                if classify(part.test) & Region.POLICY and not _OPT_OUT.search(test):
                    return True
    return False


def _ends_a_run(call: ast.Call, here: Here) -> bool:
    """Whether a loop in front of the call runs models again and again, as a sampler does: the pass is a whole run.

    A collection is nothing beside it. A loop over micro-batches, which goes backward, is part of a step.
    """
    for statement in here.before(here.statement(call)):
        for part in ast.walk(statement):
            if isinstance(part, ast.For | ast.While) and _runs_models(part, here):
                return True
    return False


def _runs_models(statement: ast.For | ast.While, here: Here) -> bool:
    """Whether each pass calls objects that the function was handed, hands on a result to the next, and only infers."""
    loop = here.loop(statement)
    if loop is None or not loop.carried:
        return False
    calls = [part for part in here.bodies.nodes(loop) if isinstance(part, ast.Call)]
    if any(isinstance(call.func, ast.Attribute) and call.func.attr == "backward" for call in calls):
        return False
    # A walk over layers calls each of them once: that is one pass through a network.
    walked = {part.id for part in ast.walk(loop.target) if isinstance(part, ast.Name)} if loop.target else set()
    return any(
        (isinstance(here.term(call.func), Param) or "module" in here.kinds(call.func))
        and not (isinstance(call.func, ast.Name) and call.func.id in walked)
        for call in calls
    )


def _is_endpoint(call: ast.Call, here: Here) -> bool:
    """Whether names say that the function is an endpoint that exists to collect."""
    function = here.function(call)
    name = function.qualname.rpartition(".")[2]
    node = function.node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    routes = [
        arg.value
        for one in node.decorator_list
        if isinstance(one, ast.Call)
        for arg in one.args
        if isinstance(arg, ast.Constant)
    ]
    return bool(routes) and any(_ADMIN.search(str(text).lower()) for text in (name, *routes))


def _measures_or_waits(call: ast.Call, here: Here) -> bool:
    """Whether memory is measured around the call, or the loop around it sleeps."""
    loops = here.loops(call)
    around = loops[0].node if loops else here.function(call).node
    for other in here.calls(around):
        if isinstance(other.func, ast.Attribute | ast.Name):
            name = other.func.attr if isinstance(other.func, ast.Attribute) else other.func.id
            if _COUNTERS.search(name) or (loops and name == "sleep" and here.qualified(other.func) in _PAUSES):
                return True
    return False
