"""More processes than CPUs start, load and switch, and compute no faster."""

from __future__ import annotations

import multiprocessing

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.needs import usable_cpus

_TASKS = 50


def _task(number: int) -> int:
    total = 0
    for step in range(10_000):
        total += step ^ number
    return total


def _run(workers: int) -> int:
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return sum(pool.map(_task, range(_TASKS), chunksize=1))


def prepare(size: int) -> Twins:
    cpus = usable_cpus()
    return Twins(slow=lambda: _run(size * cpus), fast=lambda: _run(cpus))


BENCHMARK = Benchmark(
    id="worker-oversubscription",
    summary="50 short tasks in a pool of so many workers for each usable CPU, and in a pool of one for each",
    prepare=prepare,
    axis="workers for each CPU",
    sizes=(2, 8, 32),
    quick=(2, 8),
    typical=8,
    per="pool",
    needs=("fork",),
)
