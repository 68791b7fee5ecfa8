"""Every page: its form, its rule, and its example projects run through the engine."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mlsys_advise import registry
from mlsys_advise.page import SKELETON, Page
from tests.rules.harness import PACKS, ROOT, Case, page_cases, pages, twins, verify


@pytest.mark.parametrize("case", page_cases(), ids=lambda case: case.name)
def test_examples(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)


@pytest.mark.parametrize(("path", "page"), pages().items(), ids=pages())
def test_form(path: str, page: Page) -> None:
    assert not page.faults, "\n" + "\n".join(f"{path}:{fault.line}: {fault.message}" for fault in page.faults)


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    rules = {
        f"rules/mlsys_rules/{rule.pack}/{rule.name.replace('-', '_')}.md": (rule.code, rule.name)
        for rule in registry.load_rules().rules
    }
    assert {path: (page.code, page.name) for path, page in pages().items()} == rules


def test_codes_are_in_the_range_of_their_pack() -> None:
    hundreds = {"architecture": 1, "os": 2, "compilers": 3, "memory": 4, "networking": 5, "algorithms": 6, "systems": 7}
    for rule in registry.load_rules().rules:
        assert int(rule.code.removeprefix("MLS")) // 100 == hundreds[rule.pack], rule.code


def test_every_rule_illustrates_a_lesson() -> None:
    lessons = tomllib.loads((PACKS / "lessons.toml").read_text(encoding="utf-8"))["lesson"]
    modules = {lesson["id"]: lesson["module"] for lesson in lessons}
    assert len(modules) == len(lessons)
    for rule in registry.load_rules().rules:
        assert modules.get(rule.lesson) == rule.pack, f"{rule.code}: {rule.lesson}"


def test_the_page_that_the_program_prints_is_the_file() -> None:
    for rule in registry.load_rules().rules:
        stored = PACKS / rule.pack / f"{rule.name.replace('-', '_')}.md"
        assert rule.page() == stored.read_text(encoding="utf-8"), stored.relative_to(ROOT)


def test_no_rule_is_left_as_a_skeleton() -> None:
    for rule in registry.load_rules().rules:
        assert SKELETON not in (PACKS / rule.pack / f"{rule.name.replace('-', '_')}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "page"), pages().items(), ids=pages())
def test_a_project_of_several_files_has_a_twin_that_is_silent_because_of_another_file(path: str, page: Page) -> None:
    """What a rule asks of the project is shown both ways: the twin holds the flagged file as it is."""
    assert twins(page.code), f"{path}: no two projects of several files, one flagged and one silent, share that file"
