"""One pass over the training data, and one over the validation data."""

import torch

from .housekeeping import free_memory
from .metrics import AverageMeter, confusion_matrix


def train_one_epoch(model, loader, criterion, optimizer, scaler, device):
    model.train()
    losses = AverageMeter()
    for images, labels in loader:
        images = images.to(device, non_blocking=True)
        labels = labels.to(device, non_blocking=True)

        with torch.autocast(device.type, enabled=scaler.is_enabled()):
            loss = criterion(model(images), labels)

        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

        losses.update(loss.detach(), images.size(0))
        free_memory()
    return losses.average()


@torch.no_grad()
def evaluate(model, loader, num_classes, device):
    model.eval()
    matrix = torch.zeros(num_classes, num_classes, dtype=torch.long)
    for images, labels in loader:
        logits = model(images.to(device, non_blocking=True))
        matrix += confusion_matrix(logits.argmax(1).cpu(), labels, num_classes)
    free_memory()
    return matrix
