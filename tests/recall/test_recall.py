"""Every rule flags at least four of five variants of its page's examples, and its pack's README says so."""

from __future__ import annotations

import pytest

from tests.recall import table
from tests.recall.measure import LEAST, recall
from tests.recall.variants import COMBINED, HOLDS_NO_MORE, REWRITES
from tests.rules.harness import pages

STALE = "run python -m tests.recall.table"


@pytest.mark.parametrize("path", pages())
def test_most_variants_are_flagged(path: str) -> None:
    measured = recall(path)
    assert measured.marks, f"{path}: no example has a variant"
    missed = [f"{path}:{line}: not flagged: {name}" for name, line in measured.missed]
    assert measured.share >= LEAST, "\n".join([f"{measured.flagged} of {measured.marks}", *missed])
    assert table.row(measured) in table.readme(path.split("/")[2]).read_text(encoding="utf-8").splitlines(), STALE


@pytest.mark.parametrize(("pack", "paths"), table.packs().items(), ids=table.packs())
def test_a_table_has_a_row_for_each_rule_and_the_reasons_for_what_is_not_counted(pack: str, paths: list[str]) -> None:
    text = table.readme(pack).read_text(encoding="utf-8")
    written = text.partition(table.BEGIN)[2].partition(table.END)[0].strip().splitlines()
    assert written[:1] == [table.HEADING], STALE
    rows = [line.split("|")[1].split() for line in written[2:] if line.startswith("|")]
    assert rows == sorted([page.code, page.name] for page in (pages()[path] for path in paths)), STALE
    assert written[2 + len(rows) :] == table.not_counted({code for code, _ in rows}), STALE


def test_what_is_not_counted_is_a_variant_of_a_rule() -> None:
    names = {rewrite.name for rewrite in REWRITES} | {name for name, _ in COMBINED}
    codes = {page.code for page in pages().values()}
    for code, name in HOLDS_NO_MORE:
        assert name in names, name
        assert code in codes, code


def test_a_table_replaces_the_one_before_it_and_nothing_else() -> None:
    added = table.replaced("# Pack\n\nText.\n", "one")
    assert added.startswith("# Pack\n\nText.\n\n## Recall\n")
    again = table.replaced(added + "\nMore.\n", "two")
    assert again == added.replace("\none\n", "\ntwo\n") + "\nMore.\n"
