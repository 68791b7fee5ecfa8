"""A Python file or notebook as a document: source, tree, scopes, terms and interface, each made once."""

from __future__ import annotations

import ast
import functools
import posixpath

from mlsys_advise.finding import Notice
from mlsys_advise.languages.python.extract import Extraction
from mlsys_advise.languages.python.parsing import parse
from mlsys_advise.languages.python.scopes import Module, children
from mlsys_advise.languages.python.terms import Terms
from mlsys_advise.languages.source import Source
from mlsys_advise.vocabulary import Lexicon


class PythonDocument:
    """One parsed Python file. ``path`` is relative to the project, with forward slashes."""

    def __init__(self, source: Source, path: str, lexicon: Lexicon) -> None:
        self.source = source
        self.path = path
        self.lexicon = lexicon
        parsed = parse(source.text, path, sections=tuple(max(1, cell.line - 1) for cell in source.cells))
        self.notices: tuple[Notice, ...] = tuple(map(source.located, parsed.notices))
        folder = posixpath.dirname(path)
        self.module = Module(parsed.tree, tuple(folder.split("/")) if folder else ())
        self.terms = Terms(self.module, lexicon)
        self.extraction = Extraction(self.module, self.terms, bool(parsed.masked))
        self.interface = self.extraction.interface

    @functools.cached_property
    def others(self) -> tuple[ast.AST, ...]:
        """Every node in the order of the text, for rules about nodes that the walk does not list."""
        found: list[ast.AST] = []
        stack: list[ast.AST] = [self.module.tree]
        while stack:
            node = stack.pop()
            found.append(node)
            stack.extend(reversed(children(node)))
        return tuple(found)
