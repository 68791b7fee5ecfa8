"""The ``full`` output, read as a person reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlsys_advise.edit import Fix
from mlsys_advise.finding import Cost, Finding, Related
from mlsys_advise.heat import STEP, TRAINING, Heat
from mlsys_advise.output import full
from mlsys_advise.output.folding import fold
from mlsys_advise.output.sources import Sources
from mlsys_advise.output.terminal import Style
from mlsys_advise.span import Place, Span


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("for batch in loader:\n    gc.collect()\n")
    return tmp_path


def finding(path: str = "train.py", **changes: Any) -> Finding:
    where = Path(path).absolute().as_posix()
    values: dict[str, Any] = {
        "code": "MLS401",
        "name": "gc-collect-in-hot-path",
        "message": "gc.collect() runs in every training step",
        "why": "a full collection walks each container object of the process",
        "severity": "warning",
        "category": "performance",
        "lesson": "5.3",
        "path": where,
        "span": Span(2, 5, 2, 17),
    }
    return Finding(**(values | changes))


def shown(*findings: Finding, style: Style | None = None, verbose: bool = False) -> str:
    return "\n".join(full.render(findings, style or Style(), Sources(), verbose=verbose))


def test_a_finding_says_what_why_how_hot_and_where_to_read_on(project: Path) -> None:
    here = (project / "train.py").as_posix()
    other = (project / "data" / "loader.py").as_posix()
    text = shown(
        finding(
            heat=Heat.of(TRAINING, STEP),
            heat_path=(
                Related(Place(here, Span(1, 1, 1, 4)), "loop over a loader whose body calls backward()"),
                Related(Place(other, Span(7, 1, 7, 4)), "called from it"),
            ),
            related=(Related(Place(other, Span(3, 9, 3, 12)), "the loader is built here"),),
            assumed=("no other thread collects",),
            fix=Fix("Remove the call", "suggested", ()),
        )
    )
    assert text.replace("\\", "/") == (
        "warning[MLS401]: gc.collect() runs in every training step\n"
        " --> train.py:2:5\n"
        "  |\n"
        "1 | for batch in loader:\n"
        "2 |     gc.collect()\n"
        "  |     ^^^^^^^^^^^^\n"
        "  |\n"
        "  = why: a full collection walks each container object of the process\n"
        "  = heat: training step\n"
        "          train.py:1: loop over a loader whose body calls backward()\n"
        "          data/loader.py:7: called from it\n"
        "  = see: data/loader.py:3: the loader is built here\n"
        "  = assumed: no other thread collects\n"
        "  = fix: Remove the call (suggested)\n"
        "  = help: mlsys-advise rule MLS401 (gc-collect-in-hot-path)\n"
    )


def test_a_rule_that_does_not_ask_for_heat_prints_none() -> None:
    assert "heat:" not in shown(finding())


def test_copies_of_one_site_are_one_finding() -> None:
    copies = [finding(f"model_{n}.py", snippet="gc.collect()") for n in range(44)]
    text = shown(*copies, finding(snippet="another()"))
    assert text.count("warning[MLS401]") == 2
    assert "= and 43 like it\n" in text
    assert "model_1.py" not in text


def test_the_first_copies_are_named_when_asked() -> None:
    copies = [finding(f"model_{n}.py", snippet="gc.collect()") for n in range(44)]
    text = shown(*copies, verbose=True)
    assert "= and 43 like it\n" in text
    assert "model_5.py:2:5\n" in text
    assert "model_6.py" not in text
    assert "... and 38 more\n" in text


def test_the_gravest_copy_is_the_one_shown() -> None:
    copies = [finding("a.py", snippet="s", severity="info"), finding("b.py", snippet="s", severity="error")]
    (site,) = fold(copies)
    assert site.finding.severity == "error"
    assert [copy.severity for copy in site.copies] == ["info"]


def test_the_same_text_under_another_rule_is_not_a_copy() -> None:
    assert len(fold([finding(snippet="s"), finding(snippet="s", code="MLS403")])) == 2
    assert len(fold([finding(snippet=""), finding(snippet="")])) == 2


def test_a_cell_of_a_notebook_is_named_and_shown(project: Path) -> None:
    (project / "run.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "source": ["# t"]},'
        ' {"cell_type": "code", "source": ["for b in l:\\n", "    gc.collect()"]},'
        ' {"cell_type": "code", "source": "%time last()"}], "metadata": {}, "nbformat": 4}'
    )
    text = shown(finding("run.ipynb", span=Span(2, 5, 2, 17, 2)), finding("run.ipynb", span=Span(1, 7, 1, 13, 3)))
    assert "--> run.ipynb:cell 2:2:5" in text
    assert "2 |     gc.collect()\n  |     ^^^^^^^^^^^^\n  |\n  =" in text
    assert "1 | %time last()\n  |       ^^^^^^\n  |\n  =" in text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"# coding: nonsense\n\nx", b"x = 1\n"])
def test_a_file_that_has_changed_since_still_gives_its_finding(project: Path, content: bytes) -> None:
    (project / "train.py").write_bytes(content)
    assert shown(finding()).startswith("warning[MLS401]: gc.collect()")


def test_a_file_that_has_vanished_still_gives_its_finding() -> None:
    assert "--> gone.py:2:5\n  = why:" in shown(finding("gone.py"))


def test_a_path_outside_the_current_directory_is_shown_whole(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = finding()
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project / "elsewhere")
    assert f"--> {project / 'train.py'}:2:5" in shown(here)


def test_long_prose_is_wrapped_at_a_terminal_and_not_in_a_pipe() -> None:
    long = finding(why="word " * 40 + "end")
    at_terminal = shown(long, style=Style(width=60, wraps=True))
    assert all(len(line) <= 60 for line in at_terminal.splitlines())
    assert "\n         word word" in at_terminal
    assert "  = why: " + "word " * 40 + "end\n" in shown(long)


def test_names_and_messages_cannot_move_the_cursor() -> None:
    text = shown(finding("a\x1b[2Jb.py", message="x\x1b]0;title\x07\ny", why="\x9b2J\u202e"))
    assert not any(character in text for character in "\x1b\x07\x9b\u202e")


def test_colour_follows_severity() -> None:
    colour = Style(colour=True)
    assert "\x1b[1;31merror[MLS401]\x1b[0m" in shown(finding(severity="error"), style=colour)
    assert "\x1b[1;36m^^^^^^^^^^^^\x1b[0m" in shown(finding(severity="info"), style=colour)
    assert "\x1b" not in shown(finding())


def test_each_machine_is_a_line_with_its_figures_or_the_reason_why_it_has_none() -> None:
    costs = (
        Cost(
            "h200",
            "measured on 2026-01-31, at 64 elements",
            named=True,
            per="element",
            ratio=38.2,
            slow=1.6e-6,
            fast=42e-9,
        ),
        Cost("cloud-vm", "not measured: needs a CUDA device", reference=True),
    )
    lines = shown(finding(costs=costs)).splitlines()
    first = next(number for number, line in enumerate(lines) if "= cost:" in line)
    assert lines[first].endswith(
        "= cost: h200: about 38x, 1.6 us instead of 42 ns per element (measured on 2026-01-31, at 64 elements)"
    )
    assert lines[first + 1].strip() == "the reference machine cloud-vm: not measured: needs a CUDA device"
