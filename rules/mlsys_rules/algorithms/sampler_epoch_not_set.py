"""MLS620: a DistributedSampler whose epoch nobody sets."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlsys_advise.condition import HandedTo, SharesGradients, Uses, refute, require
from mlsys_advise.here import HIDDEN, Here
from mlsys_advise.rule import Candidate, rule

_OWNERS = ("lightning_module", "lightning_datamodule", "trainer", "accelerator", "fabric")


@rule(
    "MLS620",
    severity="warning",
    category="reproducibility",
    lesson="randomized",
    words=("DistributedSampler",),
)
def sampler_epoch_not_set(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """The sampler shuffles with seed + epoch; if no one sets the epoch, every epoch replays the same order."""
    if here.qualified(call.func) != "torch.utils.data.DistributedSampler" or here.in_test_file:
        return
    shuffle = here.argument(call, "shuffle", 3)
    if shuffle is HIDDEN or here.is_constant(shuffle, False):
        return
    record = here.record(call)
    if record is None or here.loops(call):
        return
    yield here.candidate(
        "MLS620",
        call,
        "this DistributedSampler shuffles with seed + epoch, and its epoch is never set: every epoch replays the same "
        "order; call set_epoch(epoch) at the start of each epoch",
        require(
            Uses(*record, "iterated in training epochs without set_epoch"),
            "its loader trains once an epoch, and nothing there calls set_epoch",
        ),
        require(SharesGradients(), "the ranks of its program share their gradients"),
        refute(HandedTo(*record, _OWNERS), "no framework sets the epoch"),
    )
