"""Each format, as its consumers read it: by a published schema or a real reader where one can be installed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import junitparser
import pytest

from mlsys_advise.finding import Finding
from mlsys_advise.output import pull_request, reported
from mlsys_advise.output.formats import Reporting, render
from mlsys_advise.output.sources import Sources
from mlsys_advise.output.terminal import Style
from mlsys_advise.settings.choices import FORMATS
from mlsys_advise.span import Span
from tests.output.reports import finding, repository


@pytest.fixture
def findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    found = repository(tmp_path)
    monkeypatch.chdir(tmp_path / "a b")
    return found


def told(name: str, findings: list[Finding], **rest: Any) -> str:
    telling = Reporting(findings, 3, Sources(), Style(), lambda code: None, **rest)
    return "\n".join(render(name, telling))


class TestAll:
    @pytest.mark.parametrize("name", FORMATS)
    def test_no_findings_are_a_report_too(self, name: str) -> None:
        text = told(name, [])
        if name in ("json", "sarif", "gitlab", "rdjson"):
            json.loads(text)
        assert "No findings" in text or name not in ("full", "concise", "grouped", "markdown")

    @pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("full", "json", "sarif")])
    def test_a_message_with_line_ends_breaks_no_line(self, name: str, findings: list[Finding]) -> None:
        text = told(name, [findings[1]], quiet=True)
        if name not in ("junit", "rdjson", "gitlab"):
            assert not any(line.startswith("next") for line in text.splitlines())
        assert "\x07" not in text or name in ("github", "azure")

    def test_paths_are_told_from_the_root_of_the_repository(self, findings: list[Finding], tmp_path: Path) -> None:
        assert reported.path(findings[0].path) == "a b/train.py"
        assert reported.from_here(findings[0].path) == "train.py"
        assert reported.uri(findings[0].path) == "a%20b/train.py"
        outside = (tmp_path.parent / "x y.py").as_posix()
        assert reported.path(outside) == outside
        assert reported.uri(outside).startswith("file:///")


class TestGrouped:
    def test_one_name_for_a_file(self, findings: list[Finding]) -> None:
        lines = told("grouped", findings[:2]).splitlines()
        assert lines[0] == "train.py:"
        assert lines[1] == "  4:18  warning[MLS401] gc.collect() walks every container object"
        assert lines[2].startswith("  5:5   error[MLS716] 50%")
        assert lines[-1].startswith("Found 2 findings")

    def test_a_notebook_names_the_cell(self, findings: list[Finding]) -> None:
        assert told("grouped", findings[2:], quiet=True).splitlines()[1].startswith("  cell 1:1:1  info[MLS401]")


def test_json_lines_are_the_objects_of_json(findings: list[Finding]) -> None:
    lines = told("json-lines", findings).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(told("json", findings))


class TestGithub:
    def test_an_annotation(self, findings: list[Finding]) -> None:
        assert told("github", findings[:1]) == (
            "::warning title=MLS401 gc-collect-in-hot-path,file=a b/train.py,line=4,endLine=4,col=18,endColumn=30::"
            "gc.collect() walks every container object%0AA full collection visits every container of the process."
        )

    def test_the_grave_come_first_because_ten_of_a_kind_are_kept(self, findings: list[Finding]) -> None:
        commands = [line.partition(" ")[0] for line in told("github", findings).splitlines()]
        assert commands == ["::error", "::warning", "::notice"]

    def test_what_has_a_meaning_is_escaped(self, findings: list[Finding]) -> None:
        text = told("github", findings[1:2])
        assert "::50%25 of `a|b`, <b>: [x](y)%0Anext; line] @someone" in text
        odd = finding(Path(findings[0].path).with_name("a,b:c%.py"), Span(1, 1, 1, 2))
        assert "file=a b/a%2Cb%3Ac%25.py,line=1" in told("github", [odd])

    def test_columns_only_within_one_line(self, findings: list[Finding]) -> None:
        several = finding(Path(findings[0].path), Span(3, 1, 4, 9))
        assert "line=3,endLine=4::" in told("github", [several])

    def test_a_cell_is_named(self, findings: list[Finding]) -> None:
        assert "file=n.ipynb,line=1,endLine=1::cell 1, line 1: gc" in told("github", findings[2:])


class TestAzure:
    def test_an_issue(self, findings: list[Finding]) -> None:
        assert told("azure", findings[:1]) == (
            "##vso[task.logissue type=warning;sourcepath=a b/train.py;linenumber=4;columnnumber=18;code=MLS401;]"
            "gc.collect() walks every container object"
        )

    def test_advice_is_no_issue(self, findings: list[Finding]) -> None:
        assert not told("azure", findings[2:]).startswith("##vso")

    def test_what_has_a_meaning_is_escaped(self, findings: list[Finding]) -> None:
        assert "]50%AZP25 of `a|b`, <b>: [x](y)%0Anext; line]" in told("azure", findings[1:2])
        odd = finding(Path(findings[0].path).with_name("a;b].py"), Span(1, 1, 1, 2))
        assert "sourcepath=a b/a%3Bb%5D.py;" in told("azure", [odd])


class TestGitlab:
    """The fields that GitLab documents for a code quality report, and the values that it admits."""

    def test_each_issue_has_what_gitlab_needs(self, findings: list[Finding]) -> None:
        issues = json.loads(told("gitlab", findings))
        for issue in issues:
            assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
            assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
            assert issue["location"]["lines"]["begin"] >= 1
            assert not issue["location"]["path"].startswith(("/", "./"))
        assert [issue["severity"] for issue in issues] == ["major", "critical", "info"]

    def test_fingerprints_are_unique_and_survive_moved_lines(self, findings: list[Finding]) -> None:
        def prints(findings: list[Finding]) -> list[str]:
            return [issue["fingerprint"] for issue in json.loads(told("gitlab", findings))]

        path = Path(findings[0].path)
        twice = [finding(path, Span(4, 18, 4, 30)), finding(path, Span(5, 5, 5, 17))]
        before = prints(twice)
        assert len(set(before)) == 2
        path.write_text("\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
        assert prints([finding(path, Span(6, 18, 6, 30)), finding(path, Span(7, 5, 7, 17))]) == before
        other = path.with_name("other.py")
        other.write_bytes(path.read_bytes())
        assert not set(prints([finding(other, Span(6, 18, 6, 30))])) & set(before)


class TestJunit:
    """As junitparser reads it."""

    def test_what_fails_is_what_fails_the_command(self, findings: list[Finding], tmp_path: Path) -> None:
        report = tmp_path / "report.xml"
        report.write_text(told("junit", findings), encoding="utf-8")
        suites = junitparser.JUnitXml.fromfile(str(report))
        assert (suites.tests, suites.failures, suites.errors) == (3, 2, 0)
        assert [suite.name for suite in suites] == ["a b/train.py", "n.ipynb"]
        (first, second), (advice,) = [list(suite) for suite in suites]
        assert first.classname == "a b/train.py"
        assert first.result[0].type == "warning"
        assert second.result[0].message.startswith("50% of `a|b`, <b>: [x](y)")
        assert advice.is_passed
        assert "cell 1:1:1" in advice.system_out

    def test_a_clean_run_is_a_case_that_passes(self, tmp_path: Path) -> None:
        report = tmp_path / "report.xml"
        report.write_text(told("junit", []), encoding="utf-8")
        suites = junitparser.JUnitXml.fromfile(str(report))
        assert (suites.tests, suites.failures) == (1, 0)


class TestRdjson:
    """The fields and kinds of reviewdog's diagnostic format."""

    def test_columns_count_bytes(self, findings: list[Finding]) -> None:
        (diagnostic, *_) = json.loads(told("rdjson", findings))["diagnostics"]
        line = Path(findings[0].path).read_text(encoding="utf-8").splitlines()[3].encode()
        begin, end = diagnostic["location"]["range"]["start"], diagnostic["location"]["range"]["end"]
        assert line[begin["column"] - 1 : end["column"] - 1] == b"gc.collect()"
        assert diagnostic["suggestions"][0]["range"] == diagnostic["location"]["range"]

    def test_fields(self, findings: list[Finding]) -> None:
        document = json.loads(told("rdjson", findings))
        assert document["source"] == {"name": "mlsys-advise"}
        assert [found["severity"] for found in document["diagnostics"]] == ["WARNING", "ERROR", "INFO"]
        assert document["diagnostics"][0]["code"] == {"value": "MLS401"}
        assert document["diagnostics"][0]["location"]["path"] == "train.py"
        assert document["diagnostics"][0]["relatedLocations"] == [
            {"message": "cell 1, line 1: also here", "location": {"path": findings[2].path}}
        ]
        assert "range" not in document["diagnostics"][2]["location"]
        allowed = {"message", "location", "severity", "source", "code", "suggestions", "relatedLocations"}
        assert all(set(found) <= allowed for found in document["diagnostics"])


class TestMarkdown:
    def test_a_table_whose_cells_hold_no_markup_of_others(self, findings: list[Finding]) -> None:
        rows = [line for line in told("markdown", findings).splitlines() if line.startswith("|")][2:]
        assert [re.split(r"(?<!\\)\|", row)[1].strip() for row in rows] == ["error", "warning", "info"]
        assert all(len(re.split(r"(?<!\\)\|", row)) == 7 for row in rows)
        assert "50% of `a\\|b`, \\<b\\>: \\[x\\](y) next" in rows[0]
        assert "@someone" not in rows[0]
        assert "`n.ipynb:cell 1:1`" in rows[2]

    def test_a_comment_has_room_for_the_longest(self, findings: list[Finding]) -> None:
        many = [finding(Path(findings[0].path), Span(line, 1, line, 2), message="`|" * 400) for line in range(1, 200)]
        text = told("markdown", many)
        assert len(text) < 65_536
        assert f"And {199 - pull_request.ROWS} more findings." in text
