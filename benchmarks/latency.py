"""How long a person waits for one file: wall time from a shell, alone and in a project of 4,800 files.

Bounds: 0.4 s for a file of 100 lines in a project of its own, 0.8 s in the large project with a warm cache; help and
version at most 0.15 s more than the bare interpreter.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import corpus
from benchmarks.options import parse
from benchmarks.process import REPOSITORY, advise, run
from benchmarks.table import judged, publish, render

ALONE, IN_PROJECT, BESIDE_BARE = 0.4, 0.8, 0.15
RUNS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    with tempfile.TemporaryDirectory(prefix="mlsys-latency-") as temporary:
        folder, cache = Path(temporary, "packages"), Path(temporary, "cache")
        shutil.copytree(corpus.packages(options), folder)
        alone = _alone(Path(temporary, "alone"))
        chosen = _of_a_hundred_lines(folder)
        advise(folder, cache=cache)
        many = f"one of {len(corpus.python_files(folder)):,}"
        bare = statistics.median(run((sys.executable, "-c", "pass")).wall for _ in range(RUNS))
        program = (sys.executable, "-P", "-m", "mlsys_advise")
        cases: list[tuple[str, float, Callable[[], float]]] = [
            ("none: `--version`", bare + BESIDE_BARE, lambda: run((*program, "--version")).wall),
            ("none: `--help`", bare + BESIDE_BARE, lambda: run((*program, "--help")).wall),
            ("the only file of its project, no cache", ALONE, lambda: advise(alone).wall),
            ("the only file of its project, cached", ALONE, lambda: advise(alone, cache=cache).wall),
            (f"{many}, unchanged", IN_PROJECT, lambda: advise(chosen, cache=cache).wall),
            (f"{many}, just edited", IN_PROJECT, lambda: _edited(chosen, cache)),
        ]
        rows, met = [], True
        for name, bound, measure in cases:
            seconds = [measure() for _ in range(RUNS)]
            rows.append([name, f"{min(seconds):.2f} s", *judged(statistics.median(seconds), round(bound, 2), " s")])
            met = met and statistics.median(seconds) <= bound
    heading = ["File of 100 lines", "least", f"median of {RUNS}", "at most", "met"]
    publish("latency", render(heading, rows), update=options.update)
    return int(not met)


def _alone(folder: Path) -> Path:
    """A hundred lines of the example's training script, which import modules that are not there."""
    folder.mkdir()
    folder.joinpath("mlsys-advise.toml").touch()
    lines = (REPOSITORY / "examples" / "vision" / "train.py").read_text(encoding="utf-8").splitlines(keepends=True)
    file = folder / "train.py"
    file.write_text("".join((lines * 2)[:100]), encoding="utf-8")
    return file


def _of_a_hundred_lines(folder: Path) -> Path:
    """The file whose length is nearest to 100 lines; of several, the first by path."""
    return min(corpus.python_files(folder), key=lambda file: (abs(corpus.lines([file]) - 100), file))


def _edited(file: Path, cache: Path) -> float:
    with file.open("a", encoding="utf-8") as stream:
        stream.write("EDITED = True\n")
    return advise(file, cache=cache).wall


if __name__ == "__main__":
    sys.exit(main())
