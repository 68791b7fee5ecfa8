"""Where bytes and paths come from inside one function: the expressions at which the way back ends.

Invariant: only operations that keep the bytes, or what they stand for, are followed: slices, buffers, decoding,
decompression, opening of a path, unpacking. What a helper of the project is given is asked of the project, by the term
of the leaf.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from mlsys_advise.languages.python.scopes import Bind, Module, Scope
from mlsys_advise.languages.python.terms import Terms
from mlsys_advise.term import Name
from mlsys_advise.vocabulary import Lexicon


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Functions whose result holds, or leads to, what their arguments do.
_CARRIERS: Final = _names(
    "io.BytesIO io.StringIO io.BufferedReader io.open builtins.open builtins.bytes builtins.bytearray "
    "builtins.memoryview builtins.str builtins.bytes.fromhex builtins.bytearray.fromhex pathlib.Path pathlib.PurePath "
    "os.path.join os.path.abspath os.path.expanduser os.path.realpath os.fspath base64.b64decode "
    "base64.urlsafe_b64decode base64.standard_b64decode base64.decodebytes binascii.unhexlify binascii.a2b_base64 "
    "zlib.decompress gzip.decompress bz2.decompress lzma.decompress lz4.frame.decompress zstandard.decompress "
    "gzip.open bz2.open lzma.open gzip.GzipFile json.loads copy.copy copy.deepcopy smart_open.open fsspec.open"
)
#: Methods whose result holds, or leads to, what their receiver does.
_METHODS: Final = _names(
    "read readline readexactly readuntil getvalue getbuffer decode encode tobytes strip rstrip lstrip split open "
    "read_bytes read_text resolve absolute expanduser joinpath as_posix get pop partition fromhex value"
)
_MOST: Final = 80


class Origins:
    """Ways back from expressions of one file."""

    def __init__(self, module: Module, terms: Terms, lexicon: Lexicon) -> None:
        self.module = module
        self.terms = terms
        self.lexicon = lexicon

    def leaves(self, node: ast.expr, scope: Scope) -> list[ast.expr]:
        """The expressions that a value may come from, each once, in the order in which they are met."""
        found: dict[ast.expr, None] = {}
        stack = [node]
        seen: set[ast.expr] = set()
        while stack and len(seen) < _MOST:
            part = stack.pop()
            if part in seen:
                continue
            seen.add(part)
            following = list(self._back(part, scope))
            if not following or isinstance(part, ast.Call):
                found[part] = None
            stack.extend(reversed(following))
        return list(found)

    def _back(self, node: ast.expr, scope: Scope) -> Iterator[ast.expr]:
        match node:
            case ast.Await(value) | ast.Starred(value) | ast.NamedExpr(value=value) | ast.FormattedValue(value):
                yield value
            case ast.Subscript(ast.Attribute(ast.Name("os"), "environ")):
                return
            case ast.Subscript(value):
                yield value
            case ast.Name():
                yield from self._bound(node)
            case ast.BinOp(left, ast.Add() | ast.Div() | ast.Mod(), right):
                yield from (left, right)
            case ast.BoolOp(values=values) | ast.JoinedStr(values):
                yield from values
            case ast.IfExp(body=body, orelse=orelse):
                yield from (body, orelse)
            case ast.ListComp(elt) | ast.GeneratorExp(elt):
                yield elt
            case ast.Call(ast.Attribute(ast.Constant(), "join"), [argument]):
                yield argument
            case ast.Call(ast.Attribute(ast.Constant(), "format"), arguments):
                yield from arguments
            case ast.Call():
                yield from self._called(node, scope)

    def _called(self, call: ast.Call, scope: Scope) -> Iterator[ast.expr]:
        callee = self.terms.of(call.func, scope)
        if isinstance(callee, Name) and self.lexicon.canonical(callee.dotted) in _CARRIERS:
            yield from call.args
            return
        match call.func:
            case ast.Attribute(receiver, "fromhex"):
                yield from call.args
            case ast.Attribute(receiver, attr) if attr in _METHODS:
                yield receiver

    def _bound(self, name: ast.Name) -> Iterator[ast.expr]:
        """The expressions that the bindings which reach a name were made of."""
        for binding in self.terms.reaching(name, _MOST):
            if binding.value is not None and binding.kind in (Bind.ASSIGN, Bind.WITH, Bind.AUGMENT):
                value = _unpacked(binding.value, binding.path)
                if value is not None:
                    yield value


def _unpacked(value: ast.expr, path: tuple[int, ...]) -> ast.expr | None:
    """The part of a display that an unpacking takes; of any other value the whole, which holds the part."""
    for position in path:
        if isinstance(value, (ast.Tuple, ast.List)):
            if not -len(value.elts) <= position < len(value.elts):
                return None
            value = value.elts[position]
        else:
            return value
    return value
