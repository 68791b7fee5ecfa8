"""Which findings are silenced by which comments, and which comments silence nothing.

Both are decided from all that was judged in the file, whatever rules were selected, so that a comment does not look
unused because its rule was left out of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from mlsys_advise.finding import Finding, Severity
from mlsys_advise.rule import Rule
from mlsys_advise.suppression.directives import Suppression
from mlsys_advise.suppression.unused_suppression import UNUSED


class Sifted(msgspec.Struct, frozen=True):
    """The findings of one file that no comment silences, those that one does, and reports on useless comments."""

    kept: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    unused: tuple[Finding, ...]


def sift(
    findings: Sequence[Finding],
    comments: Sequence[Suppression],
    path: str,
    rules: Sequence[Rule],
    explain_unknown: Callable[[str], str],
) -> Sifted:
    """Apply the comments of the file ``path`` to its findings; ``explain_unknown`` says what is wrong with a selector
    that no rule answers to."""
    if not comments:
        return Sifted(tuple(findings), (), ())
    by_code = {rule.code: rule for rule in rules}
    used: set[tuple[int, str]] = set()
    kept: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in findings:
        rule = by_code.get(finding.code)
        uses = {
            (number, selector)
            for number, comment in enumerate(comments)
            if rule is not None and not comment.problem and covers(comment, finding)
            for selector in comment.selectors
            if rule.answers_to(selector)
        }
        used |= uses
        (suppressed if uses else kept).append(finding)
    unused: list[Finding] = []
    for number, comment in enumerate(comments):
        left = [selector for selector in comment.selectors if (number, selector) not in used]
        unused += _reports(comment, left, path, rules, explain_unknown)
    silent = [
        finding
        for finding in unused
        if not any(covers(comment, finding) and _names_us(comment) for comment in comments if not comment.problem)
    ]
    return Sifted(tuple(kept), tuple(suppressed), tuple(silent))


def covers(comment: Suppression, finding: Finding) -> bool:
    """Whether the comment speaks of the finding's first or last line."""
    if comment.scope == "file":
        return True
    span = finding.span
    if comment.span.cell != span.cell:
        return False
    return (
        comment.scope == "cell"
        or comment.first <= span.line <= comment.last
        or comment.first <= span.end_line <= comment.last
    )


def _names_us(comment: Suppression) -> bool:
    return any(UNUSED.is_named(selector) for selector in comment.selectors)


def _reports(
    comment: Suppression,
    unused: Iterable[str],
    path: str,
    rules: Sequence[Rule],
    explain_unknown: Callable[[str], str],
) -> list[Finding]:
    if comment.problem:
        return [_report(comment, path, f"silences nothing: {comment.problem}", "warning")]
    found: list[Finding] = []
    idle: list[str] = []
    for selector in unused:
        if UNUSED.is_named(selector):
            continue
        if any(rule.answers_to(selector) for rule in rules):
            idle.append(selector)
        else:
            found.append(_report(comment, path, f"silences nothing: {explain_unknown(selector)}", "warning"))
    if idle:
        found.append(_report(comment, path, f"silences nothing: {' and '.join(idle)} would not report here", "info"))
    return found


def _report(comment: Suppression, path: str, message: str, severity: Severity) -> Finding:
    return Finding(
        code=UNUSED.code,
        name=UNUSED.name,
        message=f"this comment {message}",
        why=UNUSED.summary,
        severity=severity,
        category=UNUSED.category,
        lesson=UNUSED.lesson,
        path=path,
        span=comment.span,
    )
