"""Settings files: what they may say, which of them counts, and how a broken one is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from mlsys_advise.finding import Severity
from mlsys_advise.project import layout
from mlsys_advise.settings import choices, files
from mlsys_advise.settings.layer import CONTEXTS, FREQUENCIES, Layer, merged
from mlsys_advise.usage import UsageError
from tests.advised import COLLECT, TRAIN, Advised, advised
from tests.settings.malformed import malformed

__all__ = ["advised"]

FOUND = ("train.py", COLLECT, "MLS401")


def load(file: Path) -> tuple[Layer, ...]:
    layout.forget()
    return files.load(file, lambda selector: "" if selector.startswith("MLS") else f"there is no rule {selector}")


def refusal(folder: Path, text: str, name: str = "mlsys-advise.toml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(folder / name)
    return str(caught.value)


# -- what they say


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mlsys-advise.toml", 'ignore = ["MLS401"]'),
        ("pyproject.toml", '[tool.mlsys-advise]\nignore = ["MLS401"]'),
        ("pyproject.toml", 'tool.mlsys-advise.ignore = ["gc-collect-in-hot-path"]'),
    ],
)
def test_both_files_say_the_same(advised: Advised, name: str, text: str) -> None:
    (advised.folder / "mlsys-advise.toml").unlink()
    advised.write({"train.py": TRAIN, ".git/HEAD": ""})
    assert advised.findings(".") == [FOUND]
    advised.write({name: text})
    assert advised.findings(".") == []
    assert advised.findings(".", "--isolated") == [FOUND]


def test_beside_each_other_the_one_of_its_own_name_counts(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "pyproject.toml": '[tool.mlsys-advise]\nignore = ["MLS401"]'})
    assert advised.findings(".") == [FOUND]


def test_the_nearest_counts_for_each_file(advised: Advised) -> None:
    advised.write(
        {
            "mlsys-advise.toml": 'ignore = ["MLS401"]',
            "a/train.py": TRAIN,
            "b/other.py": TRAIN,
            "b/pyproject.toml": "[tool.mlsys-advise]\n",
        }
    )
    assert advised.findings(".") == [("other.py", COLLECT, "MLS401")]


def test_extended_files_come_first(advised: Advised) -> None:
    advised.write(
        {
            "base/settings.toml": 'select = ["MLS4"]\nextend-exclude = ["gen"]\n[per-file-ignores]\n"x.py" = ["MLS4"]',
            "mlsys-advise.toml": (
                'extend = "base/settings.toml"\nextend-select = ["MLS716"]\nextend-exclude = ["vendor"]'
            ),
            "train.py": TRAIN,
            "x.py": TRAIN,
            "base/x.py": TRAIN,
            "gen/a.py": TRAIN,
            "base/gen/a.py": TRAIN,
            "vendor/a.py": TRAIN,
        }
    )
    shown = advised("--show-settings", ".").out
    assert f'select = ["MLS4"]  # {Path("base/settings.toml")}:1:1' in shown
    assert 'extend-select = ["MLS716"]  # mlsys-advise.toml:2:1' in shown
    assert "# rules in force: MLS401, MLS413, MLS716\n" in shown
    # Patterns are relative to the file that has them.
    listed = {Path(line).as_posix() for line in advised("--show-files", ".").out.splitlines()}
    assert listed == {"train.py", "x.py", "base/x.py", "gen/a.py"}
    assert {(name, code) for name, _, code in advised.findings("base", "x.py")} == {("x.py", "MLS401")}
    assert advised.findings("base") == []


def test_per_file_ignores(advised: Advised) -> None:
    advised.write(
        {
            "mlsys-advise.toml": '[per-file-ignores]\n"tests/**" = ["MLS4"]\n"!src/**" = ["gc-collect-in-hot-path"]',
            "tests/a/train.py": TRAIN,
            "train.py": TRAIN,
            "src/train.py": TRAIN,
        }
    )
    result = advised("--output-format", "concise", "-q", ".")
    assert [line.split(":")[0] for line in result.out.splitlines()] == [str(Path("src/train.py"))]


def test_the_severity_of_a_rule(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "mlsys-advise.toml": '[rules]\nMLS4 = {severity = "info"}\n'})
    result = advised(".")
    assert result.status == 0
    assert "info[MLS401]" in result.out
    advised.write({"mlsys-advise.toml": '[rules.MLS4]\nseverity = "info"\n[rules.MLS401]\nseverity = "error"\n'})
    assert "error[MLS401]" in advised(".").out


@pytest.mark.parametrize(
    ("text", "status"),
    [('fail-on = "error"', 0), ('fail-on = "warning"', 1), ('[rules.MLS4]\nseverity = "info"', 0),
     ('fail-on = "info"\n[rules.MLS4]\nseverity = "info"', 1)],
)  # fmt: skip
def test_the_severity_that_fails(advised: Advised, text: str, status: int) -> None:
    advised.write({"train.py": TRAIN, "mlsys-advise.toml": text})
    assert advised(".").status == status
    assert advised(".", "--fail-on", "info").status == 1


def test_the_format(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "mlsys-advise.toml": 'output-format = "concise"'})
    assert advised(".").out.startswith(f"train.py:{COLLECT}:9: warning[MLS401]")
    assert advised(".", "--output-format", "json").findings == [FOUND]


def test_the_required_version(tmp_path: Path) -> None:
    (tmp_path / "mlsys-advise.toml").write_text('required-version = ">=0.1"\ntarget = "x"\n')
    assert load(tmp_path / "mlsys-advise.toml")[0].target == ("x",)
    says = refusal(tmp_path, 'new-key = 1\nrequired-version = ">=99"\n')
    assert ":2:1: mlsys-advise >=99 is required here; this is 0.1" in says


# -- how a broken one is refused


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('selct = ["MLS4"]', ":1:1: unknown key 'selct'; did you mean 'select'?"),
        ("\n[per_file_ignores]\n", ":2:2: unknown key 'per_file_ignores'; did you mean 'per-file-ignores'?"),
        ("frobnicate = 1", ":1:1: unknown key 'frobnicate'; the keys are extend, required-version, select"),
        ('select = ["MLS4",\n  "X1"]', ":2:3: select: there is no rule X1"),
        ('select = "MLS4"', ":1:1: select should be a valid list, not 'MLS4'"),
        ("preview = 1\nignore = [2]", ":1:1: preview should be a valid boolean, not 1 (and 1 more)"),
        ('fail-on = "warn"', ":1:1: fail-on should be 'info', 'warning' or 'error', not 'warn'"),
        ('context = ["trainin"]', ":1:12: context: 'trainin' is none of training, "),
        ('context = ["trainin"]', "did you mean 'training'?"),
        ('[rules.MLS4]\nseverty = "info"', ":2:1: unknown key 'severty'; did you mean 'severity'?"),
        ("target = [1]", ":1:11: target should be a valid string"),
        ("select = [", ":1:11: is not valid TOML: invalid value"),
        ("a = 1\na = 2", ":2:6: is not valid TOML: cannot overwrite a value"),
        ("extend = 'gone.toml'", ":1:1: there is no file "),
        ("extend = 'mlsys-advise.toml'", ":1:1: the settings extend themselves"),
    ],
)
def test_the_message_names_the_place_and_what_would_be_right(tmp_path: Path, text: str, says: str) -> None:
    message = refusal(tmp_path, text)
    assert "mlsys-advise.toml:" in message
    assert says in message


def test_in_pyproject_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n\n[tool.mlsys-advise]\nselct = []\n'
    assert "pyproject.toml:5:1: unknown key 'selct'" in refusal(tmp_path, text, "pyproject.toml")
    says = refusal(tmp_path, "[tool]\nmlsys-advise = 3\n", "pyproject.toml")
    assert "pyproject.toml:2:1: tool.mlsys-advise must be a table" in says


def test_the_place_in_an_extended_file_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("\n\nselct = []")
    assert "base.toml:3:1: unknown key" in refusal(tmp_path, "extend = 'base.toml'")


@pytest.mark.parametrize("name", ["mlsys-advise.toml", "pyproject.toml"])
def test_two_hundred_malformed_files(advised: Advised, name: str) -> None:
    (advised.folder / "mlsys-advise.toml").unlink()
    advised.write({"train.py": TRAIN, ".git/HEAD": ""})
    head = b"[tool.mlsys-advise]\n" if name == "pyproject.toml" else b""
    line = re.compile(rf"mlsys-advise: {re.escape(name)}:\d+:\d+: [^\n]+\n")
    seen = set()
    for data in malformed(200):
        if head:
            data = data.replace(b"\n[", b"\n[tool.mlsys-advise.")
        (advised.folder / name).write_bytes(head + data)
        result = advised("train.py")
        assert (result.status, result.out) == (2, ""), data
        assert line.fullmatch(result.err), (data, result.err)
        seen.add(result.err.partition(": ")[2])
    assert len(seen) > 60  # they are not all the same mistake


@pytest.mark.parametrize("text", ["[tool.mlsys-advise\n", "x = [\n[tool.mlsys-advise]\n", "tool.mlsys-advise.x = [\n"])
def test_a_broken_pyproject_with_settings_of_ours(advised: Advised, text: str) -> None:
    (advised.folder / "mlsys-advise.toml").unlink()
    advised.write({"pyproject.toml": text, "train.py": TRAIN})
    result = advised("train.py")
    assert result.status == 2
    assert "pyproject.toml:" in result.err
    assert "is not valid TOML" in result.err


def test_a_broken_pyproject_of_others_is_not_ours(advised: Advised) -> None:
    (advised.folder / "mlsys-advise.toml").unlink()
    advised.write({"pyproject.toml": "[project\n", "train.py": TRAIN, ".git/HEAD": ""})
    assert advised.findings(".") == [FOUND]


# -- the command line over them


def test_an_option_is_stronger_than_a_pair_and_that_than_a_file(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "mlsys-advise.toml": 'fail-on = "error"\nmin-severity = "error"'})
    assert advised(".").out == "No findings in 1 file.\n"
    assert advised(".", "--config", 'min-severity="info"').status == 0
    shown = advised(".", "--config", 'min-severity="info"', "--fail-on", "warning", "--show-settings").out
    assert 'fail-on = "warning"  # command line\n' in shown
    assert 'min-severity = "info"  # --config\n' in shown
    assert "preview = false  # default\n" in shown


def test_a_file_named_by_config_counts_in_place_of_others(advised: Advised, tmp_path: Path) -> None:
    advised.write({"train.py": TRAIN, "mlsys-advise.toml": 'ignore = ["MLS4"]', "ours.toml": 'select = ["MLS4"]'})
    assert advised.findings(".") == []
    assert advised.findings(".", "--config", "ours.toml") == [FOUND]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--config", "gone.toml"], "--config gone.toml: there is no such file"),
        (["--config", "selct=[]"], "--config: unknown key 'selct'; did you mean 'select'?"),
        (["--config", "select=[MLS4]"], "--config: is not valid TOML"),
        (["--config", 'fail-on="warn"'], "--config: fail-on should be"),
        (["--per-file-ignores", "tests"], "write PATTERN:RULE"),
        (["--per-file-ignores", "tests/*:MLS9"], "there is no rule MLS9"),
        (["--context", "trainin"], "'trainin' is none of training"),
        (["--min-frequency", "daily"], "invalid choice: 'daily'"),
    ],
)
def test_mistakes_on_the_command_line(advised: Advised, argv: list[str], says: str) -> None:
    result = advised(".", *argv)
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert says in result.err


def test_settings_cannot_name_code_or_the_place_of_the_cache() -> None:
    from mlsys_advise.settings.model import SettingsFile

    keys = {name.replace("_", "-") for name in SettingsFile.model_fields}
    assert not {key for key in keys if re.search("cache|exec|command|python|plugin|pack|import", key)}


def test_the_words_are_those_of_the_engine() -> None:
    assert get_args(Severity) == choices.SEVERITIES
    assert tuple(CONTEXTS) == choices.CONTEXTS
    assert tuple(FREQUENCIES) == choices.FREQUENCIES


def test_what_nobody_said_is_the_default() -> None:
    settings = merged((Layer(), Layer()))
    assert (settings.fail_on, settings.origins, settings.respect_gitignore) == ("warning", {}, True)


def test_pydantic_is_imported_only_where_there_is_something_to_validate(tmp_path: Path) -> None:
    program = (
        "import sys; from mlsys_advise.command.dispatch import run;"
        "status = run(['--no-cache', '--select', 'MLS4', '.']); print('pydantic' in sys.modules, status)"
    )
    for text, expected in ((None, "False 0"), ("", "False 0"), ("preview = false", "True 0")):
        if text is not None:
            (tmp_path / "mlsys-advise.toml").write_text(text)
        command = [sys.executable, "-P", "-c", program]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == expected
