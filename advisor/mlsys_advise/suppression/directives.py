"""What comments say to us: ``# mlsys: ignore[MLS413] reason``, its forms for files and cells, and ``# noqa: MLS413``.

Invariant: a pure function of the text of one file; which rules there are is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from mlsys_advise.languages.comments import Comment, comments
from mlsys_advise.languages.source import Source
from mlsys_advise.span import Span

Scope = Literal["lines", "cell", "file"]

#: What a file holds in lower case in which anything could be found; asked of bytes, before anything is decoded.
_HINT = re.compile(rb"mlsys:\s*ignore|noqa[^\n]*\bmls\d")
_WANTED = re.compile(r"#.*(?:mlsys:\s*ignore|noqa.*\bMLS\d)", re.IGNORECASE)
_OWN = re.compile(r"mlsys:\s*(?P<verb>ignore[\w-]*)(?:\s*\[(?P<rules>[^\]\n]*)(?P<end>\]?))?", re.IGNORECASE)
_NOQA = re.compile(
    r"(?P<file>\b(?:ruff|flake8)\s*:\s*)?\bnoqa\s*:\s*(?P<rules>[A-Z]+[0-9]+(?:\s*,?\s*[A-Z]+[0-9]+)*)", re.IGNORECASE
)
_CODE = re.compile(r"[A-Z]+[0-9]+", re.IGNORECASE)
#: The codes of our rules; those of others are no business of ours.
_OURS = re.compile(r"MLS\d+", re.IGNORECASE)
_SCOPES: dict[str, Scope] = {"ignore": "lines", "ignore-cell": "cell", "ignore-file": "file"}


class Suppression(msgspec.Struct, frozen=True, array_like=True):
    """A comment that silences the rules ``selectors`` (codes, beginnings of codes, names) at some lines.

    ``span`` is the directive in its comment. ``first`` and ``last`` count within the cell, as in ``span``, and are of
    no account where the scope is a file or a cell. ``problem`` says why the comment can silence nothing.
    """

    selectors: tuple[str, ...]
    span: Span
    first: int
    last: int
    scope: Scope = "lines"
    problem: str = ""


def suppressions(data: bytes, source: Source, language: str) -> tuple[Suppression, ...]:
    """The directives of a file in order of their lines; ``data`` is the file as it was read."""
    # Lowering all bytes and looking for two words takes a fiftieth of the time of a pattern that ignores case.
    lowered = data.lower()
    if (b"mlsys:" not in lowered and b"noqa" not in lowered) or _HINT.search(lowered) is None:
        return ()
    return tuple(
        found for comment in comments(source, language, _WANTED) for found in _in_comment(comment, source, language)
    )


def _in_comment(comment: Comment, source: Source, language: str) -> Iterator[Suppression]:
    for match in _OWN.finditer(comment.text):
        scope = _SCOPES.get(match["verb"].lower())
        problem = ""
        if scope is None:
            problem = f"{match['verb']} is not known; write ignore, ignore-file or ignore-cell"
        elif scope == "cell" and language != "notebook":
            problem = "ignore-cell is for notebooks; here it is ignore-file"
        elif match["rules"] is None or not match["rules"].strip():
            problem = f"it names no rule; write {match['verb']}[CODE]"
        elif not match["end"]:
            problem = "its bracket is not closed"
        selectors = tuple(part.strip() for part in (match["rules"] or "").split(",") if part.strip())
        yield _suppression(comment, source, match.span(), selectors, scope or "lines", problem)
    for match in _NOQA.finditer(comment.text):
        codes = tuple(code.upper() for code in _CODE.findall(match["rules"]) if _OURS.fullmatch(code))
        if codes:
            yield _suppression(comment, source, match.span(), codes, "file" if match["file"] else "lines", "")


def _suppression(
    comment: Comment, source: Source, place: tuple[int, int], selectors: tuple[str, ...], scope: Scope, problem: str
) -> Suppression:
    start, end = (comment.column - 1 + offset for offset in place)
    text = source.lines[comment.line - 1]
    span = source.span(comment.line, len(text[:start].encode()), comment.line, len(text[:end].encode()))
    before = comment.line - span.line  # the lines of the cells before this one
    return Suppression(selectors, span, comment.first - before, comment.last - before, scope, problem)
