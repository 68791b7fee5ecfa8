"""The seven packs of rules, one for each module of the course; found by the engine through an entry point."""

from __future__ import annotations

import importlib
import pkgutil

from mlsys_advise.rule import Pack, Rule
from mlsys_rules.ruff import PEERS


def _rules() -> tuple[Rule, ...]:
    """Every rule of every pack: each module below this package holds one."""
    found: list[Rule] = []
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        if not module.ispkg:
            loaded = importlib.import_module(module.name)
            found.extend(
                value for value in vars(loaded).values() if isinstance(value, Rule) and value.module == module.name
            )
    return tuple(sorted(found, key=lambda rule: rule.code))


PACK = Pack("mlsys", _rules(), peers=PEERS)
