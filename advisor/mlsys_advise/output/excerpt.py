"""A piece of code with the flagged part underlined.

Total: any span over any lines gives an excerpt, perhaps an empty one; no line is wider than asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlsys_advise.output.terminal import Style
from mlsys_advise.output.text import CUT, fitted
from mlsys_advise.span import Span

_LONGEST = 6  # lines of a flagged statement that are shown whole
_HEAD = 3  # lines shown of a longer one, before its last


def number_width(lines: Sequence[str], span: Span) -> int:
    """Columns that the line numbers of the excerpt take; what follows is aligned with them."""
    last = min(span.end_line, len(lines))
    digits = len(str(max(1, min(last + 1, len(lines)))))
    return max(digits, len(CUT)) if last - span.line >= _LONGEST else digits


def excerpt(lines: Sequence[str], span: Span, style: Style, role: str = "error") -> list[str]:
    """Rendered lines: a line of context, the flagged ones with carets in the colour of ``role``, a line of context."""
    if not 1 <= span.line <= len(lines):
        return []
    digits = number_width(lines, span)
    bar = style.paint("gutter", "|")
    several = min(span.end_line, len(lines)) > span.line
    margin = "  " if several else ""
    width = style.width - digits - len(" | ") - len(margin)

    def numbered(number: int, mark: str = "") -> str:
        text, _, _ = fitted(lines[number - 1], 0, 0, width, style.encoding)
        return f"{style.paint('gutter', str(number).rjust(digits))} {bar} {mark or margin}{text}".rstrip()

    body = _several(lines, span, style, width, role) if several else _single(lines, span, style, width, role)
    result = [f"{' ' * digits} {bar}"]
    if span.line > 1 and lines[span.line - 2].strip():
        result.append(numbered(span.line - 1))
    result += [f"{style.paint('gutter', label.rjust(digits))} {bar} {text}".rstrip() for label, text in body]
    last = min(span.end_line, len(lines))
    if last < len(lines) and lines[last].strip():
        result.append(numbered(last + 1))
    result.append(f"{' ' * digits} {bar}")
    return result


def _single(lines: Sequence[str], span: Span, style: Style, width: int, role: str) -> list[tuple[str, str]]:
    line = lines[span.line - 1]
    start = min(max(span.column - 1, 0), len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line)
    text, begin, stop = fitted(line, start, max(start, end), width, style.encoding)
    begin = min(begin, width - 1)  # the end of a line that fills the width
    carets = style.paint(role, "^" * max(1, stop - begin))
    return [(str(span.line), text), ("", " " * begin + carets)]


def _several(lines: Sequence[str], span: Span, style: Style, width: int, role: str) -> list[tuple[str, str]]:
    """A statement over several lines, held together by a line in the margin."""
    last = min(span.end_line, len(lines))
    numbers = list(range(span.line, last + 1))
    if len(numbers) > _LONGEST:
        numbers = [*numbers[:_HEAD], 0, last]
    rule = style.paint(role, "|")
    body: list[tuple[str, str]] = []
    for number in numbers:
        if number == 0:
            body.append((CUT, rule))
            continue
        line = lines[number - 1]
        text, begin, _ = fitted(line, 0, 0, width, style.encoding)
        if number != span.line:
            body.append((str(number), f"{rule} {text}"))
            continue
        start = min(max(span.column - 1, 0), len(line))
        if not line[:start].strip():
            body.append((str(number), f"{style.paint('error', '/')} {text}"))
            continue
        text, begin, _ = fitted(line, start, start + 1, width, style.encoding)
        body.append((str(number), f"  {text}"))
        body.append(("", " " + style.paint(role, "_" * (begin + 1) + "^")))
    line = lines[last - 1]
    end = min(span.end_column - 1, len(line)) if last == span.end_line else len(line)
    _, _, stop = fitted(line, 0, max(end, 1), width, style.encoding)
    body.append(("", style.paint(role, "|" + "_" * max(stop, 1) + "^")))
    return body
