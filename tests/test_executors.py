"""Work on single files goes wherever an executor takes it, and comes back the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlsys_advise.engine import Options, check
from mlsys_advise.executors import ExecutorError, executor_for

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler of dask with two workers of its own, on loopback."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(tmp_path),
        silence_logs=50,
    ) as local:
        yield local.scheduler_address.removeprefix("tcp://")


@pytest.mark.filterwarnings("ignore")  # of dask's own shutdown
def test_a_cluster_finds_what_one_process_finds(cluster: str) -> None:
    alone = check([EXAMPLES], Options(use_cache=False, jobs=1))
    spread = check([EXAMPLES], Options(use_cache=False, executor=f"dask://{cluster}"))
    assert alone.findings
    assert spread == alone


@pytest.mark.parametrize("name", ["dask://", "spark://127.0.0.1:1", "threads"])
def test_an_unknown_executor_is_refused(name: str) -> None:
    with pytest.raises(ExecutorError, match="unknown executor"), executor_for(name, 1):
        pass
