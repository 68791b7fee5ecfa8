"""What the disk gives below the page cache: the same bytes read in random pages of 4 kB, and in one piece.

Tells a spinning disk, a network volume and flash apart. Measured on the temporary folder's disk.
"""

from __future__ import annotations

import mmap
import os
import random

from mlsys_calibration.benchmark import Benchmark, Twins

_PAGE = 4096


def prepare(size: int) -> Twins:
    total = 16 * size
    with open("data", "wb") as file:
        file.write(os.urandom(1 << 20) * (total >> 20))
        file.flush()
        os.fsync(file.fileno())
    source = os.open("data", os.O_RDONLY | os.O_DIRECT)
    page, piece = mmap.mmap(-1, _PAGE), mmap.mmap(-1, size)  # direct reads need aligned memory
    chosen = random.Random(0)

    def random_pages() -> int:
        return sum(os.preadv(source, [page], chosen.randrange(total // _PAGE) * _PAGE) for _ in range(size // _PAGE))

    def one_piece() -> int:
        return os.preadv(source, [piece], chosen.randrange(total // size) * size)

    return Twins(slow=random_pages, fast=one_piece, occurrences=size // _PAGE, close=lambda: os.close(source))


BENCHMARK = Benchmark(
    id="disk-read",
    summary="1 MiB past the page cache in random pages of 4 kB, one after the other, and in one piece",
    prepare=prepare,
    axis="bytes",
    sizes=(1 << 20,),
    quick=(1 << 20, 1 << 20),
    typical=1 << 20,
    per="page",
    needs=("linux",),
)
