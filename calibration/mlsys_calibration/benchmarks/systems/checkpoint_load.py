"""Loading a checkpoint: unpickling anything, unpickling tensors only, and mapping the file."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Twins

_TENSORS = 16


def _saved(size: int) -> str:
    import torch

    path = "checkpoint.pt"
    state = {f"layer{number}.weight": torch.rand(size // _TENSORS // 4) for number in range(_TENSORS)}
    torch.save(state, path)
    return path


def prepare(size: int) -> Twins:
    import torch

    path = _saved(size)
    return Twins(
        slow=lambda: torch.load(path, weights_only=False),
        fast=lambda: torch.load(path, weights_only=True),
    )


def prepare_mapped(size: int) -> Twins:
    import torch

    path = _saved(size)
    return Twins(
        slow=lambda: torch.load(path, weights_only=True),
        fast=lambda: torch.load(path, weights_only=True, mmap=True),
    )


BENCHMARK = Benchmark(
    id="checkpoint-load-format",
    summary="torch.load of a file in the page cache with weights_only=False, and with True: the price of safety",
    prepare=prepare,
    axis="bytes",
    sizes=(1 << 20, 16 << 20, 128 << 20, 1 << 30),
    quick=(1 << 20, 16 << 20),
    typical=128 << 20,
    per="load",
    needs=("torch",),
    limit=60.0,
    memory=4 << 30,
)
MAPPED = Benchmark(
    id="checkpoint-mmap",
    summary="torch.load of a file in the page cache, read and mapped; pages that nobody touches are never read",
    prepare=prepare_mapped,
    axis="bytes",
    sizes=(1 << 20, 16 << 20, 128 << 20, 1 << 30),
    quick=(1 << 20, 16 << 20),
    typical=128 << 20,
    per="load",
    needs=("torch",),
    limit=60.0,
    memory=4 << 30,
)
