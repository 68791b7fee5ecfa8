"""Text of other people made fit to print: control characters made visible, width counted in cells of a terminal.

Nothing read from a file reaches a terminal as a control sequence, and no character that the stream cannot encode is
counted with the wrong width.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import unicodedata
from pathlib import Path

TAB = 4
CUT = "..."

# Overrides of writing direction can make code read as what it is not; compilers show them too.
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@functools.lru_cache(maxsize=4096)
def glyph(character: str, encoding: str) -> tuple[str, int]:
    """What to print for one code point of a line of code, and the number of cells it takes."""
    if " " <= character <= "~":
        return character, 1
    if character == "\t":
        return " " * TAB, TAB
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp") or character in _BIDIRECTIONAL:
        return _encodable("\N{REPLACEMENT CHARACTER}", encoding), 1
    if category in ("Mn", "Me", "Cf"):
        kept = _encodable(character, encoding)
        return (kept, 0) if kept == character else ("", 0)
    shown = _encodable(character, encoding)
    wide = shown == character and unicodedata.east_asian_width(character) in "WF"
    return shown, 2 if wide else 1


def _encodable(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "?"
    return character


def cells(text: str, encoding: str = "utf-8") -> int:
    return sum(glyph(character, encoding)[1] for character in text)


def one_line(text: str) -> str:
    """A message or a name without anything that could move the cursor."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else " " if character.isspace() else ascii(character)[1:-1]
        for character in text
    )


def fitted(line: str, start: int, end: int, width: int, encoding: str) -> tuple[str, int, int]:
    """The part of ``line`` around the code points ``start`` to ``end`` that fits into ``width`` cells.

    With it, the cells within that part where the range begins and ends.
    """
    # A line of a generated file may be megabytes long: only what could be shown is looked at.
    first = max(0, start - width)
    glyphs = [glyph(character, encoding) for character in line[first : start + 2 * width]]
    offsets = list(itertools.accumulate((size for _, size in glyphs), initial=0))
    begin, stop = start - first, min(end - first, len(glyphs))
    left = 0
    if first or offsets[stop] > width - len(CUT):
        left = bisect.bisect_left(offsets, offsets[begin] - width // 4)
    lead = CUT if first + left else ""
    room = width - len(lead)
    tail = ""
    if first + len(glyphs) < len(line) or offsets[-1] - offsets[left] > room:
        tail = CUT
        room -= len(tail)
    right = bisect.bisect_right(offsets, offsets[left] + room) - 1
    text = lead + "".join(shown for shown, _ in glyphs[left:right]) + tail
    shift = len(lead) - offsets[left]
    return text, offsets[begin] + shift, offsets[max(begin, min(stop, right))] + shift


def shown_path(path: str) -> str:
    """``path`` as the user would type it: relative to the current directory where it lies below it."""
    try:
        here = Path.cwd()
    except OSError:  # it has been deleted
        return one_line(str(Path(path)))
    native = Path(path)
    return one_line(str(native.relative_to(here) if native.is_relative_to(here) else native))
