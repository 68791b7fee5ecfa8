"""A checkpoint saved from cuda:0 goes back to cuda:0 in every process that loads it without ``map_location``.

The value is the memory of the first device that a process with another device of its own takes.
"""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Reading, Twins


def prepare(size: int) -> Twins:
    import torch

    torch.save({"weight": torch.zeros(size // 4, device="cuda:0")}, "checkpoint.pt")
    torch.cuda.empty_cache()
    torch.cuda.set_device(1)

    def taken(location: str | None) -> Reading:
        torch.cuda.synchronize(0)
        before, _ = torch.cuda.mem_get_info(0)
        state = torch.load("checkpoint.pt", map_location=location, weights_only=True)
        after, _ = torch.cuda.mem_get_info(0)
        length = state["weight"].numel()
        del state
        torch.cuda.empty_cache()
        return Reading(float(max(0, before - after)), length)

    return Twins(slow=lambda: taken(None), fast=lambda: taken("cpu"))


BENCHMARK = Benchmark(
    id="checkpoint-load-device",
    summary="memory of GPU 0 that the process of GPU 1 takes by loading a checkpoint: as saved, and to the CPU",
    prepare=prepare,
    axis="bytes",
    sizes=(64 << 20, 1 << 30),
    quick=(64 << 20, 1 << 30),
    typical=1 << 30,
    per="process",
    quantity="peak-device-bytes",
    device="cuda",
    needs=("torch", "two-gpus"),
    limit=60.0,
)
