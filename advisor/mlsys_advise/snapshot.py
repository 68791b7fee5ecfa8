"""What a project was when it was last judged, as the next run finds it in the cache.

Invariant: each verdict in a snapshot is what a run from nothing would tell of the files that the snapshot lists. A run
on other files keeps those verdicts that rest on nothing that differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Set

import msgspec

from mlsys_advise.cache import Cache
from mlsys_advise.finding import Finding, Notice
from mlsys_advise.project.record import Dependency, Graph
from mlsys_advise.project.tables import Tables
from mlsys_advise.project.verdicts import Judged, Rendered
from mlsys_advise.suppression.directives import Suppression

_encode = msgspec.msgpack.Encoder(enc_hook=lambda value: int(value)).encode


class Gone(Exception):
    """Something that a snapshot refers to is no longer in the cache: only a run from nothing helps."""


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What became of the candidates of one file; None for one that has to be asked again.

    ``rendered`` is packed, and empty where it has to be made again; ``names`` are the files whose lines it names.
    """

    judged: tuple[Judged | None, ...]
    rendered: bytes = b""
    names: tuple[str, ...] = ()

    def findings(self) -> tuple[Finding, ...]:
        if not self.judged:
            return ()
        return msgspec.msgpack.decode(self.rendered, type=Rendered).findings

    def queries(self) -> Iterator[int]:
        return (one.query for one in self.judged if one is not None)

    def still(self, stale: Set[int], touched: Set[str]) -> Told:
        """What is left of it when some queries no longer hold and lines of some files may have moved."""
        judged = tuple(None if one is None or one.query in stale else one for one in self.judged)
        if None in judged or not touched.isdisjoint(self.names):
            return Told(judged)
        return self


#: What is told of a file without candidates.
SILENT = Told((), b"-")


def told(judged: tuple[Judged, ...], rendered: Rendered) -> Told:
    return Told(judged, _encode(rendered), rendered.names)


class Remarks(msgspec.Struct, frozen=True, array_like=True):
    """What the analysis of a file has to say beside findings: to the user, and of comments that may silence some."""

    notices: tuple[Notice, ...] = ()
    comments: tuple[Suppression, ...] = ()


class Grounds(msgspec.Struct, frozen=True, array_like=True):
    """On what the verdicts rest, and the versions of those facts that no single file decides."""

    graph: Graph
    versions: list[tuple[Dependency, bytes]]


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """A project as it was judged. ``files`` are keys of content; ``grounds`` and ``tables`` lie elsewhere in the cache,
    under fixed keys, and are recognised by their digests."""

    files: dict[str, bytes]
    languages: dict[str, str]
    remarks: dict[str, Remarks]
    told: dict[str, Told]
    grounds: bytes
    numbered: bytes
    tables: dict[str, bytes]


class Shelf:
    """Where the snapshot of one project lies. ``scope`` distinguishes projects and versions of the program."""

    def __init__(self, cache: Cache, scope: bytes, keeps: bool = True) -> None:
        self._cache = cache
        self._keeps = keeps
        self._scope = scope

    def last(self) -> Snapshot | None:
        packed = self._cache.get_many([self._key("snapshot")]).get(self._key("snapshot"))
        return msgspec.msgpack.decode(packed, type=Snapshot) if packed is not None else None

    def grounds(self, snapshot: Snapshot) -> Grounds:
        """Raises Gone if a later run has replaced them."""
        return msgspec.msgpack.decode(self._found("grounds", snapshot.grounds), type=Grounds)

    def tables(self, snapshot: Snapshot) -> Tables:
        """Raises Gone if a later run has replaced them."""
        paths = msgspec.msgpack.decode(self._found("numbered", snapshot.numbered), type=list[str])
        return Tables(paths, {name: self._found(f"table {name}", digest) for name, digest in snapshot.tables.items()})

    def keep(
        self,
        files: dict[str, bytes],
        languages: dict[str, str],
        remarks: dict[str, Remarks],
        told: dict[str, Told],
        grounds: Grounds | bytes,
        tables: Tables | tuple[bytes, dict[str, bytes]],
    ) -> None:
        """Replace the snapshot, on a shelf that keeps. What is as it was of grounds and tables is given by digests."""
        if not self._keeps:
            return
        items: list[tuple[bytes, bytes]] = []
        if isinstance(grounds, Grounds):
            grounds = self._put(items, "grounds", _encode(grounds))
        if isinstance(tables, Tables):
            paths, packed = tables.pack()
            numbered = self._put(items, "numbered", _encode(paths))
            tables = numbered, {name: self._put(items, f"table {name}", table) for name, table in packed.items()}
        snapshot = Snapshot(files, languages, remarks, told, grounds, *tables)
        items.append((self._key("snapshot"), _encode(snapshot)))
        self._cache.put_many(items)

    def _put(self, items: list[tuple[bytes, bytes]], name: str, data: bytes) -> bytes:
        digest = _digest([data])
        items.append((self._key(name), digest + data))
        return digest

    def _found(self, name: str, digest: bytes) -> bytes:
        key = self._key(name)
        data = self._cache.get_many([key]).get(key)
        if data is None or data[: len(digest)] != digest:
            raise Gone(name)
        return data[len(digest) :]

    def _key(self, name: str) -> bytes:
        return _digest([self._scope, name.encode()])


def _digest(parts: Iterable[bytes]) -> bytes:
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "little") + part)
    return state.digest()
