"""String literals end where Python 3.12 says they end, whichever Python runs."""

from __future__ import annotations

import io
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.languages.python.string_literals import Literals, interpolation, prefix_of


def literal(text: str) -> str | None:
    """The first literal of the text with its prefix, up to where it ends."""
    quote = min(at for at in (text.find("'"), text.find('"')) if at >= 0)
    end = Literals(text).end(quote)
    return None if end is None else text[quote - len(prefix_of(text, quote)) : end]


@pytest.mark.parametrize(
    "whole",
    [
        "'a'",
        "''",
        '"it\'s"',
        r"'a\'b'",
        r"r'\''",
        "'a\\\nb'",
        "'''a'b''c\n'''",
        '"""\n"\n"" """',
        "b'x'",
        "f'{a}'",
        "f'{{a'",
        'f"{d["a"]}"',
        'f"{f"{f"{1}"}"}"',
        "f'{a:{b}}' ",
        "f'{x!r:>{width}}'",
        'f"{a:{"b"}}"',
        'f"{d[\n"a"]}"',
        "f'''{\nx\n}'''",
        r'rf"{x["\\"]}"',
        't"{x["a"]}"',
        "f'{ {1: 2}[1] }'",
        "f'{(lambda x: x)(1)}'",
        "f'{x # c}\n}'",
    ],
)
def test_a_literal_ends_at_its_own_quote(whole: str) -> None:
    whole = whole.rstrip(" ")
    assert literal(f"{whole} + 'next' + {{}}") == whole


@pytest.mark.parametrize("open_end", ["'a", "'a\n'", '"""a""', "f'{a", "f'''{x", "'a\\'"])
def test_what_is_never_closed_has_no_end(open_end: str) -> None:
    assert literal(open_end) is None


@pytest.mark.parametrize(
    ("text", "modern"),
    [
        ("f'{a}'", False),
        ("f'{a[\"b\"]}'", False),
        ("f'''{a['b']}'''", False),
        ("f'''{\na}'''", False),
        ('f"{a["b"]}"', True),
        ("f'{\"\\n\".join(a)}'", False),
        ("f'{a + \\\n b}'", True),
        ("f'''{a # c\n}'''", True),
        ("f'{\na}'", True),
        ("f'{f\"{a['b']}\"}'", True),
    ],
)
def test_says_what_only_newer_grammars_read(text: str, modern: bool) -> None:
    found = interpolation(text, 1)
    assert found is not None
    assert (found.end, found.modern) == (len(text), modern)


PREFIXES = {"f''": "f", "Rb''": "rb", "xf''": "", "x = F''": "f", "é_b''": ""}


@pytest.mark.parametrize(("text", "prefix"), PREFIXES.items())
def test_a_prefix_is_no_end_of_a_name(text: str, prefix: str) -> None:
    assert prefix_of(text, text.index("'")) == prefix


@given(st.lists(st.sampled_from(["'", '"', "\\", "a", "'''", '"""', "\n", "{", "}", " "]), max_size=12).map("".join))
def test_agrees_with_the_tokenizer(body: str) -> None:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(body).readline))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return
    strings = [token.string for token in tokens if token.type == tokenize.STRING]
    if strings and not any(token.type == tokenize.ERRORTOKEN for token in tokens):
        assert literal(body) == strings[0]


def test_text_that_does_not_close_is_not_read_again_and_again() -> None:
    text = "f'''{'''\n" * 20_000
    literals = Literals(text)
    ends = [literals.end(at + 1) for at in range(0, len(text), 9)]
    assert ends[-1] == len(text) - 1
