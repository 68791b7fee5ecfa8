"""A process of its own for each visit: limits on time and memory, a folder to write in, no network but loopback.

Children come out of a warm parent that has imported numpy and torch and started no thread; where forking is unsafe,
and for devices, whose drivers do not survive a fork, they start afresh.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path

import msgspec

from mlsys_calibration.benchmark import Benchmark
from mlsys_calibration.visit import Outcome, TwinsDiffer, Visit, carry_out

#: What the warm parent imports. A name, because only benchmarks may import these libraries.
WARM = "mlsys_calibration.benchmarks.warm"
#: Libraries size their pools when they are loaded: to one thread, which is none beside the main one.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
#: Seconds that starting afresh and importing may take beside a visit's own limit.
_START = 40.0
_LAST_WORDS = 400

_encode = msgspec.json.encode


class Limits(msgspec.Struct, frozen=True):
    """What a visit may use: wall seconds, bytes of memory beside what was there before, threads."""

    seconds: float
    memory: int
    threads: int


class _Request(msgspec.Struct, frozen=True):
    visit: Visit
    limits: Limits
    folder: str


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """An environment in which libraries start no threads of their own, for the processes started within."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def forks() -> bool:
    """Whether children may be forked from a warm parent: not where frameworks of the system forbid it."""
    return sys.platform == "linux"


def run(benchmark: Benchmark, visit: Visit) -> Outcome:
    """The outcome of a visit, whatever becomes of its process."""
    limits = Limits(benchmark.limit, 0 if benchmark.device != "cpu" else benchmark.memory, benchmark.threads)
    warm = forks() and benchmark.device == "cpu"
    context: ForkServerContext | SpawnContext = _warm_context() if warm else multiprocessing.get_context("spawn")
    folder = tempfile.mkdtemp(prefix="mlsys-calibrate-")
    receiver, sender = context.Pipe(duplex=False)
    request = _encode(_Request(visit, limits, folder))
    process = context.Process(target=_serve, args=(request, sender), daemon=False)
    with single_threaded():
        process.start()
    sender.close()
    try:
        if not receiver.poll(limits.seconds + (0.0 if warm else _START)):
            return Outcome("failed", reason=f"did not finish within {limits.seconds:g} s")
        return msgspec.json.decode(receiver.recv_bytes(), type=Outcome)
    except EOFError:
        process.join(1.0)
        return Outcome("failed", reason=_death(process.exitcode, Path(folder)))
    finally:
        _end(process)
        receiver.close()
        shutil.rmtree(folder, ignore_errors=True)


def _warm_context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([WARM])
    return context


def _end(process: multiprocessing.process.BaseProcess) -> None:
    """End the process and those it started, which are in its group."""
    if process.pid is not None and hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _death(code: int | None, folder: Path) -> str:
    """Why a process ended without an answer."""
    words = ""
    with contextlib.suppress(OSError):
        words = (folder / "stderr").read_text(errors="replace").strip()[-_LAST_WORDS:]
    last = words.splitlines()[-1:] or [""]
    how = f"status {code}"
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            how = signal.Signals(-code).name
    return f"the process ended with {how}" + (f": {_without_paths(last[0])}" if last[0] else "")


def _serve(request: bytes, connection: Connection) -> None:
    """In the child: prepare the process, carry out the visit, send the outcome."""
    asked = msgspec.json.decode(request, type=_Request)
    if hasattr(os, "setsid"):
        os.setsid()
    _settle_in(Path(asked.folder))
    outcome = _attempt(asked)
    with contextlib.suppress(BrokenPipeError):
        connection.send_bytes(_encode(outcome))
    connection.close()
    sys.stderr.flush()
    os._exit(0)  # destructors of libraries are of no interest, and slow


def _settle_in(folder: Path) -> None:
    os.chdir(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    output = os.open(folder / "stderr", os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.addaudithook(_only_loopback)


def _attempt(asked: _Request) -> Outcome:
    from mlsys_calibration.collection import benchmarks_of

    try:
        benchmark = next(one for one in benchmarks_of(asked.visit.module) if one.id == asked.visit.benchmark)
        _limit(asked.limits)
        gc.disable()
        return carry_out(benchmark, asked.visit)
    except TwinsDiffer as error:
        return Outcome("failed", reason=str(error))
    except MemoryError:
        return Outcome("failed", reason=f"needs more than {asked.limits.memory / 1e9:.1f} GB of memory")
    except Exception as error:
        return Outcome("failed", reason=_without_paths(f"{type(error).__name__}: {error}".splitlines()[0]))


def _without_paths(text: str) -> str:
    """``text`` with paths cut to their last part: a profile holds nothing that tells whose machine it is."""
    return " ".join(word.rpartition("/")[2] if word.count("/") > 1 else word for word in text.split())[:_LAST_WORDS]


def _limit(limits: Limits) -> None:
    os.environ.update(dict.fromkeys(_THREADS, str(limits.threads)))  # for libraries that are still to be loaded
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(limits.threads)
    if limits.memory and sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: Python code of a benchmark reaches this machine only."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""
        if host and str(host) not in ("127.0.0.1", "::1", "localhost"):
            raise PermissionError("a benchmark may connect to this machine only")


def environment() -> Mapping[str, str]:
    """What libraries and devices a benchmark would find, asked of a process that imports them.

    Keys: ``numpy``, ``blas``, ``torch``; and ``gpus``, ``cuda``, ``mps`` as JSON. Empty where the probe fails.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_probe, args=(sender,))
    with single_threaded():
        process.start()
    sender.close()
    try:
        if not receiver.poll(2 * _START):
            return {}
        return msgspec.json.decode(receiver.recv_bytes(), type=dict[str, str])
    except EOFError:
        return {}
    finally:
        _end(process)
        receiver.close()


def _probe(connection: Connection) -> None:
    if hasattr(os, "setsid"):
        os.setsid()
    found = importlib.import_module("mlsys_calibration.benchmarks.probe").environment()
    connection.send_bytes(_encode(found))
    connection.close()
