"""A JUnit report: a suite for each file, a case for each finding. Advice is a case that passes and says something.

A run without findings has one case that passes, because servers take an empty report for a broken one.
"""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as xml
from collections.abc import Iterable, Iterator

from mlsys_advise.finding import Finding
from mlsys_advise.output import reported

_TOOL = "mlsys-advise"
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(findings: Iterable[Finding]) -> Iterator[str]:
    root = xml.Element("testsuites", name=_TOOL)
    for path, group in itertools.groupby(findings, lambda finding: reported.path(finding.path)):
        suite = xml.SubElement(root, "testsuite", name=_characters(path))
        for finding in group:
            _add_case(suite, path, finding)
        _count(suite)
    if not len(root):
        suite = xml.SubElement(root, "testsuite", name=_TOOL)
        xml.SubElement(suite, "testcase", name="no findings", classname=_TOOL)
        _count(suite)
    _count(root)
    xml.indent(root)
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield from xml.tostring(root, encoding="unicode").splitlines()


def _add_case(suite: xml.Element, path: str, finding: Finding) -> None:
    cell = f"cell {finding.span.cell}:" if finding.span.cell else ""
    place = f"{cell}{finding.span.line}:{finding.span.column}"
    name = f"{finding.code} {finding.name} at {place}"
    line = str(reported.span(finding.span).line)
    case = xml.SubElement(suite, "testcase", name=name, classname=_characters(path), file=_characters(path), line=line)
    text = _characters(f"{path}:{place}: {finding.message}\n{finding.why}".rstrip())
    if finding.severity == "info":
        xml.SubElement(case, "system-out").text = text
    else:
        said = _characters(finding.message)
        xml.SubElement(case, "failure", type=finding.severity, message=said).text = text


def _count(element: xml.Element) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    element.set("failures", str(len(element.findall(".//failure"))))
    element.set("errors", "0")
    element.set("time", "0")


def _characters(text: str) -> str:
    """Without what XML cannot hold: control characters and lone surrogates."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
