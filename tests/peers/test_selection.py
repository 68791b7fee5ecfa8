"""What runs by default has been judged, and the guide's table is what the verdicts say."""

from __future__ import annotations

import re
from pathlib import Path

from mlsys_advise.registry import load_rules
from tests.judged import verdicts

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "ruff.md"
JUDGED = [verdict for verdict in verdicts.verdicts() if verdict.round == "ruff"]
FIGURES = verdicts.precision(JUDGED)
#: By the author of the selection, and by an independent reader.
READINGS = [
    verdicts.precision([verdict for verdict in verdicts.verdicts() if verdict.round == name])
    for name in ("ruff", "ruff-again")
]
LEAST_READ = 10


def test_what_has_not_reached_the_bar_with_every_reader_runs_by_name_only() -> None:
    for rule in load_rules().peers:
        read = [found[rule.code] for found in READINGS if rule.code in found]
        reached = bool(read) and all(one.read >= LEAST_READ and one.share >= verdicts.LEAST_PRECISION for one in read)
        assert rule.optin is not reached, rule.code


def test_at_least_fifteen_codes_were_judged() -> None:
    assert len(FIGURES) - 1 >= 15


def test_the_table_is_what_the_verdicts_say() -> None:
    row = r"^\| ([A-Z]+\d+) \| [^|]+" + 5 * r" \| (\d+)" + r" \|"
    rows = re.findall(row, GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    table = {code: tuple(map(int, figures)) for code, *figures in rows}
    assert table == {
        code: (figure.read, figure.repositories, figure.right, figure.not_worth, figure.false)
        for code, figure in FIGURES.items()
        if code
    }
