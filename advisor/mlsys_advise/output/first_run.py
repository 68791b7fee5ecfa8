"""The end of the output on a project that has not been set up yet: where to begin, and how to put off the rest."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from mlsys_advise import heat
from mlsys_advise.finding import Finding
from mlsys_advise.output import order, position
from mlsys_advise.output.folding import fold
from mlsys_advise.output.terminal import Style

#: Findings that are named; with no more than these there is nothing to choose from.
FEW = 3


def render(findings: Sequence[Finding], style: Style, paths: Sequence[str]) -> Iterator[str]:
    """The hottest sites, the gravest first among equals, then how many remain and what helps with them."""
    sites = fold(order.sorted_by("heat", findings))
    if len(sites) <= FEW:
        return
    yield ""
    yield style.paint("strong", "Where to begin:")
    named = sites[:FEW]
    places = [position.of_finding(site.finding) for site in named]
    widest = max(map(len, places))
    for site, place in zip(named, places, strict=True):
        finding = site.finding
        hottest = finding.heat.hottest()
        often = f" (each {heat.per(*hottest)})" if hottest is not None else ""
        copies = f" and {len(site.copies)} like it" if site.copies else ""
        yield f"  {place.ljust(widest)}  {finding.code} {finding.name}{often}{copies}"
    shown = sum(1 + len(site.copies) for site in named)
    arguments = shlex.join(["mlsys-advise", "--write-baseline", *paths])
    yield f"{len(findings) - shown:,} more remain."
    yield f"  mlsys-advise rule {named[0].finding.code}".ljust(len(arguments) + 4) + "why it costs, and what to do"
    yield f"  {arguments}  accept what there is, and hear only of what is new"
