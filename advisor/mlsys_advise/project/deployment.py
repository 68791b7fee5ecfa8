"""What surrounds the Python of a project: manifests, images, launchers and requirements, as questions see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from mlsys_advise.languages.dockerfile import ImageInterface
from mlsys_advise.languages.kubernetes import ManifestInterface
from mlsys_advise.languages.requirements import RequirementsInterface
from mlsys_advise.languages.shell import LauncherInterface
from mlsys_advise.project import pins
from mlsys_advise.project.values import Locus
from mlsys_advise.project.world import Entry, World

if TYPE_CHECKING:
    from mlsys_advise.project.answers import Answers
    from mlsys_advise.project.reply import Reply

#: Interfaces of the languages beside Python.
Other: TypeAlias = RequirementsInterface | ManifestInterface | ImageInterface | LauncherInterface


class _Manifests:
    """The requirements of a project, with a record of what was read: also that a folder has none."""

    def __init__(self, world: World, table: pins.ManifestTable) -> None:
        self.world = world
        self.table = table

    def manifests(self, directory: str) -> tuple[str, ...]:
        self.world.read("manifests", directory)
        return tuple(self.table.manifests(directory))

    def manifest(self, path: str) -> RequirementsInterface | None:
        self.world.read("manifest", path)
        return self.table.manifest(path)


class Deployment:
    """Interfaces of everything that is not Python."""

    def __init__(self, world: World, entries: Mapping[str, Entry]) -> None:
        self.world = world
        self.others: dict[str, Other] = {
            path: msgspec.msgpack.decode(entry.other, type=Other) for path, entry in entries.items() if entry.other
        }
        requirements = {path: one for path, one in self.others.items() if isinstance(one, RequirementsInterface)}
        self._table = pins.ManifestTable(requirements)
        self._manifests = _Manifests(world, self._table)
        world.provide("manifests", lambda directory, _: tuple(self._table.manifests(directory)))
        world.provide("manifest", lambda path, _: self._table.manifest(path))

    def pin(self, package: str, within: str, directory: str) -> pins.PinAnswer:
        """The answer to `pin` for a folder of the project."""
        return pins.pin(package, directory, within, self._manifests)

    def line(self, locus: Locus) -> int | None:
        """The line of a place that is not in Python; None where the place is."""
        return 1 if locus.what in ("package", "command") else None

    def starts_workers(self, path: str, pod: int, container: int, answers: Answers) -> Reply:
        """Whether a container starts a program that needs shared memory."""
        raise NotImplementedError
