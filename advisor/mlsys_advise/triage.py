"""Which of the findings that were judged are reported: comments, selection, settings, baseline, change, filters.

All of it comes after the judgement and after the cache, so that a warm run and a cold one, and runs with other
settings, differ in nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from mlsys_advise import selection
from mlsys_advise.accepted import Known, Matched, match
from mlsys_advise.changed_lines import Changed
from mlsys_advise.finding import Finding
from mlsys_advise.fingerprint import Lines
from mlsys_advise.project.gitignore import IgnoreRules
from mlsys_advise.registry import Registry
from mlsys_advise.rule import Rule
from mlsys_advise.settings.choices import SEVERITIES
from mlsys_advise.settings.layer import FREQUENCIES, PerFileIgnore, Settings
from mlsys_advise.suppression.directives import Suppression
from mlsys_advise.suppression.matching import sift


class Judged(msgspec.Struct, frozen=True):
    """What is known of some files when all rules have been judged: paths are absolute.

    ``uncertain`` are files in which a rule fell over, so that no comment can be called unused.
    """

    findings: tuple[Finding, ...]
    comments: Mapping[str, tuple[Suppression, ...]]
    uncertain: frozenset[str] = frozenset()


class Since(msgspec.Struct, frozen=True):
    """What a finding is compared with that should be of a change: the changed lines of each file, and the findings
    before the change."""

    revision: str
    changed: Callable[[str], Changed]
    before: Counter[Known]


class Triaged(msgspec.Struct, frozen=True):
    """The findings to report and to fail for, and how many others there are, with what the baseline has too much."""

    findings: tuple[Finding, ...]
    failing: int = 0
    suppressed: int = 0
    accepted: int = 0
    gone: tuple[Known, ...] = ()


class Triage:
    """The triage of one project."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self.settings = settings
        self.registry = registry
        self.rules = {rule.code: rule for rule in selection.all_rules(registry)}
        self.selection = selection.select(registry, settings.layers, preview=settings.preview)
        self._per_file = [_PerFile(one) for one in settings.per_file_ignores]

    def unsilenced(self, judged: Judged) -> tuple[list[Finding], int]:
        """The findings that no comment silences, reports on comments among them, and how many a comment does."""
        by_path: dict[str, list[Finding]] = {path: [] for path in judged.comments}
        for finding in self._unyielding(judged.findings):
            by_path.setdefault(finding.path, []).append(finding)
        kept: list[Finding] = []
        suppressed = 0
        for path in sorted(by_path):
            sifted = sift(
                by_path[path],
                judged.comments.get(path, ()),
                path,
                tuple(self.rules.values()),
                lambda name: selection.problem_of(name, self.registry),
            )
            kept += sifted.kept
            kept += sifted.unused if path not in judged.uncertain else ()
            suppressed += len(sifted.suppressed)
        return kept, suppressed

    def reported(
        self,
        judged: Judged,
        *,
        lines: Lines,
        baseline: Counter[Known] | None = None,
        was_looked_at: Callable[[str], bool] = lambda path: True,
        since: Since | None = None,
    ) -> Triaged:
        """What remains of the findings of the project."""
        left, suppressed = self.unsilenced(judged)
        matched = Matched(tuple(left), (), Counter())
        if baseline is not None:
            # Before anything is left out: what is not selected now is not gone.
            matched = match(left, baseline, lines, was_looked_at)
        new = list(self._in_force(matched.new))
        if since is not None:
            new = _of_change(new, since, lines)
        shown = tuple(finding for finding in new if self._is_shown(finding))
        return Triaged(
            findings=tuple(sorted(shown, key=lambda finding: (finding.path, finding.span, finding.code))),
            failing=sum(self.settings.fails(finding.severity) for finding in shown),
            suppressed=suppressed,
            accepted=len(matched.old),
            gone=tuple(sorted(matched.gone.elements())),
        )

    def _unyielding(self, findings: Sequence[Finding]) -> Iterator[Finding]:
        """Without those of rules that yield to others that are selected and have a finding on the same line."""
        selected = self.selection.codes
        lines = {(one.path, one.span.cell, one.span.line, one.code) for one in findings if one.code in selected}
        for finding in findings:
            rule = self.rules.get(finding.code)
            above = rule.yields_to if rule is not None else ()
            if not any((finding.path, finding.span.cell, finding.span.line, code) in lines for code in above):
                yield finding

    def _in_force(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """Those of selected rules, with the severities of the settings."""
        for finding in findings:
            rule = self.rules.get(finding.code)
            if rule is None or rule.code not in self.selection.codes:
                continue
            if any(per_file.ignores(rule, finding.path) for per_file in self._per_file):
                continue
            severities = [severity for selector, severity in self.settings.rules if rule.answers_to(selector)]
            yield msgspec.structs.replace(finding, severity=severities[-1]) if severities else finding

    def _is_shown(self, finding: Finding) -> bool:
        settings = self.settings
        if SEVERITIES.index(finding.severity) < SEVERITIES.index(settings.min_severity):
            return False
        least = FREQUENCIES[settings.min_frequency]
        if not finding.heat:
            return least == 0 and (not settings.context or "unknown" in settings.context)
        contexts = settings.contexts
        return any(
            frequency >= least and (not contexts or context & contexts) for context, frequency in finding.heat.pairs()
        )


class _PerFile:
    """A pattern of files with the rules that are ignored there."""

    def __init__(self, ignore: PerFileIgnore) -> None:
        self._is_negated = ignore.pattern.startswith("!")
        self._pattern = IgnoreRules(ignore.pattern.removeprefix("!"))
        self._base = ignore.base.resolve()
        self._selectors = ignore.rules
        self._known: dict[str, bool] = {}

    def ignores(self, rule: Rule, path: str) -> bool:
        """Whether the rule is ignored in the file."""
        if not any(rule.answers_to(selector) for selector in self._selectors):
            return False
        if path not in self._known:
            self._known[path] = self._fits(Path(path))
        return self._known[path]

    def _fits(self, path: Path) -> bool:
        if not path.is_relative_to(self._base):
            return False
        parts = path.relative_to(self._base).parts
        found = any(
            self._pattern.verdict("/".join(parts[:depth]), depth < len(parts)) for depth in range(1, len(parts) + 1)
        )
        return found != self._is_negated


def _of_change(findings: Sequence[Finding], since: Since, lines: Lines) -> list[Finding]:
    """Findings on changed lines, and those that are new on other lines: the change caused them from elsewhere."""
    on_changed: list[Finding] = []
    elsewhere: list[Finding] = []
    for finding in findings:
        (on_changed if since.changed(finding.path).touches(finding.span) else elsewhere).append(finding)
    # Only what stands on unchanged lines meets what was there before, or a new copy would take the old one's place.
    caused = match(elsewhere, since.before, lines, lambda path: True).new
    says = f" (this line has not changed since {since.revision}: the change that causes this is elsewhere)"
    return [*on_changed, *(msgspec.structs.replace(finding, message=finding.message + says) for finding in caused)]
