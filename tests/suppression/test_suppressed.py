"""Suppressions in a run: what they silence, cold and warm, what is said of useless ones, and how they are written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.advised import COLLECT, TRAIN, Advised, advised

__all__ = ["advised"]

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: train
spec:
  containers:
  - name: trainer
    image: registry/train
    command: ["python", "load.py"]
"""
LOAD = """\
from torch.utils.data import DataLoader


def run(dataset):
    for batch in DataLoader(dataset, num_workers=8):
        batch.mean().backward()


if __name__ == "__main__":
    run(None)
"""


def with_comment(comment: str, line: int = COLLECT) -> str:
    lines = TRAIN.split("\n")
    lines[line - 1] += f"  {comment}"
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        with_comment("# mlsys: ignore[MLS401] a benchmark"),
        with_comment("# mlsys: ignore[gc-collect-in-hot-path]"),
        with_comment("# mlsys: ignore[MLS4]"),
        with_comment("# noqa: MLS401"),
        TRAIN.replace("def train", "# mlsys: ignore[MLS401]\ndef train"),
        TRAIN + "# mlsys: ignore-file[MLS401]\n",
    ],
)
def test_a_comment_silences_cold_and_warm(advised: Advised, text: str) -> None:
    advised.write({"train.py": text})
    cold = advised("--cache-dir", advised.cache, ".")
    warm = advised("--cache-dir", advised.cache, ".")
    assert cold == warm
    assert cold.out == "No findings in 1 file; 1 suppressed.\n"


@pytest.mark.parametrize("options", [[], ["--no-cache"]])
def test_what_silences_nothing_is_reported(advised: Advised, options: list[str]) -> None:
    advised.write({"train.py": with_comment("# mlsys: ignore[MLS401, MLS413]").replace("        gc", "        # gc")})
    for _ in "cold", "warm":
        assert advised.findings(".", *options) == [("train.py", COLLECT, "MLS001")]
    result = advised("--output-format", "concise", ".")
    assert "info[MLS001] this comment silences nothing: MLS401 and MLS413 would not report here" in result.out
    assert result.status == 0


def test_each_rule_of_a_list_is_looked_at_by_itself(advised: Advised) -> None:
    advised.write({"train.py": with_comment("# mlsys: ignore[MLS401, MLS413]")})
    result = advised("--output-format", "concise", ".")
    assert "silences nothing: MLS413 would not report here" in result.out
    assert result.out.endswith("1 suppressed.\n")


def test_a_rule_that_there_is_not_is_a_warning(advised: Advised) -> None:
    advised.write({"train.py": with_comment("# mlsys: ignore[MLS402]")})
    result = advised("--output-format", "concise", ".")
    assert "warning[MLS001] this comment silences nothing: there is no rule MLS402; did you mean MLS401" in result.out
    assert result.status == 1


def test_a_comment_for_a_rule_that_was_not_selected_is_not_unused(advised: Advised) -> None:
    advised.write({"train.py": with_comment("# mlsys: ignore[MLS401]")})
    assert advised.findings("--select", "MLS7,MLS001", ".") == []


def test_a_report_on_a_comment_can_be_left_out_and_silenced(advised: Advised) -> None:
    advised.write({"train.py": with_comment("# mlsys: ignore[MLS413]", 1)})
    assert advised.findings("--select", "MLS001", ".") == [("train.py", 1, "MLS001")]
    assert advised.findings("--ignore", "unused-suppression", "--select", "MLS0,MLS7", ".") == []
    advised.write({"train.py": with_comment("# mlsys: ignore[MLS413, MLS001]", 1)})
    assert advised.findings("--select", "MLS001", ".") == []


def test_where_a_rule_fell_over_nothing_is_called_unused(advised: Advised, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    from mlsys_advise import registry

    def broken(node: object, here: object) -> None:
        raise KeyError("a mistake of ours")

    known = registry.load_rules()
    rules = tuple(
        msgspec.structs.replace(rule, check=broken) if rule.code == "MLS401" else rule for rule in known.rules
    )
    monkeypatch.setattr("mlsys_advise.engine.load_rules", lambda: msgspec.structs.replace(known, rules=rules))
    advised.write({"train.py": with_comment("# mlsys: ignore[MLS401]")})
    result = advised("--no-cache", "--jobs", "1", ".")
    assert result.status == 2
    assert "MLS001" not in result.out


def test_in_a_notebook(advised: Advised) -> None:
    head, _, tail = TRAIN.partition("\n\n\n")
    content = {
        "cells": [
            {"cell_type": "code", "source": head, "metadata": {}},
            {"cell_type": "code", "source": f"# mlsys: ignore-cell[MLS401]\n{tail}", "metadata": {}},
        ],
        "metadata": {},
        "nbformat": 4,
    }
    advised.write({"train.ipynb": json.dumps(content)})
    assert "1 suppressed" in advised("--no-cache", ".").out


def test_in_yaml(advised: Advised) -> None:
    advised.write({"load.py": LOAD, "pod.yaml": POD})
    (found,) = advised.findings("--select", "MLS211", ".")
    assert found == ("pod.yaml", 7, "MLS211")
    for text in (
        POD.replace("trainer", "trainer  # mlsys: ignore[MLS211] batches are small"),
        POD.replace("spec:", "# mlsys: ignore[MLS211]\nspec:"),
    ):
        advised.write({"pod.yaml": text})
        assert advised.findings("--select", "MLS211,MLS001", ".") == []


def test_why_names_the_comment(advised: Advised) -> None:
    advised.write({"train.py": with_comment("# mlsys: ignore[MLS4]")})
    assert (
        f"\na comment on line {COLLECT} silences MLS401 here\n" in advised("why", "MLS401", f"train.py:{COLLECT}").out
    )
    assert "a comment" not in advised("why", "MLS401", "train.py:9").out
    result = advised("why", "MLS001", "train.py:9")
    assert (result.status, result.err.count("\n")) == (2, 1)


@pytest.mark.parametrize(("external", "kept"), [([], False), (["--config", 'lint.external = ["MLS"]'], True)])
def test_what_the_page_says_of_ruff(tmp_path: Path, external: list[str], kept: bool) -> None:
    """Ruff removes codes that it does not know, unless it is told of them."""
    file = tmp_path / "x.py"
    file.write_text("import gc\n\ngc.collect()  # noqa: MLS401\n")
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "RUF100,RUF102",
        "--fix",
        "-q",
        "--preview",
    ]
    subprocess.run([*command, *external, str(file)], check=False)
    assert ("noqa: MLS401" in file.read_text()) == kept


# -- writing them


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_written_comments_silence_everything(advised: Advised, ending: str) -> None:
    text = TRAIN.replace("gc.collect()", "gc.collect(\n        )").replace("\n", ending)
    file = advised.folder / "train.py"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    advised.write({"load.py": LOAD, "pod.yaml": POD})
    before = len(advised.findings("."))
    assert before >= 2
    result = advised("--no-cache", "--add-ignores", ".")
    assert (result.status, result.out) == (0, f"Added comments for {before} findings in 2 files.\n")
    assert advised.findings(".") == []
    written = text.replace("(" + ending + "        )", "(" + ending + "        )  # mlsys: ignore[MLS401]")
    assert file.read_bytes() == b"\xef\xbb\xbf" + written.encode()
    assert "- name: trainer  # mlsys: ignore[MLS211]\n" in (advised.folder / "pod.yaml").read_text()


def test_a_comment_that_is_there_is_extended(advised: Advised) -> None:
    advised.write({"train.py": with_comment("# mlsys: ignore[MLS413] reason")})
    advised("--no-cache", "--add-ignores", "--select", "MLS401", ".")
    assert "gc.collect()  # mlsys: ignore[MLS413, MLS401] reason\n" in (advised.folder / "train.py").read_text()


def test_a_notebook_keeps_its_form(advised: Advised) -> None:
    head, _, tail = TRAIN.partition("\n\n\n")
    content = {
        "cells": [
            {"cell_type": "markdown", "source": ["é"], "metadata": {}},
            {"cell_type": "code", "source": head, "metadata": {}},
            {"cell_type": "code", "source": tail.splitlines(keepends=True), "metadata": {"a": 1.0}},
        ],
        "metadata": {},
        "nbformat": 4,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    advised.write({"train.ipynb": text})
    advised("--no-cache", "--add-ignores", ".")
    assert advised.findings(".") == []
    after = (advised.folder / "train.ipynb").read_text(encoding="utf-8")
    assert after == text.replace("gc.collect()", "gc.collect()  # mlsys: ignore[MLS401]")


def test_on_the_examples_nothing_is_left(advised: Advised) -> None:
    examples = Path(__file__).resolve().parents[2] / "examples"
    shutil.copytree(examples, advised.folder / "examples")
    assert advised.findings(".") != []
    advised("--no-cache", "--add-ignores", ".")
    assert advised.findings(".") == []


def test_standard_input_cannot_be_written(advised: Advised, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TRAIN.encode())))
    result = advised("--no-cache", "--add-ignores", "-")
    assert result.status == 2
    assert "standard input" in result.err
