"""Memory housekeeping around long runs."""

import gc

import torch


def release_memory():
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
