"""Float32 products run on the matrix units only if their inputs may be rounded to TF32, which is off by default."""

from __future__ import annotations

from typing import Any

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import events


def _same_to_ten_bits(one: Any, other: Any) -> bool:
    return float((one.float() - other.float()).abs().max()) <= 0.03 * float(one.float().abs().max())


def _precision(name: str) -> None:
    import torch

    torch.set_float32_matmul_precision(name)


def prepare(size: int) -> Twins:
    import torch

    torch.manual_seed(0)
    left, right = torch.randn(size, size, device="cuda"), torch.randn(size, size, device="cuda")

    def product(precision: str) -> Any:
        _precision(precision)
        return left @ right

    return Twins(slow=lambda: product("highest"), fast=lambda: product("high"), same=_same_to_ten_bits, clock=events)


def prepare_bfloat16(size: int) -> Twins:
    import torch

    torch.manual_seed(0)
    _precision("highest")
    left, right = torch.randn(size, size, device="cuda"), torch.randn(size, size, device="cuda")
    short_left, short_right = left.bfloat16(), right.bfloat16()
    return Twins(slow=lambda: left @ right, fast=lambda: short_left @ short_right, same=_same_to_ten_bits, clock=events)


BENCHMARK = Benchmark(
    id="tf32-matmul",
    summary='a float32 product with precision "highest", and with "high"',
    prepare=prepare,
    axis="rows and columns",
    sizes=(512, 2048, 4096, 8192),
    quick=(512, 4096),
    typical=4096,
    per="product",
    device="cuda",
    needs=("torch", "cuda"),
)
BFLOAT16 = Benchmark(
    id="bf16-matmul",
    summary="a product in float32 and in bfloat16",
    prepare=prepare_bfloat16,
    axis="rows and columns",
    sizes=(512, 2048, 4096, 8192),
    quick=(512, 4096),
    typical=4096,
    per="product",
    device="cuda",
    needs=("torch", "cuda"),
)
