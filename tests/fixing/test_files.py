"""A kill at any moment leaves the old file or the new one, and the next run removes what lies beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlsys_advise.fixing import files

posix = pytest.mark.skipif(os.name == "nt", reason="modes, links and signals of POSIX")


def test_the_content_is_new_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    files.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_the_mode_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    path.chmod(0o751)
    files.write(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o751


@posix
def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.py", tmp_path / "a.py"
    target.write_bytes(b"old")
    link.symlink_to(target)
    files.write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_what_cannot_be_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_a_kill_leaves_a_whole_file_and_the_next_run_cleans_up(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    old, new = b"old" * 400_000, b"new" * 400_000
    path.write_bytes(old)
    code = (
        "from pathlib import Path\nfrom mlsys_advise.fixing import files\n"
        f"path = Path({str(path)!r})\nprint('go', flush=True)\n"
        "while True:\n    files.write(path, b'new' * 400_000)\n    files.write(path, b'old' * 400_000)\n"
    )
    left = 0
    for round_ in range(12):
        child = subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.003 * round_)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert path.read_bytes() in (old, new)
        left += len(list(tmp_path.iterdir())) - 1
        files.remove_leftovers([tmp_path])
        assert list(tmp_path.iterdir()) == [path]
    assert left, "no kill came while a file was being written: the test has tried nothing"


def test_what_a_running_process_writes_is_left_to_it(tmp_path: Path) -> None:
    mine = tmp_path / f".a.py.{os.getpid()}.mlsys-advise"
    mine.write_bytes(b"")
    files.remove_leftovers([tmp_path, tmp_path / "missing"])
    assert mine.exists() == (os.name != "nt")
