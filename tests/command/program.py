"""The program with an engine that follows a script: ``python program.py SCENARIO ARGUMENT ...``."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import scripted


def many(paths: Any, options: Any, **rest: Any) -> Any:
    return scripted.report([scripted.finding(f"train_{n}.py", 1) for n in range(20_000)], files=20_000)


def one(paths: Any, options: Any, **rest: Any) -> Any:
    return scripted.report([scripted.finding(paths[0] if paths else "stdin.py", 1, message="4\u00d7 slower \u6f22")])


def slow(paths: Any, options: Any, *, overlay: Any = None, progress: Any = None) -> Any:
    print("started", flush=True)
    for done in range(60):
        time.sleep(0.02)
        if progress:
            progress("reading", done, 60)
    return scripted.report(files=60)


def stubborn(paths: Any, options: Any, **rest: Any) -> Any:
    """Waits for its workers whatever happens."""
    with ProcessPoolExecutor(2) as pool:
        for _ in range(4):
            pool.submit(time.sleep, 60)
        print("started", flush=True)
        print(*pool._processes, flush=True)
        time.sleep(60)
    return scripted.report()


def broken(paths: Any, options: Any, **rest: Any) -> Any:
    raise KeyError("a mistake of ours")


if __name__ == "__main__":
    scripted.install(globals()[sys.argv.pop(1)])
    from mlsys_advise.__main__ import main

    sys.exit(main())
