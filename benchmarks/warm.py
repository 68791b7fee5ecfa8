"""What a second run costs, in units of parsing: nothing changed, and one file changed.

Bounds: 0.1 of reading and parsing all files when nothing changed, 0.15 when one file changed, whatever in it.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import corpus, edits
from benchmarks.options import parse
from benchmarks.process import advise, least, parse_alone
from benchmarks.table import judged, publish, render

UNCHANGED, CHANGED = 0.1, 0.15
KINDS = {"body": edits.edit_body, "signature": edits.edit_signature, "imports": edits.edit_import}
#: Most files of the corpus lean on this one: the worst that an edit can invalidate.
HUB = "transformers/modeling_utils.py"

Change = Callable[[list[str], random.Random], str | None]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    with tempfile.TemporaryDirectory(prefix="mlsys-warm-") as temporary:
        folder, cache = Path(temporary, "packages"), Path(temporary, "cache")
        shutil.copytree(corpus.packages(options), folder)
        advise(folder, cache=cache)
        parsing, unchanged = least(
            options.repeats, lambda: parse_alone(folder).cpu, lambda: advise(folder, cache=cache).cpu
        )
        rows = [["nothing", f"{unchanged:.2f} s", *judged(unchanged / parsing, UNCHANGED)]]
        met = unchanged / parsing <= UNCHANGED
        for kind, change in KINDS.items():
            costs = [
                _after_edit(
                    file, change, seed=options.seed + number, folder=folder, cache=cache, repeats=options.repeats
                )
                for number, file in enumerate(_chosen(folder, options.seed))
            ]
            worst = max(costs)
            rows.append([f"{kind} of one file", f"{worst:.2f} s", *judged(worst / parsing, CHANGED)])
            met = met and worst / parsing <= CHANGED
    heading = ["Changed since the last run", "CPU, worst of the files tried", "of `ast.parse`", "at most", "met"]
    publish("warm", render(heading, rows), update=options.update)
    return int(not met)


def _chosen(folder: Path, seed: int) -> list[Path]:
    """Four files at random, and the hub."""
    files = [file for file in corpus.python_files(folder) if file.stat().st_size > 2000]
    hub = folder / HUB
    return [*random.Random(seed).sample(files, 4), *([hub] if hub.exists() else [])]


def _after_edit(file: Path, change: Change, *, seed: int, folder: Path, cache: Path, repeats: int) -> float:
    """CPU of the run after the edit, the least of several edits of that kind; each differs, so none is cached."""
    original = file.read_text(encoding="utf-8")
    costs = []
    for repeat in range(repeats):
        lines = original.splitlines(keepends=True)
        for attempt in range(50):
            if change(lines, random.Random(f"{seed} {repeat} {attempt}")):
                break
        file.write_text("".join([*lines, f"# revision {seed} {repeat}\n"]), encoding="utf-8")
        costs.append(advise(folder, cache=cache).cpu)
    file.write_text(original, encoding="utf-8")
    advise(folder, cache=cache)
    return min(costs)


if __name__ == "__main__":
    sys.exit(main())
