"""While requests overlap, the collector's oldest generation fills, and each full pass stops every one of them.

The value is the longest pause of a full collection. With a small window no survivor gets old, so none happens.
"""

from __future__ import annotations

import gc
import time
from collections import deque

from mlsys_calibration.benchmark import Benchmark, Reading, Twins

_REQUESTS = 4000
_ITEMS = 60


def _body(number: int) -> dict[str, object]:
    body: dict[str, object] = {"items": [{"id": [number, item]} for item in range(_ITEMS)]}
    if number % 3 == 0:
        body["self"] = body
    return body


def prepare(size: int) -> Twins:
    def longest_pause(frozen: bool) -> Reading:
        longest, begin = 0.0, 0.0

        def watch(phase: str, info: dict[str, int]) -> None:
            nonlocal longest, begin
            if info["generation"] == 2:
                if phase == "start":
                    begin = time.perf_counter()
                else:
                    longest = max(longest, time.perf_counter() - begin)

        gc.unfreeze()
        gc.collect()
        if frozen:
            gc.freeze()
        gc.callbacks.append(watch)
        gc.enable()
        alive: deque[object] = deque(maxlen=size)
        for number in range(_REQUESTS):
            alive.append(_body(number))
        gc.disable()
        gc.callbacks.remove(watch)
        return Reading(longest, len(alive))

    return Twins(slow=lambda: longest_pause(frozen=False), fast=lambda: longest_pause(frozen=True))


BENCHMARK = Benchmark(
    id="gc-serving-pause",
    summary="the longest full collection over 4,000 requests, the heap of the libraries visible and frozen",
    prepare=prepare,
    axis="requests alive",
    sizes=(8, 256, 2048),
    quick=(8, 256),
    typical=256,
    per="full collection",
    needs=("torch",),
)
