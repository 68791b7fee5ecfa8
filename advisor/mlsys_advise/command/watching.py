"""``--watch``: the same check again whenever a file of ours has changed, until the user interrupts it.

Changes are found by looking at the times and sizes of files, which works on every system and file system.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from mlsys_advise.command import streams
from mlsys_advise.command.dispatch import explained
from mlsys_advise.output.terminal import is_terminal
from mlsys_advise.project import layout
from mlsys_advise.usage import UsageError

_EVERY = 0.5  # seconds between two looks
_SHARE = 4  # times as long as a look took, so that a large tree does not keep a core busy
_CLEAR = "\x1b[2J\x1b[H"

#: Time of change and size of each file.
State = dict[Path, tuple[int, int]]


def run(
    check: Callable[[], int],
    files: Callable[[], Sequence[Path]],
    *,
    wait: Callable[[float], None] = time.sleep,
) -> NoReturn:
    """Check, wait for a change of one of ``files``, and check again. Ends with the exception of an interrupt."""
    seen: State | None = None
    named: Sequence[Path] = ()
    while True:
        begun = time.monotonic()
        layout.forget()
        with contextlib.suppress(UsageError):  # settings are half-written: the files are those of before
            named = files()
        now = state_of(named)
        if now != seen:
            seen = now
            if is_terminal(sys.stdout):
                streams.emit([_CLEAR])
            _attempt(check)
            streams.tell(["Watching for changes; Ctrl-C ends it."])
        wait(max(_EVERY, _SHARE * (time.monotonic() - begun)))


def state_of(files: Iterable[Path]) -> State:
    """What can be seen of files without reading them; those that are gone are left out."""
    found: State = {}
    for path in files:
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def _attempt(check: Callable[[], int]) -> None:
    """A half-written settings file ends no watch."""
    try:
        check()
    except UsageError as error:
        streams.tell([f"mlsys-advise: {explained(error)}"])
