"""The report of the engine with what its findings cost; nothing is loaded where no finding can have a cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from mlsys_advise.engine import Checked, Report
from mlsys_advise.finding import Finding

#: Findings that went quiet, with the reason.
Quiet = list[tuple[Finding, str]]


def require_known(names: Sequence[str]) -> None:
    """Raises UsageError for a target that is not there, before the work rather than after it."""
    if names:
        from mlsys_advise import targets

        targets.named(names)


def price(report: Report, *, by_cost: bool) -> tuple[Report, Quiet]:
    """The report with figures of each project's targets, or of what is at hand if it names none, and what went quiet.

    Raises UsageError for a target that is not there.
    """
    for project in report.projects:
        require_known(project.settings.target)
    if not any(finding.evidence for finding in report.findings):
        return report, []
    from mlsys_advise import cost, targets

    kept: list[Finding] = []
    quiet: Quiet = []
    failing = report.failing
    for checked, findings in _by_project(report):
        names = checked.settings.target if checked is not None else ()
        asked = targets.named(names) if names else targets.unnamed()
        reported, silenced = cost.settle(cost.priced(findings, asked))
        kept += reported
        quiet += [(one.finding, one.reason) for one in silenced]
        if checked is not None:
            failing -= sum(checked.settings.fails(one.finding.severity) for one in silenced)
    ordered = cost.ranked(kept) if by_cost else sorted(kept, key=lambda one: (one.path, one.span, one.code))
    return msgspec.structs.replace(report, findings=tuple(ordered), failing=failing), quiet


def _by_project(report: Report) -> Iterable[tuple[Checked | None, list[Finding]]]:
    """The findings of each project, which is the one with the deepest root above their file."""
    projects = sorted(report.projects, key=lambda one: len(one.root.parts), reverse=True)
    groups: dict[Path | None, tuple[Checked | None, list[Finding]]] = {}
    for finding in report.findings:
        owner = next((one for one in projects if Path(finding.path).is_relative_to(one.root)), None)
        groups.setdefault(owner.root if owner else None, (owner, []))[1].append(finding)
    return groups.values()
