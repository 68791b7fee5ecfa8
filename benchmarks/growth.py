"""How the cost of a cold run grows: the whole corpus against one half of it.

Bound: double the files, at most 2.2 times the CPU. The halves are dealt file by file, so both look alike.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import corpus
from benchmarks.options import parse
from benchmarks.process import advise, least, parse_alone
from benchmarks.table import judged, publish, render

BOUND = 2.2


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    folder = corpus.packages(options)
    with tempfile.TemporaryDirectory(prefix="mlsys-growth-") as temporary:
        half = Path(temporary)
        half.joinpath("mlsys-advise.toml").touch()
        for file in half_of(corpus.python_files(folder)):
            copy = half / file.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        parsing_half, parsing, linting_half, linting = least(
            options.repeats,
            lambda: parse_alone(half).cpu,
            lambda: parse_alone(folder).cpu,
            lambda: advise(half).cpu,
            lambda: advise(folder).cpu,
        )
    ratio = linting / linting_half
    rows = [
        ["read + `ast.parse`", f"{parsing_half:.1f} s", f"{parsing:.1f} s", f"{parsing / parsing_half:.2f}x", "", ""],
        ["cold run", f"{linting_half:.1f} s", f"{linting:.1f} s", *judged(ratio, BOUND)],
    ]
    heading = ["", "half of the files", "all files", "ratio", "at most", "met"]
    publish("growth", render(heading, rows), update=options.update)
    return int(ratio > BOUND)


def half_of(files: Sequence[Path]) -> list[Path]:
    """Files that together make up half of the bytes: each goes, largest first, to the side that has less so far."""
    sides: tuple[list[Path], list[Path]] = ([], [])
    sizes = [0, 0]
    for file in sorted(files, key=lambda file: (-file.stat().st_size, file)):
        less = int(sizes[1] < sizes[0])
        sides[less].append(file)
        sizes[less] += file.stat().st_size
    return sorted(sides[0])


if __name__ == "__main__":
    sys.exit(main())
