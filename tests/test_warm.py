"""What a later run keeps of an earlier one, and what it must not: each case is an edit that once went unseen, or that
a rule of invalidation is about."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from mlsys_advise import engine
from mlsys_advise.engine import Options, Report
from mlsys_advise.project import layout
from mlsys_advise.project.record import Graph, Record, Recording
from mlsys_advise.project.stamps import Stamps
from mlsys_advise.project.tables import Tables
from tests.project.worlds import answers

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LOADED = """
import torch

def load(path):
    return torch.load(path, weights_only=False)
"""


def check(folder: Path, cache: Path | None, *named: str) -> Report:
    layout.forget()
    options = Options(cache=cache, use_cache=cache is not None, raise_errors=True)
    return engine.check([folder / name for name in named] or [folder], options)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / "vision", tmp_path / "project")).resolve()


def agree(folder: Path, cache: Path) -> Report:
    warm = check(folder, cache)
    assert warm == check(folder, None)
    return warm


def test_an_unchanged_project_is_told_from_what_was_stored(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = check(project, tmp_path / "cache")
    assert before.findings

    def fail(*_: object) -> None:
        raise AssertionError("nothing has changed")

    monkeypatch.setattr(engine, "Judge", fail)
    monkeypatch.setattr(engine, "Analyst", fail)
    assert check(project, tmp_path / "cache") == before


def test_a_comment_asks_nothing_again(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(project, tmp_path / "cache")
    helper = project / "another.py"
    helper.write_text("def nothing():\n    pass\n")
    agree(project, tmp_path / "cache")
    helper.write_text("# moved down\n\ndef nothing():\n    pass\n")

    def fail(*_: object) -> None:
        raise AssertionError("no fact has changed")

    monkeypatch.setattr(engine.Judge, "judge", fail)
    check(project, tmp_path / "cache")


def test_lines_that_move_elsewhere_are_named_as_they_are_now(project: Path, tmp_path: Path) -> None:
    before = check(project, tmp_path / "cache")
    places = {place.place.path for one in before.findings for place in one.related + one.heat_path}
    elsewhere = sorted(path for path in places if path.endswith(".py"))
    assert elsewhere
    for path in elsewhere:
        Path(path).write_text("# one line more\n" + Path(path).read_text())
        agree(project, tmp_path / "cache")


def test_a_part_that_was_asked_before_stays_true_for_the_whole(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    check(project, cache)
    for file in sorted(project.rglob("*.py")):
        file.write_text(file.read_text() + "\nEDITED = 1\n")
        check(project, cache, file.relative_to(project).as_posix())
    agree(project, cache)


def test_a_launcher_that_appears_is_seen(tmp_path: Path) -> None:
    """What images and launchers start is looked up by base name: a name that led nowhere may lead somewhere."""
    shutil.copytree(EXAMPLES / "vision", tmp_path / "project")
    project, cache = (tmp_path / "project").resolve(), tmp_path / "cache"
    hidden = {file: file.read_bytes() for file in sorted(project.rglob("*.sh"))}
    assert hidden
    for file in hidden:
        file.unlink()
    without = agree(project, cache)
    for file, data in hidden.items():
        file.write_bytes(data)
    assert agree(project, cache) != without


@pytest.mark.parametrize(
    "edit",
    [
        lambda folder: (folder / "requirements.txt").write_text("torch==2.1.0\n"),
        lambda folder: (folder / "requirements.txt").unlink(),
        lambda folder: (folder / "deep").mkdir() or (folder / "deep" / "x.py").write_text(LOADED),
    ],
)
def test_manifests_govern_what_they_govern_now(tmp_path: Path, edit: Callable[[Path], object]) -> None:
    project = (tmp_path / "project").resolve()
    project.mkdir()
    (project / "mlsys-advise.toml").touch()
    (project / "requirements.txt").write_text("torch>=2.6\n")
    (project / "train.py").write_text(LOADED)
    agree(project, tmp_path / "cache")
    edit(project)
    agree(project, tmp_path / "cache")


def test_a_file_of_the_same_size_and_time_is_read_again(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    check(project, cache)
    file = project / "train.py"
    status, text = file.stat(), file.read_text()
    file.write_text(text.replace("torch", "tarch"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    agree(project, cache)


def test_what_was_written_just_now_gets_no_stamp(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.touch()
    stamps = Stamps({})
    stamps.note("x.py", file.stat(), b"key")
    assert stamps.changed() is None


def test_a_lost_entry_costs_time_and_no_answer(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    check(project, cache)
    (project / "train.py").write_text((project / "train.py").read_text() + "\nEDITED = 1\n")

    def lost(self: engine.Entries, path: str) -> object:
        raise engine.Gone(path)

    with monkeypatch.context() as broken:
        broken.setattr(engine.Entries, "__getitem__", lost)
        warm = check(project, cache)
    assert warm == check(project, None)


# -- the parts


def test_tables_that_are_told_of_a_change_equal_new_ones() -> None:
    before = {"a.py": {"call": ("f", "g")}, "b.py": {"call": ("f",), "base": ("C",)}}
    after = {"a.py": {"call": ("g", "h")}, "c.py": {"base": ("C",)}}
    made = Tables()
    for path, header in before.items():
        made.add(path, header)
    kept = Tables(*made.pack())
    for path in ("a.py", "b.py", "c.py"):
        kept.change(path, before.get(path, {}), after.get(path, {}))
    again = Tables(*kept.pack())
    assert [again.files("call", name) for name in "fgh"] == [(), ("a.py",), ("a.py",)]
    assert again.files("base", "C") == ("c.py",)
    assert again.by_file("call") == {"a.py": ("g", "h")}


def test_what_rests_on_a_fact_is_found_through_cycles_and_across_runs() -> None:
    record = Record()
    with Recording(record) as outer:
        record.read(("calls", "a.py", "f"))
        with Recording(record) as inner:
            record.current.add(outer.node)
    graph = record.graph([inner.node])
    fact = graph.facts["calls"]["a.py"]["f"]
    assert graph.resting_on([fact]) == {fact, outer.node, inner.node}
    continued = Record(msgspec.msgpack.decode(msgspec.msgpack.encode(graph), type=Graph))
    with Recording(continued) as later:
        continued.current.add(inner.node)
        continued.read(("calls", "a.py", "f"))
    assert later.node in continued.graph([later.node]).resting_on([fact])


def test_sweeping_keeps_what_something_rests_on() -> None:
    graph = Graph({"calls": {"a.py": {"f": 0, "g": 1}}}, {2: (0,), 3: (1,)}, 5000, 4)
    swept = graph.swept([2])
    assert swept.facts == {"calls": {"a.py": {"f": 0}}}
    assert swept.edges == {2: (0,)}


def test_every_sort_of_fact_has_a_version_of_its_own() -> None:
    """Two sorts once had one name, so that the files of a base name seemed never to change."""
    without, with_it = answers({"a.py": "x = 1"}), answers({"a.py": "x = 1", "sub/launch.py": "y = 1"})
    fact = ("basename", "launch.py", "")
    assert without.world.version(fact) != with_it.world.version(fact)
