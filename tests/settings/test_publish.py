"""What is published of the settings is what the model says: schema, table of keys, examples of the pages."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from mlsys_advise.registry import load_rules
from mlsys_advise.selection import problem_of
from mlsys_advise.settings import files, publish
from mlsys_advise.settings.model import SettingsFile

DOCS = Path(__file__).resolve().parents[2] / "docs"
AGAIN = "python -m mlsys_advise.settings.publish makes it anew"


def test_the_schema_is_that_of_the_model() -> None:
    assert publish.SCHEMA.read_text(encoding="utf-8") == publish.schema_text(), AGAIN


def test_the_table_of_the_page_is_that_of_the_model() -> None:
    page = publish.PAGE.read_text(encoding="utf-8")
    assert page == publish.page_text(page), AGAIN
    for field in SettingsFile.model_fields:
        assert f"| `{field.replace('_', '-')}` |" in page


def test_the_schema_allows_no_other_key_and_no_null() -> None:
    schema = json.loads(publish.SCHEMA.read_text(encoding="utf-8"))
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["RuleOptions"]["additionalProperties"] is False
    assert '"null"' not in publish.SCHEMA.read_text(encoding="utf-8")
    assert all(described["description"] for described in schema["properties"].values())


@pytest.mark.parametrize("page", ["settings.md", "suppressions.md"])
def test_the_examples_are_valid(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        tomllib.loads(block)
        (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
        files.load(tmp_path / "pyproject.toml", lambda selector: problem_of(selector, load_rules()))


@pytest.mark.parametrize("page", ["settings.md", "suppressions.md"])
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", (DOCS / page).read_text(encoding="utf-8")):
        assert target.startswith("https://") or (DOCS / target).is_file(), target
