"""``x.contiguous().data_ptr()`` outlives the copy it points to, and the allocator hands the address to the next tensor.

Not a timing: the share of pointers whose memory has been given to another tensor, with and without the copy kept.
"""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Reading, Twins

_SHAPE = (384, 512)


def _reused(count: int, keep: bool, device: str) -> Reading:
    import torch

    transposed = torch.rand(_SHAPE[::-1], device=device).t()
    reused = 0
    for _ in range(count):
        copy = transposed.contiguous()
        address = copy.data_ptr()
        if not keep:
            del copy
        fresh = torch.zeros(_SHAPE, device=device)
        reused += fresh.data_ptr() == address
    return Reading(reused / count, count)


def prepare(size: int) -> Twins:
    return Twins(slow=lambda: _reused(size, False, "cpu"), fast=lambda: _reused(size, True, "cpu"))


def prepare_cuda(size: int) -> Twins:
    return Twins(slow=lambda: _reused(size, False, "cuda"), fast=lambda: _reused(size, True, "cuda"))


BENCHMARK = Benchmark(
    id="freed-pointer-reuse",
    summary="addresses of a dropped contiguous copy that the next tensor receives",
    prepare=prepare,
    axis="allocations",
    sizes=(200,),
    quick=(200, 200),
    typical=200,
    per="pointer",
    quantity="share",
    needs=("torch",),
)
ON_CUDA = Benchmark(
    id="freed-pointer-reuse.cuda",
    summary="addresses of a dropped contiguous copy that the next tensor receives, on the device",
    prepare=prepare_cuda,
    axis="allocations",
    sizes=(200,),
    quick=(200, 200),
    typical=200,
    per="pointer",
    quantity="share",
    device="cuda",
    needs=("torch", "cuda"),
)
