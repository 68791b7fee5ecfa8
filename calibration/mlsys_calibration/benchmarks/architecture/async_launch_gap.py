"""A launch on a device returns at once, so a clock read without waiting shows the launch and not the work.

The "slow" value is how long the work takes, the "fast" one what an unsynchronised clock says of the same work.
"""

from __future__ import annotations

import time

from mlsys_calibration.benchmark import Benchmark, Reading, Twins

_PRODUCTS = 10


def prepare(size: int) -> Twins:
    import torch

    matrix = torch.randn(size, size, device="cuda", dtype=torch.float16)

    def timed(wait: bool) -> Reading:
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(_PRODUCTS):
            product = torch.mm(matrix, matrix)
        if wait:
            torch.cuda.synchronize()
        seconds = time.perf_counter() - begin
        torch.cuda.synchronize()
        return Reading(seconds, product)

    timed(wait=True)
    return Twins(slow=lambda: timed(wait=True), fast=lambda: timed(wait=False))


BENCHMARK = Benchmark(
    id="async-launch-gap",
    summary="ten matrix products as a clock sees them, with and without waiting for the device",
    prepare=prepare,
    axis="rows and columns",
    sizes=(512, 1024, 2048, 4096, 8192),
    quick=(1024, 4096),
    typical=4096,
    per="timed region",
    device="cuda",
    needs=("torch", "cuda"),
)
