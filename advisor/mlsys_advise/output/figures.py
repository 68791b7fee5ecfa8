"""Measured figures in words, with the precision they deserve: two digits, and a factor as "about 9x"."""

from __future__ import annotations

import math

_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))


def factor(ratio: float) -> str:
    """``about 1.4x``, ``about 9x``, ``about 340x``, ``over 1,000x``: how far a factor can be relied on."""
    if ratio >= 1000:
        return "over 1,000x"
    if ratio >= 10:
        return f"about {_two_digits(ratio)}x"
    return f"about {ratio:.0f}x" if ratio >= 3 else f"about {ratio:.1f}x"


def amount(value: float, quantity: str) -> str:
    """A value in the quantity of a benchmark: ``1.6 ms``, ``410 MB``, ``46%``."""
    if quantity == "share":
        return f"{value * 100:.0f}%"
    units = _SECONDS if quantity == "seconds" else _BYTES
    if value <= 0:
        return "nothing"
    scale, unit = next(((scale, unit) for scale, unit in units if value >= scale), units[-1])
    return f"{_two_digits(value / scale)} {unit}"


def _two_digits(value: float) -> str:
    if value <= 0:
        return "0"
    digits = 1 - math.floor(math.log10(value))
    rounded = round(value, digits)
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.{max(0, digits)}f}"
