"""Where a finding lies as programs outside are told it: paths from the root of the repository, lines of the file.

A position in a notebook's cell has no line that those programs could show, so it becomes the first line of the file,
and the message names the cell.
"""

from __future__ import annotations

import functools
import os
import re
import urllib.parse
from pathlib import Path, PurePath

from mlsys_advise.finding import Finding
from mlsys_advise.project.repository import repository_root
from mlsys_advise.span import Span

_SURROGATE = re.compile("[\ud800-\udfff]")

FIRST_LINE = Span(1, 1, 1, 1)

#: The grave first: programs outside show the first few findings only.
GRAVITY = {"error": 0, "warning": 1, "info": 2}


def path(absolute: str) -> str:
    """From the root of the repository that the current directory is in, else from there; forward slashes.

    What lies outside keeps its absolute path.
    """
    return text(_below(_base(), absolute))


def from_here(absolute: str) -> str:
    """From the current directory, where it lies below it; forward slashes."""
    return text(_below(Path.cwd(), absolute))


def uri(absolute: str) -> str:
    """``path`` as a relative reference, or a ``file`` URI of what lies outside."""
    short = _below(_base(), absolute)
    return PurePath(absolute).as_uri() if PurePath(short).is_absolute() else urllib.parse.quote(os.fsencode(short))


def span(within: Span) -> Span:
    return FIRST_LINE if within.cell else within


def message(finding: Finding) -> str:
    """The message; in a notebook with the place that ``span`` cannot tell."""
    return prefix(finding.span) + text(finding.message)


def text(given: str) -> str:
    """Without lone surrogates, which stand for bytes that are no text and which strict readers refuse."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", given)


def prefix(within: Span) -> str:
    return f"cell {within.cell}, line {within.line}: " if within.cell else ""


def _below(folder: Path, absolute: str) -> str:
    pure = PurePath(absolute)
    return pure.relative_to(folder).as_posix() if pure.is_relative_to(folder) else pure.as_posix()


@functools.lru_cache(maxsize=8)
def _root(here: Path) -> Path:
    return repository_root(here) or here


def _base() -> Path:
    return _root(Path.cwd())
