"""Ruff underneath: run once, judged by our heat, kept from what the project's own ruff reports, and allowed to die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlsys_advise import engine
from mlsys_advise.command.dispatch import run
from mlsys_advise.finding import Finding
from mlsys_advise.peers import configured, ruff
from mlsys_advise.registry import load_rules
from mlsys_advise.settings.layer import Layer

HANDLER = """\
import requests
from flask import Flask

app = Flask(__name__)


@app.get("/")
def answer():
    return requests.get("http://judge:8000").text


def later():
    return requests.get("http://judge:8000").text
"""
OURS = """\
import pickle

from flask import Flask, request

app = Flask(__name__)


@app.post("/")
def load():
    return pickle.loads(request.data)
"""


#: Ruff's rules take part by name.
RUFF = ("--ruff", "--extend-select", "S113")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path.resolve()
    (root / "mlsys-advise.toml").touch()
    (root / "app.py").write_text(HANDLER, encoding="utf-8")
    return root


def check(root: Path, *paths: Path, cache: Path | None = None, **rest: object) -> engine.Report:
    options = engine.Options(
        jobs=1, given=(Layer(ruff=True, extend_select=("S113",)),), use_cache=cache is not None, cache=cache
    )
    return engine.check(list(paths) or [root], options, **rest)  # type: ignore[arg-type]


def places(findings: tuple[Finding, ...]) -> list[tuple[str, int, str]]:
    return [(Path(finding.path).name, finding.span.line, finding.code) for finding in findings]


def test_a_finding_has_our_lesson_heat_and_page(project: Path) -> None:
    (found,) = check(project).findings
    assert places((found,)) == [("app.py", 9, "S113")]
    rule = load_rules().find("S113")
    assert rule is not None
    assert (found.lesson, found.why, found.name) == (rule.lesson, rule.summary, "request-without-timeout")
    assert rule.page().startswith("# S113 request-without-timeout")
    assert found.heat_path
    assert "timeout" in found.message


def test_without_the_option_ruff_is_not_asked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("ruff was run"))
    assert engine.check([project], engine.Options(jobs=1, use_cache=False)).findings == ()


def test_standard_input_and_notebooks(project: Path) -> None:
    app = project / "app.py"
    moved = ("\n\n" + HANDLER).encode()
    assert places(check(project, app, overlay={app: moved}).findings) == [("app.py", 11, "S113")]
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# text"},
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": HANDLER},
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (project / "n.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (found,) = [finding for finding in check(project).findings if finding.path.endswith("n.ipynb")]
    assert (found.span.cell, found.span.line) == (2, 9)


def test_noqa_is_ruffs(project: Path) -> None:
    silenced = HANDLER.replace('8000").text\n', '8000").text  # noqa: S113\n', 1)
    (project / "app.py").write_text(silenced, encoding="utf-8")
    assert check(project).findings == ()


def test_an_output_format_shows_it_as_one_of_ours(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*RUFF, "--no-cache", "--output-format", "sarif", str(project)]) == 1
    (log,) = json.loads(capsys.readouterr().out)["runs"]
    (rule,) = log["tool"]["driver"]["rules"]
    assert rule["id"] == "S113"
    assert rule["help"]["markdown"].startswith("# S113 request-without-timeout")
    assert "lesson:tcp-ip" in rule["properties"]["tags"]


class TestSettingsOfTheProject:
    """Codes that the project's own configuration of ruff enables for a file are left to it."""

    @pytest.mark.parametrize(
        ("name", "text", "left"),
        [
            ("pyproject.toml", '[tool.ruff.lint]\nselect = ["S"]\n', True),
            ("ruff.toml", '[lint]\nextend-select = ["S113"]\n', True),
            (".ruff.toml", '[lint]\nselect = ["ALL"]\n', True),
            ("pyproject.toml", '[tool.ruff.lint]\nselect = ["E"]\n', False),
            ("pyproject.toml", "[tool.black]\nline-length = 100\n", False),
            ("ruff.toml", '[lint]\nselect = ["S"]\nignore = ["S113"]\n', False),
        ],
    )
    def test_left_if_enabled(self, project: Path, name: str, text: str, left: bool) -> None:
        (project / name).write_text(text, encoding="utf-8")
        assert places(check(project).findings) == ([] if left else [("app.py", 9, "S113")])

    def test_the_nearest_settings_count_for_each_file(self, project: Path) -> None:
        (project / "own").mkdir()
        (project / "own" / "ruff.toml").write_text('[lint]\nselect = ["S113"]\n', encoding="utf-8")
        (project / "own" / "app.py").write_text(HANDLER, encoding="utf-8")
        found = check(project).findings
        assert [Path(finding.path).relative_to(project).as_posix() for finding in found] == ["app.py"]

    def test_a_change_of_settings_is_seen_through_the_cache(self, project: Path, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        assert len(check(project, project / "app.py", cache=cache).findings) == 1
        (project / "ruff.toml").write_text('[lint]\nselect = ["S113"]\n', encoding="utf-8")
        assert check(project, project / "app.py", cache=cache).findings == ()

    def test_no_settings_of_the_project_reach_the_run(self, project: Path) -> None:
        """Neither an exclusion nor a demand for another version of ruff."""
        text = 'exclude = ["*"]\n[lint]\nselect = ["E"]\n[lint.per-file-ignores]\n"*" = ["S113"]\n'
        (project / "ruff.toml").write_text(text, encoding="utf-8")
        assert places(check(project).findings) == [("app.py", 9, "S113")]

    def test_settings_that_ruff_cannot_read_cost_a_notice(self, project: Path) -> None:
        (project / "ruff.toml").write_text("select = [", encoding="utf-8")
        report = check(project)
        assert places(report.findings) == [("app.py", 9, "S113")]
        (notice,) = report.notices
        assert "settings of ruff are not known" in notice.message

    def test_ruffs_own_words_are_understood(self) -> None:
        listed = "[\n\tuseless-expression (B018),\n\tsome-name (S113),\n]\n"
        printed = f"x\nlinter.rules.enabled = {listed}other = [\n\ty (E1),\n]\n"
        assert configured._codes(printed) == {"B018", "S113"}


class TestDying:
    DEEP = "x = " + "+".join(["a"] * 5000) + "\n"

    def test_ours_stay_and_one_notice_says_it(self, project: Path, tmp_path: Path) -> None:
        """With several files, ruff parses in threads, whose stack a sum of 5,000 terms overflows."""
        (project / "deep.py").write_text(self.DEEP, encoding="utf-8")
        (project / "ours.py").write_text(OURS, encoding="utf-8")
        for cache in (None, tmp_path / "cache", tmp_path / "cache"):
            report = check(project, cache=cache)
            notices = [notice.message for notice in report.notices if "ruff" in notice.message]
            if ("app.py", 9, "S113") in places(report.findings):
                pytest.skip("this ruff survives")
            assert places(report.findings) == [("ours.py", 10, "MLS716")]
            assert len(notices) == 1
            assert "findings of ruff's rules are missing" in notices[0]

    def test_what_was_missing_is_not_kept(self, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cache = tmp_path / "cache"
        with monkeypatch.context() as patch:
            patch.setattr(ruff, "_output", lambda *_: (_ for _ in ()).throw(ruff.RuffError("ruff ended")))
            assert check(project, cache=cache).findings == ()
        assert places(check(project, cache=cache).findings) == [("app.py", 9, "S113")]

    @pytest.mark.parametrize("output", [b"", b"not json", b'{"a": 1}', b'[{"code": 1}]'])
    def test_output_that_is_no_answer(self, output: bytes) -> None:
        with pytest.raises(ruff.RuffError):
            list(ruff._read(output))

    def test_a_syntax_error_is_no_finding(self, project: Path) -> None:
        (project / "broken.py").write_text("def f(:\n", encoding="utf-8")
        assert places(check(project).findings) == [("app.py", 9, "S113")]


class TestProcess:
    def test_ruff_runs_once_and_not_again_on_what_has_not_changed(
        self, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(5):
            (project / f"m{number}.py").write_text(HANDLER, encoding="utf-8")
        asked: list[list[str]] = []
        original = ruff.findings

        def counted(files: object, codes: object) -> object:
            asked.append(sorted(path.name for path in files))  # type: ignore[attr-defined]
            return original(files, codes)  # type: ignore[arg-type]

        monkeypatch.setattr(ruff, "findings", counted)
        cache = tmp_path / "cache"
        assert len(check(project, cache=cache).findings) == 6
        assert len(check(project, cache=cache).findings) == 6
        (project / "m3.py").write_text("\n" + HANDLER, encoding="utf-8")
        assert len(check(project, cache=cache).findings) == 6
        assert [len(files) for files in asked] == [6, 1]

    def test_thousands_of_names_fit(self, project: Path) -> None:
        files = [project / f"{'long_' * 20}{number}.py" for number in range(3000)]
        for file in files[:3]:
            file.write_text("import requests\nrequests.get('x')\n", encoding="utf-8")
        found = ruff.findings([*files[:3], project / "app.py"], {"S113"})
        assert len(found) == 4

    @pytest.mark.parametrize("name", ["a b.py", 'it\'s "quoted".py', "@at.py", "\u00e9.py", "#hash.py", "$HOME.py"])
    def test_odd_names(self, project: Path, name: str) -> None:
        try:
            (project / name).write_text(HANDLER, encoding="utf-8")
        except OSError:
            pytest.skip("this system has no such names")
        assert places(check(project).findings) == sorted([("app.py", 9, "S113"), (name, 9, "S113")])

    def test_the_binary_is_the_installed_modules(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither a folder of that name nor a program on the path of the project counts."""
        (project / "ruff").mkdir()
        (project / "ruff" / "__init__.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
        program = project / "bin" / "ruff"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\necho run >&2; exit 3\n", encoding="utf-8")
        program.chmod(0o755)
        environment = os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
        command = [sys.executable, "-m", "mlsys_advise", *RUFF, "--no-cache", "--output-format", "concise", "app.py"]
        ended = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)
        assert "app.py:9:12: warning[S113]" in ended.stdout, ended.stderr
        assert ended.returncode == 1

    def test_variables_of_ruffs_have_no_effect(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RUFF_OUTPUT_FORMAT", "github")
        monkeypatch.setenv("RUFF_NO_CACHE", "false")
        assert places(check(project).findings) == [("app.py", 9, "S113")]
        assert not (project / ".ruff_cache").exists()


class TestCommandLine:
    def test_ruff_that_is_not_installed(
        self, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "ruff", None)
        ruff.binary.cache_clear()
        try:
            assert run([*RUFF, "--no-cache", str(project)]) == 2
        finally:
            ruff.binary.cache_clear()
        assert "pip install 'mlsys-advise[ruff]'" in capsys.readouterr().err

    def test_a_rule_of_ruffs_needs_the_option(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["--select", "S113", "--no-cache", str(project)]) == 0
        assert "S113 is found by ruff, so it takes part only with --ruff" in capsys.readouterr().err

    def test_the_setting_is_the_option(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (project / "mlsys-advise.toml").write_text("ruff = true\nextend-select = ['S113']\n", encoding="utf-8")
        assert run(["--no-cache", "--output-format", "concise", str(project)]) == 1
        assert "warning[S113]" in capsys.readouterr().out

    def test_a_comment_of_ours_silences_it(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        silenced = HANDLER.replace('8000").text\n', '8000").text  # mlsys: ignore[S113] local\n', 1)
        (project / "app.py").write_text(silenced, encoding="utf-8")
        assert run([*RUFF, "--no-cache", str(project)]) == 0
        assert "S113" not in capsys.readouterr().out

    def test_selection_and_ignoring(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["--ruff", "--select", "MLS4", "--no-cache", str(project)]) == 0
        assert run(["--ruff", "--no-cache", str(project)]) == 0
        assert "its rules take part by name" in capsys.readouterr().err
        assert run(["--ruff", "--select", "S113", "--no-cache", str(project)]) == 1

    def test_the_page_and_the_table(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["rule", "S113"]) == 0
        assert "request-without-timeout" in capsys.readouterr().out
        assert run(["rules"]) == 0
        assert "ASYNC210" in capsys.readouterr().out

    def test_why_is_for_rules_of_ours(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["why", "S113", f"{project / 'app.py'}:9"]) == 2
        assert "S113 is found by ruff" in capsys.readouterr().err
