"""Every case file in the folders of this one: its form, and its example projects run through the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsys_advise import registry
from mlsys_advise.page import CaseFile
from tests.rules.harness import Case, case_files, more_cases, verify


@pytest.mark.parametrize("case", more_cases(), ids=lambda case: case.name)
def test_examples(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)


@pytest.mark.parametrize(("path", "file"), case_files().items(), ids=case_files())
def test_form(path: str, file: CaseFile) -> None:
    assert not file.faults, "\n" + "\n".join(f"{path}:{fault.line}: {fault.message}" for fault in file.faults)


def test_cases_are_about_rules_that_exist_and_lie_in_the_folder_of_their_pack() -> None:
    packs = {(rule.code, rule.name): rule.pack for rule in registry.load_rules().rules}
    for path, file in case_files().items():
        found = {packs.get((rule.code, rule.name)) for rule in file.rules}
        assert path.split("/")[2] in found, path
        assert None not in found, path
