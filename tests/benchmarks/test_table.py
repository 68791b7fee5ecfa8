"""A measured table replaces the one before it and nothing else of the page."""

from __future__ import annotations

import re

import pytest

from benchmarks import table

PAGE = (
    "# Page\n\n<!-- measured: cold -->\nold\n<!-- end: cold -->\n\n<!-- measured: warm -->\nkept\n<!-- end: warm -->\n"
)


def test_only_the_named_table_is_replaced() -> None:
    page = table.replaced(PAGE, "cold", r"| \1 |")
    assert "\nold\n" not in page
    assert r"| \1 |" in page
    assert "<!-- measured: warm -->\nkept\n<!-- end: warm -->" in page
    assert table.replaced(page, "cold", "old") == PAGE


def test_a_page_without_the_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        table.replaced(PAGE, "memory", "new")


def test_the_performance_page_has_a_place_for_each_table() -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    begun = re.findall(r"<!-- measured: (\w+) -->", page)
    assert begun == re.findall(r"<!-- end: (\w+) -->", page)
    assert set(begun) == {"cold", "warm", "freshness", "latency", "memory", "growth", "scaling", "rivals"}
    for name in begun:
        assert f"python -m benchmarks.{name}" in page


def test_a_missed_bound_is_shown_as_missed() -> None:
    assert table.judged(2.6, 2.5)[-1] == "**no**"
    assert table.judged(2.5, 2.5)[-1] == "yes"
