"""Name tables: the files of a project that mention a name, by table; kept packed, unpacked one table at a time.

Invariant: a table that was taken from storage and told of the files that changed equals one made from all files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

#: The names under which the tables find a file, by table.
Header: TypeAlias = Mapping[str, Iterable[str]]

_Table: TypeAlias = dict[str, set[int]]
_decode = msgspec.msgpack.Decoder(dict[str, set[int]]).decode
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Tables:
    """Tables over files that are numbered in order of arrival. A file that has gone leaves its number unused."""

    def __init__(self, paths: Iterable[str] = (), packed: Mapping[str, bytes] | None = None) -> None:
        self._paths = list(paths)
        self._numbers = {path: number for number, path in enumerate(self._paths)}
        self._packed = dict(packed or {})
        self._open: dict[str, _Table] = {}
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}
        #: Tables that are not what they were when they were packed.
        self.changed: set[str] = set()

    def add(self, path: str, header: Header) -> None:
        """Enter a file under the names of its header."""
        number = self._numbers.get(path)
        if number is None:
            number = self._numbers[path] = len(self._paths)
            self._paths.append(path)
        for table, names in header.items():
            index = self._opened(table)
            self.changed.add(table)
            for name in names:
                index.setdefault(name, set()).add(number)
        self._found.clear()

    def change(self, path: str, old: Header, new: Header) -> None:
        """Enter a file under the names of another header than before; tables in which both agree stay packed."""
        self.add(path, {table: more for table, names in new.items() if (more := {*names} - {*old.get(table, ())})})
        number = self._numbers[path]
        for table, names in old.items():
            gone = {*names} - {*new.get(table, ())}
            index = self._opened(table) if gone else {}
            for name in gone:
                self.changed.add(table)
                index[name].discard(number)
                if not index[name]:
                    del index[name]

    def files(self, table: str, name: str) -> tuple[str, ...]:
        """The files under a name, sorted."""
        known = self._found.get((table, name))
        if known is None:
            numbers = self._opened(table).get(name, ())
            known = self._found[table, name] = tuple(sorted([self._paths[number] for number in numbers]))
        return known

    def by_file(self, table: str) -> dict[str, tuple[str, ...]]:
        """The names of a table under which each file stands, sorted."""
        found: dict[str, list[str]] = {}
        for name, numbers in sorted(self._opened(table).items()):
            for number in numbers:
                found.setdefault(self._paths[number], []).append(name)
        return {path: tuple(names) for path, names in found.items()}

    def pack(self) -> tuple[list[str], dict[str, bytes]]:
        """All files, in order of their numbers, and the tables."""
        for table in self.changed:
            self._packed[table] = _encode(self._opened(table))
        return self._paths, self._packed

    def _opened(self, table: str) -> _Table:
        index = self._open.get(table)
        if index is None:
            packed = self._packed.get(table)
            index = self._open[table] = _decode(packed) if packed is not None else {}
        return index
