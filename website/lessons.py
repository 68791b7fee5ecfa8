"""The lessons of the course, module by module, with the rules that lead back to them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlsys_advise.rule import Rule
from website.sources import REPOSITORY

_DATA = REPOSITORY / "rules" / "mlsys_rules" / "lessons.toml"


class Lesson(NamedTuple):
    module: str
    id: str
    title: str

    @property
    def page(self) -> str:
        return f"lessons/{self.id}.md"


def lessons() -> list[Lesson]:
    """In the order of the course."""
    listed = tomllib.loads(_DATA.read_text(encoding="utf-8"))["lesson"]
    return [Lesson(entry["module"], entry["id"], entry["title"]) for entry in listed]


def page_of(lesson: Lesson, rules: Sequence[Rule], module_title: str) -> str:
    """``rules`` are those of the lesson."""
    return "\n".join(_page(lesson, rules, module_title)) + "\n"


def _page(lesson: Lesson, rules: Sequence[Rule], module_title: str) -> Iterator[str]:
    yield f"# {lesson.title}"
    yield ""
    yield f"A lesson of the module [{module_title}](../packs/{lesson.module}/index.md)."
    yield ""
    if not rules:
        yield "No rule leads here yet."
        return
    yield "What the linter flags of it:"
    for rule in rules:
        yield ""
        yield f"## [{rule.code} {rule.name}](../rules/{rule.code}.md)"
        yield ""
        yield rule.summary
        if rule.nodes == ():
            yield ""
            yield "Found by ruff, with `--ruff`."
