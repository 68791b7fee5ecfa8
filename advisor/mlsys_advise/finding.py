"""What a rule reports and what the user reads: findings, notices and the path by which heat arrived."""

from __future__ import annotations

from typing import Literal

import msgspec

from mlsys_advise.edit import Fix
from mlsys_advise.heat import Heat
from mlsys_advise.span import Place, Span

Severity = Literal["info", "warning", "error"]
Category = Literal["performance", "reliability", "correctness", "security", "reproducibility", "memory"]


class Related(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Another place that a finding rests on, with what is to be seen there."""

    place: Place
    message: str


class Finding(msgspec.Struct, frozen=True):
    """One report at one place.

    ``message`` says what is wrong here; ``why`` is the rule's mechanism in one line; ``heat_path`` says step by step
    how the heat reached the place, outermost first; ``assumed`` lists the rare excuses that were presumed away.
    ``snippet`` identifies copies of one site: equal (code, snippet) pairs are folded by the ``full`` output.
    """

    code: str
    name: str
    message: str
    why: str
    severity: Severity
    category: Category
    lesson: str
    path: str
    span: Span
    heat: Heat = Heat()
    heat_path: tuple[Related, ...] = ()
    related: tuple[Related, ...] = ()
    assumed: tuple[str, ...] = ()
    fix: Fix | None = None
    snippet: str = ""


class Notice(msgspec.Struct, frozen=True, order=True):
    """Something about a file that the user should know and that is not a finding: skipped, partly read, too deep."""

    path: str
    message: str
    line: int = 0


class InternalError(msgspec.Struct, frozen=True, order=True):
    """A rule or a part of the engine raised; the run goes on and exits with status 2."""

    path: str
    where: str
    detail: str
