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
from benchmarks.table import markdown, publish

SNAPSHOT = REPOSITORY / "tests" / "ecosystem" / "snapshot.jsonl"
PAGE = REPOSITORY / "docs" / "ecosystem.md"


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


def counts(found: Sequence[Site]) -> str:
    """A table of findings by rule and package."""
    packages = sorted({site.package for site in found})
    cells = Counter((site.code, site.package) for site in found)
    rows = [
        [code, *(str(cells[code, package]) for package in packages), str(sum(site.code == code for site in found))]
        for code in sorted({site.code for site in found})
    ]
    return markdown(["Rule", *packages, "all"], rows)


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
    publish("ecosystem", counts(found), update=options.update, page=PAGE)
    if options.update:
        SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
        SNAPSHOT.write_text("".join(f"{line}\n" for line in encoded(found)), encoding="utf-8")
        return 0
    return int(bool(difference))


if __name__ == "__main__":
    sys.exit(main())
