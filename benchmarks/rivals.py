"""The nearest linters beside this one on timm: CPU of the whole process, taking turns in one run.

They are installed at pinned versions into an environment of their own in the benchmarks' cache folder.
Bound: at least 50 times less CPU than TorchFix and torch-preflight.
"""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from benchmarks import corpus
from benchmarks.options import parse
from benchmarks.process import advise, parse_alone, run
from benchmarks.table import publish, render

BOUND = 50.0


class Rival(msgspec.Struct, frozen=True):
    """``arguments`` go before the folder; one process wherever the tool lets us choose."""

    requirement: str
    program: str
    arguments: tuple[str, ...]
    bounded: bool


RIVALS = (
    Rival("torchfix==0.7.0", "torchfix", ("-j", "1"), True),
    Rival("torch-preflight==0.5.0", "torch-preflight", ("check", "-j", "1", "--format", "json"), True),
    Rival("hotpath-ai==0.1.0", "hotpath", ("analyze",), False),
)


def environment() -> Path:
    """The folder of the rivals' programs, installed if need be."""
    folder = corpus.cache_folder() / "rivals"
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if not all(any(programs.glob(f"{rival.program}*")) for rival in RIVALS):
        venv.create(folder, with_pip=True)
        requirements = [rival.requirement for rival in RIVALS]
        subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", *requirements], check=True)
    return programs


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    timm = corpus.packages(msgspec.structs.replace(options, quick=True))
    programs = environment()
    measures: list[Callable[[], float]] = [
        lambda: parse_alone(timm).cpu,
        lambda: advise(timm).cpu,
        *(lambda rival=rival: _cost(programs, rival, timm) for rival in RIVALS),
    ]
    # The rivals take minutes and are compared by a factor of fifty: one round of them is enough.
    parsing = min(measures[0]() for _ in range(options.repeats))
    own = min(measures[1]() for _ in range(options.repeats))
    rivals = [measure() for measure in measures[2:]]
    rows = [["read + `ast.parse`", f"{parsing:.2f} s", "", ""], ["mlsys-advise, cold", f"{own:.2f} s", "1x", ""]]
    met = True
    for rival, cpu in zip(RIVALS, rivals, strict=True):
        factor = cpu / own
        verdict = ("yes" if factor >= BOUND else "**no**") if rival.bounded else ""
        met = met and not (rival.bounded and factor < BOUND)
        rows.append([re.sub("==", " ", rival.requirement), f"{cpu:.1f} s", f"{factor:.0f}x", verdict])
    lines = f"CPU on timm, {corpus.lines(corpus.python_files(timm)):,} lines"
    publish("rivals", render(["", lines, "of ours", f"at least {BOUND:g}x"], rows), update=options.update)
    return int(not met)


def _cost(programs: Path, rival: Rival, folder: Path) -> float:
    cost = run((programs / rival.program, *rival.arguments, folder))
    # Findings make some of them fail and others not; a traceback means that it did not do the work.
    if "Traceback" in cost.errors:
        raise RuntimeError(f"{rival.program}:\n{cost.errors[-2000:]}")
    return cost.cpu


if __name__ == "__main__":
    sys.exit(main())
