"""A cache on a method has ``self`` in its keys, so it keeps each instance alive, and the tensors it holds."""

from __future__ import annotations

import functools
import gc

from mlsys_calibration.benchmark import Benchmark, Twins

_ROUNDS = 4


def prepare(size: int) -> Twins:
    import numpy

    class Cached:
        def __init__(self) -> None:
            self.weights = numpy.ones(size, dtype=numpy.uint8)

        @functools.lru_cache  # noqa: B019
        def width(self, layer: int) -> int:
            return layer + 1

    class Plain:
        def __init__(self) -> None:
            self.weights = numpy.ones(size, dtype=numpy.uint8)
            self.widths: dict[int, int] = {}

        def width(self, layer: int) -> int:
            return self.widths.setdefault(layer, layer + 1)

    def rounds(made: type[Cached] | type[Plain]) -> int:
        total = 0
        for _ in range(_ROUNDS):
            total += made().width(1)
            gc.collect()
        return total

    return Twins(slow=lambda: rounds(Cached), fast=lambda: rounds(Plain), occurrences=_ROUNDS)


BENCHMARK = Benchmark(
    id="cached-method-retention",
    summary="memory held after four instances with an lru_cached method, and with a dict of their own, are gone",
    prepare=prepare,
    axis="bytes of an instance",
    sizes=(50_000_000, 100_000_000),
    quick=(50_000_000, 100_000_000),
    typical=100_000_000,
    per="instance",
    quantity="held-host-bytes",
    needs=("numpy",),
)
