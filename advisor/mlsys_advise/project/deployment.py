"""What surrounds the Python of a project: manifests, images, launchers and requirements, as questions see them.

Invariant: every look-up leaves a dependency in the world, also one that found nothing, so that an answer knows what
an edit to any of these files may change.
"""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from mlsys_advise.languages.dockerfile import ImageInterface
from mlsys_advise.languages.kubernetes import ManifestInterface, Site, sites
from mlsys_advise.languages.requirements import RequirementsInterface
from mlsys_advise.languages.shell import LauncherInterface
from mlsys_advise.languages.words import literal
from mlsys_advise.project import pins
from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.shared_memory import DefaultSize, Sized, shared_memory
from mlsys_advise.project.values import Locus
from mlsys_advise.project.world import World

#: Interfaces of the languages beside Python.
Other: TypeAlias = RequirementsInterface | ManifestInterface | ImageInterface | LauncherInterface


class _Requirements:
    """The requirements of a project, with a record of what was read: also that a folder has none."""

    def __init__(self, world: World, table: pins.ManifestTable) -> None:
        self.world = world
        self.table = table
        world.provide("manifests", lambda directory, _: tuple(table.manifests(directory)))
        world.provide("manifest", lambda path, _: table.manifest(path))

    def manifests(self, directory: str) -> tuple[str, ...]:
        self.world.read("manifests", directory)
        return tuple(self.table.manifests(directory))

    def manifest(self, path: str) -> RequirementsInterface | None:
        self.world.read("manifest", path)
        return self.table.manifest(path)


class Files:
    """The files of a project as ``programs`` looks them up, with a record of what was read."""

    def __init__(self, world: World, name: str, others: Callable[[], dict[str, Other]]) -> None:
        self.name = name
        self._world = world
        self._others = others
        world.provide("files", lambda language, _: self._of_language[language])
        world.provide("basename", lambda name, _: self._by_name.get(name, ()))
        world.provide("other", lambda path, _: self._others().get(path))

    @functools.cached_property
    def _of_language(self) -> dict[str, tuple[str, ...]]:
        return {language: self._world.tables.files("language", language) for language in ("dockerfile", "shell")}

    @functools.cached_property
    def _by_name(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self._world.entries):
            found.setdefault(posixpath.basename(path), []).append(path)
        return {name: tuple(paths) for name, paths in found.items()}

    def images(self) -> Sequence[str]:
        self._world.read("files", "dockerfile")
        return self._of_language["dockerfile"]

    def launchers(self) -> Sequence[str]:
        self._world.read("files", "shell")
        return self._of_language["shell"]

    def named(self, name: str) -> Sequence[str]:
        self._world.read("basename", name)
        return self._by_name.get(name, ())

    def read(self, path: str) -> Other | None:
        self._world.read("other", path)
        return self._others().get(path)


class Deployment:
    """Interfaces of everything that is not Python. ``name`` is that of the project's folder."""

    def __init__(self, world: World, name: str = "") -> None:
        self.world = world
        self.files = Files(world, name, lambda: self._others)
        world.provide("patches", self._patches)

    @functools.cached_property
    def _others(self) -> dict[str, Other]:
        decode = msgspec.msgpack.Decoder(Other).decode
        paths = sorted(self.world.tables.by_file("other"))
        return {path: decode(self.world.entries[path].other) for path in paths}

    # -- requirements

    @functools.cached_property
    def _requirements(self) -> _Requirements:
        found = {path: one for path, one in self._others.items() if isinstance(one, RequirementsInterface)}
        return _Requirements(self.world, pins.ManifestTable(found))

    def pin(self, package: str, within: str, directory: str) -> pins.PinAnswer:
        """The answer to `pin` for a folder of the project."""
        return pins.pin(package, directory, within, self._requirements)

    # -- manifests

    def site(self, path: str, key: str) -> tuple[ManifestInterface, Site] | None:
        """A container of a manifest by the key of its site."""
        manifest = self.files.read(path)
        if not isinstance(manifest, ManifestInterface):
            return None
        return next(((manifest, site) for site in sites(manifest) if site.key == key), None)

    def patched_memory(self, path: str, key: str) -> Reply:
        """Whether another manifest may give a container shared memory that its own does not mention."""
        found = self.site(path, key)
        if found is None:
            return Reply(None, reason="the container is not there")
        site = found[1]
        self.world.read("patches", site.object.kind, site.object.name)
        for other, manifest in self._patches(site.object.kind, site.object.name):
            if other != path and not isinstance(shared_memory(site, (manifest,)), DefaultSize | Sized):
                return Reply(True, (Cause(Locus(other, "place", "0"), "patches the pod"),))
        return Reply(False)

    def _patches(self, kind: str, name: str) -> list[tuple[str, ManifestInterface]]:
        """The manifests with an object of this kind that has this name, no name, or one that a template gives."""
        return [
            (path, other)
            for path, other in self._others.items()
            if isinstance(other, ManifestInterface)
            and any(one.kind == kind and (one.name in (name, "") or not literal(one.name)) for one in other.objects)
        ]
