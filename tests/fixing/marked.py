"""Texts with marks: what stands between ⟦ and ⟧ is a span that an edit names."""

from __future__ import annotations

import re

from mlsys_advise.edit import Edit, Fix
from mlsys_advise.fixing.fixable import Fixable
from mlsys_advise.span import Span

_MARK = re.compile("[⟦⟧]")


def spans(marked: str) -> tuple[str, list[Span]]:
    """The text without the marks, and the spans in the order in which they open."""
    text, opened, found = "", [], []
    for piece in re.split("([⟦⟧])", marked):
        position = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
        if piece == "⟦":
            opened.append(len(found))
            found.append((*position, 0, 0))
        elif piece == "⟧":
            index = opened.pop()
            found[index] = (*found[index][:2], *position)
        else:
            text += piece
    return text, [Span(*at) for at in found]


def fixed(text: str, *edits: Edit) -> str:
    """The text after a fix of these edits. Raises Refusal as fixes do."""
    file = Fixable(text.encode(), "example.py")
    return file.with_changes(file.replacements(Fix("change it", "safe", edits))).decode()
