"""empty_cache gives memory back to the driver, so the next step has to ask for it again, which waits for the device."""

from __future__ import annotations

import gc

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import drained

_TENSORS = 200
_STEPS = 10


def _prepare(size: int, collect: bool) -> Twins:
    import torch

    sizes = [(100_000 << (number % 10)) * size // 100 for number in range(_TENSORS)]

    def steps(flush: bool) -> int:
        count = 0
        for _ in range(_STEPS):
            alive = [torch.empty(bytes_, dtype=torch.uint8, device="cuda").fill_(1) for bytes_ in sizes]
            count += len(alive)
            del alive
            if flush and collect:
                gc.collect()
            if flush:
                torch.cuda.empty_cache()
        return count

    return Twins(slow=lambda: steps(flush=True), fast=lambda: steps(flush=False), occurrences=_STEPS, clock=drained)


def prepare(size: int) -> Twins:
    return _prepare(size, collect=False)


def prepare_collected(size: int) -> Twins:
    return _prepare(size, collect=True)


BENCHMARK = Benchmark(
    id="allocator-flush",
    summary="steps that allocate 200 tensors, with torch.cuda.empty_cache() in each, and without",
    prepare=prepare,
    axis="percent of 0.1 to 51 MB",
    sizes=(10, 100),
    quick=(10, 100),
    typical=100,
    per="step",
    device="cuda",
    needs=("torch", "cuda"),
)
COLLECTED = Benchmark(
    id="allocator-flush-collected",
    summary="steps that allocate 200 tensors, with gc.collect() and empty_cache() in each, and without",
    prepare=prepare_collected,
    axis="percent of 0.1 to 51 MB",
    sizes=(10, 100),
    quick=(10, 100),
    typical=100,
    per="step",
    device="cuda",
    needs=("torch", "cuda"),
)
