"""MLS115: a clock is read before the device has finished."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import AnyOf, Clause, HasProperty, refute, require
from mlsys_advise.here import Here
from mlsys_advise.languages.python.device_work import ASK, STEP, WAIT, WORK
from mlsys_advise.languages.python.scopes import Region
from mlsys_advise.rule import Candidate, rule
from mlsys_advise.term import Term

_CLOCKS: Final = re.compile(
    r"^(time\.(time|perf_counter|monotonic|process_time)(_ns)?|timeit\.default_timer|datetime\.datetime\.(now|utcnow))$"
)
#: Repeats of a measurement; a loop that runs longer is a run, whose last steps do not matter.
_MOST_REPEATS: Final = 1000
_ISSUES: Final = "issues"
_WAITS: Final = "waits"


@rule(
    "MLS115",
    severity="warning",
    category="reliability",
    lesson="performance-counters",
    evidence="async-launch-gap",
    words=(
        "time",
        "time_ns",
        "perf_counter",
        "perf_counter_ns",
        "monotonic",
        "monotonic_ns",
        "process_time",
        "default_timer",
        "now",
    ),
)
def async_device_timing(difference: ast.BinOp, here: Here) -> Iterator[Candidate]:
    """Calls on a device return when the work is queued: a clock read then shows the launch, and not the work."""
    if not isinstance(difference.op, ast.Sub) or here.is_test:
        return
    first, last = _reading(difference.right, here, stored=True), _reading(difference.left, here, stored=False)
    if first is None or last is None or isinstance(here.parent(difference), ast.Compare):
        return
    interval = _interval(first, last, here)
    if not interval or _is_run(interval, here):
        return
    clauses = _conditions(first, last, interval, here)
    if clauses is None:
        return
    yield here.candidate(
        "MLS115",
        difference if last is difference.left else last,
        "`{interval}` ends before the device has finished: it times the queueing of the work; synchronise before "
        "the clock is read",
        *clauses,
        facts={"interval": here.text(difference)},
        group=f"{last.lineno}:{last.col_offset}",
        related=((first, "the interval begins here"),),
    )


def _reading(node: ast.expr, here: Here, *, stored: bool) -> ast.Call | None:
    """The call that read the clock for an operand: the operand itself, or what its name was assigned."""
    source = here.source_of(node)
    if stored and source is node:
        return None
    match source:
        case ast.Call(func, [], []) if _CLOCKS.match(here.qualified(here.source_of(func)) or here.named(func)):
            return source
    return None


def _interval(first: ast.Call, last: ast.Call, here: Here) -> list[ast.stmt]:
    """The statements of the block from one reading to the other; none if they do not stand in one block."""
    begin, end = here.statement(first), here.statement(last)
    block = here.block(begin)
    if begin is end or end not in block or block.index(end) < block.index(begin):
        return []
    return block[block.index(begin) : block.index(end) + 1]


def _is_run(interval: list[ast.stmt], here: Here) -> bool:
    """Whether the interval covers a loop over data or a whole run, or a profiler that has costs of its own."""
    for statement in interval:
        for part in ast.walk(statement):
            if isinstance(part, ast.Call) and here.region(part) & Region.PROFILER:
                return True
            if isinstance(part, ast.For | ast.AsyncFor | ast.While) and not _repeats(part, here):
                return True
    return False


def _repeats(statement: ast.For | ast.AsyncFor | ast.While, here: Here) -> bool:
    """Whether a loop does the same thing a number of times, or does little."""
    loop = here.loop(statement)
    if loop is None or not isinstance(statement, ast.For):
        return False
    trips = here.trips(loop)
    if trips is not None:
        return trips <= _MOST_REPEATS
    if here.bound(loop) is None:
        return here.size(loop) == "small"
    counter = statement.target.id if isinstance(statement.target, ast.Name) else ""
    inside = [part for child in statement.body for part in ast.walk(child)]
    used = any(isinstance(part, ast.Name) and part.id == counter for part in inside)
    trains = any(isinstance(part, ast.Attribute) and part.attr == "backward" for part in inside)
    return not used and not trains


def _conditions(first: ast.Call, last: ast.Call, interval: list[ast.stmt], here: Here) -> list[Clause] | None:
    """What remains to be asked; None if there is no work in the interval, or it is waited for."""
    events = here.device_work.events(first, last, interval)
    waits = [number for number, (event, _) in enumerate(events) if event == WAIT]
    tail = events[waits[-1] + 1 :] if waits else events
    sorts = [event for event, _ in tail]
    if STEP not in sorts and _uploads_after_work(events, waits, here):
        return None
    steps = any(event == STEP for event, part in events if _is_backward(part)) and STEP in sorts
    begin = 0
    clauses: list[Clause] = []
    if WORK in sorts:
        begin = len(sorts) - 1 - sorts[::-1].index(WORK) + 1
    elif steps:
        begin = len(sorts) - 1 - sorts[::-1].index(STEP) + 1
        clauses.append(_issue([part for event, part in events if event == ASK], here))
    elif ASK in sorts:
        clauses.append(_issue([part for event, part in tail if event == ASK], here))
    else:
        return None
    if any(isinstance(clause.condition, AnyOf) and not clause.condition.options for clause in clauses):
        return None
    for callee in _callees([part for event, part in tail[begin:] if event == ASK], here):
        clauses.append(refute(HasProperty(callee, _WAITS), "nothing called in between waits for the device"))
    return clauses


def _uploads_after_work(events: list[tuple[str, ast.expr]], waits: list[int], here: Here) -> bool:
    """Whether the last wait is a copy from the host behind work, or what may be work: what follows is a small rest."""
    if not waits:
        return False
    _, last = events[waits[-1]]
    copies = isinstance(last, ast.Call) and here.device_work.uploads(last)
    return copies and any(event != WAIT for event, _ in events[: waits[-1]])


def _is_backward(part: ast.expr) -> bool:
    match part:
        case ast.Call(ast.Attribute(attr="backward")):
            return True
    return False


def _issue(calls: list[ast.expr], here: Here) -> Clause:
    options = tuple(HasProperty(callee, _ISSUES) for callee in _callees(calls, here))
    return require(AnyOf(options), "something called in between works on an accelerator")


def _callees(calls: list[ast.expr], here: Here) -> list[Term]:
    return list(dict.fromkeys(here.term(call.func) for call in calls if isinstance(call, ast.Call)))
