"""``torch.compile(model)`` compiles ``forward`` as called through the wrapper; another method runs it uncompiled.

What is lost is the fusion: eagerly, each pointwise operation reads and writes its tensor in memory once more. Blocks of
expensive functions, such as tanh, gain nothing on a CPU, so these are made of cheap ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import events

_WIDTH = 1024
_BLOCKS = 6


def _prepare(size: int, device: str) -> tuple[Callable[[], object], Callable[[], object]]:
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    import torch

    class Gated(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(_BLOCKS):
                x = x * (x + 3.0).clamp(0.0, 6.0) / 6.0 + 0.1 * x
            return x

        def run(self, x: torch.Tensor) -> torch.Tensor:
            return self(x)

    torch.manual_seed(0)
    batch = torch.randn(size, _WIDTH, device=device)
    wrapped = torch.compile(Gated())
    in_place = Gated()
    in_place.compile()

    def bypassed() -> object:
        with torch.no_grad():
            return wrapped.run(batch)

    def compiled() -> object:
        with torch.no_grad():
            return in_place.run(batch)

    return bypassed, compiled


def prepare(size: int) -> Twins:
    slow, fast = _prepare(size, "cpu")
    return Twins(slow=slow, fast=fast)


def prepare_cuda(size: int) -> Twins:
    slow, fast = _prepare(size, "cuda")
    return Twins(slow=slow, fast=fast, clock=events)


BENCHMARK = Benchmark(
    id="compiled-vs-eager-pointwise",
    summary="six gated blocks called past torch.compile's wrapper, and on a module compiled in place",
    prepare=prepare,
    axis="rows of 1024",
    sizes=(8, 64, 1024),
    quick=(8, 1024),
    typical=64,
    per="forward pass",
    needs=("torch", "c-compiler"),
    memory=16 << 30,
    limit=240.0,
    thorough=True,
)
ON_CUDA = Benchmark(
    id="compiled-vs-eager-pointwise.cuda",
    summary="six gated blocks called past torch.compile's wrapper, and on a module compiled in place, on the device",
    prepare=prepare_cuda,
    axis="rows of 1024",
    sizes=(8, 64, 1024, 16_384),
    quick=(8, 1024),
    typical=64,
    per="forward pass",
    device="cuda",
    needs=("torch", "cuda", "c-compiler"),
    limit=240.0,
    thorough=True,
)
