"""What a container starts is asked again when any file on the way changes, and its places keep their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsys_advise.engine import Options, check
from mlsys_advise.finding import Finding
from mlsys_advise.settings.layer import Layer

CHAIN = {
    "k8s/trainer.yaml": """\
apiVersion: v1
kind: Pod
metadata: {name: trainer}
spec:
  containers:
    - name: trainer
      image: registry.example.org/vision/trainer:1
""",
    "trainer/Dockerfile": 'FROM python:3.12\nWORKDIR /w\nCOPY . .\nCMD ["./launch.sh"]\n',
    "trainer/launch.sh": "#!/bin/sh\nset -eu\nexec python train.py\n",
    "trainer/train.py": """\
import argparse

from data import make_loader

parser = argparse.ArgumentParser()
parser.add_argument("-j", "--workers", type=int, default=8)
args = parser.parse_args()
for batch in make_loader(args.workers):
    print(batch)
""",
    "trainer/data.py": """\
from torch.utils.data import DataLoader
from torchvision.datasets import FakeData


def make_loader(workers):
    return DataLoader(FakeData(), batch_size=64, num_workers=workers)
""",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in {"mlsys-advise.toml": "", **files}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def run(folder: Path, cache: Path | None) -> tuple[Finding, ...]:
    options = Options(
        given=(Layer(select=("MLS211",)),), jobs=1, cache=cache, use_cache=cache is not None, raise_errors=cache is None
    )
    return check([folder], options).findings


def test_the_way_is_shown_with_its_lines(tmp_path: Path) -> None:
    write(tmp_path / "project", CHAIN)
    (found,) = run(tmp_path / "project", None)
    places = [(related.place.path.rpartition("project/")[2], related.place.span.line) for related in found.related]
    assert found.span.line == 6
    assert places == [
        ("trainer/Dockerfile", 4),
        ("trainer/launch.sh", 3),
        ("trainer/data.py", 6),
        ("trainer/train.py", 6),
    ]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("k8s/trainer.yaml", "vision/trainer:1", "vision/trainer:1\n      command: [sleep, infinity]"),
        ("k8s/trainer.yaml", "spec:\n", "spec:\n  hostIPC: true\n"),
        ("trainer/Dockerfile", "./launch.sh", "./other.sh"),
        ("trainer/launch.sh", "train.py", "train.py --workers 0"),
        ("trainer/launch.sh", "train.py", "train.py -j 0"),
        ("trainer/launch.sh", "train.py", "export.py"),
        ("trainer/train.py", "default=8", "default=0"),
        ("trainer/data.py", "=workers", "=0"),
    ],
)
def test_each_file_on_the_way_can_silence_a_warm_run(tmp_path: Path, path: str, old: str, new: str) -> None:
    folder, cache = tmp_path / "project", tmp_path / "cache"
    write(folder, CHAIN)
    assert len(run(folder, cache)) == 1
    assert old in CHAIN[path]
    write(folder, {path: CHAIN[path].replace(old, new)})
    assert run(folder, cache) == run(folder, None) == ()
    write(folder, {path: CHAIN[path]})
    assert len(run(folder, cache)) == 1


@pytest.mark.parametrize("added", ["other/Dockerfile", "trainer/docker/Dockerfile.trainer", "other/trainer/Dockerfile"])
def test_a_second_image_of_the_same_name_is_noticed_by_a_warm_run(tmp_path: Path, added: str) -> None:
    folder, cache = tmp_path / "project", tmp_path / "cache"
    write(folder, CHAIN)
    run(folder, cache)
    write(folder, {added: "FROM python:3.12\nCMD sleep 1\n"})
    assert run(folder, cache) == run(folder, None)


def test_a_patch_that_is_added_is_noticed_by_a_warm_run(tmp_path: Path) -> None:
    folder, cache = tmp_path / "project", tmp_path / "cache"
    write(folder, CHAIN)
    assert len(run(folder, cache)) == 1
    patch = "apiVersion: v1\nkind: Pod\nmetadata: {name: trainer}\nspec: {hostIPC: true, containers: [{name: a}]}\n"
    write(folder, {"overlays/patch.yaml": patch})
    assert run(folder, cache) == run(folder, None) == ()
