"""How wall time falls with workers, on a cold run over the six packages."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence

from benchmarks import corpus
from benchmarks.options import parse
from benchmarks.process import advise, least
from benchmarks.table import publish, render


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    folder = corpus.packages(options)
    workers = [count for count in (1, 2, 4, 8, 16) if count <= (os.cpu_count() or 1)]
    walls = least(options.repeats, *(lambda count=count: advise(folder, jobs=count).wall for count in workers))
    rows = [
        [str(count), f"{wall:.1f} s", f"{walls[0] / wall:.2f}x"] for count, wall in zip(workers, walls, strict=True)
    ]
    publish("scaling", render(["Workers", "wall", "faster than one"], rows), update=options.update)
    return int(any(later > earlier for earlier, later in itertools.pairwise(walls)))


if __name__ == "__main__":
    sys.exit(main())
