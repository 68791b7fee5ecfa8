"""One line for each finding, as compilers write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlsys_advise.finding import Finding
from mlsys_advise.output import position
from mlsys_advise.output.terminal import Style
from mlsys_advise.output.text import one_line


def render(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    for finding in findings:
        head = style.paint(finding.severity, f"{finding.severity}[{finding.code}]")
        yield f"{position.of_finding(finding)}: {head} {one_line(finding.message)}"
