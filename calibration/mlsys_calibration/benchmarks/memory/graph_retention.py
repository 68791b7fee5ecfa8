"""A running total of losses that still have their graphs keeps the activations of every step alive."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Reading, Twins

_WIDTH = 256
_LAYERS = 24
_BATCH = 64
#: Steps after which the allocators have what a step needs.
_WARM = 5


def _prepare(size: int, device: str, train: bool) -> Twins:
    import torch

    from mlsys_calibration.host_memory import HostMemory

    torch.manual_seed(0)
    blocks: list[torch.nn.Module] = []
    for _ in range(_LAYERS):
        blocks += [torch.nn.Linear(_WIDTH, _WIDTH), torch.nn.LayerNorm(_WIDTH), torch.nn.GELU()]
    model = torch.nn.Sequential(*blocks).to(device)
    batch = torch.rand(_BATCH, _WIDTH, device=device)

    def step() -> torch.Tensor:
        loss = model(batch).pow(2).mean()
        if train:
            loss.backward()
            model.zero_grad()
        return loss

    def steps(detach: bool) -> Reading:
        for _ in range(_WARM):
            step()
        meter = HostMemory()
        meter.begin()
        before = torch.cuda.memory_allocated() if device == "cuda" else 0
        total = torch.zeros((), device=device)
        for _ in range(size):
            loss = step()
            total = total + (loss.detach() if detach else loss)
        held = torch.cuda.memory_allocated() - before if device == "cuda" else meter.held()
        return Reading(float(held), float(total.detach()))

    return Twins(slow=lambda: steps(detach=False), fast=lambda: steps(detach=True), occurrences=size)


def prepare(size: int) -> Twins:
    return _prepare(size, "cpu", train=False)


def prepare_training(size: int) -> Twins:
    return _prepare(size, "cpu", train=True)


def prepare_cuda(size: int) -> Twins:
    return _prepare(size, "cuda", train=False)


BENCHMARK = Benchmark(
    id="graph-retention",
    summary="memory held by a total of losses over evaluation steps: with their graphs, and detached",
    prepare=prepare,
    axis="steps",
    sizes=(5, 10, 50, 200),
    quick=(5, 10),
    typical=200,
    per="step",
    quantity="held-host-bytes",
    needs=("torch",),
)
TRAINING = Benchmark(
    id="graph-retention-training",
    summary="memory held by a total of losses over training steps: with their graphs, and detached",
    prepare=prepare_training,
    axis="steps",
    sizes=(100,),
    quick=(100, 100),
    typical=100,
    per="step",
    quantity="held-host-bytes",
    needs=("torch",),
    limit=120.0,
    thorough=True,
)
ON_CUDA = Benchmark(
    id="graph-retention.cuda",
    summary="device memory held by a total of losses over evaluation steps: with their graphs, and detached",
    prepare=prepare_cuda,
    axis="steps",
    sizes=(10, 50, 200),
    quick=(10, 50),
    typical=200,
    per="step",
    quantity="peak-device-bytes",
    device="cuda",
    needs=("torch", "cuda"),
)
