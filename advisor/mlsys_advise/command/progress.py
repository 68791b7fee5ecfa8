"""A line on the terminal that says how far a long run has come, and that leaves no trace."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_AFTER = 0.5  # seconds: a run that is over by then shows nothing
_EVERY = 0.1


class StatusLine:
    """A line that is written over in place, and erased by showing an empty text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = 0

    def show(self, text: str) -> None:
        # Blanks rather than a control sequence: they erase on every terminal.
        text = text[: shutil.get_terminal_size().columns - 1]
        if text or self._shown:
            blanks = " " * (self._shown - len(text))
            # An interrupt may arrive while this writes: what has to be erased is known before it stands there.
            self._shown = max(self._shown, len(text))
            self._write(f"\r{text}{blanks}" if text else f"\r{blanks}\r")
            self._shown = len(text)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # the terminal has gone
            self._shown = 0


class Progress:
    """Called by the engine with a stage and how many files have passed it; used as a context manager."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = StatusLine(stream)
        self._clock = clock
        self._next = clock() + _AFTER

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.show("")

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = self._clock()
        if now >= self._next:
            self._next = now + _EVERY
            share = f" ({done * 100 // total}%)" if total else ""
            self._line.show(f"{stage} {done:,} of {total:,} files{share}")
