"""What differs between two states of a project, in terms of the facts that answers read.

Invariant: a fact that is not found to have changed reads the same in both states. Where that would cost more to find
out than to ask again, it counts as changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from mlsys_advise.interface import PythonInterface, view
from mlsys_advise.project import layout
from mlsys_advise.project.flows import SLOTS, Index, slots
from mlsys_advise.project.record import Dependency, Graph
from mlsys_advise.project.tables import Tables
from mlsys_advise.project.world import Entry, by_module, header_of

#: Facts that the interface of one file decides.
VIEWS: Final = frozenset(
    {
        *("head", "returns", "calls", "effects", "class", "names", "variables", "options", "imports"),
        *("file", "functions", "classes", "named", "given", "based"),
    }
)
#: Facts that follow from which files import which and where programs start.
_OF_IMPORTS: Final = frozenset({"scope", "programs", "started"})
#: Facts that follow from the files that are not Python.
_OF_OTHERS: Final = frozenset({"other", "manifest", "manifests", "patches"})
#: Facts that follow from which files there are.
_OF_PATHS: Final = frozenset({"files", "basename"})

_decode = msgspec.msgpack.Decoder(PythonInterface).decode


def compared(fact: Dependency) -> bool:
    """Whether two states of a project are compared for a fact, so that its version need not be kept."""
    return fact[0] in VIEWS or fact[0] == "module" or fact[0].startswith(("table:", SLOTS))


class Changes:
    """The files that differ, each as it was and as it is; None where it is not there."""

    def __init__(
        self,
        before: Mapping[str, Entry | None],
        after: Mapping[str, Entry | None],
        old_paths: Iterable[str],
        new_paths: Iterable[str],
    ) -> None:
        self.before, self.after = before, after
        self._old_paths, self._new_paths = sorted(old_paths), sorted(new_paths)
        self._moved = self._old_paths != self._new_paths
        self._old: dict[str, PythonInterface | None] = {}
        self._new: dict[str, PythonInterface | None] = {}
        self._indexes: dict[str, tuple[Index, Index]] = {}

    def apply(self, tables: Tables) -> None:
        """Make tables of the former state those of the present one."""
        for path in self.before:
            tables.change(path, self._header(self.before[path]), self._header(self.after[path]))

    def headers_differ(self) -> bool:
        return any(self._header(self.before[path]) != self._header(self.after[path]) for path in self.before)

    def facts(self, graph: Graph, decided_elsewhere: Callable[[Dependency], bool]) -> set[int]:
        """The numbers of the facts in a graph that have changed.

        ``decided_elsewhere`` tells of a fact that no single file decides whether it has.
        """
        found: set[int] = set()
        tables = self._table_entries()
        for what, places in graph.facts.items():
            if what.startswith("table:"):
                for name in tables.get(what[6:], set()) & places.keys():
                    found.update(places[name].values())
            elif what == "module":
                found.update(*(places[dotted].values() for dotted in self._modules() & places.keys()))
            elif what in VIEWS or what.startswith(SLOTS):
                for path in self.before.keys() & places.keys():
                    names = places[path]
                    found.update(number for which, number in names.items() if self._differs(path, what, which))
            elif self._may_change(what):
                for where, names in places.items():
                    found.update(number for which, number in names.items() if decided_elsewhere((what, where, which)))
        return found

    def _may_change(self, what: str) -> bool:
        if what in _OF_IMPORTS:
            return self._moved or self._differ_in("import") or self._differ_in("main")
        if what in _OF_OTHERS:
            pairs = ((self.before[path], self.after[path]) for path in self.before)
            return any((old.other if old else b"") != (new.other if new else b"") for old, new in pairs)
        return self._moved if what in _OF_PATHS else True

    def _differ_in(self, table: str) -> bool:
        return any(
            self._header(self.before[path]).get(table) != self._header(self.after[path]).get(table)
            for path in self.before
        )

    def _header(self, entry: Entry | None) -> Mapping[str, tuple[str, ...]]:
        return header_of(entry) if entry is not None else {}

    def _table_entries(self) -> dict[str, set[str]]:
        """The names of each table under which other files stand now."""
        found: dict[str, set[str]] = {}
        for path in self.before:
            old, new = self._header(self.before[path]), self._header(self.after[path])
            for table in old.keys() | new.keys():
                found.setdefault(table, set()).update(set(old.get(table, ())) ^ set(new.get(table, ())))
        return found

    def _modules(self) -> set[str]:
        """The dotted names that lead to other files now."""
        if not self._moved:
            return set()
        old = by_module(layout.module_table(self._old_paths))
        new = by_module(layout.module_table(self._new_paths))
        return {dotted for dotted in old.keys() | new.keys() if old.get(dotted) != new.get(dotted)}

    def _differs(self, path: str, what: str, which: str) -> bool:
        old, new = self._interface(self._old, self.before, path), self._interface(self._new, self.after, path)
        if old is None or new is None:
            return old is not new
        if what.startswith(SLOTS):
            indexes = self._indexes.get(path)
            if indexes is None:
                indexes = self._indexes[path] = (Index(old), Index(new))
            return slots(indexes[0], what, which) != slots(indexes[1], what, which)
        return view(old, what, which) != view(new, what, which)

    def _interface(
        self, known: dict[str, PythonInterface | None], entries: Mapping[str, Entry | None], path: str
    ) -> PythonInterface | None:
        if path not in known:
            entry = entries[path]
            known[path] = _decode(entry.interface) if entry is not None and entry.interface else None
        return known[path]
