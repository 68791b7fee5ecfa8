"""Findings as a person reads them: the code, what is wrong with it, why, and how we know that it is hot."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from mlsys_advise import heat
from mlsys_advise.finding import Cost, Finding, Related
from mlsys_advise.output import position
from mlsys_advise.output.excerpt import excerpt, number_width
from mlsys_advise.output.figures import amount, factor
from mlsys_advise.output.folding import Site, fold
from mlsys_advise.output.sources import Sources
from mlsys_advise.output.terminal import Style
from mlsys_advise.output.text import one_line

_COPIES_NAMED = 5


class _Note(msgspec.Struct, frozen=True):
    """``= label text``, with further lines below it."""

    label: str
    text: str = ""
    below: Sequence[str] = ()


def render(findings: Iterable[Finding], style: Style, sources: Sources, *, verbose: bool = False) -> Iterator[str]:
    """Blocks of lines, each ended by an empty line; copies are named where ``verbose``."""
    for site in fold(findings):
        yield from _block(site, style, sources, verbose)
        yield ""


def _block(site: Site, style: Style, sources: Sources, verbose: bool) -> Iterator[str]:
    finding = site.finding
    lines = sources.lines(finding.path, finding.span.cell)
    indent = " " * number_width(lines, finding.span)
    head = style.paint(finding.severity, f"{finding.severity}[{finding.code}]")
    yield f"{head}: {style.paint('strong', one_line(finding.message))}"
    yield f"{indent}{style.paint('gutter', '-->')} {position.of_finding(finding)}"
    yield from excerpt(lines, finding.span, style, finding.severity)
    for note in _notes(finding):
        yield from _lines(note, indent, style)
    if site.copies:
        places = _named(site.copies) if verbose else []
        yield from _lines(_Note(f"and {len(site.copies)} like it", below=places), indent, style)


def _notes(finding: Finding) -> Iterator[_Note]:
    if finding.why:
        yield _Note("why:", finding.why)
    if finding.heat or finding.heat_path:
        yield _Note("heat:", heat.describe(finding.heat), [_step(step) for step in finding.heat_path])
    if finding.costs:
        yield _Note("cost:", _cost(finding.costs[0]), [_cost(cost) for cost in finding.costs[1:]])
    for related in finding.related:
        yield _Note("see:", _step(related))
    for excuse in finding.assumed:
        yield _Note("assumed:", excuse)
    if finding.fix is not None:
        yield _Note("fix:", f"{finding.fix.message} ({finding.fix.applicability})")
    yield _Note("help:", f"mlsys-advise rule {finding.code} ({finding.name})")


def _cost(cost: Cost) -> str:
    """One machine: the factor, both values, and how they were got."""
    machine = f"{'the reference machine ' if cost.reference else ''}{cost.machine}"
    if cost.ratio is None:
        return f"{machine}: {cost.how}"
    slow, fast = amount(cost.slow, cost.quantity), amount(cost.fast, cost.quantity)
    return f"{machine}: {factor(cost.ratio)}, {slow} instead of {fast} per {cost.per} ({cost.how})"


def _step(related: Related) -> str:
    return f"{position.line_of(related.place)}: {related.message}"


def _named(copies: Sequence[Finding]) -> list[str]:
    named = [position.of_finding(copy) for copy in copies[:_COPIES_NAMED]]
    more = len(copies) - len(named)
    return [*named, f"... and {more} more"] if more else named


def _lines(note: _Note, indent: str, style: Style) -> Iterator[str]:
    lead = f"{indent} {style.paint('gutter', '=')} {style.paint('strong', note.label)}"
    hanging = " " * (len(indent) + len(" = ") + (len(note.label) + 1 if note.text else 2))
    room = style.width - len(hanging) if style.wraps else None
    first, *rest = _wrapped(note.text, room)
    yield f"{lead} {first}".rstrip()
    for text in rest:
        yield hanging + text
    for entry in note.below:
        for text in _wrapped(entry, room):
            yield hanging + text


def _wrapped(text: str, room: int | None) -> list[str]:
    """``text`` in lines of at most ``room`` characters, unless a word, such as a path, is longer."""
    text = one_line(text)
    if room is None or len(text) <= room:
        return [text]
    return textwrap.wrap(text, max(room, 20), break_long_words=False, break_on_hyphens=False)
