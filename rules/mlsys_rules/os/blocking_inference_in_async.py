"""MLS203: inference, or a synchronous client, on the thread of the event loop."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import Clause, HasProperty, Hot, ServesLocally, presume, refute, require
from mlsys_advise.heat import ONCE, SERVING, SETUP, STEP, TEST
from mlsys_advise.here import Here
from mlsys_advise.languages.python.scopes import Region
from mlsys_advise.library.waiting import READING_FUNCTIONS
from mlsys_advise.rule import Candidate, rule
from mlsys_advise.term import UNKNOWN

_FRAMEWORKS: Final = (
    "fastapi",
    "starlette",
    "aiohttp.web",
    "sanic",
    "quart",
    "litestar",
    "ray.serve",
    "bentoml",
    "kserve",
    "chainlit",
)
#: Names of coroutines that run when the server starts or ends. They only excuse.
_STARTING: Final = re.compile(
    r"^_*(init|load|setup|set_up|start|stop|boot|warm|main|serve|run|create|build|lifespan|prepare|close|shutdown|"
    r"aenter|aexit|connect|download|test|refresh|reload|ingest|index)"
)
#: What is read from memory does not wait for a disk.
_IN_MEMORY: Final = frozenset({"bytes_io", "request_bytes", "bytes", "outside_bytes"})


@rule(
    "MLS203",
    severity="warning",
    category="performance",
    lesson="processes-threads",
    evidence="event-loop-stall",
    words=("async",),
)
def blocking_inference_in_async(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """The event loop is one thread: while a call computes there, no other request, stream or health check moves."""
    function = here.function(call)
    if not isinstance(function.node, ast.AsyncFunctionDef) or here.in_test_file or here.imports("flask"):
        return
    if here.path.endswith(".ipynb"):  # what a notebook serves is a demonstration
        return
    if _is_awaited(call, here) or here.region(call) & (Region.LAZY | Region.DEAD) or _reads_memory(call, here):
        return
    if _reads_fixed_file(call, here) or _gives_nothing(call):
        return
    callee = here.term(call.func)
    if callee == UNKNOWN:
        return
    for clause in _serves(call, here):
        yield here.candidate(
            "MLS203",
            call,
            "{call}() runs on the thread of the event loop ({inner}): until it returns, `async def {function}` and all "
            "other requests, streams and health checks of this process stand still",
            require(HasProperty(callee, "blocks"), "it computes, or waits for a network, on its thread"),
            clause,
            refute(ServesLocally(), "it listens on a local socket alone"),
            facts={"call": here.text(call.func), "function": function.qualname.rpartition(".")[2]},
            group=f"{call.lineno}:{call.col_offset}",
        )


def _is_awaited(call: ast.Call, here: Here) -> bool:
    if here.site(call).awaited:
        return True
    match here.parent(call):
        case ast.AsyncFor(iter=iterated):
            return iterated is call
        case ast.withitem() as item:
            return isinstance(here.parent(item), ast.AsyncWith)
    return False


def _reads_memory(call: ast.Call, here: Here) -> bool:
    """Whether what is decoded is in memory already."""
    first = call.args[0] if call.args else None
    if (
        first is None
        or not isinstance(call.func, ast.Attribute)
        or not call.func.attr.startswith(("read", "im", "load"))
    ):
        return False
    return bool(here.kinds(first) & _IN_MEMORY)


def _reads_fixed_file(call: ast.Call, here: Here) -> bool:
    """Whether a file is read whose name the code says: no request makes it large."""
    if here.callee(call) not in READING_FUNCTIONS or not call.args:
        return False
    return all(
        isinstance(leaf, ast.Constant) or here.callee_of(leaf).startswith(("os.", "pathlib.", "tempfile."))
        for leaf in here.origins(call.args[0])
    )


def _gives_nothing(call: ast.Call) -> bool:
    """Whether the function is handed an empty collection alone, for which it may do nothing."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return bool(given) and all(isinstance(one, ast.List | ast.Tuple) and not one.elts for one in given)


def _serves(call: ast.Call, here: Here) -> Iterator[Clause]:
    """What shows that the coroutine runs on the loop of a server: a handler reaches it, or its file is part of one."""
    owner = here.owner(call)
    yield require(Hot(owner, -1, SERVING, STEP), "requests reach it")
    if here.imports(*_FRAMEWORKS) and not _STARTING.search(owner.rpartition(".")[2]):
        yield presume(Hot(owner, -1, SETUP | TEST, ONCE), "it does not only run when the server starts")
