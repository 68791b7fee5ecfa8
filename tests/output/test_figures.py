"""Figures are printed with the precision that they deserve."""

from __future__ import annotations

import pytest

from mlsys_advise.output.figures import amount, factor


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.45, "about 0.5x"),
        (1.04, "about 1.0x"),
        (2.96, "about 3.0x"),
        (9.37, "about 9x"),
        (34.4, "about 34x"),
        (347.0, "about 350x"),
        (999.0, "about 1,000x"),
        (4.2e5, "over 1,000x"),
    ],
)
def test_factors(ratio: float, text: str) -> None:
    assert factor(ratio) == text


@pytest.mark.parametrize(
    ("value", "quantity", "text"),
    [
        (0.0, "seconds", "nothing"),
        (2.74e-10, "seconds", "0.27 ns"),
        (3.571e-6, "seconds", "3.6 us"),
        (0.0652, "seconds", "65 ms"),
        (0.99951, "seconds", "1,000 ms"),
        (12.3, "seconds", "12 s"),
        (1.28e8, "held-host-bytes", "130 MB"),
        (512.0, "bytes-moved", "510 bytes"),
        (0.463, "share", "46%"),
    ],
)
def test_amounts(value: float, quantity: str, text: str) -> None:
    assert amount(value, quantity) == text
