"""Fingerprints: what changes them and what does not, on code that a formatter has rewritten."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.fingerprint import digest, fingerprints, flagged, words
from mlsys_advise.languages.source import Source
from mlsys_advise.span import Span
from tests.command.scripted import finding

UGLY = """\
loader = DataLoader( dataset,batch_size = 0X20, collate_fn = lambda b : (b), prefix=U'it\\'s', num_workers=4)
batch = model( images [ : , 0 ].to ('cuda' ),very_long_name_of_an_argument=1E3, another_quite_long_name_too = r'\\d' )
for name in ('a', 'b',):
    torch . save(model, name); gc.collect( )
total = total + \\
    loss.item()
"""


def of(texts: dict[str, str], *places: tuple[str, Span]) -> list[str]:
    def lines(path: str, cell: int) -> Sequence[str]:
        return texts.get(path, "").split("\n")

    findings = [msgspec.structs.replace(finding("x"), path=path, span=span) for path, span in places]
    return fingerprints(findings, lines)


def calls(text: str) -> list[str]:
    """The fingerprint of each call, in the order of the walk."""
    source = Source(text, "x.py")
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return of({"x.py": text}, *(("x.py", source.span_of(node)) for node in nodes))


def test_a_formatter_does_not_change_it(tmp_path: Path) -> None:
    for width in ("40", "88", "200"):
        command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", width, "-"]
        pretty = subprocess.run(command, input=UGLY, text=True, capture_output=True, check=True).stdout
        assert pretty != UGLY
        assert calls(pretty) == calls(UGLY)


def test_moved_lines_and_comments_do_not_change_it() -> None:
    before = "x = f(a,\n      b)\n"
    after = '"""Moved."""\n\n\ndef g():\n    x = f(  # here\n        a,  # first\n        b,\n    )\n'
    assert of({"p": before}, ("p", Span(1, 5, 2, 9))) == of({"q": after}, ("q", Span(5, 9, 8, 6)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(a)", "f(b)"),
        ("f(a, b)", "f(a)"),
        ("f(ab)", "f(a, b)"),
        ("f('a b')", "f('ab')"),
        ("f(' # x')", "f(' # y')"),
        ("f(b'x')", "f('x')"),
        ("a[i, j]", "a[i][j]"),
    ],
)
def test_other_code_has_another(one: str, other: str) -> None:
    assert digest("MLS401", one) != digest("MLS401", other)


def test_another_rule_at_the_same_place_has_another() -> None:
    assert digest("MLS401", "f(a)") != digest("MLS402", "f(a)")


def test_equal_code_in_one_file_is_counted_in_order_of_place() -> None:
    text = {"p": "gc.collect()\nx\ngc.collect()\n", "q": "gc.collect()"}
    first, second = Span(1, 1, 1, 13), Span(3, 1, 3, 13)
    later, earlier, other = of(text, ("p", second), ("p", first), ("q", first))
    assert (later[:-2], later[-2:], earlier[-2:]) == (earlier[:-2], ":2", ":1")
    assert other == earlier


def test_a_later_cell_comes_after_an_earlier_one() -> None:
    first, second = of(
        {"p": "gc.collect()\ngc.collect()"}, ("p", Span(2, 1, 2, 13, cell=1)), ("p", Span(1, 1, 1, 13, cell=2))
    )
    assert (first[-2:], second[-2:]) == (":1", ":2")


def test_comments_of_other_languages_are_left_out_and_their_words_are_kept() -> None:
    assert list(words("image: a#b  # pinned")) == ["image", ":", "a", "#", "b"]


@given(st.text(), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_any_span_of_any_text_has_one(text: str, line: int, column: int, end_line: int, end_column: int) -> None:
    lines = text.split("\n")
    assert digest("MLS401", flagged(lines, Span(line, column, end_line, end_column)))


def test_a_string_that_never_ends_takes_bounded_time() -> None:
    assert digest("MLS401", "'\\" * 100_000)
