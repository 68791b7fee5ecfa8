"""Leaving at once when the user presses Ctrl-C, whatever the program is waiting for.

What has been cached is in the file already; worker processes do not outlive the program.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

STATUS = 130
_GRACE = 1.0  # seconds in which the engine may store what it has


def arm() -> None:
    """Raise KeyboardInterrupt at the first Ctrl-C, and leave a second later or at the next one."""
    ignored = signal.getsignal(signal.SIGINT) is not signal.default_int_handler  # as under nohup
    if ignored or threading.current_thread() is not threading.main_thread():
        return
    owner = os.getpid()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a forked worker
            os._exit(STATUS)
        signal.signal(signal.SIGINT, lambda number, frame: leave())
        watchdog = threading.Timer(_GRACE, leave)
        watchdog.daemon = True
        watchdog.start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)


def leave() -> NoReturn:
    """End the process and its workers now, with one line on standard error."""
    try:
        os.write(2, b"mlsys-advise: interrupted\n")
        if "multiprocessing" in sys.modules:
            import multiprocessing

            for worker in multiprocessing.active_children():
                worker.terminate()
    finally:  # whatever state the modules used here are in
        os._exit(STATUS)
