"""The titled blocks of a guide: what users copy into files of their own."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r'^```\w+ title="(?P<title>[^"]+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)


def snippets(guide: str) -> dict[str, str]:
    text = (REPOSITORY / "docs" / guide).read_text(encoding="utf-8")
    return {found["title"]: found["text"] for found in _BLOCK.finditer(text)}
