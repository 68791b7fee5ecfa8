"""Every rule flags at least four of five variants of its page's examples, and the tables in the READMEs say so."""

from __future__ import annotations

import pytest

from tests.recall import table
from tests.recall.measure import LEAST, recall
from tests.recall.variants import COMBINED, HOLDS_NO_MORE, REWRITES
from tests.rules.harness import pages


@pytest.mark.parametrize("path", pages())
def test_most_variants_are_flagged(path: str) -> None:
    measured = recall(path)
    assert measured.marks, f"{path}: no example has a variant"
    missed = [f"{path}:{line}: not flagged: {name}" for name, line in measured.missed]
    assert measured.share >= LEAST, "\n".join([f"{measured.flagged} of {measured.marks}", *missed])


@pytest.mark.parametrize(("pack", "paths"), table.packs().items(), ids=table.packs())
def test_the_table_of_the_pack_is_up_to_date(pack: str, paths: list[str]) -> None:
    text = table.readme(pack).read_text(encoding="utf-8")
    assert table.replaced(text, table.table(paths)) == text, "run python -m tests.recall.table"


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
