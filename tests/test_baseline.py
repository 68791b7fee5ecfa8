"""Baselines: what they accept and go on accepting while code moves about, and what they say is gone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.advised import TRAIN, Advised, advised
from tests.repository import commit, git

__all__ = ["advised"]

NAME = "mlsys-advise-baseline.json"
SECOND = TRAIN.replace("def train", "def again").replace("gc.collect()", "gc.collect(  )")


def write(advised: Advised, *argv: str) -> None:
    result = advised("--no-cache", "--write-baseline", *(argv or (".",)))
    assert result.status == 0, result.err


def new(advised: Advised, *argv: str) -> list[tuple[str, int, str]]:
    return advised.findings(*(argv or (".",)))


def test_what_was_accepted_is_not_reported(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    result = advised("--no-cache", "--write-baseline", ".")
    assert (result.status, result.out) == (0, f"Accepted 1 finding in {NAME}.\n")
    result = advised("--no-cache", ".")
    assert (result.status, result.out, result.err) == (0, "No findings in 1 file; 1 in the baseline.\n", "")
    assert new(advised, "--isolated") != []
    advised.write({"other.py": SECOND + SECOND.partition("DataLoader\n")[2].replace("again", "thrice")})
    assert {name for name, _, _ in new(advised)} == {"other.py"}


def test_the_file_is_sorted_with_one_finding_to_a_line(advised: Advised) -> None:
    advised.write({"b/train.py": TRAIN, "a.py": SECOND})
    write(advised)
    text = (advised.folder / NAME).read_text()
    content = json.loads(text)
    assert [entry["path"] for entry in content["findings"]] == ["a.py", "b/train.py"]
    assert all(set(entry) == {"path", "code", "fingerprint"} for entry in content["findings"])
    assert len(text.splitlines()) == 2 + 2
    write(advised)
    assert (advised.folder / NAME).read_text() == text


def test_code_that_moves_about_stays_accepted(advised: Advised) -> None:
    """Lines inserted, a file renamed, another one reformatted, a function moved to a new module."""
    advised.write({"train.py": TRAIN, "src/loop.py": SECOND, "ugly.py": SECOND.replace("again", "ugly")})
    commit(advised.folder)
    write(advised)
    advised.write({"train.py": "# a header\n\n\n" + TRAIN.replace("import gc\n", "import gc\nimport os\n")})
    assert new(advised) == []
    git(advised.folder, "mv", "src/loop.py", "renamed.py")
    assert new(advised) == []
    ugly = advised.folder / "ugly.py"
    before = ugly.read_text()
    subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "40", str(ugly)], check=True)
    assert ugly.read_text() != before
    assert new(advised) == []
    head, _, function = TRAIN.partition("\n\n\n")
    advised.write({"train.py": "from moved import train\n", "moved.py": f"{head}\n\n\n{function}"})
    commit(advised.folder)
    result = advised("--no-cache", ".")
    assert (result.out, result.err) == ("No findings in 4 files; 3 in the baseline.\n", "")


def test_a_whole_project_may_be_reformatted_and_moved(advised: Advised) -> None:
    shutil.copytree(Path(__file__).resolve().parents[1] / "examples" / "vision", advised.folder / "vision")
    (advised.folder / "vision" / "mlsys-advise.toml").unlink()  # its settings: it becomes a part of the project
    commit(advised.folder)
    accepted = len(new(advised))
    assert accepted > 10
    write(advised)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "50", "-q", "vision"]
    subprocess.run(command, cwd=advised.folder, check=True)
    assert len(git(advised.folder, "diff", "--name-only").splitlines()) > 5
    assert new(advised) == []
    git(advised.folder, "mv", "vision", "sight")
    result = advised("--no-cache", ".")
    assert (result.status, result.err) == (0, "")
    assert f"{accepted} in the baseline" in result.out


def test_another_copy_is_not_accepted(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    write(advised)
    advised.write({"train.py": TRAIN.replace("        gc.collect()\n", "        gc.collect()\n" * 2)})
    assert len(new(advised)) == 1


def test_what_is_gone_is_said(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "other.py": SECOND})
    write(advised)
    advised.write({"train.py": TRAIN.replace("        gc.collect()\n", "")})
    result = advised("--no-cache", ".")
    assert f"{NAME}: 1 finding of the baseline is gone (MLS401 in train.py); --write-baseline updates it" in result.err
    (advised.folder / "other.py").unlink()
    assert "2 findings of the baseline are gone (MLS401 in other.py, train.py)" in advised("--no-cache", ".").err
    write(advised)
    assert json.loads((advised.folder / NAME).read_text())["findings"] == []
    assert advised("--no-cache", ".").err == ""


def test_what_was_not_looked_at_is_not_gone(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "other.py": SECOND})
    write(advised)
    for argv in (["train.py"], ["--select", "MLS7", "."], ["--min-severity", "error", "."]):
        assert "gone" not in advised("--no-cache", *argv).err


def test_writing_for_some_files_or_rules_keeps_the_rest(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "other.py": SECOND})
    write(advised)
    text = (advised.folder / NAME).read_text()
    write(advised, "train.py")
    assert (advised.folder / NAME).read_text() == text
    write(advised, "--select", "MLS7", ".")
    assert (advised.folder / NAME).read_text() == text


def test_one_file_named_on_the_command_line_or_in_the_settings(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    write(advised, "--baseline", "mine.json", ".")
    assert not (advised.folder / NAME).exists()
    assert new(advised, "--baseline", "mine.json") == []
    assert len(new(advised)) == 1
    advised.write({"mlsys-advise.toml": 'baseline = "mine.json"'})
    assert new(advised) == []
    (advised.folder / "sub").mkdir()
    assert new(advised, "train.py") == []


def test_a_baseline_that_is_named_must_be_there(advised: Advised) -> None:
    advised.write({"train.py": TRAIN})
    result = advised("--baseline", "gone.json", ".")
    assert result.status == 2
    assert "there is no baseline" in result.err
    assert "--write-baseline makes one" in result.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ":1:1: is not a baseline"),
        ('{"version": 1, "findings": [\n{"path": 3}]}', ":1:1: is not a baseline"),
        ('{"version": 1,\n\n oops}', ":3:2: is not a baseline"),
        ('{"version": 99}', ":1:1: is a baseline of version 99"),
        ("\ud800", ":1:1: is not a baseline"),
    ],
)
def test_a_broken_baseline_is_one_line(advised: Advised, text: str, says: str) -> None:
    advised.write({"train.py": TRAIN})
    (advised.folder / NAME).write_bytes(text.encode("utf-8", "surrogatepass"))
    result = advised("--no-cache", ".")
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert f"{NAME}{says}" in result.err


def test_cold_and_warm_agree(advised: Advised) -> None:
    advised.write({"train.py": TRAIN, "other.py": SECOND})
    before = new(advised)
    write(advised)
    assert new(advised) == []
    (advised.folder / NAME).unlink()
    assert new(advised) == before


def test_a_baseline_is_found_from_anywhere(advised: Advised, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    advised.write({"train.py": TRAIN})
    write(advised)
    monkeypatch.chdir(tmp_path)
    assert advised.findings("project") == []
    assert advised.findings("project/train.py") == []
