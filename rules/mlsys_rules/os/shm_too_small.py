"""MLS211: containers whose processes share tensors through the 64 MB that a runtime gives to /dev/shm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import PatchedMemory, StartsWorkers, refute, require
from mlsys_advise.here import Manifest
from mlsys_advise.languages.kubernetes import Site
from mlsys_advise.project.shared_memory import DEFAULT_BYTES, DefaultSize, Sized
from mlsys_advise.rule import Candidate, rule

#: Bytes below which a limit is taken for an oversight.
_SMALL: Final = 512_000_000
#: Accelerators whose frameworks have no use for PyTorch's shared memory.
_OTHER_DEVICES: Final = ("google.com/tpu", "aws.amazon.com/neuron")
_NOTHING: tuple[tuple[str, str], ...] = ()


@rule(
    "MLS211",
    severity="warning",
    category="reliability",
    lesson="containers",
)
def shm_too_small(site: Site, here: Manifest) -> Iterator[Candidate]:
    """Workers and ranks hand tensors over through /dev/shm; writing past its end kills them with a bus error."""
    if site.container.init or here.in_test_file or here.launches_elsewhere(site):
        return
    if any(name.startswith(_OTHER_DEVICES) for name, _ in site.container.limits.devices):
        return
    match here.shared_memory(site):
        case DefaultSize():
            size, related = f"the runtime's {DEFAULT_BYTES >> 20} MB", _NOTHING
        case Sized(limit, key) if limit < _SMALL:
            size, related = _readable(limit), ((key, "the limit"),)
        case _:
            return
    yield here.candidate(
        "MLS211",
        site,
        "container `{name}` {evidence}, with {size} of /dev/shm: the first batch or NCCL buffer that does not fit "
        "kills it with a bus error",
        require(StartsWorkers(site.key), "its processes share memory"),
        refute(PatchedMemory(site.key), "a patch gives it shared memory"),
        facts={"size": size},
        related=related,
    )


def _readable(count: int) -> str:
    return f"{count / 1_000_000:.3g} MB"
