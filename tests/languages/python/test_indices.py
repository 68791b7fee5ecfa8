"""What chains of subscripts take out of arrays, and how an index follows a loop."""

from __future__ import annotations

import ast

import pytest

from mlsys_advise.languages.python import indices
from tests.languages.python.code import here, innermost


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def subscript(text: str) -> ast.Subscript:
    node = expression(text)
    assert isinstance(node, ast.Subscript)
    return node


@pytest.mark.parametrize(
    ("text", "base", "parts"),
    [
        ("x[i]", "x", ["i"]),
        ("x[i, 0]", "x", ["i", "0"]),
        ("x[0][i + 1]", "x", ["0", "i + 1"]),
        ("x[:, 0][i]", "x[:, 0]", ["i"]),
        ("d['scores'][i]", "d['scores']", ["i"]),
        ("self.x[i][j]", "self.x", ["i", "j"]),
        ("x[mask > 0][i]", "x[mask > 0]", ["i"]),
    ],
)
def test_a_chain_is_one_access_as_long_as_it_takes_elements(text: str, base: str, parts: list[str]) -> None:
    chain = indices.access(subscript(text))
    assert (ast.unparse(chain.base), [ast.unparse(part) for part in chain.parts]) == (base, parts)


@pytest.mark.parametrize(
    ("part", "sort"),
    [
        ("x[i]", indices.SCALAR),
        ("x[-1]", indices.SCALAR),
        ("x[i + 2 * j]", indices.SCALAR),
        ("x[a:b]", indices.SLICE),
        ("x[...]", indices.ELLIPSIS),
        ("x[None]", indices.NEW_AXIS),
        ("x[labels == k]", indices.MASK),
        ("x[~keep]", indices.MASK),
        ("x[a & b]", indices.MASK),
        ("x[[0, 2]]", indices.ARRAY),
        ("x['name']", indices.KEY),
        ("x[f'{i}']", indices.KEY),
        ("x[True]", indices.KEY),
    ],
)
def test_sorts_of_parts(part: str, sort: str) -> None:
    assert indices.sort(subscript(part).slice) == sort


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("x", "x"),
        ("self.a.b", "self.a.b"),
        ("out['s']", "out['s']"),
        ("x[i]", None),
        ("f(x)", None),
        ("self.d['k'].v", "self.d['k'].v"),
    ],
)
def test_keys_name_places(text: str, key: str | None) -> None:
    assert indices.key(expression(text)) == key


def parts_of_body(body: str) -> dict[str, str]:
    """For each index in a loop over ``v``: whether it is the variable, is shifted, depends on it, or stays."""
    document = here(f"""
def f(x, y, n, c):
    for v in range(n):
        {body}
""")
    loop = innermost(document)
    found = {}
    for node in document.bodies.nodes(loop):
        if isinstance(node, ast.Subscript):
            for part in indices.parts_of(node.slice):
                shift = indices.shifted(part, loop, document.module)
                moves = indices.depends(part, loop, document.module)
                found[ast.unparse(part)] = (
                    "v" if shift == 0 else "shifted" if shift is not None else "depends" if moves else "stays"
                )
    return found


def test_how_an_index_follows_the_loop() -> None:
    assert parts_of_body("z = x[v, v + c, c - v, -1 - v, y[v], v * 2, c, :v]") == {
        "v": "v",
        "v + c": "shifted",
        "c - v": "shifted",
        "-1 - v": "shifted",
        "y[v]": "depends",
        "v * 2": "depends",
        "c": "stays",
        ":v": "depends",
    }


def test_a_name_assigned_from_the_variable_depends_on_the_loop() -> None:
    assert parts_of_body("w = v // 2; z = x[w]") == {"w": "depends"}
    assert parts_of_body("w = c // 2; z = x[w]") == {"w": "stays"}


@pytest.mark.parametrize(
    ("index", "axis"),
    [
        (":, v", 1),
        ("..., v", 1),
        (":, :, v, :", 2),
        ("v, :", None),
        ("0, :, v + 1", 2),
        ("v", None),
        (":, y[v]", None),
        (":, None, v", 2),
    ],
)
def test_the_walked_axis_lies_behind_a_slice(index: str, axis: int | None) -> None:
    document = here(f"""
def f(x, y, n):
    for v in range(n):
        z = x[{index}]
""")
    loop = innermost(document)
    (node,) = [n for n in document.bodies.nodes(loop) if isinstance(n, ast.Subscript) and ast.unparse(n.value) == "x"]
    assert indices.walked_axis(tuple(indices.parts_of(node.slice)), loop, document.module) == axis
