"""Each ``.item()`` makes a tensor of one element, dispatches a kernel and boxes a number; on a device it also waits."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import drained, load


def prepare(size: int) -> Twins:
    import torch

    tensor = torch.arange(size, dtype=torch.float32)
    return Twins(
        slow=lambda: [tensor[index].item() for index in range(size)],
        fast=tensor.tolist,
        occurrences=size,
    )


def prepare_cuda(size: int) -> Twins:
    import torch

    tensor = torch.arange(size, dtype=torch.float32, device="cuda")
    queued = load(0.001)  # what a read has to wait for

    def one_by_one() -> list[float]:
        queued()
        return [tensor[index].item() for index in range(size)]

    def at_once() -> list[float]:
        queued()
        return list(tensor.tolist())

    return Twins(slow=one_by_one, fast=at_once, occurrences=size, clock=drained)


BENCHMARK = Benchmark(
    id="scalar-readback",
    summary="t[i].item() in a loop, and t.tolist()",
    prepare=prepare,
    axis="elements",
    sizes=(16, 64, 256, 1024, 4096),
    quick=(64, 4096),
    typical=64,
    per="element",
    needs=("torch",),
)
ON_CUDA = Benchmark(
    id="scalar-readback.cuda",
    summary="t[i].item() in a loop, and t.tolist(), each behind 1 ms of queued work",
    prepare=prepare_cuda,
    axis="elements",
    sizes=(16, 64, 256, 1024, 4096),
    quick=(64, 4096),
    typical=64,
    per="element",
    device="cuda",
    needs=("torch", "cuda"),
)
