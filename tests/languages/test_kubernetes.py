"""Kubernetes manifests: pods wherever they are nested, templates, patches, hostile YAML."""

from __future__ import annotations

import time
from decimal import Decimal

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_advise.languages import kubernetes
from mlsys_advise.languages.kubernetes import (
    Container,
    Limits,
    ManifestInterface,
    Mount,
    Object,
    Pod,
    Volume,
    quantity,
    sites,
)
from mlsys_advise.languages.words import UNKNOWN, hole
from mlsys_advise.span import Span


def read(text: str) -> ManifestInterface:
    return kubernetes.interface(kubernetes.parse(text, "k8s.yaml"))


def only(text: str) -> Container:
    (site,) = sites(read(text))
    return site.container


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: trainer
  namespace: ml
  labels: {app: trainer}
spec:
  selector: {matchLabels: {app: trainer}}
  template:
    metadata:
      labels: {app: trainer, tier: "gpu"}
    spec:
      initContainers:
        - name: fetch
          image: busybox
          command: ["wget", "x"]
      containers:
        - name: main
          image: registry.example.org/ml/trainer:1.4
          command: ["python", "-u"]
          args:
            - train.py
            - --workers=$(WORKERS)
          workingDir: /app
          env:
            - name: WORKERS
              value: "8"
            - name: TOKEN
              valueFrom: {secretKeyRef: {name: x, key: y}}
          resources:
            limits: {nvidia.com/gpu: 2, cpu: 1500m, memory: 64Gi}
          volumeMounts:
            - {name: data, mountPath: /data}
            - name: dshm
              mountPath: /dev/shm
      volumes:
        - name: data
          persistentVolumeClaim: {claimName: data}
        - name: dshm
          emptyDir:
            medium: Memory
            sizeLimit: 64Mi
"""


def test_a_deployment() -> None:
    assert read(DEPLOYMENT).objects == (
        Object(
            kind="Deployment",
            api_version="apps/v1",
            name="trainer",
            namespace="ml",
            labels=(("app", "trainer"),),
            pods=(
                Pod(
                    path="spec.template.spec",
                    containers=(
                        Container(
                            name="main",
                            image="registry.example.org/ml/trainer:1.4",
                            command=("python", "-u"),
                            args=("train.py", "--workers=8"),
                            environment=(("WORKERS", "8"), ("TOKEN", hole("TOKEN"))),
                            mounts=(Mount("/data", "data"), Mount("/dev/shm", "dshm")),
                            limits=Limits(1.5, 64 << 30, (("nvidia.com/gpu", 2),)),
                            working_dir="/app",
                        ),
                        Container(name="fetch", image="busybox", command=("wget", "x"), init=True),
                    ),
                    volumes=(
                        Volume("data", "persistentVolumeClaim"),
                        Volume("dshm", "emptyDir", "Memory", 64 << 20),
                    ),
                    labels=(("app", "trainer"), ("tier", "gpu")),
                ),
            ),
        ),
    )


def test_places() -> None:
    spans = kubernetes.parse(DEPLOYMENT, "k8s.yaml").spans
    assert spans["0"] == Span(2, 7, 2, 17)
    assert spans["0.0"] == Span(17, 7, 17, 17)
    assert spans["0.0.0"] == Span(18, 17, 18, 21)
    assert spans["0.0.0:image"] == Span(19, 18, 19, 53)
    assert spans["0.0.0:command"] == Span(20, 20, 20, 36)
    assert spans["0.0.0:args"] == Span(22, 13, 23, 35)
    assert spans["0.0.0:mount1"] == Span(34, 15, 35, 34)
    assert spans["0.0:volume1:sizeLimit"] == Span(42, 24, 42, 28)
    assert spans["0.0.1"] == Span(14, 17, 14, 22)


def test_places_in_later_documents_and_beside_wide_characters() -> None:
    text = "# größe 😀\r\n---\r\nnone: 'é'\n---\napiVersion: v1\nkind: Pod\n"
    text += "spec: {a: 😀é, containers: [{name: x, image: y}]}\n"
    document = kubernetes.parse(text, "pod.yaml")
    assert document.spans["0"] == Span(6, 7, 6, 10)
    assert document.spans["0.0.0"] == Span(7, 35, 7, 36)


POD = "{hostIPC: true, containers: [{name: a, image: b, command: [c]}]}"


@pytest.mark.parametrize(
    ("kind", "spec", "path"),
    [
        ("Pod", POD, "spec"),
        ("Job", f"{{template: {{spec: {POD}}}}}", "spec.template.spec"),
        ("CronJob", f"{{jobTemplate: {{spec: {{template: {{spec: {POD}}}}}}}}}", "spec.jobTemplate.spec.template.spec"),
        ("PyTorchJob", f"{{pytorchReplicaSpecs: {{Worker: {{template: {{spec: {POD}}}}}}}}}",
         "spec.pytorchReplicaSpecs.Worker.template.spec"),
        ("MPIJob", f"{{mpiReplicaSpecs: {{Launcher: {{template: {{spec: {POD}}}}}}}}}",
         "spec.mpiReplicaSpecs.Launcher.template.spec"),
        ("JobSet", f"{{replicatedJobs: [{{name: w, template: {{spec: {{template: {{spec: {POD}}}}}}}}}]}}",
         "spec.replicatedJobs[0].template.spec.template.spec"),
        ("TrainJob", f"{{podTemplateOverrides: [{{spec: {POD}}}]}}", "spec.podTemplateOverrides[0].spec"),
        ("Whatever", f"{{deep: [[{{er: {POD}}}]]}}", "spec.deep[0][0].er"),
    ],
)  # fmt: skip
def test_pods_are_found_wherever_they_are_nested(kind: str, spec: str, path: str) -> None:
    (object_,) = read(f"apiVersion: x/v1\nkind: {kind}\nspec: {spec}\n").objects
    (pod,) = object_.pods
    assert pod.path == path
    assert pod.host_ipc
    assert pod.containers == (Container("a", "b", ("c",)),)


def test_lists_and_several_documents() -> None:
    item = f"{{apiVersion: v1, kind: Pod, metadata: {{name: NAME}}, spec: {POD}}}"
    text = f"kind: List\nitems: [{item}, {item}]\n---\n{item}\n--- # comment\n{item}\n"
    assert len(read(text.replace("NAME", "a")).objects) == 4


def test_an_error_in_one_document_costs_that_document() -> None:
    document = kubernetes.parse(f"apiVersion: v1\nkind: Pod\nspec: {{\n---\n{DEPLOYMENT}", "k8s.yaml")
    assert [object_.kind for object_ in document.manifest.objects] == ["Deployment"]
    assert document.problem is not None
    assert document.problem[0] == 4


def test_argo_workflows() -> None:
    text = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  volumes: [{name: shm, emptyDir: {medium: Memory}}]
  templates:
    - name: main
      steps: []
    - name: train
      inputs: {parameters: [{name: lr}]}
      container:
        image: trainer:1
        command: [python, train.py, "--lr={{inputs.parameters.lr}}"]
        volumeMounts: [{name: shm, mountPath: /dev/shm}]
    - name: report
      script: {image: python, command: [python], source: "print(1)"}
"""
    train, report = (site for site in sites(read(text)))
    assert train.container.name == "train"
    assert train.container.command == ("python", "train.py", f"--lr={UNKNOWN}")
    assert train.pod.volumes == (Volume("shm", "emptyDir", "Memory"),)
    assert not train.pod.templated
    assert report.container.image == "python"


HELM = """\
{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "x.fullname" . }}
  labels:
    {{- include "x.labels" . | nindent 4 }}
spec:
  selector: {matchLabels: {app: x}}
  template:
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}/trainer:{{ .Values.image.tag }}"
          args: {{ .Values.args }}
          resources:
            limits:
              nvidia.com/gpu: {{ .Values.gpus }}
          volumeMounts:
            {{- toYaml .Values.volumeMounts | nindent 12 }}
{{- end }}
"""


def test_a_helm_template() -> None:
    document = kubernetes.parse(HELM, "templates/deployment.yaml")
    assert document.problem is None
    (site,) = sites(document.manifest)
    assert site.object.name == UNKNOWN
    assert site.pod.templated
    assert site.container.templated
    assert site.container.image == f"{UNKNOWN}/trainer:{UNKNOWN}"
    assert site.container.args == (UNKNOWN,)
    assert site.container.limits == Limits(devices=(("nvidia.com/gpu", None),))
    assert document.spans["0.0.0:image"] == Span(18, 18, 18, 82)


@pytest.mark.parametrize(
    ("line", "pod", "container"),
    [
        ("          image: {{ .Values.image }}", False, False),
        ("          # {{ .Values.x }}", False, False),
        ("          {{/* a comment */}}", False, False),
        ("          {{- toYaml .Values.rest | nindent 10 }}", True, True),
        ("          {% if x %}", True, True),
        ("          {{ .Values.key }}: 1", False, True),
        ("      {{- include `volumes` . }}", True, True),
    ],
)
def test_what_a_template_may_add(line: str, pod: bool, container: bool) -> None:
    text = DEPLOYMENT.replace("          workingDir: /app\n", f"{line}\n")
    site = next(sites(read(text)))
    assert (site.pod.templated, site.container.templated) == (pod, container)
    assert site.container.name == "main"


@pytest.mark.parametrize(
    ("field", "check"),
    [
        ("hostIPC: {{ .Values.ipc }}", lambda pod: pod.host_ipc is None),
        ("volumes: {{ .Values.volumes }}", lambda pod: pod.volumes is None),
        ("volumes: [{name: a, emptyDir: {sizeLimit: '{{ .Values.size }}'}}]", lambda pod: pod.volumes[0].templated),
        ("hostIPC: 'true'", lambda pod: pod.host_ipc is True),
        ("hostIPC: false", lambda pod: pod.host_ipc is False),
    ],
)
def test_fields_that_a_template_gives(field: str, check: object) -> None:
    text = f"apiVersion: v1\nkind: Pod\nspec:\n  {field}\n  containers: [{{name: a, image: b}}]\n"
    assert callable(check)
    assert check(read(text).objects[0].pods[0])


def test_mounts_that_a_template_gives() -> None:
    text = "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: b, volumeMounts: '{{ x }}'}]}\n"
    assert only(text).mounts is None
    text = (
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: b, volumeMounts: [{mountPath: '{{ x }}'}]}]}\n"
    )
    assert only(text).mounts == (Mount(UNKNOWN, ""),)


def test_references_to_variables() -> None:
    text = """\
apiVersion: v1
kind: Pod
spec:
  containers:
    - name: a
      image: ${IMAGE}
      env: [{name: A, value: "1"}, {name: B, value: "$(A)2"}]
      command: ["sh", "-c", "echo $(B) $(RANK) $(date) $$(A) $HOME"]
    - {name: b, image: "<your image>", envFrom: [{configMapRef: {name: x}}], args: ["$(rank)"]}
"""
    first, second = (site.container for site in sites(read(text)))
    assert first.command == ("sh", "-c", f"echo 12 {hole('RANK')} $(date) $(A) $HOME")
    assert first.image == hole("IMAGE")
    assert second.image == hole("your image")
    assert second.args == (hole("rank"),)
    assert second.env_from


def test_patches_are_marked() -> None:
    text = "apiVersion: v1\nkind: Job\nspec: {template: {spec: {containers: [{name: a, resources: {}}]}}}\n"
    assert only(text).partial
    text = "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n"
    assert only(text).partial
    assert not only(text.replace("spec: {template", "spec: {selector: {}, template")).partial


@pytest.mark.parametrize(
    "text",
    [
        "",
        "containers: 3\n",
        "containers: []\n",
        "services: {web: {image: x, container_name: y}}\n",
        "containers: [{name: a, size: 3}]\n",
        "apiVersion: v1\nkind: ConfigMap\ndata: {containers: [{name: a, image: b}]}\n",
        "apiVersion: v1\nkind: CustomResourceDefinition\nspec: {containers: [{name: a, image: b}]}\n",
        "jobs: {build: {container: {image: x}}}\n",
    ],
)
def test_other_yaml_is_left_alone(text: str) -> None:
    assert list(sites(read(text))) == []


def test_merges_and_aliases() -> None:
    text = """\
apiVersion: v1
kind: Pod
base: &base {name: a, image: b, command: [x]}
more: &more {image: c, workingDir: /w}
spec:
  containers:
    - <<: [*base, *more]
      command: [y]
    - *base
    - {<<: *more, name: z, image: i}
    - {<<: *missing, name: q, image: i}
"""
    first, second, third, fourth = (site.container for site in sites(read(text)))
    assert (first.name, first.image, first.command, first.working_dir) == ("a", "b", ("y",), "/w")
    assert second.command == ("x",)
    assert (third.name, third.image, third.working_dir) == ("z", "i", "/w")
    assert (fourth.name, fourth.templated) == ("q", True)


def test_of_equal_keys_the_last_counts() -> None:
    assert only("apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: b, image: c}]}\n").image == "c"


def test_tabs_are_an_error_of_that_document() -> None:
    assert read("apiVersion: v1\nkind: Pod\nspec:\n\tcontainers: []\n").objects == ()


LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]
BOMB = "apiVersion: v1\nkind: Pod\na0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
)
MERGE_BOMB = "apiVersion: v1\nkind: Pod\na0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB + "spec: {containers: *a39}\n",
        MERGE_BOMB + "spec: *a39\n",
        "apiVersion: v1\nkind: Pod\nspec: &a {containers: *a, more: *a}\n",
        "apiVersion: v1\nkind: List\nitems: &a [{kind: List, items: *a}]\n",
        "apiVersion: &a\n  containers: [*a, *a]\n",
        "apiVersion: " + "[" * 100_000,
        "containers: " + "{a: " * 900,
        "apiVersion: v1\nkind: Pod\n" + "".join(f"{' ' * n}a:\n" for n in range(500)),
        "? " * 2_000 + "containers",
    ],
)
@pytest.mark.parametrize("loader", LOADERS)
def test_hostile_yaml_costs_little(text: str, loader: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes, "_loader", lambda: loader)
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("64Mi", Decimal(64 << 20)),
        ("1Gi", Decimal(1 << 30)),
        ("1.5Gi", Decimal(3 << 29)),
        ("500M", Decimal(500_000_000)),
        ("1e9", Decimal(1_000_000_000)),
        ("1E3", Decimal(1000)),
        ("2E", Decimal(2 * 10**18)),
        ("500m", Decimal("0.5")),
        ("100u", Decimal("0.0001")),
        (" 4 ", Decimal(4)),
        (".5", Decimal("0.5")),
        ("64MB", None),
        ("64mi", None),
        ("", None),
        ("1e999999999", None),
        ("Gi", None),
        ("1" * 60, None),
    ],
)
def test_quantities(text: str, number: Decimal | None) -> None:
    assert quantity(text) == number


def test_bytes_are_rounded_up() -> None:
    text = DEPLOYMENT.replace("64Mi", "1500m")
    assert read(text).objects[0].pods[0].volumes[1].size_limit == 2  # type: ignore[index]


def test_the_interface_can_be_stored() -> None:
    for text in (DEPLOYMENT, HELM):
        manifest = read(text)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(manifest), type=ManifestInterface) == manifest


def test_a_comment_or_a_blank_line_does_not_change_the_interface() -> None:
    assert read(DEPLOYMENT.replace("\nspec:\n", "\n\n# why\nspec:\n")) == read(DEPLOYMENT)


FRAGMENTS = st.sampled_from(
    [
        *DEPLOYMENT.splitlines(keepends=True),
        *HELM.splitlines(keepends=True),
        "---\n",
        "*a",
        "&a ",
        "<<: ",
        "\t",
        "{{",
        "}}",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENTS, max_size=12).map("".join) | st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    check_spans("apiVersion: v1\nkind: Pod\n" + text)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([DEPLOYMENT, HELM]),
    st.integers(0, 1_200),
    st.integers(0, 40),
    st.text("{}-:[]&*'\"|\ue000 \n", max_size=4),
)
def test_no_mutation_breaks_it(text: str, at: int, length: int, put: str) -> None:
    check_spans(text[:at] + put + text[at + length :])


def check_spans(text: str) -> None:
    document = kubernetes.parse(text, "k8s.yaml")
    for site in sites(document.manifest):
        assert site.key in document.spans
    lines = text.splitlines()
    for span in document.spans.values():
        assert (span.end_line, span.end_column) >= (span.line, span.column) >= (1, 1)
        assert span.end_line <= len(lines) + 1


@pytest.mark.parametrize("loader", LOADERS)
def test_both_loaders_read_the_same(loader: type, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [kubernetes.parse(text, "k8s.yaml") for text in (DEPLOYMENT, HELM)]
    monkeypatch.setattr(kubernetes, "_loader", lambda: loader)
    assert [kubernetes.parse(text, "k8s.yaml") for text in (DEPLOYMENT, HELM)] == expected
