"""The hash by which GitHub recognises the line of an alert in the next upload: a line and what follows it.

It is that of GitHub's own upload action: a polynomial over the next hundred UTF-16 code units that are neither blanks
nor tabs, modulo 2^64, and the count of lines with the same text so far. An upload that carries it is left as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

_BLOCK = 100
_BASE = 37
_MODULUS = 1 << 64
_END = 0xFFFF  # stands after the last character
_NEWLINE = 0x0A
_BLANKS = str.maketrans("", "", " \t")


def line_hashes(lines: Sequence[str], wanted: Collection[int]) -> dict[int, str]:
    """By number, from 1, the hashes of the lines wanted that exist; a file that ends with a newline has an empty last
    line."""
    text = "\n".join(lines).translate(_BLANKS)
    units = [*memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H"), _END]
    starts = [0, *(number + 1 for number, unit in enumerate(units) if unit == _NEWLINE)]
    seen: Counter[tuple[int, ...]] = Counter()
    hashes = {}
    for line, start in enumerate(starts, start=1):
        block = tuple(units[start : start + _BLOCK])
        seen[block] += 1
        if line in wanted:
            hashes[line] = f"{_polynomial(block):x}:{seen[block]}"
    return hashes


def _polynomial(block: tuple[int, ...]) -> int:
    value = 0
    for unit in block:
        value = value * _BASE + unit
    return value * pow(_BASE, _BLOCK - len(block), _MODULUS) % _MODULUS
