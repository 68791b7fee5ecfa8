"""The running interpreter's own parser, asked about whole texts and about single statements.

Invariant: warnings about the parsed code (invalid escapes, odd literals) never reach the screen, and nobody else's
warnings are touched: the one filter that this module sets matches its own pseudo file name alone.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import cast

from mlsys_advise.languages.source import without_surrogates

#: What the parser raises on text that is broken, too deep or not text: nothing else leaves it.
PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)

TOO_DEEP = "nested too deeply for Python's parser"

#: What a message says about places counts from the start of the text that was parsed, often a single statement.
_PLACE = re.compile(r" \(detected at line \d+\)| on line \d+")
_FILE = "<mlsys-advise>"
_SURROGATE_ESCAPE = re.compile(r"\\(?:u|U0000)[dD][89a-fA-F]")
#: Lines to put around a statement that cannot stand alone, so that it may.
_AROUND = {
    "elif": ("if 0: pass\n", ""),
    "else": ("if 0: pass\n", ""),
    "except": ("try: pass\n", ""),
    "finally": ("try: pass\n", ""),
    "try": ("", "\nfinally: pass"),
    "case": ("match 0:\n ", ""),
    "@": ("", "\ndef _(): pass"),
}


def _silence() -> object:
    warnings.filterwarnings("ignore", module=re.escape(_FILE))
    return warnings.filters[0]


_filter = _silence()


def tree_of(text: str) -> ast.Module:
    """The syntax tree of a module; raises one of ``PARSE_ERRORS``."""
    global _filter
    # One look at a list instead of catch_warnings: fifty times cheaper, and safe beside other threads.
    if not warnings.filters or warnings.filters[0] is not _filter:
        _filter = _silence()
    tree = cast(ast.Module, compile(text, _FILE, "exec", ast.PyCF_ONLY_AST, dont_inherit=True))
    if _SURROGATE_ESCAPE.search(text) is not None:
        _make_encodable(tree)
    return tree


def _make_encodable(tree: ast.Module) -> None:
    """Replace the lone surrogates that escapes put into strings: what is told of a file must be text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = without_surrogates(node.value)


def stands_alone(code: str, word: str) -> bool:
    """Whether one statement is valid by itself; a header with or without the statement behind its colon.

    ``word`` is the statement's leading keyword as ``LogicalLine`` has it.
    """
    return not complaint(code, word)


def complaint(code: str, word: str) -> str:
    """What the parser says against one statement: empty where it is valid, ``TOO_DEEP`` where it is only too deep."""
    if word == "match" and code.endswith(":"):
        return _complaint(code + "\n case _: pass")
    before, after = _AROUND.get(word, ("", ""))
    body = " pass" if code.endswith(":") else ""
    return _complaint(f"{before}{code}{body}{after}")


def is_too_deep(error: BaseException) -> bool:
    """Whether the parser gave up on the depth of the code rather than on its grammar."""
    if isinstance(error, SyntaxError):
        return error.msg.startswith("too many ")
    return isinstance(error, (RecursionError, MemoryError))


def message_of(error: BaseException) -> str:
    """What the parser said, without the place."""
    if is_too_deep(error):
        return TOO_DEEP
    return _PLACE.sub("", error.msg) if isinstance(error, SyntaxError) else str(error)


def _complaint(text: str) -> str:
    try:
        tree_of(text)
    except PARSE_ERRORS as error:
        return message_of(error)
    return ""
