"""Which programs a deployment starts: from a container, an image or a launcher to the Python files behind it.

Invariant: pure functions of the interfaces that a ``Lookup`` hands out, so that whoever implements it can record what
an answer rests on. Nothing is followed without bound, and two candidates are no answer: a link is either certain by
the project's own files or it is missing, which ``Started.complete`` says.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

import msgspec

from mlsys_advise.languages import commands, dockerfile, shell
from mlsys_advise.languages.commands import Launch
from mlsys_advise.languages.dockerfile import BASE_FOLDER, Copy, ImageInterface
from mlsys_advise.languages.kubernetes import Container, ManifestInterface, Site, sites
from mlsys_advise.languages.shell import LauncherInterface, SimpleCommand
from mlsys_advise.languages.words import SCRIPT, SCRIPT_FOLDER, UNKNOWN, fill, literal, readable
from mlsys_advise.library.programs import foreign, owner, repository


class Lookup(Protocol):
    """What these functions may ask of the project; all paths are relative to its root, with forward slashes."""

    @property
    def name(self) -> str:
        """The name of the project: what its root folder or its manifest calls it."""

    def images(self) -> Sequence[str]:
        """The paths of all Dockerfiles, sorted."""

    def launchers(self) -> Sequence[str]:
        """The paths of all shell scripts, sorted."""

    def named(self, name: str) -> Sequence[str]:
        """The paths of all files whose last component is ``name``, of whatever language, sorted."""

    def read(self, path: str) -> msgspec.Struct | None:
        """The interface of a file, ``None`` if it has none."""


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One link of a chain: the file, the key of the place in its document's ``spans``, and what is to be seen there."""

    path: str
    key: str
    what: str


class Program(msgspec.Struct, frozen=True, array_like=True):
    """A program that starts, and how it comes to that.

    ``path`` is the Python file of the project that runs, ``None`` if the program is not in the project. ``via`` leads
    there, the outermost step first. ``conditional`` says that a run of the launcher may pass it by.
    """

    path: str | None
    launch: Launch
    via: tuple[Step, ...] = ()
    conditional: bool = False


class Started(msgspec.Struct, frozen=True, array_like=True):
    """What a container, image or launcher starts.

    An answer that is not ``complete`` proves what it lists and refutes nothing; ``missing`` says what was not followed.
    """

    programs: tuple[Program, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def python(self) -> tuple[str, ...]:
        """The Python files of the project that every run starts."""
        paths = (program.path for program in self.programs if not program.conditional)
        return tuple(dict.fromkeys(path for path in paths if path is not None))

    @property
    def launches(self) -> tuple[Launch, ...]:
        """What every run starts, the programs of others included."""
        return tuple(program.launch for program in self.programs if not program.conditional)

    @property
    def via(self) -> tuple[Step, ...]:
        """All steps on the way to what every run starts, each once."""
        steps = (step for program in self.programs if not program.conditional for step in program.via)
        return tuple(dict.fromkeys(steps))


class Built(msgspec.Struct, frozen=True, array_like=True):
    """The stage of a Dockerfile that an image is built from.

    ``contexts`` are the folders that may be the build context; ``via`` is the command that builds it, if one is known.
    """

    path: str
    stage: int
    contexts: tuple[str, ...]
    via: tuple[Step, ...] = ()


# -- images


def image_of(lookup: Lookup, path: str, manifest: ManifestInterface, image: str) -> Built | None:
    """The Dockerfile that a container of the manifest at ``path`` runs when it asks for ``image``.

    In this order: a command of the project builds the image by this name; a Dockerfile has the name as its suffix or
    as its folder; the nearest folder around the manifest that has Dockerfiles has one, and the manifest no other image
    that it could be. ``None`` if two are equally near, or none is.
    """
    images = lookup.images()
    if not images or not image:
        return None
    built = _built_by_name(lookup, images, image)
    if built:
        return built[0] if len({(found.path, found.stage) for found in built}) == 1 else None
    last = _last_component(image)
    called = [found for found in images if last and last in _names_of(found, lookup.name)]
    if called:
        return _built(lookup, called[0]) if len(called) == 1 else None
    if not _placeholder(image) and not literal(repository(image)):
        return None
    if foreign(image) or _other_candidates(manifest, image):
        return None
    nearest = _nearest(images, path)
    return _built(lookup, nearest) if nearest is not None else None


def _built(lookup: Lookup, path: str) -> Built | None:
    image = _image(lookup, path)
    stage = dockerfile.target(image) if image is not None else None
    return Built(path, stage, _ancestors(posixpath.dirname(path))) if stage is not None else None


#: One of them is in every command that builds an image; most commands need no closer look.
_BUILD_WORDS = frozenset({"build", "bud"})


def _built_by_name(lookup: Lookup, images: Sequence[str], image: str) -> list[Built]:
    """The Dockerfiles that shell scripts of the project build under the name of ``image``."""
    result: list[Built] = []
    for path in lookup.launchers():
        launcher = _launcher(lookup, path)
        if launcher is None:
            continue
        folder = posixpath.dirname(path)
        for index, command in enumerate(launcher.commands):
            if _BUILD_WORDS.isdisjoint(command.words):
                continue
            build = commands.build(commands.peel(fill(command.words, None, _script_variables("/" + path))))
            if build is None or not any(_same_image(name, image) for name in build.names):
                continue
            step = Step(path, str(index), _shown(command.words))
            result += _built_files(lookup, images, build, folder, step)
    return result


def _built_files(
    lookup: Lookup, images: Sequence[str], build: commands.Build, folder: str, step: Step
) -> Iterator[Built]:
    """The Dockerfiles that a build may mean, run from the folder of its script or from one above it."""
    context = build.context or "."
    file = build.file or posixpath.join(context, "Dockerfile")
    for start in _ancestors(folder):
        path = _inside(posixpath.join("/" + start, file))
        inner = _inside(posixpath.join("/" + start, context))
        image = _image(lookup, path) if path in images and inner is not None else None
        stage = dockerfile.target(image, build.target) if image is not None else None
        if path is not None and inner is not None and stage is not None:
            yield Built(path, stage, (inner,), (step,))
            return


def _same_image(name: str, image: str) -> bool:
    first, second = repository(name), repository(image)
    if literal(first) and literal(second) and not _local(first):
        return first == second
    return _last_component(name) == _last_component(image) != ""


def _local(name: str) -> bool:
    """Whether a name has no registry and no owner: what is built under it is tagged anew before it is pushed."""
    return "/" not in name


def _last_component(image: str) -> str:
    """``trainer`` of ``registry/team/trainer:1.4``; empty if it is not known."""
    name = repository(image).rpartition("/")[2]
    return _spelled(name) if literal(name) else ""


def _spelled(name: str) -> str:
    return name.lower().replace("_", "-")


_FOLDERS_OF_FORM = frozenset({"docker", "dockerfiles", "container", "containers", "image", "images", "build", "deploy"})


def _names_of(path: str, project: str) -> set[str]:
    """The names that a Dockerfile goes by: its suffix or prefix, else the folder that it is about."""
    base = posixpath.basename(path)
    for separator in (".", "-", "_"):
        head, found, tail = base.partition(separator)
        if found and head.lower() in ("dockerfile", "containerfile"):
            return {_spelled(tail)}
    head, found, tail = base.rpartition(".")
    if found and tail.lower() in ("dockerfile", "containerfile"):
        return {_spelled(head)}
    return {_spelled(posixpath.basename(_subject(path)) or project)}


def _subject(path: str) -> str:
    """The folder that a Dockerfile is about: its own, or the one around ``docker/`` and the like."""
    parts = [part for part in posixpath.dirname(path).split("/") if part]
    while parts and parts[-1].lower() in _FOLDERS_OF_FORM:
        parts.pop()
    return "/".join(parts)


def _placeholder(image: str) -> bool:
    """Whether the whole name is left to ``envsubst`` or to the reader: ``${IMAGE}``, ``<your image>``."""
    name = repository(image)
    return not literal(name) and UNKNOWN not in name


def _other_candidates(manifest: ManifestInterface, image: str) -> bool:
    """Whether the manifest runs another image that may be the project's own."""
    others = {repository(site.container.image) for site in sites(manifest) if site.container.image}
    return any(name != repository(image) and not foreign(name) for name in others)


def _nearest(images: Sequence[str], path: str) -> str | None:
    """The only Dockerfile of the project, or the only one below the nearest folder around ``path`` that has any.

    Beside others, it must be about a folder that ``path`` is in: the neighbour ``trainer/Dockerfile`` is about itself.
    """
    for folder in _ancestors(posixpath.dirname(path)):
        inside = [image for image in images if not folder or image.startswith(folder + "/")]
        if not inside:
            continue
        subject = _subject(inside[0])
        about = len(images) == 1 or not subject or path.startswith(subject + "/")
        return inside[0] if len(inside) == 1 and about else None
    return None


def _ancestors(folder: str) -> tuple[str, ...]:
    """``a/b``, ``a`` and the root, which is empty."""
    parts = [part for part in folder.split("/") if part]
    return tuple("/".join(parts[:length]) for length in range(len(parts), -1, -1))


def _inside(path: str) -> str | None:
    """The path in the project of ``path``, whose root ``/`` is the project's; ``None`` if it is not known."""
    if not literal(path) or not path.startswith("/"):
        return None
    return posixpath.normpath(path).lstrip("/")


def _image(lookup: Lookup, path: str | None) -> ImageInterface | None:
    interface = lookup.read(path) if path is not None else None
    return interface if isinstance(interface, ImageInterface) else None


def _launcher(lookup: Lookup, path: str | None) -> LauncherInterface | None:
    interface = lookup.read(path) if path is not None else None
    return interface if isinstance(interface, LauncherInterface) else None


# -- what starts


def started_by_container(lookup: Lookup, path: str, manifest: ManifestInterface, site: Site) -> Started:
    """What the container ``site`` of the manifest at ``path`` starts: its command, or its image's."""
    container = site.container
    built = image_of(lookup, path, manifest, container.image) if container.image else None
    image = _image(lookup, built.path) if built is not None else None
    via = [Step(path, site.key, _site_name(site))]
    if built is None or image is None:
        words, missing = _command_alone(container)
        if words:
            via.append(Step(path, _command_key(site), _shown(words)))
        place: _Place = _Container(lookup, None, None, _mounts(container), container.working_dir or BASE_FOLDER)
        return _follow(lookup, place, words, dict(container.environment), tuple(via), missing)
    via += built.via
    start = dockerfile.start(image, built.stage)
    words, key = _effective(container, start)
    missing = _missing_entrypoint(image, built.stage) if key != "command" else ()
    stage = image.stages[built.stage]
    if key in ("command", "args"):
        via.append(Step(path, f"{site.key}:{key}", _shown(words)))
        via.append(Step(built.path, str(built.stage), f"image {readable(container.image or '')}"))
    else:
        via.append(Step(built.path, key or str(built.stage), f"{_keyword(key)} {_shown(words)}"))
    environment = {**dict(stage.environment), **dict(container.environment)}
    folder = container.working_dir or stage.workdir
    return _follow(
        lookup,
        _Container(lookup, image, built, _mounts(container), folder),
        () if missing else words,
        environment,
        tuple(via),
        missing,
    )


def started_by_image(lookup: Lookup, path: str) -> Started:
    """What the image of the Dockerfile at ``path`` starts when nothing else is said."""
    image = _image(lookup, path)
    built = _built(lookup, path)
    if image is None or built is None:
        return Started(missing=(f"{path} has no stages",))
    start = dockerfile.start(image, built.stage)
    missing = _missing_entrypoint(image, built.stage)
    key = start.entrypoint_key or start.cmd_key
    via = (Step(path, key or str(built.stage), f"{_keyword(key)} {_shown(start.words)}"),)
    stage = image.stages[built.stage]
    place = _Container(lookup, image, built, (), stage.workdir)
    return _follow(lookup, place, () if missing else start.words, dict(stage.environment), via, missing)


def started_by_launcher(lookup: Lookup, path: str, arguments: Sequence[str] = ()) -> Started:
    """What the shell script at ``path`` starts, run from its folder or from one above it."""
    return _follow(lookup, _Host(lookup, path), ("bash", "/" + path, *arguments), {}, (), ())


def _site_name(site: Site) -> str:
    kind = site.object.kind or "pod"
    return f"{kind} {readable(site.object.name)}, container {readable(site.container.name)}".replace(" ,", ",")


def _command_key(site: Site) -> str:
    return f"{site.key}:{'command' if site.container.command is not None else 'args'}"


def _keyword(key: str) -> str:
    return "ENTRYPOINT" if key.endswith(":entrypoint") else "CMD"


def _shown(words: Sequence[str]) -> str:
    return " ".join(readable(word) for word in words)


def _mounts(container: Container) -> tuple[str, ...]:
    return tuple(mount.path for mount in container.mounts or ())


def _effective(container: Container, start: dockerfile.Start) -> tuple[tuple[str, ...], str]:
    """The words that run, and where they come from: ``command`` also voids CMD, ``args`` only replace it."""
    if container.command:
        return container.command + (container.args or ()), "command"
    if container.args:
        return start.entrypoint + container.args, "args"
    return start.words, start.entrypoint_key or start.cmd_key


def _command_alone(container: Container) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a container whose image is not known, and what that leaves open.

    Arguments alone go to an entrypoint that nobody here can read; where they begin with a program, it hands over.
    """
    if container.command:
        return container.command + (container.args or ()), ()
    open_ = (f"what the image {readable(container.image or '')} starts",)
    args = container.args or ()
    peeled = commands.peel(args)
    launch = commands.launch(peeled)
    starts = commands.script(peeled) is not None or (launch is not None and (launch.program or launch.launcher))
    return (args if starts else ()), open_


def _missing_entrypoint(image: ImageInterface, stage: int) -> tuple[str, ...]:
    """An image of others that brings its own entrypoint decides what starts."""
    chain = [image.stages[index] for index in dockerfile.lineage(image, stage)]
    base = chain[-1].base
    owning = owner(None, image=base)
    if owning is not None and owning.entrypoint and all(step.entrypoint is None for step in chain):
        return (f"what the base image {readable(base)} starts",)
    return ()


# -- from a path to a file of the project


class _Place(Protocol):
    """Where a command runs: gives its start folder, and the files of the project behind the paths it names."""

    @property
    def folder(self) -> str: ...

    def find(self, path: str) -> str | None:
        """The file of the project at the absolute ``path``, ``None`` if there is none or two may be meant."""


class _Host:
    """The checkout itself, seen as a file system whose root is the project; the start folder is not known."""

    folder = BASE_FOLDER

    def __init__(self, lookup: Lookup, path: str) -> None:
        self._lookup = lookup
        self._starts = _ancestors(posixpath.dirname(path))

    def find(self, path: str) -> str | None:
        relative = path.startswith(BASE_FOLDER + "/")
        rest = path.removeprefix(BASE_FOLDER)
        candidates = [f"/{start}{rest}" for start in self._starts] if relative else [rest]
        present = self._lookup.named(posixpath.basename(path))
        found = {inside for inside in map(_inside, candidates) if inside in present}
        if not found and not relative and not literal(path):
            return _alike(self._lookup, path)
        return found.pop() if len(found) == 1 else None


class _Container:
    """A container: paths lead back through ``COPY``; where files may come from elsewhere, a unique name will do."""

    def __init__(
        self,
        lookup: Lookup,
        image: ImageInterface | None,
        built: Built | None,
        mounts: tuple[str, ...],
        folder: str,
    ) -> None:
        self._lookup = lookup
        self._image = image
        self._built = built
        self._mounts = tuple(posixpath.normpath(mount) for mount in mounts)
        self.folder = folder

    def find(self, path: str) -> str | None:
        copied = self._copied(path)
        if copied:
            return copied.pop() if len(copied) == 1 else None
        return _alike(self._lookup, path) if self._open(path) else None

    def _copied(self, path: str) -> set[str]:
        """The files of the project that the image has at ``path``: of the last ``COPY`` that puts one there."""
        if self._image is None or self._built is None:
            return set()
        pending = [(self._built.stage, path)]
        seen: set[tuple[int, str]] = set()
        while pending:
            at = pending.pop()
            if at in seen or len(seen) > 32:
                continue
            seen.add(at)
            stage, wanted = self._image.stages[at[0]], at[1]
            for copy in reversed(stage.copies):
                sources = list(_sources(copy, wanted))
                if copy.origin:
                    origin = _stage_of(self._image, copy.origin, at[0])
                    pending += [(origin, posixpath.join("/", source)) for source in sources if origin is not None]
                elif found := self._present(sources):
                    return found
            if stage.parent is not None:
                pending.append((stage.parent, wanted))
        return set()

    def _present(self, sources: Sequence[str]) -> set[str]:
        """The files of the project that one of ``sources`` names, in one of the folders that may be the context."""
        found: set[str] = set()
        for source in sources:
            present = self._lookup.named(posixpath.basename(source))
            for context in self._built.contexts if self._built is not None else ():
                path = posixpath.normpath(posixpath.join(context, source))
                if path in present:
                    found.add(path)
        return found

    def _open(self, path: str) -> bool:
        """Whether what stands at ``path`` may have come there otherwise than by a ``COPY`` that we can follow."""
        if self._image is None or self._built is None or not literal(path):
            return True
        if any(path == mount or path.startswith(mount + "/") for mount in self._mounts):
            return True
        chain = [self._image.stages[index] for index in dockerfile.lineage(self._image, self._built.stage)]
        copies = [copy for stage in chain for copy in stage.copies]
        return (
            any(stage.fetches for stage in chain) or not all(literal(copy.destination) for copy in copies) or not copies
        )


def _alike(lookup: Lookup, path: str) -> str | None:
    """The file of the project whose path has the longest end in common with ``path``, if there is only one."""
    best: list[str] = []
    longest = 0
    for candidate in lookup.named(posixpath.basename(path)):
        common = _common_end(candidate, path)
        if common > longest:
            best, longest = [candidate], common
        elif common == longest:
            best.append(candidate)
    return best[0] if len(best) == 1 else None


def _common_end(first: str, second: str) -> int:
    count = 0
    for left, right in zip(reversed(first.split("/")), reversed(second.split("/")), strict=False):
        if left != right:
            break
        count += 1
    return count


def _sources(copy: Copy, path: str) -> Iterator[str]:
    """The paths in the build context that ``copy`` may have put at ``path``."""
    inside = path.removeprefix(copy.destination + "/") if copy.destination != "/" else path.lstrip("/")
    below = inside if inside != path else ""
    for source in copy.sources:
        written = posixpath.normpath(source.lstrip("/")) if source.strip("/") else "."
        name = posixpath.basename(written)
        if any(character in written for character in "*?["):
            candidate = posixpath.join(posixpath.dirname(written), below)
            if below and "/" not in below and fnmatchcase(candidate, written):
                yield candidate
            continue
        if written != "." and (path == copy.destination or below == name):
            yield written
        if below:
            yield below if written == "." else f"{written}/{below}"


def _stage_of(image: ImageInterface, origin: str, before: int) -> int | None:
    if origin.isascii() and origin.isdecimal():
        return int(origin) if len(origin) < 4 and int(origin) < before else None
    stage = dockerfile.target(image, origin)
    return stage if stage is not None and stage < before else None


# -- following commands

_MOST_COMMANDS = 2_000
_LONGEST_CHAIN = 16
_DEEPEST_CALLS = 8
#: Scripts of tools, sourced to set up a shell; they start nothing.
_SETUP_SCRIPTS = frozenset({"activate", "conda.sh", ".bashrc", ".bash_profile", ".profile", "setvars.sh", ".env"})


class _Pending(msgspec.Struct, frozen=True):
    """A command that is still to be followed."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    via: tuple[Step, ...]
    conditional: bool = False
    scripts: tuple[str, ...] = ()
    depth: int = 0


def _follow(
    lookup: Lookup,
    place: _Place,
    words: Sequence[str],
    environment: Mapping[str, str],
    via: tuple[Step, ...],
    missing: tuple[str, ...],
) -> Started:
    """Follow a command through scripts to the programs it starts, in the order of execution."""
    follower = _Follower(lookup, place, missing)
    if words:
        follower.follow(_Pending(fill(words, None, environment), environment, place.folder, via))
    elif not missing:
        follower.gaps.append("no command is given")
    return Started(tuple(follower.programs), tuple(dict.fromkeys(follower.gaps)))


class _Follower:
    """Collects the programs behind a command, and in ``gaps`` what could not be followed."""

    def __init__(self, lookup: Lookup, place: _Place, gaps: Sequence[str]) -> None:
        self.programs: list[Program] = []
        self.gaps = list(gaps)
        self._lookup = lookup
        self._place = place

    def follow(self, first: _Pending) -> None:
        pending = [first]
        for _ in range(_MOST_COMMANDS):
            if not pending:
                return
            current = pending.pop()
            command = commands.peel(current.words)
            script = commands.script(command)
            if script is not None:
                variables = {**current.environment, **dict(command.environment)}
                pending.extend(reversed(list(self._commands_of(script, current, variables))))
            elif (launch := commands.launch(command)) is not None:
                self._start(launch, current)
        self.gaps.append("more commands than are followed")

    def _start(self, launch: Launch, current: _Pending) -> None:
        path = _program(self._place, launch, current.folder)
        self.programs.append(Program(path, launch, current.via, current.conditional))
        if path is None and owner(None, words=_owned(launch)) is None:
            self.gaps.append(f"what {_shown(current.words[:4])} runs")
        elif current.conditional:
            self.gaps.append(f"whether {_shown(current.words[:4])} runs")

    def _commands_of(
        self, script: commands.Script, current: _Pending, environment: Mapping[str, str]
    ) -> Iterator[_Pending]:
        """The commands of a script that ``current`` runs."""
        path: str | None = None
        if script.text is not None:
            launcher: LauncherInterface | None = shell.commands(script.text)
            shown = "a command given as text"
        else:
            path, environment = self._script_file(script, current.folder, environment)
            launcher = _launcher(self._lookup, path)
            shown = path or f"the script {readable(script.path or '')}"
        if launcher is None:
            if not (script.sourced and posixpath.basename(script.path or "") in _SETUP_SCRIPTS):
                self.gaps.append(shown)
        elif current.depth >= _LONGEST_CHAIN or (path is not None and path in current.scripts):
            self.gaps.append(f"{shown}, which runs itself")
        else:
            if not launcher.complete:
                self.gaps.append(f"all of {shown}")
            yield from self._expanded(launcher, path, script.arguments, current, environment)

    def _script_file(
        self, script: commands.Script, folder: str, environment: Mapping[str, str]
    ) -> tuple[str | None, Mapping[str, str]]:
        """The file of the project that a script is, and the variables it sees."""
        written = script.path or ""
        wanted = _joined(folder, written)
        path = self._place.find(wanted) if literal(posixpath.basename(written)) else None
        return path, {**environment, **_script_variables(wanted)}

    def _expanded(
        self,
        launcher: LauncherInterface,
        path: str | None,
        arguments: Sequence[str],
        current: _Pending,
        environment: Mapping[str, str],
    ) -> Iterator[_Pending]:
        """The commands of ``launcher`` in order, each with the folder and the variables it runs in."""
        variables = {**environment, "PWD": current.folder}
        exported = _filled(launcher.exports, arguments, variables)
        folders = {0: current.folder}
        scripts = current.scripts if path is None else (*current.scripts, path)
        for index, command, words, conditional in _calls(launcher, arguments, variables):
            folder = folders.setdefault(command.subshell, folders[0])
            certain = not conditional and not command.subshell and not command.background
            match words:
                case ["cd" | "pushd", target] | ["cd" | "pushd", "--", target]:
                    known = literal(target) and not conditional
                    folders[command.subshell] = _joined(folder, target) if known else UNKNOWN
                    continue
                case ["exit" | "return", *_] if certain and not command.function:
                    return
                case ["source" | ".", *_] if certain:
                    variables.update(self._exports_of(words, folder, variables))
                case _:
                    pass
            yield _Pending(
                words=words,
                environment={**variables, **exported, **_filled(command.environment, arguments, variables)},
                folder=folder,
                via=current.via if path is None else (*current.via, Step(path, str(index), _shown(words))),
                conditional=current.conditional or conditional,
                scripts=scripts,
                depth=current.depth + 1,
            )
            if words[0] == "exec" and len(words) > 1 and certain:
                return

    def _exports_of(self, words: Sequence[str], folder: str, environment: Mapping[str, str]) -> Mapping[str, str]:
        """What a sourced script exports to the rest of the script that reads it."""
        script = commands.script(commands.peel(words))
        if script is None:
            return {}
        path, seen = self._script_file(script, folder, environment)
        launcher = _launcher(self._lookup, path)
        return {} if launcher is None else _filled(launcher.exports, script.arguments, seen)


def _filled(
    pairs: Sequence[tuple[str, str]], arguments: Sequence[str], environment: Mapping[str, str]
) -> dict[str, str]:
    return {name: "".join(fill((value,), arguments, environment)) for name, value in pairs}


def _owned(launch: Launch) -> tuple[str, ...]:
    return (launch.command, "-m", launch.program) if launch.module and launch.program else (launch.command,)


def _program(place: _Place, launch: Launch, folder: str) -> str | None:
    """The Python file of the project that ``launch`` runs."""
    if launch.program is None:
        return None
    if not launch.module:
        return place.find(_joined(folder, launch.program)) if launch.program.endswith(".py") else None
    stem = launch.program.replace(".", "/")
    for candidate in (f"{stem}.py", f"{stem}/__main__.py", f"src/{stem}.py", f"src/{stem}/__main__.py"):
        found = place.find(_joined(folder, candidate))
        if found is not None and _common_end(found, candidate) == candidate.count("/") + 1:
            return found
    return None


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _script_variables(path: str) -> dict[str, str]:
    return {SCRIPT: path, SCRIPT_FOLDER: posixpath.dirname(path) or "."}


def _calls(
    launcher: LauncherInterface, arguments: Sequence[str], environment: Mapping[str, str]
) -> Iterator[tuple[int, SimpleCommand, tuple[str, ...], bool]]:
    """The commands outside functions, and in place of a call of a function the commands of its body."""
    bodies: dict[str, list[int]] = {name: [] for name in launcher.functions}
    top: list[int] = []
    for index, command in enumerate(launcher.commands):
        bodies.get(command.function, top).append(index)
    frames = [(iter(top), tuple(arguments), False, frozenset[str]())]
    for _ in range(_MOST_COMMANDS):
        if not frames:
            return
        body, given, conditional, calling = frames[-1]
        position = next(body, None)
        if position is None:
            frames.pop()
            continue
        command = launcher.commands[position]
        words = fill(command.words, given, environment)
        if not words:
            continue
        conditional = conditional or command.conditional
        if words[0] in bodies and words[0] not in calling and len(frames) < _DEEPEST_CALLS:
            frames.append((iter(bodies[words[0]]), words[1:], conditional, calling | {words[0]}))
        else:
            yield position, command, words, conditional
