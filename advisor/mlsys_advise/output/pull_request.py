"""A summary for a pull request: counts, and a table of the gravest findings, in GitHub's and GitLab's Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlsys_advise import heat
from mlsys_advise.finding import Finding
from mlsys_advise.output import reported, summary
from mlsys_advise.output.text import one_line

#: Rows of the table; a comment may hold 65,536 characters.
ROWS = 50
_CELL = 600

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")
_MENTION = re.compile(r"([@#])(?=\w)")


def render(findings: Sequence[Finding], files: int) -> Iterator[str]:
    yield "### mlsys-advise"
    yield ""
    yield summary.closing(findings, files)
    if not findings:
        return
    yield ""
    yield "| Severity | Rule | Where | What | Heat |"
    yield "|---|---|---|---|---|"
    grave_first = sorted(findings, key=lambda finding: reported.GRAVITY[finding.severity])
    for finding in grave_first[:ROWS]:
        yield f"| {' | '.join(_cells(finding))} |"
    if len(findings) > ROWS:
        yield ""
        yield f"And {summary.counted(len(findings) - ROWS, 'more finding')}."
    yield ""
    yield "`mlsys-advise rule CODE` explains a rule."


def _cells(finding: Finding) -> Iterator[str]:
    span = finding.span
    cell = f":cell {span.cell}" if span.cell else ""
    yield finding.severity
    yield f"{finding.code} {finding.name}"
    yield _code(one_line(f"{reported.path(finding.path)}{cell}:{span.line}").replace("`", "'"))
    yield _prose(finding.message)
    yield heat.describe(finding.heat)


def _prose(text: str) -> str:
    """One line in which only what stands between backticks is code, and nothing else has a meaning."""
    text = one_line(text)
    text = text if len(text) <= _CELL else text[: _CELL - 3] + "..."
    parts = text.split("`")
    last = len(parts) - 1
    return "".join(
        _plain(part) if number % 2 == 0 else _code(part) if number < last and part.strip() else _plain("`" + part)
        for number, part in enumerate(parts)
    )


def _plain(text: str) -> str:
    # A zero-width space keeps people from being called, and numbers from becoming links.
    return _MENTION.sub("\\1\u200b", _SPECIAL.sub(r"\\\1", text))


def _code(text: str) -> str:
    """Code without backticks in it; a bar would end the cell."""
    return f"`{text.replace('|', chr(92) + '|')}`"
