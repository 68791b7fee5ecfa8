"""Resident memory of this process above a starting point: now, and at its peak since then."""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class HostMemory:
    """A meter in bytes. On Linux the kernel's high-water mark is reset at the start; elsewhere on Unix it is that of
    the whole life of the process, so a peak below an earlier one reads as 0.

    Raises NotImplementedError where the system tells a process nothing.
    """

    def begin(self) -> None:
        if sys.platform == "linux":
            _CLEAR.write_text("5")
        self._held, self._peak = self._now(), self._high()

    def peak(self) -> int:
        """The highest mark since ``begin``, above what was held then."""
        return max(0, self._high() - (self._held if sys.platform == "linux" else self._peak))

    def held(self) -> int:
        """What is held now, above what was held at ``begin``."""
        return max(0, self._now() - self._held)

    def _now(self) -> int:
        return _field("VmRSS") if sys.platform == "linux" else self._high()

    def _high(self) -> int:
        if sys.platform == "linux":
            return _field("VmHWM")
        if sys.platform == "win32":
            raise NotImplementedError("memory of a process cannot be read here")
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _field(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise NotImplementedError(f"{_STATUS} has no {name}")
