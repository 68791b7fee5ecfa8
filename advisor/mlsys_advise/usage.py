"""Mistakes in what was asked for: the message is for the person who asked, and says what to do.

Anything else that is raised is a mistake of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class UsageError(Exception):
    """What was asked cannot be done: an unknown rule, a missing file, an executor that cannot be reached."""


class FileError(UsageError):
    """A file that the user wrote for us cannot be used; ``line`` and ``column`` start at 1."""

    def __init__(self, path: Path, line: int, column: int, message: str) -> None:
        super().__init__(f"{path}:{line}:{column}: {message}")
        self.path = path
        self.line = line
        self.column = column
        self.message = message
