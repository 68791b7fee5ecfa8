"""Nothing of the project that is read is imported or run, whatever its files are called and however we are started.

The project here is made of traps: each file has the name of a module that we or Python would import, and leaves a
trace when it is.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

#: Names of packages that we use, of ones that users have, and of files that Python or tools run by themselves.
OTHERS = (
    "conftest", "dask", "distributed", "mlsys_calibration", "mlsys_rules", "msgspec", "numpy", "packaging",
    "pydantic", "pygments", "rich", "rules", "setup", "sitecustomize", "torch", "tree_sitter", "tree_sitter_bash",
    "typing_extensions", "usercustomize", "yaml",
)  # fmt: skip
#: More source than the engine analyses without worker processes.
PADDING = "# a line that makes the file longer, so that worker processes are worth starting\n" * 80


class Traps(NamedTuple):
    folder: Path
    trace: Path

    def sprung(self) -> list[str]:
        return sorted(self.trace.read_text().split()) if self.trace.exists() else []


def set_traps(folder: Path, trace: Path, names: set[str]) -> Traps:
    folder.mkdir(exist_ok=True)
    for name in names:
        text = f"with open({str(trace)!r}, 'a') as trace:\n    trace.write(__name__ + ' ')\n\n{PADDING}"
        (folder / f"{name}.py").write_text(text)
    (folder / "entry_points-1.dist-info").mkdir()
    (folder / "entry_points-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: entry-points\nVersion: 1\n"
    )
    (folder / "entry_points-1.dist-info" / "entry_points.txt").write_text("[mlsys_advise.rules]\ntrap = rules:PACK\n")
    return Traps(folder, trace)


def of_the_library() -> set[str]:
    """Every module of the standard library that has a file."""
    return {name for name in sys.stdlib_module_names if name not in sys.builtin_module_names}


@pytest.fixture
def traps(tmp_path: Path) -> Traps:
    return set_traps(tmp_path / "project", tmp_path / "trace", of_the_library() | set(OTHERS) | {"mlsys_advise"})


def run(
    command: list[str], traps: Traps, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        command,
        cwd=traps.folder,
        env=variables | (environment or {}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def script() -> str:
    return str(Path(sys.executable).with_name("mlsys-advise"))


def test_the_traps_work(traps: Traps) -> None:
    run([sys.executable, "-c", "import json"], traps)
    assert traps.sprung() == ["json"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_script_runs_nothing_of_the_project(traps: Traps, jobs: str) -> None:
    done = run([script(), "--no-cache", "-j", jobs, "."], traps)
    assert traps.sprung() == []
    assert done.returncode == 0, done.stderr
    assert f"in {len(list(traps.folder.glob('*.py')))} files" in done.stdout


def test_the_module_in_safe_mode_runs_nothing_of_the_project(traps: Traps) -> None:
    done = run([sys.executable, "-P", "-m", "mlsys_advise", "--no-cache", "-j", "2", "."], traps)
    assert (traps.sprung(), done.returncode) == ([], 0), done.stderr


def test_the_module_runs_nothing_of_the_project(tmp_path: Path) -> None:
    """But for what Python itself loads from the current directory before it reaches us."""
    (tmp_path / "reached.py").write_text("import sys\nprint(*sys.modules)\n")
    reached = subprocess.run(
        [sys.executable, "-m", "reached"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    names = (of_the_library() | set(OTHERS)) - set(reached.stdout.split())
    assert {"ast", "json", "torch", "rules", "sitecustomize", "yaml", "argparse", "multiprocessing", "signal"} <= names
    traps = set_traps(tmp_path / "project", tmp_path / "trace", names)
    done = run([sys.executable, "-m", "mlsys_advise", "--no-cache", "-j", "2", "."], traps)
    assert (traps.sprung(), done.returncode) == ([], 0), done.stderr


@pytest.mark.parametrize("spelling", [".", "", "absolute", "below"])
def test_a_python_path_into_the_project_lends_nothing(tmp_path: Path, spelling: str) -> None:
    """No module and no pack; but for what Python loads from there before it reaches us."""
    folder = tmp_path / "project"
    folder.mkdir()
    names = (of_the_library() | set(OTHERS)) - started() - {"sitecustomize", "usercustomize"}
    traps = set_traps(folder / "src" if spelling == "below" else folder, tmp_path / "trace", names)
    path = {".": ".", "": os.pathsep + "nowhere", "absolute": str(folder), "below": "src"}[spelling]
    done = run([script(), "--no-cache", "-j", "2", "."], Traps(folder, traps.trace), {"PYTHONPATH": path})
    assert (traps.sprung(), done.returncode) == ([], 0), done.stderr


LENT = '''
import ast

from mlsys_advise.rule import Pack, rule


@rule("LNT100", severity="info", category="performance", lesson="x")
def lent_rule(call: ast.Call, here):
    """Lends."""


PACK = Pack("lent", (lent_rule,))
'''


def test_a_python_path_elsewhere_lends_packs_and_replaces_nothing(tmp_path: Path) -> None:
    present = {name for name in of_the_library() | set(OTHERS) if importlib.util.find_spec(name)}
    names = present - started() - {"sitecustomize", "usercustomize"}
    traps = set_traps(tmp_path / "elsewhere", tmp_path / "trace", names)
    (traps.folder / "lent.py").write_text(LENT)
    (traps.folder / "entry_points-1.dist-info" / "entry_points.txt").write_text("[mlsys_advise.rules]\nx = lent:PACK\n")
    (tmp_path / "project").mkdir()
    done = run([script(), "rules"], Traps(tmp_path / "project", traps.trace), {"PYTHONPATH": str(traps.folder)})
    assert (traps.sprung(), done.returncode) == ([], 0), done.stderr
    assert "LNT100" in done.stdout


WORKERS = """
import sys

if __name__ == "__main__":
    from mlsys_advise.__main__ import main, protect_imports

    protect_imports()
    import multiprocessing

    multiprocessing.set_start_method(sys.argv.pop(1))
    sys.exit(main())
"""


def started() -> set[str]:
    """What is loaded, from wherever the path leads, before our first line runs: scripts made by pip begin with re."""
    code = "import re, sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("path", ["", "."])
def test_workers_run_nothing_of_the_project_however_they_start(tmp_path: Path, method: str, path: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform has no {method}")
    exempt = started() | {"sitecustomize", "usercustomize"} if path else set()
    traps = set_traps(tmp_path / "project", tmp_path / "trace", (of_the_library() | set(OTHERS)) - exempt)
    (tmp_path / "start.py").write_text(WORKERS)
    command = [sys.executable, str(tmp_path / "start.py"), method, "--no-cache", "-j", "2", "."]
    done = run(command, traps, {"PYTHONPATH": path} if path else None)
    assert (traps.sprung(), done.returncode) == ([], 0), done.stderr


WATCH = """
import os
import sys

folder, log = sys.argv[1:3]
del sys.argv[1:3]
descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
FORBIDDEN = {
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.connect", "socket.bind",
    "socket.getaddrinfo", "urllib.Request", "os.remove", "os.rename", "os.mkdir", "os.rmdir",
}


def inside(path):
    return isinstance(path, str) and not path.startswith("<") and os.path.abspath(path).startswith(folder)


def hook(event, arguments):
    wrong = None
    if event == "exec":
        wrong = inside(arguments[0].co_filename) and arguments[0].co_filename
    elif event == "import":
        wrong = inside(arguments[1]) and arguments[1]
    elif event == "open":
        path, mode, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        wrong = inside(path) and (writes or path.endswith(".pyc")) and path
    elif event in FORBIDDEN:
        wrong = True
    if wrong:
        os.write(descriptor, f"{event} {arguments!r}\\n".encode())


sys.addaudithook(hook)
from mlsys_advise.__main__ import main

sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forked workers carry the hook along")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_pythons_own_audit_sees_no_code_of_the_project_run(traps: Traps, jobs: str) -> None:
    """Nor a write into it, a connection, or another program started."""
    watch, log = traps.folder.parent / "watch.py", traps.folder.parent / "log"
    watch.write_text(WATCH)
    (traps.folder / "notebook.ipynb").write_text(
        '{"cells": [{"cell_type": "code", "source": ["!touch trace\\n", "import torch"]}], "nbformat": 4}'
    )
    (traps.folder / "train.sh").write_text("#!/bin/sh\ntouch trace\npython torch.py\n")
    (traps.folder / "Dockerfile").write_text("FROM python\nRUN touch trace\nCMD python torch.py\n")
    (traps.folder / "pod.yaml").write_text("!!python/object/apply:os.system ['touch trace']\n")
    done = run([sys.executable, str(watch), str(traps.folder), str(log), "--no-cache", "-j", jobs, "."], traps)
    assert log.read_text() == ""
    assert traps.sprung() == []
    assert not (traps.folder / "trace").exists()
    assert not list(traps.folder.rglob("__pycache__"))
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="forked workers carry the hook along")
def test_the_audit_sees_code_that_is_run(traps: Traps) -> None:
    watch, log = traps.folder.parent / "watch.py", traps.folder.parent / "log"
    culprit = "\nsys.path.insert(0, folder)\nimport rules\nos.system('true')\n"
    watch.write_text(WATCH.replace("\nfrom mlsys_advise", culprit + "\nfrom mlsys_advise"))
    run([sys.executable, str(watch), str(traps.folder), str(log), "--version"], traps)
    events = {line.split()[0] for line in log.read_text().splitlines()}
    assert {"exec", "os.system"} <= events
