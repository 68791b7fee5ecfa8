"""Version constraints of Poetry: carets, tildes and alternatives, rewritten as PEP 440 specifier sets."""

from __future__ import annotations

import re

from mlsys_advise.languages.requirements import pep508

#: Characters of one constraint.
_LIMIT = 1000

_CARET_OR_TILDE = re.compile(r"(?P<operator>\^|~(?!=))\s*v?(?P<release>\d+(?:\.\d+)*)(?P<suffix>[\w.+-]*)")
_COMPARISON = re.compile(r"(?P<operator>===|==|!=|<=|>=|~=|<|>|=)?\s*v?(?P<version>[\w.!+*-]+)")
_BLANKS_AS_COMMAS = re.compile(r"(?<=[\w*])\s+(?=[\^~<>=!\d])")


def alternatives(constraint: str) -> tuple[str, ...]:
    """``^2.4`` is ``>=2.4,<3.0``; empty where a part cannot be understood."""
    found: list[str] = []
    if len(constraint) > _LIMIT:
        return ()
    for alternative in re.split(r"\|\|?", constraint):
        parts = [_specifier(part.strip()) for part in _BLANKS_AS_COMMAS.sub(",", alternative.strip()).split(",")]
        if None in parts:
            return ()
        admitted = pep508.admitted(",".join(part for part in parts if part))
        if not admitted:
            return ()
        found.extend(admitted)
    return tuple(dict.fromkeys(found))


def _specifier(part: str) -> str | None:
    if part in ("", "*", "x", "X"):
        return ""
    ranged = _CARET_OR_TILDE.fullmatch(part)
    if ranged is not None:
        release = [int(number) for number in ranged["release"].split(".")]
        upper = _caret(release) if ranged["operator"] == "^" else _tilde(release)
        return f">={ranged['release']}{ranged['suffix']},<{'.'.join(map(str, upper))}"
    comparison = _COMPARISON.fullmatch(part)
    if comparison is None:
        return None
    operator = comparison["operator"] or "=="
    return f"{'==' if operator == '=' else operator}{comparison['version']}"


def _caret(release: list[int]) -> list[int]:
    """The leftmost number that is not zero may not change; of zeros alone, the last."""
    at = next((index for index, number in enumerate(release) if number), len(release) - 1)
    return [*release[:at], release[at] + 1]


def _tilde(release: list[int]) -> list[int]:
    at = min(1, len(release) - 1)
    return [*release[:at], release[at] + 1]


def python_marker(constraint: str) -> str | None:
    """The environment marker for ``python = "^3.8"`` beside a dependency; None where it cannot be understood."""
    versions = alternatives(constraint)
    if not versions:
        return None
    clauses = [" and ".join(_python_clause(one) for one in version.split(",") if one) for version in versions]
    return " or ".join(clauses) if all(clauses) else ""


def _python_clause(specifier: str) -> str:
    match = re.fullmatch(r"([<>=!~]+)(.*)", specifier)
    if match is None:
        return ""
    variable = "python_full_version" if match[2].count(".") > 1 and "*" not in match[2] else "python_version"
    return f'{variable} {match[1]} "{match[2]}"'
