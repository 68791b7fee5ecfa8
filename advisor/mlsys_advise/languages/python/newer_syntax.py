"""Syntax that the running interpreter does not know yet: recognised, and rewritten where that loses nothing.

Invariant: what is left of the original in a rewritten statement stands on its own line at its own columns.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import msgspec

from mlsys_advise.languages.python.grammar import complaint, stands_alone
from mlsys_advise.languages.python.string_literals import Literals, interpolation, opening, prefix_of

Version = tuple[int, int]

_GENERIC = re.compile(r"(?:(?:async[ \t]+)?def|class)[ \t]+\w+[ \t]*(?=\[)|type[ \t]+\w+[ \t]*(?=\[)")
_TYPE_ALIAS = re.compile(r"type[ \t]+(?=[A-Za-z_]\w*\s*=[^=])")
_LAZY = re.compile(r"lazy[ \t]+(?=import\b|from\b)")
_UNPARENTHESISED = re.compile(r"except(\*?)[ \t]((?:[ \t]*[A-Za-z_][\w.]*[ \t]*,)+[ \t]*[A-Za-z_][\w.]*)[ \t]*:")
#: In Python 2 the name behind the comma is the variable; classes are capitalised or dotted.
_PYTHON_2_TARGET = re.compile(r"except[^,]+,[ \t]*[a-z_]\w*[ \t]*:")
_TOKEN = re.compile(r"[#'\"()\[\]{}=]|\\\n")
_UNPACKING = re.compile(r"(?:iterable|dict) unpacking cannot be used in (?:dict )?comprehension")


class Rewritten(msgspec.Struct, frozen=True):
    """A statement as the running interpreter reads it; ``lost`` says that a part of its meaning is not in it."""

    code: str
    version: Version
    feature: str
    lost: bool


class _Step(msgspec.Struct, frozen=True):
    code: str
    version: Version
    feature: str
    lost: bool = False


def rewritten(code: str, word: str, running: Version = sys.version_info[:2]) -> Rewritten | None:
    """The statement without the syntax that came after ``running``; ``None`` where that does not make it valid.

    ``word`` is the statement's leading keyword as ``LogicalLine`` has it.
    """
    steps: list[_Step] = []
    for rewrite in _REWRITES:
        step = rewrite(steps[-1].code if steps else code)
        if step is not None and step.version > running:
            steps.append(step)
    if not steps or not stands_alone(steps[-1].code, word):
        return None
    newest = max(steps, key=lambda step: step.version)
    return Rewritten(steps[-1].code, newest.version, newest.feature, any(step.lost for step in steps))


def _f_strings(code: str) -> _Step | None:
    """Quotes, backslashes, comments and line breaks that 3.12 allows in f-strings: these become plain strings."""
    pieces, done = [], 0
    for quote, end in _literals(code):
        prefix = prefix_of(code, quote)
        if "f" not in prefix:
            continue
        found = interpolation(code, quote)
        if found is None:
            return None
        if found.modern:
            start = quote - len(prefix)
            pieces += [code[done:start], "'''", _blank(code[start + 3 : end - 3]), "'''"]
            done = end
    if not pieces:
        return None
    return _Step("".join([*pieces, code[done:]]), (3, 12), "nested quotes in f-strings", lost=True)


def _template_strings(code: str) -> _Step | None:
    """``t"..."`` becomes an f-string, which holds the same expressions."""
    letters = list(code)
    for quote, _ in _literals(code):
        prefix = prefix_of(code, quote)
        if "t" in prefix:
            letters[quote - len(prefix) + prefix.index("t")] = "f"
    changed = "".join(letters)
    return _Step(changed, (3, 14), "template strings", lost=True) if changed != code else None


def _type_parameters(code: str) -> _Step | None:
    """``def f[T](x)``: the type parameters become spaces."""
    head = _GENERIC.match(code)
    if head is None:
        return None
    depth, default, end = 0, False, 0
    for token in _TOKEN.finditer(code, head.end()):
        kind = token.group()
        if kind in "([{":
            depth += 1
        elif kind in ")]}":
            depth -= 1
            if not depth:
                end = token.end()
                break
        default |= kind == "=" and depth == 1
    if not end:
        return None
    # Without their brackets the lines need to be joined otherwise.
    blank = _blank(code[head.end() : end]).replace("\n", "\\\n")
    changed = code[: head.end()] + blank + code[end:]
    if default:
        return _Step(changed, (3, 13), "defaults of type parameters")
    return _Step(changed, (3, 12), "type parameters")


def _type_alias(code: str) -> _Step | None:
    """``type X = int`` becomes nothing."""
    head = _TYPE_ALIAS.match(code)
    if head is None or not stands_alone(code[head.end() :], ""):
        return None
    return _Step("pass", (3, 12), "type aliases", lost=True)


def _unparenthesised_except(code: str) -> _Step | None:
    """``except A, B:``: the first space and the end become parentheses."""
    found = _UNPARENTHESISED.match(code)
    if found is None or _PYTHON_2_TARGET.match(code):
        return None
    head = f"except{found.group(1)}({found.group(2)}):"
    return _Step(head + code[found.end() :], (3, 14), "except without parentheses")


def _lazy_import(code: str) -> _Step | None:
    """``lazy import x``: the word becomes another statement of the same length."""
    head = _LAZY.match(code)
    if head is None:
        return None
    return _Step("...;".ljust(head.end()) + code[head.end() :], (3, 15), "lazy imports")


def _unpacking_comprehension(code: str) -> _Step | None:
    """``[*x for x in y]`` becomes nothing: where it stands in the statement is not known."""
    if "*" not in code or " for " not in code or not _UNPACKING.search(complaint(code, "")):
        return None
    return _Step("pass", (3, 15), "unpacking in comprehensions", lost=True)


#: In this order: the earlier ones take away what would hide the later ones from the parser.
_REWRITES: tuple[Callable[[str], _Step | None], ...] = (
    _template_strings,
    _f_strings,
    _type_parameters,
    _type_alias,
    _unparenthesised_except,
    _lazy_import,
    _unpacking_comprehension,
)


def _blank(code: str) -> str:
    """Spaces and line breaks that take as many bytes of UTF-8 as the code does, since columns count these."""
    return re.sub(r"[^\n]+", lambda found: " " * len(found.group().encode("utf-8", "replace")), code)


def _literals(code: str) -> list[tuple[int, int]]:
    """The string literals of a statement: offset of the quote, and of the end."""
    found, position = [], 0
    literals = Literals(code)
    while token := _TOKEN.search(code, position):
        position = token.end()
        if token.group() == "#":
            newline = code.find("\n", position)
            position = newline if newline >= 0 else len(code)
        elif token.group() in "\"'":
            end = literals.end(token.start())
            if end is None:
                position = token.start() + len(opening(code, token.start()))
                continue
            found.append((token.start(), end))
            position = end
    return found
