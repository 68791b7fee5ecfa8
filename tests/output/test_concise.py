"""The ``concise`` output: one line a finding, which editors and CI systems parse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlsys_advise.finding import Finding
from mlsys_advise.output.concise import render
from mlsys_advise.output.terminal import Style
from mlsys_advise.span import Span


def test_each_finding_is_one_parsable_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    findings = [
        Finding("MLS401", "n", "first\nsecond", "w", "warning", "performance", "5.3", path.as_posix(), span)
        for path, span in (
            (tmp_path / "a.py", Span(3, 7, 3, 9)),
            (tmp_path / "nb.ipynb", Span(1, 2, 1, 3, 4)),
        )
    ]
    lines = list(render(findings, Style()))
    assert lines == [
        "a.py:3:7: warning[MLS401] first second",
        "nb.ipynb:cell 4:1:2: warning[MLS401] first second",
    ]
    assert re.fullmatch(r"(.+):(\d+):(\d+): (\w+)\[(\w+)\] (.+)", lines[0])
