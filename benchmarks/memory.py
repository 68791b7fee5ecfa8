"""How much memory a run needs at its peak: the main process, and the largest worker.

Bound: 600 MB each on the six packages. Read from ``/proc``, so on Linux only; the kernel keeps the high-water mark of
a process itself, so sampling misses only what a process takes in its last 20 ms.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import corpus
from benchmarks.options import parse
from benchmarks.process import advise
from benchmarks.table import publish, render

BOUND = 600.0


class Peaks:
    """The high-water mark of resident memory, in MB, of a process and of its descendants, by process id."""

    def __init__(self) -> None:
        self.by_process: dict[int, float] = {}
        self.main = 0

    def watch(self, process: int) -> None:
        self.main = process
        for member in _tree(process):
            self.by_process[member] = max(self.by_process.get(member, 0.0), _peak(member))

    def of_main(self) -> float:
        return self.by_process.get(self.main, 0.0)

    def of_workers(self) -> list[float]:
        return [peak for process, peak in self.by_process.items() if process != self.main]


def _tree(process: int) -> list[int]:
    members, at = [process], 0
    while at < len(members):
        for task in Path(f"/proc/{members[at]}/task").glob("*/children"):
            try:
                members += [int(child) for child in task.read_text().split()]
            except OSError:  # the process ended meanwhile
                continue
        at += 1
    return members


def _peak(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:  # as above
        return 0.0
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return float(peaks[0]) * 1024 / 1e6 if peaks else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    if sys.platform != "linux":
        print("peak memory is read from /proc: not measured on this system")
        return 0
    folder = corpus.packages(options)
    rows, met = [], True
    with tempfile.TemporaryDirectory(prefix="mlsys-memory-") as temporary:
        cache = Path(temporary)
        for name, jobs, store in (
            ("cold, one process", 1, None),
            ("cold, two workers", 2, cache),
            ("nothing changed", 1, cache),
        ):
            peaks = Peaks()
            advise(folder, cache=store, jobs=jobs, watch=peaks.watch)
            workers = max(peaks.of_workers(), default=0.0)
            worst = max(peaks.of_main(), workers)
            cells = [f"{peaks.of_main():.0f} MB", f"{workers:.0f} MB" if workers else "none"]
            rows.append([name, *cells, f"{BOUND:g} MB", "yes" if worst <= BOUND else "**no**"])
            met = met and worst <= BOUND
    publish("memory", render(["Run", "main process", "largest worker", "at most", "met"], rows), update=options.update)
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
