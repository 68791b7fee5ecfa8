"""Order of evaluation of expressions, statements and blocks."""

from __future__ import annotations

import ast
import textwrap

import pytest

from mlsys_advise.languages.python.evaluation import between, expressions


def calls(node: ast.AST) -> list[str]:
    """The names of the functions that a node calls, in order."""
    return [
        part.func.id for part in expressions(node) if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
    ]


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("f(g(), k=h())", "g h f"),
        ("f'{a()} {b()}'", "a b"),
        ("a() + b() * c()", "a b c"),
        ("x[a()] = b()", "b a"),
        ("x[a()] += b()", "a b"),
        ("y = a() if b() else c()", "b a c"),
        ("{a(): b(), c(): d()}", "a b c d"),
        ("[f(x) for x in g() if h()]", "g h f"),
        ("{f(x): e() for x in g()}", "g f e"),
        ("for f()[0] in g(): h()", "g f h"),
        ("with a() as x, b(): c()", "a b c"),
        ("while a(): b()", "a b"),
        ("assert a(), b()", "a b"),
        ("f(lambda: g())", "f"),
        ("f(lambda x=g(): h())", "g f"),
        ("(y := a()) + b()", "a b"),
        ("a() < b() < c()", "a b c"),
    ],
)
def test_order(code: str, order: str) -> None:
    assert calls(ast.parse(code)) == order.split()


def test_bodies_of_functions_do_not_run_where_they_are_written_but_defaults_and_decorators_do() -> None:
    tree = ast.parse(
        textwrap.dedent(
            """
            @a()
            def f(x=b()):
                c()
            class K(d()):
                e()
            """
        )
    )
    assert calls(tree) == ["a", "b", "d", "e"]


def test_each_expression_comes_once() -> None:
    tree = ast.parse("a = f(b.c, *d, **e)[g:h]\nfor i in j: k(-l)\n")
    found = list(expressions(tree))
    assert len(found) == len({id(part) for part in found})
    assert {id(part) for part in found} == {id(part) for part in ast.walk(tree) if isinstance(part, ast.expr)}


def test_a_deep_expression_is_walked_without_recursion() -> None:
    tree: ast.expr = ast.Name("x", ast.Load())
    for _ in range(20_000):
        tree = ast.UnaryOp(ast.USub(), tree)
    assert sum(1 for _ in expressions(tree)) == 20_001


def test_between_begins_behind_the_first_and_ends_before_the_last() -> None:
    tree = ast.parse("t = now()\na()\nprint(b(), now() - t, c())\n")
    found = {
        part.func.id: part
        for part in expressions(tree)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
    }
    first = next(part for part in expressions(tree) if isinstance(part, ast.Call))
    inside = between(first, found["now"], tree.body)
    names = [part.func.id for part in inside if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)]
    assert names == ["a", "b"]
