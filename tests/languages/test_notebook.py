"""Notebooks become one module: magics cost nothing but themselves, and a broken cell costs nothing but itself."""

from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.finding import Notice
from mlsys_advise.languages.notebook import Notebook, assemble, convert, decode_notebook
from mlsys_advise.languages.python.parsing import Parsed, parse
from mlsys_advise.languages.source import Source


def written(*cells: str | list[str], **metadata: object) -> bytes:
    content = [{"cell_type": "code", "source": cell, "outputs": [], "execution_count": None} for cell in cells]
    return json.dumps({"cells": content, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def decoded(data: bytes) -> Notebook:
    notebook = decode_notebook(data, "a.ipynb")
    assert isinstance(notebook, Notebook), notebook
    return notebook


def code_of(cell: str) -> str:
    """One cell as Python, without the line before it."""
    return assemble([(1, cell)], "a.ipynb").code.partition("\n")[2]


def parsed(*cells: str) -> Parsed:
    notebook = assemble(enumerate(cells, 1), "a.ipynb")
    return parse(notebook.code, "a.ipynb", sections=notebook.sections)


def statements(*cells: str) -> list[str]:
    return [ast.unparse(node) for node in parsed(*cells).tree.body if not isinstance(node, ast.Pass)]


class TestFormat:
    def test_cells_are_counted_with_those_that_hold_no_code(self) -> None:
        data = json.dumps(
            {
                "cells": [
                    {"cell_type": "markdown", "source": "# x = 1"},
                    {"cell_type": "code", "source": ["a = 1\n", "b = 2"]},
                    {"cell_type": "raw", "source": "y"},
                    {"cell_type": "code", "source": "c = 3\r\nd = 4"},
                ]
            }
        ).encode()
        notebook = decoded(data)
        assert [cell.number for cell in notebook.source.cells] == [2, 4]
        spans = [notebook.source.span_of(node) for node in parse(notebook.code).tree.body]
        assert [(span.cell, span.line, span.column) for span in spans] == [(2, 1, 1), (2, 2, 1), (4, 1, 1), (4, 2, 1)]

    def test_version_3_keeps_code_in_worksheets(self) -> None:
        cells = [
            {"cell_type": "heading", "source": "x"},
            {"cell_type": "code", "input": ["a = 1"], "language": "python"},
        ]
        notebook = decoded(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}).encode())
        assert notebook.source.line(1, 2) == "a = 1"

    def test_a_byte_order_mark_and_outputs_that_hold_nan_do_no_harm(self) -> None:
        data = b'\xef\xbb\xbf{"cells": [{"cell_type": "code", "source": "a", "outputs": [{"data": NaN}]}]}'
        assert decoded(data).source.line(1, 1) == "a"

    @pytest.mark.parametrize(
        "metadata",
        [
            {},
            {"kernelspec": {"name": "python3", "language": "python"}},
            {"kernelspec": None, "language_info": {"name": "ipython"}},
            {"kernelspec": {"name": "python3"}},
        ],
    )
    def test_python_is_what_kernels_speak_that_do_not_say(self, metadata: dict[str, object]) -> None:
        assert len(decoded(written("a = 1", **metadata)).sections) == 1

    @pytest.mark.parametrize(
        "metadata", [{"kernelspec": {"language": "R"}}, {"language_info": {"name": "julia"}}], ids=["R", "julia"]
    )
    def test_other_kernels_have_nothing_for_us(self, metadata: dict[str, object]) -> None:
        assert decoded(written("a <- 1", **metadata)).sections == ()
        assert convert(written("a <- 1", **metadata), "a.ipynb") is None

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"  \n",
            b"{",
            b"[]",
            b"{}",
            b"\xff\xfe",
            b'{"cells": 1}',
            b'{"cells": [1]}',
            b'{"cells": [{"cell_type": "code", "source": 1}]}',
            b'{"cells": null}',
            b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        ],
    )
    def test_what_is_no_notebook_gets_a_notice(self, data: bytes) -> None:
        notebook = decode_notebook(data, "a.ipynb")
        assert isinstance(notebook, Notice)
        assert notebook.path == "a.ipynb"

    @given(
        st.binary()
        | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
    )
    def test_nothing_raises(self, data: bytes) -> None:
        assert isinstance(decode_notebook(data, "a.ipynb"), Notebook | Notice)


class TestMagics:
    @pytest.mark.parametrize(
        ("ipython", "python"),
        [
            ("%matplotlib inline", "pass"),
            ("%load_ext autoreload\n%autoreload 2", "pass\npass"),
            ("%run train.py --lr 0.1", "pass"),
            ("!pip install 'a(", "pass"),
            ("pip install -q torch", "pass"),
            ("!ls \\\n  -la \\\n  x\ny = 1", "pass\n\n\ny = 1"),
            ("files = !ls *.py", "files = _"),
            ("a, b = %env X", "a, b = _"),
            ("if x:\n    !ls\n    y = %who", "if x:\n    pass\n    y = _"),
            ("model?\nmodel.fit??\n?model", "pass\npass\npass"),
            ("%time f(x)", "pass; f(x)"),
            ("%timeit -n 10 -r3 f(x)", "pass            ; f(x)"),
            ("%time\nf(x)", "pass\nf(x)"),
            ("%%time\nf(x)", "pass\nf(x)"),
            ("%%timeit x = 1\nf(x)", "pass   ; x = 1\nf(x)"),
            ("# fast\n%%capture out\nf(x)", "# fast\npass\nf(x)"),
            ("%%bash\nfor i in 1; do\ndone", "\n\n"),
            ("%%html\n<b>", "\n"),
            ("\n%%writefile a.py\nx = 1", "\n\n"),
            ("%md\n# Title", "\n"),
            ("%sql\nselect 1", "\n"),
            ("%sql select 1\nx = 1", "pass\nx = 1"),
        ],
    )
    def test_are_replaced_in_their_lines(self, ipython: str, python: str) -> None:
        assert code_of(ipython) == python

    @pytest.mark.parametrize(
        "python",
        [
            "x = '''\n%d\n!ls\nwhat?\n'''",
            "x = (a\n  % b)",
            "print('%d' % x)",
            "x = y if a != b else z\n# !ls\n# %time",
            'f"""\n{x\n!r}\n"""',
            "await fetch()\nasync with a as b:\n    pass",
        ],
    )
    def test_python_that_looks_like_them_is_left_alone(self, python: str) -> None:
        assert code_of(python) == python
        assert not parsed(python).notices

    def test_the_source_still_shows_them(self) -> None:
        assert assemble([(3, "!ls\nx = 1")], "a.ipynb").source.line(1, 3) == "!ls"

    def test_a_statement_behind_one_keeps_its_columns(self) -> None:
        text = "%timeit -n 10 train(model)"
        notebook = assemble([(1, text)], "a.ipynb")
        call = parse(notebook.code).tree.body[1]
        span = notebook.source.span_of(call)
        assert text[span.column - 1 : span.end_column - 1] == "train(model)"


class TestScope:
    def test_cells_share_one_module(self) -> None:
        assert statements("import torch", "x = torch.ones(3)") == ["import torch", "x = torch.ones(3)"]

    def test_an_indented_cell_is_code_as_in_jupyter(self) -> None:
        assert statements("    x = 1\n    y = 2", "z = 3") == ["if 1:\n    x = 1\n    y = 2", "z = 3"]
        assert not parsed("    x = 1").notices

    @pytest.mark.parametrize(
        "broken", ["f(", '"""', "if x:", "x = (1", "x = 1 \\", "def f(:", "    x\n  y", "else:", "a b"]
    )
    def test_a_broken_cell_harms_no_other(self, broken: str) -> None:
        found = statements("first = 1", broken, "last = '''\n'''\nend(last)")
        assert found[0] == "first = 1"
        assert found[-2:] == ["last = '\\n'", "end(last)"]

    def test_masked_lines_and_notices_can_be_placed_in_their_cells(self) -> None:
        notebook = assemble([(1, "a = 1"), (4, "b = 2\nc = (")], "a.ipynb")
        found = parse(notebook.code, "a.ipynb", sections=notebook.sections)
        (notice,) = found.notices
        assert notebook.source.located(notice).line == 2
        assert notebook.source.located(notice).message.startswith("cell 4: syntax error")

    def test_what_is_analysed_is_a_source_with_cells(self) -> None:
        source = convert(written("!ls", "x = 1"), "a.ipynb")
        assert isinstance(source, Source)
        assert [cell.number for cell in source.cells] == [1, 2]
        assert [ast.unparse(node) for node in parse(source.text).tree.body] == ["pass", "x = 1"]

    @given(st.lists(st.text("%!?=x'\"#(\n \\", max_size=12), max_size=4))
    def test_lines_stay_whatever_the_cells_hold(self, cells: list[str]) -> None:
        notebook = assemble(enumerate(cells, 1), "a.ipynb")
        assert notebook.code.count("\n") == notebook.source.text.count("\n")
        parse(notebook.code, sections=notebook.sections)
