"""Requirements and constraints files of pip: includes, options, hashes, URLs, paths and continued lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from mlsys_advise.languages.requirements import pep508
from mlsys_advise.languages.requirements.conda import is_export, match_spec
from mlsys_advise.languages.requirements.manifest import Include, Reading
from mlsys_advise.span import Span

_COMMENT = re.compile(r"(?<!\S)#.*")
_PER_REQUIREMENT_OPTION = re.compile(r"\s--?[a-z][\w-]*([=\s]|$)")
_OPTION = re.compile(r"(?P<name>--[a-z][a-z-]*|-[a-z])[\s=]*(?P<value>.*)")
_EXTRAS = re.compile(r"(?P<path>[^\[]*)(?:\[(?P<extras>[^\]]*)\])?")
_PATH = re.compile(r"[.~/\\]|[a-zA-Z]:[\\/]|[a-z][a-z0-9+.-]*://", re.IGNORECASE)

_INCLUDES: dict[str, Literal["requirements", "constraints"]] = {
    "-r": "requirements",
    "--requirement": "requirements",
    "-c": "constraints",
    "--constraint": "constraints",
}
_INDEXES = frozenset({"-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links"})


class LogicalLine(NamedTuple):
    """Physical lines joined by backslashes, without comments; ``span`` covers the part on the first of them."""

    text: str
    span: Span


def read(text: str, reading: Reading) -> None:
    for line in logical_lines(text):
        read_line(line.text, reading, span=line.span)


def logical_lines(text: str) -> Iterator[LogicalLine]:
    pending: list[str] = []
    first: Span | None = None
    for number, raw in enumerate([*text.split("\n"), ""], start=1):
        continued = raw.endswith("\\") and not raw.lstrip().startswith("#")
        content = raw[:-1] if continued else raw
        content = _COMMENT.sub("", content)
        if first is None and content.strip():
            first = _stripped_span(content, number)
        pending.append(content)
        if continued:
            continue
        joined = " ".join(pending).strip()
        if joined and first is not None:
            yield LogicalLine(joined, first)
        pending, first = [], None


def _stripped_span(content: str, number: int) -> Span:
    shown = _PER_REQUIREMENT_OPTION.split(content, maxsplit=1)[0] if not content.lstrip().startswith("-") else content
    start = len(content) - len(content.lstrip()) + 1
    return Span(number, start, number, max(len(shown.rstrip()), start) + 1)


def read_line(line: str, reading: Reading, group: str = "", span: Span | None = None) -> None:
    """One logical line of a requirements file; also what conda's nested ``pip:`` list holds."""
    if "${" in line:
        _read_templated(line, reading, group, span)
    elif line.startswith("-"):
        _read_option(line, reading, group, span)
    elif is_export(line):
        exported = match_spec(line, group)
        if exported is not None:
            reading.require(exported, span)
    else:
        _read_requirement(line, reading, group, span)


def _read_templated(line: str, reading: Reading, group: str, span: Span | None) -> None:
    """``torch==${TORCH}`` asks for a version that the text does not tell."""
    found = None if line.startswith("-") else pep508.requirement(line.partition("${")[0].rstrip("=<>!~ "), group)
    if found is not None:
        reading.require(msgspec.structs.replace(found, versions=()), span)
    elif not line.startswith(tuple(_INDEXES)):
        reading.leave_open("a line takes its value from the environment")


def _read_option(line: str, reading: Reading, group: str, span: Span | None) -> None:
    match = _OPTION.fullmatch(line)
    if match is None:
        return
    name, value = match["name"], match["value"].strip().strip("\"'")
    if name in _INCLUDES and value:
        reading.include(Include(value.replace("\\", "/"), _INCLUDES[name], group))
    elif name in ("-e", "--editable") and value:
        _read_location(value, reading, group, span)
    elif name in _INDEXES and value:
        reading.add_index(value)


def _read_requirement(line: str, reading: Reading, group: str, span: Span | None) -> None:
    hashed = " --hash" in line
    text = _PER_REQUIREMENT_OPTION.split(line, maxsplit=1)[0].strip()
    if _PATH.match(text) or text.endswith(".whl"):
        _read_location(text, reading, group, span, hashed)
        return
    found = pep508.requirement(text, group, hashed)
    if found is not None:
        reading.require(found, span)
    else:
        reading.leave_open(f"`{text[:60]}` is not a requirement")


def _read_location(text: str, reading: Reading, group: str, span: Span | None, hashed: bool = False) -> None:
    found = pep508.from_url(text, group, hashed)
    if found is not None:
        reading.require(found, span)
        return
    match = _EXTRAS.match(text)
    if pep508.source_of(text) == "path" and match is not None:
        extras = tuple(sorted(part.strip() for part in (match["extras"] or "").split(",") if part.strip()))
        path = match["path"].strip().removeprefix("file:").replace("\\", "/")
        reading.include(Include(path, "project", group, extras))
    else:
        reading.declares = True
        reading.leave_open(f"`{text[:60]}` does not say which package it holds")
