"""The order in which findings are shown: by place, or what matters most first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlsys_advise.finding import Finding

_GRAVITY = {"error": 0, "warning": 1, "info": 2}


def sorted_by(criterion: str, findings: Sequence[Finding]) -> list[Finding]:
    """``path``, ``severity``, ``heat`` or ``rule``; among equals, the order of paths and lines."""
    return sorted(findings, key=_KEYS[criterion])


def gravity(finding: Finding) -> int:
    """0 for an error."""
    return _GRAVITY[finding.severity]


def heat(finding: Finding) -> int:
    """The higher the hotter: the frequency of the hottest context in which the program does its work."""
    hottest = finding.heat.hottest()
    return hottest[1] if hottest is not None else -1


def _place(finding: Finding) -> tuple[Any, ...]:
    return finding.path, finding.span.cell, finding.span, finding.code


_KEYS: dict[str, Callable[[Finding], tuple[Any, ...]]] = {
    "path": _place,
    "severity": lambda finding: (gravity(finding), -heat(finding), *_place(finding)),
    "heat": lambda finding: (-heat(finding), gravity(finding), *_place(finding)),
    "rule": lambda finding: (finding.code, *_place(finding)),
}
