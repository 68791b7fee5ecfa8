"""The files by which others take us in are what their consumers accept, and name options that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlsys_advise.command.arguments import parse
from mlsys_advise.languages import dockerfile
from mlsys_advise.settings.choices import FORMATS
from tests.integrations.snippets import REPOSITORY, snippets

INTEGRATIONS = snippets("integrations.md")
ACTIONLINT = shutil.which("actionlint", path=str(Path(sys.executable).parent)) or shutil.which("actionlint")


def accepted(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    ("title", "schema"),
    [
        (".github/workflows/mlsys-advise.yml", "github-workflows"),
        (".gitlab-ci.yml", "gitlab-ci"),
        ("azure-pipelines.yml", "azure-pipelines"),
    ],
)
def test_snippets_are_what_their_schema_wants(title: str, schema: str, tmp_path: Path) -> None:
    path = tmp_path / Path(title).name
    path.write_text(INTEGRATIONS[title], encoding="utf-8")
    accepted(schema, path)


def test_the_action_is_one() -> None:
    accepted("github-actions", REPOSITORY / "action.yml")


@pytest.mark.skipif(ACTIONLINT is None, reason="actionlint is not installed")
def test_actionlint_has_nothing_to_say_of_a_workflow_that_uses_the_action(tmp_path: Path) -> None:
    """The action is taken from the checkout, so that its inputs are checked too."""
    workflow = re.sub(r"uses: OWNER/mlsys-advise@\S+", "uses: ./", INTEGRATIONS[".github/workflows/mlsys-advise.yml"])
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "advise.yml").write_text(workflow, encoding="utf-8")
    shutil.copy(REPOSITORY / "action.yml", tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert ACTIONLINT is not None
    assert _said_by_actionlint(tmp_path) == ""
    (folder / "advise.yml").write_text(workflow.replace("sarif: true", "serif: true"), encoding="utf-8")
    assert "serif" in _said_by_actionlint(tmp_path)


def _said_by_actionlint(folder: Path) -> str:
    assert ACTIONLINT is not None
    command = [ACTIONLINT, "-no-color"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return ended.stdout + ended.stderr


class TestAction:
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))

    def test_every_input_is_used_and_in_the_guide(self) -> None:
        text = (REPOSITORY / "action.yml").read_text(encoding="utf-8")
        guide = (REPOSITORY / "docs" / "integrations.md").read_text(encoding="utf-8")
        for name, about in self.action["inputs"].items():
            assert f"inputs.{name}" in text
            default = f" `{about['default']}` " if about["default"] else " "
            assert f"| `{name}` |{default}|" in guide

    def test_no_input_is_pasted_into_a_script(self) -> None:
        scripts = [step["run"] for step in self.action["runs"]["steps"] if "run" in step]
        assert scripts
        assert not any("${{" in script for script in scripts)

    @pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
    @pytest.mark.parametrize("sarif", ["true", "false"])
    @pytest.mark.parametrize("fail", ["true", "false"])
    def test_its_check_does_what_the_inputs_say(self, sarif: str, fail: str, tmp_path: Path) -> None:
        project = tmp_path / "a project"
        project.mkdir()
        (project / "app.py").write_text(HANDLER, encoding="utf-8")
        (step,) = [step for step in self.action["runs"]["steps"] if step.get("id") == "check"]
        summary, output = tmp_path / "summary", tmp_path / "output"
        program = tmp_path / "mlsys-advise"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m mlsys_advise "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        environment = {
            "PATH": "/usr/bin:/bin",
            "MLSYS_ADVISE_BIN": str(program),
            "MLSYS_ADVISE_CACHE_DIR": str(tmp_path / "cache"),
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_OUTPUT": str(output),
            "PATHS": "a project\n",
            "OPTIONS": "--select=MLS716\n--isolated\n",
            "RUFF": "false",
            "SARIF": sarif,
            "SUMMARY": "true",
            "ANNOTATIONS": "true",
            "FAIL": fail,
        }
        ended = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", step["run"]],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == (1 if fail == "true" else 0), ended.stderr
        assert ended.stdout.startswith("::error title=MLS716 untrusted-unpickling,file=a project/app.py,line=")
        assert "| error | MLS716 untrusted-unpickling |" in summary.read_text(encoding="utf-8")
        assert (tmp_path / "mlsys-advise.sarif").is_file() == (sarif == "true")
        assert output.is_file() == (sarif == "true")


HANDLER = """\
import pickle

from flask import Flask, request

app = Flask(__name__)


@app.post("/")
def load():
    return pickle.loads(request.data)
"""


def test_commands_in_the_guide_parse() -> None:
    guide = (REPOSITORY / "docs" / "integrations.md").read_text(encoding="utf-8")
    commands = re.findall(r"^.*?\bmlsys-advise ((?:--?\S.*|check .*)?\.)(?:\s*$|\s*[|>']|'$)", guide, re.MULTILINE)
    assert len(commands) >= 6
    for command in commands:
        assert parse(command.split()).command == "check"
    listed = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", guide.partition("## Formats")[2], re.MULTILINE)
    assert [name for row in listed for name in re.findall(r"`([a-z-]+)`", row)] == list(FORMATS)


class TestImage:
    """Read by our own front end; it is not built here."""

    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")

    def test_it_copies_what_the_wheel_is_made_of(self) -> None:
        assert dockerfile.parse(self.text, "Dockerfile").image
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", self.text, re.MULTILINE)
        sources = {name for line in copied for name in line.split()}
        assert all((REPOSITORY / name).exists() for name in sources)
        assert {"advisor", "rules", "calibration", "pyproject.toml", "README.md", "LICENSE"} <= sources
        admitted = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
        assert {f"!{name}" for name in sources} <= set(admitted)

    def test_it_runs_without_privileges(self) -> None:
        last = self.text.rpartition("FROM ")[2]
        assert "\nUSER advisor\n" in last
        assert 'ENTRYPOINT ["/opt/mlsys-advise/bin/mlsys-advise"]' in last
