"""Pages, case files, example projects and marks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.example import cells, notebook
from mlsys_advise.page import SECTIONS, Expected, Page, PageError, read_cases, read_page

PAGE = """\
# MLS413 pageable-batch-transfer

Batches go to the GPU from pageable memory.

## What it flags

A loader.

## Why it costs

A copy through a *staging* buffer.

## Example

```python title="data/loader.py"
from torch.utils.data import DataLoader


def make(ds):
    return DataLoader(ds, num_workers=4)  # MLS413 columns=12-42 related=train.py
```

```python title="train.py"
from data.loader import make
```

The same in a notebook:

```python title="train.ipynb"
# %% [markdown]
# Train

# %%
%matplotlib inline
import torch

# %%
loader = torch.utils.data.DataLoader(ds, num_workers=4)  # MLS413 severity=info heat=training:step,evaluation:epoch
```

## Use instead

```python
loader = DataLoader(ds, num_workers=4, pin_memory=True)
```

## When it stays silent

~~~~yaml title="job.yaml"
args: ["```"]
~~~~

## Fix

Pass `pin_memory=True`.

```console
$ mlsys-advise --fix
```

## Measure it yourself

Look for `Memcpy HtoD (Pageable -> Device)`.

## References

- A source.
"""


def case(*blocks: str, first: str = "# MLS211 shm-too-small: cases") -> str:
    return "\n\n".join([first, "## A case", *blocks]) + "\n"


def block(text: str, info: str = "python") -> str:
    return f"```{info}\n{text}\n```"


def marks(text: str, info: str = "python") -> tuple[Expected, ...]:
    return read_cases(case(block(text, info))).projects[0].expected


def faults(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.message) for fault in read_cases(text).faults]


class TestPage:
    page: Page = read_page(PAGE)

    def test_is_without_fault(self) -> None:
        assert self.page.faults == ()

    def test_title_and_summary(self) -> None:
        assert (self.page.code, self.page.name) == ("MLS413", "pageable-batch-transfer")
        assert self.page.summary == "Batches go to the GPU from pageable memory."

    def test_sections_hold_their_markdown(self) -> None:
        assert tuple(self.page.sections) == SECTIONS
        assert self.page.sections["Why it costs"] == "A copy through a *staging* buffer."
        assert self.page.sections["Fix"].endswith("```console\n$ mlsys-advise --fix\n```")

    def test_consecutive_blocks_are_one_project_and_prose_parts_projects(self) -> None:
        found = [(project.section, [block.title for block in project.blocks]) for project in self.page.projects]
        assert found == [
            ("Example", ["data/loader.py", "train.py"]),
            ("Example", ["train.ipynb"]),
            ("Use instead", ["example.py"]),
            ("When it stays silent", ["job.yaml"]),
        ]

    def test_a_fence_of_another_kind_or_length_is_text(self) -> None:
        assert self.page.projects[3].blocks[0].text == 'args: ["```"]\n'

    def test_a_mark_counts_lines_of_the_file_and_knows_its_own_line(self) -> None:
        (mark,) = self.page.projects[0].expected
        assert (mark.path, mark.line, mark.code) == ("data/loader.py", 5, "MLS413")
        assert (mark.columns, mark.related, mark.severity) == ((12, 42), ("train.py",), None)
        assert PAGE.splitlines()[mark.source_line - 1].startswith("    return DataLoader")

    def test_a_mark_in_a_notebook_counts_cells_and_lines_within_the_cell(self) -> None:
        (mark,) = self.page.projects[1].expected
        assert (mark.cell, mark.line) == (3, 1)
        assert (mark.severity, mark.heat) == ("info", (("training", "step"), ("evaluation", "epoch")))
        assert self.page.projects[1].blocks[0].source_line(1, cell=3) == mark.source_line

    def test_files_are_what_goes_to_disk(self) -> None:
        loader, train = self.page.projects[0].files().items()
        assert loader[1].splitlines()[4].endswith("# MLS413 columns=12-42 related=train.py")
        assert train == ("train.py", "from data.loader import make\n")


class TestFaultsOfPages:
    def faults(self, old: str, new: str) -> list[str]:
        assert old in PAGE
        return [fault.message for fault in read_page(PAGE.replace(old, new, 1)).faults]

    def test_heading_out_of_order(self) -> None:
        swapped = (
            PAGE.replace("## Fix", "## X")
            .replace("## Measure it yourself", "## Fix")
            .replace("## X", "## Measure it yourself")
        )
        (fault,) = read_page(swapped).faults
        assert fault.message == "the heading here must be '## Fix', not '## Measure it yourself'"
        assert swapped.splitlines()[fault.line - 1] == "## Measure it yourself"

    def test_missing_and_surplus_headings(self) -> None:
        assert self.faults("## References\n\n- A source.\n", "") == ["missing: ## References"]
        assert self.faults("- A source.\n", "- A source.\n\n## More\n\nText.\n") == [
            "'## More' is one heading too many"
        ]

    def test_empty_parts(self) -> None:
        assert self.faults("Batches go to the GPU from pageable memory.\n", "") == [
            "a paragraph must follow the first line and say what the rule is about"
        ]
        assert self.faults("- A source.\n", "") == ["'References' is empty"]
        assert self.faults('~~~~yaml title="job.yaml"\nargs: ["```"]\n~~~~\n', "Never.\n") == [
            "'When it stays silent' has no example project"
        ]

    def test_example_without_mark_and_silence_with_one(self) -> None:
        assert self.faults("  # MLS413 columns=12-42 related=train.py", "") == [
            "nothing in this example is marked MLS413"
        ]
        assert self.faults("pin_memory=True)", "pin_memory=True)  # MLS413") == ["'Use instead' may hold no mark"]
        assert self.faults("pin_memory=True)", "pin_memory=True)  # MLS401") == []

    @pytest.mark.parametrize("text", ["", "MLS413 x", "# mls413 x", "# MLS413", "# MLS413 Pageable", "# MLS413 a: b"])
    def test_no_rule_on_the_first_line(self, text: str) -> None:
        with pytest.raises(PageError, match="first line"):
            read_page(text)


class TestCases:
    def test_first_line(self) -> None:
        both = read_cases(
            case(block("x = 1"), first="# MLS101 scalar-tensor-loop, MLS103 scalar-readback-loop: who owns it")
        )
        assert [(rule.code, rule.name) for rule in both.rules] == [
            ("MLS101", "scalar-tensor-loop"),
            ("MLS103", "scalar-readback-loop"),
        ]
        assert (both.topic, both.faults) == ("who owns it", ())
        with pytest.raises(PageError, match="first line"):
            read_cases("# MLS101 scalar-tensor-loop, or so: x")

    def test_a_case_stands_below_a_heading(self) -> None:
        assert faults("# MLS211 shm-too-small: x\n") == [(1, "a case needs a '## heading' that says what it is about")]
        assert faults(f"# MLS211 shm-too-small: x\n{block('x = 1')}\n\n## Empty\n") == [
            (2, "a case needs a '## heading' above it that says what it is about"),
            (6, "'Empty' has no example project"),
        ]

    def test_nearest_heading_names_the_project(self) -> None:
        (project,) = read_cases(case("### A detail", block("x = 1"))).projects
        assert (project.section, project.heading) == ("A case", "A detail")


class TestMarks:
    def test_below_the_line(self) -> None:
        text = case(
            block("FROM python\nRUN pip install \\\n    torch\n^ MLS211 MLS214\nCMD train.py\n^^^ MLS212", "dockerfile")
        )
        (project,) = read_cases(text).projects
        assert project.blocks[0].text == "FROM python\nRUN pip install \\\n    torch\nCMD train.py\n"
        assert [(mark.line, mark.code, mark.source_line) for mark in project.expected] == [
            (3, "MLS211", 9),
            (3, "MLS214", 9),
            (4, "MLS212", 11),
        ]
        assert [project.blocks[0].source_line(line) for line in (1, 4, 9)] == [6, 10, 6]

    def test_each_code_has_its_own_assertions(self) -> None:
        found = marks("x = 1  # why  # MLS211 severity=error MLS212 columns=1-2")
        assert [(mark.code, mark.severity, mark.columns) for mark in found] == [
            ("MLS211", "error", None),
            ("MLS212", None, (1, 2)),
        ]

    def test_slashes(self) -> None:
        assert [mark.line for mark in marks("int a;\nint b;  // MLS211", "cpp")] == [2]

    @pytest.mark.parametrize("comment", ["FP32", "SHA256 of it", "ABC211", "noqa: MLS211", "mlsys: ignore[MLS211]"])
    def test_other_comments_are_not_marks(self, comment: str) -> None:
        text = case(block(f"x = 1  # {comment}"))
        assert read_cases(text).projects[0].expected == ()
        assert faults(text) == []

    @pytest.mark.parametrize(
        ("text", "info", "message"),
        [
            ("x = 1  # MLS211: why", "python", "this comment reads like a mark"),
            ("x = 1  # MLS211 level=3", "python", "'level=3' is not an assertion"),
            ("x = 1  # MLS211 severity=bad", "python", "'severity=bad' is not an assertion"),
            ("x = 1  # MLS211 columns=0-3", "python", "'columns=0-3' is not an assertion"),
            ("x = 1  # MLS211 heat=hot", "python", "'heat=hot' is not CONTEXT:FREQUENCY"),
            ("CMD train.py  # MLS211", "dockerfile", "dockerfile has no trailing comments"),
            ("docker run \\  # MLS211", "sh", "a comment after a line continuation"),
            ("# MLS211", "python", "nothing is before this one"),
            ("^ MLS211", "python", "nothing is above this one"),
            ("# %%  # MLS211", 'python title="a.ipynb"', "nothing is before this one"),
            ("x = 1", 'python title="../a.py"', "must be a relative path"),
            ("x = 1", 'python title="/a.py"', "must be a relative path"),
            ("x = 1", 'python name="a.py"', "is not title="),
            ("x = 1", "python linenos", "is not title="),
            ("x = 1", "fortran", "a block of language 'fortran' needs a title"),
        ],
    )
    def test_faults(self, text: str, info: str, message: str) -> None:
        assert any(message in found for _, found in faults(case(block(text, info))))

    def test_two_files_of_one_name(self) -> None:
        assert [message for _, message in faults(case(block("x = 1"), block("y = 1")))] == [
            "a second example.py in one project: title it, or part the two"
        ]
        assert faults(case(block("x = 1"), "And:", block("y = 1"))) == []

    def test_fence_that_is_never_closed(self) -> None:
        assert faults(case("```python\nx = 1")) == [(5, "the fenced block is not closed")]


class TestNotebook:
    TEXT = "import os\n\n# %% [markdown]\n# # Title\n# text\n\n# %%\n!ls\nx = 1\n\n# %% a name\n"

    def test_cells(self) -> None:
        assert cells(self.TEXT) == [
            (1, "code", ["import os"]),
            (4, "markdown", ["# # Title", "# text"]),
            (8, "code", ["!ls", "x = 1"]),
            (12, "code", []),
        ]

    def test_json(self) -> None:
        document = json.loads(notebook(self.TEXT))
        assert (document["nbformat"], len({cell["id"] for cell in document["cells"]})) == (4, 4)
        assert [(cell["cell_type"], cell["source"]) for cell in document["cells"]] == [
            ("code", ["import os"]),
            ("markdown", ["# Title\n", "text"]),
            ("code", ["!ls\n", "x = 1"]),
            ("code", []),
        ]


PIECES = st.sampled_from(
    [
        "```",
        "~~~~",
        "```python",
        '```yaml title="a.yaml"',
        "# MLS211 x",
        "## Example",
        "^ MLS211",
        "# %%",
        "x  # MLS211",
        "",
        "  text",
    ]
)


@given(st.lists(PIECES | st.text(max_size=12)))
def test_any_markdown_is_read(lines: list[str]) -> None:
    text = "\n".join(["# MLS211 shm-too-small", *lines])
    source = text.splitlines()
    page = read_page(text)
    read_cases(text)
    assert page.faults
    for project in page.projects:
        project.files()
        for block in project.blocks:
            assert [source[line - 1].lstrip(" ") for line in block.origins] == [
                line.lstrip(" ") for line in block.text.splitlines()
            ]
            for mark in block.expected:
                marked = block.source_line(mark.line, mark.cell)
                assert marked == mark.source_line or (marked < mark.source_line and "^" in source[mark.source_line - 1])
