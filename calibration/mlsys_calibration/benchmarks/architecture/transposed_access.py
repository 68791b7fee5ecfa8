"""A transposed view is read across its rows; a relayout on each call pays that to use the result once."""

from __future__ import annotations

from collections.abc import Callable

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import events


def _matrices(size: int, device: str) -> tuple[Callable[[], object], Callable[[], object]]:
    import torch

    torch.manual_seed(0)
    batch, weight = torch.randn(1, size, device=device), torch.randn(size, size, device=device)
    return (lambda: batch @ weight.t().contiguous()), (lambda: batch @ weight.t())


def prepare(size: int) -> Twins:
    slow, fast = _matrices(size, "cpu")
    return Twins(slow=slow, fast=fast)


def prepare_cuda(size: int) -> Twins:
    slow, fast = _matrices(size, "cuda")
    return Twins(slow=slow, fast=fast, clock=events)


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
