"""Dockerfiles: the stages of an image, what each adds to the one it starts from, and what the image runs.

Invariant: parsing never raises; an instruction that makes no sense is passed over. Paths in an interface are those of
the container, absolute or, where the base image decides, below ``BASE_FOLDER``; build arguments stand as holes with
their default.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from mlsys_advise.languages import shell
from mlsys_advise.languages.words import UNKNOWN, assume_defaults, clean, hole
from mlsys_advise.span import Span

#: The working directory that a base image outside the project leaves behind.
BASE_FOLDER = hole("WORKDIR")


class Copy(msgspec.Struct, frozen=True, array_like=True):
    """``COPY`` or ``ADD``: the sources as written, where they land, and the stage or image they come from.

    ``origin`` is empty for the build context.
    """

    sources: tuple[str, ...]
    destination: str
    origin: str = ""


class Stage(msgspec.Struct, frozen=True, array_like=True):
    """What one ``FROM`` and the instructions after it say; ``None`` means that the stage it starts from decides.

    ``base`` is the image or stage named by ``FROM``, with the defaults of build arguments. ``parent`` is the index of
    an earlier stage, ``None`` for an image from elsewhere. ``environment`` includes what it inherits from stages of
    this file. ``workdir`` is always known as far as this file goes. Shell forms are written as the words that run:
    ``("/bin/sh", "-c", "python train.py")``. ``installs`` are the commands of package managers. ``fetches`` says that
    files come from somewhere else than the build context.
    """

    base: str
    name: str = ""
    parent: int | None = None
    environment: tuple[tuple[str, str], ...] = ()
    workdir: str = BASE_FOLDER
    user: str | None = None
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    copies: tuple[Copy, ...] = ()
    volumes: tuple[str, ...] = ()
    installs: tuple[tuple[str, ...], ...] = ()
    fetches: bool = False


class ImageInterface(msgspec.Struct, frozen=True, array_like=True, tag="image"):
    """What other files need to know of a Dockerfile: its stages in order; the last one is the image."""

    stages: tuple[Stage, ...] = ()


class ImageDocument(msgspec.Struct, frozen=True):
    """A parsed Dockerfile.

    ``spans`` has ``0`` for the ``FROM`` of the first stage, and ``0:cmd``, ``0:entrypoint``, ``0:workdir``,
    ``0:copy2`` (the third copy) and ``0:env:NAME`` for the instructions that settled these.
    """

    path: str
    image: ImageInterface
    spans: dict[str, Span]


class Start(msgspec.Struct, frozen=True):
    """What a stage runs when nothing is said on its outside: ``ENTRYPOINT`` and ``CMD``, own or inherited.

    The keys name the instructions in ``ImageDocument.spans``; empty where there is none.
    """

    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    entrypoint_key: str = ""
    cmd_key: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        return self.entrypoint + self.cmd


def parse(text: str, path: str) -> ImageDocument:
    """The stages of the Dockerfile ``text``; instructions before the first ``FROM`` other than ``ARG`` are ignored."""
    builder = _Builder()
    for instruction in _instructions(clean(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))):
        builder.add(instruction)
    return ImageDocument(path, ImageInterface(tuple(builder.finished())), builder.spans)


def interface(document: ImageDocument) -> ImageInterface:
    return document.image


def lineage(image: ImageInterface, index: int) -> Iterator[int]:
    """``index`` and the stages it starts from, the nearest first."""
    step: int | None = index
    while step is not None:
        yield step
        step = image.stages[step].parent


def target(image: ImageInterface, name: str = "") -> int | None:
    """The index of the stage called ``name``, or of the last one; ``None`` if there is no such stage."""
    if not name:
        return len(image.stages) - 1 if image.stages else None
    matching = [index for index, stage in enumerate(image.stages) if stage.name.lower() == name.lower()]
    return matching[-1] if matching else None


def start(image: ImageInterface, index: int) -> Start:
    """What the stage ``index`` runs; an ``ENTRYPOINT`` voids the ``CMD`` of the stages before it."""
    cmd: tuple[str, ...] | None = None
    cmd_key = ""
    for step in lineage(image, index):
        stage = image.stages[step]
        if cmd is None and stage.cmd is not None:
            cmd, cmd_key = stage.cmd, f"{step}:cmd"
        if stage.entrypoint is not None:
            return Start(stage.entrypoint, cmd or (), f"{step}:entrypoint" if stage.entrypoint else "", cmd_key)
    return Start((), cmd or (), "", cmd_key)


# -- instructions


class _Heredoc(msgspec.Struct, frozen=True):
    name: str
    body: str


class _Instruction(msgspec.Struct, frozen=True):
    """One instruction: ``rest`` is what follows keyword and flags, with continued lines joined."""

    keyword: str
    flags: dict[str, str]
    rest: str
    span: Span
    escape: str = "\\"
    heredocs: tuple[_Heredoc, ...] = ()

    def array(self) -> tuple[str, ...] | None:
        """The words of the JSON form, ``None`` for the shell form."""
        if not self.rest.startswith("["):
            return None
        try:
            value = json.loads(self.rest)
        except (ValueError, RecursionError):
            return None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(clean(item) for item in value)
        return None


_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(\S+)\s*$")
_HEREDOC = re.compile(r"""<<(-?)(["']?)([A-Za-z_]\w*)\2(?=\s|$)""")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?\s*")
_WITH_HEREDOCS = frozenset({"RUN", "COPY", "ADD"})


def _instructions(text: str) -> Iterator[_Instruction]:
    lines = text.split("\n")
    escape = _escape(lines)
    continued = re.compile(re.escape(escape) + r"[ \t]*$")
    at = 0
    while at < len(lines):
        if _skipped(lines[at]):
            at += 1
            continue
        first = at
        pieces: list[str] = []
        while at < len(lines):
            line = lines[at]
            at += 1
            if pieces and _skipped(line):
                continue
            match = continued.search(line)
            pieces.append(line[: match.start()] if match else line)
            if match is None:
                break
        keyword, _, rest = _partition("".join(pieces))
        heredocs: list[_Heredoc] = []
        if keyword in _WITH_HEREDOCS and "<<" in rest:
            at, heredocs = _heredocs(lines, at, rest)
        last = lines[at - 1].rstrip()
        indent = len(lines[first]) - len(lines[first].lstrip())
        span = Span(first + 1, indent + 1, at, len(last) + 1)
        yield _instruction(keyword, rest, span, escape, tuple(heredocs))


def _instruction(keyword: str, rest: str, span: Span, escape: str, heredocs: tuple[_Heredoc, ...] = ()) -> _Instruction:
    flags: dict[str, str] = {}
    while match := _FLAG.match(rest):
        flags[match[1]] = match[2] or ""
        rest = rest[match.end() :]
    return _Instruction(keyword, flags, rest, span, escape, heredocs)


def _partition(text: str) -> tuple[str, str, str]:
    parts = text.strip().split(None, 1)
    return (parts[0].upper() if parts else ""), " ", (parts[1] if len(parts) > 1 else "")


def _escape(lines: Sequence[str]) -> str:
    """The escape character: a directive counts only at the very top."""
    for line in lines:
        match = _DIRECTIVE.match(line.strip())
        if match is None:
            return "\\"
        if match[1].lower() == "escape":
            return "`" if match[2] == "`" else "\\"
    return "\\"


def _skipped(line: str) -> bool:
    stripped = line.strip()
    return not stripped or stripped.startswith("#")


def _heredocs(lines: Sequence[str], at: int, rest: str) -> tuple[int, list[_Heredoc]]:
    """The here-documents that ``rest`` opens, and the line after them; one without an end is none."""
    found: list[_Heredoc] = []
    for match in _HEREDOC.finditer(rest):
        tabs, name = match[1], match[3]
        for end in range(at, len(lines)):
            if (lines[end].lstrip("\t") if tabs else lines[end]) == name:
                break
        else:
            break
        body = lines[at:end]
        found.append(_Heredoc(name, "\n".join(line.lstrip("\t") if tabs else line for line in body)))
        at = end + 1
    return at, found


# -- stages


class _Draft:
    """A stage that is being read."""

    def __init__(self, base: str, name: str, parent: int | None) -> None:
        self.base, self.name, self.parent = base, name, parent
        self.environment: dict[str, str] = {}
        self.arguments: dict[str, str] = {}
        self.workdir = BASE_FOLDER
        self.shell: tuple[str, ...] = ("/bin/sh", "-c")
        self.user: str | None = None
        self.entrypoint: tuple[str, ...] | None = None
        self.cmd: tuple[str, ...] | None = None
        self.copies: list[Copy] = []
        self.volumes: list[str] = []
        self.installs: list[tuple[str, ...]] = []
        self.fetches = False
        self.triggers: list[_Instruction] = []

    def finished(self) -> Stage:
        return Stage(
            base=self.base,
            name=self.name,
            parent=self.parent,
            environment=tuple(sorted(self.environment.items())),
            workdir=self.workdir,
            user=self.user,
            entrypoint=self.entrypoint,
            cmd=self.cmd,
            copies=tuple(self.copies),
            volumes=tuple(self.volumes),
            installs=tuple(self.installs),
            fetches=self.fetches,
        )


_MOST_INSTRUCTIONS = 4_000
_INSTALLERS = frozenset({"pip", "pip3", "conda", "mamba", "micromamba", "uv", "poetry", "apt-get", "apt"})
_FETCHERS = frozenset({"git", "curl", "wget", "aria2c", "gsutil", "aws"})
_INTERESTING = re.compile(r"\b(?:pip3?|conda|mamba|micromamba|uv|poetry|apt|git|curl|wget|aria2c|gsutil|aws)\b")


class _Builder:
    """Applies instructions to the stage they belong to, with the variables in force at that point."""

    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}
        self._stages: list[_Draft] = []
        self._global: dict[str, str] = {}
        self._budget = _MOST_INSTRUCTIONS

    def finished(self) -> list[Stage]:
        return [stage.finished() for stage in self._stages]

    def add(self, instruction: _Instruction) -> None:
        self._budget -= 1
        if self._budget < 0:
            return
        if instruction.keyword == "FROM":
            self._from(instruction)
        elif not self._stages:
            if instruction.keyword == "ARG":
                self._global.update(_arguments(instruction, self._global, {}))
        else:
            self._apply(instruction, self._stages[-1])

    def _from(self, instruction: _Instruction) -> None:
        words = assume_defaults(_words(instruction, self._global))[0]
        if not words:
            return
        name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""
        parent = self._named(words[0])
        stage = _Draft(words[0], name, parent)
        if parent is not None:
            before = self._stages[parent]
            stage.environment = dict(before.environment)
            stage.workdir, stage.shell, stage.user = before.workdir, before.shell, before.user
        self._stages.append(stage)
        self.spans[str(len(self._stages) - 1)] = instruction.span
        if parent is not None:
            for trigger in self._stages[parent].triggers:
                self.add(trigger)

    def _named(self, name: str) -> int | None:
        for index in range(len(self._stages) - 1, -1, -1):
            if self._stages[index].name and self._stages[index].name.lower() == name.lower():
                return index
        return None

    def _apply(self, instruction: _Instruction, stage: _Draft) -> None:
        scope = {**stage.arguments, **stage.environment}
        key = f"{len(self._stages) - 1}"
        match instruction.keyword:
            case "ENV":
                for name, value in _pairs(instruction, scope):
                    stage.environment[name] = value
                    self.spans[f"{key}:env:{name}"] = instruction.span
            case "ARG":
                stage.arguments.update(_arguments(instruction, scope, self._global))
            case "WORKDIR":
                words = _words(instruction, scope)
                stage.workdir = _path(stage.workdir, " ".join(words) or ".")
                self.spans[f"{key}:workdir"] = instruction.span
            case "COPY" | "ADD":
                self._copy(instruction, stage, scope, key)
            case "CMD":
                stage.cmd = _command(instruction, stage.shell)
                self.spans[f"{key}:cmd"] = instruction.span
            case "ENTRYPOINT":
                stage.entrypoint = _command(instruction, stage.shell)
                self.spans[f"{key}:entrypoint"] = instruction.span
            case "SHELL":
                stage.shell = instruction.array() or stage.shell
            case "USER":
                stage.user = " ".join(_words(instruction, scope))
            case "VOLUME":
                stage.volumes += [_path("/", word) for word in _words(instruction, scope)]
            case "RUN":
                _run(instruction, stage)
            case "ONBUILD":
                keyword, _, rest = _partition(instruction.rest)
                if keyword not in ("ONBUILD", "FROM"):
                    stage.triggers.append(_instruction(keyword, rest, instruction.span, instruction.escape))
            case _:
                pass

    def _copy(self, instruction: _Instruction, stage: _Draft, scope: Mapping[str, str], key: str) -> None:
        words = assume_defaults(_words(instruction, scope))[0]
        if len(words) < 2:
            return
        *sources, destination = (word for word in words)
        origin = instruction.flags.get("from", "")
        origin = assume_defaults((_expand(origin, scope, instruction.escape),))[0][0] if origin else ""
        remote = [source for source in sources if "://" in source or source.startswith(("git@", "<<"))]
        archives = instruction.keyword == "ADD" and any(_ARCHIVE.search(source) for source in sources)
        stage.fetches = stage.fetches or bool(remote) or archives or "parents" in instruction.flags
        local = tuple(source for source in sources if source not in remote)
        if origin and self._named(origin) is None and not origin.isdecimal():
            stage.fetches = True
        if local:
            self.spans[f"{key}:copy{len(stage.copies)}"] = instruction.span
            stage.copies.append(Copy(local, _path(stage.workdir, destination), origin))


_ARCHIVE = re.compile(r"\.(?:tar(?:\.\w+)?|tgz|tbz2?|txz)$")


def _path(folder: str, path: str) -> str:
    """``path`` as seen from ``folder``, without ``.`` and ``..``; holes keep their name, for their default is taken."""
    path = "".join(assume_defaults((path,))[0])
    return posixpath.normpath(posixpath.join(folder, path))


def _command(instruction: _Instruction, shell_words: tuple[str, ...]) -> tuple[str, ...]:
    array = instruction.array()
    if array is not None:
        return array
    return (*shell_words, instruction.rest.strip()) if instruction.rest.strip() else ()


def _run(instruction: _Instruction, stage: _Draft) -> None:
    array = instruction.array()
    for text in (instruction.rest, *(heredoc.body for heredoc in instruction.heredocs)):
        if not _INTERESTING.search(text):
            continue
        commands = (array,) if array is not None else [line.words for line in shell.commands(text).commands]
        for words in commands:
            stage.fetches = stage.fetches or (bool(words) and words[0] in _FETCHERS)
            if words and (words[0] in _INSTALLERS or words[1:3] == ("-m", "pip")):
                stage.installs.append(tuple(words))


# -- words and variables


def _words(instruction: _Instruction, scope: Mapping[str, str]) -> list[str]:
    array = instruction.array()
    if array is not None:
        return [_expand(word, scope, instruction.escape) for word in array]
    return [_expand(word, scope, instruction.escape) for word in _split(instruction.rest, instruction.escape)]


def _split(text: str, escape: str) -> list[str]:
    """``text`` at blanks outside quotes, quotes and escapes still in place."""
    words: list[str] = []
    word: list[str] = []
    quote = ""
    at = 0
    while at < len(text):
        character = text[at]
        if character == escape and quote != "'" and at + 1 < len(text):
            word.append(text[at : at + 2])
            at += 2
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character.isspace():
            if word:
                words.append("".join(word))
                word = []
            at += 1
            continue
        word.append(character)
        at += 1
    if word:
        words.append("".join(word))
    return words


_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+?])([^{}]*))?\})", re.ASCII)


def _expand(word: str, scope: Mapping[str, str], escape: str) -> str:
    """``word`` without its quotes and escapes, and with variables replaced by their values."""
    result: list[str] = []
    quote = ""
    at = 0
    while at < len(word):
        character = word[at]
        if character == escape and quote != "'" and at + 1 < len(word):
            kept = quote == '"' and word[at + 1] not in '"$' + escape
            result.append(word[at : at + 2] if kept else word[at + 1])
            at += 2
        elif character == "$" and quote != "'":
            match = _VARIABLE.match(word, at)
            if match is None:
                result.append(UNKNOWN if word[at + 1 : at + 2] == "{" else character)
                at = len(word) if word[at + 1 : at + 2] == "{" else at + 1
            else:
                result.append(_variable(match, scope))
                at = match.end()
        else:
            if quote:
                quote, shown = ("", "") if character == quote else (quote, character)
            else:
                quote, shown = (character, "") if character in "\"'" else ("", character)
            result.append(shown)
            at += 1
    return "".join(result)


def _variable(match: re.Match[str], scope: Mapping[str, str]) -> str:
    name, operator, word = match[1] or match[2], match[3] or "", match[4] or ""
    value = scope.get(name)
    if operator.endswith("-"):
        return value or (word if "$" not in word else UNKNOWN)
    if operator.endswith("+"):
        return "" if value is None else word if "$" not in word else UNKNOWN
    return hole(name) if value is None else value


def _pairs(instruction: _Instruction, scope: Mapping[str, str]) -> list[tuple[str, str]]:
    """``A=1 B="x y"``, or the older ``A x y``."""
    words = _split(instruction.rest, instruction.escape)
    if not words:
        return []
    if "=" not in words[0]:
        value = instruction.rest.split(None, 1)[1:]
        return [(words[0], _expand(value[0].strip() if value else "", scope, instruction.escape))]
    pairs = (word.partition("=") for word in words)
    return [(name, _expand(value, scope, instruction.escape)) for name, _, value in pairs if name]


def _arguments(
    instruction: _Instruction, scope: Mapping[str, str], inherited: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Build arguments: whoever builds the image may give another value than the default."""
    for word in _split(instruction.rest, instruction.escape):
        name, equals, value = word.partition("=")
        if equals:
            yield name, hole("", "".join(assume_defaults((_expand(value, scope, instruction.escape),))[0]))
        else:
            yield name, inherited.get(name, UNKNOWN)
