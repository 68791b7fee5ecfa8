"""The diagnostic format of reviewdog, one JSON object for all findings. Its columns count bytes of UTF-8."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from mlsys_advise.finding import Finding, Related
from mlsys_advise.output import reported
from mlsys_advise.output.sources import Sources
from mlsys_advise.span import Place, Span

_SEVERITIES = {"error": "ERROR", "warning": "WARNING", "info": "INFO"}

Json = dict[str, object]


def render(findings: Iterable[Finding], sources: Sources) -> Iterator[str]:
    diagnostics = [_diagnostic(finding, sources) for finding in findings]
    document = {"source": {"name": "mlsys-advise"}, "diagnostics": diagnostics}
    yield from json.dumps(document, indent=2).splitlines()


def _diagnostic(finding: Finding, sources: Sources) -> Json:
    diagnostic: Json = {
        "message": reported.message(finding),
        "location": _location(Place(finding.path, finding.span), sources),
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.code},
    }
    edits = None if finding.fix is None or finding.span.cell else sources.edits(finding.path, finding.fix)
    if edits:
        diagnostic["suggestions"] = [
            {"range": _range(finding.path, span, sources), "text": text} for span, text in edits
        ]
    if finding.related:
        diagnostic["relatedLocations"] = [_related(related, sources) for related in finding.related]
    return diagnostic


def _related(related: Related, sources: Sources) -> Json:
    return {
        "message": reported.prefix(related.place.span) + reported.text(related.message),
        "location": _location(related.place, sources),
    }


def _location(place: Place, sources: Sources) -> Json:
    location: Json = {"path": reported.from_here(place.path)}
    if not place.span.cell:
        location["range"] = _range(place.path, place.span, sources)
    return location


def _range(path: str, span: Span, sources: Sources) -> Json:
    return {
        "start": _position(path, span.line, span.column, sources),
        "end": _position(path, span.end_line, span.end_column, sources),
    }


def _position(path: str, line: int, column: int, sources: Sources) -> Json:
    lines = sources.lines(path)
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    before = text[: column - 1].encode("utf-8", "surrogatepass")
    return {"line": line, "column": column if not text else len(before) + 1}
