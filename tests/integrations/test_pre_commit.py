"""The hook of pre-commit, from a local clone, in a scratch repository: the same answer as over the whole tree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integrations.snippets import REPOSITORY, snippets

HELPER = """\
import gc


def free_memory():
    gc.collect()
"""
LOOP = """\
from torch.utils.data import DataLoader

from memory import free_memory


def train(model, dataset, optimizer):
    for batch in DataLoader(dataset, batch_size=8):
        model(batch).loss.backward()
        optimizer.step()
        free_memory()
"""


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as it stands, committed to a repository of its own."""
    folder = tmp_path_factory.mktemp("clone")
    listed = git(REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, listed):
        if name.startswith(("advisor/", "rules/", "calibration/", "py", "README", "LICENSE", ".pre-commit-hooks")):
            source = REPOSITORY / name
            if source.is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(source.read_bytes())
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "state")
    return folder


@pytest.fixture(scope="module")
def scratch(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scratch")
    (folder / "train.py").write_text(LOOP, encoding="utf-8")
    (folder / "memory.py").write_text(HELPER.replace("    gc.collect()", "    pass"), encoding="utf-8")
    hook = {"id": "mlsys-advise", "args": ["--no-cache", "-j", "1"]}
    repos = [{"repo": clone.as_uri(), "rev": git(clone, "rev-parse", "HEAD").strip(), "hooks": [hook]}]
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": repos}), encoding="utf-8")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "state")
    return folder


def pre_commit(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    home = folder.parent / f"{folder.name}-home"
    environment = os.environ | {"PRE_COMMIT_HOME": str(home), "GIT_CONFIG_GLOBAL": os.devnull}
    command = [sys.executable, "-m", "pre_commit", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def findings(text: str) -> list[str]:
    return [line for line in text.splitlines() if re.match(r"\S+:\d+:\d+: ", line)]


def test_one_changed_file_whose_finding_depends_on_another(scratch: Path) -> None:
    (scratch / "memory.py").write_text(HELPER, encoding="utf-8")
    git(scratch, "add", "memory.py")
    ended = pre_commit(scratch, "run", "--verbose")
    if "Could not find a version" in ended.stdout or "Connection" in ended.stdout:
        pytest.skip("the packages that the hook needs cannot be fetched here")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    (found,) = findings(ended.stdout)
    assert found.startswith("memory.py:5:5: warning[MLS401]")
    command = [sys.executable, "-P", "-m", "mlsys_advise", "--no-cache", "--output-format", "concise", "."]
    whole = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=120, check=False)
    assert findings(whole.stdout) == [found]
    every = pre_commit(scratch, "run", "--all-files", "--verbose")
    assert findings(every.stdout) == [found]


def test_the_hook_is_one_process_for_what_we_read() -> None:
    (hook,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["require_serial"] is True
    assert hook["types_or"] == ["python", "jupyter", "yaml", "dockerfile", "shell"]


def test_the_guides_configuration_and_the_manifest_are_valid(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(snippets("integrations.md")[".pre-commit-config.yaml"], encoding="utf-8")
    assert pre_commit(tmp_path, "validate-config", "config.yaml").returncode == 0
    assert pre_commit(tmp_path, "validate-manifest", str(REPOSITORY / ".pre-commit-hooks.yaml")).returncode == 0
