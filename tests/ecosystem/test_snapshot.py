"""The snapshot is what ``python -m benchmarks.ecosystem --update`` writes: sorted places, known rules, no code."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import corpus, ecosystem
from benchmarks.ecosystem import Site
from mlsys_advise.registry import load_rules

FOLDER = Path("/packages")


def lines() -> list[str]:
    return ecosystem.SNAPSHOT.read_text(encoding="utf-8").splitlines()


def test_each_line_is_a_place_and_nothing_more() -> None:
    for line in lines():
        site = json.loads(line)
        assert list(site) == ["package", "path", "line", "code", "heat"]
        assert site["path"].startswith(f"{site['package']}/")


def test_the_places_are_sorted_and_encoded_as_the_command_does() -> None:
    sites = [Site(**json.loads(line)) for line in lines()]
    assert ecosystem.encoded(sorted(sites)) == lines()


def test_rules_and_packages_exist() -> None:
    sites = [json.loads(line) for line in lines()]
    assert {site["code"] for site in sites} <= {rule.code for rule in load_rules().rules}
    known = {name.replace("-", "_") for name in corpus.PINNED} | {"lightning_fabric"}
    assert {site["package"] for site in sites} <= known


def test_findings_become_places_in_order() -> None:
    printed = [
        _finding("timm/b.py", 7, [{"context": "training", "frequency": "step"}]),
        _finding(str(FOLDER / "timm" / "a.py"), 3, []),
    ]
    assert ecosystem.sites(json.dumps(printed).encode(), FOLDER) == [
        Site("timm", "timm/a.py", 3, "MLS103", ""),
        Site("timm", "timm/b.py", 7, "MLS103", "training:step"),
    ]


def _finding(filename: str, row: int, heat: list[dict[str, str]]) -> dict[str, object]:
    return {"filename": filename, "code": "MLS103", "location": {"row": row, "column": 1}, "heat": heat, "why": "x"}
