"""A transposed view is read across its rows; a relayout on each call pays that to use the result once."""

from __future__ import annotations

import itertools

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import events, rotated


def prepare(size: int) -> Twins:
    import torch

    batch, weight = torch.randn(1, size), torch.randn(size, size)
    return Twins(slow=lambda: batch @ weight.t().contiguous(), fast=lambda: batch @ weight.t())


def prepare_cuda(size: int) -> Twins:
    import torch

    batch = torch.randn(1, size, device="cuda")
    weights = rotated(lambda: torch.randn(size, size, device="cuda"))
    for_slow, for_fast = itertools.cycle(weights), itertools.cycle(weights)
    return Twins(
        slow=lambda: batch @ next(for_slow).t().contiguous(),
        fast=lambda: batch @ next(for_fast).t(),
        clock=events,
    )


def prepare_softmax(size: int) -> Twins:
    import torch

    matrix = torch.randn(size, size)
    view, same = matrix.t(), matrix.t().contiguous()
    return Twins(slow=lambda: view.softmax(-1), fast=lambda: same.softmax(-1))


def prepare_addition(size: int) -> Twins:
    import torch

    matrix, other = torch.randn(size, size), torch.randn(size, size)
    view, same = matrix.t(), matrix.t().contiguous()
    return Twins(slow=lambda: view + other, fast=lambda: same + other)


BENCHMARK = Benchmark(
    id="transposed-access",
    summary="x @ W.t().contiguous() for one row, and x @ W.t()",
    prepare=prepare,
    axis="rows and columns",
    sizes=(512, 1024, 4096),
    quick=(512, 1024),
    typical=1024,
    needs=("torch",),
)
SOFTMAX = Benchmark(
    id="transposed-softmax",
    summary="softmax over the last axis of a transposed view, and of a contiguous matrix",
    prepare=prepare_softmax,
    axis="rows and columns",
    sizes=(512, 1024, 4096),
    quick=(512, 1024),
    typical=1024,
    needs=("torch",),
)
ADDITION = Benchmark(
    id="transposed-addition",
    summary="a transposed view added to a contiguous matrix, and a contiguous one added to it",
    prepare=prepare_addition,
    axis="rows and columns",
    sizes=(512, 1024, 4096),
    quick=(512, 1024),
    typical=1024,
    needs=("torch",),
)
ON_CUDA = Benchmark(
    id="transposed-access.cuda",
    summary="x @ W.t().contiguous() for one row, and x @ W.t(), on the device",
    prepare=prepare_cuda,
    axis="rows and columns",
    sizes=(1024, 4096, 8192),
    quick=(1024, 4096),
    typical=4096,
    device="cuda",
    needs=("torch", "cuda"),
)
