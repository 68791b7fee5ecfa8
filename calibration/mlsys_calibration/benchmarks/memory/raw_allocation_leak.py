"""Scratch memory that is allocated and not freed: each call keeps it for the life of the process."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Reading, Twins
from mlsys_calibration.benchmarks.native import functions

_SOURCE = """
#include <stdlib.h>
static volatile float seen;
static float use(float *block, int n) {
    for (int i = 0; i < n; i++) block[i] = i;
    seen = block[n - 1];
    return seen;
}
int leaking(int calls) {
    for (int i = 0; i < calls; i++) {
        use(malloc(31 * sizeof(float)), 31);
        use(malloc(4096 * sizeof(float)), 4096);
    }
    return calls;
}
int sound(int calls) {
    for (int i = 0; i < calls; i++) {
        float *small = malloc(31 * sizeof(float)), *large = malloc(4096 * sizeof(float));
        use(small, 31);
        use(large, 4096);
        free(large);
        free(small);
    }
    return calls;
}
"""


def prepare(size: int) -> Twins:
    built = functions(_SOURCE)
    return Twins(slow=lambda: built.leaking(size), fast=lambda: built.sound(size), occurrences=size)


def prepare_cuda(size: int) -> Twins:
    import torch

    def taken(call: object) -> Reading:
        torch.cuda.synchronize()
        free, _ = torch.cuda.mem_get_info()
        call()  # type: ignore[operator]
        return Reading(float(max(0, free - torch.cuda.mem_get_info()[0])), size)

    def leaking() -> None:
        pool = torch.cuda.caching_allocator_alloc
        for _ in range(size):
            pool(4)  # never given back

    def sound() -> None:
        for _ in range(size):
            torch.empty(1, device="cuda")

    return Twins(slow=lambda: taken(leaking), fast=lambda: taken(sound), occurrences=size)


BENCHMARK = Benchmark(
    id="raw-allocation-leak",
    summary="memory held after calls that allocate two scratch arrays: not freed, and freed",
    prepare=prepare,
    axis="calls",
    sizes=(1000, 10_000),
    quick=(1000, 10_000),
    typical=10_000,
    per="call",
    quantity="held-host-bytes",
    needs=("c-compiler",),
    thorough=True,
)
ON_CUDA = Benchmark(
    id="raw-allocation-leak.cuda",
    summary="device memory taken by raw allocations of 4 bytes that are never given back, and by tensors",
    prepare=prepare_cuda,
    axis="allocations",
    sizes=(100_000,),
    quick=(100_000, 100_000),
    typical=100_000,
    per="allocation",
    quantity="peak-device-bytes",
    device="cuda",
    needs=("torch", "cuda"),
)
