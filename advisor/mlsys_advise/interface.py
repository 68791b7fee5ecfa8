"""Interfaces: what other files need to know of a Python file, without positions.

Everything here is plain data for msgspec. The parts of a definition are grouped in *facets*; an answer depends on the
facets that it read, so an edit that leaves a facet equal leaves the answer valid. Positions live beside, in
``Positions``, under the same numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from mlsys_advise.term import Call, Term, last_name

#: The name under which a module's own body stands among its functions.
BODY: Final = ""


class CallRecord(msgspec.Struct, frozen=True, array_like=True):
    """A call whose callee or receiver may be of the project, or whose callee the vocabulary names.

    ``loop`` numbers the loops of the function, -1 for none. ``site`` is the identity that terms refer to.
    ``hidden`` means that ``*`` or ``**`` may supply arguments.
    """

    callee: Term
    args: tuple[Term, ...] = ()
    keywords: tuple[tuple[str, Term], ...] = ()
    loop: int = -1
    region: int = 0
    site: int = -1
    awaited: bool = False
    hidden: bool = False

    def argument(self, name: str, position: int) -> Term | None:
        """The argument of this keyword or position; None if absent."""
        for keyword, term in self.keywords:
            if keyword == name:
                return term
        return self.args[position] if 0 <= position < len(self.args) else None


class LoopRecord(msgspec.Struct, frozen=True, array_like=True):
    """A loop: its parent among the loops of the function, what it iterates and its size class."""

    parent: int
    iterated: Term
    size: str
    region: int = 0
    names: tuple[str, ...] = ()
    comprehension: bool = False


class Effect(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A call that the vocabulary asks about: ``.backward`` or ``torch.cuda.synchronize``, with its loop."""

    token: str
    loop: int = -1
    region: int = 0


class FunctionRecord(msgspec.Struct, frozen=True, array_like=True):
    """A function, lambda or module body. ``foreign`` names the packages of library calls that were not kept.

    ``writes`` numbers the parameters that its own code writes into.
    """

    params: tuple[str, ...] = ()
    annotations: tuple[Term | None, ...] = ()
    defaults: tuple[Term | None, ...] = ()
    decorators: tuple[CallRecord, ...] = ()
    cls: str = ""
    kind: str = "function"
    is_async: bool = False
    generator: bool = False
    static: bool = False
    region: int = 0
    parent: str = BODY
    returns: tuple[Term, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    loops: tuple[LoopRecord, ...] = ()
    stores: tuple[tuple[Term, str, Term], ...] = ()
    effects: tuple[Effect, ...] = ()
    foreign: tuple[str, ...] = ()
    writes: tuple[int, ...] = ()


class ClassRecord(msgspec.Struct, frozen=True, array_like=True):
    """A class. ``attributes`` are (name, value, method that assigns it; "" for the class body)."""

    bases: tuple[Term, ...] = ()
    decorators: tuple[CallRecord, ...] = ()
    methods: dict[str, str] = {}
    attributes: tuple[tuple[str, Term, str], ...] = ()
    annotations: tuple[tuple[str, Term], ...] = ()


class OptionRecord(msgspec.Struct, frozen=True, array_like=True):
    """An option of argparse or click with its default, ``Unknown`` where there is none, and how it is spelled."""

    key: str
    default: Term
    flags: tuple[str, ...] = ()


class PythonInterface(msgspec.Struct, frozen=True, array_like=True, tag="py"):
    """All that other files may ask of a Python file. ``names`` maps module-level names to what they denote."""

    package: tuple[str, ...]
    imports: tuple[str, ...]
    lazy_imports: tuple[str, ...]
    stars: tuple[str, ...]
    names: dict[str, Term]
    variables: dict[str, Term]
    functions: Mapping[str, FunctionRecord]
    classes: dict[str, ClassRecord]
    options: tuple[OptionRecord, ...]
    main_guard: bool = False
    masked: bool = False


class _Packed(msgspec.Struct, frozen=True, array_like=True, tag="py"):
    """A Python interface whose functions, nine tenths of it, are still packed."""

    package: tuple[str, ...]
    imports: tuple[str, ...]
    lazy_imports: tuple[str, ...]
    stars: tuple[str, ...]
    names: dict[str, Term]
    variables: dict[str, Term]
    functions: dict[str, msgspec.Raw]
    classes: dict[str, ClassRecord]
    options: tuple[OptionRecord, ...]
    main_guard: bool = False
    masked: bool = False


class Tally:
    """How many packed bytes of interfaces have been unpacked."""

    __slots__ = ("unpacked",)

    def __init__(self) -> None:
        self.unpacked = 0


class Functions(Mapping[str, FunctionRecord]):
    """The functions of a packed interface: each is unpacked when it is asked for."""

    __slots__ = ("_beside", "_known", "_packed", "_tally")

    def __init__(self, packed: Mapping[str, msgspec.Raw], beside: int, tally: Tally) -> None:
        self._packed = packed
        self._beside = beside
        self._tally = tally
        self._tally.unpacked += beside
        self._known: dict[str, FunctionRecord] = {}

    def __getitem__(self, name: str) -> FunctionRecord:
        known = self._known.get(name)
        if known is None:
            packed = self._packed[name]
            known = self._known[name] = _unpack_function(packed)
            self._tally.unpacked += len(packed)
        return known

    def get(self, name: str, default: object = None) -> Any:
        """As of any mapping; asked of most files for names that they do not have, so without an exception."""
        return self[name] if name in self._packed else default

    def __contains__(self, name: object) -> bool:
        return name in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    @property
    def unpacked(self) -> int:
        """The packed bytes of those that have been unpacked, and of what the interface holds beside them."""
        return self._beside + sum(len(self._packed[name]) for name in self._known)


_unpack_function = msgspec.msgpack.Decoder(FunctionRecord).decode
_unpack = msgspec.msgpack.Decoder(_Packed).decode


def unpacked(packed: bytes, tally: Tally) -> PythonInterface:
    """An interface from its packed form, with functions that are unpacked on demand."""
    found = _unpack(packed)
    beside = len(packed) - sum(len(function) for function in found.functions.values())
    return PythonInterface(
        found.package,
        found.imports,
        found.lazy_imports,
        found.stars,
        found.names,
        found.variables,
        Functions(found.functions, beside, tally),
        found.classes,
        found.options,
        found.main_guard,
        found.masked,
    )


class Positions(msgspec.Struct, frozen=True, array_like=True):
    """Lines of what an interface numbers. ``definitions`` maps a function or class to its line, the lines of its
    calls and those of its loops.

    ``places`` are those of other languages: keys of a document's spans, packages of a manifest. Notebooks encode
    (cell, line) as ``cell << 20 | line``.
    """

    definitions: dict[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {}
    variables: dict[str, int] = {}
    attributes: dict[str, int] = {}
    options: dict[str, int] = {}
    places: dict[str, int] = {}


def digest(data: object) -> bytes:
    """A short digest of a facet."""
    return hashlib.blake2b(msgspec.msgpack.encode(data), digest_size=8).digest()


def called(call: CallRecord) -> str:
    """The last name of what is called, or of the call that returned it: ``jit`` in `jit(f)` and `jit(option=1)(f)`."""
    callee = call.callee
    return last_name(callee) or (last_name(callee.callee) if type(callee) is Call else "")


def calls_named(interface: PythonInterface, name: str) -> Iterator[tuple[str, int, CallRecord]]:
    """The recorded calls by a name (see ``called``), by function and number."""
    for function, record in interface.functions.items():
        for number, call in enumerate(record.calls):
            if called(call) == name:
                yield function, number, call


def calls_given(interface: PythonInterface, name: str) -> Iterator[tuple[str, int, CallRecord]]:
    """The recorded calls with an argument that a name may denote."""
    for function, record in interface.functions.items():
        for number, call in enumerate(record.calls):
            if name in map(referred, (*call.args, *(term for _, term in call.keywords))):
                yield function, number, call


def referred(term: Term) -> str:
    """The last name of what an argument is, or of what it wraps: ``f`` for ``partial(f, 1)``; "" if it has none."""
    while type(term) is Call:
        if not term.args:
            return ""
        term = term.args[0]
    return last_name(term)


def classes_of_base(interface: PythonInterface, last: str) -> Iterator[tuple[str, Term]]:
    """The classes that have a base whose name ends so, with that base."""
    for name, record in interface.classes.items():
        for base in record.bases:
            if last_name(base) == last:
                yield name, base


def view(interface: PythonInterface, what: str, which: str) -> object:
    """The data behind a search through a file: ``file`` for all of it, ``functions`` for what functions do, ``classes``
    for which there are; by a name, ``named`` and ``given`` for calls, ``based`` for classes with such a base.
    """
    match what:
        case "file":
            return msgspec.structs.replace(interface, functions=dict(interface.functions))
        case "functions":
            return [
                (name, record.cls, record.calls, record.loops, record.stores, record.effects)
                for name, record in interface.functions.items()
            ]
        case "classes":
            return tuple(interface.classes)
        case "named":
            return tuple(calls_named(interface, which))
        case "given":
            return tuple(calls_given(interface, which))
        case "based":
            return tuple(classes_of_base(interface, which))
        case _:
            return facet(interface, which, what)


def facet(interface: PythonInterface, definition: str, name: str) -> object:
    """The data of a facet, or None where the definition does not exist.

    Facets of a function: ``head``, ``returns``, ``calls``, ``effects``; of a class: ``class``; of the module:
    ``names``, ``variables``, ``options``, ``imports``.
    """
    if name == "class":
        return interface.classes.get(definition)
    if name == "names":
        return (interface.names.get(definition), interface.stars if definition not in interface.names else ())
    if name == "variables":
        return interface.variables.get(definition)
    if name == "options":
        return interface.options
    if name == "imports":
        return (interface.imports, interface.lazy_imports, interface.stars, interface.package)
    record = interface.functions.get(definition)
    if record is None:
        return None
    match name:
        case "head":
            return (
                record.params,
                record.annotations,
                record.defaults,
                record.decorators,
                record.cls,
                record.kind,
                record.is_async,
                record.generator,
                record.static,
                record.region,
                record.parent,
            )
        case "returns":
            return record.returns
        case "calls":
            return (record.calls, record.loops, record.stores)
        case "effects":
            return (record.effects, record.foreign, record.writes)
    raise ValueError(f"no facet named {name}")
