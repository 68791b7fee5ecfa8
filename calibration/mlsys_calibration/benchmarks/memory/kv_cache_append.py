"""torch.cat makes a new cache for each token and copies the old one into it; a preallocated one takes one row."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Twins, wall
from mlsys_calibration.benchmarks.cuda import drained

_HEADS = 8
_WIDTH = 128
_TOKENS = 16


def _prepare(size: int, device: str, attend: bool) -> Twins:
    import torch

    torch.manual_seed(0)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    past = torch.randn(1, _HEADS, size, _WIDTH, device=device, dtype=dtype)
    token = torch.randn(1, _HEADS, 1, _WIDTH, device=device, dtype=dtype)
    buffer = torch.zeros(1, _HEADS, size + _TOKENS, _WIDTH, device=device, dtype=dtype)
    buffer[:, :, :size] = past

    def use(cache: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(token, cache, cache) if attend else cache[:, :, -1:]

    def grown() -> torch.Tensor:
        cache, output = past, token
        for _ in range(_TOKENS):
            cache = torch.cat([cache, token], dim=2)
            output = use(cache)
        return output

    def in_place() -> torch.Tensor:
        output = token
        for number in range(_TOKENS):
            buffer[:, :, size + number] = token[:, :, 0]
            output = use(buffer[:, :, : size + number + 1])
        return output

    clock = wall if device == "cpu" else drained
    return Twins(slow=grown, fast=in_place, occurrences=_TOKENS, clock=clock)


def prepare(size: int) -> Twins:
    return _prepare(size, "cpu", attend=False)


def prepare_attention(size: int) -> Twins:
    return _prepare(size, "cpu", attend=True)


def prepare_cuda(size: int) -> Twins:
    return _prepare(size, "cuda", attend=False)


BENCHMARK = Benchmark(
    id="kv-cache-append",
    summary="a token added to a cache of 8 heads by torch.cat, and written into a preallocated buffer",
    prepare=prepare,
    axis="tokens cached",
    sizes=(256, 1024, 4096),
    quick=(256, 1024),
    typical=1024,
    per="layer and token",
    needs=("torch",),
)
WITH_ATTENTION = Benchmark(
    id="kv-cache-append-attention",
    summary="a token added to a cache and attended to: torch.cat, and a preallocated buffer",
    prepare=prepare_attention,
    axis="tokens cached",
    sizes=(256, 1024, 4096),
    quick=(256, 1024),
    typical=1024,
    per="layer and token",
    needs=("torch",),
)
ON_CUDA = Benchmark(
    id="kv-cache-append.cuda",
    summary="a token added to a cache of 8 heads by torch.cat, and written into a preallocated buffer, on the device",
    prepare=prepare_cuda,
    axis="tokens cached",
    sizes=(256, 1024, 4096, 16_384),
    quick=(256, 4096),
    typical=1024,
    per="layer and token",
    device="cuda",
    needs=("torch", "cuda"),
)
