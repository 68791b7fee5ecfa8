"""Cost: what a finding costs by the figures of a machine, which findings that silences, and how findings rank.

Pure functions of findings and figures, so another target needs no new analysis. Figures of a machine that the user
did not name are shown and nothing else; what is wrong, unsafe or irreproducible is never silenced by its cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from mlsys_advise.finding import Cost, Finding
from mlsys_advise.heat import Frequency
from mlsys_calibration.benchmark import GRAIN
from mlsys_calibration.envelope import ratio
from mlsys_calibration.figures import Figure, FigurePoint, Figures

#: A finding whose costs differ by less than this factor is not worth a line on a target that the user named.
MIN_RATIO: Final = 1.1
#: Categories of findings that are about cost alone.
PRICED: Final = frozenset({"performance", "memory"})

#: How often a place of each frequency runs, nominally: ten epochs of a thousand steps with a batch of 32, each item a
#: hundred elements.
TIMES: Final = {
    Frequency.ONCE: 1.0,
    Frequency.EPOCH: 10.0,
    Frequency.STEP: 1e4,
    Frequency.ITEM: 3.2e5,
    Frequency.ELEMENT: 3.2e7,
}
#: Seconds that an occurrence counts for at least, where its cost is unknown or was not measured on a named target.
UNKNOWN: Final = 1e-6
#: Seconds that a byte counts for, so that a gigabyte weighs as much as a second.
SECONDS_PER_BYTE: Final = 1e-9

_GRAVITY: Final = {"error": 0, "warning": 1, "info": 2}
#: Relative difference of sizes below which they are the same.
_SAME_SIZE: Final = 0.01


class Target(msgspec.Struct, frozen=True):
    """The figures of a machine, and how it came to be asked: named by the user, shipped with the package, or neither,
    which is a profile stored on the machine that lints."""

    figures: Figures
    named: bool = False
    reference: bool = False


class Quiet(msgspec.Struct, frozen=True):
    """A finding that costs too little on every named target to be reported, and the reason."""

    finding: Finding
    reason: str


def priced(findings: Iterable[Finding], targets: Sequence[Target]) -> list[Finding]:
    """The findings with what they cost on each target; those whose rule has no benchmark stay as they are."""
    return [
        msgspec.structs.replace(
            finding,
            costs=tuple(cost for target in targets for cost in costs_on(target, finding.evidence, finding.size)),
        )
        if finding.evidence
        else finding
        for finding in findings
    ]


def costs_on(target: Target, evidence: str, size: int = 0) -> list[Cost]:
    """The costs that a benchmark and its variants for other devices give on a target; one without figures if none."""
    measured, reasons = [], []
    for name, figure in target.figures.measurements.items():
        if name != evidence and not name.startswith(evidence + "."):
            continue
        if figure.status == "measured" and figure.points:
            measured.append(_cost(figure, target, size))
        else:
            reasons.append(_absence(figure))
    if measured:
        return measured
    return [_blank(target, reasons[0] if reasons else "not measured")]


def _blank(target: Target, how: str) -> Cost:
    return Cost(machine=target.figures.name, how=how, named=target.named, reference=target.reference)


def _absence(figure: Figure) -> str:
    match figure.status:
        case "not-applicable":
            return f"not measured: {figure.notes}"
        case "unstable":
            return "not measured: the figures did not settle"
        case _:
            return "not measured: the benchmark failed"


def _cost(figure: Figure, target: Target, size: int) -> Cost:
    point, how = at_size(figure, size)
    return Cost(
        machine=target.figures.name,
        how=f"{'measured' if target.named or target.reference else 'measured here'} on {figure.date}, {how}",
        device=figure.device,
        named=target.named,
        reference=target.reference,
        quantity=figure.quantity,
        per=figure.per,
        ratio=ratio(point.slow, point.fast, GRAIN[figure.quantity]),
        slow=point.slow / point.occurrences,
        fast=point.fast / point.occurrences,
    )


def at_size(figure: Figure, size: int) -> tuple[FigurePoint, str]:
    """The figures at a size, and where they come from: a size measured, two neighbours, or the nearer end of the sweep.

    Between neighbours, values follow a power of the size. ``size`` 0 means the benchmark's typical one.
    """
    wanted = size or figure.typical
    points = sorted(figure.points, key=lambda point: point.size)
    nearest = min(points, key=lambda point: abs(math.log(point.size / wanted)))
    if abs(nearest.size - wanted) <= _SAME_SIZE * wanted:
        return nearest, f"at {nearest.size:,} {figure.axis}"
    if not size or not points[0].size < wanted < points[-1].size:
        nearness = "the size measured that is nearest" if size else "a usual size"
        return nearest, f"at {nearest.size:,} {figure.axis}, {nearness}"
    upper = next(number for number, point in enumerate(points) if point.size > wanted)
    return _between(points[upper - 1], points[upper], wanted), f"interpolated for {wanted:,} {figure.axis}"


def _between(one: FigurePoint, other: FigurePoint, size: int) -> FigurePoint:
    """A point on the straight line between two in logarithms; values per call, as occurrences follow the size."""
    share = math.log(size / one.size) / math.log(other.size / one.size)

    def value(before: float, after: float) -> float:
        if before <= 0 or after <= 0:
            return before + share * (after - before)
        return math.exp(math.log(before) + share * (math.log(after) - math.log(before)))

    occurrences = max(1, round(value(one.occurrences, other.occurrences)))
    slow, fast = value(one.slow, other.slow), value(one.fast, other.fast)
    return FigurePoint(size, slow, fast, slow / fast if fast else 0.0, occurrences)


def settle(findings: Iterable[Finding], min_ratio: float = MIN_RATIO) -> tuple[list[Finding], list[Quiet]]:
    """The findings to report, and those that cost too little on every target that the user named."""
    kept: list[Finding] = []
    quiet: list[Quiet] = []
    for finding in findings:
        named = [cost for cost in finding.costs if cost.named]
        if finding.category in PRICED and named and all(_is_little(cost, min_ratio) for cost in named):
            machines = ", ".join(dict.fromkeys(cost.machine for cost in named))
            worst = max(cost.ratio or 0.0 for cost in named)
            quiet.append(Quiet(finding, f"costs {worst:.2f}x on {machines}, and {min_ratio:g}x is the least reported"))
        else:
            kept.append(finding)
    return kept, quiet


def _is_little(cost: Cost, min_ratio: float) -> bool:
    return cost.ratio is not None and cost.ratio < min_ratio


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """By severity; within it by what is lost in a nominal run, the dearest first; then by place.

    Expected loss is the loss of an occurrence times how often a place of its heat runs (``TIMES``), on the target where
    it is greatest. Bytes weigh ``SECONDS_PER_BYTE``. Without a figure of a named target an occurrence counts for
    ``UNKNOWN`` at least, so that no other machine's figures push a finding down.
    """
    return sorted(
        findings,
        key=lambda finding: (
            _GRAVITY[finding.severity],
            -expected_loss(finding),
            finding.path,
            finding.span,
            finding.code,
        ),
    )


def expected_loss(finding: Finding) -> float:
    """Seconds that a nominal run loses to a finding."""
    hottest = finding.heat.hottest()
    times = TIMES[hottest[1]] if hottest is not None else TIMES[Frequency.ONCE]
    known = [cost for cost in finding.costs if cost.ratio is not None]
    least = 0.0 if any(cost.named for cost in known) else UNKNOWN
    return times * max([least, *(_seconds(cost) for cost in known)])


def _seconds(cost: Cost) -> float:
    if cost.quantity == "seconds":
        return cost.loss
    return cost.loss * SECONDS_PER_BYTE if "bytes" in cost.quantity else 0.0
