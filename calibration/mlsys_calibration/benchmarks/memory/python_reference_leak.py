"""PyList_Append takes a reference of its own, so one that the caller does not give up is never given up."""

from __future__ import annotations

import ctypes

from mlsys_calibration.benchmark import Benchmark, Twins
from mlsys_calibration.benchmarks.native import extension

_FLOATS = 1000
_SOURCE = """
#include <Python.h>
PyObject *leaking(int n) {
    PyObject *list = PyList_New(0);
    for (int i = 0; i < n; i++)
        PyList_Append(list, PyFloat_FromDouble(i));  /* the reference that we own is lost here */
    return list;
}
PyObject *sound(int n) {
    PyObject *list = PyList_New(n);
    for (int i = 0; i < n; i++)
        PyList_SET_ITEM(list, i, PyFloat_FromDouble(i));  /* takes ours over */
    return list;
}
"""


def prepare(size: int) -> Twins:
    built = extension(_SOURCE)
    for function in (built.leaking, built.sound):
        function.restype = ctypes.py_object

    def calls(function: object) -> int:
        total = 0
        for _ in range(size):
            total += len(function(_FLOATS))  # type: ignore[operator]
        return total

    return Twins(slow=lambda: calls(built.leaking), fast=lambda: calls(built.sound), occurrences=size)


BENCHMARK = Benchmark(
    id="python-reference-leak",
    summary="memory held after lists of 1,000 floats made by a C extension are gone: PyList_Append, PyList_SET_ITEM",
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
