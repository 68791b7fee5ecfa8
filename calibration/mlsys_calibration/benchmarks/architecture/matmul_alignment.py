"""Matrix units work on tiles, so a vocabulary of 50,257 costs more than one padded to 50,304.

The twins compute the same products; the padded one has 47 columns more, which are not compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlsys_calibration.benchmark import Benchmark, Clock, Twins, wall
from mlsys_calibration.benchmarks.cuda import events

_VOCABULARY, _PADDED = 50_257, 50_304
_HIDDEN = 768


def _twins(size: int, device: str, dtype: str, clock: Clock) -> Twins:
    import torch

    torch.manual_seed(0)
    hidden = torch.randn(size, _HIDDEN, device=device).to(getattr(torch, dtype))
    padded = torch.rand(_HIDDEN, _PADDED, device=device).to(hidden.dtype)
    exact = padded[:, :_VOCABULARY].contiguous()

    def same(one: Any, other: Any) -> bool:
        difference = (one.float() - other[:, :_VOCABULARY].float()).abs().max()
        return float(difference) <= 0.02 * float(one.float().abs().max())

    return Twins(slow=lambda: hidden @ exact, fast=lambda: hidden @ padded, same=same, clock=clock)


def prepare(size: int) -> Twins:
    return _twins(size, "cpu", "float32", wall)


def prepare_half(size: int) -> Twins:
    return _twins(size, "cuda", "float16", events)


def prepare_bfloat16(size: int) -> Twins:
    return _twins(size, "cuda", "bfloat16", events)


def _on_cuda(name: str, prepare: Callable[[int], Twins]) -> Benchmark:
    return Benchmark(
        id=f"matmul-alignment-{name}",
        summary=f"a {name} projection to 50,257 columns, and to 50,304",
        prepare=prepare,
        axis="rows",
        sizes=(512, 4096, 16_384),
        quick=(512, 4096),
        typical=4096,
        per="product",
        device="cuda",
        needs=("torch", "cuda"),
    )


BENCHMARK = Benchmark(
    id="matmul-alignment",
    summary="a float32 projection to 50,257 columns, and to 50,304",
    prepare=prepare,
    axis="rows",
    sizes=(8, 64),
    quick=(8, 8),
    typical=64,
    per="product",
    needs=("torch",),
)
HALF = _on_cuda("float16", prepare_half)
BFLOAT16 = _on_cuda("bfloat16", prepare_bfloat16)
