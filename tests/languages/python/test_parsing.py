"""Text in any state gives a tree: what is broken is masked, and what is not stands where it stood."""

from __future__ import annotations

import ast
import sys
import textwrap
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlsys_advise.languages.python.masking import MaskedRange
from mlsys_advise.languages.python.parsing import Parsed, parse

#: Code as people write it, with most of what the grammar has.
CODE = '''\
"""Trains a model."""
from __future__ import annotations

import argparse, os
import torch
from torch import nn

LABELS = {
    "a": 1,  # (
    "b": [2, 3],
}


class Net(nn.Module):
    """A network.

    Args:
        width: of the layers
    """

    @torch.no_grad()
    def __init__(self, width: int = 8, *, deep=False) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(32, width),
            nn.ReLU(),
        )
        if deep:
            self.name = f"deep {width!r:>{width}} é"
        elif width > 4: self.name = 'wide'
        else:
            self.name = "it's"

    async def fetch(self, url):
        async with self.session.get(url) as response:
            return [await part async for part in response if part]


def train(model, loader, epochs=3):
    total = 0
    for epoch in range(epochs):
        try:
            for x, y in loader:
                loss = model(x) \\
                    + y
                loss.backward()
                total += loss.item()
        except (ValueError, RuntimeError) as error:
            print("failed", error)
            continue
        else:
            pass
        finally:
            torch.cuda.empty_cache()
    while total > 10: total -= 1
    match total:
        case 0 | 1:
            return None
        case {"a": x, **rest} if x:
            return rest
    return lambda z: z ** 2


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    with open("log.txt") as log, torch.inference_mode():
        log.write("""
started
""")
    train(Net(), [])
'''
LINES = CODE.split("\n")


def unparsed(text: str) -> str:
    return ast.unparse(parse(text).tree)


def masked_lines(found: Parsed) -> set[int]:
    return {line for lines in found.masked for line in range(lines.first, lines.last + 1)}


def assert_in_place(text: str, found: Parsed) -> None:
    """Every simple statement that is not masked is the one that stands in the text at its position."""
    masked = masked_lines(found)
    lines = [line.encode() for line in text.split("\n")]
    for node in ast.walk(found.tree):
        if not isinstance(node, ast.stmt) or hasattr(node, "body") or isinstance(node, ast.Pass | ast.Match):
            continue
        if node.lineno in masked:
            continue
        assert node.end_lineno is not None
        cut = lines[node.lineno - 1 : node.end_lineno]
        cut[-1] = cut[-1][: node.end_col_offset]
        cut[0] = cut[0][node.col_offset :]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (alone,) = ast.parse(b"\n".join(cut)).body
        assert ast.dump(alone) == ast.dump(node)


class TestValid:
    def test_is_parsed_as_by_ast(self) -> None:
        found = parse(CODE)
        assert ast.dump(found.tree, include_attributes=True) == ast.dump(ast.parse(CODE), include_attributes=True)
        assert (found.masked, found.notices) == ((), ())

    def test_await_outside_a_function_is_an_expression(self) -> None:
        assert not parse("await x\nasync for y in z: pass\n[await a for a in b]").masked

    def test_warnings_about_the_code_reach_nobody(self, capfd: pytest.CaptureFixture[str]) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parse("x = '\\d'\n1if x else 2\n")
            parse("x = '\\d'\n(\n")
        assert caught == []
        assert capfd.readouterr() == ("", "")

    def test_warnings_as_errors_break_no_code(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert not parse("x = '\\d'").masked

    def test_warnings_of_others_are_left_alone(self) -> None:
        parse("x = '\\d'")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parse("x = '\\d'")
            compile("x = '\\d'", "other.py", "exec")
            warnings.warn("mine", UserWarning, stacklevel=1)
        assert len(caught) == 2


class TestSmallestStatement:
    """What is masked, statement by statement."""

    @pytest.mark.parametrize(
        ("broken", "read"),
        [
            ("x = \ny", "pass\ny"),
            ("import \ny", "pass\ny"),
            ("from a import\ny", "pass\ny"),
            ("model.\ny", "pass\ny"),
            ("x = 'abc\ny", "pass\ny"),
            ("x: \ny", "pass\ny"),
            ("foo(a]\ny", "pass\ny"),
            ("x = f(a,\ny = 3\nz = g()", "pass\ny = 3\nz = g()"),
            ("x = f(a,\n      b\nz = g()", "pass\nz = g()"),
            ("def f():\n    x = g(\n    return 1\ny", "def f():\n    pass\n    return 1\ny"),
            ("x = {'a': 1,\n     'b' 2,\n     'c': 3}\ny", "pass\ny"),
            ("f(a)\n    b,\n    c)\ny", "f(a)\n(b,)\npass\ny"),
            ("a b; c\ny", "pass\ny"),
            ("x = ‘a’\ny", "pass\ny"),
            ("some prose that\nnobody can run\n\ny = 1", "pass\npass\ny = 1"),
        ],
    )
    def test_a_simple_statement(self, broken: str, read: str) -> None:
        assert unparsed(broken) == read

    @pytest.mark.parametrize(
        ("broken", "read"),
        [
            # Without its colon a header says all it has to say.
            ("if x\n    y", "if x:\n    y"),
            ("def f(a, b)\n    return a", "def f(a, b):\n    return a"),
            ("with torch.no_grad()\n    y", "with torch.no_grad():\n    y"),
            ("if x:\n    y\nelse\n    z", "if x:\n    y\nelse:\n    z"),
            # Otherwise its kind stays.
            ("if x = 3:\n    y\nelif z:\n    w\nelse:\n    v", "if _:\n    y\nelif z:\n    w\nelse:\n    v"),
            ("for x in\n    y\nelse:\n    z", "for _ in _:\n    y\nelse:\n    z"),
            ("while (x:\n    y", "while _:\n    y"),
            ("def f(\n    x = 1\n    return x", "def f(*_, **__):\n    x = 1\n    return x"),
            ("async def f(a b):\n    return a", "async def f(*_, **__):\n    return a"),
            ("class A(B C):\n    x = 1", "class A(_):\n    x = 1"),
            ("try:\n    a\nexcept X as:\n    b\nc", "try:\n    a\nexcept _:\n    b\nc"),
            ("try:\n    a\nexcept* X as:\n    b", "try:\n    a\nexcept* _:\n    b"),
            ("with open( as f:\n    y", "with _:\n    y"),
            ("@dec(\ndef f(x):\n    return x", "@_\ndef f(x):\n    return x"),
            (
                "match x:\n    case (1:\n        y\n    case 2:\n        z",
                "match x:\n    case _:\n        y\n    case 2:\n        z",
            ),
            # At the end of what was typed.
            ("def f(", "def f(*_, **__):\n    pass"),
            ("class A:\n    def f(self", "class A:\n\n    def f(*_, **__):\n        pass"),
            ("if x", "if x:\n    pass"),
        ],
    )
    def test_a_header_without_its_block(self, broken: str, read: str) -> None:
        assert unparsed(broken) == read

    @pytest.mark.parametrize(
        ("broken", "read"),
        [
            ("if x:  # why\ny", "if x:\n    pass\ny"),
            ("def f():\n\ndef g():\n    y", "def f():\n    pass\n\ndef g():\n    y"),
            ("if x:\n    y\nelse:\nz", "if x:\n    y\nelse:\n    pass\nz"),
            ("match x:\ny", "pass\ny"),
            ("else:\n    y\nz", "if _:\n    y\nz"),
            ("x\nelif y: z\nw", "x\npass\nw"),
            ("except X:\n    y", "if _:\n    y"),
            ("case 1:\n    y", "if _:\n    y"),
            ("try:\n    x\ny", "if _:\n    x\ny"),
            ("try: x\ny", "pass\ny"),
            ("try:\n    x\nelse:\n    y", "if _:\n    x\nelse:\n    y"),
            ("if x:\n    y\nz\nelse:\n    w", "if x:\n    y\nz\nif _:\n    w"),
            ("@dec\nx = 1", "pass\nx = 1"),
            ("class A:\n    @dec\nx", "class A:\n    pass\nx"),
            ("x\n    y\n    z\nw", "x\ny\nz\nw"),
            ("if a:\n        x\n    y\nz", "if a:\n    x\n    y\nz"),
            ("    x\ny", "x\ny"),
            (
                "class A:\n    def f(self):\n        a\n   def g(self):\n        b\n    def h(self):\n        c",
                "class A:\n\n    def f(self):\n        a\n\n    def g(self):\n        b\n\n    def h(self):\n        c",
            ),
            ("class A:\n\tx = 1\n        y = 2", "class A:\n    x = 1\n    y = 2"),
            ("match x:\n    case 1:\n        y\n    z", "if _:\n    if _:\n        y\n    z"),
        ],
    )
    def test_nesting_is_mended_at_the_price_of_nothing_but_headers(self, broken: str, read: str) -> None:
        assert unparsed(broken) == read

    def test_a_docstring_that_is_never_closed_swallows_only_its_lines(self) -> None:
        broken = textwrap.dedent(
            '''
            def f(x):
                """Says what.
                y = x + 1
                return y

            def g():
                """Says more."""
                return 2
            '''
        )
        assert "y = x + 1" in unparsed(broken)
        assert "Says more" in unparsed(broken)

    def test_a_docstring_at_the_end_of_what_was_typed_is_one_statement(self) -> None:
        assert unparsed('x = 1\ndef f():\n    """Says\n    what this and that do\n') == "x = 1\n\ndef f():\n    pass"

    def test_ranges_count_lines_from_one_and_include_the_last(self) -> None:
        found = parse("a\nx = {\n  1 2\n}\n\nb c\nd e\nf")
        assert found.masked == (MaskedRange(2, 4), MaskedRange(6, 7))

    def test_columns_are_those_of_the_text_where_indentation_changed(self) -> None:
        (x, y) = parse("x\n   y = 'é'; z").tree.body[:2]
        assert (x.col_offset, y.col_offset, y.end_col_offset) == (0, 3, 11)


class TestNotices:
    @pytest.mark.parametrize(
        ("text", "message", "line"),
        [
            ("x\ny = (\nz = 1", "syntax error: '(' was never closed; 1 statement skipped", 2),
            ("a b\n\nc d", "syntax error: invalid syntax; 2 statements skipped", 1),
            ("x\nif y\n    z", "syntax error: expected ':'", 2),
            ("x\n    y", "syntax error: unexpected indent", 2),
            ("print 'a'\nx = 1\nprint x, y", "is Python 2 code: 2 statements skipped", 0),
            ("try:\n    x\nexcept A, e:\n    y", "is Python 2 code: 1 statement skipped", 0),
            ("raise A, 'b'", "is Python 2 code: 1 statement skipped", 0),
        ],
    )
    def test_say_what_is_wrong_once(self, text: str, message: str, line: int) -> None:
        if "except A, e" in text and sys.version_info >= (3, 14):
            pytest.skip("valid since 3.14")
        (notice,) = parse(text, "a.py").notices
        assert (notice.path, notice.line) == ("a.py", line)
        assert notice.message == message

    def test_one_old_statement_hides_no_fault_of_another(self) -> None:
        said = [notice.message for notice in parse("def f(a b):\n    pass\nprint 'x'").notices]
        assert len(said) == 2
        assert said[0] == "is Python 2 code: 1 statement skipped"
        assert said[1].startswith("syntax error:")

    def test_what_is_broken_in_a_file_of_python_2_is_python_2(self) -> None:
        (notice,) = parse("print 'x'\nprint 'y'\nx = `z`").notices
        assert notice.message == "is Python 2 code: 3 statements skipped"

    @pytest.mark.parametrize(
        ("text", "version", "read"),
        [
            ("type X = int\ny", (3, 12), "pass\ny"),
            ("def f[T](x: T) -> T:\n    return x", (3, 12), "def f(x: T) -> T:\n    return x"),
            ("class A[T: int](B):\n    x = 1", (3, 12), "class A(B):\n    x = 1"),
            ("def f[T = int](x: T):\n    return x", (3, 13), "def f(x: T):\n    return x"),
            ("x = f'{d['a']}'\ny", (3, 12), None),
            ("try:\n    x\nexcept A, B:\n    y", (3, 14), "try:\n    x\nexcept (A, B):\n    y"),
            ("x = t'{y}'", (3, 14), None),
            ("lazy import x\ny", (3, 15), "...\nimport x\ny"),
            ("[*x for x in y]\nz", (3, 15), "pass\nz"),
        ],
    )
    def test_syntax_of_a_newer_python_is_no_error_of_the_author(
        self, text: str, version: tuple[int, int], read: str | None
    ) -> None:
        found = parse(text, "a.py")
        if sys.version_info >= version:
            assert found.notices == ()
            return
        (notice,) = found.notices
        assert f"needs Python {version[0]}.{version[1]}" in notice.message
        assert notice.line == 0
        if read is not None:
            assert ast.unparse(found.tree) == read

    def test_null_bytes_and_surrogates_are_not_code(self) -> None:
        assert "null bytes" in parse("x\0", "a.py").notices[0].message
        assert ast.unparse(parse("x = '\ud800'").tree) == "x = '\ufffd'"


DEEP = 5_000
TOO_DEEP = {
    "parentheses": "(" * DEEP + ")" * DEEP,
    "operands": "+".join(["a"] * DEEP),
    "elifs": "if a: pass\n" + "elif a: pass\n" * DEEP,
    "f-strings": "".join('f"{' if level % 2 else "f'{" for level in range(DEEP)),
    "f-strings of one quote": "f'{" * DEEP + "1" + "}'" * DEEP,
    "literal": "x = [" + "1, " * 30_000 + "]",
    "attributes": "a" + ".b" * DEEP,
    "calls": "a" + "()" * DEEP,
    "not": "not " * DEEP + "a",
    "powers": "a ** " * DEEP + "a",
    "lambdas": "lambda: " * DEEP + "a",
    "conditions": "a if b else " * DEEP + "c",
    "blocks": "".join(" " * level + "if a:\n" for level in range(1_000)),
    "unclosed brackets": "(\n" * DEEP,
    "unclosed calls": "f(\n" * DEEP + "def g(): pass",
    "stray brackets": ")\n" * DEEP,
    "brackets that do not match": "(" * DEEP + "]" * DEEP,
    "unclosed strings": "'\n" * DEEP,
    "unclosed docstrings": '"""\ndef f(): pass\n' * (DEEP // 10) + "'''\n",
    "unclosed f-strings": "f'''{" * DEEP,
    "decorators": "@a\n" * DEEP,
    "tries": "try:\n" * DEEP,
    "prose": "a b\n" * DEEP,
    "a number": "x = " + "9" * 100_000,
}


@pytest.mark.parametrize("inside", [False, True], ids=["module", "function"])
@pytest.mark.parametrize("name", TOO_DEEP)
def test_deep_or_hopeless_code_costs_a_notice_at_most(name: str, inside: bool) -> None:
    code = textwrap.indent(TOO_DEEP[name], "    ") if inside and name != "blocks" else TOO_DEEP[name]
    start = "before = 1\n" + ("def f():\n    pass\n" if inside else "")
    found = parse(f"{start}{code}\nafter = 1\n", "a.py")
    assert len(found.notices) <= 1
    assert ast.unparse(found.tree.body[0]) == "before = 1"
    # What never ends may swallow what follows; nothing else may.
    if not name.startswith("unclosed") or "brackets" in name or "calls" in name:
        assert ast.unparse(found.tree.body[-1]) == "after = 1"


def test_what_is_too_deep_costs_its_own_statement_alone() -> None:
    chain = "        if a: pass\n" + "        elif a: pass\n" * DEEP
    sums = "        deep = " + "-" * DEEP + "1\n"
    start, middle = "class A:\n    def f(self):\n        y = 2\n", "        z = 3\n    def g(self):\n"
    found = parse(f"{start}{chain}{middle}{sums}        return 4\n")
    kept = {node.lineno for node in ast.walk(found.tree) if isinstance(node, ast.Assign | ast.Return)}
    assert kept >= {3, DEEP + 5, DEEP + 8}
    assert masked_lines(found) <= {*range(4, DEEP + 5), DEEP + 7}


@given(st.integers(0, len(CODE)))
@example(0)
def test_any_prefix_of_real_code_gives_what_it_says(length: int) -> None:
    text = CODE[:length]
    found = parse(text)
    assert_in_place(text, found)
    whole_lines = text.count("\n")
    kept = {node.lineno for node in ast.walk(found.tree) if isinstance(node, ast.stmt)}
    for node in ast.walk(ast.parse(CODE)):
        if isinstance(node, ast.stmt) and not hasattr(node, "body") and (node.end_lineno or 0) <= whole_lines:
            assert node.lineno in kept


@given(st.integers(0, len(LINES) - 1), st.integers(1, 3))
def test_any_lines_may_be_missing(first: int, number: int) -> None:
    text = "\n".join(LINES[:first] + LINES[first + number :])
    found = parse(text)
    assert_in_place(text, found)
    lost = len(masked_lines(found) - {first, first + 1, first + 2})
    assert lost <= 12


@given(
    st.integers(0, len(CODE)), st.text(max_size=3) | st.sampled_from(['"""', "(", ")", "'", "def f(", ":", "\\", "\t"])
)
def test_anything_may_be_typed_anywhere(at: int, typed: str) -> None:
    text = (CODE[:at] + typed + CODE[at:]).replace("\r", "\n").replace("\0", "")
    assert_in_place(text, parse(text))


@given(st.integers(0, len(CODE)), st.integers(0, 200))
def test_anything_may_be_deleted(at: int, length: int) -> None:
    text = CODE[:at] + CODE[at + length :]
    assert_in_place(text, parse(text))


@given(st.text(alphabet="abif:=()[]{}'\"\\\n\t #@,.\f", max_size=60))
def test_no_text_raises(text: str) -> None:
    found = parse(text)
    assert isinstance(found.tree, ast.Module)
    assert_in_place(text, found)


@given(st.lists(st.sampled_from(LINES), max_size=12))
def test_lines_may_come_in_any_order(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert_in_place(text, parse(text))


class TestSections:
    def test_keep_what_is_broken_to_themselves(self) -> None:
        text = "a = 1\nx = '''\nb = 2\ny = '''z'''"
        found = parse(text, sections=(1, 2, 3))
        assert [ast.unparse(node) for node in found.tree.body] == ["a = 1", "pass", "b = 2", "y = 'z'"]
        assert found.masked == (MaskedRange(2, 2),)

    def test_count_lines_from_the_start_of_the_text(self) -> None:
        found = parse("a\nb\n\nc d\n   e", "a", sections=(1, 3))
        assert found.notices[0].line == 4
        assert [(node.lineno, node.col_offset) for node in found.tree.body] == [(1, 0), (2, 0), (4, 0), (5, 3)]


@pytest.mark.parametrize(
    "literal", [r'"\ud83d\ude00"', r"'\uDFFF'", r'"\U0000d800"', r'f"{x}\ud800"', r'("\ud800" if x)']
)
def test_strings_of_lone_surrogates_are_text(literal: str) -> None:
    """Escapes can make what no file can hold; a string of the tree can be written down all the same."""
    for node in ast.walk(parse(f"x = {literal}\ny = 'é'\n").tree):
        if isinstance(node, ast.Constant):
            str(node.value).encode()
