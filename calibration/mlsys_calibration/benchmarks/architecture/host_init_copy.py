"""``torch.zeros(n).to(device)`` fills memory of the host and moves it; ``device=`` launches one kernel."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import drained, load


def prepare(size: int) -> Twins:
    import torch

    return Twins(
        slow=lambda: torch.zeros(size).to("cuda"),
        fast=lambda: torch.zeros(size, device="cuda"),
        clock=drained,
    )


def prepare_busy(size: int) -> Twins:
    import torch

    queued = load(0.002)

    def made(on_device: bool) -> object:
        queued()
        return torch.zeros(size, device="cuda") if on_device else torch.zeros(size).to("cuda")

    return Twins(slow=lambda: made(on_device=False), fast=lambda: made(on_device=True), clock=drained)


def prepare_mps(size: int) -> Twins:
    import torch

    def made(on_device: bool) -> object:
        tensor = torch.zeros(size, device="mps") if on_device else torch.zeros(size).to("mps")
        torch.mps.synchronize()
        return tensor

    return Twins(slow=lambda: made(on_device=False), fast=lambda: made(on_device=True))


_SIZES = (1000, 64_000, 1_000_000, 16_000_000, 64_000_000)

BENCHMARK = Benchmark(
    id="host-init-copy",
    summary="zeros made on the host and moved, and made on the device",
    prepare=prepare,
    axis="elements",
    sizes=_SIZES,
    quick=(1000, 1_000_000),
    typical=1_000_000,
    device="cuda",
    needs=("torch", "cuda"),
)
BUSY = Benchmark(
    id="host-init-copy-busy",
    summary="zeros made on the host and moved, and made on the device, behind 2 ms of queued work",
    prepare=prepare_busy,
    axis="elements",
    sizes=_SIZES,
    quick=(1000, 1_000_000),
    typical=1_000_000,
    device="cuda",
    needs=("torch", "cuda"),
)
ON_MPS = Benchmark(
    id="host-init-copy.mps",
    summary="zeros made on the host and moved, and made on the Apple GPU",
    prepare=prepare_mps,
    axis="elements",
    sizes=_SIZES,
    quick=(1000, 1_000_000),
    typical=1_000_000,
    device="mps",
    needs=("torch", "mps"),
)
