"""The rules in force: found through entry points, so that the engine knows no pack and anyone can ship one."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import sys
from pathlib import Path

import msgspec

from mlsys_advise.library.kinds import KINDS
from mlsys_advise.library.pictures import PICTURES
from mlsys_advise.library.roots import HEAT_ROOTS
from mlsys_advise.library.words import WORDS
from mlsys_advise.rule import API, Pack, Rule
from mlsys_advise.vocabulary import Vocabulary

GROUP = "mlsys_advise.rules"


class PackError(Exception):
    """A pack cannot be used: it was written for another version, or two rules have one code."""


class Registry(msgspec.Struct, frozen=True):
    """All rules by code, the merged vocabulary, a digest of the packs' sources, and the rules that ruff runs for us."""

    rules: tuple[Rule, ...]
    vocabulary: Vocabulary
    source: bytes
    peers: tuple[Rule, ...] = ()

    @property
    def known(self) -> tuple[Rule, ...]:
        """Our rules, then ruff's."""
        return (*self.rules, *self.peers)

    def find(self, name: str) -> Rule | None:
        """The rule of a pack by its code (any case) or name."""
        return next((rule for rule in self.known if rule.is_named(name.strip())), None)


@functools.lru_cache(maxsize=1)
def load_rules() -> Registry:
    """The packs of every installed distribution, in order of their names.

    Raises PackError if a pack does not fit this engine or another pack.
    """
    points = sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    return registry_of([point.load() for point in points])


def registry_of(packs: list[Pack]) -> Registry:
    """The registry of some packs; the engine's own vocabulary comes first."""
    rules: dict[str, Rule] = {}
    peers: dict[str, Rule] = {}
    vocabulary = KINDS.merged(WORDS).merged(PICTURES).merged(HEAT_ROOTS)
    for pack in packs:
        if not isinstance(pack, Pack):
            raise PackError(f"a pack of rules must be a mlsys_advise.rule.Pack, not {type(pack).__name__}")
        if pack.api != API:
            raise PackError(f"the pack {pack.name} was written for version {pack.api} of the interface, this is {API}")
        vocabulary = vocabulary.merged(pack.vocabulary)
        for rule in pack.rules:
            if rule.code in rules and rules[rule.code] is not rule:
                raise PackError(f"two packs have a rule {rule.code}: {rules[rule.code].module} and {rule.module}")
            rules[rule.code] = rule
        peers |= {rule.code: rule for rule in pack.peers}
    ordered = tuple(rules[code] for code in sorted(rules))
    borrowed = tuple(peers[code] for code in sorted(peers))
    return Registry(ordered, vocabulary, _sources(ordered, borrowed), borrowed)


def _sources(rules: tuple[Rule, ...], peers: tuple[Rule, ...]) -> bytes:
    """A digest of the files that rules were loaded from, and of all that is said of rules that ruff runs."""
    state = hashlib.blake2b(digest_size=16)
    for module in sorted({rule.module for rule in rules}):
        loaded = sys.modules.get(module)
        file = getattr(loaded, "__file__", None)
        state.update(module.encode())
        if file:
            state.update(Path(file).read_bytes())
    for rule in peers:
        state.update(f"{rule.code} {rule.severity} {rule.category} {rule.lesson} {rule.heat} {rule.summary}".encode())
    return state.digest()


@functools.lru_cache(maxsize=1)
def engine_source() -> bytes:
    """A digest of the engine's own source files, by size and time of change."""
    state = hashlib.blake2b(digest_size=16)
    root = Path(__file__).parent
    for file in sorted(root.rglob("*.py")):
        status = file.stat()
        state.update(f"{file.relative_to(root).as_posix()} {status.st_size} {status.st_mtime_ns}\n".encode())
    state.update(sys.version.encode())
    return state.digest()
