"""A small convolutional network with an embedding that the similarity search uses."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width_in, width_out, stride=2):
        super().__init__()
        self.conv = nn.Conv2d(width_in, width_out, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width_out)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class LeafNet(nn.Module):
    def __init__(self, num_classes, width=32):
        super().__init__()
        self.features = nn.Sequential(
            Block(3, width),
            Block(width, width * 2),
            Block(width * 2, width * 4),
            Block(width * 4, width * 8),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(width * 8, num_classes)

    def embed(self, x):
        return self.pool(self.features(x)).flatten(1)

    def forward(self, x):
        return self.head(self.embed(x))


def build_model(num_classes, weights=None):
    model = LeafNet(num_classes)
    if weights is not None:
        model.load_state_dict(torch.load(weights, map_location="cpu")["model"])
    return model
