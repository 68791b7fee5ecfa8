"""One pass over the training data, and one over the validation data."""

from collections import Counter

import torch

from .housekeeping import free_memory
from .metrics import AverageMeter, confusion_matrix, note_confusions


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
    confused = Counter()
    for images, labels in loader:
        predicted = model(images.to(device, non_blocking=True)).argmax(1)
        note_confusions(predicted, labels.tolist(), confused)
        matrix += confusion_matrix(predicted.cpu(), labels, num_classes)
    print("most confused", confused.most_common(3))
    free_memory()
    return matrix
