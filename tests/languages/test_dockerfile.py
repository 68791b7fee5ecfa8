"""Dockerfiles: stages, what they inherit, what they copy and run."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_advise.languages import dockerfile
from mlsys_advise.languages.dockerfile import BASE_FOLDER, Copy, ImageInterface, Stage, Start, start, target
from mlsys_advise.languages.words import UNKNOWN, hole
from mlsys_advise.span import Span


def read(text: str) -> ImageInterface:
    return dockerfile.interface(dockerfile.parse(text, "Dockerfile"))


def last(text: str) -> Stage:
    return read(text).stages[-1]


TRAINING = """\
# syntax=docker/dockerfile:1
ARG CUDA=12.4
FROM nvidia/cuda:${CUDA}-runtime AS base
ARG WORKERS=8
ENV OMP_NUM_THREADS=4 NAME="a b" \\
    # the number of loader processes
    WORKERS=$WORKERS
WORKDIR /srv
WORKDIR train
RUN apt-get update && \\
    pip install --no-cache-dir torch==2.5 \\
 && rm -rf /var/cache

FROM base
COPY --chown=1000:1000 ["launch.sh", "train.py", "./"]
COPY src/ src/
CMD ["bash", "launch.sh"]
"""


def test_stages_inherit_from_each_other() -> None:
    base, final = read(TRAINING).stages
    assert base.base == "nvidia/cuda:12.4-runtime"
    assert base.name == "base"
    assert base.parent is None
    assert base.installs == (("apt-get", "update"), ("pip", "install", "--no-cache-dir", "torch==2.5"))
    assert final.parent == 0
    assert final.workdir == "/srv/train"
    assert dict(final.environment) == {"NAME": "a b", "OMP_NUM_THREADS": "4", "WORKERS": hole("", "8")}
    assert final.copies == (
        Copy(("launch.sh", "train.py"), "/srv/train"),
        Copy(("src/",), "/srv/train/src"),
    )
    assert final.cmd == ("bash", "launch.sh")


def test_places_of_instructions() -> None:
    spans = dockerfile.parse(TRAINING, "Dockerfile").spans
    assert spans["0"] == Span(3, 1, 3, 41)
    assert spans["0:env:WORKERS"] == Span(5, 1, 7, 21)
    assert spans["1:copy1"] == Span(16, 1, 16, 15)
    assert spans["1:cmd"] == Span(17, 1, 17, 26)


@pytest.mark.parametrize(
    ("instructions", "words"),
    [
        ('CMD ["python", "t.py"]', ("python", "t.py")),
        ("CMD python t.py", ("/bin/sh", "-c", "python t.py")),
        ("CMD python \\\n  t.py # not a comment", ("/bin/sh", "-c", "python   t.py # not a comment")),
        ('SHELL ["/bin/bash", "-lc"]\nCMD python t.py', ("/bin/bash", "-lc", "python t.py")),
        ("CMD [python, t.py]", ("/bin/sh", "-c", "[python, t.py]")),
        ('ENTRYPOINT ["python"]\nCMD ["t.py"]', ("python", "t.py")),
        ('CMD ["t.py"]\nENTRYPOINT ["python"]', ("python", "t.py")),
        ('CMD ["a"]\nCMD ["b"]', ("b",)),
        ('ENTRYPOINT ["a"]\nENTRYPOINT []', ()),
        ("HEALTHCHECK CMD curl localhost\nCMD a", ("/bin/sh", "-c", "a")),
    ],
)
def test_what_an_image_runs(instructions: str, words: tuple[str, ...]) -> None:
    image = read(f"FROM x\n{instructions}\n")
    assert start(image, 0).words == words


def test_an_entrypoint_voids_the_command_of_earlier_stages() -> None:
    image = read('FROM x AS a\nCMD ["b"]\nFROM a AS c\nFROM a\nENTRYPOINT ["d"]\n')
    assert start(image, 1) == Start((), ("b",), "", "0:cmd")
    assert start(image, 2) == Start(("d",), (), "2:entrypoint", "")


def test_the_stage_to_build() -> None:
    image = read("FROM x AS train\nFROM y AS serve\n")
    assert target(image) == 1
    assert target(image, "Train") == 0
    assert target(image, "z") is None
    assert target(ImageInterface()) is None


@pytest.mark.parametrize(
    ("instructions", "copies"),
    [
        ("COPY a b", (Copy(("a",), f"{BASE_FOLDER}/b"),)),
        ("WORKDIR /x\nCOPY . .", (Copy((".",), "/x"),)),
        ("WORKDIR /x\nWORKDIR ..\nCOPY a /y/", (Copy(("a",), "/y"),)),
        ('COPY "a b" /c\\ d', (Copy(("a b",), "/c d"),)),
        ("ARG DIR=/app\nWORKDIR $DIR\nCOPY a ${DIR}/b", (Copy(("a",), "/app/b"),)),
        ("ENV D=/e\nCOPY a ${D:-/f}\nCOPY a ${G:-/f}", (Copy(("a",), "/e"), Copy(("a",), "/f"))),
        ("COPY --from=0 /a /b", (Copy(("/a",), "/b", "0"),)),
        ("copy --link --from=tools /a /b", (Copy(("/a",), "/b", "tools"),)),
        ("COPY a", ()),
        ("COPY <<EOF /run.sh\npython t.py\nCMD evil\nEOF", ()),
    ],
)
def test_copies(instructions: str, copies: tuple[Copy, ...]) -> None:
    assert last(f"FROM x\n{instructions}\n").copies == copies


@pytest.mark.parametrize(
    "instruction",
    [
        "ADD https://example.org/train.py /app/",
        "ADD code.tar.gz /app/",
        "RUN git clone https://example.org/repo /app",
        "RUN set -e; cd /app && wget -q https://example.org/t.py",
        "COPY --from=example/code /app /app",
        "RUN <<EOF\nset -e\ncurl -O https://example.org/t.py\nEOF",
    ],
)
def test_files_from_elsewhere(instruction: str) -> None:
    assert last(f"FROM x\n{instruction}\n").fetches
    assert not last("FROM x\nCOPY a b\nRUN pip install git-tools\n").fetches


def test_here_documents_hold_no_instructions() -> None:
    image = read('FROM x\nRUN <<A cat <<-"B" > f\nCMD a\nA\n\tCMD b\n\tB\nCMD c\n')
    assert image.stages[0].cmd == ("/bin/sh", "-c", "c")


def test_the_escape_directive_counts_at_the_top_only() -> None:
    assert last("# escape=`\nFROM x\nCMD a `\n  b\n").cmd == ("/bin/sh", "-c", "a   b")
    assert last("\n# escape=`\nFROM x\nCMD a \\\n  b\n").cmd == ("/bin/sh", "-c", "a   b")


def test_blank_and_comment_lines_inside_a_continued_line_are_skipped() -> None:
    assert last("FROM x\nENV A=1 \\\n\n  # c\n  B=2\n").environment == (("A", "1"), ("B", "2"))


def test_forms_of_env() -> None:
    stage = last("FROM x\nENV A some words\nENV B='$A' C=\"$A\\n\" D=$(x) E=${\n")
    assert dict(stage.environment) == {
        "A": "some words", "B": "$A", "C": "some words\\n", "D": "$(x)", "E": UNKNOWN,
    }  # fmt: skip


def test_build_arguments_are_not_known_without_a_default() -> None:
    stage = last("ARG TAG\nARG V=1\nFROM x:$TAG\nARG V\nARG W\nENV A=$V B=$W C=$Z\n")
    assert stage.base == f"x:{UNKNOWN}"
    assert dict(stage.environment) == {"A": hole("", "1"), "B": UNKNOWN, "C": hole("Z")}


def test_triggers_run_in_the_stage_built_on_top() -> None:
    image = read("FROM x AS base\nWORKDIR /app\nONBUILD COPY . .\nFROM base\n")
    assert image.stages[0].copies == ()
    assert image.stages[1].copies == (Copy((".",), "/app"),)


def test_volumes_users_and_stages_named_like_images() -> None:
    stage = last('FROM x AS python\nFROM python\nUSER $UID\nVOLUME ["/data", "models"]\nVOLUME /logs\n')
    assert stage.parent == 0
    assert stage.user == hole("UID")
    assert stage.volumes == ("/data", "/models", "/logs")


def test_the_interface_can_be_stored() -> None:
    image = read(TRAINING)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(image), type=ImageInterface) == image


FRAGMENTS = st.sampled_from(
    [
        *TRAINING.splitlines(keepends=True),
        "RUN <<E\n",
        "E\n",
        "ONBUILD ONBUILD CMD\n",
        "FROM\n",
        "COPY [\n",
        "\\\n",
        "${",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENTS, max_size=14).map("".join) | st.text(max_size=80), st.integers(0, 400))
def test_no_text_breaks_it(text: str, cut: int) -> None:
    document = dockerfile.parse(text[:cut], "Dockerfile")
    for index in range(len(document.image.stages)):
        start(document.image, index)
        assert str(index) in document.spans
    for span in document.spans.values():
        assert (span.end_line, span.end_column) >= (span.line, span.column) >= (1, 1)
