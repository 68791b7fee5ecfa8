"""``x * 0.1`` in float code computes in double: half as many lanes, and conversions there and back."""

from __future__ import annotations

import ctypes
from array import array
from typing import Any

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.cuda import events
from mlsys_calibration.benchmarks.native import functions

#: Elements of one call: enough that the call itself does not show.
_ELEMENTS = 1 << 18
_SOURCE = """
void in_double(float *restrict y, const float *restrict x, long n, long repeats) {
    for (long r = 0; r < repeats; r++) {
        for (long i = 0; i < n; i++) y[i] = (x[i] * 0.1 + 0.7) * x[i] + 1e-6;
        __asm__ volatile("" : : "r"(x), "r"(y) : "memory");
    }
}
void in_float(float *restrict y, const float *restrict x, long n, long repeats) {
    for (long r = 0; r < repeats; r++) {
        for (long i = 0; i < n; i++) y[i] = (x[i] * 0.1f + 0.7f) * x[i] + 1e-6f;
        __asm__ volatile("" : : "r"(x), "r"(y) : "memory");
    }
}
"""
_KERNEL = """
extern "C" __global__ void NAME(float *y, const float *x, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = (x[i] * 0.1SUFFIX + 0.7SUFFIX) * x[i] + 1e-6SUFFIX;
}
"""


def prepare(size: int) -> Twins:
    built = functions(_SOURCE)
    vector = ctypes.c_float * size
    given, out = vector.from_buffer(array("f", [0.0, 1.0, 2.0, 3.0] * (size // 4))), vector()
    repeats = max(1, _ELEMENTS // size)

    def run(function: Any) -> list[float]:
        function(out, given, ctypes.c_long(size), ctypes.c_long(repeats))
        first = list(out[:8])
        out[0] = -1.0  # or the other twin would find it here
        return first

    return Twins(slow=lambda: run(built.in_double), fast=lambda: run(built.in_float), occurrences=size * repeats)


def prepare_cuda(size: int) -> Twins:
    import torch
    from torch.cuda import _compile_kernel  # since 2.9: NVRTC, without a compiler on the machine

    given = torch.rand(size, device="cuda")
    outputs = [torch.empty_like(given) for _ in range(2)]
    kernels = [
        _compile_kernel(_KERNEL.replace("NAME", name).replace("SUFFIX", suffix), name)
        for name, suffix in (("in_double", ""), ("in_float", "f"))
    ]
    grid = ((size + 255) // 256, 1, 1)

    def run(number: int) -> Any:
        kernels[number](grid=grid, block=(256, 1, 1), args=[outputs[number], given, size])
        return outputs[number]

    return Twins(slow=lambda: run(0), fast=lambda: run(1), occurrences=size, clock=events)


BENCHMARK = Benchmark(
    id="double-literal",
    summary="a polynomial over floats in C with double literals, and with float literals",
    prepare=prepare,
    axis="elements",
    sizes=(4096, 65_536, 1 << 20),
    quick=(4096, 1 << 20),
    typical=65_536,
    per="element",
    needs=("c-compiler",),
    thorough=True,
)
ON_CUDA = Benchmark(
    id="double-literal.cuda",
    summary="a polynomial over floats in a CUDA kernel with double literals, and with float literals",
    prepare=prepare_cuda,
    axis="elements",
    sizes=(1 << 20, 1 << 24),
    quick=(1 << 20, 1 << 24),
    typical=1 << 24,
    per="element",
    device="cuda",
    needs=("torch", "cuda"),
    thorough=True,
)
