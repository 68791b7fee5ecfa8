"""Files written so that a kill at any moment leaves the old or the new one, never half of it.

The new content is written beside the file, flushed to the disk and renamed over it. What a killed process left beside
a file carries the number of the process in its name, and is removed by the next one that fixes files in the folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

_LEFT = re.compile(r"\..+\.(\d+)\.mlsys-advise")


def write(path: Path, data: bytes) -> None:
    """Put new content in the place of the old, with the same mode; of a symbolic link in the place it leads to.

    Raises OSError if the folder or the file cannot be written.
    """
    target = path.resolve(strict=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.mlsys-advise")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(stat.S_IMODE(target.stat().st_mode))
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Remove what killed processes left in the folders; a process that is still at work keeps its own."""
    for folder in sorted(set(folders)):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                found = _LEFT.fullmatch(entry.name)
                if found and not _runs(int(found[1])):
                    with contextlib.suppress(OSError):  # on Windows what is open cannot be removed
                        Path(entry.path).unlink()


def _runs(process: int) -> bool:
    """Whether the process may still be at work; on Windows only an open file can tell."""
    if os.name == "nt":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
