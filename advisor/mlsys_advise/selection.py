"""Which rules are in force: selectors as people type them, in layers as ruff has them.

A layer that selects starts afresh, one that only ignores or extends changes what is below it. Within a layer the more
specific selector wins: a name or code over a beginning of codes, a longer beginning over a shorter one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from mlsys_advise.registry import Registry
from mlsys_advise.rule import Rule
from mlsys_advise.settings.layer import Layer
from mlsys_advise.suppression.unused_suppression import UNUSED
from mlsys_advise.usage import UsageError


class Selection(msgspec.Struct, frozen=True):
    """The codes in force, and what was asked for by name and is not, for want of ``--preview``."""

    codes: frozenset[str]
    previews_left_out: tuple[str, ...] = ()


def all_rules(registry: Registry) -> tuple[Rule, ...]:
    """The rules of the packs, those that ruff runs for them, and the engine's own, by code."""
    return tuple(sorted((UNUSED, *registry.known), key=lambda rule: rule.code))


def select(registry: Registry, layers: Sequence[Layer], *, preview: bool = False) -> Selection:
    """The rules that the layers, the weakest first, come to.

    Without any ``select`` these are all but the opt-in ones, which must be named by their own code or name. Rules in
    preview are never in force without ``preview``.
    """
    rules = all_rules(registry)
    chosen = {rule.code for rule in rules if not rule.optin}
    for layer in layers:
        changed = _changed(rules, layer)
        if layer.select is None:
            chosen = {rule.code for rule in rules if changed.get(rule.code, rule.code in chosen)}
        else:
            chosen = {code for code, is_selected in changed.items() if is_selected}
    previews = {rule.code for rule in rules if rule.preview} if not preview else set()
    named = [name for layer in layers for name in (*(layer.select or ()), *(layer.extend_select or ()))]
    left_out = [rule.code for rule in rules if rule.code in previews & chosen and any(map(rule.is_named, named))]
    return Selection(frozenset(chosen - previews), tuple(left_out))


def _changed(rules: Sequence[Rule], layer: Layer) -> dict[str, bool]:
    """What one layer says of each rule of which it says anything."""
    said = [(name, True) for name in (*(layer.select or ()), *(layer.extend_select or ()))]
    said += [(name, False) for name in layer.ignore or ()]  # of two equal selectors the last counts
    result: dict[str, bool] = {}
    for rule in rules:
        answering = [
            (_specificity(rule, name), is_selected)
            for name, is_selected in said
            if (rule.is_named(name) if rule.optin and is_selected else rule.answers_to(name))
        ]
        if answering:
            result[rule.code] = max(reversed(answering), key=lambda pair: pair[0])[1]
    return result


def _specificity(rule: Rule, selector: str) -> int:
    """0 for ``ALL``, the length of a beginning of codes, 99 for the rule's own code or name."""
    if rule.is_named(selector):
        return 99
    return 0 if selector.upper() == "ALL" else len(selector)


def problem_of(selector: str, registry: Registry) -> str:
    """What is wrong with a selector, with the nearest rules; empty if some rule answers to it."""
    if any(rule.answers_to(selector) for rule in all_rules(registry)):
        return ""
    return _unknown(selector, registry)


def require_known(selectors: Iterable[str], registry: Registry) -> None:
    """Raises UsageError for a selector that selects nothing: a typing mistake must not switch a check off."""
    for selector in selectors:
        problem = problem_of(selector, registry)
        if problem:
            raise UsageError(problem)


def rule_of(name: str, registry: Registry) -> Rule:
    """The rule with this code or name; raises UsageError, with the nearest ones, if there is none."""
    rule = found(name, registry)
    if rule is None:
        raise UsageError(_unknown(name, registry))
    return rule


def found(name: str, registry: Registry) -> Rule | None:
    """The rule with this code or name, if there is one."""
    return next((rule for rule in all_rules(registry) if rule.is_named(name.strip())), None)


def named_peers(registry: Registry, layers: Sequence[Layer]) -> list[str]:
    """The rules of ruff's that are selected by their own code or name."""
    named = [name for layer in layers for name in (*(layer.select or ()), *(layer.extend_select or ()))]
    return [rule.code for rule in registry.peers if any(map(rule.is_named, named))]


def _unknown(name: str, registry: Registry) -> str:
    import difflib

    names = [word for rule in all_rules(registry) for word in (rule.code, rule.name)]
    close = difflib.get_close_matches(name, names, n=3) or difflib.get_close_matches(name.upper(), names, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "`mlsys-advise rules` lists all"
    return f"there is no rule {name}; {hint}"
