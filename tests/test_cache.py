"""The store of results: what is put comes back, and nothing that happens to the file or its folder breaks a run."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_advise import cache as cache_module
from mlsys_advise.cache import Cache, default_folder, remove


def key(name: object) -> bytes:
    return hashlib.sha256(str(name).encode()).digest()


def file_of(folder: Path) -> Path:
    (path,) = folder.glob("results-*.sqlite3")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_what_is_put_comes_back_in_the_next_run(folder: Path) -> None:
    with Cache(folder) as cache:
        cache.put_many([(key(1), b"one"), (key(2), b""), (key(3), b"3" * 100_000)])
    with Cache(folder) as cache:
        assert cache.get_many([key(1), key(2), key(3), key(4)]) == {key(1): b"one", key(2): b"", key(3): b"3" * 100_000}
        assert cache.notices == []


def test_a_second_put_replaces_the_first(folder: Path) -> None:
    with Cache(folder) as cache:
        cache.put_many([(key(1), b"old")])
        cache.put_many([(key(1), b"new")])
        assert cache.get_many([key(1)]) == {key(1): b"new"}


@settings(max_examples=40)
@given(st.binary(max_size=300), st.integers(1, 200))
def test_every_value_comes_back_as_it_was(value: bytes, repeat: int) -> None:
    with tempfile.TemporaryDirectory() as folder, Cache(Path(folder)) as cache:
        cache.put_many([(key(0), value * repeat)])
        assert cache.get_many([key(0)]) == {key(0): value * repeat}


def test_a_value_is_bound_to_its_whole_key(folder: Path) -> None:
    neighbour = key(0)[:8] + b"another digest that starts alike"
    with Cache(folder) as cache:
        cache.put_many([(key(0), b"value")])
        assert cache.get_many([neighbour]) == {}
        cache.put_many([(neighbour, b"its own")])
        assert cache.get_many([neighbour]) == {neighbour: b"its own"}


@pytest.mark.parametrize("column", ["packing", "checksum", "value"])
def test_a_row_that_was_changed_is_a_miss(folder: Path, column: str) -> None:
    with Cache(folder) as cache:
        cache.put_many([(key(0), b"some value of a result")])
    with closing(sqlite3.connect(file_of(folder))) as connection, connection:
        change = "substr(value, 2)" if column == "value" else f"{column} + 1"
        connection.execute(f"UPDATE entry SET {column} = {change}")
    with Cache(folder) as cache:
        assert cache.get_many([key(0)]) == {}


def test_large_values_that_shrink_are_stored_small(folder: Path) -> None:
    with Cache(folder) as cache:
        cache.put_many([(key(1), b"def forward(self, x):\n" * 100_000)])
    assert file_of(folder).stat().st_size < 200_000


def test_a_key_that_is_no_digest_is_refused(folder: Path) -> None:
    with Cache(folder) as cache, pytest.raises(ValueError, match="digest"):
        cache.get_many([b"short"])


def test_a_failing_producer_leaves_its_batch_out_and_the_store_usable(folder: Path) -> None:
    def items() -> Iterator[tuple[bytes, bytes]]:
        yield key(1), b"one"
        raise KeyboardInterrupt

    with Cache(folder) as cache:
        with pytest.raises(KeyboardInterrupt):
            cache.put_many(items())
        cache.put_many([(key(2), b"two")])
        assert cache.get_many([key(1), key(2)]) == {key(2): b"two"}


# ---- damage


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"not a database, but long enough to look like one" * 100])
def test_a_file_that_is_not_ours_is_replaced(folder: Path, content: bytes) -> None:
    with Cache(folder) as cache:
        cache.put_many([(key(1), b"one")])
    file_of(folder).write_bytes(content)
    with Cache(folder) as cache:
        assert cache.get_many([key(1)]) == {}
        cache.put_many([(key(1), b"again")])
        assert bool(content) == bool(cache.notices)
    with Cache(folder) as cache:
        assert cache.get_many([key(1)]) == {key(1): b"again"}
        assert cache.notices == []


@pytest.mark.parametrize("kept", [0.9, 0.5, 0.1])
def test_a_truncated_file_loses_values_and_nothing_else(folder: Path, kept: float) -> None:
    values = {key(n): os.urandom(2_000) for n in range(500)}
    with Cache(folder) as cache:
        cache.put_many(values.items())
    path = file_of(folder)
    os.truncate(path, int(path.stat().st_size * kept))
    with Cache(folder) as cache:
        found = cache.get_many(values)
        assert all(values[name] == value for name, value in found.items())
        cache.put_many(values.items())
        assert "damaged" in cache.notices[0].message
    with Cache(folder) as cache:
        assert cache.get_many(values) == values


def test_flipped_bytes_never_change_an_answer(folder: Path) -> None:
    values = {key(n): f"value {n} ".encode() * 200 for n in range(300)}
    with Cache(folder) as cache:
        cache.put_many(values.items())
    path = file_of(folder)
    pristine = path.read_bytes()
    for start in range(100, len(pristine), len(pristine) // 40):
        path.write_bytes(pristine[:start] + b"\xff\x00\xa5" + pristine[start + 3 :])
        with Cache(folder) as cache:
            assert all(values[name] == value for name, value in cache.get_many(values).items())


def test_a_file_emptied_while_it_is_open_is_started_afresh(folder: Path) -> None:
    with Cache(folder) as cache:
        cache.put_many([(key(1), b"one")])
        os.truncate(file_of(folder), 0)
        assert cache.get_many([key(1)]) == {}
        cache.put_many([(key(2), b"two")])
        assert cache.get_many([key(2)]) == {key(2): b"two"}


# ---- places that cannot be written


def test_without_a_usable_folder_everything_is_a_miss_and_one_notice_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with Cache(blocked / "cache") as cache:
        cache.put_many([(key(1), b"one")])
        assert cache.get_many([key(1)]) == {}
    assert [notice.message.split(":")[0] for notice in cache.notices] == ["nothing is cached"]


def test_without_a_home_everything_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "default_folder", lambda: None)
    with Cache() as cache:
        cache.put_many([(key(1), b"one")])
        assert cache.get_many([key(1)]) == {}
    assert "no home" in cache.notices[0].message


def test_without_sqlite_everything_is_a_miss(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "sqlite3", None)
    with Cache(folder) as cache:
        cache.put_many([(key(1), b"one")])
        assert cache.get_many([key(1)]) == {}
    assert "sqlite3" in cache.notices[0].message


READ_AND_WRITE = """
import os, sys
from pathlib import Path
from mlsys_advise.cache import Cache
if os.geteuid() == 0:  # root may write everywhere
    os.setuid(65534)
with Cache(Path(sys.argv[1])) as cache:
    print(sorted(cache.get_many([b"k" * 16, b"n" * 16]).values()))
    cache.put_many([(b"n" * 16, b"new")])
    print(sorted(cache.get_many([b"k" * 16, b"n" * 16]).values()))
    for notice in cache.notices:
        print(notice.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files do not forbid writing there")
def test_a_store_that_is_read_only_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    with Cache(folder) as cache:
        cache.put_many([(b"k" * 16, b"kept")])
    file_of(folder).chmod(0o444)
    folder.chmod(0o555)
    for parent in folder.parents:
        if "pytest" in str(parent):
            parent.chmod(parent.stat().st_mode | 0o055)
    try:
        done = subprocess.run(
            [sys.executable, "-c", READ_AND_WRITE, folder], capture_output=True, text=True, check=True, timeout=60
        )
    finally:
        folder.chmod(0o755)
    lines = done.stdout.splitlines()
    assert lines[:2] == ["[b'kept']", "[b'kept']"]
    assert len(lines) == 3
    assert lines[2].startswith("nothing new is cached")


# ---- several processes

WRITER = """
import sys
from pathlib import Path
from mlsys_advise.cache import Cache
who, folder = sys.argv[1:]
import hashlib
key = lambda n: hashlib.sha256(f"{who}-{n}".encode()).digest()
with Cache(Path(folder)) as cache:
    for start in range(0, 400, 20):
        cache.put_many((key(n), f"{who} {n} ".encode() * 100) for n in range(start, start + 20))
        assert len(cache.get_many(key(n) for n in range(start + 20))) == start + 20, start
    assert not cache.notices, cache.notices
"""


def test_processes_that_write_at_once_lose_nothing(folder: Path) -> None:
    names = ["a", "b", "c"]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name, folder]) for name in names]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    with Cache(folder) as cache:
        wanted = {key(f"{name}-{n}"): f"{name} {n} ".encode() * 100 for name in names for n in range(400)}
        assert cache.get_many(wanted) == wanted
        assert cache.notices == []


def test_a_process_killed_in_mid_write_leaves_a_usable_store(folder: Path) -> None:
    with Cache(folder) as cache:
        cache.put_many([(key("before"), b"kept")])
    code = WRITER.replace("400", "4000000")
    victim = subprocess.Popen([sys.executable, "-c", code, "victim", folder])
    path = file_of(folder)
    deadline = time.monotonic() + 60
    while path.stat().st_size < 200_000 and time.monotonic() < deadline:
        time.sleep(0.01)
    victim.kill()
    victim.wait()
    with Cache(folder) as cache:
        assert cache.get_many([key("before"), key("victim-0")]) == {
            key("before"): b"kept",
            key("victim-0"): b"victim 0 " * 100,
        }
        cache.put_many([(key("after"), b"new")])
        assert cache.notices == []


def test_a_lock_held_by_another_process_costs_the_writes_and_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_PATIENCE", 0.1)
    with Cache(folder) as cache:
        cache.put_many([(key(1), b"one")])
        holder = sqlite3.connect(file_of(folder), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        cache.put_many([(key(2), b"two")])
        assert cache.get_many([key(1), key(2)]) == {key(1): b"one"}
        holder.execute("ROLLBACK")
        holder.close()
        cache.put_many([(key(2), b"two")])
        assert cache.get_many([key(2)]) == {key(2): b"two"}
        assert cache.notices == []


# ---- size and age


def test_values_not_used_for_a_month_are_dropped_by_the_next_run_that_writes(folder: Path) -> None:
    with Cache(folder, today=lambda: 100) as cache:
        cache.put_many([(key("used"), b"1"), (key("unused"), b"2")])
    with Cache(folder, today=lambda: 120) as cache:
        assert cache.get_many([key("used")])
    with Cache(folder, today=lambda: 140) as cache:
        cache.put_many([(key("new"), b"3")])
    with Cache(folder, today=lambda: 140) as cache:
        assert set(cache.get_many([key("used"), key("unused"), key("new")])) == {key("used"), key("new")}


def test_reading_alone_prunes_nothing(folder: Path) -> None:
    with Cache(folder, today=lambda: 100) as cache:
        cache.put_many([(key(1), b"1")])
    with Cache(folder, today=lambda: 500) as cache:
        cache.get_many([key(2)])
    with Cache(folder, today=lambda: 500) as cache:
        assert cache.get_many([key(1)])


def test_the_least_recently_used_go_first_when_the_store_is_full(folder: Path) -> None:
    limit = 4_000_000
    for day in range(100, 106):
        with Cache(folder, limit=limit, today=lambda day=day: day) as cache:
            cache.put_many((key((day, n)), os.urandom(1_000)) for n in range(1_500))
    with Cache(folder, limit=limit, today=lambda: 106) as cache:
        kept = [len(cache.get_many(key((day, n)) for n in range(1_500))) for day in range(100, 106)]
    assert kept[-1] == 1_500
    assert kept[0] == 0
    assert kept == sorted(kept)
    assert file_of(folder).stat().st_size < 2 * limit


# ---- its place


def test_the_place_is_chosen_by_the_user_and_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLSYS_ADVISE_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)

    def on(platform: str) -> str:
        monkeypatch.setattr(sys, "platform", platform)
        folder = default_folder()
        assert folder is not None
        return folder.relative_to(tmp_path).as_posix()

    assert on("linux") == ".cache/mlsys-advise"
    assert on("darwin") == "Library/Caches/mlsys-advise"
    assert on("win32") == "AppData/Local/mlsys-advise/cache"
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert on("win32") == "local/mlsys-advise/cache"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert on("linux") == ".cache/mlsys-advise"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert on("linux") == "xdg/mlsys-advise"
    monkeypatch.setenv("MLSYS_ADVISE_CACHE_DIR", str(tmp_path / "mine"))
    assert on("linux") == "mine"


def test_a_user_without_a_home_has_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("MLSYS_ADVISE_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert default_folder() is None


def test_removing_takes_our_files_and_leaves_others(folder: Path) -> None:
    with Cache(folder) as cache:
        cache.put_many([(key(1), b"one" * 1000)])
    (folder / "thesis.tex").write_text("important")
    assert remove(folder) > 3_000
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]
    (folder / "thesis.tex").unlink()
    remove(folder)
    assert not folder.exists()
    assert remove(folder) == 0


# ---- speed


def test_five_thousand_values_are_read_in_sixty_milliseconds(folder: Path) -> None:
    values = {key(n): os.urandom(1_000) for n in range(20_000)}
    with Cache(folder) as cache:
        cache.put_many(values.items())
    wanted = list(values)[5_000:10_000]
    times = []
    for _ in range(5):
        with Cache(folder) as cache:
            start = time.process_time()  # other processes on the machine are not our time
            found = cache.get_many(wanted)
            times.append(time.process_time() - start)
            assert len(found) == 5_000
    assert min(times) < 0.060, times
