"""Accuracy by scan and latency of a trained classifier: ``python evaluate.py --weights runs/leaves/last.pt``."""

import argparse
import time

import torch
from torch.utils.data import DataLoader

from leaves.data import LeafDataset, list_samples
from leaves.metrics import accuracy_per_scan
from leaves.model import build_model


@torch.inference_mode()
def measure_latency(model, images, repeats=100):
    """Seconds of each forward pass."""
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        model(images)
        seconds.append(time.perf_counter() - begin)
    return seconds


@torch.inference_mode()
def collect_hits(model, loader, device):
    hits = []
    for images, labels in loader:
        predicted = model(images.to(device, non_blocking=True)).argmax(1)
        hits.append(predicted == labels.to(device, non_blocking=True))
    return torch.cat(hits)


def scan_offsets(samples):
    """Tiles of one scan share the part of the name before the last underscore."""
    offsets, previous = [], None
    for i, (path, _) in enumerate(samples):
        scan = path.stem.rsplit("_", 1)[0]
        if scan != previous:
            offsets.append(i)
            previous = scan
    return torch.tensor([*offsets, len(samples)])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="/data/leaves")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--workers", type=int, default=4)
    args = parser.parse_args()

    device = torch.device("cuda")
    samples, classes = list_samples(f"{args.data}/test")
    dataset = LeafDataset(samples, train=False)
    loader = DataLoader(dataset, batch_size=args.batch_size, num_workers=args.workers, pin_memory=True)
    model = build_model(len(classes), args.weights).to(device).eval()

    hits = collect_hits(model, loader, device)
    print("accuracy", hits.float().mean().item())
    print("worst scan", accuracy_per_scan(hits.cpu(), scan_offsets(samples)).min().item())

    images = torch.randn(1, 3, 224, 224, device=device)
    seconds = sorted(measure_latency(model, images))
    print(f"latency p50 {seconds[50] * 1e3:.2f} ms, p99 {seconds[98] * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
