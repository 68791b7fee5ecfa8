"""Exit statuses, the same as ruff's."""

from __future__ import annotations

import enum


class ExitStatus(enum.IntEnum):
    CLEAN = 0  # nothing of severity warning or error
    FINDINGS = 1
    ERROR = 2  # wrong usage, or an internal error
