"""From a container to the Python file it starts: the whole chain, and for each of its files a twin that breaks it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_advise.languages import dockerfile, kubernetes, shell
from mlsys_advise.languages.commands import Launch
from mlsys_advise.languages.kubernetes import ManifestInterface, sites
from mlsys_advise.project.programs import (
    Built,
    Started,
    Step,
    image_of,
    started_by_container,
    started_by_image,
    started_by_launcher,
)

Interface = dockerfile.ImageInterface | shell.LauncherInterface | ManifestInterface


class Files:
    """A project as a mapping from path to text; ``read_paths`` records what was asked for."""

    name = "vision"

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = dict(files)
        self.read_paths: list[str] = []

    def images(self) -> Sequence[str]:
        return sorted(path for path in self._files if "ockerfile" in path)

    def launchers(self) -> Sequence[str]:
        return sorted(path for path in self._files if path.endswith(".sh"))

    def named(self, name: str) -> Sequence[str]:
        return sorted(path for path in self._files if posixpath.basename(path) == name)

    def read(self, path: str) -> msgspec.Struct | None:
        self.read_paths.append(path)
        text = self._files.get(path)
        return None if text is None else self._interface(path, text)

    def manifest(self, path: str) -> ManifestInterface:
        return kubernetes.interface(kubernetes.parse(self._files[path], path))

    @staticmethod
    def _interface(path: str, text: str) -> Interface | None:
        if "ockerfile" in path:
            return dockerfile.interface(dockerfile.parse(text, path))
        if path.endswith(".sh"):
            return shell.interface(shell.parse(text, path))
        if path.endswith(".yaml"):
            return kubernetes.interface(kubernetes.parse(text, path))
        return None


def started(files: Mapping[str, str], path: str = "k8s/trainer.yaml", index: int = 0) -> Started:
    project = Files(files)
    manifest = project.manifest(path)
    return started_by_container(project, path, manifest, list(sites(manifest))[index])


def pod(container: str, *, more: str = "") -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n    - {container}\n{more}"


EXAMPLE = {
    "k8s/trainer.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: trainer}
spec:
  selector: {matchLabels: {app: trainer}}
  template:
    spec:
      containers:
        - name: main
          image: registry.example.org/vision/trainer:1.4
          resources: {limits: {nvidia.com/gpu: 1}}
""",
    "docker/Dockerfile.trainer": """\
FROM pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY launch.sh train.py ./
CMD ["bash", "launch.sh"]
""",
    "launch.sh": """\
#!/usr/bin/env bash
set -e
mkdir -p out
exec python train.py --workers 8
""",
    "train.py": "",
    "serve.py": "",
}


def test_a_deployment_leads_through_image_command_and_launcher_to_the_script() -> None:
    answer = started(EXAMPLE)
    assert answer.complete
    assert answer.python == ("train.py",)
    assert answer.launches == (Launch("python", "train.py", arguments=("--workers", "8")),)
    assert answer.via == (
        Step("k8s/trainer.yaml", "0.0.0", "Deployment trainer, container main"),
        Step("docker/Dockerfile.trainer", "0:cmd", "CMD bash launch.sh"),
        Step("launch.sh", "2", "exec python train.py --workers 8"),
    )


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("k8s/trainer.yaml", "vision/trainer:1.4", "vision/server:1.4"),
        ("k8s/trainer.yaml", "trainer:1.4\n", "trainer:1.4\n          command: [python, serve.py]\n"),
        ("docker/Dockerfile.trainer", '["bash", "launch.sh"]', '["python", "serve.py"]'),
        ("docker/Dockerfile.trainer", "COPY launch.sh train.py ./", "COPY train.py ./"),
        ("docker/Dockerfile.trainer", "COPY launch.sh train.py ./", "COPY launch.sh ./"),
        ("docker/Dockerfile.trainer", "COPY launch.sh train.py ./", "COPY launch.sh train.py ./\nWORKDIR /x"),
        ("docker/Dockerfile.trainer", 'CMD ["bash', 'ENTRYPOINT ["sleep", "1"]\nCMD ["bash'),
        ("launch.sh", "train.py", "serve.py"),
        ("launch.sh", "exec python", "exit 0\nexec python"),
        ("launch.sh", "exec python", "[ -n \"$TRAIN\" ] && exec python"),
        ("launch.sh", "set -e", "cd /elsewhere"),
    ],
)  # fmt: skip
def test_each_file_alone_can_break_the_chain(path: str, old: str, new: str) -> None:
    assert old in EXAMPLE[path]
    files = {**EXAMPLE, path: EXAMPLE[path].replace(old, new)}
    if path == "k8s/trainer.yaml" and "server" in new:
        files["docker/Dockerfile.other"] = "FROM x\n"
    assert "train.py" not in started(files).python


def test_without_the_script_nothing_is_started() -> None:
    answer = started({path: text for path, text in EXAMPLE.items() if path != "train.py"})
    assert answer.python == ()
    assert not answer.complete


def test_only_what_the_answer_rests_on_is_read() -> None:
    project = Files({**EXAMPLE, "other.yaml": "", "docker/Dockerfile.serve": "FROM x\n"})
    manifest = project.manifest("k8s/trainer.yaml")
    started_by_container(project, "k8s/trainer.yaml", manifest, next(sites(manifest)))
    assert set(project.read_paths) == {"docker/Dockerfile.trainer", "launch.sh"}


# -- which image


def image(files: Mapping[str, str], name: str, path: str = "k8s/trainer.yaml") -> str | None:
    project = Files({path: pod(f"{{name: main, image: '{name}'}}"), **files})
    built = image_of(project, path, project.manifest(path), kubernetes_image(project, path))
    return built.path if built is not None else None


def kubernetes_image(project: Files, path: str) -> str:
    return next(sites(project.manifest(path))).container.image or ""


FROM = "FROM x\n"
ENTRY = 'FROM x\nWORKDIR /a\nCOPY . .\nENTRYPOINT ["python"]\nCMD ["t.py"]\n'


@pytest.mark.parametrize(
    ("paths", "name", "expected"),
    [
        (["a/Dockerfile", "trainer/Dockerfile"], "r.io/x/trainer:1", "trainer/Dockerfile"),
        (["a/Dockerfile", "services/data_prep/docker/Dockerfile"], "data-prep", "services/data_prep/docker/Dockerfile"),
        (["Dockerfile.train", "Dockerfile.serve"], "x/train@sha256:0", "Dockerfile.train"),
        (["train.Dockerfile", "serve.Dockerfile"], "localhost:5000/train", "train.Dockerfile"),
        (["Dockerfile", "a/Dockerfile"], "x/vision:2", "Dockerfile"),
        (["a/train/Dockerfile", "b/train/Dockerfile"], "x/train", None),
        (["a/Dockerfile", "b/Dockerfile"], "x/c", None),
        (["Dockerfile"], "registry.example.org/team/whatever:1", "Dockerfile"),
        (["k8s/Dockerfile", "b/Dockerfile"], "x/c", "k8s/Dockerfile"),
        (["k8s/x/Dockerfile", "k8s/y/Dockerfile"], "x/c", None),
        (["k8s/x/Dockerfile", "b/Dockerfile"], "x/c", None),
        (["k8s/docker/Dockerfile", "b/Dockerfile"], "x/c", "k8s/docker/Dockerfile"),
        (["services/x/Dockerfile"], "x/c", "services/x/Dockerfile"),
        (["Dockerfile"], "public.ecr.aws/nginx/nginx:1.27-alpine", None),
        (["Dockerfile"], "pytorch/pytorch:2.5", None),
        (["Dockerfile"], "nvcr.io/nvidia/pytorch:25.01-py3", None),
        (["Dockerfile"], "redis:7", None),
        (["Dockerfile"], "${IMAGE}", "Dockerfile"),
        (["Dockerfile"], "<your image>", "Dockerfile"),
        (["Dockerfile"], "{{ .Values.image }}", None),
        (["Dockerfile.train", "Dockerfile.serve"], "${REGISTRY}/train:{{ tag }}", "Dockerfile.train"),
        ([], "x/c", None),
    ],
)
def test_the_dockerfile_of_an_image(paths: list[str], name: str, expected: str | None) -> None:
    assert image(dict.fromkeys(paths, FROM), name) == expected


def test_a_second_image_in_the_manifest_leaves_the_only_dockerfile_open() -> None:
    files = {"Dockerfile": FROM, "k.yaml": pod("{name: a, image: x/a}", more="    - {name: b, image: x/b}\n")}
    project = Files(files)
    assert image_of(project, "k.yaml", project.manifest("k.yaml"), "x/a") is None
    files["k.yaml"] = pod("{name: a, image: x/a}", more="    - {name: b, image: 'redis:7'}\n")
    project = Files(files)
    assert image_of(project, "k.yaml", project.manifest("k.yaml"), "x/a") is not None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("docker build -t r.io/x/y:1 -f b/Dockerfile .", "b/Dockerfile"),
        ("docker build -t y b", "b/Dockerfile"),
        ("docker build --tag=$REGISTRY/y:$TAG b/", "b/Dockerfile"),
        ("NAME=r.io/x/y; docker build -t $NAME b", "b/Dockerfile"),
        ('cd ..; docker build -t y "$(dirname "$0")/../b"', "b/Dockerfile"),
        ("docker build -t r.io/z/y b", None),
        ("docker build -t other b", None),
        ("docker build -t y b; docker build -t y a", None),
    ],
)
def test_a_script_that_builds_the_image_names_its_dockerfile(command: str, expected: str | None) -> None:
    files = {"a/Dockerfile": FROM, "b/Dockerfile": FROM, "scripts/build.sh": command}
    assert image(files, "r.io/x/y:2") == expected


def test_the_stage_and_context_of_a_build_count() -> None:
    files = {
        "k.yaml": pod("{name: main, image: x/trainer}"),
        "build.sh": "docker build -t trainer --target train -f docker/Dockerfile src",
        "docker/Dockerfile": ENTRY.replace("FROM x", "FROM x AS train") + 'FROM x AS serve\nCMD ["s"]\n',
        "src/t.py": "",
        "t.py": "",
    }
    project = Files(files)
    built = image_of(project, "k.yaml", project.manifest("k.yaml"), "x/trainer")
    step = Step("build.sh", "0", "docker build -t trainer --target train -f docker/Dockerfile src")
    assert built == Built("docker/Dockerfile", 0, ("src",), (step,))
    answer = started(files, "k.yaml")
    assert answer.python == ("src/t.py",)
    assert answer.via[1] == step


# -- which words


@pytest.mark.parametrize(
    ("fields", "python", "arguments"),
    [
        ("", ("t.py",), ()),
        ("args: [u.py, -x]", ("u.py",), ("-x",)),
        ("command: [python, u.py]", ("u.py",), ()),
        ("command: [python], args: [u.py]", ("u.py",), ()),
        ("command: [python]", (), ()),
    ],
)
def test_command_and_args_of_a_container(fields: str, python: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    container = f"{{name: main, image: x/c{', ' + fields if fields else ''}}}"
    answer = started({"k8s/trainer.yaml": pod(container), "Dockerfile": ENTRY, "t.py": "", "u.py": ""})
    assert answer.python == python
    assert answer.launches[0].arguments == arguments


@pytest.mark.parametrize(
    ("fields", "python", "complete"),
    [
        ("command: [python, /workspace/vision/t.py]", ("t.py",), True),
        ("args: [torchrun, --nproc_per_node=2, t.py]", ("t.py",), False),
        ("args: [--model, t.py]", (), False),
        ("name: x", (), False),
    ],
)
def test_an_image_from_elsewhere(fields: str, python: tuple[str, ...], complete: bool) -> None:
    answer = started(
        {"k8s/trainer.yaml": pod(f"{{image: 'pytorch/pytorch:2', {fields}}}"), "t.py": "", "Dockerfile": ENTRY}
    )
    assert answer.python == python
    assert answer.complete == complete


def test_a_base_image_that_hands_over_does_not() -> None:
    files = {"Dockerfile": 'FROM rayproject/ray:2.40\nCOPY . /a\nCMD ["python", "/a/t.py"]\n', "t.py": ""}
    assert started_by_image(Files(files), "Dockerfile").python == ("t.py",)


def test_a_base_image_with_an_entrypoint_of_its_own_decides() -> None:
    files = {"Dockerfile": 'FROM vllm/vllm-openai:v0.8\nCOPY . /a\nCMD ["python", "/a/t.py"]\n', "t.py": ""}
    answer = started_by_image(Files(files), "Dockerfile")
    assert answer.programs == ()
    assert not answer.complete


def test_variables_of_image_and_container_reach_the_words() -> None:
    files = {
        "k8s/trainer.yaml": pod("{name: main, image: c, env: [{name: WORKERS, value: '4'}]}"),
        "Dockerfile": "FROM x\nENV S=t.py WORKERS=2\nCOPY . /\nCMD python /$S --workers $WORKERS --lr ${LR:-1}\n",
        "t.py": "",
    }
    (program,) = started(files).programs
    assert program.path == "t.py"
    assert program.launch.arguments == ("--workers", "4", "--lr", "1")
    assert program.launch.overridable == (3,)


# -- which file


def in_image(copy: str, command: str, paths: Sequence[str], dockerfile_path: str = "Dockerfile") -> tuple[str, ...]:
    files = {dockerfile_path: f"FROM x\n{copy}\nCMD {command}\n", **dict.fromkeys(paths, "")}
    return started_by_image(Files(files), dockerfile_path).python


@pytest.mark.parametrize(
    ("copy", "command", "paths", "expected"),
    [
        ("WORKDIR /app\nCOPY . .", "python src/t.py", ["src/t.py"], "src/t.py"),
        ("COPY . .", "python t.py", ["t.py"], "t.py"),
        ("COPY src /app", "python /app/t.py", ["src/t.py", "t.py"], "src/t.py"),
        ("COPY src/ /app/src/", "python /app/src/a/t.py", ["src/a/t.py"], "src/a/t.py"),
        ("COPY src/*.py /app/", "python /app/t.py", ["src/t.py", "t.py"], "src/t.py"),
        ("COPY src/t.py /app/main.py", "python /app/main.py", ["src/t.py", "main.py"], "src/t.py"),
        ("COPY a/t.py b/u.py /app/", "python /app/u.py", ["b/u.py", "u.py"], "b/u.py"),
        ("COPY a/t.py /app/\nCOPY b/t.py /app/", "python /app/t.py", ["a/t.py", "b/t.py"], "b/t.py"),
        ("WORKDIR /app\nCOPY . .", "python -m pkg.t", ["pkg/t.py"], "pkg/t.py"),
        ("WORKDIR /app\nCOPY . .", "python -m pkg", ["pkg/__main__.py"], "pkg/__main__.py"),
        ("WORKDIR /app\nCOPY . .", "python -m pkg.t", ["src/pkg/t.py"], "src/pkg/t.py"),
        ("RUN git clone https://e.org/r /r", "python /r/train/t.py", ["train/t.py", "eval/t.py"], "train/t.py"),
        ("RUN git clone https://e.org/r /r", "python /r/t.py", ["train/t.py", "eval/t.py"], None),
        ("COPY src /app", "python /srv/t.py", ["src/t.py"], None),
        ("COPY src /app", "python t.py", ["src/t.py"], "src/t.py"),
        ("COPY src $HOME/app", "python /root/app/t.py", ["src/t.py"], "src/t.py"),
        ("COPY . .", "python /workspace/t.py", ["t.py", "a/u.py"], "t.py"),
        ("WORKDIR /app\nCOPY src .", "python u.py", ["src/t.py", "u.py"], None),
        ("COPY src /app", "python /app/../app/t.py", ["src/t.py"], "src/t.py"),
        ("COPY --from=example/code /src /app", "python /app/t.py", ["a/t.py"], "a/t.py"),
        ("WORKDIR /app\nCOPY . .", "python -m http.server", ["server.py"], None),
    ],
)
def test_paths_lead_back_through_copy(copy: str, command: str, paths: list[str], expected: str | None) -> None:
    assert in_image(copy, command, paths) == ((expected,) if expected else ())


def test_stages_hand_files_on() -> None:
    copy = "FROM x AS build\nCOPY src /src\nFROM x\nCOPY --from=build /src /app"
    assert in_image(copy, "python /app/t.py", ["src/t.py", "t.py"]) == ("src/t.py",)
    copy = "FROM x AS build\nCOPY src /src\nFROM build"
    assert in_image(copy, "python /src/t.py", ["src/t.py", "t.py"]) == ("src/t.py",)


def test_the_context_is_the_folder_of_the_dockerfile_or_one_above_unless_both_would_do() -> None:
    copy = "COPY t.py /"
    assert in_image(copy, "python /t.py", ["docker/t.py"], "docker/Dockerfile") == ("docker/t.py",)
    assert in_image(copy, "python /t.py", ["t.py"], "docker/Dockerfile") == ("t.py",)
    assert in_image(copy, "python /t.py", ["t.py", "docker/t.py"], "docker/Dockerfile") == ()


def test_a_mount_hides_what_the_image_copied_but_not_the_project() -> None:
    mount = "volumeMounts: [{name: code, mountPath: /code}]"
    files = {
        "k8s/trainer.yaml": pod(f"{{name: main, image: c, command: [python, /code/t.py], {mount}}}"),
        "Dockerfile": "FROM x\nCOPY a /app\n",
        "a/t.py": "",
    }
    assert started(files).python == ("a/t.py",)
    files["k8s/trainer.yaml"] = files["k8s/trainer.yaml"].replace("/code/t.py", "/other/t.py")
    assert started(files).python == ()


# -- through scripts


def launched(files: Mapping[str, str], *arguments: str, path: str = "run.sh") -> Started:
    return started_by_launcher(Files(files), path, arguments)


@pytest.mark.parametrize(
    ("script", "arguments", "python"),
    [
        ("python t.py", (), ("t.py",)),
        ('exec "$@"', ("python", "u.py"), ("u.py",)),
        ("main() { python $1; }\nmain u.py", (), ("u.py",)),
        ('main() { shift; python "$@"; }\nmain "$@"', ("x", "u.py"), ("u.py",)),
        ("unused() { python u.py; }\npython t.py", (), ("t.py",)),
        ("python ${1:-t.py}", (), ("t.py",)),
        ("python ${1:-t.py}", ("u.py",), ("u.py",)),
        ("python ${SCRIPT:-t.py}", (), ("t.py",)),
        ("python $SCRIPT", (), ()),
        ("bash -c 'cd sub && python v.py'", (), ("sub/v.py",)),
        ("(cd sub; python v.py)\npython t.py", (), ("sub/v.py", "t.py")),
        ("cd sub\npython v.py", (), ("sub/v.py",)),
        ("cd sub\npython t.py", (), ()),
        ("cd $X\npython v.py", (), ("sub/v.py",)),
        ('python "$(dirname "$0")/t.py"', (), ("t.py",)),
        ("sub/inner.sh", (), ("sub/v.py",)),
        ("source sub/inner.sh", (), ("sub/v.py",)),
        ("source env.sh\npython $S", (), ("u.py",)),
        ("cd ${X:-sub} || exit 1\npython v.py", (), ("sub/v.py",)),
        ("eval python t.py", (), ("t.py",)),
        ("CMD='python t.py'\n$CMD", (), ("t.py",)),
        ("exec python t.py\npython u.py", (), ("t.py",)),
        ("python t.py &\npython u.py", (), ("t.py", "u.py")),
        ("if a; then python t.py; fi", (), ()),
        ("f() { python t.py; }\nif a; then f; fi", (), ()),
        ("exit 0\npython t.py", (), ()),
        ("export S=t.py\nbash -c 'python $S'", (), ("t.py",)),
        ("S=t.py bash -c 'python $S'", (), ("t.py",)),
    ],
)
def test_launchers(script: str, arguments: tuple[str, ...], python: tuple[str, ...]) -> None:
    files = {
        "run.sh": script,
        "t.py": "",
        "u.py": "",
        "sub/v.py": "",
        "env.sh": "export S=u.py",
        "sub/inner.sh": 'cd "$(dirname "${BASH_SOURCE[0]}")"\npython v.py\n',
    }
    assert launched(files, *arguments).python == python


def test_a_launcher_runs_from_its_folder_or_from_one_above() -> None:
    files = {"scripts/run.sh": "python t.py", "t.py": ""}
    assert launched(files, path="scripts/run.sh").python == ("t.py",)
    files["scripts/t.py"] = ""
    assert launched(files, path="scripts/run.sh").python == ()


@pytest.mark.parametrize(
    "script",
    [
        "source run.sh\npython t.py",
        "bash run.sh\npython t.py",
        "f() { f; }\nf\npython t.py",
        "f() { g; }\ng() { f; }\nf\npython t.py",
        'bash -c "bash run.sh"\npython t.py',
    ],
)
def test_what_runs_itself_ends(script: str) -> None:
    answer = launched({"run.sh": script, "t.py": ""})
    assert answer.python == ("t.py",)
    assert not answer.complete


def test_growth_is_bounded() -> None:
    doubling = "".join(f"f{n}() {{ f{n + 1}; f{n + 1}; }}\n" for n in range(40))
    assert not launched({"run.sh": doubling + "f40() { python t.py; }\nf0\n", "t.py": ""}).complete
    files = {f"s{n}.sh": f"bash s{n + 1}.sh; bash s{n + 1}.sh\n" for n in range(15)}
    assert not launched({**files, "s15.sh": "python t.py", "t.py": ""}, path="s0.sh").complete


@pytest.mark.parametrize(
    ("script", "complete"),
    [
        ("mkdir -p out\nsource venv/bin/activate\nexport A=1\npython t.py", True),
        ("vllm serve m --tensor-parallel-size 2", True),
        ("python -m vllm.entrypoints.openai.api_server", True),
        ("python t.py && ./report", False),
        ("python missing.py", False),
        ("bash missing.sh", False),
        ("python -c 'import t'", False),
        ("if a; then python t.py; fi", False),
        ("$COMMAND", False),
        ("if [ x; then (\n", False),
        ("source missing.sh", False),
    ],
)
def test_an_answer_is_complete_when_everything_was_understood(script: str, complete: bool) -> None:
    assert launched({"run.sh": script, "t.py": ""}).complete == complete


def test_launches_keep_launcher_processes_and_arguments() -> None:
    answer = launched({"run.sh": "NAME=x\ntorchrun --nproc_per_node=${GPUS:-8} t.py --name $NAME", "t.py": ""})
    assert answer.launches == (Launch("torchrun", "t.py", False, "torchrun", 8, ("--name", "x")),)


def test_answers_can_be_stored() -> None:
    answer = started(EXAMPLE)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(answer), type=Started) == answer


LINES = st.sampled_from(
    [
        *(
            "bash run.sh",
            "source run.sh",
            'exec "$@"',
            "cd sub",
            "cd $X",
            "python t.py",
            "torchrun -m pkg.t",
            "f() {",
            "}",
        ),
        *("f", "(", ")", "bash -c 'bash run.sh'", "eval $A", "A='python t.py'", "$A $1", "shift", "if x; then", "fi"),
    ]
)
INSTRUCTIONS = st.sampled_from(
    [
        *(
            "FROM x AS a",
            "FROM a",
            "COPY . .",
            "COPY --from=0 / /a",
            "COPY --from=a /a /",
            "WORKDIR ..",
            "WORKDIR /a/../b",
        ),
        *(
            'CMD ["bash", "run.sh"]',
            "CMD bash run.sh",
            'ENTRYPOINT ["run.sh"]',
            "COPY * /",
            "COPY [a-z]*.py ./",
            "ADD x /",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(LINES, max_size=8), st.lists(INSTRUCTIONS, max_size=8), st.sampled_from(["", "command: [bash, run.sh]"])
)
def test_no_project_breaks_it(script: list[str], instructions: list[str], field: str) -> None:
    files = {
        "k8s/trainer.yaml": pod(f"{{name: main, image: x/a, {field}}}"),
        "Dockerfile": "\n".join(instructions),
        "run.sh": "\n".join(script),
        "t.py": "",
        "pkg/t.py": "",
    }
    for answer in (started(files), launched(files, "python", "t.py"), started_by_image(Files(files), "Dockerfile")):
        assert all(path in files for path in answer.python)
