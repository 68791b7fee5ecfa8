"""``setup.cfg``: the declarative metadata of setuptools."""

from __future__ import annotations

import configparser
import re

from mlsys_advise.languages.requirements import pep508
from mlsys_advise.languages.requirements.manifest import Include, Reading, Requirement
from mlsys_advise.span import Span

_SECTION = re.compile(r"\[([^\]]+)\]")
_KEY = re.compile(r"([\w.-]+)\s*[=:]")


def read(text: str, reading: Reading) -> None:
    config = configparser.RawConfigParser(strict=False)
    try:
        config.read_string(text)
    except (configparser.Error, ValueError) as error:
        reading.leave_open(f"the file is not a valid configuration: {str(error).splitlines()[0]}")
        return
    _read_list(config.get("options", "install_requires", fallback=None), reading, "")
    _read_list(config.get("options", "tests_require", fallback=None), reading, "test")
    if config.has_section("options.extras_require"):
        for extra, value in config.items("options.extras_require"):
            _read_list(value, reading, extra)
    python = config.get("options", "python_requires", fallback=None)
    if python:
        reading.require(Requirement("python", pep508.admitted(python)))
    reading.spans.update(_positions(text, {requirement.package for requirement in reading.requirements}))


def _read_list(value: str | None, reading: Reading, group: str) -> None:
    if value is None:
        return
    reading.declares = True
    if value.startswith("file:"):
        for file in value.removeprefix("file:").replace("\n", ",").split(","):
            if file.strip():
                reading.include(Include(file.strip(), group=group))
        return
    for line in value.splitlines():
        stated = re.sub(r"(^|\s)#.*", "", line).strip()
        if not stated:
            continue
        found = pep508.requirement(stated, group)
        if found is not None:
            reading.require(found)
        else:
            reading.leave_open(f"`{stated[:60]}` is not a requirement")


def _positions(text: str, wanted: set[str]) -> dict[str, Span]:
    """The first line of each package within the sections that list requirements; the parser keeps no positions."""
    found: dict[str, Span] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        header = _SECTION.match(line)
        if header is not None:
            section = header[1]
        if not section.startswith("options"):
            continue
        key = _KEY.match(line)
        start = key.end() if key is not None else 0
        if key is not None and key[1] == "python_requires" and "python" in wanted:
            found.setdefault("python", Span(number, 1, number, len(line.rstrip()) + 1))
        stated = line[start:].strip()
        requirement = pep508.requirement(stated) if stated and not stated.startswith("#") else None
        if requirement is not None and requirement.package in wanted:
            column = line.index(stated, start) + 1
            found.setdefault(requirement.package, Span(number, column, number, column + len(stated)))
    return found
