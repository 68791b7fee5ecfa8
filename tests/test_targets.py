"""Where the figures of a target come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlsys_advise import targets
from mlsys_advise.usage import UsageError
from mlsys_calibration import profiles
from tests.calibration.test_profile import PLAIN


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one profile."""
    monkeypatch.setenv("MLSYS_ADVISE_DATA_DIR", str(tmp_path))
    (tmp_path / "some-vm.json").write_text(json.dumps(PLAIN))
    return tmp_path


def test_a_name_is_looked_up_in_the_data_folder(stored: Path) -> None:
    (found,) = targets.named(["some-vm", "some-vm"])
    assert (found.figures.name, found.named, found.reference) == ("some-vm", True, False)


def test_a_path_is_read(stored: Path) -> None:
    (stored / "other.json").write_text(json.dumps(PLAIN | {"name": "other-vm"}))
    (found,) = targets.named([str(stored / "other.json")])
    assert found.figures.name == "other-vm"


def test_an_unknown_name_is_answered_with_those_there_are(stored: Path) -> None:
    with pytest.raises(UsageError, match=r"no profile h100; stored: some-vm; shipped: "):
        targets.named(["h100"])
    with pytest.raises(UsageError, match=r"cannot read the profile .*absent.json: No such file"):
        targets.named([str(stored / "absent.json")])


def test_a_file_that_is_no_profile_names_the_field(stored: Path) -> None:
    (stored / "bad.json").write_text(json.dumps(PLAIN | {"measurements": {"x": {"status": 1}}}))
    with pytest.raises(UsageError, match=r"status"):
        targets.named([str(stored / "bad.json")])


def test_this_machine_is_asked_before_the_reference(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = stored / "reference.json"
    reference.write_text(json.dumps(PLAIN | {"name": profiles.REFERENCE}))
    monkeypatch.setattr(profiles, "shipped", lambda: {profiles.REFERENCE: reference})
    (found,) = targets.unnamed()
    assert (found.figures.name, found.named, found.reference) == (profiles.REFERENCE, False, True)
    own = stored / f"{profiles.OWN}.json"
    own.write_text(json.dumps(PLAIN | {"name": profiles.OWN}))
    (found,) = targets.unnamed()
    assert (found.figures.name, found.named, found.reference) == (profiles.OWN, False, False)
    own.write_text("{}")
    assert targets.unnamed()[0].reference


def test_without_any_profile_there_are_no_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSYS_ADVISE_DATA_DIR", str(tmp_path / "absent"))
    monkeypatch.setattr(profiles, "shipped", dict)
    assert targets.unnamed() == []
