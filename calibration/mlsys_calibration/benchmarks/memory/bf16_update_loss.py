"""A bfloat16 weight has eight bits, so an update of less than its 256th part is rounded away.

Not a timing: the share of weights that 100 steps of AdamW leave exactly as they were. Both twins do the same steps, so
what is compared of their results is that the number of weights is the same.
"""

from __future__ import annotations

from typing import Any

from mlsys_calibration.benchmark import Benchmark, Reading, Twins

_WIDTH = 128
_STEPS = 100


def prepare(size: int) -> Twins:
    import torch

    def unchanged(dtype: Any) -> Reading:
        torch.manual_seed(0)
        layers = [torch.nn.Linear(_WIDTH, _WIDTH, bias=False) for _ in range(2)]
        model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1]).to(dtype)
        with torch.no_grad():
            for layer in layers:
                layer.weight.normal_(0.0, 0.02)
        start = [layer.weight.clone() for layer in layers]
        batch, wanted = (torch.randn(32, _WIDTH).to(dtype) for _ in range(2))
        optimizer = torch.optim.AdamW(model.parameters(), lr=size * 1e-6)
        for _ in range(_STEPS):
            optimizer.zero_grad()
            (model(batch) - wanted).pow(2).mean().backward()
            optimizer.step()
        total = sum(weight.numel() for weight in start)
        same = sum(int((layer.weight == weight).sum()) for layer, weight in zip(layers, start, strict=True))
        return Reading(same / total, total)

    return Twins(slow=lambda: unchanged(torch.bfloat16), fast=lambda: unchanged(torch.float32))


BENCHMARK = Benchmark(
    id="bf16-update-loss",
    summary="weights that 100 steps of AdamW leave unchanged, held in bfloat16 and in float32",
    prepare=prepare,
    axis="millionths of learning rate",
    sizes=(10, 20, 100),
    quick=(20, 20),
    typical=20,
    per="run of 100 steps",
    quantity="share",
    needs=("torch",),
    limit=60.0,
)
