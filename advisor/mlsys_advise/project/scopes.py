"""Programs: which files belong together at run time, by who imports whom and where programs start."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from mlsys_advise.project.world import World


class Programs:
    """Import closures over the headers of a project; an answer depends on the list of files it is."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._scopes: dict[str, frozenset[str]] = {}
        world.provide("scope", lambda path, _: sorted(self._scope(path)))
        world.provide("programs", lambda path, _: [sorted(files) for files in self._around(path)])
        world.provide("started", lambda path, _: self._started(path))

    @functools.cached_property
    def _imported(self) -> dict[str, tuple[str, ...]]:
        """The modules that each file imports, by name."""
        return self.world.tables.by_file("import")

    @functools.cached_property
    def _starts(self) -> frozenset[str]:
        """The files in which programs start by what stands in them."""
        return frozenset(self.world.tables.by_file("main")).union(self.world.tables.files("language", "notebook"))

    @functools.cached_property
    def _imports(self) -> dict[str, tuple[str, ...]]:
        """The files that each file imports, packages along the way included."""
        found: dict[str, tuple[str, ...]] = {}
        with self.world.recording():
            for path in self.world.entries:
                targets: set[str] = set()
                for dotted in self._imported.get(path, ()):
                    parts = dotted.split(".")
                    for length in range(len(parts), 0, -1):
                        file = self.world.module_file(".".join(parts[:length]), path)
                        if file is not None and file != path:
                            targets.add(file)
                            break
                found[path] = tuple(sorted(targets))
        return found

    @functools.cached_property
    def _importers(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for path, targets in self._imports.items():
            for target in targets:
                found.setdefault(target, []).append(path)
        return {path: tuple(sorted(importers)) for path, importers in found.items()}

    def program(self, path: str) -> frozenset[str]:
        """The files of every program that reaches this file; if no program does, what it imports and who imports it."""
        self.world.read("scope", path)
        return self._scope(path)

    def around(self, path: str) -> list[frozenset[str]]:
        """The files of each program that reaches this file, apart."""
        self.world.read("programs", path)
        return self._around(path)

    def started(self, path: str) -> dict[str, tuple[str, ...]]:
        """The files that run when this one does, itself first, each with the modules it imports."""
        self.world.read("started", path)
        return self._started(path)

    def _started(self, path: str) -> dict[str, tuple[str, ...]]:
        files = _closure([path], self._imports) if path in self.world.entries else []
        return {file: self._imported.get(file, ()) for file in files}

    def _around(self, path: str) -> list[frozenset[str]]:
        entries = sorted(file for file in _closure([path], self._importers) if self.is_entry(file))
        return [frozenset(_closure([entry], self._imports)) for entry in entries]

    def _scope(self, path: str) -> frozenset[str]:
        known = self._scopes.get(path)
        if known is None:
            around = _closure([path], self._importers)
            entries = [file for file in around if self.is_entry(file)]
            starts = entries or sorted(around)
            known = self._scopes[path] = frozenset(_closure([*starts, path], self._imports))
        return known

    def makers(self, path: str, kinds: tuple[str, ...]) -> Iterator[str]:
        """The files of a file's programs that make an object of one of some kinds of libraries, or a class of one."""
        program = self.program(path)
        for dotted, made in sorted(self.world.lexicon.vocabulary.constructors.items()):
            if made not in kinds:
                continue
            yield from (file for file in self.world.table("construct", dotted) if file in program)
            for file in self.world.table("base", dotted.rpartition(".")[2]):
                interface = self.world.interface(file) if file in program else None
                for name in interface.classes if interface is not None else ():
                    if made in self.world.class_kinds(file, name):
                        yield file
                        break

    def is_entry(self, path: str) -> bool:
        """Whether a program starts in this file: a main guard, a notebook, or a script that nobody imports."""
        if path in self._starts:
            return True
        return path not in self._importers and not path.endswith("__init__.py")


def _closure(starts: list[str], edges: dict[str, tuple[str, ...]]) -> list[str]:
    found = dict.fromkeys(starts)
    frontier = list(found)
    for path in frontier:
        for other in edges.get(path, ()):
            if other not in found:
                found[other] = None
                frontier.append(other)
    return frontier
