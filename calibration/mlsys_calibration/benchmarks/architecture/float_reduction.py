"""A strict float sum is one chain of additions; only if it may be reordered can it use the vector units."""

from __future__ import annotations

import ctypes
from array import array

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.native import functions

#: Elements of one call: enough that the call itself does not show.
_ELEMENTS = 1 << 18
_SOURCE = """
float strict(const float *x, const float *y, long n, long repeats) {
    float total = 0;
    for (long r = 0; r < repeats; r++) {
        total = 0;
        for (long i = 0; i < n; i++) total += x[i] * y[i];
        __asm__ volatile("" : : "r"(x), "m"(total) : "memory");
    }
    return total;
}
float reordered(const float *x, const float *y, long n, long repeats) {
    float total = 0;
    for (long r = 0; r < repeats; r++) {
        total = 0;
        #pragma omp simd reduction(+:total)
        for (long i = 0; i < n; i++) total += x[i] * y[i];
        __asm__ volatile("" : : "r"(x), "m"(total) : "memory");
    }
    return total;
}
"""


def _twins(size: int, *flags: str) -> Twins:
    built = functions(_SOURCE, "-fopenmp-simd", *flags)
    signs = [1.0, -0.5, 0.25, -0.75]  # sums that stay small, so that their order does not show in the result
    vector = ctypes.c_float * size
    first, second = (vector.from_buffer(array("f", part * (size // 4))) for part in (signs, [1.0] * 4))
    first[0] = 3.0
    for function in (built.strict, built.reordered):
        function.restype = ctypes.c_float
    repeats = max(1, _ELEMENTS // size)
    given = (first, second, ctypes.c_long(size), ctypes.c_long(repeats))
    return Twins(
        slow=lambda: built.strict(*given),
        fast=lambda: built.reordered(*given),
        occurrences=size * repeats,
    )


def prepare(size: int) -> Twins:
    return _twins(size)


def prepare_native(size: int) -> Twins:
    return _twins(size, "-march=native")


def _declare(name: str, how: str, prepare: object) -> Benchmark:
    return Benchmark(
        id=name,
        summary=f"a dot product compiled {how}: strict, and as a simd reduction",
        prepare=prepare,  # type: ignore[arg-type]
        axis="elements",
        sizes=(1024, 65_536, 1 << 20, 1 << 23),
        quick=(1024, 1 << 20),
        typical=65_536,
        per="element",
        needs=("c-compiler",),
        thorough=True,
    )


BENCHMARK = _declare("float-reduction", "for any CPU of its kind", prepare)
NATIVE = _declare("float-reduction-native", "for this CPU", prepare_native)
