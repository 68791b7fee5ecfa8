"""Whether all ways of asking give the same findings: ``python -m benchmarks.surfaces [--files N] FOLDER ...``.

Each folder is a project. Of all their files a sample is drawn, and the findings on each file are compared: over the
whole tree, as the only file named, on standard input, among others as a hook names them, in one process and in
several, cold and warm.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from mlsys_advise import engine
from mlsys_advise.finding import Finding
from mlsys_advise.project.discovery import Settings, discover
from mlsys_advise.settings.layer import Layer

Findings = Mapping[Path, tuple[Finding, ...]]

_HOOK = 7  # files that a hook names at once


class Disagreement(msgspec.Struct, frozen=True):
    """A surface that said something else of a file than a run over the tree."""

    surface: str
    path: Path
    only_tree: tuple[Finding, ...]
    only_there: tuple[Finding, ...]


def compare(root: Path, sample: Sequence[Path], *, ruff: bool = False) -> Iterator[Disagreement]:
    """``sample`` are files of the project ``root``."""
    with tempfile.TemporaryDirectory(prefix="mlsys-advise-surfaces-") as folder:
        asked = (Layer(ruff=ruff),)
        cached = engine.Options(jobs=1, cache=Path(folder), given=asked)
        bare = engine.Options(jobs=1, use_cache=False, given=asked)
        tree = _by_file(engine.check([root], bare))
        wanted = {path: tree.get(path, ()) for path in sample}
        yield from _differences("tree, cold", wanted, _by_file(engine.check([root], cached)))
        yield from _differences("tree, warm", wanted, _by_file(engine.check([root], cached)))
        yield from _differences("tree, two processes", wanted, _in_processes(root, ruff))
        for group in _groups(sample):
            said = _by_file(engine.check(group, cached))
            yield from _differences("hook", {path: wanted[path] for path in group}, said)
        for path in sample:
            one = {path: wanted[path]}
            yield from _differences("one file", one, _by_file(engine.check([path], cached)))
            given = engine.check([path], cached, overlay={path: path.read_bytes()})
            yield from _differences("standard input", one, _by_file(given))


def _in_processes(root: Path, ruff: bool) -> Findings:
    usual = engine.PARALLEL
    engine.PARALLEL = 0  # however small the project is
    try:
        return _by_file(engine.check([root], engine.Options(jobs=2, use_cache=False, given=(Layer(ruff=ruff),))))
    finally:
        engine.PARALLEL = usual


def _groups(sample: Sequence[Path]) -> Iterator[Sequence[Path]]:
    for start in range(0, len(sample), _HOOK):
        yield sample[start : start + _HOOK]


def _by_file(report: engine.Report) -> Findings:
    found: dict[Path, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(Path(finding.path), []).append(finding)
    return {path: tuple(findings) for path, findings in found.items()}


def _differences(surface: str, wanted: Findings, said: Findings) -> Iterator[Disagreement]:
    for path, findings in wanted.items():
        there = said.get(path, ())
        if there != findings:
            yield Disagreement(
                surface,
                path,
                tuple(finding for finding in findings if finding not in there),
                tuple(finding for finding in there if finding not in findings),
            )


def draw(roots: Iterable[Path], most: int, seed: int) -> dict[Path, list[Path]]:
    """Files for each project, ``most`` in all."""
    files = [(root, path) for root in roots for path in discover([root.resolve()], Settings()).files]
    chosen = random.Random(seed).sample(files, min(most, len(files)))
    return {root: sorted(path for owner, path in chosen if owner == root) for root in sorted({o for o, _ in chosen})}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ruff", action="store_true")
    options = parser.parse_args(arguments)
    samples = draw(options.folders, options.files, options.seed)
    wrong = 0
    for root, sample in samples.items():
        for disagreement in compare(root.resolve(), sample, ruff=options.ruff):
            wrong += 1
            print(f"{disagreement.surface}: {disagreement.path}")
            for finding in disagreement.only_tree:
                print(f"  tree only: {finding.span.line} {finding.code}")
            for finding in disagreement.only_there:
                print(f"  there only: {finding.span.line} {finding.code}")
    print(f"{sum(map(len, samples.values()))} files of {len(samples)} projects, {wrong} disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
