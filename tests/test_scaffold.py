"""A new rule starts with files that run, under a code that nobody has had."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from mlsys_advise import scaffold
from mlsys_advise.page import SKELETON, read_cases, read_page
from mlsys_advise.registry import registry_of
from mlsys_advise.rule import Pack, Rule
from mlsys_advise.scaffold import ScaffoldError, write_skeleton
from tests.rules.harness import Case, differences, findings

LESSONS = """\
[[lesson]]
module = "architecture"
id = "caches"
title = "Caches"

[[lesson]]
module = "os"
id = "file-systems"
title = "File systems"

[[lesson]]
module = "os"
id = "signals"
title = "Signals"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    home = tmp_path / "rules" / "mlsys_rules"
    (home / "os").mkdir(parents=True)
    (home / "lessons.toml").write_text(LESSONS, encoding="utf-8")
    (home / "os" / "old_rule.md").write_text("# MLS203 old-rule\n", encoding="utf-8")
    (home / "os" / "README.md").write_text("Dropped: MLS207, which was never right.\n", encoding="utf-8")
    return tmp_path


def test_files_of_a_new_rule(root: Path) -> None:
    written = write_skeleton(root, "page-cache-thrash", "os")
    assert [path.relative_to(root).as_posix() for path in written] == [
        "rules/mlsys_rules/os/page_cache_thrash.py",
        "rules/mlsys_rules/os/page_cache_thrash.md",
        "tests/rules/os/page_cache_thrash.md",
    ]
    code, page, cases = (path.read_text(encoding="utf-8") for path in written)
    module = ast.parse(code)
    (function,) = (node for node in module.body if isinstance(node, ast.FunctionDef))
    assert function.name == "page_cache_thrash"
    assert 'rule("MLS208", severity="info", category="performance", lesson="file-systems"' in code

    read = read_page(page)
    assert (read.code, read.name) == ("MLS208", "page-cache-thrash")
    assert {fault.message for fault in read.faults} == {"this is still the skeleton's text"}
    assert len(read.faults) == page.count(SKELETON)
    assert read_page(page.replace(SKELETON, "Written:")).faults == ()
    assert read_cases(cases).faults == ()


def test_the_skeleton_flags_its_own_examples(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    code, page, cases = write_skeleton(root, "page-cache-thrash", "os")
    rule = load(code, "page_cache_thrash")
    registry = registry_of([Pack("new", (rule,))])
    projects = [*read_page(page.read_text("utf-8")).projects, *read_cases(cases.read_text("utf-8")).projects]
    assert len(projects) == 5
    for project in projects:
        found = findings(project.files(), [rule.code], tmp_path_factory.mktemp("project"), registry)
        assert differences(Case("", project, (rule.code,)), found) == []


def load(path: Path, name: str) -> Rule:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rule = getattr(module, name)
    assert isinstance(rule, Rule)
    return rule


def test_the_code_after_the_highest_is_taken_and_a_dropped_one_stays_taken(root: Path) -> None:
    write_skeleton(root, "first", "os")
    write_skeleton(root, "second", "os", lesson="signals")
    assert read_page((root / "rules/mlsys_rules/os/second.md").read_text(encoding="utf-8")).code == "MLS209"
    write_skeleton(root, "third", "architecture")
    assert read_page((root / "rules/mlsys_rules/architecture/third.md").read_text(encoding="utf-8")).code == "MLS101"
    write_skeleton(root, "gap", "os", code="MLS205")
    with pytest.raises(ScaffoldError, match="in use, or was"):
        write_skeleton(root, "dropped", "os", code="MLS207")


@pytest.mark.parametrize(
    ("name", "pack", "options", "message"),
    [
        ("Page_Cache", "os", {}, "small letters with hyphens"),
        ("x", "kernel", {}, "the packs are architecture, os"),
        ("x", "os", {"code": "MLS301"}, "from MLS201 to MLS299"),
        ("x", "os", {"code": "OS1"}, "from MLS201 to MLS299"),
        ("x", "os", {"lesson": "caches"}, "its lessons are file-systems, signals"),
        ("old-rule", "os", {}, "exists already"),
    ],
)
def test_what_does_not_fit_writes_nothing(
    root: Path, name: str, pack: str, options: dict[str, str], message: str
) -> None:
    before = sorted(root.rglob("*"))
    with pytest.raises(ScaffoldError, match=message):
        write_skeleton(root, name, pack, **options)
    assert sorted(root.rglob("*")) == before


def test_command_line(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(root)
    assert scaffold.main(["new-rule", "os", "--lesson", "signals"]) == 0
    assert "python -m pytest tests/rules -k new_rule" in capsys.readouterr().out
    with pytest.raises(SystemExit) as status:
        scaffold.main(["new-rule", "os"])
    assert status.value.code == 2
    assert "exists already" in capsys.readouterr().err
    monkeypatch.chdir(root / "rules")
    with pytest.raises(SystemExit):
        scaffold.main(["other", "os"])
    assert "run this in the root of the repository" in capsys.readouterr().err
