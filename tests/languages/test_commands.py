"""Command lines: wrappers, interpreters and launchers peeled off, and what is left open."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.languages.commands import (
    Build,
    Launch,
    Script,
    build,
    launch,
    option,
    peel,
    script,
    tensor_parallel,
    worker_count,
)
from mlsys_advise.languages.words import UNKNOWN, hole


@pytest.mark.parametrize(
    "line",
    [
        "env A=1 B=2 python t.py",
        "/usr/bin/env -u X -i python t.py",
        "exec python t.py",
        "exec -a name nohup python t.py",
        "time -p sudo -u me -E PATH=/x python t.py",
        "tini -s -g -- python t.py",
        "/usr/bin/tini -p SIGTERM python t.py",
        "dumb-init --rewrite 15:3 -- python t.py",
        "gosu app python t.py",
        "timeout -k 5 3600 python t.py",
        "timeout --signal=TERM 3600 python t.py",
        "taskset -c 0-3 python t.py",
        "numactl --cpunodebind=0 -m 0 python t.py",
        "stdbuf -oL -e L python t.py",
        "nice -n 10 ionice -c 2 python t.py",
        "conda run -n ml --no-capture-output python t.py",
        "poetry run python t.py",
        "uv run --with torch --no-sync python t.py",
        "uv --quiet run -- python t.py",
        "pipenv run python t.py",
        "srun --ntasks-per-node=8 -N 2 -G 8 --unbuffered python t.py",
        "mpirun -np 4 --allow-run-as-root -x NCCL_DEBUG=INFO --mca btl tcp --bind-to none python t.py",
    ],
)
def test_wrappers(line: str) -> None:
    assert peel(shlex.split(line)).words == ("python", "t.py")


def test_what_wrappers_say() -> None:
    command = peel(shlex.split("env A=1 mpirun -np 4 python t.py"))
    assert command.environment == (("A", "1"),)
    assert command.wrappers == ("env", "mpirun")
    assert command.processes == 4
    assert peel(shlex.split("srun python t.py")).processes is None
    assert peel(["conda", "install", "torch"]).words == ("conda", "install", "torch")
    assert peel(["nohup"]).words == ("nohup",)
    assert peel([]).words == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python train.py --lr 1", Launch("python", "train.py", arguments=("--lr", "1"))),
        ("python3.11 -u -W ignore -X dev ./a/train.py", Launch("python", "./a/train.py")),
        ("/opt/venv/bin/python -OO -m pkg.train -x", Launch("python", "pkg.train", True, arguments=("-x",))),
        ("python -um pkg.train", Launch("python", "pkg.train", True)),
        ("python -c 'print(1)' a.py", Launch("python", arguments=("a.py",))),
        ("python - a.py", Launch("python", arguments=("a.py",))),
        ("python", Launch("python")),
        ("./train.py --lr 1", Launch("train.py", "./train.py", arguments=("--lr", "1"))),
        ("torchrun --standalone --nproc_per_node=8 train.py -w 4",
         Launch("torchrun", "train.py", False, "torchrun", 8, ("-w", "4"))),
        ("torchrun --nnodes 2 --nproc-per-node gpu --rdzv_backend c10d -m pkg.train",
         Launch("torchrun", "pkg.train", True, "torchrun", None)),
        ("torchrun train.py", Launch("torchrun", "train.py", False, "torchrun", 1)),
        ("torchrun --no-python python -u train.py", Launch("torchrun", "train.py", False, "torchrun", 1)),
        ("python -m torch.distributed.launch --nproc_per_node 4 --use_env train.py",
         Launch("python", "train.py", False, "torch.distributed.launch", 4)),
        ("python -m torch.distributed.run --nproc_per_node=2 train.py",
         Launch("python", "train.py", False, "torchrun", 2)),
        ("accelerate launch train.py", Launch("accelerate", "train.py", False, "accelerate", None)),
        ("accelerate launch --multi_gpu --num_processes 2 --config_file a.yaml train.py --x",
         Launch("accelerate", "train.py", False, "accelerate", 2, ("--x",))),
        ("accelerate config", Launch("accelerate", arguments=("config",))),
        ("deepspeed --num_gpus=2 --module pkg.train --deepspeed ds.json",
         Launch("deepspeed", "pkg.train", True, "deepspeed", 2, ("--deepspeed", "ds.json"))),
        ("deepspeed --include localhost:0,1 train.py", Launch("deepspeed", "train.py", False, "deepspeed", None)),
        ("llamafactory-cli train a.yaml",
         Launch("llamafactory-cli", None, False, "llamafactory-cli", None, ("train", "a.yaml"))),
        ("axolotl train a.yml", Launch("axolotl", None, False, "axolotl", None, ("train", "a.yml"))),
        ("accelerate launch -m axolotl.cli.train a.yml",
         Launch("accelerate", "axolotl.cli.train", True, "accelerate", None, ("a.yml",))),
        ("python -m axolotl.cli.train a.yml",
         Launch("python", "axolotl.cli.train", True, "axolotl", None, ("a.yml",))),
        ("mpirun -np 4 python train.py", Launch("python", "train.py", False, "mpirun", 4)),
        ("mpirun python train.py", Launch("python", "train.py", False, "mpirun", None)),
        ("srun -n 2 python train.py", Launch("python", "train.py", processes=2)),
        ("srun -n 2 torchrun --nproc_per_node 4 train.py", Launch("torchrun", "train.py", False, "torchrun", None)),
        ("vllm serve m -tp 2", Launch("vllm", arguments=("serve", "m", "-tp", "2"))),
        ("env A=1 python t.py", Launch("python", "t.py", environment=(("A", "1"),))),
    ],
)  # fmt: skip
def test_launches(line: str, expected: Launch) -> None:
    assert launch(peel(shlex.split(line))) == expected


@pytest.mark.parametrize(
    "line", ["cd /app", "echo x", "pip install torch", "python -m pip install x", "bash run.sh", ""]
)
def test_commands_that_start_no_program(line: str) -> None:
    assert launch(peel(shlex.split(line))) is None


def test_holes_are_unknown_and_defaults_are_taken_and_marked() -> None:
    words = ("torchrun", f"--nproc_per_node={hole('GPUS', '4')}", "train.py", "--workers", hole("W", "8"), hole("X"))
    expected = Launch("torchrun", "train.py", False, "torchrun", 4, ("--workers", "8", hole("X")), (1,))
    assert launch(peel(words)) == expected
    assert launch(peel(("torchrun", f"--nproc_per_node={hole('N')}", "t.py"))) == Launch(
        "torchrun", "t.py", False, "torchrun", None
    )
    assert launch(peel(("python", hole("SCRIPT")))) == Launch("python")
    assert launch(peel(("python", f"{hole('ROOT')}/train.py"))) == Launch("python", f"{hole('ROOT')}/train.py")
    assert launch(peel((hole("PYTHON"), "train.py"))) == Launch(UNKNOWN, processes=None, arguments=("train.py",))
    assert launch(peel((hole("PYTHON", "python3"), "train.py"))) == Launch("python", "train.py")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bash launch.sh a b", Script(path="launch.sh", arguments=("a", "b"))),
        ("/bin/sh -e ./x", Script(path="./x")),
        ("bash -eo pipefail -c 'a; b' name x", Script(text="a; b", arguments=("x",))),
        ("sh -lc 'python t.py'", Script(text="python t.py")),
        ("bash --norc -- x.sh", Script(path="x.sh")),
        ("./launch.sh x", Script(path="./launch.sh", arguments=("x",))),
        ("source env.sh", Script(path="env.sh", sourced=True)),
        (". ./env.sh a", Script(path="./env.sh", arguments=("a",), sourced=True)),
        ("eval python t.py", Script(text="python t.py", sourced=True)),
        ("exec tini -- bash launch.sh", Script(path="launch.sh")),
        ("bash", None),
        ("bash -c", None),
        ("python t.py", None),
        ("", None),
    ],
)
def test_scripts(line: str, expected: Script | None) -> None:
    assert script(peel(shlex.split(line))) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("docker build -t a/b:1 -t c .", Build(("a/b:1", "c"), None, ".")),
        ("docker buildx build --platform linux/amd64 --tag=a --file d/Dockerfile --target train --push ..",
         Build(("a",), "d/Dockerfile", "..", "train")),
        ("sudo podman build --build-arg V=1 -f x -t a d", Build(("a",), "x", "d")),
        ("buildah bud -t a", Build(("a",), None, None)),
        ("docker run a", None),
        ("make build", None),
    ],
)  # fmt: skip
def test_image_builds(line: str, expected: Build | None) -> None:
    assert build(peel(shlex.split(line))) == expected


def test_options() -> None:
    arguments = ("--num_workers", "2", "--num-workers=4", "-tp", "2", "--lr")
    assert worker_count(arguments) == 4
    assert tensor_parallel(arguments) == 2
    assert option(arguments, ("--lr",)) == UNKNOWN
    assert option(arguments, ("--seed",)) is None
    assert worker_count(("--num_workers", hole("W"))) is None
    assert worker_count(("--workers", "4")) is None
    assert tensor_parallel(("--num-shard", "x")) is None


WORDS = st.sampled_from(
    [
        *(
            "env",
            "exec",
            "srun",
            "-n",
            "--",
            "python",
            "-m",
            "-c",
            "torchrun",
            "--nproc_per_node",
            "=",
            "bash",
            "-",
            "",
        ),
        *("t.py", "docker", "build", "uv", "run", "A=1", UNKNOWN, hole("X", "bash"), "torch.distributed.run"),
    ]
)


@given(st.lists(WORDS | st.text(max_size=4), max_size=9))
def test_no_words_break_it(words: list[str]) -> None:
    command = peel(words)
    started = launch(command)
    assert all(index < len(command.words) for index in command.overridable)
    if started is not None:
        assert all(index < len(started.arguments) for index in started.overridable)
    script(command)
    build(command)
