"""Reading a tensor by index runs thousands of instructions, to move four bytes; a reduction uses the vector units."""

from __future__ import annotations

from typing import Any

from mlsys_calibration.benchmark import Benchmark, Twins


def _sum_by_index(values: Any) -> Any:
    total = values[0] * 0
    for index in range(len(values)):
        total = total + values[index]
    return total


def prepare(size: int) -> Twins:
    import torch

    values = torch.linspace(0.0, 1.0, size)
    return Twins(slow=lambda: _sum_by_index(values), fast=values.sum, occurrences=size)


def prepare_numpy(size: int) -> Twins:
    import numpy

    values = numpy.linspace(0.0, 1.0, size, dtype=numpy.float32)
    return Twins(slow=lambda: _sum_by_index(values), fast=values.sum, occurrences=size)


BENCHMARK = Benchmark(
    id="tensor-element-access",
    summary="a sum over a tensor, one element at a time, and values.sum()",
    prepare=prepare,
    axis="elements",
    sizes=(64, 1024, 10_000, 100_000),
    quick=(64, 10_000),
    typical=10_000,
    per="element",
    needs=("torch",),
)
OF_AN_ARRAY = Benchmark(
    id="array-element-access",
    summary="a sum over a NumPy array, one element at a time, and values.sum()",
    prepare=prepare_numpy,
    axis="elements",
    sizes=(64, 1024, 10_000, 100_000),
    quick=(64, 10_000),
    typical=10_000,
    per="element",
    needs=("numpy",),
)
