"""The record of what answers read: a graph from each query to the facts and the other queries that it rests on.

Every fact and every query is a number, so that a query which is answered from memory costs its reader one number, not
all that it once read. Invariant: whatever a query rests on can be reached from its number, through cycles, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TypeAlias

import msgspec

#: A fact that was read: (what, where, which). ``what`` is a facet of a definition, a view of a file, ``table:NAME``,
#: or what another part of the project provides.
Dependency: TypeAlias = tuple[str, str, str]

#: The number of what rests on nothing that can change.
NOTHING = -1


class Reads(set[int]):
    """The numbers that a query has read so far; ``node`` is the number of the query itself."""

    __slots__ = ("node",)

    def __init__(self, node: int) -> None:
        super().__init__()
        self.node = node


class Record:
    """The graph as it grows: a number is that of a fact or of a query, in order of first sight.

    One that continues a kept graph knows its facts, and numbers queries from there on.
    """

    def __init__(self, kept: Graph | None = None) -> None:
        self._kept = kept if kept is not None else Graph()
        self._base = self._kept.end
        self._numbers: dict[Dependency, int] = dict(self._kept.each_fact())
        #: By number, from the base: a fact, or what a query read; None while it is still reading.
        self._nodes: list[Dependency | frozenset[int] | None] = []
        self.current = Reads(NOTHING)

    def read(self, fact: Dependency) -> None:
        """Note that whatever is reading now has read a fact."""
        number = self._numbers.get(fact)
        if number is None:
            number = self._numbers[fact] = self._base + len(self._nodes)
            self._nodes.append(fact)
        self.current.add(number)

    def begin(self) -> Reads:
        self._nodes.append(None)
        return Reads(self._base + len(self._nodes) - 1)

    def end(self, reads: Reads) -> None:
        self._nodes[reads.node - self._base] = frozenset(reads)

    @property
    def grown(self) -> bool:
        """Whether anything was read that the kept graph does not hold."""
        return bool(self._nodes)

    def graph(self, queries: Iterable[int]) -> Graph:
        """The kept graph with what the given queries rest on beside."""
        facts = {
            what: {where: dict(names) for where, names in places.items()} for what, places in self._kept.facts.items()
        }
        edges = dict(self._kept.edges)
        frontier = sorted(number for number in set(queries) if number >= self._base)
        seen = set(frontier)
        for number in frontier:
            node = self._nodes[number - self._base]
            if isinstance(node, tuple):
                what, where, which = node
                facts.setdefault(what, {}).setdefault(where, {})[which] = number
            elif node:
                edges[number] = tuple(node)
                new = {one for one in node if one >= self._base} - seen
                seen |= new
                frontier.extend(new)
        return Graph(facts, edges, self._base + len(self._nodes), self._kept.whole)


class Recording:
    """A query at work; a class, because some hundred thousand are entered."""

    __slots__ = ("_outer", "_reads", "_record")

    def __init__(self, record: Record) -> None:
        self._record = record

    def __enter__(self) -> Reads:
        record = self._record
        self._reads = record.begin()
        self._outer = record.current
        record.current = self._reads
        return self._reads

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._record.end(self._reads)
        self._outer.add(self._reads.node)
        self._record.current = self._outer


class Graph(msgspec.Struct, frozen=True, array_like=True):
    """A record to be kept: the number of each fact, by what, where and which; and what each query read.

    Numbers are below ``end``, and were below ``whole`` when the graph last held only what something rested on.
    """

    facts: dict[str, dict[str, dict[str, int]]] = {}
    edges: dict[int, tuple[int, ...]] = {}
    end: int = 0
    whole: int = 0

    def each_fact(self) -> Iterator[tuple[Dependency, int]]:
        for what, places in self.facts.items():
            for where, names in places.items():
                for which, number in names.items():
                    yield (what, where, which), number

    def resting_on(self, facts: Iterable[int]) -> set[int]:
        """The numbers of the given facts and of all queries that rest on one of them."""
        found = set(facts)
        if not found:
            return found
        readers: dict[int, list[int]] = {}
        for query, read in self.edges.items():
            for number in read:
                readers.setdefault(number, []).append(query)
        frontier = list(found)
        for number in frontier:
            new = [query for query in readers.get(number, ()) if query not in found]
            found.update(new)
            frontier.extend(new)
        return found

    def swept(self, queries: Iterable[int]) -> Graph:
        """The graph without what none of the given queries rests on, if that may be the greater part of it."""
        if self.end < 2 * self.whole + 1000:
            return self
        seen = set(queries)
        frontier = list(seen)
        for number in frontier:
            new = set(self.edges.get(number, ())) - seen
            seen |= new
            frontier.extend(new)
        facts: dict[str, dict[str, dict[str, int]]] = {}
        for (what, where, which), number in self.each_fact():
            if number in seen:
                facts.setdefault(what, {}).setdefault(where, {})[which] = number
        edges = {number: read for number, read in self.edges.items() if number in seen}
        return Graph(facts, edges, self.end, self.end)
