"""The table of programs that manage a resource themselves, and of images that are nobody's own build."""

from __future__ import annotations

import datetime

import pytest

from mlsys_advise.library.programs import OWNERS, Resource, foreign, owner, repository


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("trainer", "trainer"),
        ("trainer:1.4", "trainer"),
        ("team/trainer@sha256:0", "team/trainer"),
        ("localhost:5000/team/trainer", "team/trainer"),
        ("registry.example.org/a/b/c:1", "a/b/c"),
        ("docker.io/library/python:3", "library/python"),
        ("", ""),
    ],
)
def test_repositories(image: str, name: str) -> None:
    assert repository(image) == name


def named(resource: Resource | None, **told: object) -> str | None:
    found = owner(resource, **told)  # type: ignore[arg-type]
    return found.name if found is not None else None


def test_owners_are_told_by_kind_image_command_or_module() -> None:
    assert named(Resource.SHARED_MEMORY, api_version="ray.io/v1", kind="RayJob") == "KubeRay"
    assert named(Resource.SHARED_MEMORY, api_version="batch/v1", kind="Job") is None
    assert named(Resource.THREADS, image="rayproject/ray-ml:2.9") == "Ray"
    assert named(Resource.SHARED_MEMORY, image="rayproject/ray-ml:2.9") is None
    assert named(Resource.THREADS, image="nvcr.io/nvidia/tritonserver:25.01-py3") == "Triton Inference Server"
    assert named(Resource.THREADS, image="nvidia/tritonserver-fork") is None
    assert named(Resource.SIGNALS, words=("/usr/bin/vllm", "serve")) == "vLLM"
    assert named(Resource.SHARED_MEMORY, words=("vllm", "serve")) is None
    assert named(None, words=("python", "-m", "vllm.entrypoints.openai.api_server")) == "vLLM"
    assert named(None, words=("python", "-m", "vllm_tools")) is None
    assert named(None) is None


def test_every_entry_is_dated_and_can_be_told() -> None:
    for entry in OWNERS:
        assert entry.owns
        assert entry.as_of > datetime.date(2024, 1, 1)
        assert entry.images or entry.commands or entry.kinds


@pytest.mark.parametrize(
    ("image", "known"),
    [
        ("python:3.11", True),
        ("pytorch/pytorch:2", True),
        ("docker.io/library/redis", True),
        ("public.ecr.aws/nginx/nginx:1.27", True),
        ("registry.k8s.io/pause:3.9", True),
        ("nvcr.io/nvidia/pytorch:25.01-py3", True),
        ("trainer:1", False),
        ("myorg/pytorch:2", False),
        ("registry.example.org/team/trainer", False),
        ("", False),
    ],
)
def test_images_from_elsewhere(image: str, known: bool) -> None:
    assert foreign(image) == known
