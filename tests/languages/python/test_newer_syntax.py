"""Syntax of newer Pythons is rewritten so that every version reads what is left of it at its own place."""

from __future__ import annotations

import ast

import pytest

from mlsys_advise.languages.python.newer_syntax import rewritten

OLDEST = (3, 11)


@pytest.mark.parametrize(
    ("code", "word", "version", "read"),
    [
        ("type X = int", "type", (3, 12), "pass"),
        ("type X[T] = list[T]", "type", (3, 12), "pass"),
        ("def f[T](x: T):", "def", (3, 12), "def f   (x: T):"),
        ("async def f[T: (int, str), *A, **P](x):", "async def", (3, 12), "async def f" + " " * 24 + "(x):"),
        ("class A[T]:", "class", (3, 12), "class A   :"),
        ("class A[\n    T\n](B):", "class", (3, 12), "class A \\\n     \\\n (B):"),
        ("def f[T = int](x):", "def", (3, 13), "def f         (x):"),
        ("x = f'{d['a']}' + y", "x", (3, 12), "x = '''     ''' + y"),
        ("x = f'{d['é']}' + y", "x", (3, 12), "x = '''      ''' + y"),
        ("f(f'{'\\n'.join(a)}', b)", "f", (3, 12), "f('''" + " " * 11 + "''', b)"),
        ("x = t'{y}'", "x", (3, 14), "x = f'{y}'"),
        ("x = rt'{y}'", "x", (3, 14), "x = rf'{y}'"),
        ("except A, b.B:", "except", (3, 14), "except(A, b.B):"),
        ("except* A, B:", "except", (3, 14), "except*(A, B):"),
        ("lazy import x", "lazy", (3, 15), "...; import x"),
        ("lazy  from x import y", "lazy", (3, 15), "...;  from x import y"),
        ("x = [*a for a in b]", "x", (3, 15), "pass"),
        ("x = {**a for a in b}", "x", (3, 15), "pass"),
        ("def f[T](x=t'{f'{d['a']}'}'):", "def", (3, 14), None),
    ],
)
def test_what_came_later_is_taken_out(code: str, word: str, version: tuple[int, int], read: str | None) -> None:
    found = rewritten(code, word, OLDEST)
    assert found is not None
    assert found.version == version
    if read is not None:
        assert found.code == read


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("type X = ", "type"),
        ("type X", "type"),
        ("def f[T(x):", "def"),
        ("class A[T] B:", "class"),
        ("x = f'{d['a']' + y", "x"),
        ("x = t'{y'", "x"),
        ("except A, e:", "except"),
        ("except A, B", "except"),
        ("lazy imports are", "lazy"),
        ("x = [* for a in b]", "x"),
        ("x = y z", "x"),
    ],
)
def test_what_no_python_reads_stays_an_error(code: str, word: str) -> None:
    assert rewritten(code, word, OLDEST) is None


def test_what_the_running_python_knows_is_no_excuse() -> None:
    assert rewritten("type X = int", "type", (3, 12)) is None
    assert rewritten("def f[T](x) y:", "def", (3, 12)) is None


def test_what_is_left_keeps_its_columns() -> None:
    code = "x = f'{d['é']}' + tail"
    found = rewritten(code, "x", OLDEST)
    assert found is not None
    name = ast.parse(found.code).body[0].value.right  # type: ignore[attr-defined]
    assert code.encode()[name.col_offset : name.end_col_offset] == b"tail"
