"""MLS001: the one rule that no pack brings, since what it reports is known only when all others have been judged."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlsys_advise.here import Here
from mlsys_advise.rule import Candidate, Rule


def unused_suppression(module: ast.Module, here: Here) -> Iterator[Candidate]:
    """A comment that silences nothing hides what is found there later."""
    return iter(())


UNUSED = Rule(
    code="MLS001",
    name="unused-suppression",
    severity="info",
    category="correctness",
    lesson="",
    summary=unused_suppression.__doc__ or "",
    check=unused_suppression,
    nodes=(),
    module=__name__,
)
