"""What the server and the notebook use: a classifier and an index of known leaves."""

import torch

from .data import to_tensor
from .model import build_model
from .tiling import split


class Classifier:
    def __init__(self, weights, classes, device="cuda"):
        self.device = torch.device(device)
        self.classes = classes
        self.model = build_model(len(classes), weights).to(self.device).eval()

    @torch.inference_mode()
    def predict(self, image):
        logits = self.model(to_tensor(image)[None].to(self.device))
        scores = logits.softmax(1)[0].tolist()
        return dict(zip(self.classes, scores))

    @torch.inference_mode()
    def predict_scan(self, image, size=224, overlap=32):
        tiles = torch.stack(split(to_tensor(image), size, overlap))
        return self.model(tiles.to(self.device)).softmax(1).mean(0).tolist()


class LeafIndex:
    """Nearest neighbours among leaves whose disease is known."""

    def __init__(self, weights, num_classes, device="cuda"):
        self.device = torch.device(device)
        net = build_model(num_classes, weights).to(self.device).eval()
        self.net = torch.compile(net, mode="reduce-overhead")
        self.vectors = []

    @torch.inference_mode()
    def add(self, images):
        self.vectors.append(self.net.embed(images.to(self.device)))

    @torch.inference_mode()
    def nearest(self, images, k=5):
        query = self.net.embed(images.to(self.device))
        return torch.cdist(query, torch.cat(self.vectors)).topk(k, largest=False).indices.tolist()
