"""Profiles and benchmarks for a person at a terminal: one line each, figures rounded to what they deserve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlsys_advise.output.figures import amount, factor
from mlsys_advise.output.terminal import Style
from mlsys_calibration.benchmark import Benchmark
from mlsys_calibration.profile import Machine, Measurement, Point, Profile

_ROLES = {"measured": "strong", "unstable": "warning", "failed": "error", "not-applicable": "gutter"}
#: Quotient of two ratios from which a comparison says that they differ.
_DIFFERENT = 1.1


def line(name: str, measurement: Measurement, style: Style, *, provisional: bool = False) -> str:
    """A benchmark with its figure at each end of the sweep, or the reason why it has none."""
    head = style.paint(_ROLES[measurement.status], name.ljust(30))
    if not measurement.points:
        return f"{head} {measurement.status}: {measurement.notes}"
    figures = "; ".join(_point(point, measurement) for point in _ends(measurement.points))
    note = " (first look)" if provisional else " (unstable)" if measurement.status == "unstable" else ""
    return f"{head} {figures}{note}"


def _ends(points: Sequence[Point]) -> Sequence[Point]:
    return points if len(points) < 2 else (points[0], points[-1])


def _point(point: Point, measurement: Measurement) -> str:
    slow, fast = (amount(value / point.occurrences, measurement.quantity) for value in (point.slow, point.fast))
    size = f"at {point.size:,} {measurement.axis}"
    return f"{factor(point.ratio)} {size} ({slow} against {fast} per {measurement.per})"


def card(machine: Machine) -> str:
    """The machine in one line."""
    cpu = machine.cpu
    parts = [f"{cpu.model}, {cpu.usable} CPUs usable"]
    if machine.memory_bytes:
        parts.append(f"{machine.memory_bytes / 2**30:.0f} GiB")
    parts += [f"{gpu.model} ({gpu.memory_bytes / 2**30:.0f} GiB)" for gpu in machine.gpus]
    parts.append(f"Python {machine.versions.python}")
    parts.append(f"torch {machine.versions.torch}" if machine.versions.torch else "no torch")
    return ", ".join(parts)


def listing(benchmarks: Sequence[Benchmark], style: Style) -> Iterator[str]:
    """Benchmarks by module, with their device."""
    module = ""
    for benchmark in benchmarks:
        if benchmark.module != module:
            module = benchmark.module
            yield style.paint("strong", module)
        thorough = " (thorough)" if benchmark.thorough else ""
        yield f"  {benchmark.id.ljust(32)} {benchmark.device.ljust(5)} {benchmark.summary}{thorough}"


def summary(profile: Profile, path: Path) -> Iterator[str]:
    """How many benchmarks ended how, and where the profile is."""
    counts = Counter(measurement.status for measurement in profile.measurements.values())
    parts = [f"{counts[status]} {status}" for status in ("measured", "unstable", "failed", "not-applicable")]
    yield f"{', '.join(parts)}: {path}"


def comparison(first: Profile, second: Profile) -> Iterator[str]:
    """Benchmarks of two profiles side by side at the sizes that both have; ``!`` where ratios differ by over 10%."""
    yield f"{''.ljust(42)} {first.name[:20]:>20} {second.name[:20]:>20}"
    for name in sorted(first.measurements.keys() | second.measurements.keys()):
        one, other = first.measurements.get(name), second.measurements.get(name)
        pairs = _pairs(one, other)
        if not pairs:
            yield f"{name.ljust(42)} {_status(one):>20} {_status(other):>20}"
        for here, there in pairs:
            quotient = max(here.ratio, there.ratio) / max(min(here.ratio, there.ratio), 1e-9)
            mark = "  !" if quotient > _DIFFERENT else ""
            left, right = factor(here.ratio), factor(there.ratio)
            yield f"{f'{name} at {here.size:,}'.ljust(42)} {left:>20} {right:>20}{mark}"


def _pairs(one: Measurement | None, other: Measurement | None) -> list[tuple[Point, Point]]:
    if one is None or other is None:
        return []
    there = {point.size: point for point in other.points}
    return [(point, there[point.size]) for point in one.points if point.size in there]


def _status(measurement: Measurement | None) -> str:
    return "absent" if measurement is None else measurement.status
