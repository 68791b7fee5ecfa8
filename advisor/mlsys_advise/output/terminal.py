"""What a stream can show: colours, a width, characters.

Colour is for people at a terminal: a pipe or a file gets none unless it was asked for.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

import msgspec

#: Width of code excerpts where there is no terminal to ask.
PAPER = 120
_NARROWEST = 40

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "note": "1",
    "strong": "1",
    "gutter": "1;34",
    "dim": "2",
}


class Style(msgspec.Struct, frozen=True):
    """How to write for one stream. ``wraps`` says that long prose is broken at ``width`` cells."""

    colour: bool = False
    width: int = PAPER
    encoding: str = "utf-8"
    wraps: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> Style:
        terminal = is_terminal(stream)
        width = max(_NARROWEST, shutil.get_terminal_size().columns) if terminal else PAPER
        encoding = getattr(stream, "encoding", None) or "utf-8"
        return cls(colour=_coloured(terminal), width=width, encoding=encoding, wraps=terminal)

    def paint(self, role: str, text: str) -> str:
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self.colour and text else text


def is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _coloured(terminal: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return _understands_sequences()
    return terminal and os.environ.get("TERM") != "dumb" and _understands_sequences()


def _understands_sequences() -> bool:
    """Whether escape sequences are carried out; on Windows this asks the console to do so."""
    if sys.platform != "win32":
        return True
    import ctypes

    kernel = ctypes.windll.kernel32
    for handle in (kernel.GetStdHandle(-11), kernel.GetStdHandle(-12)):
        mode = ctypes.c_ulong()
        if kernel.GetConsoleMode(handle, ctypes.byref(mode)):
            kernel.SetConsoleMode(handle, mode.value | 4)
    return True
