"""Versions of numpy, its BLAS and torch, and the devices that torch sees; asked in a process of its own."""

from __future__ import annotations

import json
from typing import Any


def environment() -> dict[str, str]:
    """Facts by name; what is not installed is left out."""
    return _numpy() | _torch()


def _numpy() -> dict[str, str]:
    try:
        import numpy
    except ImportError:
        return {}
    found = {"numpy": numpy.__version__}
    try:
        blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
        found["blas"] = f"{blas['name']} {blas.get('version', '')}".strip()
    except (TypeError, KeyError):  # numpy before 1.26 prints instead
        pass
    return found


def _torch() -> dict[str, str]:
    try:
        import torch
    except ImportError:
        return {}
    found = {"torch": str(torch.__version__)}
    gpus = [_gpu(torch.cuda.get_device_properties(number)) for number in range(torch.cuda.device_count())]
    mps = getattr(torch.backends, "mps", None)
    found["devices"] = json.dumps({"cuda": len(gpus), "mps": int(bool(mps and mps.is_available()))})
    found["gpus"] = json.dumps(gpus)
    if gpus:
        found["cuda"] = str(torch.version.cuda or torch.version.hip)
        found["link"] = str(_link(torch))
    return found


def _gpu(properties: Any) -> dict[str, object]:
    return {
        "model": properties.name,
        "memory_bytes": properties.total_memory,
        "capability": f"{properties.major}.{properties.minor}",
        "unified_memory": bool(getattr(properties, "is_integrated", False)),
    }


def _link(torch: Any) -> float:
    """Bytes per second from pinned memory to the first device: the link as measured, not as named."""
    source = torch.empty(1 << 28, dtype=torch.uint8, pin_memory=True)
    target = torch.empty_like(source, device="cuda")
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    best = float("inf")
    for _ in range(5):
        begin.record()
        target.copy_(source, non_blocking=True)
        end.record()
        end.synchronize()
        best = min(best, begin.elapsed_time(end) / 1e3)
    return float(source.numel() / best)
