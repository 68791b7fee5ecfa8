"""Counters of several threads in one cache line: each write takes the line away from the other cores."""

from __future__ import annotations

import ctypes
import os

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.native import functions

_INCREMENTS = 2_000_000
_SOURCE = """
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
typedef struct { atomic_long *slot; long count; int cpu; } work;
static void *increment(void *given) {
    work *mine = given;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(mine->cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    for (long i = 0; i < mine->count; i++) atomic_fetch_add_explicit(mine->slot, 1, memory_order_relaxed);
    return 0;
}
long run(const int *cpus, int threads, long apart, long count) {
    char *slots = aligned_alloc(4096, ((threads * apart) / 4096 + 1) * 4096);
    pthread_t started[threads];
    work given[threads];
    long total = 0;
    for (int i = 0; i < threads; i++) {
        given[i] = (work){(atomic_long *)(slots + i * apart), count, cpus[i]};
        atomic_init(given[i].slot, 0);
    }
    for (int i = 0; i < threads; i++) pthread_create(&started[i], 0, increment, &given[i]);
    for (int i = 0; i < threads; i++) pthread_join(started[i], 0);
    for (int i = 0; i < threads; i++) total += atomic_load(given[i].slot);
    free(slots);
    return total;
}
"""


def prepare(size: int) -> Twins:
    built = functions(_SOURCE, "-pthread")
    built.run.restype = ctypes.c_long
    cpus = sorted(os.sched_getaffinity(0))[:size]
    if len(cpus) < size:
        raise RuntimeError(f"only {len(cpus)} CPUs are usable")
    chosen = (ctypes.c_int * size)(*cpus)

    def run(apart: int) -> int:
        return int(built.run(chosen, size, ctypes.c_long(apart), ctypes.c_long(_INCREMENTS)))

    return Twins(slow=lambda: run(8), fast=lambda: run(256), occurrences=_INCREMENTS)


BENCHMARK = Benchmark(
    id="false-sharing",
    summary="atomic counters of threads pinned to different CPUs, in adjacent slots and 256 bytes apart",
    prepare=prepare,
    axis="threads",
    sizes=(2,),
    quick=(2, 2),
    typical=2,
    per="increment",
    needs=("c-compiler", "linux", "two-cpus"),
    thorough=True,
)
