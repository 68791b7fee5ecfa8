"""Files that a function fills from somewhere: downloads to a path, and bytes written to one.

Invariant: a path is told by its literal text or by the expression that names it; two spellings of one path are two.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from typing import Final

from mlsys_advise.languages.python.scopes import Bind, Module, Scope
from mlsys_advise.languages.python.terms import Terms
from mlsys_advise.term import Name
from mlsys_advise.vocabulary import Lexicon

#: Downloads with the position and the name of the argument that says where to.
_DOWNLOADS: Final = {
    "urllib.request.urlretrieve": (1, "filename"),
    "torch.hub.download_url_to_file": (1, "dst"),
    "gdown.download": (1, "output"),
    "wget.download": (1, "out"),
}


class Stored:
    """The writes to paths in one file."""

    def __init__(self, module: Module, terms: Terms, lexicon: Lexicon) -> None:
        self.module = module
        self.terms = terms
        self.lexicon = lexicon

    def sources(self, path: ast.expr, scope: Scope) -> list[ast.expr]:
        """What the file under a path was filled with, in the same function or in the body of the module."""
        key = self.key(path)
        found = self._writes.get((scope.index, key), [])
        if scope.index and key[:1] in "'\"":
            found = [*found, *self._writes.get((0, key), [])]
        return found

    def key(self, path: ast.expr) -> str:
        """How a path is spelled, through a local name; of an opened file that of its path."""
        if isinstance(path, ast.Call) and isinstance(path.func, ast.Name) and path.func.id == "open" and path.args:
            path = path.args[0]
        for _ in range(4):
            number = self.module.loads.get(path) if isinstance(path, ast.Name) else None
            binding = self.module.bindings[number] if number is not None else None
            if binding is None or binding.kind != Bind.ASSIGN or binding.path or binding.value is None:
                break
            path = binding.value
        if isinstance(path, ast.Call) and isinstance(path.func, ast.Name) and path.func.id in ("Path", "str"):
            path = path.args[0] if len(path.args) == 1 else path
        return ast.unparse(path)

    @functools.cached_property
    def _writes(self) -> dict[tuple[int, str], list[ast.expr]]:
        found: dict[tuple[int, str], list[ast.expr]] = {}
        for scope in self.module.scopes:
            for site in scope.calls:
                for path, source in self._written(site.node, scope):
                    found.setdefault((scope.index, self.key(path)), []).append(source)
        return found

    def _written(self, call: ast.Call, scope: Scope) -> Iterator[tuple[ast.expr, ast.expr]]:
        match call:
            case ast.Call(ast.Attribute(path, "write_bytes" | "write_text"), [source]):
                yield path, source
            case ast.Call(ast.Attribute(ast.Name() as file, "write"), [source]):
                opened = self._opened(file)
                if opened is not None:
                    yield opened, source
            case ast.Call(ast.Attribute(attr="copyfileobj"), [source, ast.Name() as file, *_]):
                opened = self._opened(file)
                if opened is not None:
                    yield opened, source
            case ast.Call(func) if isinstance(func, (ast.Attribute, ast.Name)):
                last = func.attr if isinstance(func, ast.Attribute) else func.id
                if last in _LAST_NAMES:
                    callee = self.terms.of(func, scope)
                    position = (
                        _DOWNLOADS.get(self.lexicon.canonical(callee.dotted)) if isinstance(callee, Name) else None
                    )
                    if position is not None:
                        yield from ((path, call) for path in _argument(call, *position))

    def _opened(self, file: ast.Name) -> ast.expr | None:
        """The path that a local file object was opened on."""
        number = self.module.loads.get(file)
        binding = self.module.bindings[number] if number is not None else None
        match binding.value if binding is not None else None:
            case ast.Call(ast.Name("open"), [path, *_]) | ast.Call(ast.Attribute(path, "open")):
                return path
        return None


_LAST_NAMES: Final = frozenset(name.rpartition(".")[2] for name in _DOWNLOADS)


def _argument(call: ast.Call, position: int, name: str) -> Iterator[ast.expr]:
    yield from (keyword.value for keyword in call.keywords if keyword.arg == name)
    yield from call.args[position : position + 1]
