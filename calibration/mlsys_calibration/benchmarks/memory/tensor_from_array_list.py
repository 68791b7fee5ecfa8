"""torch.tensor of a list of arrays treats each array as a nested sequence and boxes every number in it."""

from __future__ import annotations

import warnings

from mlsys_calibration.benchmark import Benchmark, Twins

#: Shapes that such lists have, by the number of values in the whole list.
_SHAPES = {
    2_048: (256, (8,), "float32"),
    8_192: (64, (128,), "float32"),
    225_792: (32, (84, 84), "float32"),
    903_168: (32, (4, 84, 84), "uint8"),
    4_816_896: (32, (3, 224, 224), "float32"),
}


def prepare(size: int) -> Twins:
    import numpy
    import torch

    count, shape, dtype = _SHAPES[size]
    warnings.simplefilter("ignore")  # torch itself says that this is slow
    arrays = [numpy.full(shape, number % 200, dtype=dtype) for number in range(count)]
    return Twins(
        slow=lambda: torch.tensor(arrays),
        fast=lambda: torch.from_numpy(numpy.stack(arrays)),
    )


BENCHMARK = Benchmark(
    id="tensor-from-array-list",
    summary="torch.tensor(list of arrays), and torch.from_numpy(numpy.stack(list))",
    prepare=prepare,
    axis="values",
    sizes=tuple(_SHAPES),
    quick=(8_192, 225_792),
    typical=225_792,
    needs=("numpy", "torch"),
    limit=60.0,
)
