"""From pageable memory the driver copies each piece into a pinned buffer of its own first, and the host waits.

The copy alone, the loader around it, and a loop that waits for a copy it need not wait for.
"""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import drained, events, load

_IMAGE = (3, 224, 224)
_BATCH = 256
_WORKERS = 4
_STEPS = 20


def prepare(size: int) -> Twins:
    import torch

    pageable = torch.rand(size // 4)
    pinned = pageable.pin_memory()
    return Twins(
        slow=lambda: pageable.to("cuda"),
        fast=lambda: pinned.to("cuda", non_blocking=True),
        clock=events,
    )


def prepare_loader(size: int) -> Twins:
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Images(Dataset):
        def __len__(self) -> int:
            return _BATCH * _STEPS

        def __getitem__(self, index: int) -> torch.Tensor:
            return torch.full(_IMAGE, index % 251, dtype=torch.uint8)

    step = load(size / 1000)

    def epoch(pin: bool) -> int:
        total = torch.zeros((), dtype=torch.int64, device="cuda")
        loader = DataLoader(
            Images(), batch_size=_BATCH, num_workers=_WORKERS, pin_memory=pin, multiprocessing_context="fork"
        )
        for batch in loader:
            total += batch.to("cuda", non_blocking=pin)[:, 0, 0, 0].sum()
            step()
        return int(total)

    return Twins(
        slow=lambda: epoch(pin=False),
        fast=lambda: epoch(pin=True),
        occurrences=_STEPS,
        clock=drained,
    )


def prepare_blocking(size: int) -> Twins:
    import torch

    batches = [torch.randint(0, 255, (_BATCH, *_IMAGE), dtype=torch.uint8).pin_memory() for _ in range(4)]
    step = load(size / 1000)

    def steps(non_blocking: bool) -> int:
        total = torch.zeros((), dtype=torch.int64, device="cuda")
        for number in range(_STEPS):
            batch = batches[number % len(batches)].to("cuda", non_blocking=non_blocking)
            total += batch[:, 0, 0, 0].sum()
            step()
        return int(total)

    return Twins(
        slow=lambda: steps(non_blocking=False),
        fast=lambda: steps(non_blocking=True),
        occurrences=_STEPS,
        clock=drained,
    )


def prepare_late_cast(size: int) -> Twins:
    import torch

    batch = torch.rand(size // 4).pin_memory()
    return Twins(
        slow=lambda: batch.to(torch.bfloat16).cuda(),
        fast=lambda: batch.to("cuda", torch.bfloat16, non_blocking=True),
        clock=events,
    )


BENCHMARK = Benchmark(
    id="pinned-transfer",
    summary="a copy to the device from pageable and from pinned memory",
    prepare=prepare,
    axis="bytes",
    sizes=(4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20),
    quick=(64 << 10, 64 << 20),
    typical=64 << 20,
    per="batch",
    device="cuda",
    needs=("torch", "cuda"),
)
LOADER = Benchmark(
    id="pinned-transfer-loader",
    summary="an epoch of 20 batches of 256 images from four workers, pin_memory False and True",
    prepare=prepare_loader,
    axis="ms of each step",
    sizes=(5, 20, 50),
    quick=(5, 20),
    typical=20,
    per="step",
    device="cuda",
    needs=("torch", "cuda", "fork"),
    limit=120.0,
)
BLOCKING = Benchmark(
    id="blocking-copy",
    summary="steps over pinned batches, each copied with and without waiting",
    prepare=prepare_blocking,
    axis="ms of each step",
    sizes=(5, 20, 50),
    quick=(5, 20),
    typical=20,
    per="step",
    device="cuda",
    needs=("torch", "cuda"),
    limit=60.0,
)
LATE_CAST = Benchmark(
    id="cast-before-copy",
    summary="a batch cast on the host and then copied, and copied and cast in one go",
    prepare=prepare_late_cast,
    axis="bytes",
    sizes=(1 << 20, 16 << 20, 128 << 20),
    quick=(1 << 20, 16 << 20),
    typical=16 << 20,
    per="batch",
    device="cuda",
    needs=("torch", "cuda"),
)
