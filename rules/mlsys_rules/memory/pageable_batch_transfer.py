"""MLS413: loader workers prepare batches that go to the GPU from pageable memory."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import BatchWeighs, KindIs, Uses, ValueIs, refute, require
from mlsys_advise.edit import Fix, SetKeyword
from mlsys_advise.here import Here, Hidden
from mlsys_advise.rule import Candidate, rule

#: CUDA stages up to 64 KiB of pageable memory at once and lets the thread go on; for more it fills one staging buffer
#: after the other while the thread waits. A million bytes take 80 us even at the 12 GB/s of pinned memory on PCIe 3.0
#: x16: the time in which it could have launched more than ten kernels, on every step.
_BYTES: Final = 1_000_000
#: Who trains with fewer samples does so because the model needs the memory: it computes far longer on each byte than
#: its copy takes.
_SAMPLES: Final = 8
#: The position of `num_workers`.
_WORKERS: Final = 5


@rule(
    "MLS413",
    severity="warning",
    category="performance",
    lesson="zero-copy",
    evidence="pinned-transfer",
)
def pageable_batch_transfer(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """From pageable memory the driver copies each batch twice, and the thread that launches kernels waits for it."""
    if not here.speaks_of_loaders or not (call.keywords or len(call.args) > _WORKERS):
        return
    if not _may_be_loader(call, here) or here.in_test_file:
        return
    pin = here.argument(call, "pin_memory", 7)
    workers = here.argument(call, "num_workers", _WORKERS)
    if workers is None or isinstance(workers, Hidden) or here.is_constant(workers, 0):
        return
    if isinstance(pin, Hidden) or (pin is not None and not here.is_constant(pin, False)):
        return
    record = here.record(call)
    if record is None:
        return
    kind = None if "loader" in here.kinds(call) else require(KindIs(here.term(call), ("loader",)), "it is a loader")
    yield here.candidate(
        "MLS413",
        call,
        "{workers} workers load batches of at least {bytes}, which go to the GPU from pageable memory: the driver "
        "copies each one twice and nothing overlaps with it; pass pin_memory=True",
        kind,
        require(ValueIs(here.term(_number(workers)), "positive"), "workers load the data"),
        require(Uses(*record, "batches reach a GPU"), "its batches go to a GPU"),
        refute(Uses(*record, "pins by itself"), "its class leaves pinning to the caller"),
        refute(Uses(*record, "batches cannot be pinned"), "its batches can be pinned"),
        require(BatchWeighs(*record, _SAMPLES, _BYTES), "its batches are large"),
        facts={"workers": "its"},
        fix=_fix(call, pin, here),
    )


def _fix(call: ast.Call, pin: ast.expr | None, here: Here) -> Fix | None:
    """The keyword; a call that gives the value by position cannot be given it again."""
    if any(pin is argument for argument in call.args):
        return None
    return Fix("pin the batches", "suggested", (SetKeyword(here.span(call), "pin_memory", "True"),))


def _may_be_loader(call: ast.Call, here: Here) -> bool:
    """Cheap: by its last name, or by what an alias of something with workers stands for."""
    func = call.func
    name = func.attr if type(func) is ast.Attribute else func.id if type(func) is ast.Name else ""
    if "oader" in name:
        return True
    for keyword in call.keywords:
        if keyword.arg == "num_workers":
            return (here.qualified(call.func) or "").endswith("DataLoader")
    return False


def _number(node: ast.expr) -> ast.expr:
    """A number without `int(..)` around it."""
    match node:
        case ast.Call(ast.Name("int"), [inner], []):
            return inner
    return node
