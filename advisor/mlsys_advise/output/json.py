"""A JSON list in the shape that ruff prints, so that whatever reads ruff's findings reads these.

Fields of our own stand beside ruff's and never change the meaning of one. The text is ASCII, whatever the terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlsys_advise.edit import Fix
from mlsys_advise.finding import Cost, Finding, Related
from mlsys_advise.heat import Heat
from mlsys_advise.output.sources import Sources
from mlsys_advise.span import Place, Span

_APPLICABILITY = {"safe": "safe", "suggested": "unsafe"}

Json = dict[str, object]


def render(findings: Iterable[Finding], sources: Sources) -> Iterator[str]:
    """The lines of the list, one finding at a time. A fix that cannot be made in the file as it is now is left out."""
    lead = "["
    for finding in findings:
        yield lead
        body = json.dumps(as_json(finding, sources), indent=2)
        yield from ("  " + line for line in body.splitlines()[:-1])
        lead = "  },"
    yield "[]" if lead == "[" else "  }\n]"


def as_json(finding: Finding, sources: Sources) -> Json:
    return {
        "cell": finding.span.cell or None,
        "code": finding.code,
        **_range(finding.span),
        "filename": str(Path(finding.path)),
        "fix": None if finding.fix is None else _fix(finding.path, finding.fix, sources),
        "message": finding.message,
        "name": finding.name,
        "noqa_row": finding.span.line,
        "severity": finding.severity,
        "url": None,
        "category": finding.category,
        "lesson": finding.lesson,
        "why": finding.why,
        "heat": _heat(finding.heat),
        "heat_path": [_related(step) for step in finding.heat_path],
        "related": [_related(related) for related in finding.related],
        "assumed": list(finding.assumed),
        "costs": [_cost(cost) for cost in finding.costs],
    }


def _range(span: Span) -> Json:
    return {
        "location": {"row": span.line, "column": span.column},
        "end_location": {"row": span.end_line, "column": span.end_column},
    }


def _fix(path: str, fix: Fix, sources: Sources) -> Json | None:
    edits = sources.edits(path, fix)
    if edits is None:
        return None
    return {
        "applicability": _APPLICABILITY[fix.applicability],
        "edits": [{"content": content, **_range(span)} for span, content in edits],
        "message": fix.message,
    }


def _heat(heat: Heat) -> list[Json]:
    return [
        {"context": context.name.lower() if context.name else "", "frequency": frequency.name.lower()}
        for context, frequency in heat.pairs()
    ]


def _cost(cost: Cost) -> Json:
    known = cost.ratio is not None
    return {
        "machine": cost.machine,
        "device": cost.device,
        "named": cost.named,
        "reference": cost.reference,
        "how": cost.how,
        "quantity": cost.quantity if known else None,
        "per": cost.per if known else None,
        "ratio": cost.ratio,
        "slow": cost.slow if known else None,
        "fast": cost.fast if known else None,
        "loss": cost.loss if known else None,
    }


def _place(place: Place) -> Json:
    return {"filename": str(Path(place.path)), "cell": place.span.cell or None, **_range(place.span)}


def _related(related: Related) -> Json:
    return {**_place(related.place), "message": related.message}
