"""Rounds: fixes that meet wait for each other, and what does not hold is taken back with its reason."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from mlsys_advise.edit import Edit, Fix, RemoveStatement, ReplaceExpression, SetKeyword
from mlsys_advise.finding import Finding
from mlsys_advise.fixing import rounds
from mlsys_advise.span import Span


class Checker:
    """Finds calls by name: ``bad`` can be renamed, ``stays`` has a fix that mends nothing."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = {path: text.encode() for path, text in files.items()}
        self.runs = 0

    def __call__(self, contents: rounds.Contents) -> list[Finding]:
        self.runs += 1
        whole = {**self.files, **contents}
        return [finding for path in whole for finding in self._findings(path, whole[path].decode())]

    def _findings(self, path: str, text: str) -> list[Finding]:
        found = []
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            span = Span(node.lineno, node.col_offset + 1, node.end_lineno or 0, (node.end_col_offset or 0) + 1)
            edit: Edit | None = {
                "bad": ReplaceExpression(span, "good()"),
                "stays": SetKeyword(span, "x", str(text.count("x") + 1)),
                "worse": ReplaceExpression(span, "bad() + bad()"),
                "unsafe": RemoveStatement(span),
            }.get(node.func.id)
            if edit is not None:
                fix = Fix("mend it", "suggested" if node.func.id == "unsafe" else "safe", (edit,))
                found.append(
                    Finding(
                        code=node.func.id,
                        name="",
                        message="",
                        why="",
                        severity="warning",
                        category="performance",
                        lesson="",
                        path=path,
                        span=span,
                        snippet=ast.unparse(node),
                        fix=fix,
                    )
                )
        return found


def run(files: Mapping[str, str], *applicabilities: str) -> tuple[dict[str, str], rounds.Result, Checker]:
    checker = Checker(files)
    result = rounds.run(checker, checker.files.__getitem__, applicabilities or ("safe",))
    return {path: data.decode() for path, data in result.contents.items()}, result, checker


def test_fixes_in_one_line_are_made_one_after_the_other() -> None:
    after, result, _ = run({"a.py": "x = bad() + bad()\nbad()\n"})
    assert after == {"a.py": "x = good() + good()\ngood()\n"}
    assert len(result.fixed) == 3
    assert not result.findings


def test_files_that_need_nothing_are_not_among_the_contents() -> None:
    after, _, checker = run({"a.py": "good()\n", "b.py": "bad()\n"})
    assert list(after) == ["b.py"]
    assert checker.runs == 2


def test_a_fix_that_mends_nothing_is_taken_back_and_the_others_stay() -> None:
    after, result, _ = run({"a.py": "bad()\nstays()\n", "b.py": "bad()\n"})
    assert after == {"a.py": "good()\nstays()\n", "b.py": "good()\n"}
    assert [(left.finding.code, left.reason) for left in result.left] == [("stays", "the finding would remain")]


def test_a_fix_that_leads_to_another_finding_is_taken_back() -> None:
    after, result, _ = run({"a.py": "worse()\n"})
    assert after == {}
    assert [left.reason for left in result.left] == ["bad would be new"]


def test_fixes_of_other_applicabilities_are_not_made() -> None:
    assert run({"a.py": "unsafe()\n"})[0] == {}
    assert run({"a.py": "unsafe()\n"}, "safe", "suggested")[0] == {"a.py": ""}


def test_a_second_run_changes_nothing() -> None:
    after, _, _ = run({"a.py": "x = [bad(), bad()]\nworse()\n"})
    assert run(after)[0] == {}
