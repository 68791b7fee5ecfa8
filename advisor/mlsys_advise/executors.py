"""Executors for the work on single files: a pool of processes here, or a cluster behind the same interface."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")


class ExecutorError(Exception):
    """The executor that was asked for cannot be used; the message says what to do."""


@contextmanager
def executor_for(name: str, jobs: int) -> Iterator[concurrent.futures.Executor]:
    """The executor of a name: "" for a process pool, ``dask://HOST:PORT`` for a cluster of dask.distributed.

    Raises ExecutorError if the name is not one of these, or dask is not installed or not to be reached.
    """
    if not name:
        pool = concurrent.futures.ProcessPoolExecutor(jobs, mp_context=_context())
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
        return
    scheme, _, address = name.partition("://")
    if scheme != "dask" or not address:
        raise ExecutorError(f"unknown executor {name!r}: use dask://HOST:PORT")
    with _dask(address) as executor:
        yield executor


def gathered(
    executor: concurrent.futures.Executor, work: Callable[[Batch], Result], batches: Iterable[Batch], window: int
) -> Iterator[Result]:
    """The results of work on batches as they are done, a bounded number in flight; an interrupt leaves at once."""
    waiting: set[concurrent.futures.Future[Result]] = set()
    try:
        for batch in batches:
            waiting.add(executor.submit(work, batch))
            if len(waiting) >= window:
                done, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        for future in concurrent.futures.as_completed(waiting):
            yield future.result()
    except BaseException:
        for future in waiting:
            future.cancel()
        raise


def _context() -> multiprocessing.context.BaseContext:
    """Fork where it is safe and cheap: the workers then share the loaded rules with this process."""
    methods = multiprocessing.get_all_start_methods()
    default = multiprocessing.get_start_method()
    return multiprocessing.get_context("fork" if "fork" in methods and default != "spawn" else default)


@contextmanager
def _dask(address: str) -> Iterator[concurrent.futures.Executor]:
    try:
        from distributed import Client
    except ImportError:
        raise ExecutorError("dask.distributed is not installed: pip install 'mlsys-advise[cluster]'") from None
    try:
        client = Client(f"tcp://{address}", timeout=10, set_as_default=False)
    except OSError as error:
        raise ExecutorError(f"no scheduler answers at {address}: {error}") from None
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()
