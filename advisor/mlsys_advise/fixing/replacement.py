"""A change of text: what stands in a range is replaced. The common form in which all edits end."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Replacement(msgspec.Struct, frozen=True, order=True):
    """``content`` in place of the text from one position to another.

    Lines start at 1, columns at 0 and count code points; line ends are ``\\n``.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    content: str

    def meets(self, other: Replacement) -> bool:
        """Whether the two touch one line: what one of them has changed there the other does not know of."""
        return self.line <= other.end_line and other.line <= self.end_line

    def moved(self, lines: int) -> Replacement:
        """The same change where the text begins so many lines further down."""
        return Replacement(self.line + lines, self.column, self.end_line + lines, self.end_column, self.content)


def between(old: Sequence[str], new: Sequence[str], first: int) -> tuple[Replacement, ...]:
    """The least replacement that makes the lines ``new`` of the lines ``old``; ``first`` is the number of ``old[0]``.

    None where they are equal. Each side is whole lines without their ends.
    """
    if list(old) == list(new):
        return ()
    before, after = "\n".join(old), "\n".join(new)
    limit = min(len(before), len(after))
    head = next((at for at in range(limit) if before[at] != after[at]), limit)
    limit -= head
    tail = next((at for at in range(limit) if before[-1 - at] != after[-1 - at]), limit)
    line, column = _position(before, head, first)
    end_line, end_column = _position(before, len(before) - tail, first)
    return (Replacement(line, column, end_line, end_column, after[head : len(after) - tail]),)


def _position(text: str, offset: int, first: int) -> tuple[int, int]:
    return first + text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)


def applied(lines: Sequence[str], replacements: Sequence[Replacement]) -> list[str]:
    """The lines with all replacements made. They must not overlap."""
    text = list(lines)
    for change in sorted(replacements, reverse=True):
        head = text[change.line - 1][: change.column]
        tail = text[change.end_line - 1][change.end_column :]
        text[change.line - 1 : change.end_line] = f"{head}{change.content}{tail}".split("\n")
    return text
