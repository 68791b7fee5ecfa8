"""Ignore files mean what git says they mean."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsys_advise.project.gitignore import IgnoreRules

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git itself is the judge")


def ignored(rules: str, path: str) -> bool:
    """Whether the path or a folder above it is ignored; a path that ends in a slash is a folder."""
    compiled = IgnoreRules(rules)
    parts = path.rstrip("/").split("/")
    for depth in range(1, len(parts) + 1):
        is_directory = depth < len(parts) or path.endswith("/")
        if compiled.verdict("/".join(parts[:depth]), is_directory):
            return True
    return False


@pytest.mark.parametrize(
    ("rules", "path", "verdict"),
    [
        ("a", "a", True),
        ("a", "x/a", True),
        ("a", "a/b", True),
        ("a", "ab", False),
        ("/a", "x/a", False),
        ("/a", "a", True),
        ("a/", "a", False),
        ("a/", "a/", True),
        ("a/b", "x/a/b", False),
        ("a/b", "a/b", True),
        ("*.py", "x/a.py", True),
        ("a*", "x/abc", True),
        ("a/*", "a/b", True),
        ("a/*/c", "a/b/b/c", False),
        ("**/a", "x/y/a", True),
        ("**/a", "a", True),
        ("a/**", "a/x/y", True),
        ("a/**", "a/", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a**b", "axxb", True),
        ("a?c", "abc", True),
        ("/a?c", "a/c", False),
        ("[ab]", "b", True),
        ("[!ab]", "b", False),
        ("[a-c]x", "bx", True),
        ("[[:digit:]]", "7", True),
        (r"\#a", "#a", True),
        ("#a", "#a", False),
        (r"\!a", "!a", True),
        ("a ", "a", True),
        ("a\\ ", "a ", True),
        ("a\r", "a", True),
        ("*\n!a", "a", False),
        ("*\n!a", "b", True),
        ("!a\na", "a", True),
        ("a\n!a/b", "a/b", True),
        ("*\n!*/\n!*.py", "x/y.py", False),
        ("*\n!*/\n!*.py", "x/y.txt", True),
        ("", "a", False),
        ("a\\", "a", False),
        ("[a", "[a", False),
    ],
)
def test_rules_decide_as_in_the_manual(rules: str, path: str, verdict: bool) -> None:
    assert ignored(rules, path) is verdict


def test_hostile_patterns_take_no_exponential_time() -> None:
    rules = IgnoreRules("*a" * 40 + "b\n/" + "*a" * 40 + "/c\n" + "**/a/" * 12 + "b\n" + "**/*a/" * 12 + "b/**")
    start = time.process_time()
    assert rules.verdict("a" * 200, False) is None
    assert rules.verdict("a/" * 60 + "c", False) is None
    assert time.process_time() - start < 5


NAMES = ("a", "b", "ab", "foo.py", "x.txt", "#h", "!n", "a b", "a[1]", "é", ".x", "[a")
ATOMS = (
    *("a", "b", "foo", "*", "**", "**/", "/**/", "?", "/", ".py", "*.txt", "[ab]", "[!a]", "[a-c]", "[[:alpha:]]"),
    *("\\#h", "\\!n", "\\a", "é", " ", "\\ ", ".x", "a\\[1\\]", "[]a]", "[a", "\\", "[z-a]", "[^\\]]"),
)
PATTERNS = st.lists(st.sampled_from(ATOMS), min_size=1, max_size=4).map("".join)
MARKS = st.sampled_from(["", "", "", "!", "/", "#"])
LINES = st.tuples(MARKS, PATTERNS, st.sampled_from(["", "", "/", "\r"])).map("".join)
FILES = st.lists(LINES, max_size=5).map("\n".join)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of odd names three folders deep; they are made once, only the ignore files change."""
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for folder in ("", "a", "a/ab", "a/ab/b", "b", "b/a", "foo.py", "foo.py/é", "#h", "é", "a b/!n"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for folder in sorted(path for path in [root, *root.rglob("*")] if path.is_dir() and ".git" not in path.parts):
        for name in NAMES:
            if not (folder / name).exists():
                (folder / name).touch()
    return root


def kept(root: Path) -> set[str]:
    """What a walk keeps that goes by the rules of each folder and never enters what they ignore."""
    found = set()
    folders: list[tuple[str, list[tuple[str, IgnoreRules]]]] = [("", [])]
    while folders:
        folder, rules = folders.pop()
        own = root / folder / ".gitignore"
        if own.exists():
            rules = [*rules, (folder, IgnoreRules(own.read_bytes().decode()))]
        for entry in os.scandir(root / folder):
            path = f"{folder}{entry.name}"
            verdicts = [rule.verdict(path[len(base) :], entry.is_dir()) for base, rule in rules]
            said = [verdict for verdict in verdicts if verdict is not None]
            if entry.name == ".git" or (said and said[-1]):
                continue
            if entry.is_dir():
                folders.append((f"{path}/", rules))
            else:
                found.add(path)
    return found


@needs_git
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES, FILES)
def test_a_walk_keeps_what_git_keeps(repository: Path, outer: str, inner: str) -> None:
    for folder, text in (("", outer), ("a", inner)):
        (repository / folder / ".gitignore").write_bytes(text.encode())
    listed = subprocess.run(
        ["git", "-C", repository, "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    assert kept(repository) == {os.fsdecode(path) for path in listed.stdout.split(b"\0") if path}
