"""Opening a container reads and parses its index; a dataset that does so for each item pays it for each item."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Twins

_ROWS = 8


def prepare(size: int) -> Twins:
    import numpy

    columns = 1024
    array = numpy.arange(size // 4, dtype=numpy.float32).reshape(-1, columns)
    numpy.save("array.npy", array)
    wanted = [number * 37 % len(array) for number in range(_ROWS)]
    kept = numpy.load("array.npy", mmap_mode="r")
    return Twins(
        slow=lambda: [float(numpy.load("array.npy")[row].sum()) for row in wanted],
        fast=lambda: [float(kept[row].sum()) for row in wanted],
        occurrences=_ROWS,
    )


def prepare_hdf5(size: int) -> Twins:
    import h5py
    import numpy

    array = numpy.arange(size // 4, dtype=numpy.float32).reshape(-1, 1024)
    with h5py.File("array.h5", "w") as file:
        file["rows"] = array
    wanted = [number * 37 % len(array) for number in range(_ROWS)]
    kept = h5py.File("array.h5", "r")
    rows = kept["rows"]

    def reopened(row: int) -> float:
        with h5py.File("array.h5", "r") as file:
            return float(file["rows"][row].sum())

    return Twins(
        slow=lambda: [reopened(row) for row in wanted],
        fast=lambda: [float(rows[row].sum()) for row in wanted],
        occurrences=_ROWS,
        close=kept.close,
    )


def prepare_csv(size: int) -> Twins:
    import pandas

    pandas.DataFrame({"path": [f"{number}.jpg" for number in range(size)], "label": range(size)}).to_csv("rows.csv")
    wanted = [number * 37 % size for number in range(_ROWS)]
    kept = pandas.read_csv("rows.csv")
    return Twins(
        slow=lambda: [int(pandas.read_csv("rows.csv").iloc[row]["label"]) for row in wanted],
        fast=lambda: [int(kept.iloc[row]["label"]) for row in wanted],
        occurrences=_ROWS,
    )


BENCHMARK = Benchmark(
    id="container-reopen",
    summary="a row of a .npy file in the page cache: loaded for each row, and mapped once",
    prepare=prepare,
    axis="bytes",
    sizes=(1 << 20, 16 << 20),
    quick=(1 << 20, 16 << 20),
    typical=16 << 20,
    per="row",
    needs=("numpy",),
)
HDF5 = Benchmark(
    id="container-reopen-hdf5",
    summary="a row of an HDF5 file in the page cache: opened for each row, and kept open",
    prepare=prepare_hdf5,
    axis="bytes",
    sizes=(1 << 20, 16 << 20),
    quick=(1 << 20, 16 << 20),
    typical=16 << 20,
    per="row",
    needs=("h5py", "numpy"),
)
CSV = Benchmark(
    id="container-reopen-csv",
    summary="a row of a CSV file in the page cache: read for each row, and once",
    prepare=prepare_csv,
    axis="rows",
    sizes=(1000, 4000),
    quick=(1000, 4000),
    typical=4000,
    per="row",
    needs=("pandas",),
)
