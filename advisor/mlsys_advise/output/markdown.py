"""Markdown for reading at a terminal."""

from __future__ import annotations

import io

from mlsys_advise.output.terminal import Style

_MEASURE = 100  # longer lines are tiring to read


def for_terminal(text: str, style: Style) -> str:
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(
        file=io.StringIO(),
        width=min(style.width, _MEASURE),
        force_terminal=style.colour,
        no_color=not style.colour,
        color_system="standard" if style.colour else None,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(Markdown(text))
    return capture.get()
