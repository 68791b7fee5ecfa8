"""The benchmarks there are: each module below the packages that distributions name, so that packs can bring theirs."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterator

from mlsys_calibration.benchmark import Benchmark

#: Entry points of this group name packages; each module below them may hold one ``BENCHMARK`` or several.
GROUP = "mlsys_advise.benchmarks"


class CollectionError(Exception):
    """Two benchmarks have one name."""


@functools.lru_cache(maxsize=1)
def load_benchmarks() -> tuple[Benchmark, ...]:
    """All benchmarks in order of module and id. Raises CollectionError if two share an id."""
    packages = sorted({point.value for point in importlib.metadata.entry_points(group=GROUP)})
    found: dict[str, Benchmark] = {}
    for package in packages:
        for name in _modules(package):
            for benchmark in benchmarks_of(name):
                if benchmark.id in found:
                    raise CollectionError(f"two benchmarks are called {benchmark.id}")
                found[benchmark.id] = benchmark
    return tuple(sorted(found.values(), key=lambda benchmark: (benchmark.module, benchmark.id)))


def benchmarks_of(module: str) -> tuple[Benchmark, ...]:
    """The benchmarks that a module declares."""
    names = vars(importlib.import_module(module))
    return tuple(names[name] for name in sorted(names) if isinstance(names[name], Benchmark))


def _modules(package: str) -> Iterator[str]:
    pending = [package]
    while pending:
        name = pending.pop()
        module = importlib.import_module(name)
        for entry in pkgutil.iter_modules(getattr(module, "__path__", ()), name + "."):
            if entry.ispkg:
                pending.append(entry.name)
            else:
                yield entry.name
