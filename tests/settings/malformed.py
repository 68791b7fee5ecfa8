"""Settings files that cannot be right: cut off, misspelt, of the wrong type, of another encoding; always the same."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator

VALID = """\
extend-select = ["MLS514", "MLS1"]
ignore = ["MLS401"]
fail-on = "warning"
min-severity = "info"
context = ["training", "serving"]
exclude = ["build", "*.gen.py"]
required-version = ">=0.1"
preview = false

[per-file-ignores]
"tests/*" = ["MLS4"]

[rules.MLS4]
severity = "error"
"""
KEYS = [line.split(" =")[0] for line in VALID.splitlines() if " = " in line and not line.startswith('"')]
WRONG = ["1", "1.5", "true", '"x y"', "[1]", "[[]]", "{a = 1}", "1979-05-27", '["MLS401", 3]', '[""]']


def malformed(count: int, seed: int = 7) -> Iterator[bytes]:
    """So many files, of each kind in turn."""
    chance = random.Random(seed)
    kinds = (_cut, _dirt, _misspelt, _wrong_type, _wrong_value, _wrong_inside)
    made = 0
    while made < count:
        text = kinds[made % len(kinds)](chance)
        if _is_wrong(text):
            made += 1
            yield text


def _is_wrong(data: bytes) -> bool:
    """Whether the file is certainly malformed: what changed the text may have left it valid."""
    try:
        content = tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        return True
    return content != tomllib.loads(VALID) and not set(content) < set(tomllib.loads(VALID))


def _cut(chance: random.Random) -> bytes:
    return VALID[: chance.randrange(1, len(VALID))].encode()


def _dirt(chance: random.Random) -> bytes:
    at = chance.randrange(len(VALID))
    dirt = chance.choice([b"\xff", b"\xc3(", b"\0", b"=", b"]", b'"', b"'''", b"[" * 5000, b"9" * 5000, b"\r", b"["])
    return VALID[:at].encode() + dirt + VALID[at:].encode()


def _misspelt(chance: random.Random) -> bytes:
    key = chance.choice(KEYS)
    at = chance.randrange(len(key))
    other = key[:at] + chance.choice(["x", "", "é", "_"]) + key[at + 1 :]
    return VALID.replace(f"{key} =", f'"{other}" =', 1).encode() if other != key else b"selct = []"


def _wrong_type(chance: random.Random) -> bytes:
    key = chance.choice([key for key in KEYS if key != "severity"])
    value = chance.choice([wrong for wrong in WRONG if key != "preview" or wrong != "true"])
    return (f"{key} = {value}\n" + "".join(_without(key))).encode()


def _wrong_value(chance: random.Random) -> bytes:
    replacement = chance.choice(
        [
            ('"warning"', '"warn"'),
            ('"info"', '"INFO"'),
            ('"serving"', '"server"'),
            ('">=0.1"', '">=999"'),
            ('">=0.1"', '"around 2"'),
            ('"MLS514"', '"MLS9"'),
            ('"MLS401"', '"gc-colect"'),
            ("extend-select", "extend = 'gone.toml'\nextend-select"),
            ("extend-select", "extend = 'mlsys-advise.toml'\nextend-select"),
            ("extend-select", "extend = '.'\nextend-select"),
        ]
    )
    return VALID.replace(*replacement, 1).encode() + b"# " + str(chance.random()).encode() + b"\nx = 1\n"


def _wrong_inside(chance: random.Random) -> bytes:
    table = chance.choice(
        [
            '[rules.MLS9]\nseverity = "error"\n',
            '[rules.MLS1]\nseverty = "error"\n',
            '[rules]\nMLS1 = "error"\n',
            '[per-file-ignores]\n"x" = "MLS4"\n',
            '[per-file-ignores]\n"" = ["MLS4"]\n',
            '[per-file-ignores]\n"x" = ["MLS4", "MLS98"]\n',
        ]
    )
    lines = VALID.split("[per-file-ignores]")[0].splitlines(keepends=True)
    chance.shuffle(lines)
    return ("".join(lines) + "\n[other]\n" + table).encode()


def _without(key: str) -> list[str]:
    return [line for line in VALID.splitlines(keepends=True) if not line.startswith(f"{key} =")]
