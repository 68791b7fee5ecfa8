"""``rule`` and ``rules``: the page of one rule, the list of all."""

from __future__ import annotations

import itertools
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mlsys_advise import __version__, registry, selection
from mlsys_advise.command import streams
from mlsys_advise.command.status import ExitStatus
from mlsys_advise.output.markdown import for_terminal
from mlsys_advise.output.terminal import Style
from mlsys_advise.output.text import CUT
from mlsys_advise.rule import Rule
from mlsys_advise.usage import UsageError

if TYPE_CHECKING:
    from packaging.version import Version


def run(arguments: Namespace) -> int:
    style = Style.of(sys.stdout)
    known = registry.load_rules()
    if arguments.command == "rules":
        rules = selection.all_rules(known)
        if arguments.since:
            after = _version(arguments.since)
            rules = tuple(rule for rule in rules if _version(rule.since) > after)
        streams.emit(_table(rules, style) if rules else [f"There are no rules that came after {arguments.since}."])
    else:
        page = selection.rule_of(arguments.rule, known).page()
        streams.emit((for_terminal(page, style) if style.wraps else page).splitlines())
    return ExitStatus.CLEAN


def _version(text: str) -> Version:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        raise UsageError(f"{text!r} is no version, such as {__version__}") from None


def _table(every: Sequence[Rule], style: Style) -> Iterator[str]:
    """Code, name, severity and summary of each rule, under the name of its pack."""
    widest = max((len(rule.name) for rule in every), default=0)
    for pack, rules in itertools.groupby(
        sorted(every, key=lambda rule: (rule.pack, rule.code)), lambda rule: rule.pack
    ):
        yield style.paint("strong", pack)
        for rule in rules:
            severity = style.paint(rule.severity, rule.severity.ljust(len("warning")))
            note = " (only when selected)" if rule.optin else " (preview)" if rule.preview else ""
            head = f"  {rule.code}  {rule.name.ljust(widest)}  "
            room = style.width - len(head) - len("warning  ") if style.wraps else None
            yield f"{head}{severity}  {_cut(rule.summary + note, room)}"
        yield ""


def _cut(text: str, room: int | None) -> str:
    return text if room is None or len(text) <= room else text[: max(0, room - len(CUT))] + CUT
