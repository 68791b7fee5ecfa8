"""The options of ``check`` with the real engine: which files, which findings, in which order, and what is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mlsys_advise.command import watching
from tests.advised import COLLECT, TRAIN, Advised, advised

__all__ = ["advised"]

FOUND = ("train.py", COLLECT, "MLS401")
SERVE = """\
import gc

from fastapi import FastAPI

app = FastAPI()


@app.post("/predict")
def predict(text: str):
    gc.collect()
    return text
"""


def listed(advised: Advised, *argv: str) -> list[str]:
    result = advised("--show-files", *(argv or (".",)))
    assert result.status == 0, result.err
    return [Path(line).as_posix() for line in result.out.splitlines()]


@pytest.fixture
def tree(advised: Advised) -> Advised:
    advised.write({"a.py": "", "gen/b.py": "", "build/c.py": "", "sub/gen/d.py": "", ".gitignore": "ignored.py\n"})
    advised.write({"ignored.py": "", "e.yaml": "x: 1\n", "notes.txt": "no\n", ".git/HEAD": ""})
    return advised


# -- which files


def test_show_files_names_what_would_be_checked(tree: Advised) -> None:
    assert listed(tree) == ["a.py", "e.yaml", "gen/b.py", "sub/gen/d.py"]
    assert listed(tree, "sub") == ["sub/gen/d.py"]


def test_exclude_replaces_the_built_in_list_and_extend_exclude_adds(tree: Advised) -> None:
    assert listed(tree, "--exclude", "gen", ".") == ["a.py", "build/c.py", "e.yaml"]
    assert listed(tree, "--extend-exclude", "/gen,*.yaml", ".") == ["a.py", "sub/gen/d.py"]
    assert listed(tree, "--exclude", "gen", "--extend-exclude", "a.py", ".") == ["build/c.py", "e.yaml"]


def test_patterns_of_the_command_line_are_relative_to_where_it_is_typed(
    tree: Advised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree.folder / "sub")
    names = [Path(line).name for line in listed(tree, "--extend-exclude", "/gen/d.py", "..")]
    assert names == ["a.py", "e.yaml", "b.py"]


def test_what_git_ignores(tree: Advised) -> None:
    assert "ignored.py" in listed(tree, "--no-respect-gitignore", ".")
    assert "ignored.py" not in listed(tree, "--respect-gitignore", ".")
    tree.write({"mlsys-advise.toml": "respect-gitignore = false"})
    assert "ignored.py" in listed(tree)
    assert "ignored.py" not in listed(tree, "--respect-gitignore", ".")


def test_a_file_that_is_named_is_checked_unless_exclusion_is_forced(tree: Advised) -> None:
    assert listed(tree, "build/c.py", "a.py") == ["a.py", "build/c.py"]
    assert listed(tree, "--force-exclude", "build/c.py", "a.py") == ["a.py"]
    tree.write({"mlsys-advise.toml": 'force-exclude = true\nextend-exclude = ["a.py"]'})
    assert listed(tree, "build/c.py", "a.py") == []
    assert listed(tree, "--no-force-exclude", "a.py") == ["a.py"]
    result = tree("--force-exclude", "a.py")
    assert (result.status, result.out) == (0, "No findings in 0 files.\n")


def test_each_project_is_excluded_from_by_its_own_settings(tree: Advised) -> None:
    tree.write({"sub/mlsys-advise.toml": 'extend-exclude = ["gen"]'})
    assert listed(tree) == ["a.py", "e.yaml", "gen/b.py"]


# -- which findings


def test_opt_in_rules_must_be_named(advised: Advised) -> None:
    shown = advised("--show-settings", "--extend-select", "MLS514,MLS1", ".")
    assert shown.out == ""  # no file, no project
    advised.write({"a.py": ""})
    shown = advised("--show-settings", "--extend-select", "MLS514,MLS1", ".").out
    assert "MLS514" in shown.splitlines()[-2]
    assert "MLS101" not in shown.splitlines()[-2]


def test_context_and_frequency(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "serve.py": SERVE})
    assert {name for name, _, code in advised.findings(".") if code == "MLS401"} == {"train.py", "serve.py"}
    assert advised.findings(".", "--context", "training") == [FOUND]
    assert {name for name, _, _ in advised.findings(".", "--context", "serving,decoding")} == {"serve.py"}
    assert FOUND in advised.findings(".", "--min-frequency", "step")
    assert advised.findings(".", "--min-frequency", "element") == []
    assert advised.findings(".", "--context", "setup") == []


def test_severities(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    assert advised.findings(".", "--min-severity", "warning") == [FOUND]
    result = advised(".", "--min-severity", "error")
    assert (result.status, result.out) == (0, "No findings in 1 file.\n")
    assert advised(".", "--fail-on", "error").status == 0
    assert advised(".", "--fail-on", "info", "--exit-zero").status == 0


def test_per_file_ignores(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "tests/train.py": TRAIN})
    result = advised("-q", "--output-format", "concise", "--per-file-ignores", "tests/**:MLS4", ".")
    assert [line.split(":")[0] for line in result.out.splitlines()] == ["train.py"]


def test_sorting(advised: Advised) -> None:
    advised.write({"b.py": TRAIN, "a.py": TRAIN, "mlsys-advise.toml": '[rules.MLS401]\nseverity = "warning"'})
    assert [name for name, _, _ in advised.findings(".", "--sort", "path")] == ["a.py", "b.py"]
    advised.write({"c.py": "x = 1  # mlsys: ignore[MLS401]\n"})
    by_severity = [code for _, _, code in advised.findings(".", "--sort", "severity")]
    assert by_severity == ["MLS401", "MLS401", "MLS001"]
    assert [code for _, _, code in advised.findings(".", "--sort", "rule")] == ["MLS001", "MLS401", "MLS401"]
    assert [code for _, _, code in advised.findings(".", "--sort", "heat")] == ["MLS401", "MLS401", "MLS001"]


def test_statistics(advised: Advised) -> None:
    advised.write({"b.py": TRAIN, "a.py": TRAIN, "c.py": "x = 1  # mlsys: ignore[MLS401]\n"})
    result = advised("--statistics", ".")
    assert result.out == "2  MLS401  gc-collect-in-hot-path\n1  MLS001  unused-suppression\n"
    assert result.status == 1


# -- settings as they are shown


def test_show_settings_is_toml_with_origins(advised: Advised) -> None:
    import tomllib

    advised.write(
        {
            "a.py": "",
            "mlsys-advise.toml": (
                'select = ["MLS4"]\n\nextend-exclude = ["gen"]\ntarget = "h100"\n[per-file-ignores]\n"x" = ["MLS4"]\n'
            ),
        }
    )
    out = advised("--show-settings", "--ignore", "MLS413", ".").out
    content = tomllib.loads(out)
    assert content["select"] == ["MLS4"]
    assert content["ignore"] == ["MLS413"]
    assert content["target"] == ["h100"]
    assert content["per-file-ignores"] == {"x": ["MLS4"]}
    assert 'extend-exclude = ["gen"]  # mlsys-advise.toml:3:1\n' in out
    assert 'ignore = ["MLS413"]  # command line\n' in out
    assert 'fail-on = "warning"  # default\n' in out
    assert "# rules in force: MLS401\n" in out


# -- the first run


def test_the_first_run_says_where_to_begin(advised: Advised) -> None:
    (advised.folder / "mlsys-advise.toml").unlink()
    (advised.folder / ".git").mkdir()
    different = {f"train{n}.py": TRAIN.replace("def train", f"def train{n}") for n in range(6)}
    advised.write(different)
    lines = advised(".").out.splitlines()
    begin = lines.index("Where to begin:")
    assert lines[begin - 2] == "Found 6 findings (6 warnings) in 6 files."
    assert lines[begin + 1] == "  train0.py:12:9  MLS401 gc-collect-in-hot-path (each training step)"
    assert lines[begin + 4 :] == [
        "3 more remain.",
        "  mlsys-advise rule MLS401         why it costs, and what to do",
        "  mlsys-advise --write-baseline .  accept what there is, and hear only of what is new",
    ]


@pytest.mark.parametrize("options", [["-q"], ["--output-format", "concise"], ["--statistics"]])
def test_what_is_short_stays_short(advised: Advised, options: list[str]) -> None:
    (advised.folder / "mlsys-advise.toml").unlink()
    (advised.folder / ".git").mkdir()
    advised.write({f"train{n}.py": TRAIN.replace("def train", f"def train{n}") for n in range(6)})
    assert "Where to begin" in advised(".").out
    assert "Where to begin" not in advised(".", *options).out


def test_a_project_that_is_set_up_or_has_few_findings_needs_no_beginning(advised: Advised) -> None:
    advised.write({f"train{n}.py": TRAIN.replace("def train", f"def train{n}") for n in range(6)})
    assert "Where to begin" not in advised(".").out
    (advised.folder / "mlsys-advise.toml").unlink()
    (advised.folder / ".git").mkdir()
    for number in range(3, 6):
        (advised.folder / f"train{number}.py").unlink()
    assert "Where to begin" not in advised(".").out


# -- watching


def test_watching_checks_again_after_a_change(advised: Advised, monkeypatch: pytest.MonkeyPatch) -> None:
    advised.write({"train.py": TRAIN})
    moves = iter(
        [
            lambda: None,
            lambda: advised.write({"train.py": TRAIN.replace("gc.collect()", "pass")}),
            lambda: None,
            lambda: advised.write({"mlsys-advise.toml": "selct = ["}),
            lambda: advised.write({"mlsys-advise.toml": "", "other.py": TRAIN}),
        ]
    )

    def wait(seconds: float) -> None:
        assert seconds >= 0.5
        next(moves, interrupt)()

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watching.time, "sleep", wait)
    monkeypatch.setattr(watching.run, "__kwdefaults__", {"wait": wait})
    with pytest.raises(KeyboardInterrupt):
        advised("--watch", "--no-cache", "--output-format", "concise", "-q", ".")
    captured = advised.capsys.readouterr()
    assert captured.out.count("MLS401") == 2
    assert captured.out.splitlines()[0].startswith("train.py:12")
    assert captured.out.splitlines()[-1].startswith("other.py:12")
    assert captured.err.count("Watching for changes; Ctrl-C ends it.\n") == 4
    assert "mlsys-advise: mlsys-advise.toml:1:10: is not valid TOML" in captured.err


def test_standard_input_cannot_be_watched(advised: Advised) -> None:
    result = advised("--watch", "--stdin-filename", "a.py")
    assert result.status == 2


# -- the same from every surface


def test_a_command_named_and_unnamed_are_the_same(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    assert advised(".") == advised("check", ".")


def test_standard_input_has_the_settings_of_its_file(advised: Advised, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    advised.write({"sub/train.py": TRAIN, "mlsys-advise.toml": '[per-file-ignores]\n"sub/*" = ["MLS4"]'})

    def given(name: str) -> list[tuple[str, int, str]]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TRAIN.encode())))
        return advised.findings("-", "--stdin-filename", name)

    assert given(os.path.join("sub", "train.py")) == []  # noqa: PTH118
    assert given("new.py") == [("new.py", COLLECT, "MLS401")]
    (advised.folder / "mlsys-advise.toml").write_text('extend-exclude = ["new.py"]')
    assert given("new.py") == [("new.py", COLLECT, "MLS401")]
    (advised.folder / "mlsys-advise.toml").write_text('extend-exclude = ["new.py"]\nforce-exclude = true')
    assert given("new.py") == []


def test_json_of_the_examples_is_the_same_cold_and_warm_with_settings(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "mlsys-advise.toml": '[rules.MLS401]\nseverity = "error"'})
    runs = [advised("--cache-dir", advised.cache, "--output-format", "json", ".") for _ in range(2)]
    assert runs[0] == runs[1]
    assert json.loads(runs[0].out)[0]["severity"] == "error"
