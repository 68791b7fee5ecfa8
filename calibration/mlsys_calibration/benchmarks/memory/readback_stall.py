"""``loss.item()`` in each step makes the host wait for the device, and then the device for the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import drained

_STEPS = 50


def _prepare(model: Any, batch: Any, reads: int) -> Twins:
    import torch

    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)

    def step() -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = model(batch).float().pow(2).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    def each_step() -> float:
        total = 0.0
        for _ in range(_STEPS):
            loss = step()
            for _ in range(reads):
                total += loss.item()
        return total / reads

    def at_the_end() -> float:
        total = torch.zeros((), device=batch.device)
        for _ in range(_STEPS):
            total += step()
        return float(total)

    return Twins(slow=each_step, fast=at_the_end, occurrences=_STEPS * reads, clock=drained)


def prepare_mlp(size: int) -> Twins:
    import torch

    layers: list[torch.nn.Module] = []
    for _ in range(4):
        layers += [torch.nn.Linear(size, size), torch.nn.ReLU()]
    return _prepare(torch.nn.Sequential(*layers).cuda(), torch.rand(128, size, device="cuda"), reads=1)


def prepare_convolutions(size: int) -> Twins:
    import torch

    layers: list[torch.nn.Module] = [torch.nn.Conv2d(3, 64, 7, 2, 3)]
    for _ in range(16):
        layers += [torch.nn.Conv2d(64, 64, 3, padding=1), torch.nn.BatchNorm2d(64), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers).cuda()
    return _prepare(model, torch.rand(size, 3, 224, 224, device="cuda"), reads=1)


def prepare_transformer(size: int) -> Twins:
    import torch

    layer = torch.nn.TransformerEncoderLayer(768, 12, 3072, batch_first=True, dropout=0.0)
    model = torch.nn.TransformerEncoder(layer, 12, enable_nested_tensor=False).cuda()
    return _prepare(model, torch.rand(size, 512, 768, device="cuda"), reads=3)


def _declare(name: str, what: str, prepare: Callable[[int], Twins], axis: str, sizes: tuple[int, ...]) -> Benchmark:
    return Benchmark(
        id=name,
        summary=f"50 training steps of {what}, the loss read in each, and once at the end",
        prepare=prepare,
        axis=axis,
        sizes=sizes,
        quick=(sizes[0], sizes[-1]),
        typical=sizes[-1],
        per="read",
        device="cuda",
        needs=("torch", "cuda"),
        limit=120.0,
    )


BENCHMARK = _declare("readback-stall", "an MLP", prepare_mlp, "units of a layer", (256, 1024))
CONVOLUTIONS = _declare(
    "readback-stall-convolutions", "a stack of convolutions", prepare_convolutions, "images", (8, 64)
)
TRANSFORMER = _declare("readback-stall-transformer", "a transformer, thrice", prepare_transformer, "sequences", (2, 8))
