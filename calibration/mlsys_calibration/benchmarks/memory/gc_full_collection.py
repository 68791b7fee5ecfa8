"""A full collection visits every container that the process holds, whether or not there is anything to free."""

from __future__ import annotations

import gc

from mlsys_calibration.benchmark import Benchmark, Twins


def prepare(size: int) -> Twins:
    gc.unfreeze()
    held = [{"box": [number]} for number in range(size)]  # a dict of numbers alone would not be tracked
    gc.collect()

    def visit_all() -> tuple[int, int]:
        gc.unfreeze()
        return gc.collect(), len(held)

    def visit_none() -> tuple[int, int]:
        gc.freeze()  # moves all that lives into a generation that is never visited
        return gc.collect(), len(held)

    return Twins(slow=visit_all, fast=visit_none)


BENCHMARK = Benchmark(
    id="gc-full-collection",
    summary="gc.collect() on a heap that holds torch and so many dicts, and on one that is frozen",
    prepare=prepare,
    axis="dicts beside torch's objects",
    sizes=(1000, 100_000, 300_000, 1_000_000, 3_000_000),
    quick=(1000, 300_000),
    typical=1000,
    needs=("torch",),
    limit=60.0,
)
