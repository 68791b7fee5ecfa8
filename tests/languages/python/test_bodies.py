"""What a pass of a loop does: weight, what it carries, changes and hands over."""

from __future__ import annotations

import ast

import pytest

from mlsys_advise.here import Here
from mlsys_advise.languages.python.bodies import HEAVY, LIGHT, SCALAR, UNKNOWN
from mlsys_advise.languages.python.scopes import Loop
from tests.languages.python.code import here, innermost


def loop_with(body: str, before: str = "") -> tuple[Here, Loop]:
    """The loop with this body, in a function of a tensor ``x``, an array ``a``, a list ``items`` and others."""
    indented = "\n".join(f"        {line}" for line in body.splitlines())
    setup = "".join(f"    {line}\n" for line in before.splitlines())
    document = here(
        "import math\nimport numpy as np\nimport torch\n\n"
        "def f(self, x: torch.Tensor, a: np.ndarray, items: list, other, n: int):\n"
        "    flat = x.flatten()\n    table = np.zeros((n, n))\n    total = 0.0\n"
        f"{setup}    for i in range(n):\n{indented}\n    return total\n"
    )
    return document, innermost(document)


@pytest.mark.parametrize(
    ("body", "weight"),
    [
        ("total += flat[i]", SCALAR),
        ("if flat[i] > 0:\n    total = i\n    break", SCALAR),
        ("table[i, 0] = math.sqrt(x[i]) + items[i]", SCALAR),
        ("total += flat[i].long() + max(i, 2)", SCALAR),
        ("if x[i] > 0:\n    total += 1", SCALAR),
        ("items.append(flat[i])", SCALAR),
        ("table[i, 0] = np.sqrt(table[i, 1])", SCALAR),
        ("total += x[i] * 2", LIGHT),  # may be rows
        ("total = total + x", LIGHT),
        ("if flat[i] > 0:\n    y = x[:, i].sum()\n    break", SCALAR),  # once
        ("if flat[i] > 0:\n    y = x[:, i].sum()", LIGHT),
        ("if flat[i] > 0:\n    other(x)\n    return x", SCALAR),
        ("total += x[:, i].sum()", LIGHT),
        ("y = x[:, i]", LIGHT),
        ("y = items[1:]", SCALAR),
        ("y = np.exp(a)", LIGHT),
        ("y = x @ x", HEAVY),
        ("y = torch.matmul(x, x)", HEAVY),
        ("y = other(flat[i])", UNKNOWN),
        ("print(flat[i])", UNKNOWN),
        ("y = f'{flat[i]}'", UNKNOWN),
        ("y = '%s' % flat[i]", UNKNOWN),
        ("with other:\n    total += flat[i]", UNKNOWN),
    ],
)
def test_weight(body: str, weight: str) -> None:
    document, loop = loop_with(body)
    assert document.bodies.weight(loop) == weight


def test_a_store_into_one_element_makes_its_sources_numbers() -> None:
    document, loop = loop_with("y = x[i] * 2\ntable[i, 0] = y")
    assert document.bodies.weight(loop) == SCALAR
    assert not document.bodies.assumed(loop)


def test_a_store_into_an_array_of_unknown_rank_is_assumed_to_be_into_one_element() -> None:
    document, loop = loop_with("a[i] = x[i] * 2")
    assert document.bodies.weight(loop) == SCALAR
    assert [ast.unparse(chain.node) for chain in document.bodies.assumed(loop)] == ["a[i]"]


def test_straight_bodies_do_the_same_in_every_pass() -> None:
    for body, straight in (("total += i", True), ("if i:\n    total += i", False), ("items.append(i)", True)):
        document, loop = loop_with(body)
        assert document.bodies.straight(loop) is straight


def test_work_on_values() -> None:
    for body, works in (
        ("items.append(x[:, i])", False),
        ("items.append(x[:, i] * 2)", True),
        ("y = x[:, i]\nitems.append(y.mean())", True),
        ("w = i / n\nitems.append(x[:, i])", False),
        ("x[:, i] *= 2", True),
    ):
        document, loop = loop_with(body)
        slices: set[ast.AST] = {
            node
            for node in document.bodies.nodes(loop)
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "x"
        }
        assert document.bodies.works_on(loop, slices) is works, body


@pytest.mark.parametrize(
    ("body", "carried"),
    [
        ("total += x[:, i]", []),
        ("total = total + x[:, i]", []),
        ("total = np.maximum(total, x[:, i])", []),
        ("total *= 2", []),
        ("total = 2 * total + x[:, i]", ["total"]),
        ("total += 1\nitems.append(total)", ["total"]),
        ("y = x[:, i]\ntotal += y", []),
    ],
)
def test_what_is_carried_from_pass_to_pass(body: str, carried: list[str]) -> None:
    document, loop = loop_with(body)
    assert document.bodies.carried(loop) == carried


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ("x[i] = 0", {"i", "x"}),
        ("x[0].data[1] = 0", {"i", "x"}),
        ("x.add_(1)", {"i", "x"}),
        ("a.sort()", {"i", "a"}),
        ("self.table[i] = 0", {"i", "self.table"}),
        ("self.table = 0", {"i", "self.table"}),
        ("torch.add(x, 1, out=a)", {"i", "a"}),
        ("x = x + 1", {"i", "x"}),
        ("y = x.add(1)", {"i", "y"}),
        ("other['k'][i] = 1", {"i", "other['k']"}),
    ],
)
def test_what_a_pass_changes(body: str, changed: set[str]) -> None:
    document, loop = loop_with(body)
    assert document.bodies.changed(loop) >= changed
    assert "total" not in document.bodies.changed(loop)


def test_what_is_handed_over_whole() -> None:
    document, loop = loop_with("other(x)\nother(1, x[1:])\nother(x[i])\nother(key=x)\nother(x.shape)")
    found = [(handing.position, handing.keyword) for handing in document.bodies.handed(loop, "x")]
    assert found == [(0, ""), (1, ""), (-1, "key")]


def test_exits_and_inner_loops() -> None:
    document, loop = loop_with("if i:\n    return 1")
    assert document.bodies.exits(loop)
    document, loop = loop_with("for j in range(n):\n    total += flat[j]")
    assert loop.parent >= 0
    assert not document.bodies.exits(loop)
    assert [around.index for around in document.bodies.nest(loop)] == [loop.index, loop.parent]


@pytest.mark.parametrize(
    ("iterable", "trips"),
    [
        ("range(4)", 4),
        ("range(1, 10, 3)", 3),
        ("range(9, 0, -1)", 9),
        ("tqdm(range(4))", 4),
        ("enumerate([1, 2, 3])", 3),
        ("range(k * 2 + 1)", 17),
        ("range(len(w))", 3),
        ("range(w.shape[0])", 3),
        ("enumerate(TABLE)", 2),
        ("REPLACED", None),
        ("range(n)", None),
        ("[*items]", None),
        ("items", None),
    ],
)
def test_literal_trips(iterable: str, trips: int | None) -> None:
    document = here(f"""
        import torch
        from tqdm import tqdm

        TABLE = (("a", 1), ("b", 2))
        REPLACED = [1]
        REPLACED = [1, 2]

        def f(n, items):
            k = 8
            w = torch.ones(3)
            for i in {iterable}:
                pass
    """)
    assert document.trips(innermost(document)) == trips


@pytest.mark.parametrize(
    ("body", "launched"),
    [
        ("x[i].sum()", True),
        ("torch.topk(x[i], 3)", True),
        ("other[i, :3].mean()", True),
        ("other[i].mean()", False),
        ("items.append(x[i])", False),
        ("torch.randint(0, 9, (3,), device=x.device)", True),
        ("torch.randint(0, 9, (3,))", False),
        ("torch.zeros(3)", False),
    ],
)
def test_launches(body: str, launched: bool) -> None:
    document, loop = loop_with(body)
    assert document.bodies.launches(loop) == launched
