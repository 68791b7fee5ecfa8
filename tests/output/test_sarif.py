"""SARIF: valid by models made from its published schema, and within what code scanning documents.

The Multitool of SARIF's authors, which knows the rules of code scanning, is asked too where ``SARIF_MULTITOOL`` names
it: it is in the npm packages ``@microsoft/sarif-multitool-*``.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fluidattacks_core.sarif import SarifLog

from mlsys_advise.finding import Finding, Related
from mlsys_advise.output import sarif
from mlsys_advise.output.line_hash import line_hashes
from mlsys_advise.output.sources import Sources
from mlsys_advise.registry import load_rules
from mlsys_advise.span import Place, Span
from tests.output.reports import finding, repository


@pytest.fixture
def findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    found = repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    return found


def text_of(findings: list[Finding]) -> str:
    return "\n".join(sarif.render(findings, Sources(), load_rules().find))


def run_of(findings: list[Finding]) -> dict[str, Any]:
    (run,) = json.loads(text_of(findings))["runs"]
    return dict(run)


@pytest.mark.parametrize("number", [0, 3])
def test_the_schema_admits_it(findings: list[Finding], number: int) -> None:
    log = SarifLog.model_validate_json(text_of(findings[:number]))
    assert log.version.value == "2.1.0"
    assert len(log.runs[0].results or []) == number


@pytest.mark.skipif("SARIF_MULTITOOL" not in os.environ, reason="SARIF_MULTITOOL does not name the Multitool")
def test_the_multitool_has_nothing_to_say_but_that_there_is_no_home_page(
    findings: list[Finding], tmp_path: Path
) -> None:
    report = tmp_path / "report.sarif"
    report.write_text(text_of(findings), encoding="utf-8")
    command = [os.environ["SARIF_MULTITOOL"], "validate", str(report), "--rule-kind", "Sarif;Ghas"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout
    assert "Analysis completed successfully" in said
    complaints = [line for line in said.splitlines() if ": error " in line or ": warning " in line]
    assert [line for line in complaints if "informationUri" not in line] == []


class TestRequired:
    """The fields without which code scanning refuses a report or shows half an alert."""

    def test_rules(self, findings: list[Finding]) -> None:
        rules = run_of(findings)["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == ["MLS401", "MLS716"]
        for rule in rules:
            assert 0 < len(rule["shortDescription"]["text"]) <= 1024
            assert 0 < len(rule["fullDescription"]["text"]) <= 1024
            assert len(rule["name"]) <= 255
            assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
            assert rule["properties"]["precision"] in ("very-high", "high", "medium", "low")
            assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
        assert "security-severity" not in rules[0]["properties"]
        assert 0.0 < float(rules[1]["properties"]["security-severity"]) <= 10.0

    def test_help_is_the_page(self, findings: list[Finding]) -> None:
        (rule,) = run_of(findings[:1])["tool"]["driver"]["rules"]
        assert rule["help"]["markdown"].startswith("# MLS401 gc-collect-in-hot-path")
        assert rule["help"]["text"]

    def test_a_rule_that_is_gone_is_described_by_its_finding(self, findings: list[Finding]) -> None:
        (run,) = json.loads("\n".join(sarif.render(findings[:1], Sources(), lambda code: None)))["runs"]
        assert run["tool"]["driver"]["rules"][0]["help"]["text"] == findings[0].why

    def test_results(self, findings: list[Finding]) -> None:
        run = run_of(findings)
        for result, found in zip(run["results"], findings, strict=True):
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == found.code
            assert result["message"]["text"]
            (location,) = result["locations"]
            region = location["physicalLocation"]["region"]
            assert set(region) == {"startLine", "startColumn", "endLine", "endColumn"}
            assert min(region.values()) >= 1
        assert [result["level"] for result in run["results"]] == ["warning", "error", "note"]
        assert run["columnKind"] == "unicodeCodePoints"

    def test_uris_are_relative_to_the_repository(self, findings: list[Finding]) -> None:
        located = [result["locations"][0]["physicalLocation"] for result in run_of(findings)["results"]]
        assert [place["artifactLocation"]["uri"] for place in located] == [
            "a%20b/train.py",
            "a%20b/train.py",
            "n.ipynb",
        ]

    def test_related_locations_are_the_heat_path_and_what_it_rests_on(self, findings: list[Finding]) -> None:
        (result,) = run_of(findings[:1])["results"]
        assert [(entry["id"], entry["message"]["text"]) for entry in result["relatedLocations"]] == [
            (1, "training loop"),
            (2, "cell 1, line 1: also here"),
        ]

    def test_a_cell_is_named_where_a_line_would_mislead(self, findings: list[Finding]) -> None:
        (result,) = run_of(findings[2:])["results"]
        assert result["message"]["text"].startswith("cell 1, line 1: ")
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
        assert (result["properties"]["cell"], result["properties"]["line"]) == (1, 1)


class TestLimits:
    """What code scanning admits: 25,000 results, 25,000 rules, 20 tags, 1,000 locations, 10 MB when packed."""

    def test_the_grave_results_are_kept_in_their_order(self, findings: list[Finding]) -> None:
        path = Path(findings[0].path)
        advice = [finding(path, Span(4, 18, 4, 30), severity="info") for _ in range(sarif.RESULTS)]
        text = text_of([*advice, findings[1]])
        (run,) = json.loads(text)["runs"]
        assert len(run["results"]) == 25_000
        assert [result["level"] for result in run["results"]].count("error") == 1
        assert run["results"][-1]["level"] == "error"
        assert len(gzip.compress(text.encode())) < 10_000_000

    def test_related_locations_and_texts_are_cut(self, findings: list[Finding]) -> None:
        related = tuple(Related(Place(findings[0].path, Span(n, 1, n, 1)), "step") for n in range(1, 500))
        run = run_of([finding(Path(findings[0].path), Span(4, 18, 4, 30), related=related, why="w" * 5000)])
        assert len(run["results"][0]["relatedLocations"]) == 100
        assert len(run["tool"]["driver"]["rules"][0]["fullDescription"]["text"]) == 1024
        assert all(len(rule["properties"]["tags"]) <= 20 for rule in run["tool"]["driver"]["rules"])


class TestFingerprints:
    def test_they_survive_moved_lines(self, findings: list[Finding]) -> None:
        path = Path(findings[0].path)
        before = run_of([finding(path, Span(4, 18, 4, 30)), finding(path, Span(5, 5, 5, 17))])["results"]
        path.write_text("import os\n\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
        after = run_of([finding(path, Span(7, 18, 7, 30)), finding(path, Span(8, 5, 8, 17))])["results"]
        assert [entry["partialFingerprints"] for entry in before] == [entry["partialFingerprints"] for entry in after]
        assert set(before[0]["partialFingerprints"]) == {"mlsysAdvise/v1", "primaryLocationLineHash"}
        assert before[0]["partialFingerprints"] != before[1]["partialFingerprints"]

    def test_a_notebook_has_our_own_alone(self, findings: list[Finding]) -> None:
        (result,) = run_of(findings[2:])["results"]
        assert set(result["partialFingerprints"]) == {"mlsysAdvise/v1"}

    @pytest.mark.parametrize(
        ("text", "hashes"),
        [
            ("", ["c129715d7a2bc9a3:1"]),
            (
                " a\nb\n  \t\tc\n d",
                ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
            ),
        ],
    )
    def test_lines_have_the_hashes_that_githubs_upload_gives_them(self, text: str, hashes: list[str]) -> None:
        lines = text.split("\n")
        assert list(line_hashes(lines, range(1, len(lines) + 1)).values()) == hashes

    def test_equal_lines_are_counted(self) -> None:
        lines = ["x"] * 300
        hashes = line_hashes(lines, {1, 2, 300, 400})
        assert [hashes[1][-2:], hashes[2][-2:]] == [":1", ":2"]
        assert set(hashes) == {1, 2, 300}
