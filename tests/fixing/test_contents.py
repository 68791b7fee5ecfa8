"""What a fix does not change stays as it was, byte for byte: encodings, line ends, the layout of a notebook."""

from __future__ import annotations

import json

import pytest

from mlsys_advise.edit import AddImport, Fix, RemoveStatement, SetKeyword
from mlsys_advise.fixing import diff
from mlsys_advise.fixing.fixable import Fixable
from mlsys_advise.fixing.refusal import Refusal
from mlsys_advise.span import Span
from tests.fixing.marked import spans

TEXT, (CALL,) = spans("# é\n\nx = ⟦f(\n    a,\n)⟧  # ü\ny = 'ß'\n")
AFTER = TEXT.replace("    a,\n", "    a,\n    pin=True,\n")
FIX = Fix("pin", "safe", (SetKeyword(CALL, "pin", "True"),))


def fixed(data: bytes, fix: Fix = FIX, path: str = "a.py") -> bytes:
    file = Fixable(data, path)
    return file.with_changes(file.replacements(fix))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_marks_stay(end: str, mark: bytes) -> None:
    data = mark + TEXT.replace("\n", end).encode()
    assert fixed(data) == mark + AFTER.replace("\n", end).encode()


def test_mixed_line_ends_stay_each_where_it_is() -> None:
    data = TEXT.replace("\n", "\r\n").replace("a,\r\n", "a,\n").encode()
    assert fixed(data) == AFTER.replace("\n", "\r\n").replace("a,\r\n", "a,\n").encode()


def test_a_file_without_a_last_line_end_gets_none() -> None:
    text, (call,) = spans("x = ⟦f(a)⟧")
    assert fixed(text.encode(), Fix("m", "safe", (SetKeyword(call, "pin", "True"),))) == b"x = f(a, pin=True)"


def test_the_declared_encoding_stays() -> None:
    cookie = "# -*- coding: latin-1 -*-\n"
    text, (call,) = spans("x = ⟦f('é')⟧  # ü\n")
    at = Span(call.line + 1, call.column, call.end_line + 1, call.end_column)
    after = fixed((cookie + text).encode("latin-1"), Fix("m", "safe", (SetKeyword(at, "pin", "True"),)))
    assert after == (cookie + "x = f('é', pin=True)  # ü\n").encode("latin-1")
    with pytest.raises(Refusal, match="encoded in iso8859-1"):
        fixed((cookie + text).encode("latin-1"), Fix("m", "safe", (SetKeyword(at, "pin", "'€'"),)))


CELLS = [
    {"cell_type": "markdown", "source": ["# Über\n", "text"]},
    {"cell_type": "code", "source": ["import torch\n", "%matplotlib inline\n"], "outputs": [{"data": 1e400}]},
    {"cell_type": "code", "source": ["!pip list\n", "for b in c:\n", "    d(b)  # é\n", "    gc.collect()"]},
    {"cell_type": "code", "source": "x = f(a)\ny = 1"},
]


def notebook(indent: int | None, ascii_only: bool) -> bytes:
    content = {"cells": CELLS, "metadata": {"z": 1, "a": [1.10, -0.0]}, "nbformat": 4}
    return json.dumps(content, indent=indent, ensure_ascii=ascii_only).encode() + b"\n"


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_notebook_changes_in_its_cell_alone(indent: int | None, ascii_only: bool) -> None:
    data = notebook(indent, ascii_only)
    remove = RemoveStatement(Span(4, 5, 4, 17, 3))
    after = fixed(data, Fix("m", "safe", (remove,)), "a.ipynb")
    read = json.loads(after)
    assert "".join(read["cells"][2]["source"]) == "!pip list\nfor b in c:\n    d(b)  # é"
    line = next(line for line in data.splitlines(keepends=True) if b"gc.collect" in line)
    if indent is not None:
        kept = [each for each in data.splitlines(keepends=True) if each is not line]
        changed = [each for each in after.splitlines(keepends=True) if each not in kept]
        assert len(after.splitlines()) == len(data.splitlines()) - 1
        assert len(changed) == 1  # the line above it, which is now the last


@pytest.mark.parametrize("indent", [None, 1])
def test_a_cell_that_is_one_string_stays_one(indent: int | None) -> None:
    data = notebook(indent, True)
    edit = SetKeyword(Span(1, 5, 1, 9, 4), "pin", "True")
    after = fixed(data, Fix("m", "safe", (edit,)), "a.ipynb")
    assert after == data.replace(b"x = f(a)", b"x = f(a, pin=True)")


def test_an_import_goes_into_the_cell_that_imports() -> None:
    data = notebook(1, True)
    edits = SetKeyword(Span(1, 5, 1, 9, 4), "pin", "True"), AddImport("numpy")
    read = json.loads(fixed(data, Fix("m", "safe", edits), "a.ipynb"))
    assert read["cells"][1]["source"] == ["import torch\n", "import numpy\n", "%matplotlib inline\n"]


def test_a_diff_names_the_cell() -> None:
    data = notebook(1, True)
    after = fixed(data, Fix("m", "safe", (SetKeyword(Span(1, 5, 1, 9, 4), "pin", "True"),)), "a.ipynb")
    lines = list(diff.lines("a.ipynb", "nb/a.ipynb", data, after))
    assert lines == [
        "--- nb/a.ipynb:cell 4",
        "+++ nb/a.ipynb:cell 4",
        "@@ -1,2 +1,2 @@",
        "-x = f(a)",
        "+x = f(a, pin=True)",
        " y = 1",
    ]
