"""How work on a CUDA device is timed and disturbed: events, cold caches, a busy stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

#: Bytes that no second-level cache of a device holds.
_BEYOND_CACHE = 512 << 20


def events(call: Callable[[], object], repetitions: int) -> float:
    """Seconds on the device between two events around ``repetitions`` calls, clocks warm."""
    import torch

    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    begin.record()
    for _ in range(repetitions):
        call()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1e3


def drained(call: Callable[[], object], repetitions: int) -> float:
    """Wall-clock seconds of ``repetitions`` calls, from an idle device to an idle device."""
    import torch

    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(repetitions):
        call()
    torch.cuda.synchronize()
    return time.perf_counter() - begin


def rotated(make: Callable[[], Any]) -> list[Any]:
    """As many tensors as no cache of a device holds together, to be used in turn so that each comes from its memory."""
    first = make()
    return [first, *(make() for _ in range(_BEYOND_CACHE // (first.numel() * first.element_size())))]


def load(seconds: float) -> Callable[[], None]:
    """A function that puts about so many seconds of matrix products into the stream and returns at once."""
    import torch

    matrix = torch.randn(2048, 2048, device="cuda", dtype=torch.float16)

    def chain(count: int) -> None:
        for _ in range(count):
            torch.mm(matrix, matrix)

    for _ in range(3):
        chain(20)
    each = min(events(lambda: chain(20), 1) for _ in range(5)) / 20
    count = max(1, round(seconds / each))
    return lambda: chain(count)
