"""Loader workers are copies of their parent, and so is the state of a generator that the dataset holds.

Not a timing: the share of random draws of an epoch that some other item got as well.
"""

from __future__ import annotations

import random

from mlsys_calibration.benchmark import Benchmark, Reading, Twins

_WORKERS = 2


def prepare(size: int) -> Twins:
    import torch
    from torch.utils.data import DataLoader, Dataset, get_worker_info

    class Augmented(Dataset):
        def __init__(self, per_worker: bool) -> None:
            self.generator = random.Random(0)
            self.per_worker = per_worker
            self.seeded = False

        def __len__(self) -> int:
            return size

        def __getitem__(self, index: int) -> float:
            worker = get_worker_info()
            if self.per_worker and worker is not None and not self.seeded:
                self.generator.seed(worker.seed)  # differs by worker and by epoch
                self.seeded = True
            return self.generator.random()

    def repeated(per_worker: bool) -> Reading:
        torch.manual_seed(0)
        loader = DataLoader(Augmented(per_worker), batch_size=1, num_workers=_WORKERS, multiprocessing_context="fork")
        draws = [float(batch[0]) for batch in loader]
        return Reading(1 - len(set(draws)) / len(draws), len(draws))

    return Twins(slow=lambda: repeated(per_worker=False), fast=lambda: repeated(per_worker=True))


BENCHMARK = Benchmark(
    id="worker-rng-duplication",
    summary="draws that two loader workers share: a generator stored in the dataset, and one seeded in each worker",
    prepare=prepare,
    axis="items",
    sizes=(8, 64),
    quick=(8, 8),
    typical=8,
    per="epoch",
    quantity="share",
    needs=("torch", "fork"),
)
