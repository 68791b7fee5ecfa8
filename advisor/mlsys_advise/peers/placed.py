"""Findings of another linter as candidates of ours: with the function and the loop whose heat decides.

A finding in code that we could not parse has no place, and so no candidate.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from mlsys_advise.finding import Notice
from mlsys_advise.here import Here
from mlsys_advise.languages import notebook
from mlsys_advise.languages.python.document import PythonDocument
from mlsys_advise.languages.source import decode
from mlsys_advise.peers.ruff import Said
from mlsys_advise.rule import Candidate
from mlsys_advise.span import Span
from mlsys_advise.vocabulary import Lexicon

_NOTEBOOK = ".ipynb"


def candidates(said: Iterable[Said], data: bytes, path: str, lexicon: Lexicon) -> list[Candidate]:
    """``path`` is relative to the project, ``data`` what the findings are about."""
    source = notebook.convert(data, path) if path.endswith(_NOTEBOOK) else decode(data, path)
    if source is None or isinstance(source, Notice):
        return []
    document = PythonDocument(source, path, lexicon)
    here = Here(document)
    found = []
    for finding in said:
        node = _innermost(document, here, finding.span)
        if node is not None:
            message = finding.message.replace("{", "{{").replace("}", "}}")
            found.append(here.candidate(finding.code, node, message, span=finding.span))
    return found


def _innermost(document: PythonDocument, here: Here, span: Span) -> ast.AST | None:
    """The deepest expression or statement that holds the first character of a span."""
    start = (span.cell, span.line, span.column)
    deepest = None
    for node in _on_line(document, span):
        place = here.span(node)
        if (place.cell, place.line, place.column) <= start < (place.cell, place.end_line, place.end_column):
            deepest = node  # parents come before their children
    return deepest


def _on_line(document: PythonDocument, span: Span) -> Iterator[ast.expr | ast.stmt]:
    before = next((cell.line - 1 for cell in document.source.cells if cell.number == span.cell), 0)
    line = span.line + before
    for node in document.others:
        if isinstance(node, ast.expr | ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            yield node
