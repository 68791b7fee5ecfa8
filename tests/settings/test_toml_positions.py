"""Positions of keys and items: every path that the parser of the standard library knows has one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.settings.toml_positions import Path, positions

TEXT = """\
# a comment with "quotes
top = 1
[tool.mlsys-advise]
select = ["MLS4", 'MLS1',  # behind
  "MLS7"
]
"quoted key".'other' = { a = 1, b.c = [ { d = 2 }, 3 ] }
text = \"\"\"
not = "a key"
\"\"\"

[tool.mlsys-advise.rules.MLS4]
severity = "error"
[[array]]
x = 1
[[array]]
x = [[1, 2], []]
[array.inner]
y = 2
"""


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*at, key)
        yield from paths(inner, (*at, key))


def test_every_key_and_item_has_one() -> None:
    known = positions(TEXT)
    assert set(paths(tomllib.loads(TEXT))) == set(known)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("top",), (2, 1)),
        (("tool", "mlsys-advise"), (3, 7)),
        (("tool", "mlsys-advise", "select"), (4, 1)),
        (("tool", "mlsys-advise", "select", 1), (4, 19)),
        (("tool", "mlsys-advise", "select", 2), (5, 3)),
        (("tool", "mlsys-advise", "quoted key", "other", "b", "c", 0, "d"), (7, 43)),
        (("tool", "mlsys-advise", "rules", "MLS4", "severity"), (13, 1)),
        (("array", 1, "x"), (17, 1)),
        (("array", 1, "inner", "y"), (19, 1)),
    ],
)
def test_it_is_where_the_key_or_item_begins(path: Path, where: tuple[int, int]) -> None:
    assert positions(TEXT)[path] == where


_KEYS = st.text("ab-_", min_size=1, max_size=3)
_VALUES = st.recursive(
    st.integers(0, 9).map(str) | st.sampled_from(['"x"', "'''\n#'''", '"\\""', "1.5", "true", "1979-05-27"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}\n]")
        | st.dictionaries(_KEYS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_any_valid_table(table: dict[str, str]) -> None:
    text = "".join(f"{key} = {value}  # {value[:1]}\n" for key, value in table.items())
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a string over several lines within an inline table
    assert set(paths(content)) == set(positions(text))


@given(st.text(alphabet="ab=[]{}.,\"'\n# \\", max_size=60))
def test_any_text_ends(text: str) -> None:
    positions(text)
