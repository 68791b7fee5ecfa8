"""Verdicts: candidates judged by the answers to their conditions, stored with what the answers read.

A verdict names places by number, not by line; lines are filled in when findings are rendered. So a verdict stays
valid while lines move, and is asked again exactly when something it read has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Final

import msgspec

from mlsys_advise.condition import AnyOf, Clause, Condition, Hot, require
from mlsys_advise.finding import Finding, InternalError, Related, Severity
from mlsys_advise.heat import Heat
from mlsys_advise.project.answers import Answers, clause_cost
from mlsys_advise.project.deployment import Deployment
from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.record import Graph
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.tables import Tables
from mlsys_advise.project.values import Locus
from mlsys_advise.project.world import Entry, World
from mlsys_advise.registry import Registry
from mlsys_advise.rule import Answer, Candidate, Rule
from mlsys_advise.span import Place, Span
from mlsys_advise.vocabulary import Lexicon


class Verdict(msgspec.Struct, frozen=True, array_like=True):
    """A candidate that became a finding, with its evidence."""

    number: int
    message: str
    severity: Severity
    heat: Heat
    heat_path: tuple[Cause, ...]
    related: tuple[Cause, ...]
    assumed: tuple[str, ...]


class Judged(msgspec.Struct, frozen=True, array_like=True):
    """What became of a candidate: a verdict, or None for silence; and the query on which that rests."""

    verdict: Verdict | None
    query: int
    error: InternalError | None = None


class Rendered(msgspec.Struct, frozen=True, array_like=True):
    """The findings in a file, and the files whose lines they name."""

    findings: tuple[Finding, ...]
    names: tuple[str, ...]


class Asked(msgspec.Struct, frozen=True):
    """A clause with its reply and whether it lets the candidate pass; for `why`."""

    clause: Clause
    reply: Reply
    passed: bool


class Judge:
    """Judges the candidates of a project."""

    def __init__(
        self,
        root: Path,
        entries: Mapping[str, Entry],
        registry: Registry,
        modules: Mapping[str, tuple[str, ...]],
        tables: Tables | None = None,
        graph: Graph | None = None,
    ) -> None:
        self.root = root
        self.rules = {rule.code: rule for rule in registry.known}
        self.world = World(entries, Lexicon(registry.vocabulary), modules, tables, graph)
        self.deployment = Deployment(self.world, root.name)
        self.answers = Answers(self.world, self.deployment)

    def judge(
        self, path: str, candidates: list[Candidate], known: Sequence[Judged | None], raise_errors: bool
    ) -> tuple[Judged, ...]:
        """What became of each candidate of a file. ``known`` is that of the same candidates, or empty."""
        return tuple(
            before if before is not None else self._judge(path, number, candidate, raise_errors)
            for number, (candidate, before) in enumerate(zip_longest(candidates, known))
        )

    def _judge(self, path: str, number: int, candidate: Candidate, raise_errors: bool) -> Judged:
        verdict: Verdict | None = None
        error: InternalError | None = None
        with self.world.recording() as reads:
            try:
                verdict = self.verdict(number, candidate, path)
            except Exception as raised:
                if raise_errors:
                    raise
                from mlsys_advise.analysis import describe

                error = InternalError(path, candidate.code, describe(raised))
        return Judged(verdict, reads.node, error)

    def verdict(self, number: int, candidate: Candidate, path: str) -> Verdict | None:
        rule = self.rules[candidate.code]
        asked = self.ask(candidate, path)
        if not all(one.passed for one in asked):
            return None
        facts = dict(candidate.facts)
        related: list[Cause] = []
        assumed: list[str] = []
        heat_path: tuple[Cause, ...] = ()
        answers: dict[str, Answer] = {}
        for one in asked:
            for key, value in one.reply.facts.items():
                facts.setdefault(key, value)
            if _asks_heat(one.clause.condition):
                heat_path = heat_path or one.reply.causes
            elif one.clause.part in ("require", "grade") and one.reply.value:
                related.extend(one.reply.causes)
            if one.clause.part == "presume" and one.reply.value is None and one.clause.says:
                assumed.append(one.clause.says)
            if one.clause.says:
                answers[one.clause.says] = Answer(one.reply.value, one.reply.facts)
        if rule.confirm is not None:
            settled = rule.confirm(candidate, answers)
            if settled is None:
                return None
            facts |= settled.facts
            candidate = settled
        heat = (
            self.answers.hotness.place(path, candidate.function, candidate.loop)
            if not path.endswith((".yaml", ".yml"))
            else Heat()
        )
        return Verdict(
            number,
            fill(candidate.message, facts),
            candidate.severity or rule.severity,
            heat,
            heat_path,
            tuple(dict.fromkeys(related)),
            tuple(assumed),
        )

    def ask(self, candidate: Candidate, path: str, *, everything: bool = False) -> list[Asked]:
        """The clauses of a candidate in order of cost with their replies; up to the first that fails."""
        rule = self.rules[candidate.code]
        clauses = list(candidate.clauses)
        if rule.heat is not None:
            contexts, least = rule.heat
            clauses.append(require(Hot(candidate.function, candidate.loop, contexts, least)))
        asked: list[Asked] = []
        for clause in sorted(clauses, key=clause_cost):
            reply = self.answers.ask(clause.condition, path)
            passed = lets_pass(clause, reply)
            asked.append(Asked(clause, reply, passed))
            if not passed and not everything:
                break
        return asked

    def _settle(self, candidates: list[Candidate], judged: Sequence[Judged]) -> list[Verdict]:
        """One finding for a group."""
        kept: list[Verdict] = []
        groups: set[tuple[str, str]] = set()
        for verdict in [one.verdict for one in judged if one.verdict is not None]:
            candidate = candidates[verdict.number]
            if candidate.group:
                if (candidate.code, candidate.group) in groups:
                    continue
                groups.add((candidate.code, candidate.group))
            kept.append(verdict)
        return kept

    # -- rendering

    def render(self, path: str, candidates: list[Candidate], judged: Sequence[Judged]) -> Rendered:
        """Findings with absolute paths and lines."""
        verdicts = self._settle(candidates, judged)
        findings = tuple(
            self._finding(path, candidates[verdict.number], verdict, self.rules[candidates[verdict.number].code])
            for verdict in verdicts
        )
        causes = [cause for verdict in verdicts for cause in (*verdict.heat_path, *verdict.related)]
        return Rendered(findings, tuple(sorted({path, *(cause.locus.path for cause in causes)})))

    def _finding(self, path: str, candidate: Candidate, verdict: Verdict, rule: Rule) -> Finding:
        own = tuple(Related(Place(self._absolute(path), span), says) for span, says in candidate.related)
        return Finding(
            code=candidate.code,
            name=rule.name,
            message=verdict.message,
            why=rule.summary,
            severity=verdict.severity,
            category=rule.category,
            lesson=rule.lesson,
            path=self._absolute(path),
            span=candidate.span,
            heat=verdict.heat,
            heat_path=tuple(self.related(cause) for cause in verdict.heat_path),
            related=(*own, *(self.related(cause) for cause in verdict.related)),
            assumed=verdict.assumed,
            fix=candidate.fix,
            snippet=candidate.snippet,
            evidence=rule.evidence,
            size=_size(candidate.facts.get(rule.sized_by, "")),
        )

    def related(self, cause: Cause) -> Related:
        """A cause with its line."""
        line, cell = self.line(cause.locus)
        return Related(Place(self._absolute(cause.locus.path), Span(line, 1, line, 1, cell)), cause.message)

    def line(self, locus: Locus) -> tuple[int, int]:
        """The line of a locus, and its cell in a notebook."""
        positions = self.world.positions(locus.path)
        if positions is None:
            return 1, 0
        match locus.what:
            case "call" | "loop":
                _, calls, loops = positions.definitions.get(locus.name, (1, (), ()))
                lines = calls if locus.what == "call" else loops
                number = lines[locus.number] if locus.number < len(lines) else 1
            case "variable":
                number = positions.variables.get(locus.name, 1)
            case "attribute":
                number = positions.attributes.get(locus.name, 1)
            case "option":
                number = positions.options.get(locus.name, 1)
            case "place":
                number = positions.places.get(locus.name, 1)
            case _:
                number = positions.definitions.get(locus.name, (1, (), ()))[0]
        return number & _LINE, number >> 20

    def _absolute(self, path: str) -> str:
        return (self.root / path).as_posix()


def _size(fact: str) -> int:
    """A size that the code itself tells, or 0."""
    return int(fact) if fact.isascii() and fact.isdigit() else 0


_LINE: Final = (1 << 20) - 1


def _asks_heat(condition: Condition) -> bool:
    """Whether the evidence of a condition is a way by which heat arrives."""
    return isinstance(condition, Hot) or (
        isinstance(condition, AnyOf) and all(isinstance(option, Hot) for option in condition.options)
    )


def lets_pass(clause: Clause, reply: Reply) -> bool:
    """Whether a reply to a clause leaves the candidate standing."""
    match clause.part:
        case "require":
            return reply.value is True
        case "refute":
            return reply.value is False
        case "presume":
            return reply.value is not True
        case _:
            return True


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def fill(message: str, facts: Mapping[str, str]) -> str:
    """A message with its facts."""
    return message.format_map(_Facts(facts))
