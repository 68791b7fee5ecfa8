"""The files of a project as tables and interfaces, read on demand, with a record of what was read.

Every look-up goes through this module and leaves a *dependency*: a facet of a definition, an entry of a name table,
or a list of files. The record is what makes an answer reusable after an edit: it is valid as long as everything it
read, found or not, is what it was.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence

import msgspec

from mlsys_advise.interface import (
    CallRecord,
    ClassRecord,
    FunctionRecord,
    Functions,
    OptionRecord,
    Positions,
    PythonInterface,
    Tally,
    called,
    classes_of_base,
    digest,
    unpacked,
    view,
)
from mlsys_advise.project.record import Dependency, Graph, Record, Recording
from mlsys_advise.project.tables import Tables
from mlsys_advise.term import Def, Member, Name, Term, Var
from mlsys_advise.vocabulary import Lexicon

#: Packed bytes of interfaces that are held unpacked; unpacked they take some six times as much.
UNPACKED = 24_000_000


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


def header_of(entry: Entry) -> Mapping[str, tuple[str, ...]]:
    """The names under which the tables find a file; what is not Python is found by its language."""
    return {**entry.header, "language": (entry.language,), "other": (entry.language,) if entry.other else ()}


def by_module(modules: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The files of each dotted name, from the names of each file."""
    found: dict[str, list[str]] = {}
    for path in sorted(modules):
        for dotted in modules[path]:
            found.setdefault(dotted, []).append(path)
    return {dotted: tuple(paths) for dotted, paths in found.items()}


class Target(msgspec.Struct, frozen=True, array_like=True):
    """What a name denotes: ``library`` (``name`` is canonical), ``class``, ``function``, ``variable`` or ``module``."""

    what: str
    path: str
    name: str


class World:
    """Lazily decoded interfaces and name tables over the entries of a project."""

    def __init__(
        self,
        entries: Mapping[str, Entry],
        lexicon: Lexicon,
        modules: Mapping[str, tuple[str, ...]],
        tables: Tables | None = None,
        graph: Graph | None = None,
    ) -> None:
        self.entries = entries
        #: What is read, by whom.
        self.record = Record(graph)
        self.lexicon = lexicon
        self.modules = by_module(modules)
        self.tables = Tables() if tables is None else tables
        if tables is None:
            for path, entry in sorted(entries.items()):
                self.tables.add(path, header_of(entry))
        self._interfaces: dict[str, PythonInterface | None] = {}
        self._adopted: set[str] = set()
        self._tally = Tally()
        #: Files that were asked for since the last time that some were let go.
        self._lately: set[str] = set()
        self._positions: dict[str, Positions] = {}
        self._resolved: dict[tuple[str, str], tuple[Target | None, int]] = {}
        self._resolving: set[tuple[str, str]] = set()
        self._versions: dict[Dependency, bytes] = {}
        self._named: dict[str, Mapping[str, tuple[tuple[str, int, CallRecord], ...]]] = {}
        self._ancestors: dict[tuple[str, str], tuple[tuple[Target, ...], bool, int]] = {}
        self._subclasses: dict[tuple[str, str, int], tuple[tuple[Target, ...], int]] = {}
        self._methods: dict[tuple[str, str, str], tuple[Target | None, int]] = {}
        self._providers: dict[str, Callable[[str, str], object]] = {}

    # -- the record of what is read

    def read(self, what: str, where: str, which: str = "") -> None:
        self.record.read((what, where, which))

    def recording(self) -> Recording:
        """A query: what is read inside is its own, and whatever is reading around it reads the query."""
        return Recording(self.record)

    def depend(self, query: int) -> None:
        """Note that the answer of an earlier query is read again."""
        self.record.current.add(query)

    def provide(self, what: str, provider: Callable[[str, str], object]) -> None:
        """Let another part of the project answer for the versions of one sort of dependency."""
        self._providers[what] = provider

    def version(self, dependency: Dependency) -> bytes:
        """A digest of what a dependency reads now."""
        known = self._versions.get(dependency)
        if known is None:
            what, where, which = dependency
            if what.startswith("table:"):
                data: object = self.tables.files(what[6:], where)
            elif what == "module":
                data = tuple(self.modules.get(where, ()))
            elif what in self._providers:
                data = self._providers[what](where, which)
            else:
                interface = self._load(where)
                data = view(interface, what, which) if interface is not None else None
            known = self._versions[dependency] = digest(data)
        return known

    # -- interfaces

    def _load(self, path: str) -> PythonInterface | None:
        self._lately.add(path)
        if path not in self._interfaces:
            entry = self.entries.get(path)
            if entry is None or entry.language not in ("python", "notebook") or not entry.interface:
                self._interfaces[path] = None
            else:
                if self._tally.unpacked > UNPACKED:
                    self._let_go()
                self._interfaces[path] = unpacked(entry.interface, self._tally)
        return self._interfaces[path]

    def _let_go(self) -> None:
        """Forget what nobody has asked for since the last time; where that is little, half of all."""
        held = [path for path in self._interfaces if path not in self._adopted]
        for going in ([path for path in held if path not in self._lately], held[: len(held) // 2]):
            for path in going:
                self._interfaces.pop(path, None)
                self._named.pop(path, None)
            left = (interface.functions for interface in self._interfaces.values() if interface is not None)
            self._tally.unpacked = sum(one.unpacked for one in left if isinstance(one, Functions))
            if self._tally.unpacked < UNPACKED // 2:
                break
        self._lately.clear()

    def adopt(self, path: str, interface: PythonInterface) -> None:
        """Use an interface that is at hand instead of decoding it."""
        self._interfaces[path] = interface
        self._adopted.add(path)

    def interface(self, path: str) -> PythonInterface | None:
        """The whole interface of a Python file: what is looked for in it depends on all of it."""
        self.record.read(("file", path, ""))
        return self._load(path)

    def unrecorded(self, path: str) -> PythonInterface | None:
        """An interface for those who keep an index of it, and record what they look up there."""
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
            self.record.read((one, path, name))
        interface = self._load(path)
        return interface.functions.get(name) if interface is not None else None

    def cls(self, path: str, name: str) -> ClassRecord | None:
        self.record.read(("class", path, name))
        interface = self._load(path)
        return interface.classes.get(name) if interface is not None else None

    def variable(self, path: str, name: str) -> Term | None:
        self.record.read(("variables", path, name))
        interface = self._load(path)
        return interface.variables.get(name) if interface is not None else None

    def exported(self, path: str, name: str) -> Term | None:
        self.record.read(("names", path, name))
        interface = self._load(path)
        return interface.names.get(name) if interface is not None else None

    def stars(self, path: str) -> tuple[str, ...]:
        interface = self._load(path)
        return interface.stars if interface is not None else ()

    def table(self, table: str, name: str) -> tuple[str, ...]:
        """The files that a table lists under a name; also a record that nothing else is listed."""
        self.record.read((f"table:{table}", name, ""))
        return self.tables.files(table, name)

    # -- names

    def module_file(self, dotted: str, importer: str) -> str | None:
        """The file that a dotted module name leads to from ``importer``; of several the nearest, if one is nearest."""
        self.record.read(("module", dotted, ""))
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
            if key in self._resolving:  # modules import a name from each other, and none of them defines it
                return None
            self._resolving.add(key)
            with self.recording() as reads:
                target = self._resolve(dotted, importer, 6)
            self._resolving.remove(key)
            self._resolved[key] = (target, reads.node)
            return target
        self.record.current.add(known[1])
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
                self.record.read(("class", path, qualname))
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
            inner = f"{target.name}.{rest[0]}"
            self.record.read(("class", target.path, inner))
            interface = self._load(target.path)
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
            known = self._ancestors[path, name] = (tuple(order), complete, reads.node)
        else:
            self.record.current.add(known[2])
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
            known = self._methods[path, cls, name] = (target, reads.node)
        else:
            self.record.current.add(known[1])
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

    def subclasses(self, path: str, name: str, limit: int = 64) -> tuple[Target, ...]:
        """The classes of the project that inherit from a class, directly or not; about ``limit`` of them."""
        known = self._subclasses.get((path, name, limit))
        if known is None:
            with self.recording() as reads:
                found = tuple(self._find_subclasses(path, name, limit))
            known = self._subclasses[path, name, limit] = (found, reads.node)
        else:
            self.depend(known[1])
        return known[0]

    def _find_subclasses(self, path: str, name: str, limit: int) -> list[Target]:
        found: list[Target] = []
        frontier = [Target("class", path, name)]
        seen = {frontier[0]}
        for target in frontier:
            if len(found) >= limit:
                break
            last = target.name.rpartition(".")[2]
            for file in self.table("base", last):
                for qualname, base in self._of_base(file, last):
                    child = Target("class", file, qualname)
                    if child not in seen and self.denotes(base, file) == target:
                        seen.add(child)
                        found.append(child)
                        frontier.append(child)
        return found

    def _of_base(self, path: str, last: str) -> list[tuple[str, Term]]:
        """The classes of a file with a base whose name ends so."""
        self.record.read(("based", path, last))
        interface = self._load(path)
        return list(classes_of_base(interface, last)) if interface is not None else []

    def imports(self, path: str) -> PythonInterface | None:
        """A file of which only what it imports may be looked at."""
        self.record.read(("imports", path, ""))
        return self._load(path)

    def options(self, path: str) -> tuple[OptionRecord, ...]:
        """The options of argparse or click that a file defines."""
        self.record.read(("options", path, ""))
        interface = self._load(path)
        return interface.options if interface is not None else ()

    def classes(self, path: str) -> tuple[str, ...]:
        """The names of all classes of a file."""
        self.record.read(("classes", path, ""))
        interface = self._load(path)
        return tuple(interface.classes) if interface is not None else ()

    def functions_of(self, path: str) -> Mapping[str, FunctionRecord]:
        """All functions of a file, to be searched for calls, stores and effects: the rest may not be looked at."""
        self.record.read(("functions", path, ""))
        interface = self._load(path)
        return interface.functions if interface is not None else {}

    def calls_named(self, path: str, name: str) -> tuple[tuple[str, int, CallRecord], ...]:
        """The recorded calls of a file whose callee ends in a name, or is what a call of that name returns."""
        self.record.read(("named", path, name))
        return self._calls_named(path).get(name, ())

    def _calls_named(self, path: str) -> Mapping[str, tuple[tuple[str, int, CallRecord], ...]]:
        known = self._named.get(path)
        if known is None:
            interface = self._load(path)
            lists: dict[str, list[tuple[str, int, CallRecord]]] = {}
            for function, record in interface.functions.items() if interface is not None else ():
                for number, call in enumerate(record.calls):
                    name = called(call)
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
