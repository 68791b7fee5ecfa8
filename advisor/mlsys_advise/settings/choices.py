"""Words that a setting and an option may have; nothing is imported for them, so that help stays quick."""

from __future__ import annotations

FORMATS = (
    "full", "concise", "grouped", "json", "json-lines", "sarif",
    "github", "gitlab", "junit", "rdjson", "azure", "markdown",
)  # fmt: skip
SEVERITIES = ("info", "warning", "error")
CONTEXTS = ("training", "evaluation", "data", "serving", "decoding", "setup", "test", "unknown")
FREQUENCIES = ("once", "epoch", "step", "item", "element")
