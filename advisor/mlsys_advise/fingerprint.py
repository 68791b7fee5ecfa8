"""What makes a finding the same finding after an edit: its rule and the words of the code it flags.

A fingerprint holds neither path nor line nor layout, so moved lines, renamed files and reformatting leave it as it
is. Equal code in one file is told apart by its order; who needs fingerprints that differ between files adds the path.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from mlsys_advise.finding import Finding
from mlsys_advise.span import Span

#: The lines of a file, or of a cell (from 1) of a notebook: ``Sources.lines`` of the output is one.
Lines = Callable[[str, int], Sequence[str]]

_TOKEN = re.compile(
    r"""
      (?P<comment> (?: ^ | (?<= [\s()\[\],:;]) ) \#[^\n]* )
    | (?<!\w) (?P<prefix> [rbuftRBUFT]{0,2}) (?P<quote> \'\'\' | \"\"\" | ' | ")
      (?P<body> (?: \\. | (?! (?P=quote)) [^\\] )*+ ) (?: (?P=quote) | \\? \Z )
    | \w+
    | (?P<mark> [^\w\s] )
    """,
    re.VERBOSE | re.DOTALL,
)
#: What formatters add and take away: parentheses around an expression, line continuations, ends of statements.
_LAYOUT = frozenset("()\\;")
_CLOSING = frozenset(")]}")
_ESCAPED_QUOTE = re.compile(r"\\([\"'])")


def fingerprints(findings: Sequence[Finding], lines: Lines) -> list[str]:
    """One for each finding, in their order: ``DIGEST:N``, where N counts equal code in one file from 1.

    Total: a finding whose text is gone has the fingerprint of its rule alone.
    """
    in_order = sorted(range(len(findings)), key=lambda index: _position(findings[index]))
    result = [""] * len(findings)
    seen: Counter[tuple[str, str]] = Counter()
    for index in in_order:
        finding = findings[index]
        content = digest(finding.code, flagged(lines(finding.path, finding.span.cell), finding.span))
        seen[finding.path, content] += 1
        result[index] = f"{content}:{seen[finding.path, content]}"
    return result


def digest(code: str, text: str) -> str:
    """Sixteen hexadecimal digits of a rule's code and the words of a text."""
    state = hashlib.blake2b(code.encode(), digest_size=8)
    for word in words(text):
        state.update(b"\0" + word.encode("utf-8", "surrogatepass"))
    return state.hexdigest()


def words(text: str) -> Iterator[str]:
    """The text as its author meant it: without layout and comments, with one kind of quotes."""
    held = False
    for found in _TOKEN.finditer(text):
        mark = found["mark"]
        if found["comment"] or (mark in _LAYOUT and mark not in _CLOSING):
            continue
        if held and mark not in _CLOSING:
            yield ","
        held = mark == ","  # a comma before a closing bracket is layout, too
        if held or mark in _LAYOUT:
            continue
        if found["quote"]:
            body = _ESCAPED_QUOTE.sub(r"\1", found["body"])
            yield f'{found["prefix"].lower().replace("u", "")}"{body}"'
        else:
            word = found[0]
            yield word.lower() if word[0].isdigit() else word


def flagged(lines: Sequence[str], span: Span) -> str:
    """The text of a span; what lies beyond the lines is left out."""
    chosen = list(lines[max(span.line - 1, 0) : span.end_line])
    if chosen and span.end_line <= len(lines):
        chosen[-1] = chosen[-1][: max(span.end_column - 1, 0)]
    if chosen:
        chosen[0] = chosen[0][max(span.column - 1, 0) :]
    return "\n".join(chosen)


def _position(finding: Finding) -> tuple[str, int, Span, str]:
    """The order in a file; cells come before lines."""
    return finding.path, finding.span.cell, finding.span, finding.code
