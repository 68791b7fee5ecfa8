"""What a batch weighs, as far as the code of a project says."""

from __future__ import annotations

import pytest

from tests.project.worlds import answers, site

TRANSFORMS = "from torchvision import datasets, transforms as T\n"
LOADER = "from torch.utils.data import BatchSampler, ConcatDataset, DataLoader, Dataset, RandomSampler, random_split\n"


def weighs(code: str, samples: int = 1, size: int = 1) -> tuple[bool | None, str]:
    """Whether the batches of the first loader in a file hold that much, and how much they hold, or why not."""
    project = answers({"data.py": LOADER + TRANSFORMS + code})
    function, number = site(project, "data.py", "DataLoader")
    reply = project.samples.weighs(function, number, samples, size, "data.py")
    return reply.value, reply.facts.get("bytes", reply.reason)


def test_the_figure_is_batch_size_times_pixels_times_the_bytes_of_a_pixel() -> None:
    photos = "DataLoader(datasets.ImageFolder('x', T.Resize((100, 200))), batch_size=50)"
    assert weighs(photos) == (True, "4 MB")
    assert weighs(photos, samples=50, size=50 * 100 * 200 * 4)[0] is True
    assert weighs(photos, samples=51)[0] is False
    assert weighs(photos, size=50 * 100 * 200 * 4 + 1)[0] is False


@pytest.mark.parametrize(
    ("loader", "samples"),
    [
        ("DataLoader(photos, 20)", 20),
        ("DataLoader(photos)", 1),
        ("DataLoader(photos, batch_sampler=BatchSampler(RandomSampler(photos), 12, True))", 12),
        ("DataLoader(photos, batch_size=16 if big else 9)", 9),
        ("DataLoader(photos, batch_size=2 * half)", 14),
        ("DataLoader(photos, batch_size=half // 2)", None),
        ("DataLoader(photos, batch_size=n * 2)", None),
        ("DataLoader(photos, **options)", None),
        ("DataLoader(photos, batch_size=n)", None),
    ],
)
def test_the_least_batch_size_counts(loader: str, samples: int | None) -> None:
    code = f"def make(n, big, half=7, **options):\n    photos = datasets.STL10('x')\n    return {loader}\n"
    if samples is None:
        assert weighs(code) == (None, "its batch size is not known")
    else:
        assert weighs(code, samples=samples)[0] is True
        assert weighs(code, samples=samples + 1)[0] is False


@pytest.mark.parametrize(
    ("transform", "pixels"),
    [
        ("T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor()])", 224 * 224),
        ("T.Compose([T.CenterCrop(512), T.Resize(64)])", 64 * 64),
        ("T.Compose([T.Resize([64]), T.ToTensor()])", 64 * 64),
        ("T.RandomApply([T.RandomCrop(96)])", 96 * 96),
        ("T.Resize(320) if train else T.Resize((96, 128))", 96 * 128),
        ("T.Compose([T.CenterCrop(512), T.Resize(edge)])", None),
        ("T.ToTensor()", None),
    ],
)
def test_the_last_transform_that_sets_a_size_decides(transform: str, pixels: int | None) -> None:
    code = f"def make(edge, train):\n    return DataLoader(datasets.ImageFolder('x', {transform}))\n"
    if pixels is None:
        assert weighs(code) == (None, "what its samples weigh is not known")
    else:
        assert weighs(code, size=pixels * 4)[0] is True
        assert weighs(code, size=pixels * 4 + 1)[0] is False


def test_the_lightest_of_several_data_sets_counts_and_one_of_unknown_weight_hides_the_rest() -> None:
    both = "DataLoader(ConcatDataset([datasets.STL10('x'), datasets.CIFAR10('y')]))"
    assert weighs(both, size=3 * 32 * 32 * 4)[0] is True
    assert weighs(both, size=3 * 32 * 32 * 4 + 1)[0] is False
    assert weighs("DataLoader(ConcatDataset([datasets.STL10('x'), datasets.ImageFolder('y')]))")[0] is None


def test_a_part_of_a_split_weighs_what_the_whole_does() -> None:
    code = "train, rest = random_split(datasets.STL10('x'), [1, 2])\nDataLoader(rest)"
    assert weighs(code, size=3 * 96 * 96 * 4)[0] is True


def test_code_that_calls_itself_ends() -> None:
    code = """
class Again(Dataset):
    def __getitem__(self, index):
        return self.load(index)

    def load(self, index):
        return self.load(index - 1) or T.Resize((50, 50))(self[index])

DataLoader(Again())
"""
    assert weighs(code, size=50 * 50 * 3)[0] is True
