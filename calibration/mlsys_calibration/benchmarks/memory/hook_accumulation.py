"""A hook that is registered in each call and never removed runs in each later call, once for every registration."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Twins

_WIDTH = 64
_LAYERS = 8


def prepare(size: int) -> Twins:
    import torch

    def model() -> torch.nn.Module:
        torch.manual_seed(0)
        layers = [torch.nn.Linear(_WIDTH, _WIDTH) for _ in range(_LAYERS)]
        return torch.nn.Sequential(*layers)

    hooked, clean = model(), model()
    kept: list[object] = [None]

    def keep(module: torch.nn.Module, given: object, output: torch.Tensor) -> None:
        kept[0] = output.detach()

    for _ in range(size):
        hooked[0].register_forward_hook(keep)
    batch = torch.rand(4, _WIDTH)

    def forward(network: torch.nn.Module) -> torch.Tensor:
        with torch.no_grad():
            return network(batch)

    return Twins(slow=lambda: forward(hooked), fast=lambda: forward(clean), occurrences=size)


BENCHMARK = Benchmark(
    id="hook-accumulation",
    summary="a forward pass with so many hooks left behind, and with none",
    prepare=prepare,
    axis="hooks left behind",
    sizes=(100, 1000, 10_000, 30_000),
    quick=(100, 1000),
    typical=1000,
    per="hook and call",
    needs=("torch",),
    limit=60.0,
)
