"""Command lines: what a command runs once ``env``, ``exec``, ``srun`` and their like are peeled off.

Invariant: these are pure functions of the words, which may have holes (``words``); what a hole hides is reported as
unknown, never as absent.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

import msgspec

from mlsys_advise.languages.words import UNKNOWN, assume_defaults, literal


class Command(msgspec.Struct, frozen=True, array_like=True):
    """The words from the program on, wrappers peeled off and defaults taken.

    ``overridable`` are the indices of words that rest on a default. ``environment`` is what ``env`` and ``sudo`` set.
    ``wrappers`` names what was peeled off, outermost first. ``processes`` is how many copies MPI or Slurm starts:
    1 without them, ``None`` where they do not say.
    """

    words: tuple[str, ...]
    overridable: tuple[int, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    wrappers: tuple[str, ...] = ()
    processes: int | None = 1

    @property
    def program(self) -> str:
        """The base name of the program, empty where it is not known."""
        return basename(self.words[0]) if self.words and literal(self.words[0]) else ""


class Launch(msgspec.Struct, frozen=True, array_like=True):
    """A command that starts a program.

    ``command`` is the base name of the executable. ``program`` is the Python file or, with ``module``, the module that
    it runs, ``None`` where it runs none or one that is not known; the folder of a file may have holes. ``launcher``
    names the launcher that starts it in several processes. ``processes`` counts the processes on one machine, ``None``
    for unknown or one for each device. ``arguments`` follow the program; ``overridable`` are the indices of those that
    rest on a default.
    """

    command: str
    program: str | None = None
    module: bool = False
    launcher: str | None = None
    processes: int | None = 1
    arguments: tuple[str, ...] = ()
    overridable: tuple[int, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


class Script(msgspec.Struct, frozen=True):
    """A command that runs a shell script: a file, or text given to ``-c`` or ``eval``.

    A ``sourced`` script runs in the shell that reads it, so that what it exports and where it goes stay in force.
    """

    path: str | None = None
    text: str | None = None
    arguments: tuple[str, ...] = ()
    sourced: bool = False


class Build(msgspec.Struct, frozen=True):
    """``docker build``: the names given to the image, the Dockerfile and the context as written."""

    names: tuple[str, ...]
    file: str | None
    context: str | None
    target: str = ""


def basename(word: str) -> str:
    return posixpath.basename(word).removesuffix(".exe")


# -- wrappers


class _Options(msgspec.Struct, frozen=True):
    """How to step over the options of a wrapper or launcher.

    ``valued`` take the next word as their value, ``twice`` the next two; ``operands`` is how many words other than
    options come before the program.
    """

    valued: frozenset[str] = frozenset()
    twice: frozenset[str] = frozenset()
    operands: int = 0


def _options(valued: str = "", *, twice: str = "", operands: int = 0) -> _Options:
    return _Options(frozenset(valued.split()), frozenset(twice.split()), operands)


_MPI = _options(
    "-n -np --np -c -f -N -npernode --npernode -ppn -x -H -host --host -hostfile --hostfile -machinefile --machinefile "
    "--bind-to -bind-to --map-by -map-by --rank-by --prefix -wd --wdir -wdir -env -genv --mca-file --output-filename "
    "-hosts --tag --timeout",
    twice="--mca -mca --gmca -gmca",
)
_WRAPPERS: dict[str, _Options] = {
    "env": _options("-u --unset -C --chdir"),
    "exec": _options("-a"),
    "command": _options(),
    "builtin": _options(),
    "nohup": _options(),
    "setsid": _options(),
    "time": _options("-f -o --format --output"),
    "sudo": _options("-u -g -h -p -C -D -R -T -U --user --group --host --prompt --chdir"),
    "nice": _options("-n --adjustment"),
    "ionice": _options("-c -n -p --class --classdata"),
    "chrt": _options("-T -P -D", operands=1),
    "stdbuf": _options("-i -o -e --input --output --error"),
    "unbuffer": _options(),
    "numactl": _options(
        "-i -N -m -C -p -l --interleave --cpunodebind --membind --physcpubind --preferred --cpubind --localalloc"
    ),
    "taskset": _options(operands=1),
    "timeout": _options("-k -s --kill-after --signal", operands=1),
    "prlimit": _options("-p --pid -o"),
    "tini": _options("-p -e"),
    "dumb-init": _options("-r --rewrite"),
    "docker-init": _options("-p -e"),
    "catatonit": _options(),
    "gosu": _options(operands=1),
    "su-exec": _options(operands=1),
    "xvfb-run": _options("-e -f -n -p -s -w --error-file --auth-file --server-num --xauth-protocol --server-args"),
    "catchsegv": _options(),
    "nvidia_entrypoint.sh": _options(),
    "opentelemetry-instrument": _options(),
    "ddtrace-run": _options(),
    "srun": _options(
        "-n -N -c -p -t -A -J -w -G -o -e -i -q -C -D -m -x -M -d -B --ntasks --nodes --cpus-per-task --partition "
        "--time --account --job-name --nodelist --gpus --output --error --input --qos --constraint --chdir --mem "
        "--ntasks-per-node --gpus-per-node --gpus-per-task --container-image --container-mounts --container-workdir "
        "--mpi --cpu-bind --export --gres --distribution --exclude --jobid"
    ),
    "mpirun": _MPI,
    "mpiexec": _MPI,
    "mpiexec.hydra": _MPI,
    "orterun": _MPI,
    "horovodrun": _MPI,
}
#: Tools whose subcommand ``run`` runs a command in an environment of theirs.
_RUNNERS: dict[str, _Options] = {
    "conda": _options("-n -p --name --prefix --cwd"),
    "mamba": _options("-n -p --name --prefix --cwd"),
    "micromamba": _options("-n -p -a -r --name --prefix --cwd --attach --root-prefix"),
    "poetry": _options("-C -P --directory --project"),
    "uv": _options(
        "-p --python --with --with-requirements --with-editable --extra --group --directory --project --env-file "
        "--package --index-url --index --extra-index-url --default-index --cache-dir"
    ),
    "pipenv": _options("--python"),
    "pdm": _options("-p --project"),
    "hatch": _options("-e --env"),
    "rye": _options("--pyproject"),
    "pixi": _options("-e --environment --manifest-path"),
}
_COPIES = {"srun": ("-n", "--ntasks")} | dict.fromkeys(
    ("mpirun", "mpiexec", "mpiexec.hydra", "orterun", "horovodrun"), ("-np", "--np", "-n", "-c")
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
_MOST_WRAPPERS = 16


def peel(words: Sequence[str]) -> Command:
    """``words`` without the wrappers in front of the program."""
    rest, defaults = assume_defaults(words)
    overridable = frozenset(defaults)
    total = len(rest)
    environment: list[tuple[str, str]] = []
    wrappers: list[str] = []
    processes: int | None = 1
    for _ in range(_MOST_WRAPPERS):
        if not rest:
            break
        name = basename(rest[0]) if literal(rest[0]) else ""
        options, at = _wrapper(name, rest)
        if options is None:
            break
        if name in _COPIES:
            end = _after_options(rest, at, options)
            processes = _number(_value(rest[at:end], _COPIES[name]))
        at = _after_options(rest, at, options)
        if name in ("env", "sudo"):
            while at < len(rest) and _ASSIGNMENT.match(rest[at]):
                key, _, value = rest[at].partition("=")
                environment.append((key, value))
                at += 1
        if at >= len(rest) and name not in ("env", "exec"):
            break
        wrappers.append(name)
        rest = rest[at:]
    gone = total - len(rest)
    return Command(
        words=rest,
        overridable=tuple(sorted(index - gone for index in overridable if index >= gone)),
        environment=tuple(environment),
        wrappers=tuple(wrappers),
        processes=processes,
    )


def _wrapper(name: str, words: Sequence[str]) -> tuple[_Options | None, int]:
    """The options of the wrapper that ``words`` begin with, and where they start."""
    if name in _RUNNERS:
        at = next((index for index, word in enumerate(words[1:6], 1) if word == "run"), None)
        return (_RUNNERS[name], at + 1) if at is not None else (None, 0)
    return _WRAPPERS.get(name), 1


def _after_options(words: Sequence[str], at: int, options: _Options) -> int:
    """The index of the first word that is neither an option, nor its value, nor an operand."""
    operands = options.operands
    while at < len(words):
        word = words[at]
        if word == "--":
            return at + 1
        if word.startswith("-") and len(word) > 1:
            at += 3 if word in options.twice else 2 if word in options.valued else 1
        elif operands:
            operands -= 1
            at += 1
        else:
            break
    return min(at, len(words))


# -- what starts


_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_PYTHON = re.compile(r"(?:python|pypy)\d*(?:\.\d+)*t?$", re.ASCII)
_PYTHON_OPTIONS = _options("-W -X --check-hash-based-pycs")
#: Programs that no question is about: they start nothing that stays.
_PASSING_NAMES = """
    . : [ [[ alias apk apt apt-get apt-key awk aws az base64 basename bg break cat cd chgrp chmod chown conda
    continue cp curl cut date dd declare df diff dirname disown dpkg du dvc echo egrep env exec exit export
    false fg find free gcloud getopts git grep gsutil gunzip gzip hash head helm hf hostname huggingface-cli
    id jobs jq kill kubectl ldconfig let ln local locale-gen ls lscpu mamba mc mkdir mktemp modprobe module
    mount mv nproc numfmt nvcc nvidia-smi patch perl pip pip3 pkill poetry popd printenv printf ps pushd pwd
    rclone read readlink realpath return rm rmdir rsync scp sed seq service set shift shopt sleep sort source
    split ssh-keygen ssh-keyscan stat sync sysctl systemctl tail tar tee test timedatectl touch tr trap true
    type ulimit umask unalias uname uniq unset unzip update-alternatives update-ca-certificates uv virtualenv wait wandb
    wc wget which whoami xz yum
"""
_PASSING = frozenset(_PASSING_NAMES.split())


class _Launcher(msgspec.Struct, frozen=True):
    """A launcher of Python programs: its options without a value, and those that say how many processes it starts.

    ``alone`` is the number without such an option; ``None`` if a file of its own or the machine decides.
    ``subcommands`` are the words between the name and the options.
    """

    flags: frozenset[str]
    counts: tuple[str, ...]
    alone: int | None = None
    subcommands: tuple[str, ...] = ()
    runs_module: tuple[str, ...] = ("-m", "--module")


def _launcher(flags: str, counts: str, *, alone: int | None = None, subcommands: str = "") -> _Launcher:
    return _Launcher(frozenset(flags.split()), tuple(counts.split()), alone, tuple(subcommands.split()))


_TORCHRUN = _launcher(
    "--standalone --no-python --no_python --run-path --run_path --use-env --use_env --event-log-handler",
    "--nproc-per-node --nproc_per_node",
    alone=1,
)
_ACCELERATE = _launcher(
    "-q --quiet --multi_gpu --multi-gpu --cpu --tpu --ipex --use_deepspeed --use-deepspeed --use_fsdp --use-fsdp "
    "--use_megatron_lm --use_xpu --no_python --no-python --debug --same_network --use_parallelism_config",
    "--num_processes --num-processes",
    subcommands="launch",
)
_DEEPSPEED = _launcher(
    "--no_python --no_local_rank --no_ssh --no_ssh_check --force_multi --enable_each_rank_log --bind_cores_to_rank "
    "--save_pid --elastic_training",
    "--num_gpus --num_accelerators",
)
_LAUNCHERS: dict[str, _Launcher] = {
    "torchrun": _TORCHRUN,
    "ft_launcher": _TORCHRUN,
    "hyperpodrun": _TORCHRUN,
    "accelerate": _ACCELERATE,
    "accelerate-launch": msgspec.structs.replace(_ACCELERATE, subcommands=()),
    "deepspeed": _DEEPSPEED,
    "colossalai": _launcher("", "--nproc_per_node", subcommands="run"),
    "composer": _launcher("--verbose -v", "-n --nproc"),
    "fabric": _launcher("", "--devices", subcommands="run"),
}
#: Modules that are launchers when Python runs them.
_LAUNCHER_MODULES = {
    "torch.distributed.run": ("torchrun", _TORCHRUN),
    "torch.distributed.launch": ("torch.distributed.launch", _TORCHRUN),
    "torch.distributed.elastic_launch": ("torchrun", _TORCHRUN),
    "torchelastic.distributed.launch": ("torchelastic", _TORCHRUN),
    "accelerate.commands.launch": ("accelerate", msgspec.structs.replace(_ACCELERATE, subcommands=())),
    "deepspeed.launcher.runner": ("deepspeed", _DEEPSPEED),
}
#: Programs that bring their own training loop, and start it in one process for each device.
_TRAINERS = {"llamafactory-cli": ("train",), "axolotl": ("train", "finetune", "preprocess")}


#: Modules of Python that are tools of the same sort.
_PASSING_MODULES = frozenset({"pip", "ensurepip", "venv", "compileall", "virtualenv"})


def launch(command: Command) -> Launch | None:
    """The program that ``command`` starts; ``None`` for a command that only passes by, and for a shell."""
    name = command.program
    if not command.words or name in _SHELLS or name in _PASSING or name in (".", "source", "eval"):
        return None
    started = _started(command, name)
    if started.module and started.program in _PASSING_MODULES:
        return None
    processes = started.processes
    if command.processes != 1:
        processes = command.processes if processes == 1 else None
    mpi = next((wrapper for wrapper in command.wrappers if wrapper in _COPIES and wrapper != "srun"), None)
    return msgspec.structs.replace(
        started, launcher=started.launcher or mpi, processes=processes, environment=command.environment
    )


def _started(command: Command, name: str) -> Launch:
    words = command.words
    if not name:
        return _launch(command, 1, UNKNOWN, processes=None)
    if _PYTHON.match(name):
        return _python(command)
    if name.endswith(".py"):
        return _launch(command, 1, name, program=words[0])
    if name in _LAUNCHERS:
        launcher = _LAUNCHERS[name]
        at = 1 + len(launcher.subcommands)
        if words[1:at] == launcher.subcommands:
            return _launched(command, at, name, name, launcher)
    if words[1:2] and words[1] in _TRAINERS.get(name, ()):
        return _launch(command, 1, name, launcher=name, processes=None)
    return _launch(command, 1, name)


def _launch(
    command: Command,
    at: int,
    name: str,
    *,
    program: str | None = None,
    module: bool = False,
    launcher: str | None = None,
    processes: int | None = 1,
) -> Launch:
    """A launch whose arguments begin at the word ``at``; a program whose file name has a hole in it is not known."""
    known = program is not None and literal(program if module else posixpath.basename(program))
    return Launch(
        command=name,
        program=program if known else None,
        module=module and known,
        launcher=launcher,
        processes=processes,
        arguments=command.words[at:],
        overridable=tuple(index - at for index in command.overridable if index >= at),
    )


def _python(command: Command) -> Launch:
    """``python -u train.py --epochs 3``, ``python -m torch.distributed.run ...``."""
    words = command.words
    at = 1
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        word = words[at]
        at += 1
        if word.startswith("--"):
            at += 1 if word in _PYTHON_OPTIONS.valued else 0
        elif word.endswith("c"):
            return _launch(command, at + 1, "python")
        elif word.endswith("m"):
            return _python_module(command, at)
        elif word in _PYTHON_OPTIONS.valued:
            at += 1
    script = words[at] if at < len(words) and words[at] != "-" else None
    return _launch(command, at + 1, "python", program=script)


def _python_module(command: Command, at: int) -> Launch:
    module = command.words[at] if at < len(command.words) else UNKNOWN
    if module in _LAUNCHER_MODULES:
        launcher, table = _LAUNCHER_MODULES[module]
        return _launched(command, at + 1, "python", launcher, table)
    if module.startswith("axolotl.cli."):
        return _launch(command, at + 1, "python", program=module, module=True, launcher="axolotl", processes=None)
    return _launch(command, at + 1, "python", program=module, module=True)


def _launched(command: Command, at: int, name: str, launcher: str, table: _Launcher) -> Launch:
    """The program behind a launcher and its options.

    An option that is in no table takes the next word as its value, unless that is an option or a Python file.
    """
    words = command.words
    start = at
    module = False
    while at < len(words) and words[at].startswith("-"):
        word = words[at]
        at += 1
        if word in table.runs_module:
            module = True
        elif word == "--":
            break
        elif "=" not in word and word not in table.flags and at < len(words):
            at += 0 if words[at].startswith("-") or words[at].endswith(".py") else 1
    counted = _value(words[start:at], table.counts)
    processes = table.alone if counted is None else _number(counted)
    program = words[at] if at < len(words) else None
    if program is not None and literal(program) and _PYTHON.match(basename(program)):
        inner = _python(Command(words[at:], tuple(index - at for index in command.overridable if index >= at)))
        return msgspec.structs.replace(inner, command=name, launcher=launcher, processes=processes)
    return _launch(command, at + 1, name, program=program, module=module, launcher=launcher, processes=processes)


# -- scripts


def script(command: Command) -> Script | None:
    """The shell script that ``command`` runs, as a file or as text; ``None`` for any other program."""
    words = command.words
    match words:
        case []:
            return None
        case ["." | "source", path, *arguments]:
            return Script(path=path, arguments=tuple(arguments), sourced=True)
        case ["eval", *texts]:
            return Script(text=" ".join(texts), sourced=True) if texts else None
        case _:
            pass
    name = command.program
    if name.endswith((".sh", ".bash")):
        return Script(path=words[0], arguments=tuple(words[1:]))
    if name not in _SHELLS:
        return None
    inline = False
    at = 1
    while at < len(words) and words[at].startswith(("-", "+")) and len(words[at]) > 1:
        word = words[at]
        at += 1
        if word == "--":
            break
        if not word.startswith("--"):
            inline = inline or "c" in word
            at += 1 if word.endswith(("o", "O")) else 0
        elif word in ("--rcfile", "--init-file"):
            at += 1
    if at >= len(words):
        return None
    if inline:
        return Script(text=words[at], arguments=tuple(words[at + 2 :]))
    return Script(path=words[at], arguments=tuple(words[at + 1 :]))


# -- images

_BUILDERS = frozenset({"docker", "podman", "nerdctl", "buildah", "finch"})
_BUILD_OPTIONS = _options(
    "-t --tag -f --file --build-arg --build-context --target --platform --label --cache-from --cache-to --network "
    "--progress --secret --ssh -o --output --iidfile --metadata-file --shm-size --ulimit --add-host --builder -m "
    "--memory --cpuset-cpus --isolation --annotation --attest --format"
)


def build(command: Command) -> Build | None:
    """The image that ``docker build`` or one of its kin makes."""
    words = command.words
    if command.program not in _BUILDERS:
        return None
    at = next((index for index, word in enumerate(words[1:4], 1) if word in ("build", "bud")), None)
    if at is None:
        return None
    names: list[str] = []
    contexts: list[str] = []
    file, target = None, ""
    at += 1
    while at < len(words):
        word, value, step = _read_option(words, at, _BUILD_OPTIONS)
        if value is None and not word.startswith("-"):
            contexts.append(word)
        elif word in ("-t", "--tag") and value is not None:
            names.append(value)
        elif word in ("-f", "--file") and value is not None:
            file = value
        elif word == "--target" and value is not None:
            target = value
        at += step
    return Build(tuple(names), file, contexts[-1] if contexts else None, target)


# -- options


def _read_option(words: Sequence[str], at: int, options: _Options) -> tuple[str, str | None, int]:
    """The word at ``at`` as an option with its value, and how many words that took."""
    name, equals, value = words[at].partition("=")
    if words[at].startswith("--") and equals:
        return name, value, 1
    if words[at] in options.valued and at + 1 < len(words):
        return words[at], words[at + 1], 2
    return words[at], None, 1


def option(arguments: Sequence[str], names: Iterable[str]) -> str | None:
    """The value of the last of the options ``names``, as ``--name value`` or ``--name=value``; it may have holes."""
    return _value(arguments, tuple(names))


def worker_count(arguments: Sequence[str]) -> int | None:
    """``--num_workers N``, its spellings and Hydra's ``data.num_workers=N``; ``None`` if absent or not a number."""
    given = option(arguments, _WORKER_OPTIONS)
    if given is None:
        overrides = [word.partition("=") for word in arguments]
        values = [value for key, _, value in overrides if key.lstrip("+").rpartition(".")[2] in _WORKER_KEYS]
        given = values[-1] if values else None
    return _number(given)


def tensor_parallel(arguments: Sequence[str]) -> int | None:
    """``--tensor-parallel-size N`` and its spellings: processes of one model; ``None`` if absent or not a number."""
    return _number(option(arguments, _TENSOR_PARALLEL_OPTIONS))


_WORKER_OPTIONS = ("--num_workers", "--num-workers", "--dataloader_num_workers", "--dataloader-num-workers")
_WORKER_KEYS = frozenset({"num_workers", "dataloader_num_workers"})
_TENSOR_PARALLEL_OPTIONS = (
    *("--tensor-parallel-size", "--tensor_parallel_size", "-tp", "--tp", "--tp-size", "--tp_size"),
    *("--num-shard", "--num_shard"),
)


def _value(words: Sequence[str], names: Sequence[str]) -> str | None:
    result: str | None = None
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if equals and name in names:
            result = value
        elif word in names:
            result = words[at + 1] if at + 1 < len(words) else UNKNOWN
    return result


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 6 else None
