"""Copies of one site told as one: people copy functions from file to file, and the mistake with them.

Folding changes what is shown, never what is counted.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from mlsys_advise.finding import Finding

_GRAVITY = {"error": 0, "warning": 1, "info": 2}


class Site(msgspec.Struct, frozen=True):
    """One finding to show, and the others with the same code and the same text of the flagged statement."""

    finding: Finding
    copies: tuple[Finding, ...] = ()


def fold(findings: Iterable[Finding]) -> list[Site]:
    """Sites in the order of their first finding; the gravest copy is the one shown, the first among equals."""
    groups: dict[tuple[str, str] | int, list[Finding]] = {}
    for number, finding in enumerate(findings):
        groups.setdefault((finding.code, finding.snippet) if finding.snippet else number, []).append(finding)
    sites = []
    for group in groups.values():
        shown = min(group, key=lambda finding: _GRAVITY[finding.severity])
        sites.append(Site(shown, tuple(finding for finding in group if finding is not shown)))
    return sites
