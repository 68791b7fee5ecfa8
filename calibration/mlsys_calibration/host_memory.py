"""Memory of this process above a starting point: what is held now, and what was held at the peak since then.

Only memory that the process filled itself counts. Code and data of libraries that a first call reads in from files
belong to neither twin.
"""

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
            _CLEAR.write_text("5")  # the peak starts again at what is resident now
            status = _status()
            self._own, self._files, self._resident = _own(status), status["RssFile"], status["VmRSS"]
        else:
            self._resident = _highest()

    def peak(self) -> int:
        """The most that was held since ``begin``, above what was held then."""
        if sys.platform != "linux":
            return _highest() - self._resident
        status = _status()
        return max(0, status["VmHWM"] - self._resident - (status["RssFile"] - self._files))

    def held(self) -> int:
        """What is held now, above what was held at ``begin``."""
        if sys.platform != "linux":
            return _highest() - self._resident
        return max(0, _own(_status()) - self._own)


def _status() -> dict[str, int]:
    """The sizes that the kernel accounts for this process, in bytes."""
    lines = (line.split() for line in _STATUS.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if words[-1] == "kB"}


def _own(status: dict[str, int]) -> int:
    return status["RssAnon"] + status["RssShmem"]


def _highest() -> int:
    if sys.platform == "win32":
        raise NotImplementedError("memory of a process cannot be read here")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
