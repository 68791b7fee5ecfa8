"""The ``json`` output has ruff's shape, which ruff itself confirms."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlsys_advise.edit import Fix, SetKeyword
from mlsys_advise.finding import Cost, Finding, Related
from mlsys_advise.heat import DATA, ITEM, STEP, TRAINING, Heat
from mlsys_advise.output.json import render
from mlsys_advise.output.sources import Sources
from mlsys_advise.span import Place, Span

FINDING = Finding(
    code="MLS413",
    name="pageable-batch-transfer",
    message="\u4e00 batch\u2026",
    why="pageable memory is copied twice",
    severity="warning",
    category="performance",
    lesson="5.6",
    path="/project/train.py",
    span=Span(4, 9, 5, 2),
    heat=Heat.of(TRAINING, STEP) | Heat.of(DATA, ITEM),
    heat_path=(Related(Place("/project/train.py", Span(1, 1, 1, 4)), "loop"),),
    related=(Related(Place("/project/nb.ipynb", Span(2, 1, 2, 4, 3)), "loader"),),
    assumed=("nothing pins it",),
    fix=Fix("Pin the memory", "suggested", (SetKeyword(Span(4, 9, 5, 2), "pin_memory", "True"),)),
)
SOURCES = Sources({"/project/train.py": b"\n\n\ntrain = DataLoader(data,\n)\n"})


def parsed(*findings: Finding) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = json.loads("\n".join(render(findings, SOURCES)))
    return result


def shape(value: object) -> object:
    """Keys and types, without the values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__


@pytest.fixture(scope="module")
def ruffs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A finding of ruff's with an unsafe fix."""
    path = tmp_path_factory.mktemp("ruff") / "example.py"
    path.write_text("def f(x):\n    return x == None\n")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E711", "--output-format", "json", path]
    (found,) = json.loads(subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout)
    assert found["fix"]["applicability"] == "unsafe"
    return dict(found)


def test_every_field_of_ruffs_is_there_in_its_shape(ruffs: dict[str, Any]) -> None:
    (ours,) = parsed(FINDING)
    assert {key: shape(ours[key]) for key in ruffs if key != "url"} == {
        key: shape(value) for key, value in ruffs.items() if key != "url"
    }
    assert "url" in ours


def test_our_fields_stand_beside_ruffs(ruffs: dict[str, Any]) -> None:
    (ours,) = parsed(FINDING)
    assert set(ours) - set(ruffs) - {"severity"} == {
        "assumed", "category", "costs", "heat", "heat_path", "lesson", "related", "why",
    }  # fmt: skip
    assert ours["heat"] == [{"context": "training", "frequency": "step"}, {"context": "data", "frequency": "item"}]
    assert ours["related"] == [
        {
            "filename": str(Path("/project/nb.ipynb")),
            "cell": 3,
            "location": {"row": 2, "column": 1},
            "end_location": {"row": 2, "column": 4},
            "message": "loader",
        }
    ]


def test_positions_are_the_findings(ruffs: dict[str, Any]) -> None:
    (ours,) = parsed(FINDING)
    assert ours["location"] == {"row": 4, "column": 9}
    assert ours["end_location"] == {"row": 5, "column": 2}
    assert ours["noqa_row"] == 4
    assert ours["cell"] is None
    # ruff's columns, like ours, count from 1 and end after the last character: `None` in `    return x == None`
    assert (ruffs["location"], ruffs["end_location"]) == ({"row": 2, "column": 17}, {"row": 2, "column": 21})


def test_a_suggested_fix_is_unsafe_and_a_safe_one_is_safe() -> None:
    assert parsed(FINDING)[0]["fix"] == {
        "applicability": "unsafe",
        "edits": [
            {
                "content": " pin_memory=True,",
                "location": {"row": 4, "column": 25},
                "end_location": {"row": 4, "column": 25},
            }
        ],
        "message": "Pin the memory",
    }
    safe = msgspec.structs.replace(FINDING, fix=msgspec.structs.replace(FINDING.fix, applicability="safe"))
    assert parsed(safe)[0]["fix"]["applicability"] == "safe"


def test_a_fix_that_cannot_be_made_in_the_file_as_it_is_now_is_left_out() -> None:
    moved = msgspec.structs.replace(FINDING, path="/project/gone.py")
    assert parsed(moved)[0]["fix"] is None


def test_a_list_of_any_length_is_valid_and_ascii() -> None:
    for count in range(4):
        assert len(parsed(*[FINDING] * count)) == count
    assert "\n".join(render([FINDING], SOURCES)).isascii()


def test_costs_carry_the_figures_as_they_are_or_the_reason_why_there_are_none() -> None:
    known = Cost(
        "h200", "measured on 2026-01-31, at 64 elements", named=True, per="element", ratio=4.0, slow=8e-6, fast=2e-6
    )
    absent = Cost("vm", "not measured: needs a CUDA device", reference=True)
    (ours,) = parsed(msgspec.structs.replace(FINDING, costs=(known, absent)))
    assert ours["costs"] == [
        {
            "machine": "h200",
            "device": "cpu",
            "named": True,
            "reference": False,
            "how": "measured on 2026-01-31, at 64 elements",
            "quantity": "seconds",
            "per": "element",
            "ratio": 4.0,
            "slow": 8e-6,
            "fast": 2e-6,
            "loss": 6e-6,
        },
        {
            "machine": "vm",
            "device": "cpu",
            "named": False,
            "reference": True,
            "how": "not measured: needs a CUDA device",
            "quantity": None,
            "per": None,
            "ratio": None,
            "slow": None,
            "fast": None,
            "loss": None,
        },
    ]
