"""Workflow commands that GitHub Actions turns into annotations of the changed files.

The grave come first: GitHub keeps ten errors, ten warnings and ten notices of a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlsys_advise.finding import Finding
from mlsys_advise.output import reported

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in sorted(findings, key=lambda finding: reported.GRAVITY[finding.severity]):
        span = reported.span(finding.span)
        properties = {
            "title": f"{finding.code} {finding.name}",
            "file": reported.path(finding.path),
            "line": str(span.line),
            "endLine": str(span.end_line),
        }
        if span.line == span.end_line and not finding.span.cell:  # elsewhere GitHub refuses columns
            properties |= {"col": str(span.column), "endColumn": str(span.end_column)}
        listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        yield f"::{_COMMANDS[finding.severity]} {listed}::{_data(_text(finding))}"


def _text(finding: Finding) -> str:
    return f"{reported.message(finding)}\n{finding.why}".rstrip()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
