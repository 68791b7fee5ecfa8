"""Runs the example projects of pages and case files through the engine and compares findings with marks, both ways."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import msgspec

from mlsys_advise.engine import Options, check, why
from mlsys_advise.example import Block, Expected, Project
from mlsys_advise.finding import Finding
from mlsys_advise.page import CaseFile, Page, read_cases, read_page
from mlsys_advise.registry import Registry
from mlsys_advise.settings.layer import Layer

ROOT = Path(__file__).resolve().parents[2]
PACKS = ROOT / "rules" / "mlsys_rules"
CASES = ROOT / "tests" / "rules"
#: An empty settings file makes the folder that holds it the root of its project.
MARKER = "mlsys-advise.toml"
_MARK = re.compile(r"\s*(#|//)\s*[A-Z]+\d{3,}\b.*")


class Case(msgspec.Struct, frozen=True):
    """One project of a page or case file; ``codes`` are the rules that must agree with its marks."""

    source: str
    project: Project
    codes: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.source}:{self.project.line}"


@cache
def pages() -> dict[str, Page]:
    """The pages of our rules, by path from the repository's root; those of ruff's rules have tests of their own."""
    return {path: read_page(text) for path, text in _texts(PACKS, skip="README.md") if "/ruff/" not in path}


@cache
def case_files() -> dict[str, CaseFile]:
    return {path: read_cases(text) for path, text in _texts(CASES, skip="README.md")}


def page_cases() -> list[Case]:
    return [_case(path, project, {page.code}) for path, page in pages().items() for project in page.projects]


def more_cases() -> list[Case]:
    return [
        _case(path, project, {rule.code for rule in file.rules})
        for path, file in case_files().items()
        for project in file.projects
    ]


def write(files: dict[str, str], folder: Path) -> None:
    """Put a project into ``folder`` so that the folder is the project's root."""
    for path, text in {MARKER: "", **files}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")


def findings(
    files: dict[str, str], codes: Collection[str], folder: Path, registry: Registry | None = None, *, ruff: bool = False
) -> list[Finding]:
    """What the rules ``codes`` report in a project of these files; paths are relative to the project.

    Whatever a rule or the engine raises is raised here.
    """
    write(files, folder)
    layer = Layer(select=tuple(sorted(codes)), ruff=ruff)
    options = Options(given=(layer,), use_cache=False, jobs=1, raise_errors=True)
    root = folder.resolve()
    return [_relative(finding, root.as_posix()) for finding in check([root], options, registry=registry).findings]


def verify(case: Case, folder: Path) -> None:
    """Run the case in ``folder``.

    Raises ``AssertionError`` that lists every difference, and what ``why`` says of each mark that nothing meets.
    """
    __tracebackhide__ = True
    found = findings(case.project.files(), case.codes, folder)
    if problems := differences(case, found):
        raise AssertionError("\n".join(["", *problems, *_explained(case, found, folder)]))


def differences(case: Case, found: Iterable[Finding]) -> list[str]:
    """One line for each mark that nothing meets and each finding that no mark wants; empty if all is as marked."""
    left = sorted(found, key=lambda finding: (finding.path, finding.span, finding.code))
    lines: list[str] = []
    for mark in sorted(case.project.expected, key=lambda mark: (mark.path, mark.cell, mark.line, -len(_demands(mark)))):
        if mark.code not in case.codes:
            continue
        here = [finding for finding in left if _place(finding) == (mark.path, mark.cell, mark.line, mark.code)]
        if not here:
            lines.append(_message(case, mark.source_line, f"{mark.code} was not reported"))
            continue
        best = min(here, key=lambda finding: len(_unmet(mark, finding)))
        left.remove(best)
        lines.extend(_message(case, mark.source_line, f"{mark.code}: {problem}") for problem in _unmet(mark, best))
    for finding in left:
        block = case.project.block(finding.path)
        line = block.source_line(finding.span.line, finding.span.cell) if block else case.project.line
        lines.append(_message(case, line, f"{finding.code} is not marked, but was reported: {finding.message}"))
    return lines


def twins(code: str) -> list[tuple[Case, Case]]:
    """Pairs of cases of several files for the rule: one flagged, and one silent though it holds the flagged file."""
    cases = [case for case in page_cases() + more_cases() if code in case.codes and len(case.project.blocks) > 1]
    return [
        (flagged, silent)
        for flagged in cases
        for silent in cases
        if not any(mark.code == code for mark in silent.project.expected)
        if any(
            _holds(silent.project, flagged.project, mark.path) for mark in flagged.project.expected if mark.code == code
        )
    ]


def _holds(project: Project, other: Project, title: str) -> bool:
    """Whether the two projects have the same file of this name, marks aside."""
    blocks = [found for found in (project.block(title), other.block(title)) if found]
    return len({_unmarked(block) for block in blocks}) == 1 and len(blocks) == 2


def _unmarked(block: Block) -> str:
    return "\n".join(_MARK.sub("", line) for line in block.text.splitlines())


def _relative(finding: Finding, root: str) -> Finding:
    def within(path: str) -> str:
        return PurePosixPath(path).relative_to(root).as_posix()

    related = [
        msgspec.structs.replace(place, place=msgspec.structs.replace(place.place, path=within(place.place.path)))
        for place in finding.related
    ]
    return msgspec.structs.replace(finding, path=within(finding.path), related=tuple(related))


def _explained(case: Case, found: list[Finding], folder: Path) -> Iterator[str]:
    places = {_place(finding) for finding in found}
    for mark in case.project.expected:
        if mark.code in case.codes and (mark.path, mark.cell, mark.line, mark.code) not in places and not mark.cell:
            yield ""
            yield why(mark.code, folder.resolve() / mark.path, mark.line, Options(use_cache=False))


def _texts(folder: Path, skip: str) -> list[tuple[str, str]]:
    paths = sorted(path for path in folder.rglob("*.md") if path.name != skip)
    return [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


def _case(path: str, project: Project, codes: set[str]) -> Case:
    return Case(path, project, tuple(sorted(codes | {mark.code for mark in project.expected})))


def _message(case: Case, line: int, text: str) -> str:
    source = (ROOT / case.source).read_text(encoding="utf-8").splitlines() if (ROOT / case.source).is_file() else []
    shown = f"\n    {source[line - 1].strip()}" if 1 <= line <= len(source) else ""
    return f"{case.source}:{line}: {text}{shown}"


def _place(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.span.cell, finding.span.line, finding.code


def _demands(mark: Expected) -> list[object]:
    return [demand for demand in (mark.severity, mark.columns, mark.heat, mark.related) if demand]


def _unmet(mark: Expected, finding: Finding) -> list[str]:
    """The assertions of the mark that the finding does not meet."""
    unmet = []
    if mark.severity not in (None, finding.severity):
        unmet.append(f"severity {mark.severity} is marked, {finding.severity} was reported")
    columns = (finding.span.column, finding.span.end_column)
    if mark.columns not in (None, columns):
        unmet.append(f"columns {mark.columns} are marked, {columns} were reported")
    heat = {(str(context.name).lower(), frequency.name.lower()) for context, frequency in finding.heat.pairs()}
    if missing := [pair for pair in mark.heat if pair not in heat]:
        unmet.append(f"heat {missing} is marked, {sorted(heat)} was reported")
    places = {related.place.path for related in finding.related} | {
        f"{related.place.path}:{related.place.span.line}" for related in finding.related
    }
    if absent := [place for place in mark.related if place not in places]:
        unmet.append(f"related {absent} is marked, {sorted(places)} was reported")
    return unmet
