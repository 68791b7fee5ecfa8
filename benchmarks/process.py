"""What a whole process costs: CPU with its children, wall time, output.

A child's CPU counts only once its parent has waited for it, so a run whose workers outlive it would look too cheap:
the advisor joins its workers, and the memory benchmark sees the same tree alive.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from mlsys_advise.registry import load_rules

REPOSITORY = Path(__file__).resolve().parent.parent


class Cost(msgspec.Struct, frozen=True):
    """``cpu`` and ``wall`` in seconds; ``status`` as the shell sees it."""

    cpu: float
    wall: float
    status: int
    output: bytes
    errors: str


def run(
    command: Sequence[str | Path], *, folder: Path | None = None, watch: Callable[[int], None] | None = None
) -> Cost:
    """Runs ``command`` to its end; ``watch`` is called with its process id every 20 ms meanwhile."""
    # As it is installed for users, with its bytecode beside it: compiling the program anew is no part of its cost.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=errors, cwd=folder, env=env)
        if watch is not None:
            while not _ended(process):
                watch(process.pid)
                time.sleep(0.02)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        return Cost(
            cpu=usage.ru_utime + usage.ru_stime,
            wall=wall,
            status=process.returncode,
            output=output.read(),
            errors=errors.read().decode(errors="replace"),
        )


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended, leaving it to be waited for: its resource usage is read there."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def advise(
    *paths: Path,
    cache: Path | None = None,
    jobs: int = 1,
    options: Sequence[str] = (),
    folder: Path | None = None,
    watch: Callable[[int], None] | None = None,
) -> Cost:
    """One run of the linter, all rules. Raises RuntimeError if a rule or the engine failed: it measures nothing."""
    store = ("--no-cache",) if cache is None else ("--cache-dir", cache)
    every = ("--select", ",".join(rule.code for rule in load_rules().rules))  # also those that only run by name
    command = (sys.executable, "-P", "-m", "mlsys_advise", "--output-format", "json", "-j", str(jobs), *every)
    cost = run((*command, *store, *options, *paths), folder=folder, watch=watch)
    if cost.status not in (0, 1):
        raise RuntimeError(f"the linter ended with status {cost.status}:\n{cost.errors[-4000:]}")
    return cost


def parse_alone(folder: Path) -> Cost:
    """The measure of all costs: reading and parsing the same files, collector off, in a process of its own."""
    cost = run((sys.executable, "-P", REPOSITORY / "benchmarks" / "plain_parse.py", folder))
    if cost.status:
        raise RuntimeError(cost.errors)
    return cost


def least(repeats: int, *measures: Callable[[], float]) -> list[float]:
    """The minimum of each measure over ``repeats`` rounds in which they take turns.

    Interference only adds time, so the minimum is what the code costs; taking turns lets a slow minute of the machine
    fall on all of them alike.
    """
    rounds = [[measure() for measure in measures] for _ in range(repeats)]
    return [min(column) for column in zip(*rounds, strict=True)]
