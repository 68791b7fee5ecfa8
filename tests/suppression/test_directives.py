"""Comments of ours: which lines they speak of, in each language, and what is not one."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.languages import notebook
from mlsys_advise.languages.source import Source
from mlsys_advise.suppression.directives import Suppression, suppressions
from tests.languages.test_notebook import written


def read(text: str, language: str = "python") -> tuple[Suppression, ...]:
    code = textwrap.dedent(text)
    return suppressions(code.encode(), Source(code, "x"), language)


def lines(text: str, language: str = "python") -> list[tuple[int, int]]:
    return [(found.first, found.last) for found in read(text, language)]


def test_at_the_end_of_a_line_it_speaks_of_the_statement() -> None:
    assert lines("a = 1\nb = f(x)  # mlsys: ignore[MLS401] why not\n") == [(2, 2)]


@pytest.mark.parametrize("marked", [1, 4])
def test_on_the_first_and_on_the_last_line_it_speaks_of_the_whole_statement(marked: int) -> None:
    text = ["b = f(", "    x,", "    y,", ")"]
    text[marked - 1] += "  # mlsys: ignore[MLS401]"
    assert lines("\n".join(text)) == [(1, 4)]


def test_on_a_line_between_it_speaks_of_that_line() -> None:
    assert lines("b = f(\n    x,  # mlsys: ignore[MLS401]\n    y,\n)") == [(2, 2)]


def test_on_a_header_it_does_not_speak_of_the_block() -> None:
    assert lines("for x in y:  # mlsys: ignore[MLS401]\n    f(x)\n") == [(1, 1)]


def test_before_a_block_it_speaks_of_all_of_it() -> None:
    text = """\
        # mlsys: ignore[MLS401] a benchmark
        @decorated(
            1)
        def f():
            if x:
                pass

            g()
        h()
    """
    assert lines(text) == [(1, 8)]


def test_a_block_has_its_other_branches() -> None:
    text = """\
        # mlsys: ignore[MLS401]
        if a:
            b()
        elif c:
            d()
        else:
            e()
        f()
    """
    assert lines(text) == [(1, 7)]


def test_at_the_end_of_a_block_it_speaks_of_nothing_after_it() -> None:
    assert lines("if a:\n    b()\n    # mlsys: ignore[MLS401]\nc()\n") == [(3, 3)]


def test_blank_lines_and_other_comments_may_stand_between() -> None:
    assert lines("# mlsys: ignore[MLS401]\n\n# more\nf()\ng()\n") == [(1, 4)]


def test_in_broken_code_it_still_counts() -> None:
    assert lines("def f(:\n    g()  # mlsys: ignore[MLS401]\n") == [(2, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "x = '# mlsys: ignore[MLS401]'",
        '"""\n# mlsys: ignore[MLS401]\n"""',
        "f(\n  '''\n# mlsys: ignore[MLS401]\n''')",
        "x = f'{a}# mlsys: ignore[MLS401]'",
        "# mlsys: a note",
        "# noqa",
        "# noqa: E501",
        "# see mlsys.ignore",
    ],
)
def test_what_is_no_comment_of_ours(text: str) -> None:
    assert read(text) == ()


def test_a_comment_behind_a_string_with_a_hash_is_found() -> None:
    (found,) = read("x = f('#', '''\n#''')  # mlsys: ignore[MLS401]\n")
    assert (found.span.line, found.span.column) == (2, 10)


def test_several_rules_by_code_beginning_and_name() -> None:
    (found,) = read("f()  # mlsys: ignore[MLS401, MLS2,gc-collect-in-hot-path]")
    assert found.selectors == ("MLS401", "MLS2", "gc-collect-in-hot-path")


def test_it_may_stand_among_comments_of_others() -> None:
    (found,) = read("f()  # type: ignore[x]  # mlsys: ignore[MLS401]  # pragma: no cover")
    assert found.selectors == ("MLS401",)
    (found,) = read("f()  # é type: ignore[x]  # mlsys: ignore[MLS401]")
    assert (found.span.column, found.span.end_column) == (29, 50)


@pytest.mark.parametrize(
    "comment", ["# noqa: MLS401", "#noqa:MLS401", "# NOQA: E501,MLS401 why", "# noqa: E501 MLS401", "# noqa : mls401"]
)
def test_noqa_with_codes_of_ours(comment: str) -> None:
    (found,) = read(f"f(\n)  {comment}")
    assert (found.selectors, found.scope, found.first, found.last) == (("MLS401",), "lines", 1, 2)


@pytest.mark.parametrize("comment", ["# mlsys: ignore-file[MLS401]", "# ruff: noqa: MLS401", "# flake8: noqa: MLS401"])
def test_for_a_file(comment: str) -> None:
    (found,) = read(f"a()\n{comment}\n")
    assert (found.selectors, found.scope) == (("MLS401",), "file")


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("# mlsys: ignore", "names no rule"),
        ("# mlsys: ignore[]", "names no rule"),
        ("# mlsys: ignore[MLS401", "is not closed"),
        ("# mlsys: ignore-line[MLS401]", "ignore-line is not known"),
        ("# mlsys: ignore-cell[MLS401]", "is for notebooks"),
    ],
)
def test_what_cannot_work_says_why(comment: str, says: str) -> None:
    (found,) = read(comment)
    assert says in found.problem


# -- other languages


def test_yaml_at_the_end_of_a_line_and_before_a_node() -> None:
    text = """\
        spec:
          # mlsys: ignore[MLS211] small batches
          containers:
          - name: a  # mlsys: ignore[MLS211]
            image: b
          - name: c
          volumes: []
    """
    assert lines(text, "yaml") == [(2, 6), (4, 4)]


def test_yaml_before_an_item_it_speaks_of_that_item() -> None:
    text = "a:\n# mlsys: ignore[MLS211]\n- name: b\n  image: c\n- name: d\n"
    assert lines(text, "yaml") == [(2, 4)]


def test_a_dockerfile_has_comments_on_lines_of_their_own() -> None:
    text = "FROM a\n# mlsys: ignore[MLS201]\nRUN b \\\n  c\nRUN d # mlsys: ignore[MLS201]\n"
    assert lines(text, "dockerfile") == [(2, 4)]


def test_a_shell_script_has_both() -> None:
    text = "# mlsys: ignore[MLS201]\na \\\n  b\nc  # mlsys: ignore[MLS201]\nd#mlsys: ignore[MLS201]\n"
    assert lines(text, "shell") == [(1, 3), (4, 4)]


def test_in_a_notebook_lines_count_within_the_cell() -> None:
    data = written(
        "a = 1",
        "%matplotlib inline\n# mlsys: ignore-cell[MLS401]\nb()",
        "c()  # mlsys: ignore[MLS4]\n# mlsys: ignore[MLS1]",
    )
    source = notebook.convert(data, "x.ipynb")
    assert isinstance(source, Source)
    cell, line, last = suppressions(data, source, "notebook")
    assert (cell.scope, cell.span.cell, cell.span.line) == ("cell", 2, 2)
    assert (line.span.cell, line.first, line.last) == (3, 1, 1)
    assert (last.span.cell, last.first, last.last) == (3, 2, 2)


@given(
    st.text(alphabet="#'\"\\\n ()[]:,mlsysignore noqaMLS401ifelsdf@-", max_size=200),
    st.sampled_from(["python", "yaml"]),
)
def test_no_text_breaks_it(text: str, language: str) -> None:
    for found in suppressions(b"# mlsys: ignore " + text.encode(), Source("# mlsys: ignore " + text, "x"), language):
        assert 1 <= found.first <= found.last <= text.count("\n") + 1
