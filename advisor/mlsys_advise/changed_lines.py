"""Which lines of a text were added or changed since another state of it.

Invariant: the work is bounded: where two texts differ too much to be compared line by line, all between their common
beginning and end counts as changed.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence

from mlsys_advise.finding import Notice
from mlsys_advise.languages import notebook
from mlsys_advise.languages.source import Source, decode
from mlsys_advise.span import Span

#: Lines of one text times lines of the other that are compared one by one.
_MOST = 25_000_000
#: A file counts as renamed if so much of it, by lines, is that of a file which has gone.
_ALIKE = 0.5


class Changed:
    """The changed lines of one file, asked by spans of findings."""

    def __init__(self, before: Source | None, after: Source | None) -> None:
        self._after = after
        self._lines = changed_lines(before.lines if before else (), after.lines if after else ())

    def touches(self, span: Span) -> bool:
        """Whether a line of the span is changed."""
        start = 0
        if span.cell and self._after is not None:
            start = next((cell.line - 1 for cell in self._after.cells if cell.number == span.cell), 0)
        return any(line + start in self._lines for line in range(span.line, span.end_line + 1))


def text_of(data: bytes, path: str) -> Source | None:
    """The text of a file, the code cells of a notebook one after the other."""
    if path.endswith(".ipynb"):
        found = notebook.decode_notebook(data, path)
        return None if isinstance(found, Notice) else found.source
    decoded = decode(data, path)
    return None if isinstance(decoded, Notice) else decoded


def changed_lines(before: Sequence[str], after: Sequence[str]) -> set[int]:
    """The lines of ``after``, from 1, that are new or changed."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if not old or len(old) * len(new) > _MOST:
        return set(range(start + 1, start + 1 + len(new)))
    found: set[int] = set()
    for tag, _, _, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag in ("replace", "insert"):
            found.update(range(start + first + 1, start + last + 1))
    return found


def origins(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, str]:
    """The path that each file had before: its own, or that of the file which has gone and is most like it."""
    found = {path: path for path in after if path in before}
    gone = {path: Counter(before[path].splitlines()) for path in before if path not in after}
    scores: list[tuple[float, str, str]] = []
    for path in after:
        if path in found:
            continue
        lines = Counter(after[path].splitlines())
        for old, others in gone.items():
            if old.rpartition(".")[2] == path.rpartition(".")[2]:
                shared = (lines & others).total() / max(lines.total(), others.total(), 1)
                scores.append((-shared, old, path))
    taken: set[str] = set()
    for score, old, path in sorted(scores):
        if -score >= _ALIKE and path not in found and old not in taken:
            found[path] = old
            taken.add(old)
    return found
