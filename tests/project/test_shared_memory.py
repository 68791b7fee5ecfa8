"""What a container gets as /dev/shm."""

from __future__ import annotations

import pytest

from mlsys_advise.languages import kubernetes
from mlsys_advise.languages.kubernetes import ManifestInterface, Site, sites
from mlsys_advise.project.shared_memory import (
    DefaultSize,
    Host,
    Mounted,
    SharedMemory,
    Sized,
    Unsettled,
    shared_memory,
)


def manifest(text: str) -> ManifestInterface:
    return kubernetes.interface(kubernetes.parse(text, "k8s.yaml"))


def job(*, container: str = "", pod: str = "", kind: str = "Job", api: str = "batch/v1", spec: str = "") -> str:
    return f"""\
apiVersion: {api}
kind: {kind}
metadata: {{name: train}}
spec:
  {spec}
  template:
    spec:
      containers:
        - name: main
          image: x/train:1
          {container}
      {pod}
"""


def first(text: str) -> Site:
    return next(sites(manifest(text)))


SHM = "volumeMounts: [{name: data, mountPath: /data}, {name: shm, mountPath: /dev/shm}]"


@pytest.mark.parametrize(
    ("container", "pod", "expected"),
    [
        ("", "", DefaultSize()),
        ("volumeMounts: [{name: a, mountPath: /dev/shm/cache}]", "", DefaultSize()),
        ("volumeMounts: [{name: a, mountPath: /dev2}]", "volumes: [{name: a, emptyDir: {}}]", DefaultSize()),
        ("", "hostIPC: false", DefaultSize()),
        ("", "hostIPC: true", Host()),
        (SHM, "volumes: [{name: shm, emptyDir: {medium: Memory}}]", Mounted("0.0.0:mount1")),
        (SHM, "volumes: [{name: x, emptyDir: {}}, {name: shm, emptyDir: {medium: Memory, sizeLimit: 64Mi}}]",
         Sized(64 << 20, "0.0:volume1:sizeLimit")),
        (SHM.replace("/dev/shm", "/dev/shm/"), "volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: 16Gi}}]",
         Sized(16 << 30, "0.0:volume0:sizeLimit")),
        (SHM, "volumes: [{name: shm, emptyDir: {sizeLimit: 64Mi}}]", Mounted("0.0.0:mount1")),
        (SHM, "volumes: [{name: shm, hostPath: {path: /dev/shm}}]", Host()),
        (SHM.replace("/dev/shm", "/dev"), "volumes: [{name: shm, hostPath: {path: /dev}}]", Host()),
        (SHM, "", Mounted("0.0.0:mount1")),
        (SHM, "volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: '{{ .Values.shm }}'}}]",
         Unsettled("a template decides the size")),
        ("volumeMounts: '{{ x }}'", "", Unsettled("a template decides")),
        ("volumeMounts: [{name: a, mountPath: '{{ x }}'}]", "",
         Unsettled("a template decides where volumes are mounted")),
        ("", "volumes: '{{ x }}'", Unsettled("a template decides")),
        ("", "hostIPC: '{{ x }}'", Unsettled("a template decides")),
        ("{{- toYaml .Values.mounts | nindent 10 }}", "", Unsettled("a template decides")),
        ("", "{{- include `volumes` . | nindent 6 }}", Unsettled("a template decides")),
        ("args: ['{{ x }}']", "", DefaultSize()),
    ],
)  # fmt: skip
def test_what_the_pod_says(container: str, pod: str, expected: SharedMemory) -> None:
    assert shared_memory(first(job(container=container, pod=pod))) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (job(kind="RayCluster", api="ray.io/v1"), "KubeRay provides it"),
        (job(kind="LLMInferenceService", api="serving.kserve.io/v1alpha1"), "LLMInferenceService provides it"),
        (job(api="batch.volcano.sh/v1alpha1", spec="plugins: {svc: []}"), "plugins of the job change its pods"),
        (job(kind="Deployment", api="apps/v1"), "the manifest is a patch for another one"),
    ],
)
def test_what_others_decide(text: str, reason: str) -> None:
    assert shared_memory(first(text)) == Unsettled(reason)


@pytest.mark.parametrize(
    "text",
    [job(kind="RayCluster"), job(api="batch.volcano.sh/v1alpha1"), job(api="kubeflow.org/v1", kind="PyTorchJob")],
)
def test_lookalikes_of_those(text: str) -> None:
    assert shared_memory(first(text)) == DefaultSize()


BASE = job(kind="Deployment", api="apps/v1", spec="selector: {matchLabels: {app: train}}")
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: train}
spec:
  template:
    spec:
      containers:
        - name: main
          volumeMounts: [{name: shm, mountPath: /dev/shm}]
"""


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (PATCH, Unsettled("a patch gives it shared memory")),
        (PATCH.replace("name: train", "name: other"), DefaultSize()),
        (PATCH.replace("name: main", "name: sidecar"), DefaultSize()),
        (PATCH.replace("Deployment", "Job"), DefaultSize()),
        (PATCH.replace("/dev/shm", "/data"), DefaultSize()),
        (PATCH.replace("      containers", "      hostIPC: true\n      containers").replace("name: main", "name: x"),
         Unsettled("a patch gives it shared memory")),
        (BASE, DefaultSize()),
    ],
)  # fmt: skip
def test_patches(patch: str, expected: SharedMemory) -> None:
    assert shared_memory(first(BASE), [manifest(patch)]) == expected
