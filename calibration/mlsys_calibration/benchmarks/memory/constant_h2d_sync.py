"""A constant that is built on the host in each forward pass is copied in each, and the copy waits for the stream.

The host's part, building the tensor, costs on any machine; the wait only on a device.
"""

from __future__ import annotations

import time

from mlsys_calibration.benchmark import Benchmark, Reading, Twins
from mlsys_calibration.benchmarks.cuda import load

_QUEUED = 0.005


def prepare(size: int) -> Twins:
    import torch

    values = [0.5] * size
    module = torch.nn.Module()
    module.register_buffer("mean", torch.tensor(values).view(1, -1, 1, 1))
    return Twins(
        slow=lambda: torch.tensor(values).view(1, -1, 1, 1).to("cpu"),
        fast=lambda: module.mean,
    )


def prepare_cuda(size: int) -> Twins:
    import torch

    values = [0.5] * size
    resident = torch.tensor(values, device="cuda")
    queued = load(_QUEUED)

    def blocked(build: bool) -> Reading:
        """Host seconds that the use of the constant takes while the stream is busy."""
        torch.cuda.synchronize()
        queued()
        begin = time.perf_counter()
        constant = torch.tensor(values, device="cuda") if build else resident
        seconds = time.perf_counter() - begin
        return Reading(seconds, constant.cpu())

    return Twins(slow=lambda: blocked(build=True), fast=lambda: blocked(build=False))


BENCHMARK = Benchmark(
    id="constant-h2d-sync",
    summary="a constant built from a list in each call, and read from a buffer: the host's part alone",
    prepare=prepare,
    axis="values",
    sizes=(3, 1000),
    quick=(3, 1000),
    typical=3,
    needs=("torch",),
)
ON_CUDA = Benchmark(
    id="constant-h2d-sync.cuda",
    summary="a constant copied to a device whose stream has 5 ms of work, and one that is there",
    prepare=prepare_cuda,
    axis="values",
    sizes=(3, 1000),
    quick=(3, 1000),
    typical=3,
    device="cuda",
    needs=("torch", "cuda"),
)
