"""Logging commands of Azure Pipelines: errors and warnings become issues of the build, advice is plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlsys_advise.finding import Finding
from mlsys_advise.output import concise, reported
from mlsys_advise.output.terminal import Style


def render(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        if finding.severity == "info":
            yield from concise.render([finding], Style())
            continue
        span = reported.span(finding.span)
        properties = {
            "type": finding.severity,
            "sourcepath": reported.path(finding.path),
            "linenumber": str(span.line),
            "columnnumber": str(span.column),
            "code": finding.code,
        }
        listed = "".join(f"{name}={_property(value)};" for name, value in properties.items())
        yield f"##vso[task.logissue {listed}]{_data(reported.message(finding))}"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")
