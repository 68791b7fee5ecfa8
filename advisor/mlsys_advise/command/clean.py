"""``clean``: remove the cache."""

from __future__ import annotations

from argparse import Namespace

from mlsys_advise import cache
from mlsys_advise.command import streams
from mlsys_advise.command.status import ExitStatus
from mlsys_advise.usage import UsageError


def run(arguments: Namespace) -> int:
    folder = arguments.cache_dir or cache.default_folder()
    if folder is None:
        raise UsageError("the user has no home folder, so there is no cache; --cache-dir names one")
    try:
        freed = cache.remove(folder)
    except OSError as error:
        raise UsageError(f"cannot remove {error.filename}: {error.strerror}") from None
    streams.emit([f"Removed {freed / 1e6:,.1f} MB from {folder}." if freed else f"There was no cache in {folder}."])
    return ExitStatus.CLEAN
