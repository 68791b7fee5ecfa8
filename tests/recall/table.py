"""Writes the table of recall into the README of each pack: ``python -m tests.recall.table``.

Without a pack's README, or without the markers in it, the section is added at its end.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from tests.recall.measure import Recall, recall
from tests.recall.variants import HOLDS_NO_MORE
from tests.rules.harness import PACKS, pages

BEGIN, END = "<!-- measured: recall -->", "<!-- end: recall -->"
HEADING = "| Rule | variants | flagged | share | not flagged |"
SECTION = f"""\
## Recall

The examples of each page, rewritten in all ways of `tests/recall/variants.py` that apply: imports aliased, variables
renamed, definitions moved to other files, objects made by factories, functions turned into classes, numbers read from
the command line. Counted are the flagged lines of those variants that still hold the mistake. The table is written by
`python -m tests.recall.table`.

{BEGIN}
{END}
"""


def packs() -> dict[str, list[str]]:
    """The paths of the pages of each pack."""
    result: dict[str, list[str]] = {}
    for path in pages():
        result.setdefault(path.split("/")[2], []).append(path)
    return result


def table(paths: list[str]) -> str:
    """The rows of the rules of one pack, and what was not counted and why."""
    rows = sorted(row(recall(path)) for path in paths)
    reasons = not_counted({pages()[path].code for path in paths})
    return "\n".join([HEADING, "| --- | --- | --- | --- | --- |", *rows, *reasons])


def row(measured: Recall) -> str:
    missed = Counter(name for name, _ in measured.missed)
    named = "; ".join(f"{name} ({count})" if count > 1 else name for name, count in sorted(missed.items()))
    figures = f"{measured.marks} | {measured.flagged} | {measured.share:.0%}"
    return f"| {measured.code} {measured.name} | {figures} | {named or 'none'} |"


def not_counted(codes: Collection[str]) -> list[str]:
    reasons = [f"- {code}, *{name}*: {why}" for (code, name), why in sorted(HOLDS_NO_MORE.items()) if code in codes]
    return ["", "Not counted, because the mistake is gone:", "", *reasons] if reasons else []


def replaced(text: str, new: str) -> str:
    """The README with its table replaced, or with the section added."""
    if BEGIN not in text or END not in text:
        text = f"{text.rstrip()}\n\n{SECTION}" if text.strip() else SECTION
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{new}\n{END}{rest.split(END, 1)[1]}"


def readme(pack: str) -> Path:
    return PACKS / pack / "README.md"


def main() -> int:
    for pack, paths in packs().items():
        path = readme(pack)
        old = path.read_text(encoding="utf-8") if path.is_file() else f"# {pack}\n"
        path.write_text(replaced(old, table(paths)), encoding="utf-8", newline="\n")
        print(*(row(recall(path)) for path in paths), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
