"""Programs that manage threads, shared memory, signals or probes themselves, and images that are nobody's own build.

Invariant: data with a date and a source for each entry; an entry that nobody has checked is not here. Who owns a
resource excuses a finding about it, so a wrong entry costs a finding and never makes a false one.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Sequence

import msgspec


class Resource(enum.StrEnum):
    """What a program may take care of by itself."""

    THREADS = "threads"
    SHARED_MEMORY = "shared memory"
    SIGNALS = "signals"
    PROBES = "probes"


class Owner(msgspec.Struct, frozen=True):
    """A program, and how to tell it: by image (repository without registry and tag), by command, by kind of object.

    ``images`` are repositories, or prefixes of them where they end in ``/`` or ``-``; ``commands`` are base names;
    ``modules`` are Python modules run with ``-m``, submodules included; ``kinds`` are pairs of API group and kind.
    With ``entrypoint`` the images start the program whatever their command is, which becomes its arguments.
    """

    name: str
    owns: frozenset[Resource]
    as_of: datetime.date
    images: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    entrypoint: bool = False


_THREADS, _SHM, _SIGNALS, _PROBES = Resource
_CHECKED = datetime.date(2026, 11, 24)

OWNERS: tuple[Owner, ...] = (
    # KubeRay, ray-operator/controllers/ray/common/pod.go: a Memory emptyDir on /dev/shm of the Ray container, and
    # liveness and readiness probes of its own.
    Owner(
        name="KubeRay",
        owns=frozenset({_SHM, _PROBES, _THREADS}),
        as_of=_CHECKED,
        kinds=(("ray.io", "RayCluster"), ("ray.io", "RayJob"), ("ray.io", "RayService")),
    ),
    # Ray documentation, "Configuring Ray": OMP_NUM_THREADS of a worker is the num_cpus of its task. Without the
    # operator nothing sizes /dev/shm: Ray falls back to disk and warns.
    Owner(
        name="Ray",
        owns=frozenset({_THREADS, _SIGNALS}),
        as_of=_CHECKED,
        images=("rayproject/", "anyscale/ray"),
        commands=("ray",),
    ),
    # vLLM documentation, "Using Docker": the container needs --ipc=host or --shm-size, so shared memory is not its own.
    Owner(
        name="vLLM",
        owns=frozenset({_THREADS, _SIGNALS}),
        as_of=_CHECKED,
        images=("vllm/", "lmcache/vllm-"),
        commands=("vllm",),
        entrypoint=True,
        modules=("vllm.entrypoints",),
    ),
    # KServe documentation, LLMInferenceService: the object is merged with well-known configurations whose pods mount
    # an in-memory /dev/shm and bring their probes.
    Owner(
        name="LLMInferenceService",
        owns=frozenset({_SHM, _PROBES, _THREADS, _SIGNALS}),
        as_of=_CHECKED,
        kinds=(("serving.kserve.io", "LLMInferenceService"), ("serving.kserve.io", "LLMInferenceServiceConfig")),
    ),
    # Text Generation Inference documentation, "Quick tour": asks for --shm-size when it is sharded.
    Owner(
        name="Text Generation Inference",
        owns=frozenset({_THREADS, _SIGNALS}),
        as_of=_CHECKED,
        images=("huggingface/text-generation-inference", "huggingface/text-embeddings-inference"),
        commands=("text-generation-launcher", "text-embeddings-router"),
        entrypoint=True,
    ),
    # SGLang documentation, "Install": docker run with --shm-size.
    Owner(
        name="SGLang",
        owns=frozenset({_THREADS, _SIGNALS}),
        as_of=_CHECKED,
        images=("lmsysorg/sglang",),
        commands=("sglang",),
        modules=("sglang.launch_server", "sglang"),
    ),
    # Triton Inference Server documentation: instance groups and backend settings size the pools; SIGTERM drains.
    Owner(
        name="Triton Inference Server",
        owns=frozenset({_THREADS, _SIGNALS, _PROBES}),
        as_of=_CHECKED,
        images=("nvidia/tritonserver",),
        commands=("tritonserver",),
    ),
    # TensorFlow Serving: C++ server with its own pools, no torch shared memory.
    Owner(
        name="TensorFlow Serving",
        owns=frozenset({_THREADS, _SHM, _SIGNALS}),
        as_of=_CHECKED,
        images=("tensorflow/serving",),
        commands=("tensorflow_model_server",),
        entrypoint=True,
    ),
    # llama.cpp and Ollama: one process with a thread count of its own.
    Owner(
        name="llama.cpp",
        owns=frozenset({_THREADS, _SHM, _SIGNALS}),
        as_of=_CHECKED,
        images=("ggml-org/llama.cpp", "ggerganov/llama.cpp", "ollama/ollama"),
        commands=("llama-server", "ollama"),
        entrypoint=True,
    ),
    # OpenVINO Model Server: streams and threads follow the cgroup.
    Owner(
        name="OpenVINO Model Server",
        owns=frozenset({_THREADS, _SHM, _SIGNALS}),
        as_of=_CHECKED,
        images=("openvino/model_server",),
        commands=("ovms",),
        entrypoint=True,
    ),
)

#: Repositories, or prefixes of them, that a project takes as they are. Their names match no Dockerfile of its own.
#: Docker Hub's official images are told by their last component, for mirrors put them under other owners.
_FOREIGN_PREFIXES = (
    *("pytorch/", "tensorflow/", "nvidia/", "huggingface/", "rayproject/", "vllm/", "lmsysorg/", "openvino/"),
    *(
        "coreos/",
        "ollama/",
        "ggml-org/",
        "ggerganov/",
        "bitnami/",
        "prom/",
        "grafana/",
        "jupyter/",
        "mosaicml/",
        "deepspeed/",
    ),
    *("horovod/", "mpioperator/", "kubeflow/", "kubeflowkatib/", "kserve/", "seldonio/", "milvusdb/", "minio/"),
    *("istio/", "envoyproxy/", "library/", "google-containers/", "google-samples/", "deeplearning-platform-release/"),
    *("deeplearning-images-public/", "amazon/aws-", "ubi8/", "ubi9/", "winglian/axolotl", "axolotlai/", "rocm/"),
    *("intel/", "google.com/cloudsdktool/", "cloudsdktool/"),
)
_FOREIGN_REGISTRIES = ("nvcr.io", "registry.k8s.io", "k8s.gcr.io", "mcr.microsoft.com", "registry.access.redhat.com")
_OFFICIAL = frozenset(
    {
        *(
            "alpine",
            "amazonlinux",
            "bash",
            "busybox",
            "caddy",
            "centos",
            "debian",
            "eclipse-mosquitto",
            "elasticsearch",
        ),
        *("fedora", "golang", "haproxy", "httpd", "kibana", "mariadb", "memcached", "mongo", "mysql", "neo4j", "nginx"),
        *("node", "openjdk", "postgres", "pause", "python", "rabbitmq", "redis", "registry", "rockylinux", "ruby"),
        *("traefik", "ubuntu", "zookeeper"),
    }
)


def repository(image: str) -> str:
    """``org/name`` of ``registry:5000/org/name:tag@digest``."""
    return _split(image)[1]


def owner(
    resource: Resource | None, *, api_version: str = "", kind: str = "", image: str = "", words: Sequence[str] = ()
) -> Owner | None:
    """The program that owns ``resource``, told by the kind of object, by the image, or by the command's words.

    With ``None`` any program of the table will do.
    """
    group = api_version.partition("/")[0]
    name = repository(image)
    command = words[0].rpartition("/")[2] if words else ""
    module = words[2] if words[1:2] == ("-m",) and len(words) > 2 else ""
    for candidate in OWNERS:
        if resource is not None and resource not in candidate.owns:
            continue
        if (group, kind) in candidate.kinds or (command and command in candidate.commands):
            return candidate
        if name and any(_names(name, pattern) for pattern in candidate.images):
            return candidate
        if module and any(module == known or module.startswith(known + ".") for known in candidate.modules):
            return candidate
    return None


def foreign(image: str) -> bool:
    """Whether an image is known to come from somewhere else than a Dockerfile of the project."""
    registry, name = _split(image)
    if registry in _FOREIGN_REGISTRIES:
        return True
    return name.rpartition("/")[2] in _OFFICIAL or any(_names(name, prefix) for prefix in _FOREIGN_PREFIXES)


def _names(name: str, pattern: str) -> bool:
    return name.startswith(pattern) if pattern.endswith(("/", "-")) else name == pattern


def _split(image: str) -> tuple[str, str]:
    """Registry and repository of a reference to an image."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = head + slash + last.partition(":")[0]
    registry, slash, rest = name.partition("/")
    if slash and ("." in registry or ":" in registry or registry == "localhost"):
        return registry, rest
    return "", name
