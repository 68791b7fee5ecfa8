"""Example projects: the files that fenced blocks of a page stand for, and the marks that say what must be flagged.

A mark is the trailing comment ``# MLS413`` on the first line of the flagged span, or the line ``^ MLS413`` below it
where the language has no trailing comments. Comments stay in the text, ``^`` lines are taken out, and every line of
what remains knows the line of the Markdown file it came from.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import get_args

import msgspec

from mlsys_advise.finding import Severity
from mlsys_advise.heat import Context, Frequency

#: The name of a block without a title, by the language of its info string.
DEFAULT_TITLES = {
    "python": "example.py",
    "yaml": "example.yaml",
    "dockerfile": "Dockerfile",
    "sh": "example.sh",
    "bash": "example.sh",
    "toml": "example.toml",
    "json": "example.json",
    "ini": "example.ini",
    "hcl": "example.tf",
    "c": "example.c",
    "cpp": "example.cpp",
    "cuda": "example.cu",
    "cython": "example.pyx",
}
#: Without a title these belong to no project: they show output, a change or a command line.
ILLUSTRATIONS = frozenset({"", "text", "console", "diff"})

_NO_TRAILING_COMMENTS = frozenset({"dockerfile", "json"})
_SEVERITIES: tuple[str, ...] = get_args(Severity)
_CONTEXTS = {context.name.lower(): context for context in Context if context.name}
_FREQUENCIES = {frequency.name.lower(): frequency for frequency in Frequency}
_CELL = re.compile(r"# %%(?:\s*\[(?P<kind>markdown|raw)\])?(?:\s.*)?")


class Fault(msgspec.Struct, frozen=True, order=True):
    """Something wrong with a page, and the line of the Markdown file where it is to be put right."""

    line: int
    message: str


class Expected(msgspec.Struct, frozen=True, order=True):
    """What a mark demands: a finding of ``code`` whose span starts on ``line`` of ``path``.

    ``columns`` are the start and the exclusive end of the span, counted from 1; ``heat`` holds pairs such as
    ``("training", "step")`` that the finding's heat must contain; ``related`` holds ``path`` or ``path:line``, each of
    which must be among the finding's related places. In a notebook ``line`` counts within ``cell``, which counts all
    cells from 1. ``source_line`` is the mark's own line in the Markdown file.
    """

    path: str
    line: int
    code: str
    severity: str | None = None
    columns: tuple[int, int] | None = None
    heat: tuple[tuple[str, str], ...] = ()
    related: tuple[str, ...] = ()
    cell: int = 0
    source_line: int = 0


class Block(msgspec.Struct, frozen=True):
    """One file of an example project.

    ``title`` is its path within the project, ``text`` what is written to it (a notebook in percent format: see
    ``contents``), ``line`` the line of the Markdown file where the block's text begins, and ``origins`` the line of
    the Markdown file for each line of the text.
    """

    language: str
    title: str
    text: str
    line: int
    origins: tuple[int, ...]
    expected: tuple[Expected, ...] = ()

    @property
    def is_notebook(self) -> bool:
        return self.language == "python" and self.title.endswith(".ipynb")

    def contents(self) -> str:
        """The bytes-to-be of the file: the text itself, or the JSON of the notebook that it describes."""
        return notebook(self.text) if self.is_notebook else self.text

    def source_line(self, line: int, cell: int = 0) -> int:
        """The line of the Markdown file that holds this line of the file; the block's first line if there is none."""
        if cell:
            starts = [first for first, _, _ in cells(self.text)]
            line = starts[cell - 1] + line - 1 if 1 <= cell <= len(starts) else 0
        return self.origins[line - 1] if 1 <= line <= len(self.origins) else self.line


class Project(msgspec.Struct, frozen=True):
    """Consecutive blocks: a small project of one or more files that is checked on its own.

    ``section`` is the ``##`` heading above it and ``heading`` the nearest heading of any level.
    """

    section: str
    heading: str
    blocks: tuple[Block, ...]
    line: int

    @property
    def expected(self) -> tuple[Expected, ...]:
        return tuple(mark for block in self.blocks for mark in block.expected)

    def files(self) -> dict[str, str]:
        """What to write where, to have the project on disk."""
        return {block.title: block.contents() for block in self.blocks}

    def block(self, title: str) -> Block | None:
        return next((block for block in self.blocks if block.title == title), None)


def read_block(language: str, title: str, lines: list[str], line: int, prefix: str) -> tuple[Block, list[Fault]]:
    """Take the marks out of a fenced block; ``prefix`` is what codes start with, ``line`` where the text begins."""
    kept: list[str] = []
    origins: list[int] = []
    marks: list[Expected] = []
    faults = [Fault(line, message) for message in _path_faults(title)]
    for number, text in enumerate(lines, start=line):
        below = _caret(prefix).fullmatch(text)
        beside = None if below else _comment(prefix).search(text)
        if not below:
            kept.append(text)
            origins.append(number)
        found = below or beside
        if found is None:
            if _almost(prefix).search(text):
                faults.append(Fault(number, "this comment reads like a mark, but holds more than codes and assertions"))
            continue
        if misplaced := _misplaced(language, text[: beside.start()] if beside else None, kept):
            faults.append(Fault(number, misplaced))
            continue
        for mark in _read_marks(found["marks"].split(), title, len(kept), number, prefix):
            if isinstance(mark, Fault):
                faults.append(mark)
            else:
                marks.append(mark)
    block = Block(language, title, "".join(f"{text}\n" for text in kept), line, tuple(origins))
    if block.is_notebook:
        marks = [_in_cell(mark, block.text) for mark in marks]
    return msgspec.structs.replace(block, expected=tuple(marks)), faults


def cells(text: str) -> list[tuple[int, str, list[str]]]:
    """The cells of a notebook in percent format: first line (from 1), kind, lines.

    A line ``# %%`` or ``# %% [markdown]`` starts a cell and is not part of it; what stands before the first is a cell
    of its own unless it is blank; blank lines at the end of a cell are dropped.
    """
    result: list[tuple[int, str, list[str]]] = [(1, "code", [])]
    for number, line in enumerate(text.splitlines(), start=1):
        if start := _CELL.fullmatch(line):
            result.append((number + 1, start["kind"] or "code", []))
        else:
            result[-1][2].append(line)
    if not any(line.strip() for line in result[0][2]):
        del result[0]
    for _, _, lines in result:
        while lines and not lines[-1].strip():
            lines.pop()
    return result


def notebook(text: str) -> str:
    """The JSON of the notebook that a text in percent format describes."""
    document = {
        "cells": [_cell(index, kind, lines) for index, (_, kind, lines) in enumerate(cells(text), start=1)],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _cell(index: int, kind: str, lines: list[str]) -> dict[str, object]:
    if kind == "markdown":
        lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
    source = [f"{line}\n" for line in lines[:-1]] + lines[-1:]
    cell: dict[str, object] = {"cell_type": kind, "id": f"cell-{index}", "metadata": {}, "source": source}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def _in_cell(mark: Expected, text: str) -> Expected:
    number, first = max((index, first) for index, (first, _, _) in enumerate(cells(text), 1) if first <= mark.line)
    return msgspec.structs.replace(mark, cell=number, line=mark.line - first + 1)


def _read_marks(words: list[str], path: str, line: int, source_line: int, prefix: str) -> Iterator[Expected | Fault]:
    """``MLS101 severity=info MLS401``: an assertion belongs to the code that it follows."""
    mark: Expected | None = None
    for word in words:
        if re.fullmatch(rf"{prefix}\d+", word):
            if mark is not None:
                yield mark
            mark = Expected(path=path, line=line, code=word, source_line=source_line)
            continue
        name, _, value = word.partition("=")
        try:
            assert mark is not None, "the patterns let a mark start with a code only"
            mark = _asserting(mark, name, value)
        except ValueError as error:
            yield Fault(source_line, str(error))
    if mark is not None:
        yield mark


def _asserting(mark: Expected, name: str, value: str) -> Expected:
    """The mark with one more assertion.

    Raises ``ValueError`` where the assertion cannot be read.
    """
    match name:
        case "severity" if value in _SEVERITIES:
            return msgspec.structs.replace(mark, severity=value)
        case "columns" if ends := re.fullmatch(r"([1-9]\d*)-([1-9]\d*)", value):
            return msgspec.structs.replace(mark, columns=(int(ends[1]), int(ends[2])))
        case "heat":
            return msgspec.structs.replace(mark, heat=tuple(_heat_pair(pair) for pair in value.split(",")))
        case "related" if value:
            return msgspec.structs.replace(mark, related=tuple(value.split(",")))
    raise ValueError(
        f"'{name}={value}' is not an assertion; use severity={'|'.join(_SEVERITIES)}, columns=START-END, "
        "heat=CONTEXT:FREQUENCY or related=PATH"
    )


def _heat_pair(text: str) -> tuple[str, str]:
    context, _, frequency = text.partition(":")
    if context not in _CONTEXTS or frequency not in _FREQUENCIES:
        raise ValueError(
            f"'heat={text}' is not CONTEXT:FREQUENCY; contexts are {', '.join(_CONTEXTS)}, "
            f"frequencies {', '.join(_FREQUENCIES)}"
        )
    return context, frequency


def _path_faults(title: str) -> Iterator[str]:
    path = PurePosixPath(title)
    if path.is_absolute() or ".." in path.parts or "\\" in title or ":" in title or str(path) in {"", "."}:
        yield f"title={title!r} must be a relative path with forward slashes that stays inside the project"


def _misplaced(language: str, before: str | None, kept: list[str]) -> str | None:
    """What is wrong with the place of a mark; ``before`` is what stands before a comment, None for a ``^`` line."""
    if not kept:
        return "a '^' mark stands below the line that it marks, and nothing is above this one"
    if before is None:
        return None
    if not before.strip() or _CELL.fullmatch(kept[-1]):
        return "a mark stands at the end of the line that must be flagged, and nothing is before this one"
    if language in _NO_TRAILING_COMMENTS:
        return f"{language} has no trailing comments; put the mark on the next line as '^ CODE'"
    if before.rstrip().endswith("\\"):
        return "a comment after a line continuation breaks the line; put the mark on the next line as '^ CODE'"
    return None


@functools.cache
def _comment(prefix: str) -> re.Pattern[str]:
    return re.compile(rf"(?:#|//)\s*(?P<marks>{prefix}\d{{3,}}(?:\s+(?:{prefix}\d{{3,}}|\w+=\S*))*)\s*$")


@functools.cache
def _almost(prefix: str) -> re.Pattern[str]:
    return re.compile(rf"(?:#|//)\s*{prefix}\d{{3,}}\b")


@functools.cache
def _caret(prefix: str) -> re.Pattern[str]:
    return re.compile(rf"\s*\^+\s*(?P<marks>{prefix}\d{{3,}}(?:\s+(?:{prefix}\d{{3,}}|\w+=\S*))*)\s*")
