"""Decoding needs the logits of the last position; projecting all, in float32, makes a tensor of T x vocabulary."""

from __future__ import annotations

from typing import Any

from mlsys_calibration.benchmark import Benchmark, Reading, Twins

_HIDDEN = 128  # the memory is that of the logits, whatever the width
_VOCABULARY = 32_000


def _calls(size: int, device: str) -> tuple[Any, Any]:
    import torch

    torch.manual_seed(0)
    hidden = torch.randn(1, size, _HIDDEN, dtype=torch.bfloat16, device=device)
    head = torch.randn(_VOCABULARY, _HIDDEN, dtype=torch.bfloat16, device=device)

    def project_all() -> Any:
        return (hidden @ head.t()).float()[0, -1].clone()

    def project_last() -> Any:
        return (hidden[:, -1] @ head.t()).float()[0]

    return project_all, project_last


def prepare(size: int) -> Twins:
    slow, fast = _calls(size, "cpu")
    return Twins(slow=slow, fast=fast, same=_same_in_bfloat16)


def prepare_cuda(size: int) -> Twins:
    import torch

    slow, fast = _calls(size, "cuda")

    def peak(call: Any) -> Reading:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        token = call()
        return Reading(float(torch.cuda.max_memory_allocated() - before), token)

    return Twins(slow=lambda: peak(slow), fast=lambda: peak(fast), same=_same_in_bfloat16)


def _same_in_bfloat16(one: Any, other: Any) -> bool:
    """Sums in another order differ in the last of the eight bits that bfloat16 has."""
    return float((one - other).abs().max()) <= 0.02 * float(other.abs().max())


BENCHMARK = Benchmark(
    id="full-logits",
    summary="peak memory of projecting all positions and casting, and of projecting the last position",
    prepare=prepare,
    axis="tokens",
    sizes=(64, 128, 512, 2048),
    quick=(64, 128),
    typical=2048,
    per="decoded token",
    quantity="peak-host-bytes",
    needs=("torch",),
    memory=4 << 30,
    limit=60.0,
)
TIME = Benchmark(
    id="full-logits-time",
    summary="time of projecting all positions and casting, and of projecting the last position",
    prepare=prepare,
    axis="tokens",
    sizes=(16, 64, 512),
    quick=(16, 64),
    typical=64,
    per="decoded token",
    needs=("torch",),
    memory=4 << 30,
    limit=60.0,
)
ON_CUDA = Benchmark(
    id="full-logits.cuda",
    summary="peak device memory of projecting all positions and casting, and of projecting the last position",
    prepare=prepare_cuda,
    axis="tokens",
    sizes=(512, 2048, 8192),
    quick=(512, 2048),
    typical=2048,
    per="decoded token",
    quantity="peak-device-bytes",
    device="cuda",
    needs=("torch", "cuda"),
)
