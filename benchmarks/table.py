"""The measured tables of the documentation: each stands between two markers and is rewritten from a measurement."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.process import REPOSITORY

PAGE = REPOSITORY / "docs" / "performance.md"


def render(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with the machine below it."""
    return f"{markdown(heading, rows)}\n\n*{machine()}*"


def markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = [f"| {' | '.join(heading)} |", f"|{' --- |' * len(heading)}"]
    return "\n".join([*text, *(f"| {' | '.join(row)} |" for row in rows)])


def publish(name: str, table: str, *, update: bool, page: Path = PAGE) -> None:
    """Prints the table, and with ``update`` puts it between the markers of that name.

    Raises ValueError if the page has no such markers.
    """
    print(table)
    if update:
        page.write_text(replaced(page.read_text(encoding="utf-8"), name, table), encoding="utf-8")


def replaced(page: str, name: str, table: str) -> str:
    begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"the page needs the markers {begin} and {end}, once each and in this order")
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", page)


def machine() -> str:
    """The processor, the cores this process may use, and the interpreter."""
    interpreter = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {_cores()} cores, {platform.system()}, {interpreter}"


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def judged(value: float, bound: float, unit: str = "x") -> list[str]:
    """Three cells: what was measured, what it may be at most, and whether it is."""
    return [f"{value:.2f}{unit}", f"{bound:g}{unit}", "yes" if value <= bound else "**no**"]
