"""Benchmarks that behave and misbehave on purpose; child processes import them by name."""

from __future__ import annotations

import ctypes
import gc
import os
import socket
import sys
import threading
import time
from pathlib import Path

from mlsys_calibration.benchmark import Benchmark, Reading, Twins


def _declare(name: str, prepare: object, **more: object) -> Benchmark:
    fields: dict[str, object] = {"axis": "rows", "sizes": (1, 10), "quick": (1, 10), "typical": 10, "limit": 10.0}
    return Benchmark(id=name, summary=name, prepare=prepare, **(fields | more))  # type: ignore[arg-type]


def _sleeping(size: int) -> Twins:
    return Twins(slow=lambda: time.sleep(0.004) or 1, fast=lambda: time.sleep(0.002) or 1)


def _differing(size: int) -> Twins:
    return Twins(slow=lambda: [1.0, 2.0], fast=lambda: [1.0, 2.1])


def _raising(size: int) -> Twins:
    raise RuntimeError(f"no luck in {Path.cwd()}/file")


def _crashing(size: int) -> Twins:
    print("about to fall", file=sys.stderr, flush=True)
    ctypes.string_at(0)
    raise AssertionError("unreachable")


def _endless(size: int) -> Twins:
    if os.fork() == 0:
        time.sleep(600)
    Path("/tmp/mlsys-calibration-test-group").write_text(str(os.getpgrp())) if size == 10 else None
    time.sleep(600)
    raise AssertionError("unreachable")


def _greedy(size: int) -> Twins:
    return Twins(slow=lambda: len(bytearray(1 << 30)), fast=lambda: 1 << 30)


def _reporting(size: int) -> Twins:
    """Twins whose value is a fact about the process: 1 where it holds."""
    facts = {
        1: not gc.isenabled(),
        2: Path.cwd().name.startswith("mlsys-calibrate-"),
        3: os.environ["TMPDIR"] == str(Path.cwd()),
        4: threading.active_count() == 1 and len([*Path("/proc/self/task").glob("*")]) <= 1,
        5: os.environ["OMP_NUM_THREADS"] == "1",
    }
    return Twins(slow=lambda: Reading(float(facts[size]), 1), fast=lambda: Reading(1.0, 1))


def _connecting(size: int) -> Twins:
    with socket.socket() as reaching:
        reaching.settimeout(0.1)
        reaching.connect(("192.0.2.1", 80))
    raise AssertionError("unreachable")


def _holding(size: int) -> Twins:
    kept: list[bytearray] = []

    def keep() -> int:
        kept.append(bytearray(os.urandom(1 << 20) * 32))
        return 1

    return Twins(slow=keep, fast=lambda: 1)


def _fleeting(size: int) -> Twins:
    return Twins(slow=lambda: len(bytearray(b"x" * (64 << 20))) // (64 << 20), fast=lambda: 1)


SLEEPING = _declare("sleeping", _sleeping)
DIFFERING = _declare("differing", _differing)
RAISING = _declare("raising", _raising)
CRASHING = _declare("crashing", _crashing)
ENDLESS = _declare("endless", _endless, limit=1.0)
GREEDY = _declare("greedy", _greedy, memory=256 << 20)
REPORTING = _declare("reporting", _reporting, quantity="share")
CONNECTING = _declare("connecting", _connecting)
HOLDING = _declare("holding", _holding, quantity="held-host-bytes")
FLEETING = _declare("fleeting", _fleeting, quantity="peak-host-bytes")
NEEDY = _declare("needy", _sleeping, needs=("no_such_package",))
