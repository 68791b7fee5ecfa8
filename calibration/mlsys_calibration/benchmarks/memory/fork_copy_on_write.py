"""Reading a Python object writes its reference count, so a forked worker copies each page of objects that it reads.

The value is the memory that becomes private to a worker that reads every row once, in random order.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

from mlsys_calibration.benchmark import Benchmark, Reading, Twins


def _private() -> int:
    """Bytes of this process that it shares with no other."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def _in_worker(read: Callable[[int], object], count: int) -> Reading:
    """Fork, read all rows in the child, and return what it came to own on the way."""
    receiver, sender = os.pipe()
    worker = os.fork()
    if worker == 0:
        order = list(range(count))
        random.Random(0).shuffle(order)
        before = _private()
        for index in order:
            read(index)
        os.write(sender, str(_private() - before).encode())
        os._exit(0)
    os.close(sender)
    with open(receiver, "rb") as answer:
        grown = int(answer.read())
    os.waitpid(worker, 0)
    return Reading(float(max(0, grown)), count)


def _row(number: int) -> dict[str, object]:
    return {"path": f"images/{number:08}.jpg", "label": number % 1000, "box": [number, number + 1, number + 2, 4]}


def prepare(size: int) -> Twins:
    import numpy

    rows = [_row(number) for number in range(size)]
    lines = [json.dumps(row).encode() for row in rows]
    offsets = numpy.cumsum([0] + [len(line) for line in lines])
    packed = numpy.frombuffer(b"".join(lines), dtype=numpy.uint8)
    del lines

    def unpack(index: int) -> object:
        return json.loads(packed[offsets[index] : offsets[index + 1]].tobytes())

    return Twins(
        slow=lambda: _in_worker(lambda index: rows[index]["box"], size),
        fast=lambda: _in_worker(unpack, size),
    )


BENCHMARK = Benchmark(
    id="fork-copy-on-write",
    summary="memory that a worker comes to own by reading a list of dicts, and the same rows in one buffer",
    prepare=prepare,
    axis="rows",
    sizes=(10_000, 20_000, 100_000, 600_000),
    quick=(10_000, 20_000),
    typical=600_000,
    per="worker",
    quantity="held-host-bytes",
    needs=("numpy", "fork"),
    limit=60.0,
)
