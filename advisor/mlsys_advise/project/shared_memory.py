"""What a container gets as ``/dev/shm``: a pure function of its pod, and of the patches that a project lays over it.

Invariant: ``DefaultSize`` is said only where nothing in the manifest, no template and no patch could give another.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

import msgspec

from mlsys_advise.languages.kubernetes import ManifestInterface, Mount, Pod, Site, sites
from mlsys_advise.languages.words import literal
from mlsys_advise.library.programs import Resource, owner

#: Bytes that container runtimes give ``/dev/shm`` when nobody says otherwise.
DEFAULT_BYTES = 64 << 20


class DefaultSize(msgspec.Struct, frozen=True, tag=True):
    """The 64 MB of the runtime."""


class Sized(msgspec.Struct, frozen=True, tag=True):
    """A tmpfs of its own with a limit in bytes; ``key`` names the limit in ``ManifestDocument.spans``."""

    limit: int
    key: str


class Mounted(msgspec.Struct, frozen=True, tag=True):
    """A volume without a limit of its own; ``key`` names the mount in ``ManifestDocument.spans``."""

    key: str


class Host(msgspec.Struct, frozen=True, tag=True):
    """The ``/dev/shm`` of the node."""


class Unsettled(msgspec.Struct, frozen=True, tag=True):
    """Something outside the manifest decides; ``reason`` says what."""

    reason: str


SharedMemory = DefaultSize | Sized | Mounted | Host | Unsettled


def shared_memory(site: Site, patches: Iterable[ManifestInterface] = ()) -> SharedMemory:
    """What ``/dev/shm`` is for the container of ``site``; ``patches`` are manifests that may patch its pod."""
    written = _written(site)
    if not isinstance(written, DefaultSize):
        return written
    for manifest in patches:
        for other in sites(manifest):
            if _patches(other, site) and not isinstance(_written(other, patch=True), DefaultSize):
                return Unsettled("a patch gives it shared memory")
    return written


def _written(site: Site, *, patch: bool = False) -> SharedMemory:
    pod, container = site.pod, site.container
    if pod.host_ipc:
        return Host()
    found = _mount(container.mounts or ())
    if found is not None:
        index, mount = found
        return _volume(pod, mount, f"{site.key}:mount{index}", site.key.rpartition(".")[0])
    if pod.host_ipc is None or container.mounts is None or pod.volumes is None or pod.templated or container.templated:
        return Unsettled("a template decides")
    if any(not literal(mount.path) for mount in container.mounts):
        return Unsettled("a template decides where volumes are mounted")
    if (container.partial or pod.partial) and not patch:
        return Unsettled("the manifest is a patch for another one")
    if site.object.plugins:
        return Unsettled("plugins of the job change its pods")
    owning = owner(Resource.SHARED_MEMORY, api_version=site.object.api_version, kind=site.object.kind)
    if owning is not None:
        return Unsettled(f"{owning.name} provides it")
    return DefaultSize()


def _mount(mounts: tuple[Mount, ...]) -> tuple[int, Mount] | None:
    """The mount that decides: the last on ``/dev/shm``, else the last on ``/dev``."""
    for path in ("/dev/shm", "/dev"):
        for index in range(len(mounts) - 1, -1, -1):
            if posixpath.normpath(mounts[index].path) == path:
                return index, mounts[index]
    return None


def _volume(pod: Pod, mount: Mount, mount_key: str, pod_key: str) -> SharedMemory:
    for index, volume in enumerate(pod.volumes or ()):
        if volume.name != mount.volume:
            continue
        if volume.templated or not literal(volume.medium):
            return Unsettled("a template decides the size")
        if volume.kind == "emptyDir" and volume.medium == "Memory" and volume.size_limit is not None:
            return Sized(volume.size_limit, f"{pod_key}:volume{index}:sizeLimit")
        if volume.kind == "hostPath":
            return Host()
    return Mounted(mount_key)


def _patches(other: Site, site: Site) -> bool:
    """Whether ``other`` is a patch for the pod of ``site``, at the container of that name or at the whole pod."""
    if not (other.container.partial or other.pod.partial) or other.object.kind != site.object.kind:
        return False
    names_agree = other.object.name in (site.object.name, "") or not literal(other.object.name)
    return names_agree and (other.container.name in (site.container.name, "") or bool(other.pod.host_ipc))
