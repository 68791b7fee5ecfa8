"""A column of a row-major matrix touches one cache line for each element, and most of each line is thrown away."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Twins

_COLUMNS = 256


def prepare(size: int) -> Twins:
    import torch

    matrix = torch.rand(size, _COLUMNS)
    return Twins(
        slow=lambda: torch.stack([matrix[:, column].mean() for column in range(_COLUMNS)]),
        fast=lambda: matrix.mean(0),
        occurrences=_COLUMNS,
    )


def prepare_stride(size: int) -> Twins:
    import torch

    by_rows = torch.rand(size, _COLUMNS)
    by_columns = by_rows.t().contiguous().t()  # the same matrix, each column in one piece
    return Twins(
        slow=lambda: torch.stack([by_rows[:, column].mean() for column in range(_COLUMNS)]),
        fast=lambda: torch.stack([by_columns[:, column].mean() for column in range(_COLUMNS)]),
        occurrences=_COLUMNS,
    )


def prepare_cross_fade(size: int) -> Twins:
    import torch

    left, right = torch.rand(1, 3, size, size), torch.rand(1, 3, size, size)
    width = size // 4
    weight = torch.linspace(0.0, 1.0, width)

    def column_by_column() -> object:
        out = right.clone()
        for column in range(width):
            share = weight[column]
            out[..., column] = left[..., column - width] * (1 - share) + right[..., column] * share
        return out

    def at_once() -> object:
        out = right.clone()
        out[..., :width] = torch.lerp(left[..., -width:], right[..., :width], weight)
        return out

    return Twins(slow=column_by_column, fast=at_once, occurrences=width)


BENCHMARK = Benchmark(
    id="column-walk",
    summary="the mean of each of 256 columns in a loop, and matrix.mean(0)",
    prepare=prepare,
    axis="rows",
    sizes=(1000, 20_000, 100_000),
    quick=(1000, 20_000),
    typical=20_000,
    per="column",
    needs=("torch",),
)
STRIDE = Benchmark(
    id="column-walk-stride",
    summary="the same loop over columns of a row-major and of a column-major matrix: the stride alone",
    prepare=prepare_stride,
    axis="rows",
    sizes=(1000, 20_000, 100_000),
    quick=(1000, 20_000),
    typical=20_000,
    per="column",
    needs=("torch",),
)
CROSS_FADE = Benchmark(
    id="column-cross-fade",
    summary="two image tiles blended column by column, and with one lerp",
    prepare=prepare_cross_fade,
    axis="pixels of a side",
    sizes=(128, 512, 1024),
    quick=(128, 512),
    typical=512,
    per="column",
    needs=("torch",),
)
