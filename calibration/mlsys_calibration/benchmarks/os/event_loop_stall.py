"""A coroutine that computes holds the event loop: whoever else is served by it waits, health checks too."""

from __future__ import annotations

import asyncio
import time

from mlsys_calibration.benchmark import Benchmark, Reading, Twins

_REQUESTS = 4
_POLL = 0.002


def prepare(size: int) -> Twins:
    import torch

    seconds = size / 1000
    matrix = torch.rand(128, 128)

    def infer() -> int:
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            torch.mm(matrix, matrix)  # releases the interpreter lock, as inference does
        return 1

    async def blocking() -> int:
        return infer()

    async def in_a_thread() -> int:
        return await asyncio.to_thread(infer)

    async def worst_wait(handler: object) -> Reading:
        worst, answered = 0.0, 0

        async def health_check() -> None:
            nonlocal worst
            while True:
                asked = time.perf_counter()
                await asyncio.sleep(_POLL)
                worst = max(worst, time.perf_counter() - asked - _POLL)

        checking = asyncio.create_task(health_check())
        await asyncio.sleep(2 * _POLL)
        answered = sum(await asyncio.gather(*(handler() for _ in range(_REQUESTS))))  # type: ignore[operator]
        await asyncio.sleep(2 * _POLL)
        checking.cancel()
        return Reading(worst, answered)

    return Twins(
        slow=lambda: asyncio.run(worst_wait(blocking)),
        fast=lambda: asyncio.run(worst_wait(in_a_thread)),
        occurrences=_REQUESTS,
    )


BENCHMARK = Benchmark(
    id="event-loop-stall",
    summary="the longest wait of a health check beside four requests that compute in the loop, and in threads",
    prepare=prepare,
    axis="ms of each request",
    sizes=(5, 20, 50, 200),
    quick=(5, 20),
    typical=50,
    per="request",
    needs=("torch",),
)
