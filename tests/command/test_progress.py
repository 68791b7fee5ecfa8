"""When the line of progress is drawn, with a clock of the test's own."""

from __future__ import annotations

import io

import pytest

from mlsys_advise.command.progress import Progress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_in_the_first_half_second_then_ten_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    clock, stream = Clock(), io.StringIO()
    with Progress(stream, clock=clock) as progress:
        for step in range(100):
            clock.now = 100 + step / 100
            progress("reading", step, 100)
    assert stream.getvalue().count("reading") == 5
    assert "\rreading 50 of 100 files (50%)" in stream.getvalue()


def test_a_shorter_line_covers_a_longer_one_and_the_end_covers_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    clock, stream = Clock(), io.StringIO()
    with Progress(stream, clock=clock) as progress:
        clock.now = 101
        progress("a long stage", 1_000, 4_000)
        clock.now = 102
        progress("short", 1, 0)
    first = "a long stage 1,000 of 4,000 files (25%)"
    second = "short 1 of 0 files".ljust(len(first))
    assert stream.getvalue() == f"\r{first}\r{second}\r{' ' * len('short 1 of 0 files')}\r"


def test_a_narrow_terminal_is_never_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    clock, stream = Clock(), io.StringIO()
    progress = Progress(stream, clock=clock)
    clock.now = 101
    progress("a long stage", 1, 2)
    assert stream.getvalue() == "\ra long stag"
