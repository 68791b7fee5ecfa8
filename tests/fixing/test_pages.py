"""Every fix that the pages and cases lead to, made for real: what it says is gone is gone, and nothing else moves."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mlsys_advise.finding import Finding
from mlsys_advise.fixing import rounds
from mlsys_advise.registry import load_rules
from mlsys_advise.span import Span
from tests.rules.harness import Case, findings, more_cases, page_cases

#: How a file may be written without another meaning.
WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "with the line ends of Windows": lambda data: data.replace(b"\n", b"\r\n"),
    "with a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "with tabs": lambda data: re.sub(rb"^(?: {4})+", lambda indent: b"\t" * (len(indent[0]) // 4), data, flags=re.M),
}


def fixable() -> list[Case]:
    """The cases in which some rule that has fixes is flagged."""
    return [
        case for case in page_cases() + more_cases() if any(mark.code in WITH_FIXES for mark in case.project.expected)
    ]


#: Why a keyword is not added to a call that may be given it already.
PASSED_ON = "pin_memory may be among the keywords that are passed on with **"
#: Rules whose source makes a fix.
WITH_FIXES = {rule.code for rule in load_rules().rules if "Fix(" in Path(rule.check.__code__.co_filename).read_text()}


#: Other ways to write a file are tried on the pages alone.
TRIED = [(case, written) for case in fixable() for written in WRITTEN if written == "as it is" or case in page_cases()]


@pytest.mark.parametrize(("case", "written"), TRIED, ids=[f"{case.name} {written}" for case, written in TRIED])
def test_a_fix_holds(case: Case, written: str, tmp_path: Path) -> None:
    checker = Checker(case, tmp_path, WRITTEN[written])
    result = rounds.run(checker, checker.read, {"safe", "suggested"})
    assert {left.reason for left in result.left} <= {PASSED_ON}
    assert sum(finding.fix is not None for finding in result.findings) == len(result.left)
    for path, data in result.contents.items():
        named = sum(lines_named(finding) for finding in result.fixed if finding.path == path)
        assert checker.lines_that_go(path, data) <= named


TRAIN = """\
import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

data = datasets.ImageFolder("x", transforms.Compose([transforms.RandomCrop(224), transforms.ToTensor()]))
loader = DataLoader(data, 64, True, None, None, 4{rest})
model = torch.nn.Linear(2, 2).cuda()
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for epoch in range(90):
    for images, labels in loader:
        loss = torch.nn.functional.cross_entropy(model(images.cuda()), labels.cuda())
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(("rest", "offered"), [("", True), (", pin_memory=False", True), (", None, False", False)])
def test_what_is_given_by_position_is_not_given_again(rest: str, offered: bool, tmp_path: Path) -> None:
    (found,) = findings({"train.py": TRAIN.replace("{rest}", rest)}, {"MLS413"}, tmp_path)
    assert (found.fix is not None) is offered


class Checker:
    """Finds what the rules of a case find in its files, some of them changed."""

    def __init__(self, case: Case, folder: Path, written: Callable[[bytes], bytes]) -> None:
        self._case = case
        self._folder = folder
        self._written = written
        self._files = {
            path: written(text.encode()) if path.endswith(".py") else text.encode()
            for path, text in case.project.files().items()
        }
        self._runs = 0

    def __call__(self, contents: rounds.Contents) -> list[Finding]:
        self._runs += 1
        folder = self._folder / str(self._runs)
        files = {**self._files, **contents}
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return findings({}, self._case.codes, folder)

    def read(self, path: str) -> bytes:
        return self._files[path]

    def lines_that_go(self, path: str, data: bytes) -> int:
        """How many lines of the old file, line ends and mark included, are not in the new one."""
        old = self._files[path].splitlines(keepends=True)
        blocks = difflib.SequenceMatcher(None, old, data.splitlines(keepends=True)).get_matching_blocks()
        return len(old) - sum(block.size for block in blocks)


def lines_named(finding: Finding) -> int:
    """How many lines the edits of a fix name."""
    assert finding.fix is not None
    places = [getattr(edit, field) for edit in finding.fix.edits for field in edit.__struct_fields__]
    return sum(place.end_line - place.line + 1 for place in places if isinstance(place, Span))
