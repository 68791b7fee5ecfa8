"""Metrics of the classifier."""

import torch


class AverageMeter:
    """A running mean that stays on the device until it is asked for."""

    def __init__(self):
        self.total = 0.0
        self.count = 0

    def update(self, value, n):
        self.total = self.total + value * n
        self.count += n

    def average(self):
        return float(self.total) / max(self.count, 1)


def confusion_matrix(predicted, labels, num_classes):
    return torch.bincount(labels * num_classes + predicted, minlength=num_classes**2).view(num_classes, num_classes)


def accuracy_per_scan(hits: torch.Tensor, offsets: torch.Tensor):
    """Share of correct tiles of each scan; the tiles of scan k are ``offsets[k]`` to ``offsets[k + 1]``."""
    scores = []
    for k in range(offsets.numel() - 1):
        start = offsets[k].item()
        stop = offsets[k + 1].item()
        scores.append(hits[start:stop].float().mean())
    return torch.stack(scores)


def note_confusions(predicted: torch.Tensor, labels: list[int], pairs):
    """Count which class was taken for which other, tile by tile."""
    predicted = predicted.reshape(-1)
    for k, label in enumerate(labels):
        guess = predicted[k].item()
        if guess != label:
            pairs[label, guess] += 1


def per_class_recall(matrix, classes):
    support = matrix.sum(1).clamp(min=1)
    recall = (matrix.diagonal() / support).tolist()
    return {name: recall[i] for i, name in enumerate(classes)}
