"""Names of rules as people type them, checked before the work begins."""

from __future__ import annotations

from collections.abc import Iterable

from mlsys_advise import registry
from mlsys_advise.rule import Rule
from mlsys_advise.usage import UsageError


def require_known(selectors: Iterable[str]) -> None:
    """Raises UsageError for a selector that selects nothing: a typing mistake must not switch a check off."""
    for selector in selectors:
        known = registry.load_rules()
        if known.find(selector) is None and not known.select((selector,), ()):
            raise UsageError(unknown(selector, known))


def require_asked(selected: Iterable[str], ruff: bool) -> None:
    """Raises UsageError for a rule that ruff finds where ruff is not asked: nothing would be checked."""
    if ruff:
        return
    known = registry.load_rules()
    for name in selected:
        rule = known.find(name)
        if rule is not None and rule in known.peers:
            raise UsageError(f"{rule.code} is found by ruff: add --ruff")


def unknown(name: str, known: registry.Registry) -> str:
    import difflib

    names = [word for rule in known.known for word in (rule.code, rule.name)]
    close = difflib.get_close_matches(name, names, n=3) or difflib.get_close_matches(name.upper(), names, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "`mlsys-advise rules` lists all"
    return f"there is no rule {name}; {hint}"


def rule_of(name: str, known: registry.Registry) -> Rule:
    """The rule with this code or name; raises UsageError, with the nearest ones, if there is none."""
    found = known.find(name)
    if found is None:
        raise UsageError(unknown(name, known))
    return found
