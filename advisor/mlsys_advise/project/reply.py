"""What a question to the project comes back with: one of three answers, and what it rests on."""

from __future__ import annotations

import msgspec

from mlsys_advise.project.hotness import Cause


class Reply(msgspec.Struct, frozen=True):
    """An answer: yes, no or unknown (None), its evidence, facts for messages, and the reason for an unknown."""

    value: bool | None
    causes: tuple[Cause, ...] = ()
    facts: dict[str, str] = {}
    reason: str = ""
