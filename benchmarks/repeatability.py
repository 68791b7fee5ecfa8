"""Whether calibrations of one machine agree, on an idle machine and beside two busy processes.

Bounds: at least 80% of the benchmarks that run settle on an idle machine and 60% beside two busy processes; two quick
runs in a row beside them agree within 10% on at least 95% of the figures that both believe. Benchmarks whose twins are
several processes are counted apart, because the busy ones take the very CPUs that they measure. Takes three minutes.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.options import parse
from benchmarks.process import REPOSITORY
from benchmarks.table import publish, render
from mlsys_calibration.collection import load_benchmarks
from mlsys_calibration.profile import Measurement, Profile
from mlsys_calibration.profile import parse as read

IDLE, BUSY, AGREE = 0.80, 0.60, 0.95
#: Two ratios are the same if they differ by less than this.
SAME = 1.10
PAGE = REPOSITORY / "docs" / "calibration.md"
#: Twins that are several processes or threads.
SEVERAL = frozenset(
    {"loader-overlap", "worker-oversubscription", "worker-rng-duplication", "event-loop-stall", "false-sharing"}
)


def settled(profile: Profile, names: frozenset[str]) -> tuple[int, int]:
    """How many of the benchmarks named that ran are believed, and how many ran; one not reached did not settle."""
    ran = [
        name
        for name in names
        if name not in profile.measurements or profile.measurements[name].status != "not-applicable"
    ]
    believed = [name for name in ran if name in profile.measurements and _sound(profile.measurements[name])]
    return len(believed), len(ran)


def agreeing(first: Profile, second: Profile, names: frozenset[str]) -> tuple[int, int]:
    """On how many of the benchmarks that both runs believe they agree at every size, and how many those are."""
    both = [
        (first.measurements[name], second.measurements[name])
        for name in sorted(names & first.measurements.keys() & second.measurements.keys())
        if _sound(first.measurements[name]) and _sound(second.measurements[name])
    ]
    return sum(_same(one, other) for one, other in both), len(both)


def _sound(measurement: Measurement) -> bool:
    return measurement.status == "measured"


def _same(one: Measurement, other: Measurement) -> bool:
    there = {point.size: point.ratio for point in other.points}
    pairs = [(point.ratio, there[point.size]) for point in one.points if point.size in there]
    return all(max(pair) <= SAME * min(pair) for pair in pairs)


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_spin, daemon=True) for _ in range(processes)]
    for process in started:
        process.start()
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.join()


def _spin() -> None:
    number = 0
    while True:
        number += 1


def calibrate(path: Path) -> Profile:
    command = [sys.executable, "-P", "-m", "mlsys_advise", "calibrate", "--quick", "--output", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return read(path.read_bytes())


def rows(idle: Profile, first: Profile, second: Profile) -> tuple[list[list[str]], bool]:
    """The rows of the table, and whether every bound is met. Twins of several processes have no bound."""
    cpu = [benchmark for benchmark in load_benchmarks() if benchmark.device == "cpu"]
    alone = frozenset(one.id for one in cpu) - SEVERAL
    table, met = [], True
    for label, counted, bound in (
        ("settled, idle", settled(idle, alone), IDLE),
        ("settled, beside two busy processes", settled(first, alone), BUSY),
        ("two runs beside them agree within 10%", agreeing(first, second, alone), AGREE),
        ("of several processes: settled, idle", settled(idle, SEVERAL), None),
        ("of several processes: settled, beside two busy", settled(first, SEVERAL), None),
    ):
        share = counted[0] / counted[1] if counted[1] else 0.0
        good = bound is None or share >= bound
        cells = ["", ""] if bound is None else [f"{bound:.0%}", "yes" if good else "**no**"]
        table.append([label, f"{counted[0]} of {counted[1]}", f"{share:.0%}", *cells])
        met = met and good
    return table, met


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    with tempfile.TemporaryDirectory(prefix="mlsys-repeatability-") as temporary:
        folder = Path(temporary)
        idle = calibrate(folder / "idle.json")
        with busy(2):
            first, second = (calibrate(folder / name) for name in ("first.json", "second.json"))
    table, met = rows(idle, first, second)
    heading = ["Quick runs", "benchmarks", "share", "at least", "met"]
    publish("repeatability", render(heading, table), update=options.update, page=PAGE)
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
