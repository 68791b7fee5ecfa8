"""The closing line, notices and internal errors: short, and nothing is hidden without saying so."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsys_advise.finding import Finding, InternalError, Notice, Severity
from mlsys_advise.output import summary
from mlsys_advise.output.terminal import Style
from mlsys_advise.span import Span


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def finding(severity: Severity) -> Finding:
    return Finding("MLS401", "n", "m", "w", severity, "performance", "5.3", "/a.py", Span(1, 1, 1, 2))


def path(name: str) -> str:
    return (Path.cwd() / name).as_posix()


@pytest.mark.parametrize(
    ("severities", "files", "line"),
    [
        ([], 1, "No findings in 1 file."),
        ([], 4851, "No findings in 4,851 files."),
        (["error"], 2, "Found 1 finding (1 error) in 2 files."),
        (
            ["info", "error", "warning", "error", "info"],
            48,
            "Found 5 findings (2 errors, 1 warning, 2 info) in 48 files.",
        ),
        (["info"], 48, "Found 1 finding (1 info) in 48 files."),
    ],
)
def test_the_closing_line_counts_by_severity(severities: list[Severity], files: int, line: str) -> None:
    assert summary.closing([finding(severity) for severity in severities], files) == line


def lines(found: list[Notice], *, verbose: bool = False) -> list[str]:
    return list(summary.notices(found, Style(), verbose=verbose))


def test_a_notice_names_its_file_and_line() -> None:
    assert lines([Notice(path("a.py"), "is a FIFO: skipped"), Notice(path("b.py"), "is broken", 7)]) == [
        "note: a.py: is a FIFO: skipped",
        "note: b.py:7: is broken",
    ]


def test_files_of_which_the_same_is_said_share_a_line() -> None:
    found = [Notice(path(f"big_{n}.py"), "is too large: skipped") for n in range(20)]
    assert lines(found) == ["note: is too large: skipped (20 files: big_0.py, big_1.py, big_2.py and 17 more)"]
    assert len(lines(found, verbose=True)) == 20


def test_the_rest_of_many_notices_is_counted() -> None:
    found = [Notice(path(f"f{n}.py"), f"message {n}") for n in range(17)]
    shown = lines(found)
    assert len(shown) == 6
    assert shown[-1] == "note: and 12 more, -v shows all"
    assert len(lines(found, verbose=True)) == 17


def test_no_line_is_spent_on_saying_that_one_more_exists() -> None:
    found = [Notice(path(f"f{n}.py"), f"message {n}") for n in range(6)]
    assert lines(found)[-1] == "note: f5.py: message 5"


def test_an_internal_error_is_one_line_that_says_what_to_report() -> None:
    error = InternalError(path("train.py"), "rule MLS413", "Traceback ...\n  File x\nKeyError: 'loader'")
    (line,) = summary.internal_errors([error], Style())
    assert line.startswith("internal error: rule MLS413 failed on train.py (KeyError: 'loader'); ")
    assert "please report" in line
    detailed = list(summary.internal_errors([error], Style(), verbose=True))
    assert detailed[1:] == ["  Traceback ...", "    File x", "  KeyError: 'loader'"]
