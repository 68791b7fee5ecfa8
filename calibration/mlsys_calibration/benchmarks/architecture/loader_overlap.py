"""Without workers, loading and computing take turns; with workers, the next batch is loaded while this one computes."""

from __future__ import annotations

import time

from mlsys_calibration.benchmark import Benchmark, Twins

_BATCHES = 5
_BATCH = 16


def prepare(size: int) -> Twins:
    import torch
    from torch.utils.data import DataLoader, Dataset

    seconds = size / 1000

    class Decoded(Dataset):
        def __len__(self) -> int:
            return _BATCHES * _BATCH

        def __getitem__(self, index: int) -> torch.Tensor:
            deadline = time.perf_counter() + seconds / _BATCH
            while time.perf_counter() < deadline:
                pass
            return torch.full((1,), float(index))

    def epoch(workers: int) -> float:
        loader = DataLoader(
            Decoded(),
            batch_size=_BATCH,
            num_workers=workers,
            multiprocessing_context="fork" if workers else None,
        )
        total = 0.0
        for batch in loader:
            time.sleep(seconds)  # the device computes
            total += float(batch.sum())
        return total

    return Twins(slow=lambda: epoch(0), fast=lambda: epoch(1), occurrences=_BATCHES)


BENCHMARK = Benchmark(
    id="loader-overlap",
    summary="an epoch of batches that take as long to load as to compute, loaded by no worker and by one",
    prepare=prepare,
    axis="ms of a batch",
    sizes=(10, 40),
    quick=(10, 40),
    typical=40,
    per="batch",
    needs=("torch", "fork", "two-cpus"),
)
