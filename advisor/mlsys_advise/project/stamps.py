"""Which files are as they were when their content was last read, told by their status alone.

Invariant: content decides, and a stamp only spares a look at it. As in git's index, a file that was modified so shortly
before it was looked at that a later change could bear the same time is not stamped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Final

import msgspec

#: Nanoseconds within which two changes may bear one time: FAT counts in steps of two seconds.
_GRAIN: Final = 2_000_000_000


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """The status of a file, and the key of its content."""

    size: int
    modified: int
    changed: int
    inode: int
    key: bytes


class Stamps:
    """The stamps of a project's files, by path."""

    def __init__(self, known: Mapping[str, Stamp]) -> None:
        self._known = known
        self._new: dict[str, Stamp] = {}

    def key(self, path: str, status: os.stat_result) -> bytes | None:
        """The key of the content of a file that is as it was."""
        stamp = self._known.get(path)
        if stamp is None or stamp != _stamp(status, stamp.key):
            return None
        self._new[path] = stamp
        return stamp.key

    def note(self, path: str, status: os.stat_result, key: bytes) -> None:
        """Remember the key of what was read after the file had this status."""
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _GRAIN:
            self._new[path] = _stamp(status, key)

    def changed(self) -> dict[str, Stamp] | None:
        """All stamps, if they are not those that were known."""
        return None if self._new == self._known else self._new


def _stamp(status: os.stat_result, key: bytes) -> Stamp:
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, key)
