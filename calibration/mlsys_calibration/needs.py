"""What a benchmark needs to run here, and the reason to give where it is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping

#: Packages that `mlsys-advise[calibrate]` installs; the rest comes with `mlsys-advise[calibrate-all]`.
_FIRST = frozenset({"numpy", "torch"})


def compiler() -> str | None:
    """The C compiler of this machine: what ``CC`` names, or the first that is found."""
    named = os.environ.get("CC", "")
    return next((path for name in (named, "cc", "gcc", "clang") if name and (path := shutil.which(name))), None)


def usable_cpus() -> int:
    """How many CPUs this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


#: Conditions beside packages: whether each holds, and how it is said.
CONDITIONS: Mapping[str, tuple[Callable[[], bool], str]] = {
    "c-compiler": (lambda: compiler() is not None, "a C compiler"),
    "fork": (lambda: sys.platform == "linux", "a system where forking is safe"),
    "linux": (lambda: sys.platform == "linux", "Linux"),
    "glibc": (lambda: sys.platform == "linux" and "glibc" in os.confstr("CS_GNU_LIBC_VERSION"), "glibc"),  # type: ignore[operator]
    "two-cpus": (lambda: usable_cpus() >= 2, "two CPUs"),
}
#: Conditions that only a look at the devices can decide.
DEVICES: Mapping[str, str] = {"cuda": "a CUDA device", "mps": "an Apple GPU", "two-gpus": "two CUDA devices"}


def missing(needs: Iterable[str], devices: Mapping[str, int]) -> list[str]:
    """The needs that are not met, in words; ``devices`` counts those of each kind."""
    found = []
    for need in needs:
        if need in CONDITIONS:
            holds, words = CONDITIONS[need]
            if not holds():
                found.append(words)
        elif need in DEVICES:
            if devices.get("cuda" if need == "two-gpus" else need, 0) < (2 if need == "two-gpus" else 1):
                found.append(DEVICES[need])
        elif importlib.util.find_spec(need) is None:
            found.append(need)
    return found


def how_to_install(reasons: Iterable[str]) -> str:
    """The command that installs the packages among the reasons, or nothing if there are none."""
    packages = {
        reason for reason in reasons if reason not in {words for _, words in CONDITIONS.values()} | {*DEVICES.values()}
    }
    if not packages:
        return ""
    return f"pip install 'mlsys-advise[{'calibrate' if packages <= _FIRST else 'calibrate-all'}]'"
