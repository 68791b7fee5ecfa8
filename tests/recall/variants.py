"""The ways in which a mistake may be written otherwise, and the variants of a page's examples that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from mlsys_advise.example import Project
from mlsys_advise.page import EXAMPLE, Page
from tests.recall import imports, modules, names, options, structure, values
from tests.recall.program import Program, Variant


class Rewrite(msgspec.Struct, frozen=True):
    """``apply`` changes the program in place, keeps what it does, and says whether there was anything to change."""

    name: str
    apply: Callable[[Program], bool]


REWRITES = (
    Rewrite("imports aliased", imports.alias_imports),
    Rewrite("modules imported", imports.import_modules),
    Rewrite("members imported", imports.import_members),
    Rewrite("imports guarded", imports.guard_imports),
    Rewrite("variables renamed", names.rename),
    Rewrite("helpers in another file", modules.split_helpers("names")),
    Rewrite("helpers through a module", modules.split_helpers("module")),
    Rewrite("helpers re-exported", modules.split_helpers("package")),
    Rewrite("mistake in another file", modules.split_flagged),
    Rewrite("objects in another file", modules.split_objects),
    Rewrite("factory", values.factory(elsewhere=False)),
    Rewrite("factory in another file", values.factory(elsewhere=True)),
    Rewrite("class", structure.classes),
    Rewrite("main guard", structure.main_guard),
    Rewrite("numbers from argparse", options.options("variable")),
    Rewrite("numbers from a parsing function", options.options("function")),
    Rewrite("numbers as a parameter", options.options("parameter")),
    Rewrite("keywords in a dict call", values.keywords(named=False)),
    Rewrite("keywords in a dict variable", values.keywords(named=True)),
)
#: Applied one after the other, as far as they apply: code that looks nothing like the page's.
COMBINED = (
    ("class + renamed + aliased", (structure.classes, names.rename, imports.alias_imports)),
    ("factory + split + argparse", (values.factory(elsewhere=True), options.options("function"))),
    ("main guard + class", (structure.main_guard, structure.classes)),
    ("main guard + split + modules", (structure.main_guard, modules.split_helpers("names"), imports.import_modules)),
)

#: Variants of a rule that do not hold its mistake any more, with the reason; they are not counted.
HOLDS_NO_MORE: dict[tuple[str, str], str] = {}


def examples(page: Page) -> list[Project]:
    """The page's own examples of the mistake that hold some Python to rewrite."""
    return [
        project
        for project in page.projects
        if project.section == EXAMPLE
        and any(mark.code == page.code for mark in project.expected)
        and any(block.title.endswith(".py") for block in project.blocks)
    ]


def variants(project: Project) -> Iterator[Variant]:
    """Each rewrite of the project that changes anything, and the combinations of which at least two do."""
    original = Program.read(project)
    for rewrite in REWRITES:
        program = original.copy()
        if rewrite.apply(program):
            yield program.render(rewrite.name)
    for name, steps in COMBINED:
        program = original.copy()
        if sum(step(program) for step in steps) >= 2:
            yield program.render(name)
