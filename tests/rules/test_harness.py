"""The harness itself: what it reports when findings and marks disagree, and when they agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsys_advise.finding import Finding, Related, Severity
from mlsys_advise.heat import STEP, TRAINING, Heat
from mlsys_advise.page import read_cases
from mlsys_advise.span import Place, Span
from tests.rules.harness import Case, differences, verify, write

TEXT = """\
# MLS413 pageable-batch-transfer: of the harness

## A loader

```python title="data/loader.py"
a = DataLoader(ds)  # MLS413 severity=warning columns=5-19 heat=training:step related=train.py,train.py:3
b = DataLoader(ds)
```
"""


def finding(line: int = 1, code: str = "MLS413", severity: Severity = "warning", end: int = 19) -> Finding:
    return Finding(
        code=code,
        name="pageable-batch-transfer",
        message="batches are pageable",
        why="",
        severity=severity,
        category="performance",
        lesson="zero-copy",
        path="data/loader.py",
        span=Span(line, 5, line, end),
        heat=Heat.of(TRAINING, STEP),
        related=(Related(Place("train.py", Span(3, 1, 3, 9)), "here"),),
    )


def case(text: str = TEXT, *codes: str) -> Case:
    (project,) = read_cases(text).projects
    return Case("cases.md", project, codes or ("MLS413",))


def test_agreement() -> None:
    assert differences(case(), [finding()]) == []


def test_a_mark_without_a_finding() -> None:
    assert differences(case(), []) == ["cases.md:6: MLS413 was not reported"]


def test_a_finding_without_a_mark() -> None:
    assert differences(case(), [finding(), finding(line=2)]) == [
        "cases.md:7: MLS413 is not marked, but was reported: batches are pageable"
    ]


def test_a_second_finding_needs_a_second_mark() -> None:
    twice = [finding(), finding(end=20)]
    assert differences(case(), twice) == ["cases.md:6: MLS413 is not marked, but was reported: batches are pageable"]
    assert differences(case(TEXT.replace("train.py:3", "train.py:3 MLS413")), twice) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("severity=warning", "severity=info", "severity info is marked, warning was reported"),
        ("columns=5-19", "columns=5-18", "columns (5, 18) are marked, (5, 19) were reported"),
        (
            "training:step",
            "training:item",
            "heat [('training', 'item')] is marked, [('training', 'step')] was reported",
        ),
        ("train.py:3", "train.py:4", "related ['train.py:4'] is marked, ['train.py', 'train.py:3'] was reported"),
    ],
)
def test_assertions_that_are_not_met(old: str, new: str, message: str) -> None:
    assert differences(case(TEXT.replace(old, new)), [finding()]) == [f"cases.md:6: MLS413: {message}"]


def test_marks_of_rules_that_are_not_under_test_are_ignored() -> None:
    text = TEXT.replace("related", "MLS401 related")
    assert differences(case(text), [finding()]) == []
    assert differences(case(text, "MLS401", "MLS413"), [finding()]) == ["cases.md:6: MLS401 was not reported"]


def test_a_finding_in_a_file_that_is_not_of_the_project_points_to_the_project() -> None:
    stray = Finding("MLS413", "x", "stray", "", "info", "memory", "", "other.py", Span(9, 1, 9, 2))
    assert differences(case(), [finding(), stray]) == ["cases.md:5: MLS413 is not marked, but was reported: stray"]


def test_a_mark_that_nothing_meets_is_explained(tmp_path: Path) -> None:
    text = "# MLS401 gc-collect-in-hot-path: x\n\n## Once\n\n```python\nimport gc\n\ngc.collect()  # MLS401\n```\n"
    with pytest.raises(AssertionError) as error:
        verify(case(text, "MLS401"), tmp_path)
    difference, explanation = str(error.value).split("\n\n", 1)
    assert difference == "\ncases.md:8: MLS401 was not reported"
    assert explanation.startswith("MLS401 gc-collect-in-hot-path at example.py:3")


def test_files_on_disk_are_a_project_of_their_own(tmp_path: Path) -> None:
    write({"a/b.py": "x = 1\n"}, tmp_path)
    assert (tmp_path / "a" / "b.py").read_bytes() == b"x = 1\n"
    assert (tmp_path / "mlsys-advise.toml").read_bytes() == b""
    write({"mlsys-advise.toml": "x = 1\n"}, tmp_path)
    assert (tmp_path / "mlsys-advise.toml").read_bytes() == b"x = 1\n"
