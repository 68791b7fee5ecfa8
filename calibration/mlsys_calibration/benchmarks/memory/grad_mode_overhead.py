"""Inference that records a graph keeps every activation for a backward pass that never comes."""

from __future__ import annotations

from typing import Any

from mlsys_calibration.benchmark import Benchmark, Reading, Twins


def _convolutions() -> Any:
    import torch

    layers: list[torch.nn.Module] = [torch.nn.Conv2d(3, 64, 3, padding=1)]
    for _ in range(11):
        layers += [torch.nn.Conv2d(64, 64, 3, padding=1), torch.nn.BatchNorm2d(64), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers).eval()


def _transformer() -> Any:
    import torch

    layer = torch.nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True)
    return torch.nn.TransformerEncoder(layer, 8, enable_nested_tensor=False).eval()


def _twins(model: Any, batch: Any) -> Twins:
    import torch

    def recorded() -> Any:
        return model(batch).detach()

    def bare() -> Any:
        with torch.inference_mode():
            return model(batch)

    return Twins(slow=recorded, fast=bare)


def prepare(size: int) -> Twins:
    import torch

    return _twins(_convolutions(), torch.rand(1, 3, size, size))


def prepare_transformer(size: int) -> Twins:
    import torch

    return _twins(_transformer(), torch.rand(1, size, 256))


def prepare_cuda(size: int) -> Twins:
    import torch

    twins = _twins(_convolutions().cuda(), torch.rand(8, 3, size, size, device="cuda"))

    def peak(call: Any) -> Reading:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        output = call()
        return Reading(float(torch.cuda.max_memory_allocated() - before), output)

    return Twins(slow=lambda: peak(twins.slow), fast=lambda: peak(twins.fast))


BENCHMARK = Benchmark(
    id="grad-mode-overhead",
    summary="peak memory of a forward pass of 12 convolutions over an image, recorded and under inference_mode",
    prepare=prepare,
    axis="pixels of a side",
    sizes=(48, 96, 256),
    quick=(48, 96),
    typical=96,
    per="forward pass",
    quantity="peak-host-bytes",
    needs=("torch",),
    memory=4 << 30,
)
TRANSFORMER = Benchmark(
    id="grad-mode-overhead-transformer",
    summary="peak memory of a forward pass of eight encoder layers, recorded and under inference_mode",
    prepare=prepare_transformer,
    axis="tokens",
    sizes=(64, 256, 1024),
    quick=(64, 256),
    typical=256,
    per="forward pass",
    quantity="peak-host-bytes",
    needs=("torch",),
    memory=4 << 30,
)
ON_CUDA = Benchmark(
    id="grad-mode-overhead.cuda",
    summary="peak device memory of a forward pass of 12 convolutions over eight images, recorded and in inference_mode",
    prepare=prepare_cuda,
    axis="pixels of a side",
    sizes=(48, 96, 256),
    quick=(48, 96),
    typical=96,
    per="forward pass",
    quantity="peak-device-bytes",
    device="cuda",
    needs=("torch", "cuda"),
)
