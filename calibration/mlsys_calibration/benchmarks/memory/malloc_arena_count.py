"""The C library reads its variables when the process starts, so setting them from inside Python comes too late.

Not a timing: arenas that 32 threads make, as a share of eight for each CPU, which is the limit by default.
"""

from __future__ import annotations

import subprocess
import sys

from mlsys_calibration.benchmark import Benchmark, Reading, Twins
from mlsys_calibration.needs import usable_cpus

_PROGRAM = """
import os
os.environ["MALLOC_ARENA_MAX"] = "2"
import ctypes, re, threading
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier({threads})
def work():
    blocks = [libc.malloc(2000) for _ in range(200)]
    barrier.wait()
    for block in blocks:
        libc.free(ctypes.c_void_p(block))
threads = [threading.Thread(target=work) for _ in range({threads})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(b"arenas.xml", b"w"))
libc.malloc_info(0, file)
libc.fclose.argtypes = [ctypes.c_void_p]
libc.fclose(file)
print(len(re.findall("<heap nr", open("arenas.xml").read())))
"""


def prepare(size: int) -> Twins:
    program = _PROGRAM.format(threads=size)

    def arenas(environment: dict[str, str]) -> Reading:
        found = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program], env=environment, capture_output=True, check=True
        )
        return Reading(int(found.stdout) / (8 * usable_cpus()), size)

    return Twins(slow=lambda: arenas({}), fast=lambda: arenas({"MALLOC_ARENA_MAX": "2"}))


BENCHMARK = Benchmark(
    id="malloc-arena-count",
    summary="arenas of 32 threads: MALLOC_ARENA_MAX=2 set inside Python, and before the process starts",
    prepare=prepare,
    axis="threads",
    sizes=(8, 32),
    quick=(32, 32),
    typical=32,
    per="process",
    quantity="share",
    needs=("glibc",),
)
