"""What the linter finds in the pinned packages, compared with the committed snapshot.

Run it after every change to a rule: the difference is what the change does to real code. ``--update`` accepts it.
The snapshot names places and holds no third-party code.
"""

from __future__ import annotations

import difflib
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from benchmarks import corpus
from benchmarks.options import parse
from benchmarks.process import REPOSITORY, advise

SNAPSHOT = REPOSITORY / "tests" / "ecosystem" / "snapshot.jsonl"


class Site(msgspec.Struct, frozen=True, order=True):
    package: str
    path: str
    line: int
    code: str
    heat: str


def sites(output: bytes, folder: Path) -> list[Site]:
    """The places of the findings in the JSON ``output`` of a run in ``folder``, sorted."""
    return sorted(_site(finding, folder) for finding in msgspec.json.decode(output, type=list[_Finding]))


class _Location(msgspec.Struct):
    row: int


class _Heat(msgspec.Struct):
    context: str
    frequency: str


class _Finding(msgspec.Struct):
    """Of what the linter prints, what the snapshot keeps."""

    filename: str
    code: str
    location: _Location
    heat: list[_Heat]


def _site(finding: _Finding, folder: Path) -> Site:
    path = (folder / finding.filename).relative_to(folder).as_posix()
    heat = " ".join(f"{pair.context}:{pair.frequency}" for pair in finding.heat)
    return Site(path.split("/", 1)[0], path, finding.location.row, finding.code, heat)


def encoded(found: Iterable[Site]) -> list[str]:
    return [msgspec.json.encode(site).decode() for site in found]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(__doc__, arguments)
    folder = corpus.packages(options).resolve()
    found = sites(advise(folder, jobs=2, folder=folder).output, folder)
    before = SNAPSHOT.read_text(encoding="utf-8").splitlines() if SNAPSHOT.exists() else []
    difference = [
        line
        for line in difflib.unified_diff(before, encoded(found), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    for line in difference:
        print(line)
    for code, count in sorted(Counter(site.code for site in found).items()):
        packages = Counter(site.package for site in found if site.code == code)
        print(f"{code} {count:5d}  " + ", ".join(f"{name} {number}" for name, number in sorted(packages.items())))
    if options.update:
        SNAPSHOT.write_text("".join(f"{line}\n" for line in encoded(found)), encoding="utf-8")
        return 0
    return int(bool(difference))


if __name__ == "__main__":
    sys.exit(main())
