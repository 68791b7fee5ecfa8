"""Why a fix was left undone."""

from __future__ import annotations


class Refusal(Exception):
    """A fix cannot be carried out here. The text is one line for the user, and says what is in the way."""
