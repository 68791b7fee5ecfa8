"""The site of the documentation: built strictly, complete, and asking nothing of other hosts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mlsys_advise.registry import load_rules
from website import build, lessons
from website.sources import relinked


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "website.build", str(folder)]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class _Fetches(HTMLParser):
    """What a browser fetches to show a page; links that a reader may follow are not among it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.found.append(given.get("src") or "")
        elif tag == "link" and given.get("rel") not in ("canonical", "next", "prev"):
            self.found.append(given.get("href") or "")


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetches = _Fetches()
        fetches.feed(page.read_text(encoding="utf-8"))
        assert [url for url in fetches.found if re.match(r"(?:https?:)?//", url)] == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_every_rule_has_a_page_and_a_row(site: Path) -> None:
    table = (site / "rules" / "index.html").read_text(encoding="utf-8")
    for rule in load_rules().known:
        page = (site / "rules" / rule.code / "index.html").read_text(encoding="utf-8")
        assert f"{rule.code} {rule.name}" in page
        (row,) = re.findall(rf'<tr [^>]*><td [^>]*><a href="{rule.code}/">.*?</tr>', table)
        assert all(word in row for word in (rule.pack, rule.severity, rule.name))
    assert table.count("<tr data-pack") == len(load_rules().known)


def test_every_lesson_has_a_page_that_leads_to_its_rules(site: Path) -> None:
    course = lessons.lessons()
    assert len(course) == 56
    for lesson in course:
        page = (site / "lessons" / lesson.id / "index.html").read_text(encoding="utf-8")
        leading = set(re.findall(r'href="\.\./\.\./rules/([A-Z]+\d+)/"', page.partition("<article")[2]))
        assert leading == {rule.code for rule in load_rules().known if rule.lesson == lesson.id}


def test_the_search_knows_the_rules(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    assert all(f"rules/{rule.code}/" in index for rule in load_rules().rules)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_the_script_of_the_table_parses() -> None:
    script = Path(build.__file__).with_name("assets") / "rules.js"
    subprocess.run(["node", "--check", str(script)], check=True, timeout=30)


def test_links_lead_to_where_files_ended_up() -> None:
    text = "[c](../README.md#x) [u](https://a.b) [n](notes.md)\n```\n[c](../README.md)\n```\n`a[i](b)`\n"
    made = relinked(text, "docs/guide.md", "deep/guide.md", {"README.md": "index.md"})
    assert made.splitlines()[0] == "[c](../index.md#x) [u](https://a.b) n (`docs/notes.md`)"
    assert made.splitlines()[2] == "[c](../README.md)"
    assert made.splitlines()[4] == "`a[i](b)`"
