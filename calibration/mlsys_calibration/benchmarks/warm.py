"""What the parent of forked benchmarks imports before it forks. It must start no thread: a fork would lose it."""

import contextlib
import gc

with contextlib.suppress(ImportError):
    import numpy  # noqa: F401
with contextlib.suppress(ImportError):
    import torch  # noqa: F401

import mlsys_calibration.visit  # noqa: F401

gc.collect()
gc.freeze()  # a collection in a child neither visits this heap nor copies its pages
