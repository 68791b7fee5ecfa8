"""Every benchmark is declared soundly, and every one that can run here does, with twins that agree."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

import pytest

from mlsys_advise.registry import load_rules
from mlsys_calibration import benchmarks, isolation
from mlsys_calibration.benchmark import Benchmark, Twin
from mlsys_calibration.collection import load_benchmarks
from mlsys_calibration.needs import CONDITIONS, DEVICES, missing
from mlsys_calibration.visit import Visit

ALL = load_benchmarks()
#: Compiling a model takes a minute.
RUN = [one for one in ALL if not missing(one.needs, {}) and one.limit < 200]


def ids(benchmark: Benchmark) -> str:
    return benchmark.id


@pytest.mark.parametrize("benchmark", ALL, ids=ids)
def test_a_benchmark_is_declared_soundly(benchmark: Benchmark) -> None:
    assert list(benchmark.sizes) == sorted(set(benchmark.sizes))
    assert set(benchmark.quick) <= set(benchmark.sizes), "figures of a quick and a thorough run must be comparable"
    assert benchmark.typical in benchmark.sizes
    assert benchmark.device == "cpu" or {"cuda", "mps", "two-gpus"} & set(benchmark.needs)
    known = {*CONDITIONS, *DEVICES, "numpy", "torch", "h5py", "pandas", "numba", "httpx", "requests"}
    assert set(benchmark.needs) <= known
    assert benchmark.module in {"architecture", "os", "compilers", "memory", "networking", "algorithms", "systems"}


def test_a_variant_for_a_device_belongs_to_a_benchmark() -> None:
    known = {one.id: one for one in ALL}
    for name, one in known.items():
        base, _, device = name.partition(".")
        if device:
            assert (
                known[base].quantity.replace("held-host", "peak-device").replace("peak-host", "peak-device")
                == (one.quantity)
                or known[base].quantity == one.quantity
            )
            assert one.device == device


def test_the_evidence_of_every_rule_exists() -> None:
    named = {rule.evidence for rule in load_rules().rules if rule.evidence}
    assert named <= {one.id for one in ALL}
    assert len(named) >= 11


@pytest.mark.parametrize(
    "path", sorted(Path(str(benchmarks.__file__)).parent.rglob("*.py")), ids=lambda path: path.stem
)
def test_a_benchmark_file_is_small_and_imports_libraries_late(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = [
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    heavy = {"numpy", "torch", "h5py", "pandas", "numba", "httpx", "requests"}
    assert not heavy & {name.partition(".")[0] for name in names}
    assert len(path.read_text().splitlines()) <= 160


def test_every_benchmark_says_what_it_shows() -> None:
    for one in ALL:
        module = sys.modules[one.prepare.__module__]
        assert len((inspect.getdoc(module) or "").split()) >= 8, one.id
        assert one.summary[0].islower() or one.summary[0].isdigit() or "(" in one.summary or "@" in one.summary
        assert not one.summary.endswith(".")


@pytest.mark.parametrize("benchmark", RUN, ids=ids)
def test_a_benchmark_runs_and_its_twins_agree(benchmark: Benchmark) -> None:
    twins: tuple[Twin | None, ...] = ("slow", "fast") if benchmark.twin_by_twin else (None,)
    for twin in twins:
        visit = Visit(benchmark.prepare.__module__, benchmark.id, benchmark.quick[0], 0.0, twin)
        outcome = isolation.run(benchmark, visit)
        assert outcome.status == "measured", outcome.reason
