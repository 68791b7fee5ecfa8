"""Dated advisories on versions of libraries: data, so that a new one needs no code.

Invariant: the table ships with the package and is read on the first question; nothing is ever fetched.
"""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from typing import Literal

import msgspec

from mlsys_advise.languages.requirements.names import distribution


class Advisory(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """Something known about some versions of a package.

    ``affected`` is a PEP 440 specifier set and ``concerns`` holds the qualified names it is about; ``date`` is that of
    the publication at ``url``; ``summary`` is one sentence.
    """

    package: str
    affected: str
    id: str
    kind: Literal["vulnerability", "default", "feature"]
    concerns: tuple[str, ...]
    date: datetime.date
    summary: str
    url: str


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    advisory: tuple[Advisory, ...]


def advisories(package: str, concerning: str | None = None) -> tuple[Advisory, ...]:
    """The advisories on ``package``, oldest first; with ``concerning``, those about this qualified name."""
    return tuple(
        advisory
        for advisory in _by_package().get(distribution(package), ())
        if concerning is None or concerning in advisory.concerns
    )


@cache
def _by_package() -> dict[str, tuple[Advisory, ...]]:
    from importlib import resources

    text = resources.files("mlsys_advise.library").joinpath("advisories.toml").read_text(encoding="utf-8")
    table = msgspec.convert(tomllib.loads(text), _Table)
    grouped: dict[str, list[Advisory]] = {}
    for advisory in sorted(table.advisory, key=lambda one: (one.date, one.id)):
        grouped.setdefault(distribution(advisory.package), []).append(advisory)
    return {package: tuple(found) for package, found in grouped.items()}
