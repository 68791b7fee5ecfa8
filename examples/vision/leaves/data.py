"""The leaf photographs on disk and how one of them becomes a training sample."""

from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def list_samples(root):
    """(path, class index) of each photograph; a folder is a class."""
    root = Path(root)
    classes = sorted(p.name for p in root.iterdir() if p.is_dir())
    index = {name: i for i, name in enumerate(classes)}
    samples = [(path, index[path.parent.name]) for path in sorted(root.glob("*/*.jpg"))]
    return samples, classes


def to_tensor(image):
    array = np.asarray(image.convert("RGB"), dtype=np.float32) / 255.0
    return (torch.from_numpy(array).permute(2, 0, 1) - MEAN) / STD


class LeafDataset(Dataset):
    """Random crops for training, centre crops for evaluation."""

    def __init__(self, samples, crop=224, train=True, seed=0):
        self.samples = samples
        self.crop = crop
        self.train = train
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        path, label = self.samples[index]
        image = Image.open(path)
        if self.train:
            left, top = self._offset(image)
            if self.rng.random() < 0.5:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        else:
            left = (image.width - self.crop) // 2
            top = (image.height - self.crop) // 2
        return to_tensor(image.crop((left, top, left + self.crop, top + self.crop))), label

    def _offset(self, image):
        left = int(self.rng.integers(0, image.width - self.crop + 1))
        top = int(self.rng.integers(0, image.height - self.crop + 1))
        return left, top


def sample_weights(samples):
    """Weights for a sampler that draws each class equally often."""
    counts = Counter(label for _, label in samples)
    weights = torch.empty(len(samples))
    for i, (_, label) in enumerate(samples):
        weights[i] = 1.0 / counts[label]
    return weights
