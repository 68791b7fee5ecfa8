"""The program as a process: interrupted, cut off, on narrow terminals, and quick to say what it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import pytest

Start = Callable[..., subprocess.Popen[str]]

unix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals, pipes or terminals")


# ---- Ctrl-C


@unix
@pytest.mark.parametrize("scenario", ["slow", "stubborn"])
def test_ctrl_c_leaves_at_once_with_one_line(start: Start, scenario: str) -> None:
    process = start(scenario, ".", stdout=PIPE, stderr=PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    time.sleep(0.3)  # a signal in the instant before a blocking call waits for its end, in any Python program
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - begin < 3
    assert process.returncode == 130
    assert errors == "mlsys-advise: interrupted\n"


@unix
def test_no_worker_outlives_an_interrupted_run(start: Start) -> None:
    process = start("stubborn", ".", stdout=PIPE, stderr=DEVNULL, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    workers = [int(word) for word in process.stdout.readline().split()]
    assert len(workers) == 2
    assert all(map(_runs, workers))
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)  # to it alone
    process.wait(timeout=30)
    deadline = time.monotonic() + 10
    while any(map(_runs, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_runs, workers))


def _runs(process: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state.strip()) and not state.startswith("Z")


@unix
def test_a_run_that_ignores_ctrl_c_goes_on_ignoring_it(start: Start) -> None:
    """As under nohup."""
    process = start(
        "slow", ".", stdout=PIPE, stderr=PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "No findings in 60 files." in out


# ---- pipes and files


@unix
@pytest.mark.parametrize("format", ["full", "concise", "json"])
def test_a_reader_that_leaves_early_is_no_error(start: Start, format: str) -> None:
    process = start("many", "--output-format", format, ".", stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 1


@unix
@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["rules"], ["rule", "MLS401"]])
def test_a_closed_pipe_is_no_error_for_short_answers_either(start: Start, argv: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    process = start("one", *argv, stdout=write, stderr=PIPE)
    os.close(write)
    _, errors = process.communicate(timeout=60)
    assert (errors, process.returncode) == ("", 0)


@unix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_to_be_full(start: Start) -> None:
    with open("/dev/full", "w") as full:
        process = start("many", ".", stdout=full, stderr=PIPE)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors == "mlsys-advise: cannot write the output: No space left on device\n"


@unix
def test_closed_standard_streams_are_no_error(project: Path) -> None:
    program = Path(__file__).with_name("program.py")
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" "{program}" one train.py >&- 2>&- <&-'], cwd=project, timeout=60, check=False
    )
    assert done.returncode == 1


@unix
def test_a_deleted_current_directory_is_said_to_be_deleted(start: Start, project: Path) -> None:
    process = start("one", "check", stderr=PIPE, preexec_fn=lambda: (project / "train.py").unlink() or project.rmdir())
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (2, "mlsys-advise: the current directory has been deleted\n")


# ---- encodings


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_no_terminal_is_too_narrow_for_a_message(start: Start, encoding: str) -> None:
    process = start(
        "one", "train.py", stdout=PIPE, stderr=PIPE, environment={"PYTHONIOENCODING": encoding}, encoding=encoding
    )
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == ""
    expected = {
        "ascii": r"4\xd7 slower \u6f22",
        "latin-1": "4\u00d7 slower \\u6f22",
        "utf-8": "4\u00d7 slower \u6f22",
    }
    assert expected[encoding] in out


@unix
def test_a_file_name_that_is_no_text_is_printed(project: Path, start: Start) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    (project / name).write_text("x = 1\n")
    for format in ("full", "concise", "json"):
        process = start("one", "--output-format", format, name, stdout=PIPE, stderr=PIPE)
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (1, "")
        assert "caf\\udce9.py" in out


# ---- a real terminal


@contextmanager
def terminal(columns: int = 80) -> Iterator[tuple[int, int]]:
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        yield master, slave
    finally:
        os.close(master)


def read_all(master: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(master, 65_536)
        except OSError:  # Linux: every writer has closed it
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode()


def screen(raw: str) -> list[str]:
    """What remains visible of lines that were rewritten after a carriage return."""
    lines = []
    for raw_line in raw.replace("\r\n", "\n").split("\n"):
        cells: list[str] = []
        for part in raw_line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


PLAIN = {"NO_COLOR": "", "FORCE_COLOR": "", "TERM": "xterm", "COLUMNS": "", "LINES": ""}


@unix
def test_progress_is_shown_on_a_terminal_and_leaves_no_trace(start: Start) -> None:
    with terminal(columns=60) as (master, slave):
        process = start("slow", ".", stdout=PIPE, stderr=slave, environment=PLAIN)
        os.close(slave)
        shown = read_all(master)
        out, _ = process.communicate(timeout=60)
    assert "reading " in shown
    assert " of 60 files (" in shown
    assert 4 < shown.count("\r") < 20, "rewritten a few times a second"
    assert screen(shown) == [""]
    assert "No findings in 60 files." in out


@unix
@pytest.mark.parametrize(("argv", "environment"), [(["-q"], {}), ([], {"TERM": "dumb"})])
def test_progress_can_be_without(start: Start, argv: list[str], environment: dict[str, str]) -> None:
    with terminal() as (master, slave):
        process = start("slow", *argv, ".", stdout=DEVNULL, stderr=slave, environment=PLAIN | environment)
        os.close(slave)
        assert read_all(master) == ""
        assert process.wait(timeout=60) == 0


@unix
def test_a_short_run_shows_no_progress(start: Start) -> None:
    with terminal() as (master, slave):
        start("one", "train.py", stdout=DEVNULL, stderr=slave, environment=PLAIN)
        os.close(slave)
        assert read_all(master) == ""


@unix
def test_ctrl_c_at_a_terminal_erases_the_progress_line(start: Start) -> None:
    with terminal() as (master, slave):
        process = start("slow", ".", stdout=DEVNULL, stderr=slave, environment=PLAIN)
        os.close(slave)
        shown = ""
        while "reading" not in shown:
            shown += os.read(master, 1_000).decode()
        process.send_signal(signal.SIGINT)
        shown += read_all(master)
        assert process.wait(timeout=30) == 130
    assert screen(shown) == ["mlsys-advise: interrupted", ""]


@unix
@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_at_a_terminal(start: Start, environment: dict[str, str], coloured: bool) -> None:
    with terminal() as (master, slave):
        process = start("one", "train.py", stdout=slave, stderr=slave, environment=PLAIN | environment)
        os.close(slave)
        shown = read_all(master)
        process.wait(timeout=60)
    assert ("\x1b[1;33mwarning[MLS401]\x1b[0m" in shown) == coloured
    assert ("\x1b" in shown) == coloured


@unix
def test_a_page_is_set_for_reading_at_a_terminal(start: Start) -> None:
    with terminal(columns=50) as (master, slave):
        start("one", "rule", "MLS401", stdout=slave, environment=PLAIN)
        os.close(slave)
        shown = read_all(master)
    assert "## What it flags" not in shown
    assert "What it flags" in shown
    assert "*thing*" not in shown


# ---- starting


def _cpu(command: list[str]) -> float:
    """The least CPU seconds of some runs: what else goes on in the machine only adds to them."""
    import resource

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    times = []
    for _ in range(5):
        before = spent()
        subprocess.run(command, stdout=DEVNULL, check=True, timeout=60)
        times.append(spent() - before)
    return min(times)


@unix
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_costs_little_more_than_starting_python(option: str) -> None:
    nothing = _cpu([sys.executable, "-c", "pass"])
    assert _cpu([sys.executable, "-P", "-m", "mlsys_advise", option]) - nothing < 0.15


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_nothing_of_the_engine(option: str) -> None:
    code = (
        "import sys; sys.argv = ['mlsys-advise', sys.argv[1]]\n"
        "from mlsys_advise.__main__ import main\n"
        "main()\n"
        "heavy = {'ast', 'rich', 'yaml', 'tree_sitter', 'pydantic', 'msgspec', 'packaging', 'multiprocessing',"
        " 'sqlite3', 'asyncio', 'mlsys_advise.engine', 'mlsys_rules', 'numpy', 'torch', 'libcst'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_module_and_the_script_are_the_same_program() -> None:
    outputs: list[Any] = []
    script = Path(sys.executable).with_name("mlsys-advise")
    for command in ([sys.executable, "-P", "-m", "mlsys_advise"], [str(script)]):
        outputs.append(
            subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
        )
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("usage: mlsys-advise")
