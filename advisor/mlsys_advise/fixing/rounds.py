"""Which fixes are made, in rounds: those that do not meet in a line first, the others in the text that these leave.

Invariant: a fix stays only if the file can be read as well as before, its finding is gone and no finding is new;
otherwise the file is as it was, and the reason is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeAlias

import msgspec

from mlsys_advise.finding import Finding
from mlsys_advise.fixing.fixable import Fixable
from mlsys_advise.fixing.refusal import Refusal
from mlsys_advise.fixing.replacement import Replacement

Contents: TypeAlias = Mapping[str, bytes]
#: Findings in the files as they are on disk, but for those whose contents are given by absolute path.
Check: TypeAlias = Callable[[Contents], Collection[Finding]]
#: The bytes of a file on disk by its absolute path.
Read: TypeAlias = Callable[[str], bytes]


class Left(msgspec.Struct, frozen=True):
    """A finding whose fix was not made, with the reason."""

    finding: Finding
    reason: str


class Result(msgspec.Struct, frozen=True):
    """New contents of files by path, what they fix, what was left, and what the check finds in them."""

    contents: Contents
    fixed: tuple[Finding, ...]
    left: tuple[Left, ...]
    findings: tuple[Finding, ...]


class _Planned(msgspec.Struct, frozen=True):
    finding: Finding
    changes: tuple[Replacement, ...]


def run(check: Check, read: Read, applicabilities: Collection[str]) -> Result:
    """Make all fixes of these applicabilities, on contents only; the files are not touched."""
    rounds = _Rounds(check, read, applicabilities)
    while planned := rounds.plan():
        rounds.attempt(planned)
    return Result(rounds.contents, tuple(rounds.fixed), tuple(rounds.left.values()), tuple(rounds.findings))


class _Rounds:
    def __init__(self, check: Check, read: Read, applicabilities: Collection[str]) -> None:
        self._check = check
        self._read = read
        self._applicabilities = applicabilities
        self.contents: dict[str, bytes] = {}
        self.findings = check({})
        self.fixed: list[Finding] = []
        self.left: dict[object, Left] = {}

    def plan(self) -> dict[str, list[_Planned]]:
        """The fixes of the next round by file: in the order of their places, none in the lines of another."""
        planned: dict[str, list[_Planned]] = {}
        files: dict[str, Fixable] = {}
        for finding in sorted(self.findings, key=lambda finding: (finding.path, finding.span)):
            fix = finding.fix
            if fix is None or fix.applicability not in self._applicabilities or _identity(finding) in self.left:
                continue
            try:
                if finding.path not in files:
                    files[finding.path] = Fixable(self._content(finding.path), finding.path)
                changes = files[finding.path].replacements(fix)
                if not changes:
                    raise Refusal("the fix changes nothing")
            except Refusal as refusal:
                self._leave(finding, str(refusal))
                continue
            others = planned.setdefault(finding.path, [])
            if not _meets(changes, others):
                others.append(_Planned(finding, changes))
        return {path: fixes for path, fixes in planned.items() if fixes}

    def attempt(self, planned: Mapping[str, list[_Planned]]) -> None:
        """Make the fixes if all of them hold; else each file's alone, and of a file that fails the first fix alone."""
        reason = self._try(planned)
        if not reason:
            return
        if len(planned) > 1:
            for path, fixes in planned.items():
                self.attempt({path: fixes})
            return
        ((path, fixes),) = planned.items()
        if len(fixes) > 1:
            self.attempt({path: fixes[:1]})
        else:
            self._leave(fixes[0].finding, reason)

    def _try(self, planned: Mapping[str, list[_Planned]]) -> str:
        """Take over the fixes if they hold; the reason why not otherwise."""
        changed: dict[str, bytes] = {}
        try:
            for path, fixes in planned.items():
                before = Fixable(self._content(path), path)
                changes = sorted({change for fix in fixes for change in fix.changes})
                changed[path] = before.with_changes(changes)
                if Fixable(changed[path], path).broken > before.broken:
                    return "the file could not be parsed afterwards"
        except Refusal as refusal:
            return str(refusal)
        contents = {**self.contents, **changed}
        findings = self._check(contents)
        made = [fix.finding for fixes in planned.values() for fix in fixes]
        reason = _objection(self.findings, findings, made)
        if not reason:
            self.contents, self.findings = contents, findings
            self.fixed += made
        return reason

    def _content(self, path: str) -> bytes:
        return self.contents[path] if path in self.contents else self._read(path)

    def _leave(self, finding: Finding, reason: str) -> None:
        self.left[_identity(finding)] = Left(finding, reason)


def _identity(finding: Finding) -> object:
    """What a finding is when lines around it have moved."""
    return finding.path, finding.code, finding.snippet


def _meets(changes: Iterable[Replacement], others: Iterable[_Planned]) -> bool:
    """Whether a change touches the lines of another fix. Two fixes may want the very same import."""
    return any(change.meets(other) and change != other for change in changes for fix in others for other in fix.changes)


def _objection(before: Collection[Finding], after: Collection[Finding], made: Iterable[Finding]) -> str:
    """Why the fixes do not hold, or an empty string."""
    counts = _counted(before)
    gone = _counted(made)
    for place, number in _counted(after).items():
        if number > counts[place] - gone[place]:
            return "the finding would remain" if gone[place] and number <= counts[place] else f"{place[1]} would be new"
    return ""


def _counted(findings: Iterable[Finding]) -> Counter[tuple[str, str]]:
    return Counter((finding.path, finding.code) for finding in findings)
