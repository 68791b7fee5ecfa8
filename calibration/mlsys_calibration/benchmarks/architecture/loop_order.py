"""With rows in the inner loop, each step jumps a whole row, uses four bytes of a cache line and evicts the rest."""

from __future__ import annotations

import ctypes

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.native import functions

_SOURCE = """
void by_columns(float *out, const float *a, const float *b, long n) {
    for (long k = 0; k < n; k++)
        for (long i = 0; i < n; i++)
            out[i * n + k] = a[i] * b[k] + 1;
}
void by_rows(float *out, const float *a, const float *b, long n) {
    for (long i = 0; i < n; i++)
        for (long k = 0; k < n; k++)
            out[i * n + k] = a[i] * b[k] + 1;
}
"""


def prepare(size: int) -> Twins:
    built = functions(_SOURCE, "-fno-loop-interchange" if _is_gcc() else "-fno-vectorize")
    vector = ctypes.c_float * size
    first, second = (vector(*(number % 7 for number in range(size))) for _ in range(2))
    out = (ctypes.c_float * (size * size))()

    def run(function: object) -> list[float]:
        function(out, first, second, ctypes.c_long(size))  # type: ignore[operator]
        corners = [out[0], out[size - 1], out[size * size - 1]]
        out[0] = out[size - 1] = out[size * size - 1] = -1.0  # or the other twin would find them here
        return corners

    return Twins(slow=lambda: run(built.by_columns), fast=lambda: run(built.by_rows), occurrences=size * size)


def _is_gcc() -> bool:
    import subprocess

    from mlsys_calibration.needs import compiler

    version = subprocess.run([str(compiler()), "--version"], capture_output=True, text=True).stdout
    return "clang" not in version


def prepare_numba(size: int) -> Twins:
    import numba
    import numpy

    @numba.njit
    def by_columns(out, a, b):  # type: ignore[no-untyped-def]
        for k in range(b.shape[0]):
            for n in range(a.shape[0]):
                out[n, k] = a[n] * b[k] + 1

    @numba.njit
    def by_rows(out, a, b):  # type: ignore[no-untyped-def]
        for n in range(a.shape[0]):
            for k in range(b.shape[0]):
                out[n, k] = a[n] * b[k] + 1

    values = numpy.arange(size, dtype=numpy.float32) % 7

    def run(function: object, out: object) -> object:
        function(out, values, values)  # type: ignore[operator]
        return out

    outputs = [numpy.zeros((size, size), dtype=numpy.float32) for _ in range(2)]

    return Twins(
        slow=lambda: run(by_columns, outputs[0]), fast=lambda: run(by_rows, outputs[1]), occurrences=size * size
    )


BENCHMARK = Benchmark(
    id="loop-order",
    summary="an outer product in C with the row in the inner loop, and with the column",
    prepare=prepare,
    axis="rows and columns",
    sizes=(64, 256, 1024, 4096),
    quick=(64, 1024),
    typical=1024,
    per="element",
    needs=("c-compiler",),
    thorough=True,
)
WITH_NUMBA = Benchmark(
    id="loop-order-numba",
    summary="an outer product in numba with the row in the inner loop, and with the column",
    prepare=prepare_numba,
    axis="rows and columns",
    sizes=(64, 256, 1024, 4096),
    quick=(64, 1024),
    typical=1024,
    per="element",
    needs=("numba", "numpy"),
    thorough=True,
)
