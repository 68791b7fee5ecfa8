"""The installations that environment markers tell apart: operating system, machine and Python.

Invariant: the environment of this process plays no part, so that a project means the same wherever it is read.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from mlsys_advise.project.version_sets import VersionSet, versions

if TYPE_CHECKING:
    from packaging.markers import Marker


class Environment(NamedTuple):
    """``python`` is a minor version, such as ``3.12``."""

    system: str
    machine: str
    python: str

    @property
    def usual(self) -> bool:
        """Whether programs that train or serve are commonly installed there."""
        return self.system == "linux" and self.machine == "x86_64"


_MACHINES = {"linux": ("x86_64", "aarch64"), "darwin": ("arm64", "x86_64"), "win32": ("AMD64",)}
_SYSTEM_NAMES = {"linux": ("Linux", "posix"), "darwin": ("Darwin", "posix"), "win32": ("Windows", "nt")}
_PYTHONS = tuple(f"3.{minor}" for minor in range(6, 16))


@lru_cache(maxsize=256)
def environments(python: VersionSet) -> tuple[Environment, ...]:
    """Those whose Python is in ``python``, or all where it leaves none."""
    pythons = [minor for minor in _PYTHONS if versions(f"=={minor}.*") & python] or _PYTHONS
    places = [(system, machine) for system, machines in _MACHINES.items() for machine in machines]
    return tuple(Environment(system, machine, minor) for (system, machine), minor in product(places, pythons))


@lru_cache(maxsize=16384)
def holds(marker: str, environment: Environment) -> bool | None:
    """Whether ``marker`` is true there without any extra; None where that cannot be told."""
    if not marker:
        return True
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

    platform_system, os_name = _SYSTEM_NAMES[environment.system]
    variables = {
        "implementation_name": "cpython",
        "implementation_version": f"{environment.python}.9",
        "os_name": os_name,
        "platform_machine": environment.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": platform_system,
        "platform_version": "",
        "python_full_version": f"{environment.python}.9",
        "python_version": environment.python,
        "sys_platform": environment.system,
        "extra": "",
    }
    try:
        return _parsed(marker).evaluate(variables)
    except (UndefinedComparison, UndefinedEnvironmentName, ValueError, RecursionError):
        return None


@lru_cache(maxsize=1024)
def _parsed(marker: str) -> Marker:
    from packaging.markers import Marker

    return Marker(marker)
