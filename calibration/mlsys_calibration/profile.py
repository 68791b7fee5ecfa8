"""The profile of a machine: its fingerprint and what each benchmark measured on it.

A profile is measured or absent, never written by hand. The file is JSON, small and easy to compare; it holds no name
of a host or a person and no path.
"""

from __future__ import annotations

import datetime
import json
import math
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from mlsys_calibration.benchmark import Device, Quantity

VERSION: Literal[1] = 1

Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[int, Field(ge=0)]
#: A measured value; infinity and NaN have no place in JSON.
Value = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Status = Literal["measured", "unstable", "not-applicable", "failed"]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProfileError(ValueError):
    """A file is not a profile; the message names the field."""


class Cpu(_Data):
    """``cores`` are those of the machine, ``usable`` the logical CPUs that the process may use."""

    model: str
    architecture: str
    sockets: Count | None = None
    cores: Count | None = None
    usable: Count
    threads_per_core: Count | None = None
    instruction_sets: list[str] = []
    cache_bytes: dict[str, Bytes] = {}
    numa_nodes: Count | None = None


class Gpu(_Data):
    model: str
    memory_bytes: Bytes
    capability: str
    unified_memory: bool = False


class Versions(_Data):
    python: str
    c_library: str | None = None
    numpy: str | None = None
    blas: str | None = None
    torch: str | None = None
    cuda: str | None = None


class Machine(_Data):
    """What decides which figures hold on a machine; None where the system does not tell."""

    system: str
    kernel: str
    cpu: Cpu
    memory_bytes: Bytes | None = None
    huge_pages: str | None = None
    container_cpus: Annotated[float, Field(gt=0)] | None = None
    container_memory_bytes: Bytes | None = None
    shm_bytes: Bytes | None = None
    temporary_storage: str | None = None
    gpus: list[Gpu] = []
    link_bytes_per_second: Value | None = None
    driver: str | None = None
    versions: Versions


class Point(_Data):
    """Both twins at one size, per call; one call holds ``occurrences`` of the antipattern.

    ``ratio`` counts what lies below the quantity's grain as the grain. ``spread`` is by how much the second half of
    the observations stays above the envelope, the worse of the two twins; None where there was but one observation.
    """

    size: Count
    slow: Value
    fast: Value
    occurrences: Count = 1
    ratio: Value
    spread: Value | None = None


class Measurement(_Data):
    """What a benchmark gave. ``unit_cost`` is what one occurrence loses at the size ``typical``.

    ``crossover`` is the size at which both twins cost the same, if that lies within the sweep.
    """

    status: Status
    quantity: Quantity
    device: Device = "cpu"
    axis: str
    per: str
    typical: Count
    date: datetime.date
    points: list[Point] = []
    crossover: Value | None = None
    unit_cost: Annotated[float, Field(allow_inf_nan=False)] | None = None
    notes: str = ""

    @pydantic.model_validator(mode="after")
    def _points_belong_to_status(self) -> Measurement:
        if bool(self.points) != (self.status in ("measured", "unstable")):
            raise ValueError(f"a measurement that is {self.status} has {len(self.points)} points")
        return self


class Profile(_Data):
    """``complete`` says that the run came to its end, with at least two looks at each benchmark."""

    version: Literal[1] = VERSION
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    tool: str
    date: datetime.date
    effort: Literal["quick", "thorough"]
    complete: bool
    machine: Machine
    measurements: dict[str, Measurement] = {}


def parse(text: str | bytes) -> Profile:
    """The profile in a JSON text. Raises ProfileError, which names each field that is wrong."""
    try:
        return Profile.model_validate_json(text)
    except pydantic.ValidationError as error:
        wrong = [
            f"{'.'.join(str(part) for part in one['loc']) or 'the file'}: {one['msg'].lower()}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise ProfileError("; ".join(wrong)) from None


def dump(profile: Profile) -> str:
    """The profile as JSON, fields in a fixed order, measurements by name, values with four digits."""
    data = profile.model_dump(mode="json", exclude_none=True)
    data["measurements"] = {name: data["measurements"][name] for name in sorted(data["measurements"])}
    return json.dumps(_rounded(data), indent=1, ensure_ascii=False) + "\n"


def _rounded(value: Any) -> Any:
    """Floats to four significant digits, which is more than any of them deserves; depth is that of the model."""
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    if isinstance(value, float) and value and math.isfinite(value):
        return float(f"{value:.4g}")
    return value
