"""What a first run costs, in units of parsing: one process, all rules, no cache, on the six packages.

The bound is 2.5 times the CPU of reading and parsing the same files with the collector off.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import corpus
from benchmarks.options import parse
from benchmarks.process import advise, least, parse_alone
from benchmarks.table import judged, publish, render

BOUND = 2.5


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    folder = corpus.packages(options)
    files = corpus.python_files(folder)
    lines = corpus.lines(files)
    parsing, linting = least(options.repeats, lambda: parse_alone(folder).cpu, lambda: advise(folder).cpu)
    ratio = linting / parsing
    row = [f"{len(files):,}", f"{lines:,}", f"{parsing:.1f} s", f"{linting:.1f} s", f"{lines / linting:,.0f}"]
    heading = ["Files", "Lines", "read + `ast.parse`", "cold run", "lines per second", "ratio", "at most", "met"]
    publish("cold", render(heading, [[*row, *judged(ratio, BOUND)]]), update=options.update)
    return int(ratio > BOUND)


if __name__ == "__main__":
    sys.exit(main())
