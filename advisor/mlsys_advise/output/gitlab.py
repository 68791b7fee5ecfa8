"""A code quality report of GitLab: a list with a fingerprint for each finding, unique in the report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from mlsys_advise.finding import Finding
from mlsys_advise.fingerprint import fingerprints
from mlsys_advise.output import reported
from mlsys_advise.output.sources import Sources

_SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


def render(findings: Sequence[Finding], sources: Sources) -> Iterator[str]:
    marked = zip(findings, fingerprints(findings, sources.lines), strict=True)
    yield from json.dumps([_issue(finding, mark) for finding, mark in marked], indent=2).splitlines()


def _issue(finding: Finding, fingerprint: str) -> dict[str, object]:
    path = reported.path(finding.path)
    span = reported.span(finding.span)
    unique = hashlib.blake2b(f"{path}\0{fingerprint}".encode("utf-8", "surrogateescape"), digest_size=16)
    return {
        "description": reported.message(finding),
        "check_name": finding.code,
        "fingerprint": unique.hexdigest(),
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": path, "lines": {"begin": span.line, "end": span.end_line}},
    }
