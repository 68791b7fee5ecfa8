"""Loaders over the leaf dataset, on one process or on several."""

import torch.distributed as dist
from torch.utils.data import DataLoader, DistributedSampler, WeightedRandomSampler

from .data import LeafDataset, list_samples, sample_weights


def build_loaders(args):
    train_samples, classes = list_samples(f"{args.data}/train")
    val_samples, _ = list_samples(f"{args.data}/val")

    train_set = LeafDataset(train_samples, crop=args.crop, seed=args.seed)
    val_set = LeafDataset(val_samples, crop=args.crop, train=False)

    sampler = None
    if dist.is_initialized():
        sampler = DistributedSampler(train_set)
    elif args.balanced:
        sampler = WeightedRandomSampler(sample_weights(train_samples), len(train_samples))

    train_loader = DataLoader(
        train_set,
        batch_size=args.batch_size,
        sampler=sampler,
        shuffle=sampler is None,
        num_workers=args.workers,
        drop_last=True,
    )
    val_loader = DataLoader(val_set, batch_size=args.batch_size * 2, num_workers=args.workers, pin_memory=True)
    return train_loader, val_loader, classes
