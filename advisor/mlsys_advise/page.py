"""Rule pages and case files: Markdown that people read and that the tests run.

A page or a case file is never rejected half-way: what is wrong with it is listed in ``faults``, and only a file whose
first line names no rule cannot be read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from mlsys_advise.example import DEFAULT_TITLES, ILLUSTRATIONS, Block, Expected, Fault, Project, read_block

__all__ = ["SECTIONS", "Block", "CaseFile", "Expected", "Fault", "Page", "PageError", "Project", "RuleName"]

EXAMPLE, USE_INSTEAD, SILENT = "Example", "Use instead", "When it stays silent"
#: The headings of a page, in this order.
SECTIONS = (
    "What it flags",
    "Why it costs",
    EXAMPLE,
    USE_INSTEAD,
    SILENT,
    "Fix",
    "Measure it yourself",
    "References",
)

#: What a sentence starts with that the author of a new rule has yet to write.
SKELETON = "REPLACE:"

_RULE = re.compile(r"(?P<code>(?P<prefix>[A-Z]+)\d+)\s+(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)")
_HEADING = re.compile(r" {0,3}(?P<level>#{1,6})(?:[ \t]+(?P<text>.*?))?(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r"(?P<indent> {0,3})(?P<fence>`{3,}|~{3,})(?P<info>.*)")
_ATTRIBUTE = re.compile(r'(?P<name>\w+)="(?P<value>[^"]*)"')


class PageError(ValueError):
    """The file is neither a page nor a case file: its first line names no rule."""


class RuleName(msgspec.Struct, frozen=True):
    code: str
    name: str


class Page(msgspec.Struct, frozen=True):
    """A rule's page. ``sections`` holds the Markdown below each ``##`` heading, fenced blocks included."""

    code: str
    name: str
    summary: str
    sections: dict[str, str]
    projects: tuple[Project, ...]
    faults: tuple[Fault, ...]


class CaseFile(msgspec.Struct, frozen=True):
    """More cases for the rules that its first line names: each project below a ``##`` heading is one."""

    rules: tuple[RuleName, ...]
    topic: str
    projects: tuple[Project, ...]
    faults: tuple[Fault, ...]


def read_page(text: str) -> Page:
    """Parse ``# MLS413 pageable-batch-transfer``, a summary and the sections.

    Raises ``PageError`` if the first line is not of this form.
    """
    first, lines = _first_line(text)
    if not (title := _RULE.fullmatch(first)):
        raise PageError(f"the first line must be '# CODE rule-name', not {lines[:1]}")
    body = _read_body(lines, title["prefix"])
    unwritten = [
        Fault(number, "this is still the skeleton's text")
        for number, line in enumerate(lines, start=1)
        if SKELETON in line
    ]
    faults = sorted([*body.faults, *_page_faults(body, title["code"]), *unwritten])
    return Page(title["code"], title["name"], body.summary, body.sections, body.projects, tuple(faults))


def read_cases(text: str) -> CaseFile:
    """Parse ``# MLS413 pageable-batch-transfer: lookalikes`` (several rules are parted by commas) and the cases.

    Raises ``PageError`` if the first line is not of this form.
    """
    first, lines = _first_line(text)
    names, _, topic = first.partition(":")
    titles = [_RULE.fullmatch(name.strip()) for name in names.split(",")]
    rules = tuple(RuleName(title["code"], title["name"]) for title in titles if title)
    if len(rules) < len(titles) or not titles[0]:
        raise PageError(f"the first line must be '# CODE rule-name: topic', not {lines[:1]}")
    body = _read_body(lines, titles[0]["prefix"])
    faults = sorted([*body.faults, *_case_faults(body)])
    return CaseFile(rules, topic.strip(), body.projects, tuple(faults))


class _Heading(msgspec.Struct, frozen=True):
    level: int
    text: str
    line: int


class _Fence(msgspec.Struct, frozen=True):
    info: str
    lines: list[str]
    line: int
    closed: bool


class _Prose(msgspec.Struct, frozen=True):
    line: int


class _Body(msgspec.Struct):
    """What is below the first line; ``headings`` are the ``##`` headings with their lines."""

    summary: str
    sections: dict[str, str]
    headings: list[tuple[str, int]]
    projects: tuple[Project, ...]
    faults: list[Fault]


def _first_line(text: str) -> tuple[str, list[str]]:
    lines = text.removeprefix("\ufeff").splitlines()
    first = lines[0] if lines else ""
    return first.removeprefix("# ").strip() if first.startswith("# ") else "", lines


def _read_body(lines: list[str], prefix: str) -> _Body:
    parts = list(_parts(lines))
    headings = [(part.text, part.line) for part in parts if isinstance(part, _Heading) and part.level == 2]
    ends = [line - 1 for _, line in headings] + [len(lines)]
    sections = {
        heading: "\n".join(lines[line:end]).strip() for (heading, line), end in zip(headings, ends[1:], strict=True)
    }
    projects, faults = _projects(parts, prefix)
    return _Body("\n".join(lines[1 : ends[0]]).strip(), sections, headings, projects, faults)


def _parts(lines: list[str]) -> Iterator[_Heading | _Fence | _Prose]:
    """The Markdown after its first line; blank lines are nobody's."""
    rest = enumerate(lines[1:], start=2)
    for number, line in rest:
        if (opening := _FENCE.fullmatch(line)) and not ("`" in opening["info"] and opening["fence"][0] == "`"):
            content: list[str] = []
            closed = False
            for _, inner in rest:
                if closed := _closes(inner, opening["fence"]):
                    break
                content.append(_unindented(inner, len(opening["indent"])))
            yield _Fence(opening["info"].strip(), content, number, closed)
        elif heading := _HEADING.fullmatch(line):
            yield _Heading(len(heading["level"]), heading["text"] or "", number)
        elif line.strip():
            yield _Prose(number)


def _closes(line: str, fence: str) -> bool:
    mark = line.strip()
    return len(line) - len(line.lstrip(" ")) <= 3 and len(mark) >= len(fence) and set(mark) == {fence[0]}


def _unindented(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def _projects(parts: list[_Heading | _Fence | _Prose], prefix: str) -> tuple[tuple[Project, ...], list[Fault]]:
    projects: list[Project] = []
    faults: list[Fault] = []
    section = heading = ""
    together = False
    for part in parts:
        block = None
        if isinstance(part, _Heading):
            heading = part.text
            section = part.text if part.level <= 2 else section
        elif isinstance(part, _Fence):
            block, found = _block(part, prefix)
            faults.extend(found)
        if block is None:
            together = False
            continue
        if together:
            last = projects.pop()
            if last.block(block.title):
                faults.append(Fault(block.line, f"a second {block.title} in one project: title it, or part the two"))
            projects.append(msgspec.structs.replace(last, blocks=(*last.blocks, block)))
        else:
            projects.append(Project(section, heading, (block,), block.line - 1))
        together = True
    return tuple(projects), faults


def _block(fence: _Fence, prefix: str) -> tuple[Block | None, list[Fault]]:
    """The file that a fenced block stands for; None for an illustration."""
    faults = [] if fence.closed else [Fault(fence.line, "the fenced block is not closed")]
    language, _, rest = fence.info.partition(" ")
    attributes = {match["name"]: match["value"] for match in _ATTRIBUTE.finditer(rest)}
    if attributes.keys() - {"title"} or _ATTRIBUTE.sub("", rest).strip():
        faults.append(Fault(fence.line, f'{rest.strip()!r} is not title="path/of/file"'))
    title = attributes.get("title", DEFAULT_TITLES.get(language))
    if title is None:
        if language not in ILLUSTRATIONS:
            faults.append(Fault(fence.line, f"a block of language {language!r} needs a title"))
        return None, faults
    block, found = read_block(language, title, fence.lines, fence.line + 1, prefix)
    return block, faults + found


def _page_faults(body: _Body, code: str) -> Iterator[Fault]:
    if not body.summary:
        yield Fault(2, "a paragraph must follow the first line and say what the rule is about")
    yield from _heading_faults(body.headings)
    yield from (Fault(line, f"'{text}' is empty") for text, line in body.headings if not body.sections[text])
    lines = dict(body.headings)
    for section in (EXAMPLE, USE_INSTEAD, SILENT):
        if section in lines and not any(project.section == section for project in body.projects):
            yield Fault(lines[section], f"'{section}' has no example project")
    for project in body.projects:
        marks = [mark for mark in project.expected if mark.code == code]
        if project.section == EXAMPLE and not marks:
            yield Fault(project.line, f"nothing in this example is marked {code}")
        elif project.section in (USE_INSTEAD, SILENT):
            yield from (Fault(mark.source_line, f"'{project.section}' may hold no mark") for mark in marks)


def _heading_faults(headings: list[tuple[str, int]]) -> Iterator[Fault]:
    """The first heading that is not the one which ``SECTIONS`` wants there; the others would only repeat it."""
    for wanted, (found, line) in zip(SECTIONS, headings, strict=False):
        if wanted != found:
            yield Fault(line, f"the heading here must be '## {wanted}', not '## {found}'")
            return
    yield from (Fault(line, f"'## {text}' is one heading too many") for text, line in headings[len(SECTIONS) :])
    if missing := SECTIONS[len(headings) :]:
        yield Fault(headings[-1][1] if headings else 1, f"missing: {', '.join(f'## {text}' for text in missing)}")


def _case_faults(body: _Body) -> Iterator[Fault]:
    if not body.headings:
        yield Fault(1, "a case needs a '## heading' that says what it is about")
    for project in body.projects:
        if not project.section:
            yield Fault(project.line, "a case needs a '## heading' above it that says what it is about")
    for text, line in body.headings:
        if not any(project.section == text for project in body.projects):
            yield Fault(line, f"'{text}' has no example project")
