"""The table of advisories is well formed, dated, and says of torch what the checkpoint rule relies on."""

from __future__ import annotations

import datetime
from importlib import resources

import msgspec
import pytest

from mlsys_advise.library import advisories as module
from mlsys_advise.library.advisories import Advisory, advisories
from mlsys_advise.project.version_sets import EVERYTHING, NOTHING, versions


def every() -> tuple[Advisory, ...]:
    text = resources.files("mlsys_advise.library").joinpath("advisories.toml").read_text(encoding="utf-8")
    packages = {line.split('"')[1] for line in text.splitlines() if line.startswith("package")}
    return tuple(advisory for package in sorted(packages) for advisory in advisories(package))


@pytest.mark.parametrize("advisory", every(), ids=lambda advisory: advisory.id)
def test_an_advisory_is_complete(advisory: Advisory) -> None:
    assert versions(advisory.affected) not in (NOTHING, EVERYTHING)
    assert advisory.date < datetime.date(2100, 1, 1)
    assert advisory.url.startswith("https://")
    assert advisory.summary.endswith(".")
    assert advisory.summary.count(". ") == 0
    assert advisory.concerns
    assert advisory.kind != "vulnerability" or advisory.id.startswith("CVE-")


def test_identifiers_are_unique() -> None:
    assert len({advisory.id for advisory in every()}) == len(every()) > 3


@pytest.mark.parametrize(
    ("version", "ids"),
    [
        ("1.6.0", {"torch-load-weights-only-missing", "torch-load-default", "CVE-2025-32434", "CVE-2026-24747"}),
        ("2.5.1", {"torch-load-default", "CVE-2025-32434", "CVE-2026-24747"}),
        ("2.6.0", {"CVE-2026-24747"}),
        ("2.9.1", {"CVE-2026-24747"}),
        ("2.10.0", set()),
    ],
)
def test_what_is_known_of_a_version_of_torch(version: str, ids: set[str]) -> None:
    found = advisories("torch", concerning="torch.load")
    assert {advisory.id for advisory in found if version in versions(advisory.affected)} == ids


def test_a_package_is_found_under_any_of_its_names() -> None:
    assert advisories("PyTorch") == advisories("torch") != ()


def test_they_come_oldest_first() -> None:
    dates = [advisory.date for advisory in advisories("torch")]
    assert dates == sorted(dates)


def test_nothing_is_known_of_other_packages_and_names() -> None:
    assert advisories("a-package-nobody-has") == ()
    assert advisories("torch", concerning="torch.save") == ()


@pytest.mark.parametrize("change", [{"affected": 1}, {"kind": "rumour"}, {"severity": "high"}, {"date": "soon"}])
def test_a_malformed_table_is_refused(change: dict[str, object]) -> None:
    entry = msgspec.to_builtins(advisories("torch")[0]) | change
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"advisory": [entry]}, module._Table)
