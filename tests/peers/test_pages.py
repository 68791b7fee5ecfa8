"""The pages of the rules that ruff runs for us: their form, and their examples run through ruff and our heat."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsys_advise.page import read_page
from mlsys_advise.registry import load_rules
from mlsys_advise.rule import Rule
from tests.rules.harness import Case, differences, findings
from website.lessons import lessons

PEERS = load_rules().peers
PAGES = {rule.code: read_page(rule.page()) for rule in PEERS}
CASES = [
    Case(f"{code}.md", project, tuple(sorted({code} | {mark.code for mark in project.expected})))
    for code, page in PAGES.items()
    for project in page.projects
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_examples(case: Case, tmp_path: Path) -> None:
    found = findings(case.project.files(), case.codes, tmp_path, ruff=True)
    assert differences(case, found) == []


@pytest.mark.parametrize("rule", PEERS, ids=lambda rule: rule.code)
def test_form(rule: Rule) -> None:
    page = PAGES[rule.code]
    assert not page.faults
    assert (page.code, page.name) == (rule.code, rule.name)
    assert rule.lesson in {lesson.id for lesson in lessons()}


@pytest.mark.parametrize("rule", PEERS, ids=lambda rule: rule.code)
def test_a_twin_is_silent_because_of_another_file(rule: Rule) -> None:
    cases = [case for case in CASES if case.source == f"{rule.code}.md"]
    flagged = [case.project for case in cases if case.project.expected]
    silent = [case.project for case in cases if not case.project.expected]
    for project in flagged:
        (mark,) = project.expected
        text = _bare(project.files()[mark.path], mark.code)
        assert text in [_bare(other.files().get(mark.path, ""), mark.code) for other in silent]


def _bare(text: str, code: str) -> str:
    return "\n".join(line.partition(f"  # {code}")[0] for line in text.splitlines())
