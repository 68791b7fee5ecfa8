"""The manifests that say which versions of which packages a program runs with, one module for each format.

Invariant: parsing reads one text and nothing else, never raises and never runs a manifest (``setup.py`` is read as a
syntax tree); what could not be read leaves the interface incomplete instead of wrong.
"""

from __future__ import annotations

from mlsys_advise.languages.requirements.formats import format_of, parse
from mlsys_advise.languages.requirements.manifest import (
    Format,
    Include,
    Requirement,
    RequirementsDocument,
    RequirementsInterface,
    interface,
    locate,
)
from mlsys_advise.languages.requirements.names import distribution

__all__ = [
    "Format",
    "Include",
    "Requirement",
    "RequirementsDocument",
    "RequirementsInterface",
    "distribution",
    "format_of",
    "interface",
    "locate",
    "parse",
]
