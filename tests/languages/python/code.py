"""Documents made of source text, for tests of what one file says."""

from __future__ import annotations

import ast
import textwrap

from mlsys_advise.here import Here
from mlsys_advise.languages.python.document import PythonDocument
from mlsys_advise.languages.python.scopes import Loop
from mlsys_advise.languages.source import Source, decode
from mlsys_advise.registry import load_rules
from mlsys_advise.vocabulary import Lexicon


def here(text: str) -> Here:
    """The document of one file with this text."""
    source = decode(textwrap.dedent(text).encode(), "example.py")
    assert isinstance(source, Source)
    return Here(PythonDocument(source, "example.py", Lexicon(load_rules().vocabulary)))


def returned(document: Here) -> ast.expr:
    """The expression that the last `return` of the file gives back."""
    found = [node for node in ast.walk(document.module.tree) if isinstance(node, ast.Return)]
    last = max(found, key=lambda node: node.lineno)
    assert last.value is not None
    return last.value


def innermost(document: Here) -> Loop:
    """The only loop of the file that holds no other."""
    (loop,) = [loop for loop in document.module.loops if document.bodies.innermost(loop)]
    return loop
