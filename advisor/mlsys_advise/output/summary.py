"""What stands around the findings: the closing line, notices about files, internal errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from mlsys_advise.finding import Finding, InternalError, Notice
from mlsys_advise.output import position
from mlsys_advise.output.terminal import Style
from mlsys_advise.output.text import one_line, shown_path

_SHORT = 5  # lines of notices without -v
_PATHS = 3  # files named in one of them


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def closing(findings: Sequence[Finding], files: int, *, suppressed: int = 0, accepted: int = 0) -> str:
    """How many findings of which severity there are, and how many others are silenced."""
    others = [(suppressed, "suppressed"), (accepted, "in the baseline")]
    silenced = ", ".join(f"{number:,} {what}" for number, what in others if number)
    checked = counted(files, "file") + (f"; {silenced}" if silenced else "")
    if not findings:
        return f"No findings in {checked}."
    by_severity = Counter(finding.severity for finding in findings)
    parts = [counted(by_severity[severity], severity) for severity in ("error", "warning") if by_severity[severity]]
    if by_severity["info"]:
        parts.append(f"{by_severity['info']:,} info")
    return f"Found {counted(len(findings), 'finding')} ({', '.join(parts)}) in {checked}."


PARTIAL = "partial project: a limit was reached, so rules that need more of the project than was read kept silent"


def went_quiet(found: Sequence[tuple[Finding, str]], style: Style, *, named: bool) -> Iterator[str]:
    """What is not reported because it costs too little on the targets named: its number, or each with the reason."""
    note = style.paint("note", "note:")
    if named:
        for finding, reason in found:
            yield f"{note} {position.of_finding(finding)}: {finding.code} is quiet: {reason}"
    elif found:
        yield f"{note} {counted(len(found), 'finding')} cost too little there to be reported, --show-quiet names them"


def notices(found: Iterable[Notice], style: Style, *, verbose: bool = False) -> Iterator[str]:
    """Lines for people; without ``verbose``, files of which the same is said share one."""
    lines = list(_each(found) if verbose else _grouped(found))
    shown = lines if verbose or len(lines) <= _SHORT + 1 else lines[:_SHORT]
    note = style.paint("note", "note:")
    for line in shown:
        yield f"{note} {line}"
    if len(shown) < len(lines):
        yield f"{note} and {len(lines) - len(shown)} more, -v shows all"


def _each(found: Iterable[Notice]) -> Iterator[str]:
    for notice in found:
        line = f":{notice.line}" if notice.line else ""
        where = f"{shown_path(notice.path)}{line}: " if notice.path else ""
        yield f"{where}{one_line(notice.message)}"


def _grouped(found: Iterable[Notice]) -> Iterator[str]:
    by_message: dict[str, list[Notice]] = {}
    for notice in found:
        by_message.setdefault(notice.message, []).append(notice)
    for message, group in by_message.items():
        if len(group) == 1:
            yield from _each(group)
            continue
        named = ", ".join(shown_path(notice.path) for notice in group[:_PATHS])
        more = f" and {len(group) - _PATHS:,} more" if len(group) > _PATHS else ""
        yield f"{one_line(message)} ({counted(len(group), 'file')}: {named}{more})"


def internal_errors(errors: Iterable[InternalError], style: Style, *, verbose: bool = False) -> Iterator[str]:
    """One line for each, with how to report it; the whole detail where ``verbose``."""
    for error in errors:
        detail = error.detail.strip().splitlines() or [""]
        where = f" on {shown_path(error.path)}" if error.path else ""
        yield (
            f"{style.paint('error', 'internal error:')} {one_line(error.where)} failed{where} ({one_line(detail[-1])});"
            " this is a mistake of mlsys-advise: please report this line and the code it concerns"
        )
        if verbose and len(detail) > 1:
            yield from ("  " + one_line(line) for line in detail)
