"""The words that interfaces are written in: library names, kinds of values, roots of heat. All of it is data.

Packs add to it; an interface is keyed by the digest of the whole, so that editing a rule parses nothing again, and
adding a word does, once.
"""

from __future__ import annotations

import functools
import hashlib

import msgspec

from mlsys_advise.heat import Context, Frequency


class Root(msgspec.Struct, frozen=True, array_like=True):
    """A place that a framework runs: methods of subclasses of ``base``, or functions under a decorator or call.

    ``base`` is a kind or a dotted name. ``decorators`` are ``kind.method`` of the object that decorates, or dotted
    names; ``callbacks`` are dotted names or ``kind.method`` of calls that are handed the function. ``traced`` bodies
    run in Python once for each trace.
    """

    label: str
    context: Context
    frequency: Frequency
    base: str = ""
    methods: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()
    traced: bool = False


class Vocabulary(msgspec.Struct, frozen=True):
    """Data about libraries, merged from the engine's own tables and those of the packs.

    ``aliases``: dotted prefix -> canonical prefix. ``constructors``: dotted -> kind of the result, or of an instance.
    ``families``: (dotted prefix, kind of what CamelCase names below it construct, kind of what others return).
    ``returns``: "kind.method" -> kind; "kind.*" is the default of a kind. ``members``: "kind.attribute" -> kind.
    ``elements``: kind -> kind of what iteration yields. ``parents``: kind -> kinds that it also is.
    ``transparent``: methods that return their receiver. ``wrappers``: dotted or "kind.method" that return their
    first argument (or a tuple of their arguments). ``sites``: dotted names whose calls have an identity.
    ``effects``: method names and dotted names that are recorded with the loop they stand in. ``common``: method names
    too common to say anything about their receiver.
    """

    aliases: dict[str, str] = {}
    constructors: dict[str, str] = {}
    families: tuple[tuple[str, str, str], ...] = ()
    returns: dict[str, str] = {}
    members: dict[str, str] = {}
    elements: dict[str, str] = {}
    parents: dict[str, tuple[str, ...]] = {}
    transparent: frozenset[str] = frozenset()
    wrappers: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    effects: frozenset[str] = frozenset()
    common: frozenset[str] = frozenset()
    roots: tuple[Root, ...] = ()

    def merged(self, other: Vocabulary) -> Vocabulary:
        """Both vocabularies; where both speak of a name, ``other`` wins."""
        return Vocabulary(
            aliases=self.aliases | other.aliases,
            constructors=self.constructors | other.constructors,
            families=other.families + self.families,
            returns=self.returns | other.returns,
            members=self.members | other.members,
            elements=self.elements | other.elements,
            parents=self.parents | other.parents,
            transparent=self.transparent | other.transparent,
            wrappers=self.wrappers | other.wrappers,
            sites=self.sites | other.sites,
            effects=self.effects | other.effects,
            common=self.common | other.common,
            roots=self.roots + other.roots,
        )

    def digest(self) -> bytes:
        """A digest of every word, the same in every process."""
        data = {
            name: sorted(value)
            if isinstance(value, frozenset)
            else sorted(value.items())
            if isinstance(value, dict)
            else value
            for name, value in ((name, getattr(self, name)) for name in self.__struct_fields__)
        }
        return hashlib.blake2b(msgspec.msgpack.encode(data), digest_size=16).digest()


class Lexicon:
    """Look-ups in a vocabulary, memoised."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        #: effect tokens of methods, by the method's name
        self.method_tokens = {word[1:]: word for word in vocabulary.effects if word.startswith(".")}
        self._prefixes = sorted(vocabulary.aliases.items(), key=lambda pair: -len(pair[0]))
        self.canonical = functools.lru_cache(maxsize=65536)(self._canonical)
        self.constructed = functools.lru_cache(maxsize=65536)(self._constructed)
        self.tracked = functools.lru_cache(maxsize=65536)(self._tracked)
        self.kinds = functools.lru_cache(maxsize=4096)(self._kinds)

    def _canonical(self, dotted: str) -> str:
        """The name under which the tables know what several import paths lead to."""
        for prefix, target in self._prefixes:
            if dotted.startswith(prefix) and (len(dotted) == len(prefix) or dotted[len(prefix)] == "."):
                return target + dotted[len(prefix) :]
        return dotted

    def _tracked(self, dotted: str) -> bool:
        """Whether a call of this name is worth an identity: a listed one, or a class of no library known as quiet."""
        dotted = self.canonical(dotted)
        if dotted in self.vocabulary.sites:
            return True
        owner, _, last = dotted.rpartition(".")
        if last in ("from_pretrained", "from_config", "load_from_checkpoint"):
            return True
        if not last[:1].isupper():
            return last in ("insecure_channel", "secure_channel")
        return not owner.startswith(_UNTRACKED)

    def _constructed(self, dotted: str) -> str:
        """The kind that calling a library name yields; "" if the tables do not say."""
        dotted = self.canonical(dotted)
        exact = self.vocabulary.constructors.get(dotted)
        if exact is not None:
            return exact
        last = dotted.rpartition(".")[2]
        for prefix, instance, result in self.vocabulary.families:
            if dotted.startswith(prefix):
                return instance if last[:1].isupper() else result
        return ""

    def _kinds(self, kind: str) -> frozenset[str]:
        """A kind with everything that it also is."""
        found: list[str] = [kind]
        for name in found:
            found.extend(parent for parent in self.vocabulary.parents.get(name, ()) if parent not in found)
        return frozenset(found)

    def method(self, kind: str, name: str) -> str:
        """The kind that a method of a kind returns; "" if unknown."""
        returns = self.vocabulary.returns
        for owner in (kind, *sorted(self.kinds(kind) - {kind})):
            found = returns.get(f"{owner}.{name}")
            if found is None:
                found = returns.get(f"{owner}.*")
            if found is not None:
                return found
        return ""

    def member(self, kind: str, name: str) -> str:
        """The kind of an attribute of a kind; "" if unknown."""
        for owner in (kind, *sorted(self.kinds(kind) - {kind})):
            found = self.vocabulary.members.get(f"{owner}.{name}")
            if found is not None:
                return found
        return ""


#: Packages whose classes are made by the thousand and never asked for one by one.
_UNTRACKED = ("torch.nn", "typing", "builtins", "collections", "dataclasses", "enum", "keras.layers", "numpy")
