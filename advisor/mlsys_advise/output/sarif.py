"""SARIF 2.1.0 within what GitHub's code scanning documents: required fields, and limits of sizes and counts.

Each result has two partial fingerprints: the hash of its line as GitHub computes it, by which an alert is recognised
when lines move, and our own, which also survives reformatting and changes to the lines around.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from mlsys_advise import __version__, heat
from mlsys_advise.finding import Finding, Related, Severity
from mlsys_advise.fingerprint import fingerprints
from mlsys_advise.output import reported
from mlsys_advise.output.line_hash import line_hashes
from mlsys_advise.output.sources import Sources
from mlsys_advise.rule import Rule
from mlsys_advise.span import Place, Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: Limits of code scanning. Of more results than this it drops what it likes; we keep the grave ones.
RESULTS = 25_000
TEXT = 1_024  # characters of a rule's descriptions
RELATED = 100  # locations of a result that are kept
TAGS = 10

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "info": "recommendation"}
#: What code scanning shows as high, medium and low for rules tagged ``security``.
_SECURITY = {"error": "8.0", "warning": "5.5", "info": "2.0"}

Json = dict[str, object]
Find = Callable[[str], Rule | None]


def render(findings: Sequence[Finding], sources: Sources, rule_of: Find) -> Iterator[str]:
    """``rule_of`` gives the rule of a code, whose page becomes the help of the alert."""
    kept = sorted(findings, key=lambda finding: reported.GRAVITY[finding.severity])[:RESULTS]
    kept.sort(key=lambda finding: (finding.path, finding.span, finding.code))
    first = {finding.code: finding for finding in reversed(kept)}
    numbers = {code: number for number, code in enumerate(sorted(first))}
    hashes = _line_hashes(kept, sources)
    marks = fingerprints(kept, sources.lines)
    run = {
        "tool": {
            "driver": {
                "name": "mlsys-advise",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(first[code], rule_of(code)) for code in numbers],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, numbers[finding.code], hashes, mark) for finding, mark in zip(kept, marks, strict=True)
        ],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    yield from json.dumps(document, indent=1).splitlines()


def _rule(finding: Finding, rule: Rule | None) -> Json:
    """``finding`` is one of the rule's, which tells the same where the rule is gone."""
    severity: Severity = finding.severity if rule is None else rule.severity
    page = _page(rule) or finding.why
    tags = [finding.category, f"lesson:{finding.lesson}"]
    properties: Json = {"tags": tags[:TAGS], "precision": "high", "problem.severity": _PROBLEMS[severity]}
    if finding.category == "security":
        properties["security-severity"] = _SECURITY[severity]
    return {
        "id": finding.code,
        "name": _pascal(finding.name),
        "shortDescription": {"text": _cut(finding.name.replace("-", " "))},
        "fullDescription": {"text": _cut(finding.why or finding.message)},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": properties,
    }


def _page(rule: Rule | None) -> str:
    try:
        return rule.page() if rule is not None else ""
    except FileNotFoundError:
        return ""


def _result(finding: Finding, number: int, hashes: dict[tuple[str, int], str], fingerprint: str) -> Json:
    span = reported.span(finding.span)
    prints = {"mlsysAdvise/v1": fingerprint}
    if (hashed := hashes.get((finding.path, span.line))) is not None:
        prints["primaryLocationLineHash"] = hashed
    related = [*finding.heat_path, *finding.related]
    properties: Json = {"category": finding.category, "heat": heat.describe(finding.heat)}
    if finding.span.cell:
        properties |= {"cell": finding.span.cell, "line": finding.span.line}
    if finding.assumed:
        properties["assumed"] = list(finding.assumed)
    result: Json = {
        "ruleId": finding.code,
        "ruleIndex": number,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{reported.message(finding)}\n{finding.why}".rstrip()},
        "locations": [_location(Place(finding.path, finding.span))],
        "partialFingerprints": prints,
        "properties": properties,
    }
    if related:
        result["relatedLocations"] = [_related(entry, index) for index, entry in enumerate(related[:RELATED], start=1)]
    return result


def _location(place: Place) -> Json:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": reported.uri(place.path)},
            "region": _region(reported.span(place.span)),
        }
    }


def _region(span: Span) -> Json:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _related(related: Related, number: int) -> Json:
    text = reported.prefix(related.place.span) + reported.text(related.message)
    return {"id": number, **_location(related.place), "message": {"text": text}}


def _line_hashes(findings: Sequence[Finding], sources: Sources) -> dict[tuple[str, int], str]:
    """By path and line; a notebook has none, for its cells are not the text that GitHub would hash."""
    wanted: dict[str, set[int]] = {}
    for finding in findings:
        if not finding.span.cell:
            wanted.setdefault(finding.path, set()).add(finding.span.line)
    return {
        (path, line): hashed
        for path, lines in wanted.items()
        for line, hashed in line_hashes(sources.lines(path), lines).items()
    }


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else text[: TEXT - 3] + "..."
