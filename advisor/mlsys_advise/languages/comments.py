"""Comments of the languages that start them with ``#``, and the lines that each of them speaks of.

Invariant: what stands in a string of Python is no comment; broken code costs at most the extent of a comment. Lines
count from 1 in the text of the source, across the cells of a notebook.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import msgspec

from mlsys_advise.languages.python.logical_lines import LogicalLine, logical_lines
from mlsys_advise.languages.python.string_literals import Literals
from mlsys_advise.languages.source import Source

_TOKEN = re.compile(r"[#'\"]")
_CONTINUES = frozenset({"elif", "else", "except", "finally"})


class Comment(msgspec.Struct, frozen=True):
    """A comment on ``line`` from ``column`` (code points, from 1) to the end of the line, without what comes before.

    ``first`` and ``last`` are the lines of the statement that it stands behind or, where it ``stands_alone``, of the
    statement before which it stands, with its block.
    """

    line: int
    column: int
    text: str
    first: int
    last: int
    stands_alone: bool


def comments(source: Source, language: str, wanted: re.Pattern[str]) -> Iterator[Comment]:
    """The comments that hold what is ``wanted``, in order."""
    numbers = [number for number, line in enumerate(source.lines) if wanted.search(line)]
    if not numbers:
        return
    if language in ("python", "notebook"):
        yield from _python(source, numbers)
    else:
        yield from _marked(source, numbers, language)


# -- Python


def _python(source: Source, numbers: Sequence[int]) -> Iterator[Comment]:
    found = logical_lines(source.text)
    starts = [line.first for line in found]
    literals = Literals(source.text)
    offsets = [0]
    for line in source.lines:
        offsets.append(offsets[-1] + len(line) + 1)
    for number in numbers:
        index = bisect_right(starts, number) - 1
        inside = found[index] if index >= 0 and number <= found[index].last else None
        if inside is None:
            margin = len(source.lines[number]) - len(source.lines[number].lstrip())
            first, last = _block(found, index + 1, number, margin, source)
            yield _comment(source, number, margin, first, last, alone=True)
            continue
        begin = _hash(source.text, inside, offsets[number], offsets[number + 1] - 1, literals)
        if begin is not None:
            edge = number in (inside.first, inside.last)
            first, last = (inside.first, inside.last) if edge else (number, number)
            yield _comment(source, number, begin - offsets[number], first, last)


def _hash(text: str, line: LogicalLine, start: int, stop: int, literals: Literals) -> int | None:
    """The offset between ``start`` and ``stop``, on one line of a statement, where a comment begins."""
    position = line.start
    while (token := _TOKEN.search(text, position, stop)) is not None:
        if token.group() != "#":
            position = literals.end(token.start()) or token.end()
            continue
        if token.start() >= start:
            return token.start()
        newline = text.find("\n", token.start())
        position = newline + 1
    return None


def _block(found: Sequence[LogicalLine], index: int, number: int, margin: int, source: Source) -> tuple[int, int]:
    """The lines of the statement ``found[index]`` with its decorators and its block, before which a comment stands."""
    if index >= len(found) or margin > len(found[index].margin) or _between_cells(source, number, found[index].first):
        return number, number
    head = found[index]
    while found[index].word == "@" and index + 1 < len(found) and found[index + 1].indent == head.indent:
        index += 1
    last = found[index].last
    following = range(index + 1, len(found)) if found[index].opens else ()
    for line in map(found.__getitem__, following):
        if line.indent < head.indent or (line.indent == head.indent and line.word not in _CONTINUES):
            break
        last = line.last
    return number, last


def _between_cells(source: Source, number: int, other: int) -> bool:
    return any(number + 1 < cell.line <= other + 1 for cell in source.cells)


# -- other languages


def _marked(source: Source, numbers: Sequence[int], language: str) -> Iterator[Comment]:
    lines = source.lines
    for number in numbers:
        margin = len(lines[number]) - len(lines[number].lstrip())
        if lines[number][margin] == "#":
            last = (_nested if language == "yaml" else _continued)(lines, number)
            yield _comment(source, number, margin, number, last, alone=True)
        elif language != "dockerfile":  # its instructions take what follows them as an argument
            begin = re.search(r"\s#", lines[number])
            if begin is not None:
                yield _comment(source, number, begin.end() - 1, number, number)


def _nested(lines: Sequence[str], number: int) -> int:
    """The last line of the YAML node that the next line begins: what is indented more, and the items of its list."""
    head = _next(lines, number)
    if head is None:
        return number
    indent = _indent(lines[head])
    last = head
    is_item = lines[head].lstrip().startswith("- ")
    for line in range(head + 1, len(lines)):
        if not lines[line].strip() or lines[line].lstrip().startswith("#"):
            continue
        item = _indent(lines[line]) == indent and not is_item and lines[line].lstrip().startswith("- ")
        if _indent(lines[line]) <= indent and not item:
            break
        last = line
    return last


def _continued(lines: Sequence[str], number: int) -> int:
    """The last line of the command that the next line begins: backslashes continue it."""
    head = _next(lines, number)
    if head is None:
        return number
    while lines[head].rstrip().endswith("\\") and head + 1 < len(lines):
        head += 1
    return head


def _next(lines: Sequence[str], number: int) -> int | None:
    """The next line that is neither blank nor a comment."""
    for line in range(number + 1, len(lines)):
        text = lines[line].lstrip()
        if text and not text.startswith("#"):
            return line
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _comment(source: Source, number: int, begin: int, first: int, last: int, *, alone: bool = False) -> Comment:
    return Comment(number + 1, begin + 1, source.lines[number][begin:], first + 1, last + 1, alone)
