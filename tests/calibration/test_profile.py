"""The file of a profile: what is read back, what is refused and why, and what must never be in it."""

from __future__ import annotations

import getpass
import json
import platform
from pathlib import Path
from typing import Any

import pytest

from mlsys_calibration import figures, machine, profiles
from mlsys_calibration.profile import Machine, Profile, ProfileError, dump, parse

PLAIN: dict[str, Any] = {
    "version": 1,
    "name": "some-vm",
    "tool": "0.1.0",
    "date": "2026-01-31",
    "effort": "quick",
    "complete": True,
    "machine": {
        "system": "Linux",
        "kernel": "6.1",
        "cpu": {"model": "A CPU", "architecture": "x86_64", "usable": 2, "cache_bytes": {"L2": 1048576}},
        "memory_bytes": 8_000_000_000,
        "versions": {"python": "3.12.1"},
    },
    "measurements": {
        "scalar-readback": {
            "status": "measured",
            "quantity": "seconds",
            "axis": "elements",
            "per": "element",
            "typical": 64,
            "date": "2026-01-31",
            "points": [{"size": 64, "slow": 6.4e-5, "fast": 1.6e-6, "occurrences": 64, "ratio": 40.0, "spread": 0.01}],
            "unit_cost": 9.75e-7,
        },
        "pinned-transfer": {
            "status": "not-applicable",
            "quantity": "seconds",
            "device": "cuda",
            "axis": "bytes",
            "per": "batch",
            "typical": 1024,
            "date": "2026-01-31",
            "notes": "needs a CUDA device",
        },
    },
}


def changed(*path: str | int, value: Any) -> str:
    data = json.loads(json.dumps(PLAIN))
    part = data
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return json.dumps(data)


def test_a_profile_is_read_back_as_it_was_written() -> None:
    profile = parse(json.dumps(PLAIN))
    assert parse(dump(profile)) == profile


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (changed("version", value=2), "version: input should be 1"),
        (changed("name", value="../x"), "name: string should match"),
        (changed("machine", "cpu", "usable", value=0), "machine.cpu.usable: "),
        (changed("machine", "owner", value="me"), "machine.owner: extra inputs are not permitted"),
        (changed("measurements", "scalar-readback", "points", 0, "slow", value=-1), "points.0.slow: "),
        (changed("measurements", "scalar-readback", "points", 0, "ratio", value=float("nan")), "points.0.ratio: "),
        (changed("measurements", "scalar-readback", "points", value=[]), "measurements.scalar-readback: "),
        (changed("measurements", "pinned-transfer", "status", value="fine"), "pinned-transfer.status: "),
        ("[]", "the file: "),
        ("{", "the file: "),
    ],
)
def test_what_is_wrong_is_named(text: str, named: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse(text)
    assert named in str(caught.value)


def test_values_have_four_digits_and_measurements_are_in_order() -> None:
    profile = parse(changed("measurements", "scalar-readback", "points", 0, "slow", value=6.4000123456e-5))
    text = dump(profile)
    assert '"slow": 6.4e-05' in text
    assert text.index("pinned-transfer") < text.index("scalar-readback")


def test_linting_reads_the_same_figures() -> None:
    profile = parse(json.dumps(PLAIN))
    read = figures.read(dump(profile).encode())
    assert read.name == profile.name
    assert read.measurements.keys() == profile.measurements.keys()
    for name, figure in read.measurements.items():
        whole = profile.measurements[name]
        assert (figure.status, figure.quantity, figure.per, figure.typical, figure.date) == (
            whole.status,
            whole.quantity,
            whole.per,
            whole.typical,
            whole.date.isoformat(),
        )
        assert [(point.size, point.slow, point.fast, point.ratio, point.occurrences) for point in figure.points] == [
            (point.size, point.slow, point.fast, point.ratio, point.occurrences) for point in whole.points
        ]


def test_linting_names_the_field_that_is_wrong() -> None:
    with pytest.raises(figures.FiguresError, match="slow"):
        figures.read(changed("measurements", "scalar-readback", "points", 0, "slow", value="fast").encode())
    with pytest.raises(figures.FiguresError, match="version 2"):
        figures.read(changed("version", value=2).encode())


@pytest.mark.parametrize("name", profiles.shipped())
def test_shipped_profiles_are_whole(name: str) -> None:
    profile = parse(profiles.shipped()[name].read_bytes())
    assert profile.name == name
    assert profile.complete


def test_a_fingerprint_tells_nothing_of_whose_machine_it_is() -> None:
    found = machine.fingerprint({"numpy": "2.0.0", "torch": "2.9.0", "devices": '{"cuda": 0}'})
    text = found.model_dump_json()
    assert found.cpu.usable >= 1
    assert found.versions.torch == "2.9.0"
    assert len(platform.node()) < 3 or platform.node() not in text
    assert "/home" not in text
    assert str(Path.cwd()) not in text
    assert len(getpass.getuser()) < 3 or getpass.getuser() not in text


def test_a_machine_is_itself() -> None:
    found = machine.fingerprint({})
    assert machine.differences(found, found) == []


def test_what_differs_between_machines_is_named() -> None:
    profile = parse(json.dumps(PLAIN))
    data = profile.machine.model_dump()
    data["memory_bytes"] = 8_100_000_000  # a kernel that reserves a little less
    assert machine.differences(profile.machine, Machine(**data)) == []
    data["memory_bytes"] = 16_000_000_000
    data["cpu"]["model"] = "Another"
    assert machine.differences(profile.machine, Machine(**data)) == [
        "cpu.model: A CPU in the profile, Another here",
        "memory_bytes: 8000000000 in the profile, 16000000000 here",
    ]


def test_the_model_is_immutable() -> None:
    profile: Profile = parse(json.dumps(PLAIN))
    with pytest.raises(ValueError, match="frozen"):
        profile.name = "other"  # type: ignore[misc]
