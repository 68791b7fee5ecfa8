"""Which containers start several processes that hand tensors to each other: ranks of a job, or workers of loaders.

Invariant: yes is said only of what the container's own command starts, followed to the program where it is in the
project; a GPU or the name of an image proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mlsys_advise.interface import BODY
from mlsys_advise.languages import commands
from mlsys_advise.languages.commands import Launch
from mlsys_advise.languages.kubernetes import Site
from mlsys_advise.project.configured import passes, shown
from mlsys_advise.project.deployment import Deployment
from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.loaders import Loaders
from mlsys_advise.project.programs import Program, Started, started_by_container
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.scopes import Programs
from mlsys_advise.project.values import Head, Locus, Values
from mlsys_advise.project.world import World
from mlsys_advise.term import Const, Term

#: Objects whose operator starts one rank in each pod and tells it where the others are.
_JOBS: Final = frozenset({"PyTorchJob", "TrainJob"})
#: Libraries that hand tensors around in PyTorch's shared memory.
_TORCH: Final = frozenset(
    {
        "torch",
        "torchvision",
        "torchaudio",
        "lightning",
        "pytorch_lightning",
        "transformers",
        "accelerate",
        "deepspeed",
        "composer",
        "fastai",
        "monai",
        "timm",
        "ultralytics",
        "trl",
        "peft",
        "detectron2",
        "mmengine",
        "mmcv",
        "nemo",
        "megatron",
        "torch_geometric",
        "diffusers",
    }
)
_MPI: Final = frozenset({"mpirun", "mpiexec", "horovodrun"})
_SPAWN: Final = "multiprocessing.spawn"
_ARGUMENTS: Final = ("TrainingArguments", "Seq2SeqTrainingArguments")


class Processes:
    """Answers about what containers start."""

    def __init__(
        self, world: World, values: Values, loaders: Loaders, programs: Programs, deployment: Deployment
    ) -> None:
        self.world = world
        self.values = values
        self.loaders = loaders
        self.programs = programs
        self.deployment = deployment

    def share_memory(self, path: str, key: str) -> Reply:
        """Whether a container starts processes that share tensors through ``/dev/shm``."""
        found = self.deployment.site(path, key)
        if found is None:
            return Reply(None, reason="the container is not there")
        manifest, site = found
        started = started_by_container(self.deployment.files, path, manifest, site)
        for program in started.programs:
            if not program.conditional:
                reply = self._program(program, site)
                if reply.value:
                    steps = tuple(_cause(step.path, step.key, step.what) for step in program.via if step.path != path)
                    return Reply(True, (*steps, *reply.causes), reply.facts)
        if not started.programs and not site.container.command:
            ranks = commands.tensor_parallel(site.container.args or ())
            if ranks is not None and ranks > 1:
                return Reply(True, (), {"evidence": f"spreads a model over {ranks} processes"})
        if self._rank_of_job(site, started):
            return Reply(True, (), {"evidence": f"is one rank of a {site.object.kind}"})
        if started.complete:
            return Reply(False, reason="what it starts is one process, as far as it can be followed")
        return Reply(None, reason=f"not followed: {'; '.join(started.missing)}")

    def _rank_of_job(self, site: Site, started: Started) -> bool:
        """A pod of a distributed job with several GPUs whose program is not in the project."""
        if not _has_ranks(site):
            return False
        return all(program.path is None and program.launch.program is not None for program in started.programs)

    def _program(self, program: Program, site: Site) -> Reply:
        launch = program.launch
        files = self.programs.started(program.path) if program.path is not None else {}
        torch = any(name.partition(".")[0] in _TORCH for names in files.values() for name in names)
        if program.path is None or torch:
            said = _on_the_command_line(launch, site)
            if said:
                return Reply(True, (), {"evidence": said})
        if not torch:
            return Reply(None if program.path is None else False)
        for file in sorted(files):
            reply = self._file(file, frozenset(files), launch.arguments)
            if reply is not None:
                return reply
        return Reply(False)

    # -- what a program does

    def _file(self, path: str, files: frozenset[str], arguments: Sequence[str]) -> Reply | None:
        """Evidence in one file of a program that is started with these arguments."""
        if path in self.world.table("construct", _SPAWN):
            for caller in self.values.calls_named(path, "spawn"):
                nprocs = caller.record.argument("nprocs", 2)
                if nprocs is not None and nprocs != Const(1):
                    call_site = Locus(path, "call", caller.function, caller.number)
                    return Reply(
                        True, (Cause(call_site, "processes are spawned here"),), {"evidence": "spawns its ranks"}
                    )
        for function, number, workers in self._loaders_in(path):
            if not self._runs(path, function, files):
                continue
            found = self._count(workers, path, arguments)
            if found is not None:
                count, set_here = found
                here = Cause(Locus(path, "call", function, number), f"{count} worker processes")
                return Reply(True, (here, *set_here), {"evidence": f"loads data in {count} worker processes"})
        return None

    def _loaders_in(self, path: str) -> list[tuple[str, int, Term]]:
        """The loaders that a file makes, and the trainers' arguments that speak of workers, with that number."""
        found: list[tuple[str, int, Term]] = []
        for function, number, call in self.loaders.made_in(path):
            workers = call.argument("num_workers", 5)
            if workers is not None:
                found.append((function, number, workers))
        for name in _ARGUMENTS:
            if path in self.world.table("call", name):
                for caller in self.values.calls_named(path, name):
                    workers = caller.record.argument("dataloader_num_workers", -1)
                    if workers is not None and self.loaders.makes(caller.record, path, "training_arguments"):
                        found.append((caller.function, caller.number, workers))
        return found

    def _runs(self, path: str, function: str, files: frozenset[str]) -> bool:
        """Whether a function of a program's file is called in the program, as far as one can see."""
        record = self.world.function(path, function, "head")
        if function == BODY or record is None or record.cls:
            return True
        callers = self.values.callers(path, function)
        return callers is None or any(caller.path in files for caller in callers)

    def _count(self, term: Term, path: str, arguments: Sequence[str]) -> tuple[str, tuple[Cause, ...]] | None:
        """A positive number that a value may be, where the command line overrides the defaults of options."""
        for head in self.values.heads(term, path):
            option = next((locus for locus in head.trail if locus.what == "option"), None)
            given = commands.option(arguments, self._spellings(option)) if option is not None else None
            if given is not None:
                if given.isascii() and given.isdecimal() and int(given) > 0:
                    return given, ()
                continue
            if passes(head, "positive", self.world):
                return shown(head.term), _set_here(head)
        return None

    def _spellings(self, option: Locus) -> tuple[str, ...]:
        """How an option is written on a command line."""
        known = [one.flags for one in self.world.options(option.path) if one.key == option.name]
        return known[0] if known else ()


def _has_ranks(site: Site) -> bool:
    """Whether a pod of a distributed job has GPUs for several ranks; one rank alone shares its memory with nobody."""
    gpus = [count for name, count in site.container.limits.devices if name.endswith("/gpu")]
    return site.object.kind in _JOBS and any(count is not None and count > 1 for count in gpus)


def _on_the_command_line(launch: Launch, site: Site) -> str:
    """What the words of a command say about the processes that it starts; "" if they prove nothing."""
    several = launch.processes != 1 or _has_ranks(site)
    if launch.launcher is not None and several and (launch.launcher not in _MPI or launch.command == "python"):
        return f"starts its ranks with {launch.launcher}"
    workers = commands.worker_count(launch.arguments)
    if workers:
        return f"loads data in {workers} worker processes"
    ranks = commands.tensor_parallel(launch.arguments)
    if ranks is not None and ranks > 1:
        return f"spreads a model over {ranks} processes"
    return ""


def _cause(path: str, key: str, what: str) -> Cause:
    return Cause(Locus(path, "place", key), what)


def _set_here(head: Head) -> tuple[Cause, ...]:
    """Where a number was set: at the option whose default it is, else at the last place it came by."""
    options = [locus for locus in head.trail if locus.what == "option"]
    return tuple(Cause(locus, f"set to {shown(head.term)} here") for locus in (options or head.trail)[-1:])
