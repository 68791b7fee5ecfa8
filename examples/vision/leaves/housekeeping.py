"""Memory housekeeping around long runs."""

import gc

import torch


def free_memory():
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
