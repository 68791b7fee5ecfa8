"""Mistakes in what was asked for: the message is for the person who asked, and says what to do.

Anything else that is raised is a mistake of ours.
"""

from __future__ import annotations


class UsageError(Exception):
    """What was asked cannot be done: an unknown rule, a missing file, an executor that cannot be reached."""
