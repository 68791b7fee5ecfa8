"""Whether a warm run ever tells something else than a cold one: random edits, each followed by both.

The warm result must equal the cold one byte for byte after each edit, and so must the results with 2 and 4 workers
and with the files named in another order. A difference is kept in the benchmarks' cache folder, with the project as
it was then, and ends the run with status 1.
"""

from __future__ import annotations

import difflib
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import corpus
from benchmarks.edits import Workspace
from benchmarks.options import Options, parse
from benchmarks.process import REPOSITORY, advise
from benchmarks.table import publish, render

#: What is edited a thousand times: some hundred real files, and the example, in which every rule finds something.
PACKAGES = ("accelerate", "lightning_fabric", "pytorch_lightning")
#: Workers and shuffled order are tried after every so many edits, and everything is put back as often.
EVERY = 50
FAILED = b"failed: "


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    with tempfile.TemporaryDirectory(prefix="mlsys-freshness-") as named:
        temporary = Path(named).resolve()
        some = _some_hundred(options, temporary / "some")
        name = "the example" if options.quick else "some hundred files"
        if options.project is not None:
            name = options.project.name
        rows = [_row(name, some, options.edits or 1000, options.seed)]
        if options.project is None and not options.quick:
            everything = shutil.copytree(corpus.packages(options), temporary / "all")
            rows.append(_row("all six packages", everything, min(20, options.edits or 20), options.seed))
    heading = ["Project", "Python files", "edits", "runs compared", "that differed"]
    publish("freshness", render(heading, rows), update=options.update)
    return int(any(row[-1] != "0" for row in rows))


def _some_hundred(options: Options, folder: Path) -> Path:
    if options.project is not None:
        shutil.copytree(options.project, folder)
    else:
        for package in () if options.quick else PACKAGES:
            shutil.copytree(corpus.packages(options) / package, folder / package)
        inside = shutil.ignore_patterns("mlsys-advise.toml")
        shutil.copytree(REPOSITORY / "examples", folder / "examples", ignore=inside)
    (folder / "mlsys-advise.toml").touch()
    return folder


def _row(name: str, folder: Path, count: int, seed: int) -> list[str]:
    files = len(corpus.python_files(folder))
    compared, differed = compare(folder, count, seed)
    return [name, f"{files:,}", f"{count:,}", f"{compared:,}", f"{differed:,}"]


def compare(folder: Path, count: int, seed: int) -> tuple[int, int]:
    """Makes ``count`` edits in ``folder``; how many runs were compared with a cold one, and how many differed.

    A run that fails differs, whatever the others do.
    """
    cache, stale = (folder.with_name(f"{folder.name}-{kind}") for kind in ("cache", "before"))
    before = advise(folder, cache=cache, folder=folder).output
    workspace = Workspace(folder, seed, favoured=_decisive(before, folder))
    compared = differed = 0
    history: list[str] = []
    for number in range(1, count + 1):
        history.append(workspace.edit())
        cold = _told(folder, folder=folder)
        shutil.rmtree(stale, ignore_errors=True)
        shutil.copytree(cache, stale)
        runs = {"warm": _told(folder, folder=folder, cache=cache)}
        if number % EVERY == 0 or number == count:
            runs |= _other_ways(folder, random.Random(number))
        for name, output in runs.items():
            compared += 1
            if output != cold or output.startswith(FAILED):
                differed += 1
                _keep(folder, stale, name, cold, output, history)
                shutil.rmtree(cache)
                _told(folder, folder=folder, cache=cache)
        if number % EVERY == 0:
            workspace.restore()
            history.append("restored")
            print(f"{number} edits, {differed} differences", file=sys.stderr)
    return compared, differed


def _told(*paths: Path, folder: Path, jobs: int = 1, cache: Path | None = None) -> bytes:
    """What the linter prints, or that it failed."""
    try:
        return advise(*paths, folder=folder, jobs=jobs, cache=cache).output
    except RuntimeError as error:
        return FAILED + str(error).encode()


class _Place(msgspec.Struct):
    filename: str


class _Finding(msgspec.Struct):
    filename: str
    related: list[_Place]
    heat_path: list[_Place]


def _decisive(output: bytes, folder: Path) -> list[str]:
    """The files with findings, and those that a finding rests on: where an edit changes most answers."""
    found = msgspec.json.decode(output, type=list[_Finding])
    places = {one.filename for one in found}
    places |= {place.filename for one in found for place in one.related + one.heat_path}
    return sorted((folder / place).relative_to(folder).as_posix() for place in places)


def _other_ways(folder: Path, order: random.Random) -> dict[str, bytes]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    order.shuffle(files)
    return {
        "2 workers": _told(folder, jobs=2, folder=folder),
        "4 workers": _told(folder, jobs=4, folder=folder),
        "shuffled": _told(*files, folder=folder),
    }


def _keep(folder: Path, cache: Path, name: str, cold: bytes, other: bytes, history: Sequence[str]) -> None:
    """Stores the project and the cache as they were before the run, so that the run can be had again."""
    kept = Path(tempfile.mkdtemp(prefix="difference-", dir=_made(corpus.cache_folder())))
    shutil.copytree(folder, kept / "project")
    shutil.copytree(cache, kept / "cache")
    before, after = cold.decode().splitlines(), other.decode().splitlines()
    difference = difflib.unified_diff(before, after, "cold", name, lineterm="")
    (kept / "difference.diff").write_text("\n".join(difference))
    (kept / "edits.txt").write_text("\n".join(history))
    print(f"{name} differs from cold after: {history[-1]} (see {kept})", file=sys.stderr)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
