"""struct.unpack makes a Python object of every number; a view of the buffer makes none."""

from __future__ import annotations

import struct

from mlsys_calibration.benchmark import Benchmark, Twins


def prepare(size: int) -> Twins:
    import numpy

    raw = numpy.arange(size, dtype="<f4").tobytes()
    return Twins(
        slow=lambda: numpy.array(struct.unpack(f"<{size}f", raw), dtype="<f4"),
        fast=lambda: numpy.frombuffer(raw, "<f4").copy(),
        occurrences=size,
    )


def prepare_one_by_one(size: int) -> Twins:
    import numpy

    raw = numpy.arange(size, dtype="<f4").tobytes()

    def one_by_one() -> object:
        return numpy.array([struct.unpack_from("<f", raw, at)[0] for at in range(0, 4 * size, 4)], dtype="<f4")

    return Twins(slow=one_by_one, fast=lambda: numpy.frombuffer(raw, "<f4").copy(), occurrences=size)


BENCHMARK = Benchmark(
    id="boxed-unpack",
    summary="float32 values through struct.unpack, and through numpy.frombuffer",
    prepare=prepare,
    axis="values",
    sizes=(1000, 100_000, 1_000_000),
    quick=(1000, 100_000),
    typical=100_000,
    per="value",
    needs=("numpy",),
)
ONE_BY_ONE = Benchmark(
    id="boxed-unpack-one-by-one",
    summary="float32 values through one struct.unpack each, and through numpy.frombuffer",
    prepare=prepare_one_by_one,
    axis="values",
    sizes=(1000, 100_000),
    quick=(1000, 100_000),
    typical=100_000,
    per="value",
    needs=("numpy",),
)
