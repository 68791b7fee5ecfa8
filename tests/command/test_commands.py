"""The commands beside ``check``: they print what the engine and the rules say."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsys_advise import registry
from mlsys_advise.cache import Cache
from mlsys_advise.command.arguments import split_place
from mlsys_advise.vocabulary import Vocabulary
from tests.command import scripted
from tests.command.conftest import CommandLine


@pytest.mark.parametrize("name", ["MLS401", "mls401", "gc-collect-in-hot-path"])
def test_a_rule_is_found_by_code_and_by_name(cli: CommandLine, name: str) -> None:
    result = cli("rule", name)
    assert result.status == 0
    assert result.out.startswith("# MLS401 gc-collect-in-hot-path\n\nTeaches something.\n")


def test_an_unknown_rule_names_those_that_are_near(cli: CommandLine) -> None:
    result = cli("rule", "gc-collect")
    assert (result.status, result.out) == (2, "")
    assert "did you mean gc-collect-in-hot-path?" in result.err


def test_all_rules_are_listed_by_pack(cli: CommandLine) -> None:
    assert cli("rules").out.splitlines() == [
        "architecture",
        "  MLS101  scalar-tensor-loop       warning  A sentence about it.",
        "",
        "memory",
        "  MLS401  gc-collect-in-hot-path   warning  A sentence about it.",
        "  MLS413  pageable-batch-transfer  info     A sentence about it.",
        "  MLS499  expensive-question       warning  A sentence about it. (only when selected)",
        "",
        "suppression",
        "  MLS001  unused-suppression       info     A comment that silences nothing hides what is found there later.",
        "",
    ]


def test_rules_since_a_version_are_those_that_came_after_it(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("rules", "--since", "0.1.0").out == "There are no rules that came after 0.1.0.\n"
    assert "MLS401" in cli("rules", "--since", "0.0.9").out
    newer = (*scripted.RULES, scripted.taught("MLS498", "newer", "memory", since="0.10.0", preview=True))
    monkeypatch.setattr(registry, "load_rules", lambda: registry.Registry(newer, Vocabulary(), b""))
    assert cli("rules", "--since", "0.9").out.splitlines() == [
        "memory",
        "  MLS498  newer  warning  A sentence about it. (preview)",
        "",
    ]
    assert "'soon' is no version, such as" in cli("rules", "--since", "soon").err


def test_inspect_prints_what_the_engine_says(cli: CommandLine) -> None:
    assert cli("inspect", "train.py:2").out == "train.py\n  line 2\n"
    assert cli("inspect", "train.py").out == "train.py\n  line None\n"


def test_why_takes_a_place_as_findings_print_it(cli: CommandLine) -> None:
    assert cli("why", "MLS401", "train.py:2").out == "MLS401 at train.py:2\n  silent\n"
    assert cli("why", "gc-collect-in-hot-path", "train.py:2:5").out == "MLS401 at train.py:2\n  silent\n"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["why", "MLS401", "train.py"], "which line of train.py?"),
        (["why", "MLS999", "train.py:1"], "there is no rule MLS999"),
        (["why", "MLS401"], "required: FILE:LINE"),
        (["inspect", "gone.py:3"], "no such file: gone.py"),
        (["inspect", "."], "is a folder"),
    ],
)
def test_a_place_that_is_none_is_wrong_usage(cli: CommandLine, argv: list[str], says: str) -> None:
    result = cli(*argv)
    assert result.status == 2
    assert says in result.err


@pytest.mark.parametrize(
    ("place", "path", "line"),
    [
        ("a.py", "a.py", None),
        ("a.py:12", "a.py", 12),
        ("a.py:12:5", "a.py", 12),
        ("a.py:12:5:", "a.py", 12),
        ("dir/a.py:1", "dir/a.py", 1),
        ("C:\\code\\a.py:7", "C:\\code\\a.py", 7),
        ("C:\\code\\a.py", "C:\\code\\a.py", None),
    ],
)
def test_places_are_read_as_terminals_print_them(place: str, path: str, line: int | None) -> None:
    assert split_place(place) == (Path(path), line)


def test_a_file_whose_name_looks_like_a_place_is_that_file(project: Path) -> None:
    (project / "odd:12").write_text("")
    assert split_place("odd:12") == (Path("odd:12"), None)


def test_clean_removes_the_cache(cli: CommandLine) -> None:
    with Cache(Path("kept")) as cache:
        cache.put_many([(b"k" * 16, b"value" * 10_000)])
    assert cli("clean", "--cache-dir", "kept").out.startswith("Removed 0.")
    assert not Path("kept").exists()
    assert cli("clean", "--cache-dir", "kept").out == "There was no cache in kept.\n"


def test_clean_removes_the_users_cache_by_default(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSYS_ADVISE_CACHE_DIR", str(Path("mine").absolute()))
    with Cache() as cache:
        cache.put_many([(b"k" * 16, b"value")])
    assert Path("mine").is_dir()
    assert cli("clean").status == 0
    assert not Path("mine").exists()


def test_clean_leaves_the_files_of_others(cli: CommandLine, project: Path) -> None:
    assert cli("clean", "--cache-dir", project).status == 0
    assert (project / "train.py").exists()


@pytest.mark.parametrize("argv", [["--version"], ["check", "--version"], ["rules", "--version"]])
def test_the_version_is_printed(cli: CommandLine, argv: list[str]) -> None:
    from mlsys_advise import __version__

    result = cli(*argv)
    assert (result.status, result.out) == (0, f"mlsys-advise {__version__}\n")
    assert cli.calls == []


@pytest.mark.parametrize("command", ["check", "inspect", "why", "rule", "rules", "clean", "generate-shell-completion"])
def test_every_command_has_help_that_fits_a_screen(cli: CommandLine, command: str) -> None:
    result = cli(command, "--help")
    assert result.status == 0
    assert result.out.startswith(f"usage: mlsys-advise {'[check]' if command == 'check' else command}")
    assert len(result.out.splitlines()) < 80
    assert all(len(line) <= 100 for line in result.out.splitlines())
    introduction = cli("--help").out
    assert f"\n  {command} " in introduction
    assert len(introduction.splitlines()) < 32
