"""What the linter says of the example project is what ``examples/expected.toml`` says, no more and no less."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from mlsys_advise.registry import load_rules

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

Where = tuple[str, int, int, str]


def expected() -> Counter[Where]:
    listed = tomllib.loads((EXAMPLES / "expected.toml").read_text(encoding="utf-8"))["finding"]
    return Counter((entry["path"], entry.get("cell", 0), entry["line"], entry["code"]) for entry in listed)


@pytest.fixture(scope="module")
def found() -> Counter[Where]:
    every = ",".join(rule.code for rule in load_rules().rules)  # rules that are opt-in by name
    options = ["--select", every, "--output-format", "json", "--no-cache"]
    command = [sys.executable, "-P", "-m", "mlsys_advise", *options, str(EXAMPLES)]
    ended = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, encoding="utf-8")
    assert ended.returncode == 1, ended.stderr
    return Counter(
        (
            (EXAMPLES / finding["filename"]).relative_to(EXAMPLES).as_posix(),
            finding["cell"] or 0,
            finding["location"]["row"],
            finding["code"],
        )
        for finding in json.loads(ended.stdout)
    )


def test_each_expected_finding_is_reported(found: Counter[Where]) -> None:
    assert sorted((expected() - found).elements()) == []


def test_nothing_else_is_reported(found: Counter[Where]) -> None:
    assert sorted((found - expected()).elements()) == []


def test_every_rule_of_the_table_finds_something() -> None:
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8").split("And these stay silent")[0]
    named = {word for line in table.splitlines() for word in line.replace(",", " ").split() if word.startswith("MLS")}
    assert named == {code for *_, code in expected()}
    assert len(named) == 14


def test_notebooks_hold_no_outputs() -> None:
    for notebook in EXAMPLES.rglob("*.ipynb"):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            assert not cell.get("outputs")
            assert cell.get("execution_count") is None
