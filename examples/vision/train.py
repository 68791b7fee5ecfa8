"""Trains the leaf classifier: ``python train.py --data /data/leaves``."""

import argparse
import os

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from leaves import checkpoint
from leaves.engine import evaluate, train_one_epoch
from leaves.loaders import build_loaders
from leaves.metrics import per_class_recall
from leaves.model import build_model


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="/data/leaves")
    parser.add_argument("--out", default="runs/leaves")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--crop", type=int, default=224)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--balanced", action="store_true", help="draw each class equally often")
    parser.add_argument("--no-amp", action="store_true")
    return parser.parse_args()


def setup(args):
    torch.manual_seed(args.seed)
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("nccl")
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return torch.device("cuda")


def main():
    args = parse_args()
    device = setup(args)
    os.makedirs(args.out, exist_ok=True)

    train_loader, val_loader, classes = build_loaders(args)
    model = build_model(len(classes)).to(device)
    if dist.is_initialized():
        model = DistributedDataParallel(model)
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    scaler = torch.cuda.amp.GradScaler(enabled=not args.no_amp)

    resume_file = os.path.join(args.out, "last.pt")
    start = checkpoint.resume(resume_file, model, optimizer)
    for epoch in range(start, args.epochs):
        loss = train_one_epoch(model, train_loader, criterion, optimizer, scaler, device)
        schedule.step()
        matrix = evaluate(model, val_loader, len(classes), device)
        accuracy = matrix.diagonal().sum().item() / matrix.sum().item()
        print(f"epoch {epoch}: loss {loss:.4f} accuracy {accuracy:.4f}")
        print(per_class_recall(matrix, classes))
        checkpoint.save(resume_file, model, optimizer, epoch)


if __name__ == "__main__":
    main()
