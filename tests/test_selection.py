"""Selectors in layers: what is in force, as ruff's users expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsys_advise.engine import Options, check
from mlsys_advise.registry import Registry
from mlsys_advise.selection import problem_of, select
from mlsys_advise.settings.layer import Layer
from mlsys_advise.vocabulary import Vocabulary
from tests.command.scripted import taught

RULES = (
    taught("MLS101", "one", "architecture"),
    taught("MLS401", "four", "memory"),
    taught("MLS402", "four-more", "memory"),
    taught("MLS498", "early", "memory", preview=True),
    taught("MLS499", "costly", "memory", optin=True),
)
KNOWN = Registry(RULES, Vocabulary(), b"")
DEFAULT = {"MLS001", "MLS101", "MLS401", "MLS402"}


def layer(**values: str) -> Layer:
    return Layer(**{key: tuple(text.split()) for key, text in values.items()})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], DEFAULT),
        ([layer(select="MLS4")], {"MLS401", "MLS402"}),
        ([layer(select="mls4 ONE")], {"MLS101", "MLS401", "MLS402"}),
        ([layer(select="ALL")], DEFAULT),
        ([layer(select="MLS4", ignore="MLS401")], {"MLS402"}),
        ([layer(select="MLS401", ignore="MLS4")], {"MLS401"}),
        ([layer(select="MLS4", ignore="MLS4")], set()),
        ([layer(ignore="MLS")], set()),
        ([layer(ignore="ALL", extend_select="MLS1")], {"MLS101"}),
        ([layer(ignore="MLS4")], {"MLS001", "MLS101"}),
        ([layer(extend_select="MLS499")], DEFAULT | {"MLS499"}),
        ([layer(extend_select="costly")], DEFAULT | {"MLS499"}),
        ([layer(extend_select="MLS49")], DEFAULT),
        ([layer(select="MLS499")], {"MLS499"}),
        # A stronger layer that selects starts afresh, one that does not builds on the weaker ones.
        ([layer(select="MLS4", ignore="MLS401"), layer(select="MLS401")], {"MLS401"}),
        ([layer(select="MLS4"), layer(ignore="MLS401")], {"MLS402"}),
        ([layer(select="MLS4"), layer(extend_select="MLS101")], {"MLS101", "MLS401", "MLS402"}),
        ([layer(ignore="MLS401"), layer(extend_select="MLS4")], DEFAULT),
    ],
)
def test_what_is_in_force(layers: list[Layer], expected: set[str]) -> None:
    assert select(KNOWN, layers).codes == expected


@pytest.mark.parametrize(("asked", "left_out"), [("MLS498", ("MLS498",)), ("early", ("MLS498",)), ("MLS4", ())])
def test_previews_take_part_only_when_they_are_asked_for(asked: str, left_out: tuple[str, ...]) -> None:
    without = select(KNOWN, [layer(select=asked)])
    assert "MLS498" not in without.codes
    assert without.previews_left_out == left_out
    assert "MLS498" in select(KNOWN, [layer(select=asked)], preview=True).codes


@pytest.mark.parametrize("selector", ["MLS9", "MLS4011", "", "five"])
def test_a_selector_that_no_rule_answers_to(selector: str) -> None:
    assert "there is no rule" in problem_of(selector, KNOWN)


@pytest.mark.parametrize("selector", ["MLS", "MLS4", "four", "all", "unused-suppression"])
def test_a_selector_that_some_rule_answers_to(selector: str) -> None:
    assert problem_of(selector, KNOWN) == ""


LOAD = """\
import torch
from huggingface_hub import hf_hub_download


def load(model, repo):
    path = hf_hub_download(repo, "pytorch_model.bin")
    model.load_state_dict(torch.load(path, weights_only=False))


if __name__ == "__main__":
    load(torch.nn.Linear(2, 2), input())
"""


@pytest.mark.parametrize(
    ("selected", "expected"),
    [("MLS716 MLS717", ["MLS716"]), ("MLS716", ["MLS716"]), ("MLS717", ["MLS717"])],
)
def test_a_rule_yields_only_to_one_that_is_selected(selected: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "mlsys-advise.toml").touch()
    (tmp_path / "load.py").write_text(LOAD)
    report = check([tmp_path], Options(given=(layer(select=selected),), use_cache=False, raise_errors=True))
    assert [finding.code for finding in report.findings] == expected
