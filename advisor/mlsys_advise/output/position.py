"""How a place is written for people: ``path:line:column``, which terminals and editors make into a link."""

from __future__ import annotations

from mlsys_advise.finding import Finding
from mlsys_advise.output.text import shown_path
from mlsys_advise.span import Place, Span


def place(path: str, span: Span) -> str:
    cell = f":cell {span.cell}" if span.cell else ""
    return f"{shown_path(path)}{cell}:{span.line}:{span.column}"


def of_finding(finding: Finding) -> str:
    return place(finding.path, finding.span)


def line_of(at: Place) -> str:
    """Without the column, for places where the line is what matters."""
    return place(at.path, at.span).rpartition(":")[0]
