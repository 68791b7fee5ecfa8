"""An exception holds its traceback, the traceback the frames, the frames their locals: all alive in the handler.

Inside ``except``, memory of the failed attempt cannot be used again for the retry; after the block it can.
"""

from __future__ import annotations

import contextlib
import gc

from mlsys_calibration.benchmark import Benchmark, Reading, Twins
from mlsys_calibration.host_memory import HostMemory

_FRAMES = 8


class _OutOfMemory(Exception):
    pass


def prepare(size: int) -> Twins:
    import numpy

    def attempt(depth: int) -> None:
        activations = numpy.ones(size // _FRAMES, dtype=numpy.uint8)
        if depth == 1:
            raise _OutOfMemory(str(activations[0]))
        attempt(depth - 1)

    def inside() -> Reading:
        meter = HostMemory()
        meter.begin()
        try:
            attempt(_FRAMES)
        except _OutOfMemory:
            gc.collect()
            held = meter.held()
        return Reading(float(held), 1)

    def after() -> Reading:
        meter = HostMemory()
        meter.begin()
        with contextlib.suppress(_OutOfMemory):
            attempt(_FRAMES)
        gc.collect()
        return Reading(float(meter.held()), 1)

    return Twins(slow=inside, fast=after)


def prepare_tensors(size: int) -> Twins:
    import torch

    def attempt() -> None:
        batch = [torch.ones(size // 8 // 4) for _ in range(8)]
        raise _OutOfMemory(str(len(batch)))

    def measured(inside: bool) -> Reading:
        meter = HostMemory()
        meter.begin()
        held = 0
        try:
            attempt()
        except _OutOfMemory:
            gc.collect()
            held = meter.held()
        gc.collect()
        return Reading(float(held if inside else meter.held()), 1)

    return Twins(slow=lambda: measured(inside=True), fast=lambda: measured(inside=False))


BENCHMARK = Benchmark(
    id="exception-frame-retention",
    summary="memory of eight frames that is held inside the except block, and after it",
    prepare=prepare,
    axis="bytes allocated",
    sizes=(40_000_000, 400_000_000),
    quick=(40_000_000, 400_000_000),
    typical=400_000_000,
    per="failed attempt",
    quantity="held-host-bytes",
    needs=("numpy",),
)
TENSORS = Benchmark(
    id="traceback-retention",
    summary="memory of eight tensors of a failed attempt that is held inside the handler, and after it",
    prepare=prepare_tensors,
    axis="bytes allocated",
    sizes=(16_000_000, 128_000_000),
    quick=(16_000_000, 128_000_000),
    typical=128_000_000,
    per="failed attempt",
    quantity="held-host-bytes",
    needs=("torch",),
)
