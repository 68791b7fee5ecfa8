"""How many variants of a page's examples its rule still flags."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from tests.recall.program import Variant
from tests.recall.variants import HOLDS_NO_MORE, examples, variants
from tests.rules.harness import findings, pages

#: The share of the variants that a rule must flag.
LEAST = 0.8


class Recall(msgspec.Struct, frozen=True):
    """Counted by mark: a variant with two marks counts twice. ``missed`` holds variant and line of the example."""

    code: str
    name: str
    marks: int
    missed: tuple[tuple[str, int], ...]

    @property
    def flagged(self) -> int:
        return self.marks - len(self.missed)

    @property
    def share(self) -> float:
        return self.flagged / self.marks if self.marks else 0.0


@cache
def recall(path: str) -> Recall:
    """Of the rule whose page is at ``path``; measured once in a process."""
    page = pages()[path]
    flags = [
        (variant.name, project.line, flag)
        for project in examples(page)
        for variant in variants(project)
        if (page.code, variant.name) not in HOLDS_NO_MORE
        for flag in _flags(variant, page.code)
    ]
    missed = tuple((name, line) for name, line, flag in flags if not flag)
    return Recall(page.code, page.name, len(flags), missed)


def _flags(variant: Variant, code: str) -> Iterator[bool]:
    """For each mark of the rule, whether there is a finding at one of its places."""
    with tempfile.TemporaryDirectory() as folder:
        found = findings(variant.files, (code,), Path(folder))
    places = {(finding.path, finding.span.cell, finding.span.line) for finding in found}
    return (bool(places & wanted) for marked, wanted in variant.marks if marked == code)
