"""Where profiles are: those that ship stand beside this module, the user's own in the user's data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

#: The profile whose figures are shown where none of this machine is stored.
REFERENCE = "cloud-vm-2vcpu-amd-epyc"
#: The name that a calibration gets when none is given.
OWN = "this-machine"


def data_folder() -> Path | None:
    """Where this platform keeps a user's data, or None where the user has no home.

    ``MLSYS_ADVISE_DATA_DIR`` comes first. Settings found in a repository have no say.
    """
    if chosen := os.environ.get("MLSYS_ADVISE_DATA_DIR"):
        return Path(chosen)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "mlsys-advise" / "profiles"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "mlsys-advise" / "profiles"
    named = os.environ.get("XDG_DATA_HOME", "")
    return (Path(named) if Path(named).is_absolute() else home / ".local" / "share") / "mlsys-advise" / "profiles"


def stored() -> dict[str, Path]:
    """The profiles of the user's data folder by name."""
    folder = data_folder()
    if folder is None or not folder.is_dir():
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def shipped() -> dict[str, Path]:
    """The profiles that come with the package, by name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.json"))}
