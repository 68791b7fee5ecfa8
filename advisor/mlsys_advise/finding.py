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


class Cost(msgspec.Struct, frozen=True):
    """What one occurrence costs on one machine, as it is and as it could be, in the unit of ``quantity``.

    ``named`` says that the user named the machine as target, ``reference`` that the profile came with the package.
    ``how`` says how the figures were got, or why there are none; then ``ratio`` is None and the values are 0.
    """

    machine: str
    how: str
    device: str = "cpu"
    named: bool = False
    reference: bool = False
    quantity: str = "seconds"
    per: str = ""
    ratio: float | None = None
    slow: float = 0.0
    fast: float = 0.0

    @property
    def loss(self) -> float:
        return self.slow - self.fast


class Finding(msgspec.Struct, frozen=True):
    """One report at one place.

    ``message`` says what is wrong here; ``why`` is the rule's mechanism in one line; ``heat_path`` says step by step
    how the heat reached the place, outermost first; ``assumed`` lists the rare excuses that were presumed away.
    ``evidence`` names the benchmark that prices the finding, ``size`` the size in the code where it is known, and
    ``costs`` is what it costs on the machines of which there are profiles.
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
    evidence: str = ""
    size: int = 0
    costs: tuple[Cost, ...] = ()


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
