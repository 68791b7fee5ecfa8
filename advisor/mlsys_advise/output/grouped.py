"""The findings of each file under its name, one line for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from mlsys_advise.finding import Finding
from mlsys_advise.output.terminal import Style
from mlsys_advise.output.text import one_line, shown_path


def render(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    """Blocks of lines, each ended by an empty line; places are aligned within a file."""
    for path, group in itertools.groupby(findings, lambda finding: finding.path):
        entries = [(_place(finding), finding) for finding in group]
        widest = max(len(place) for place, _ in entries)
        yield style.paint("strong", shown_path(path) + ":")
        for place, finding in entries:
            head = style.paint(finding.severity, f"{finding.severity}[{finding.code}]")
            yield f"  {place.ljust(widest)}  {head} {one_line(finding.message)}"
        yield ""


def _place(finding: Finding) -> str:
    span = finding.span
    cell = f"cell {span.cell}:" if span.cell else ""
    return f"{cell}{span.line}:{span.column}"
