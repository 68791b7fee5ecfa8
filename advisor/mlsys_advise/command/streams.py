"""Writing to standard output and standard error so that neither a closed pipe nor a narrow encoding is an error."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable
from typing import TextIO

from mlsys_advise.usage import UsageError

_READER_GONE = {errno.EPIPE, errno.ESHUTDOWN, errno.EINVAL if sys.platform == "win32" else errno.EPIPE}


def prepare() -> None:
    """What a stream cannot encode is written escaped; a stream that was closed by the caller swallows all."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emit(lines: Iterable[str]) -> None:
    """Write the answer to standard output. Once the reader has gone, as ``head`` does, the rest is dropped.

    Raises UsageError where it cannot be written for another reason, such as a full disk.
    """
    try:
        _write(lines, sys.stdout)
    except OSError as error:
        _discard(sys.stdout)
        if error.errno not in _READER_GONE:
            raise UsageError(f"cannot write the output: {error.strerror}") from None


def emit_bytes(data: bytes) -> None:
    """Write a file to standard output as it is.

    Raises UsageError where it cannot be written, unless the reader has gone.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        _discard(sys.stdout)
        if error.errno not in _READER_GONE:
            raise UsageError(f"cannot write the output: {error.strerror}") from None


def tell(lines: Iterable[str]) -> None:
    """Write remarks to standard error, if anyone listens."""
    try:
        _write(lines, sys.stderr)
    except OSError:
        _discard(sys.stderr)


def _write(lines: Iterable[str], stream: TextIO) -> None:
    for line in lines:
        stream.write(line + "\n")
    stream.flush()


def _discard(stream: TextIO) -> None:
    """Send what is still in the buffer nowhere, or Python would try again and complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
