"""The files of a project as tables and interfaces, read on demand, with a record of what was read.

Every look-up goes through this module and leaves a *dependency*: a facet of a definition, an entry of a name table,
or a list of files. The record is what makes an answer reusable after an edit: it is valid as long as everything it
read, found or not, is what it was.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from mlsys_advise.interface import (
    BODY,
    CallRecord,
    ClassRecord,
    FunctionRecord,
    Positions,
    PythonInterface,
    digest,
    facet,
)
from mlsys_advise.term import Call, Def, Member, Name, Term, Var, last_name
from mlsys_advise.vocabulary import Lexicon

#: What an answer read: (what, where, which). ``what`` is the name of a facet, or ``table:NAME``, ``scope``, ``file``.
Dependency: TypeAlias = tuple[str, str, str]


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a file: its language, a key of its content, its packed interfaces and its table header.

    ``interface`` is of Python, ``other`` of a manifest, image, launcher or list of requirements.
    """

    language: str
    key: bytes
    interface: bytes
    header: dict[str, tuple[str, ...]]
    positions: bytes = b""
    other: bytes = b""


class Target(msgspec.Struct, frozen=True, array_like=True):
    """What a name denotes: ``library`` (``name`` is canonical), ``class``, ``function``, ``variable`` or ``module``."""

    what: str
    path: str
    name: str


class Recording:
    """A stretch of work whose reads are collected; a class, because it is entered some hundred thousand times."""

    __slots__ = ("_inner", "_outer", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._inner: set[Dependency] = set()

    def __enter__(self) -> set[Dependency]:
        self._outer = self._world.exchange(self._inner)
        return self._inner

    def __exit__(self, *_: object) -> None:
        self._outer |= self._inner
        self._world.exchange(self._outer)


class World:
    """Lazily decoded interfaces and name tables over the entries of a project."""

    def __init__(
        self,
        entries: Mapping[str, Entry],
        lexicon: Lexicon,
        modules: Mapping[str, tuple[str, ...]],
        partial: bool = False,
    ) -> None:
        self.entries = entries
        self.lexicon = lexicon
        self.partial = partial
        self.modules: dict[str, list[str]] = {}
        for path in sorted(modules):
            for dotted in modules[path]:
                self.modules.setdefault(dotted, []).append(path)
        self.tables: dict[str, dict[str, list[str]]] = {}
        for path in sorted(entries):
            for table, names in entries[path].header.items():
                index = self.tables.setdefault(table, {})
                for name in names:
                    known = index.get(name)
                    if known is None:
                        index[name] = [path]
                    else:
                        known.append(path)
        self._interfaces: dict[str, PythonInterface | None] = {}
        self._positions: dict[str, Positions] = {}
        self._decode = msgspec.msgpack.Decoder(PythonInterface)
        self._resolved: dict[tuple[str, str], tuple[Target | None, frozenset[Dependency]]] = {}
        self._versions: dict[Dependency, bytes] = {}
        self._named: dict[str, Mapping[str, tuple[tuple[str, int, CallRecord], ...]]] = {}
        self._ancestors: dict[tuple[str, str], tuple[tuple[Target, ...], bool, frozenset[Dependency]]] = {}
        self._methods: dict[tuple[str, str, str], tuple[Target | None, frozenset[Dependency]]] = {}
        self._reads: set[Dependency] = set()
        self._providers: dict[str, Callable[[str, str], object]] = {}

    # -- the record of what is read

    def read(self, what: str, where: str, which: str = "") -> None:
        self._reads.add((what, where, which))

    def exchange(self, reads: set[Dependency]) -> set[Dependency]:
        """Collect into another set from now on; the one that was collected into."""
        before, self._reads = self._reads, reads
        return before

    def recording(self) -> Recording:
        """Collect the dependencies of what runs inside; they also count for whatever is recording around it."""
        return Recording(self)

    def depend(self, dependencies: frozenset[Dependency] | set[Dependency]) -> None:
        self._reads |= dependencies

    def provide(self, what: str, provider: Callable[[str, str], object]) -> None:
        """Let another part of the project answer for the versions of one sort of dependency."""
        self._providers[what] = provider

    def version(self, dependency: Dependency) -> bytes:
        """A digest of what a dependency reads now."""
        known = self._versions.get(dependency)
        if known is None:
            what, where, which = dependency
            if what.startswith("table:"):
                data: object = tuple(self.tables.get(what[6:], {}).get(where, ()))
            elif what == "module":
                data = tuple(self.modules.get(where, ()))
            elif what == "named":
                data = tuple(dict.fromkeys(function for function, _, _ in self._calls_named(where).get(which, ())))
            elif what == "file":
                entry = self.entries.get(where)
                data = entry.interface if entry is not None else None
            elif what in self._providers:
                data = self._providers[what](where, which)
            else:
                interface = self._load(where)
                data = facet(interface, which, what) if interface is not None else None
            known = self._versions[dependency] = digest(data)
        return known

    # -- interfaces

    def _load(self, path: str) -> PythonInterface | None:
        if path not in self._interfaces:
            entry = self.entries.get(path)
            if entry is None or entry.language not in ("python", "notebook") or not entry.interface:
                self._interfaces[path] = None
            else:
                self._interfaces[path] = self._decode.decode(entry.interface)
        return self._interfaces[path]

    def adopt(self, path: str, interface: PythonInterface) -> None:
        """Use an interface that is at hand instead of decoding it."""
        self._interfaces[path] = interface

    def interface(self, path: str) -> PythonInterface | None:
        """The whole interface of a Python file: what is looked for in it depends on all of it."""
        self._reads.add(("file", path, ""))
        return self._load(path)

    def positions(self, path: str) -> Positions | None:
        if path not in self._positions:
            entry = self.entries.get(path)
            if entry is None or not entry.positions:
                return None
            self._positions[path] = msgspec.msgpack.decode(entry.positions, type=Positions)
        return self._positions[path]

    def function(self, path: str, name: str, *facets: str) -> FunctionRecord | None:
        """A function; only the facets that are named may be looked at."""
        for one in facets:
            self._reads.add((one, path, name))
        interface = self._load(path)
        return interface.functions.get(name) if interface is not None else None

    def cls(self, path: str, name: str) -> ClassRecord | None:
        self._reads.add(("class", path, name))
        interface = self._load(path)
        return interface.classes.get(name) if interface is not None else None

    def variable(self, path: str, name: str) -> Term | None:
        self._reads.add(("variables", path, name))
        interface = self._load(path)
        return interface.variables.get(name) if interface is not None else None

    def exported(self, path: str, name: str) -> Term | None:
        self._reads.add(("names", path, name))
        interface = self._load(path)
        return interface.names.get(name) if interface is not None else None

    def stars(self, path: str) -> tuple[str, ...]:
        interface = self._load(path)
        return interface.stars if interface is not None else ()

    def table(self, table: str, name: str) -> tuple[str, ...]:
        """The files that a table lists under a name; also a record that nothing else is listed."""
        self._reads.add((f"table:{table}", name, ""))
        return tuple(self.tables.get(table, {}).get(name, ()))

    # -- names

    def module_file(self, dotted: str, importer: str) -> str | None:
        """The file that a dotted module name leads to from ``importer``; of several the nearest, if one is nearest."""
        self._reads.add(("module", dotted, ""))
        paths = self.modules.get(dotted, ())
        if len(paths) < 2:
            return paths[0] if paths else None
        parts = dotted.count(".") + 1
        folder = posixpath.dirname(importer).split("/") if "/" in importer else []
        above = [path for path in paths if _import_root(path, parts) == folder[: len(_import_root(path, parts))]]
        if above:
            deepest = max(len(_import_root(path, parts)) for path in above)
            found = [path for path in above if len(_import_root(path, parts)) == deepest]
            packages = [path for path in found if path.endswith("/__init__.py")]
            return min(packages or found)
        return self.nearest(paths, importer)

    def nearest(self, paths: Sequence[str], importer: str) -> str | None:
        """The one of several files that is nearest in the tree of folders; None if there is no such one."""
        if len(paths) < 2:
            return paths[0] if paths else None
        folder = posixpath.dirname(importer).split("/")
        ranked = sorted((-_shared(folder, posixpath.dirname(path).split("/")), path.count("/"), path) for path in paths)
        return ranked[0][2] if ranked[0][:2] != ranked[1][:2] else None

    def resolve(self, dotted: str, importer: str) -> Target | None:
        """What a dotted name denotes, through re-exports; a name outside the project is of a library."""
        key = (dotted, importer)
        known = self._resolved.get(key)
        if known is None:
            with self.recording() as reads:
                target = self._resolve(dotted, importer, 6)
            self._resolved[key] = (target, frozenset(reads))
            return target
        self._reads |= known[1]
        return known[0]

    def _resolve(self, dotted: str, importer: str, hops: int) -> Target | None:
        parts = dotted.split(".")
        if not parts[0] or hops <= 0:
            return None
        for length in range(len(parts), 0, -1):
            module = ".".join(parts[:length])
            path = self.module_file(module, importer)
            if path is None or (path == importer and length == 1 and len(parts) > 1):
                continue
            rest = parts[length:]
            if not rest:
                return Target("module", path, "")
            found = self._member(path, rest, hops)
            if found is not None:
                return found
            if length > 1 or posixpath.basename(path) == "__init__.py":
                return self._lazily(path, rest)
            return None
        return Target("library", "", self.lexicon.canonical(dotted))

    def _member(self, path: str, rest: list[str], hops: int) -> Target | None:
        """What ``rest[0].rest[1]..`` denotes in a module."""
        term = self.exported(path, rest[0])
        if term is None:
            for star in self.stars(path):
                target = self._resolve(f"{star}.{rest[0]}", path, hops - 1)
                if target is not None and target.what != "library":
                    return self._within(target, rest[1:])
            submodule = self.module_file(f"{_dotted_folder(path)}.{rest[0]}", path)
            if submodule is not None and posixpath.basename(path) == "__init__.py" and len(rest) > 1:
                return self._member(submodule, rest[1:], hops - 1)
            return None
        return self._within(self.denotes(term, path, hops - 1), rest[1:])

    def denotes(self, term: Term, path: str, hops: int = 6) -> Target | None:
        """The target of a term that is a name or definition."""
        match term:
            case Name(dotted):
                return self.resolve(dotted, path) if hops >= 5 else self._resolve(dotted, path, hops)
            case Def(qualname):
                interface = self._load(path)
                self._reads.add(("class", path, qualname))
                is_class = interface is not None and qualname in interface.classes
                return Target("class" if is_class else "function", path, qualname)
            case Var(name):
                return Target("variable", path, name)
            case Member(of, name):
                base = self.denotes(of, path, hops - 1) if isinstance(of, (Name, Def, Member)) else None
                return self._within(base, [name])
            case _:
                return None

    def _within(self, target: Target | None, rest: list[str]) -> Target | None:
        """An attribute of a class or library name; anything deeper is left to evaluation."""
        if target is None or not rest:
            return target
        if target.what == "library":
            return Target("library", "", self.lexicon.canonical(".".join((target.name, *rest))))
        if target.what == "module":
            return self._member(target.path, rest, 3)
        if target.what == "class" and len(rest) == 1:
            record = self.cls(target.path, target.name)
            if record is not None and rest[0] in record.methods:
                return Target("function", target.path, record.methods[rest[0]])
            interface = self._load(target.path)
            inner = f"{target.name}.{rest[0]}"
            if interface is not None and inner in interface.classes:
                return Target("class", target.path, inner)
        return None

    def _lazily(self, path: str, rest: list[str]) -> Target | None:
        """A package that fills its names in at run time: the one class of that name below it."""
        if len(rest) != 1 or posixpath.basename(path) != "__init__.py":
            return None
        folder = posixpath.dirname(path)
        found = [
            Target("class", candidate, rest[0])
            for candidate in self.table("class", rest[0])
            if candidate.startswith(f"{folder}/") and self.cls(candidate, rest[0]) is not None
        ]
        return found[0] if len(found) == 1 else None

    # -- classes

    def ancestors(self, path: str, name: str) -> tuple[tuple[Target, ...], bool]:
        """A class and everything it inherits from, nearest first, and whether all of it could be resolved."""
        known = self._ancestors.get((path, name))
        if known is None:
            with self.recording() as reads:
                order, complete = self._inherited(path, name)
            known = self._ancestors[path, name] = (tuple(order), complete, frozenset(reads))
        else:
            self._reads |= known[2]
        return known[0], known[1]

    def _inherited(self, path: str, name: str) -> tuple[list[Target], bool]:
        order = [Target("class", path, name)]
        complete = True
        for target in order:
            if target.what != "class" or len(order) > 40:
                continue
            record = self.cls(target.path, target.name)
            if record is None:
                complete = False
                continue
            for base in record.bases:
                found = self.denotes(base, target.path)
                if found is None or found.what == "variable":
                    complete = False
                elif found.what in ("class", "library") and found not in order:
                    order.append(found)
        return order, complete

    def class_kinds(self, path: str, name: str) -> frozenset[str]:
        """The kinds that a class inherits from libraries."""
        kinds: set[str] = set()
        for target in self.ancestors(path, name)[0]:
            if target.what == "library":
                kind = self.lexicon.constructed(target.name)
                if kind:
                    kinds |= self.lexicon.kinds(kind)
        return frozenset(kinds)

    def method(self, path: str, cls: str, name: str) -> Target | None:
        """The method that an instance of a class has under a name."""
        known = self._methods.get((path, cls, name))
        if known is None:
            with self.recording() as reads:
                target = self._method(path, cls, name)
            known = self._methods[path, cls, name] = (target, frozenset(reads))
        else:
            self._reads |= known[1]
        return known[0]

    def _method(self, path: str, cls: str, name: str) -> Target | None:
        for target in self.ancestors(path, cls)[0]:
            if target.what == "class":
                record = self.cls(target.path, target.name)
                if record is not None and name in record.methods:
                    return Target("function", target.path, record.methods[name])
        return None

    def super_method(self, path: str, cls: str, name: str) -> Target | None:
        """The method that `super()` leads to in a method of a class."""
        for target in self.ancestors(path, cls)[0][1:]:
            if target.what == "class":
                record = self.cls(target.path, target.name)
                if record is not None and name in record.methods:
                    return Target("function", target.path, record.methods[name])
        return None

    def subclasses(self, path: str, name: str, limit: int = 64) -> list[Target]:
        """The classes of the project that inherit from a class, directly or not."""
        found: list[Target] = []
        frontier = [Target("class", path, name)]
        seen = {frontier[0]}
        for target in frontier:
            if len(found) >= limit:
                break
            last = target.name.rpartition(".")[2]
            for file in self.table("base", last):
                interface = self.interface(file)
                for qualname in interface.classes if interface is not None else ():
                    record = self.cls(file, qualname)
                    child = Target("class", file, qualname)
                    if record is None or child in seen:
                        continue
                    if any(self.denotes(base, file) == target for base in record.bases):
                        seen.add(child)
                        found.append(child)
                        frontier.append(child)
        return found

    def functions_of(self, path: str) -> Mapping[str, FunctionRecord]:
        """All functions of a file, to be searched: what is found, or not, depends on the whole file."""
        interface = self.interface(path)
        return interface.functions if interface is not None else {}

    def calls_named(self, path: str, name: str) -> tuple[tuple[str, int, CallRecord], ...]:
        """The recorded calls of a file whose callee ends in a name, or is what a call of that name returns."""
        self._reads.add(("named", path, name))
        found = self._calls_named(path).get(name, ())
        for function, _, _ in found:
            self._reads.add(("calls", path, function))
        return found

    def _calls_named(self, path: str) -> Mapping[str, tuple[tuple[str, int, CallRecord], ...]]:
        known = self._named.get(path)
        if known is None:
            interface = self._load(path)
            lists: dict[str, list[tuple[str, int, CallRecord]]] = {}
            for function, record in interface.functions.items() if interface is not None else ():
                for number, call in enumerate(record.calls):
                    callee = call.callee
                    name = last_name(callee) or (last_name(callee.callee) if isinstance(callee, Call) else "")
                    if name:
                        lists.setdefault(name, []).append((function, number, call))
            known = self._named[path] = {name: tuple(calls) for name, calls in lists.items()}
        return known


def _shared(one: list[str], other: list[str]) -> int:
    """How many leading parts two folders share, less what separates the second from there."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count * 2 - (len(other) - count)


def _import_root(path: str, parts: int) -> list[str]:
    """The folder from which a file has a dotted name of so many parts: where Python would look first from there."""
    stem = path.rpartition(".")[0].removesuffix("/__init__").split("/")
    return stem[:-parts]


def _dotted_folder(path: str) -> str:
    return posixpath.dirname(path).replace("/", ".")


def is_body(name: str) -> bool:
    """Whether a function of an interface is the module's own body."""
    return name == BODY
