"""The formats by name; each rendering is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from mlsys_advise.finding import Finding
from mlsys_advise.output import summary
from mlsys_advise.output.sources import Sources
from mlsys_advise.output.terminal import Style
from mlsys_advise.rule import Rule


class Reporting(msgspec.Struct, frozen=True):
    """What is to be told, of how many files, and how; ``rule_of`` gives the rule of a code."""

    findings: Sequence[Finding]
    files: int
    sources: Sources
    style: Style
    rule_of: Callable[[str], Rule | None]
    verbose: bool = False
    quiet: bool = False
    suppressed: int = 0
    accepted: int = 0


def render(name: str, told: Reporting) -> Iterator[str]:
    """The lines of the format ``name``, which is one of ``settings.choices.FORMATS``."""
    match name:
        case "full" | "concise" | "grouped":
            yield from _for_people(name, told)
        case "json":
            from mlsys_advise.output import json

            yield from json.render(told.findings, told.sources)
        case "json-lines":
            from mlsys_advise.output import json_lines

            yield from json_lines.render(told.findings, told.sources)
        case "sarif":
            from mlsys_advise.output import sarif

            yield from sarif.render(told.findings, told.sources, told.rule_of)
        case "github":
            from mlsys_advise.output import github

            yield from github.render(told.findings)
        case "gitlab":
            from mlsys_advise.output import gitlab

            yield from gitlab.render(told.findings, told.sources)
        case "junit":
            from mlsys_advise.output import junit

            yield from junit.render(told.findings)
        case "rdjson":
            from mlsys_advise.output import rdjson

            yield from rdjson.render(told.findings, told.sources)
        case "azure":
            from mlsys_advise.output import azure

            yield from azure.render(told.findings)
        case "markdown":
            from mlsys_advise.output import pull_request

            yield from pull_request.render(told.findings, told.files)
        case _:
            raise ValueError(f"no format named {name}")


def _for_people(name: str, told: Reporting) -> Iterator[str]:
    from mlsys_advise.output import concise, full, grouped

    if name == "full":
        yield from full.render(told.findings, told.style, told.sources, verbose=told.verbose)
    elif name == "grouped":
        yield from grouped.render(told.findings, told.style)
    else:
        yield from concise.render(told.findings, told.style)
    if not told.quiet:
        yield summary.closing(told.findings, told.files, suppressed=told.suppressed, accepted=told.accepted)
