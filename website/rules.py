"""The pages of the rules, with what is known of each above its text, and the table of all in which one can search."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence

from mlsys_advise import heat
from mlsys_advise.page import read_page
from mlsys_advise.rule import Rule
from website.lessons import Lesson

#: What the first word below the heading "Fix" means; a page that starts otherwise describes a change by hand.
_FIXES = {"Safe": "safe", "Suggested": "suggested", "None": "none"}

#: What a rule's page says of itself to the search of the site.
_FOUND_FIRST = "---\nsearch:\n  boost: 2\n---\n\n"

_COLUMNS = ("Rule", "What it is about", "Pack", "Lesson", "Language", "Severity", "Heat", "Evidence", "Fix")

_LANGUAGES = {"python": "Python", "notebook": "notebooks", "kubernetes": "Kubernetes"}


def page_of(rule: Rule, lesson: Lesson | None) -> str:
    """The rule's page with its facts after the first heading."""
    head, _, rest = rule.page().partition("\n")
    facts = [f'<span class="severity {rule.severity}">{rule.severity}</span>', rule.category]
    facts.append(f"pack [{rule.pack}](../packs/{rule.pack}/index.md)")
    if lesson is not None:
        facts.append(f"lesson [{lesson.title}](../lessons/{lesson.id}.md)")
    facts.append(f"heat: {heat_of(rule)}")
    if rule.optin:
        facts.append("only when selected")
    return f'{_FOUND_FIRST}{head}\n\n<p class="facts" markdown>{" · ".join(facts)}</p>\n{rest}\n'


def heat_of(rule: Rule) -> str:
    if rule.heat is None:
        return "decided by the rule" if rule.nodes else "any"
    contexts, least = rule.heat
    names = [context.name.lower() for context in heat.Context if context & contexts and context.name]
    return f"{least.name.lower()} in {', '.join(names)}"


def fix_of(rule: Rule) -> str:
    text = read_page(rule.page()).sections.get("Fix", "")
    first = re.match(r"\w+", text)
    return _FIXES.get(first[0] if first else "", "by hand")


def languages_of(rule: Rule) -> str:
    return ", ".join(_LANGUAGES.get(language, language) for language in rule.languages)


def table(rules: Sequence[Rule], lessons: Mapping[str, Lesson]) -> str:
    """A page whose table is HTML, so that a script can filter its rows; without scripts all of them are there."""
    return "\n".join(_table(rules, lessons)) + "\n"


def _table(rules: Sequence[Rule], lessons: Mapping[str, Lesson]) -> Iterator[str]:
    yield "---\nhide:\n  - navigation\n  - toc\n---\n"
    yield "# Rules\n"
    yield f"{len([rule for rule in rules if rule.nodes])} rules of ours, and those of ruff's that `--ruff` asks for.\n"
    yield '<div class="rule-search" hidden>'
    yield '<input type="search" id="rule-query" placeholder="gc, loader, security ..." aria-label="Search rules">'
    for name, values in (
        ("pack", sorted({rule.pack for rule in rules})),
        ("severity", ["error", "warning", "info"]),
        ("language", sorted({languages_of(rule) for rule in rules})),
    ):
        options = "".join(f'<option value="{html.escape(value)}">{html.escape(value)}</option>' for value in values)
        yield f'<select data-field="{name}" aria-label="{name}"><option value="">any {name}</option>{options}</select>'
    yield '<span id="rule-count" role="status"></span>'
    yield "</div>"
    yield '<div class="rule-scroll">'
    yield '<table id="rule-table">'
    yield "<thead><tr>" + "".join(f"<th>{column}</th>" for column in _COLUMNS) + "</tr></thead>"
    yield "<tbody>"
    for rule in rules:
        yield _row(rule, lessons.get(rule.lesson))
    yield "</tbody></table></div>"


def _row(rule: Rule, lesson: Lesson | None) -> str:
    note = " <small>only when selected</small>" if rule.optin else ""
    cells = [
        f'<a href="{rule.code}/"><code>{rule.code}</code><br>{html.escape(rule.name)}</a>{note}',
        re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(rule.summary)),
        f'<a href="../packs/{rule.pack}/">{rule.pack}</a>',
        f'<a href="../lessons/{lesson.id}/">{html.escape(lesson.title)}</a>' if lesson else html.escape(rule.lesson),
        html.escape(languages_of(rule)),
        f'<span class="severity {rule.severity}">{rule.severity}</span>',
        html.escape(heat_of(rule)),
        html.escape(rule.evidence or "none"),
        fix_of(rule),
    ]
    data = f'data-pack="{rule.pack}" data-severity="{rule.severity}" data-language="{languages_of(rule)}"'
    return (
        f"<tr {data}>"
        + "".join(f'<td data-label="{column}">{cell}</td>' for column, cell in zip(_COLUMNS, cells, strict=True))
        + "</tr>"
    )
