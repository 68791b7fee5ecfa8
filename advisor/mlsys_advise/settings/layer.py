"""Settings as plain data: what one source says, and what all of them together come to.

Invariant: the same sources give the same settings whatever the current directory; every value knows its origin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from mlsys_advise.finding import Severity
from mlsys_advise.heat import Context, Frequency
from mlsys_advise.settings.choices import SEVERITIES

CONTEXTS: dict[str, Context] = {(context.name or "").lower(): context for context in Context}
FREQUENCIES: dict[str, Frequency] = {frequency.name.lower(): frequency for frequency in Frequency}


class Origin(msgspec.Struct, frozen=True):
    """Where a setting stands in a file, or without one which part of the command line says it."""

    said: str = "command line"
    file: Path | None = None
    line: int = 1
    column: int = 1


class Patterns(msgspec.Struct, frozen=True):
    """Patterns as in ``.gitignore``, relative to the folder ``base``."""

    base: Path
    patterns: tuple[str, ...]


class PerFileIgnore(msgspec.Struct, frozen=True):
    """Rules that are ignored in the files that a pattern matches or, after ``!``, does not match."""

    base: Path
    pattern: str
    rules: tuple[str, ...]


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """What one source says; ``None`` where it says nothing. ``origins`` are by the name of the key in a file."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    per_file_ignores: tuple[PerFileIgnore, ...] | None = None
    rules: tuple[tuple[str, Severity], ...] | None = None
    preview: bool | None = None
    ruff: bool | None = None
    exclude: Patterns | None = None
    extend_exclude: Patterns | None = None
    respect_gitignore: bool | None = None
    force_exclude: bool | None = None
    fail_on: Severity | None = None
    min_severity: Severity | None = None
    context: tuple[str, ...] | None = None
    min_frequency: str | None = None
    baseline: Path | None = None
    output_format: str | None = None
    target: tuple[str, ...] | None = None
    required_version: str | None = None
    origins: Mapping[str, Origin] = {}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force for one project. ``layers`` are its sources, the weakest first."""

    layers: tuple[Layer, ...] = ()
    per_file_ignores: tuple[PerFileIgnore, ...] = ()
    rules: tuple[tuple[str, Severity], ...] = ()
    preview: bool = False
    ruff: bool = False
    exclude: Patterns | None = None
    extend_exclude: tuple[Patterns, ...] = ()
    respect_gitignore: bool = True
    force_exclude: bool = False
    fail_on: Severity = "warning"
    min_severity: Severity = "info"
    context: tuple[str, ...] = ()
    min_frequency: str = "once"
    baseline: Path | None = None
    output_format: str = "full"
    target: tuple[str, ...] = ()
    required_version: str = ""
    origins: Mapping[str, Origin] = {}

    def fails(self, severity: Severity) -> bool:
        """Whether a finding of this severity fails a run."""
        return SEVERITIES.index(severity) >= SEVERITIES.index(self.fail_on)

    @property
    def contexts(self) -> Context:
        """The contexts asked for, as one set; all where none is named."""
        chosen = Context(0)
        for name in self.context:
            chosen |= CONTEXTS[name]
        return chosen


#: Keys whose values add up; of all others the strongest source counts.
_GATHERED = {"extend_exclude", "rules"}
#: Keys that are read from the layers, one after the other.
_LAYERED = {"select", "extend_select", "ignore"}


def key_of(field: str) -> str:
    """The key of a settings file for a field."""
    return field.replace("_", "-")


def merged(layers: Sequence[Layer]) -> Settings:
    """The settings that some sources come to, the weakest first."""
    values: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for layer in layers:
        for field in Layer.__struct_fields__:
            value = getattr(layer, field)
            if value is None or field == "origins":
                continue
            origins[key_of(field)] = layer.origins.get(key_of(field), Origin())
            if field == "rules":
                values[field] = (*values.get(field, ()), *value)  # type: ignore[misc]  # it is what was put there
            elif field == "extend_exclude":
                values[field] = (*values.get(field, ()), value)  # type: ignore[misc]
            elif field not in _LAYERED:
                values[field] = value
    return Settings(layers=tuple(layers), origins=origins, **values)  # type: ignore[arg-type]  # fields by their names
