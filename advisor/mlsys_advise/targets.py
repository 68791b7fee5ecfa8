"""Which machines' figures are asked: those that the user names, else the one that lints, else the reference machine.

A name is looked up among the profiles in the user's data folder, then among those that ship; a path is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlsys_advise.cost import Target
from mlsys_advise.usage import UsageError
from mlsys_calibration import profiles
from mlsys_calibration.figures import FiguresError, read


def named(names: Sequence[str]) -> list[Target]:
    """The targets that the user named. Raises UsageError for one that is not there or no profile."""
    return [_named(name) for name in dict.fromkeys(names)]


def unnamed() -> list[Target]:
    """The profile of this machine where one is stored, else the shipped reference; nothing if neither can be read."""
    own = profiles.stored().get(profiles.OWN)
    for path, reference in ((own, False), (profiles.shipped().get(profiles.REFERENCE), True)):
        if path is not None:
            try:
                return [Target(read(path.read_bytes()), reference=reference)]
            except (OSError, FiguresError):  # `calibrate --check` tells; what was not asked for is no error here
                continue
    return []


def _named(name: str) -> Target:
    path = _path(name)
    try:
        return Target(read(path.read_bytes()), named=True)
    except OSError as error:
        raise UsageError(f"cannot read the profile {path}: {error.strerror}") from None
    except FiguresError as error:
        raise UsageError(f"{path} is not a profile: {error}") from None


def _path(name: str) -> Path:
    stored, shipped = profiles.stored(), profiles.shipped()
    if name in stored:
        return stored[name]
    if name in shipped:
        return shipped[name]
    if name.endswith(".json") or Path(name).name != name:
        return Path(name)
    lists = (f"{kind} {', '.join(known) or 'none'}" for kind, known in (("stored:", stored), ("shipped:", shipped)))
    raise UsageError(f"there is no profile {name}; {'; '.join(lists)}")
