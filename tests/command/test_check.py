"""``mlsys-advise check``: what is asked of the engine, what is printed, and how it ends."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from mlsys_advise.finding import InternalError, Notice, Severity
from mlsys_advise.settings.layer import Layer
from tests.command.conftest import CommandLine
from tests.command.scripted import finding, report


def test_a_path_alone_is_checked(cli: CommandLine) -> None:
    cli("train.py")
    cli("check", "train.py")
    assert cli.calls[0] == cli.calls[1]
    assert cli.calls[0].paths == [Path("train.py")]


def test_without_a_path_the_current_directory_is_checked(cli: CommandLine) -> None:
    cli("check")
    cli("--quiet")
    assert [call.paths for call in cli.calls] == [[Path()], [Path()]]


def test_without_any_argument_the_help_is_printed(cli: CommandLine) -> None:
    result = cli()
    assert result.out.startswith("usage: mlsys-advise")
    assert cli.calls == []


def test_options_reach_the_engine(cli: CommandLine) -> None:
    cli(
        "check", "train.py", "--select", "MLS4,MLS101", "--select", "pageable-batch-transfer", "--ignore=MLS413",
        "-j", "2", "--executor", "dask://h:1", "--no-cache", "--cache-dir", "c", "--isolated",
    )  # fmt: skip
    (call,) = cli.calls
    options = call.options
    (given,) = options.given
    assert given.select == ("MLS4", "MLS101", "pageable-batch-transfer")
    assert given.ignore == ("MLS413",)
    assert (options.jobs, options.executor, options.cache) == (2, "dask://h:1", Path("c"))
    assert (options.use_cache, options.isolated) == (False, True)


def test_by_default_the_engine_chooses(cli: CommandLine) -> None:
    cli("train.py")
    options = cli.calls[0].options
    assert options.given == (Layer(),)
    assert (options.config, options.changed_since, options.jobs, options.executor) == (None, "", 0, "")
    assert (options.cache, options.use_cache, options.isolated) == (None, True, False)


@pytest.mark.parametrize(
    ("severities", "arguments", "status"),
    [
        ([], [], 0),
        (["info", "info"], [], 0),
        (["info", "warning"], [], 1),
        (["error"], [], 1),
        (["error"], ["--exit-zero"], 0),
        (["error"], ["--output-format", "json"], 1),
    ],
)
def test_the_exit_status_tells_the_findings(
    cli: CommandLine, severities: list[Severity], arguments: list[str], status: int
) -> None:
    cli.report = report([finding("train.py", 2, severity=severity) for severity in severities])
    assert cli("train.py", *arguments).status == status


def test_an_internal_error_is_status_two_even_with_exit_zero(cli: CommandLine) -> None:
    cli.report = report([finding("train.py", 2)], errors=(InternalError("train.py", "rule MLS413", "KeyError: 'x'"),))
    result = cli("train.py", "--exit-zero")
    assert result.status == 2
    assert "MLS401" in result.out
    assert result.err.count("\n") == 1
    assert "rule MLS413 failed on train.py (KeyError: 'x')" in result.err


def test_findings_go_to_standard_output_and_notices_to_standard_error(cli: CommandLine) -> None:
    cli.report = report([finding("train.py", 2)], notices=(Notice("big.py", "is too large: skipped"),), files=48)
    result = cli("train.py")
    assert result.out.startswith("warning[MLS401]: gc.collect() runs in every training step\n")
    assert result.out.endswith("\nFound 1 finding (1 warning) in 48 files.\n")
    assert result.err == "note: big.py: is too large: skipped\n"


def test_quiet_prints_findings_alone(cli: CommandLine) -> None:
    cli.report = report([finding("train.py", 2)], notices=(Notice("big.py", "is too large: skipped"),))
    result = cli("-q", "--output-format", "concise", "train.py")
    assert result.out == "train.py:2:5: warning[MLS401] gc.collect() runs in every training step\n"
    assert result.err == ""


def test_a_partial_project_is_said_to_be_one(cli: CommandLine) -> None:
    cli.report = report(partial=True)
    assert "partial project" in cli("train.py").err


def test_copies_are_folded_in_full_and_listed_in_json(cli: CommandLine) -> None:
    cli.report = report([finding(f"copy_{n}.py", snippet="gc.collect()") for n in range(44)])
    full = cli("train.py").out
    assert "= and 43 like it\n" in full
    assert "Found 44 findings" in full
    assert len(json.loads(cli("train.py", "--output-format", "json").out)) == 44


def test_json_of_nothing_is_an_empty_list(cli: CommandLine) -> None:
    assert cli("train.py", "--output-format", "json").out == "[]\n"


def test_the_report_can_be_written_to_a_file(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    cli.report = report([finding("train.py", 2, message="4\u00d7")], notices=(Notice("big.py", "is too large"),))
    result = cli("train.py", "-o", "report.txt")
    assert (result.status, result.out) == (1, "")
    assert "is too large" in result.err
    written = Path("report.txt").read_text(encoding="utf-8")
    assert "\x1b" not in written
    assert written.startswith("warning[MLS401]: 4\u00d7\n --> train.py:2:5\n")


@pytest.mark.parametrize("place", [".", "no/such/folder/report.txt"])
def test_a_report_that_cannot_be_written_is_refused_before_the_work(cli: CommandLine, place: str) -> None:
    result = cli("train.py", "-o", place)
    assert result.status == 2
    assert f"cannot write to {Path(place)}" in result.err
    assert cli.calls == []


# ---- standard input


class Standard:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_a_dash_reads_standard_input(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Standard(b"import gc\n\xff"))
    cli("-")
    assert cli.calls[0].overlay == {Path("stdin.py").absolute(): b"import gc\n\xff"}
    assert cli.calls[0].paths == [Path("stdin.py")]


def test_standard_input_belongs_where_its_name_says(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Standard(b"for x in y:\n    given()\n"))
    cli.report = report([finding("pkg/model.py", 2)])
    result = cli("--stdin-filename", "pkg/model.py", "-")
    assert cli.calls[0].overlay == {Path("pkg/model.py").absolute(): b"for x in y:\n    given()\n"}
    assert "2 |     given()\n" in result.out


def test_standard_input_is_checked_alone(cli: CommandLine) -> None:
    result = cli("-", "train.py")
    assert result.status == 2
    assert "standard input" in result.err


# ---- wrong usage: one line that says what to do, status 2, and the engine is not asked


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["gone.py"], "no such file or folder: gone.py"),
        (["some/where"], "no such file or folder: some/where"),
        (["train.py", "gone.py"], "no such file or folder: gone.py"),
        (["calibration"], "'calibration' is neither a command (check, inspect, why, rule, rules, calibrate, clean, "),
        (["server"], "'server' is neither a command"),
        (["-q", "rules"], "the command comes first: mlsys-advise rules"),
        (["train.py", "--selct", "MLS4"], "--selct"),
        (["train.py", "--sel", "MLS4"], "--sel"),
        (["train.py", "--output-format", "xml"], "'xml'"),
        (["train.py", "-j", "many"], "'many' is not a number of processes"),
        (["train.py", "-j", "-3"], "'-3' is not a number of processes"),
        (["train.py", "-q", "-v"], "not allowed with"),
        (["train.py", "--select", "MLS9"], "there is no rule MLS9"),
        (["train.py", "--select", "MLS412"], "did you mean MLS413"),
        (["train.py", "--ignore", "gc-colect-in-hot-path"], "did you mean gc-collect-in-hot-path"),
    ],
)
def test_wrong_usage_is_one_line_and_status_two(cli: CommandLine, argv: list[str], says: str) -> None:
    result = cli(*argv)
    assert result.status == 2
    assert says in result.err
    assert result.err.startswith("mlsys-advise: ")
    assert result.err.count("\n") == 1
    assert result.out == ""
    assert cli.calls == []


@pytest.mark.parametrize("selector", ["ALL", "mls4", "MLS499", "expensive-question"])
def test_selectors_that_select_something_pass(cli: CommandLine, selector: str) -> None:
    assert cli("train.py", "--select", selector, "--ignore", selector).status == 0


def test_a_mistake_of_the_engine_is_one_line_and_status_two(cli: CommandLine) -> None:
    cli.failure = RecursionError("maximum recursion depth exceeded")
    result = cli("train.py")
    assert result.status == 2
    assert result.err.count("\n") == 1
    assert "internal error: RecursionError: maximum recursion depth exceeded (in _check, line" in result.err
    assert "Traceback" in cli("train.py", "-v").err
