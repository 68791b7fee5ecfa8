"""Excerpts of code: what is underlined is what was flagged, in any text and any width."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.output.excerpt import excerpt
from mlsys_advise.output.terminal import Style
from mlsys_advise.output.text import cells
from mlsys_advise.span import Span


def drawn(text: str, span: Span, width: int = 80, encoding: str = "utf-8") -> str:
    return "\n".join(excerpt(text.split("\n"), span, Style(width=width, encoding=encoding)))


def test_the_flagged_part_is_underlined_between_lines_of_context() -> None:
    code = "for batch in loader:\n    gc.collect()\n    step(batch)"
    assert drawn(code, Span(2, 5, 2, 17)) == (
        "  |\n1 | for batch in loader:\n2 |     gc.collect()\n  |     ^^^^^^^^^^^^\n3 |     step(batch)\n  |"
    )


def test_tabs_and_wide_and_combining_characters_keep_the_carets_below() -> None:
    code = "\tlog('\u6f22\u5b57', a\u0301); x.item()"
    assert drawn(code, Span(1, 17, 1, 25)) == (
        "  |\n"
        "1 |     log('\u6f22\u5b57', a\u0301); x.item()\n"
        "  | " + " " * 20 + "^^^^^^^^\n"
        "  |"
    )  # fmt: skip


def test_what_the_terminal_cannot_encode_is_replaced_by_as_many_cells() -> None:
    code = "log('\u6f22\u5b57'); x.item()"
    assert drawn(code, Span(1, 12, 1, 20), encoding="ascii") == (
        "  |\n"
        "1 | log('??'); x.item()\n"
        "  |            ^^^^^^^^\n"
        "  |"
    )  # fmt: skip


def test_a_statement_of_several_lines_is_held_together_by_its_margin() -> None:
    code = "x = 1\nloader = DataLoader(\n    data,\n    num_workers=4,\n)\n\ny = 2"
    assert drawn(code, Span(2, 1, 5, 2)) == (
        "  |\n1 |   x = 1\n2 | / loader = DataLoader(\n3 | |     data,\n4 | |     num_workers=4,\n5 | | )\n  | |_^\n  |"
    )


def test_a_range_that_starts_within_its_first_line_is_pointed_at() -> None:
    code = "loader = DataLoader(\n    data)"
    assert drawn(code, Span(1, 10, 2, 10)) == (
        "  |\n"
        "1 |   loader = DataLoader(\n"
        "  |  __________^\n"
        "2 | |     data)\n"
        "  | |_________^\n"
        "  |"
    )  # fmt: skip


def test_the_middle_of_a_long_statement_is_left_out() -> None:
    code = "\n".join(["call(", *(f"    argument_{n}," for n in range(40)), ")"])
    lines = drawn(code, Span(1, 1, 42, 2)).split("\n")
    assert lines[1:7] == [
        "  1 | / call(",
        "  2 | |     argument_0,",
        "  3 | |     argument_1,",
        "... | |",
        " 42 | | )",
        "    | |_^",
    ]


def test_a_long_line_is_cut_around_the_flagged_part() -> None:
    code = "x = [" + "1, " * 5_000 + "t.item(), " + "2, " * 5_000 + "]"
    start = code.index("t.item()") + 1
    lines = drawn(code, Span(1, start, 1, start + 8), width=60).split("\n")
    assert lines[1] == "1 | ..., 1, 1, 1, 1, t.item(), 2, 2, 2, 2, 2, 2, 2, 2, 2,..."
    assert lines[2] == "  | " + " " * 17 + "^^^^^^^^"


def test_control_sequences_in_code_never_reach_the_terminal() -> None:
    shown = drawn("x = '\x1b[2J\x07\u202e'\x0c", Span(1, 1, 1, 20))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)


def test_a_file_that_has_become_shorter_gives_no_excerpt() -> None:
    assert drawn("x = 1", Span(7, 1, 7, 2)) == ""


def test_an_empty_range_has_one_caret() -> None:
    assert drawn("x = 1", Span(1, 3, 1, 3)).split("\n")[2] == "  |   ^"


@given(
    st.lists(st.text(max_size=60), min_size=1, max_size=12),
    st.integers(1, 14),
    st.integers(-2, 80),
    st.integers(1, 14),
    st.integers(-2, 400),
    st.integers(40, 100),
)
def test_any_range_over_any_text_is_drawn_within_the_width(
    lines: list[str], line: int, column: int, end_line: int, end_column: int, width: int
) -> None:
    drawn_lines = excerpt(lines, Span(line, column, end_line, end_column), Style(width=width))
    assert all(cells(text) <= width for text in drawn_lines)
    assert all("\n" not in text and "\x1b" not in text for text in drawn_lines)
    if 1 <= line <= len(lines):
        assert any("^" in text for text in drawn_lines)
    else:
        assert drawn_lines == []
