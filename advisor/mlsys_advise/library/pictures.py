"""Pictures: what says how large they are, in the libraries that read, cut and scale them (state of 2026-11)."""

from __future__ import annotations

from typing import Final, TypeAlias

from mlsys_advise.vocabulary import Vocabulary

#: Arguments by keyword and position.
Edges: TypeAlias = tuple[tuple[str, int], ...]


def _all(prefix: str, names: str, edges: Edges) -> dict[str, Edges]:
    return {f"{prefix}.{name}": edges for name in names.split()}


#: Which arguments of a call hold the edges of the pictures that come out: one for both (a number is both edges, a
#: sequence ends with height and width), or one for each.
SIZED: Final[dict[str, Edges]] = {
    **_all(
        "torchvision.transforms",
        "Resize Scale CenterCrop RandomCrop RandomResizedCrop RandomSizedCrop FiveCrop TenCrop",
        (("size", 0),),
    ),
    **_all("torchvision.transforms.functional", "resize center_crop five_crop ten_crop", (("size", 1),)),
    "torchvision.transforms.functional.resized_crop": (("size", 5),),
    "torchvision.transforms.functional.crop": (("height", 3), ("width", 4)),
    **_all("albumentations", "Resize CenterCrop RandomCrop RandomResizedCrop", (("height", 0), ("width", 1))),
    "albumentations.RandomSizedCrop": (("height", 1), ("width", 2)),
    "albumentations.PadIfNeeded": (("min_height", 0), ("min_width", 1)),
    "albumentations.SmallestMaxSize": (("max_size", 0),),
    "cv2.resize": (("dsize", 1),),
    "timm.data.create_transform": (("input_size", 0),),
    "torchvision.datasets.FakeData": (("image_size", 1),),
}
#: Methods of PIL's pictures: one scales to `(width, height)`, one cuts the box `(left, top, right, bottom)` out.
SCALING: Final = "resize"
CUTTING: Final = "crop"

#: Data sets of pictures that all have one shape: channels, height, width.
SHAPES: Final[dict[str, tuple[int, int, int]]] = {
    f"torchvision.datasets.{name}": shape
    for names, shape in (
        ("CIFAR10 CIFAR100 SVHN", (3, 32, 32)),
        ("MNIST FashionMNIST KMNIST EMNIST QMNIST", (1, 28, 28)),
        ("USPS", (1, 16, 16)),
        ("STL10 PCAM", (3, 96, 96)),
        ("EuroSAT", (3, 64, 64)),
        ("Omniglot", (1, 105, 105)),
        ("CelebA", (3, 218, 178)),
        ("LFWPeople", (3, 250, 250)),
    )
    for name in names.split()
}
#: Data sets of photos of all sizes.
PHOTOS: Final = frozenset(
    f"torchvision.datasets.{name}"
    for name in (
        "ImageFolder ImageNet DatasetFolder Places365 Food101 Flowers102 OxfordIIITPet StanfordCars FGVCAircraft "
        "Caltech101 Caltech256 DTD SUN397 GTSRB INaturalist Country211 Imagenette CocoDetection CocoCaptions "
        "VOCDetection VOCSegmentation Cityscapes SBDataset LSUN FakeData"
    ).split()
)

PICTURES: Final = Vocabulary(
    aliases={
        "torchvision.transforms.v2": "torchvision.transforms",
        "torchvision.transforms.transforms": "torchvision.transforms",
    },
    sites=frozenset(name for name in SIZED if name.rpartition(".")[2][:1].islower()),
)
