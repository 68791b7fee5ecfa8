"""What holds for every test: whoever runs them may have profiles of machines, and no test sees them."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_profiles_of_ones_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSYS_ADVISE_DATA_DIR", str(Path(tmp_path_factory.getbasetemp(), "no-profiles")))
