"""Which files a run looks at: everything of ours below the folders named, less what is ignored."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pathspec

from mlsys_advise.finding import Notice


class Language(enum.StrEnum):
    """The languages that files are read as."""

    PYTHON = "python"
    NOTEBOOK = "notebook"
    YAML = "yaml"
    DOCKERFILE = "dockerfile"
    SHELL = "shell"
    REQUIREMENTS = "requirements"


#: Folders that hold no code of the project's authors.
DEFAULT_EXCLUDES = frozenset(
    ".bzr .direnv .eggs .git .hg .ipynb_checkpoints .mypy_cache .nox .pants.d .pytest_cache .pytype .ruff_cache .svn "
    ".tox .venv .vscode __pycache__ __pypackages__ _build buck-out build dist node_modules site-packages venv".split()
)
_REQUIREMENTS = re.compile(
    r"(?i)(requirements|constraints|reqs?)([-_.].*)?\.(txt|in)$|.*[-_.]requirements\.(txt|in)$"
    r"|pyproject\.toml$|setup\.cfg$|(environment|conda)([-_.].*)?\.ya?ml$|uv\.lock$|poetry\.lock$|pipfile(\.lock)?$"
)
_DOCKERFILE = re.compile(r"(?i)(dockerfile|containerfile)([-_.].*)?$|.*\.(dockerfile|containerfile)$")
_SUFFIXES = {
    ".py": Language.PYTHON,
    ".pyw": Language.PYTHON,
    ".ipynb": Language.NOTEBOOK,
    ".yaml": Language.YAML,
    ".yml": Language.YAML,
    ".sh": Language.SHELL,
    ".bash": Language.SHELL,
    ".slurm": Language.SHELL,
    ".sbatch": Language.SHELL,
}


def language_of(path: str) -> Language | None:
    """The language that a file's name promises."""
    folder, _, name = path.rpartition("/")
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    if suffix in (".py", ".ipynb", ".pyw"):
        return _SUFFIXES[suffix]
    if _REQUIREMENTS.match(name):
        return Language.REQUIREMENTS
    if suffix in (".txt", ".in") and folder.rpartition("/")[2].lower() in ("requirements", "requires", "reqs"):
        return Language.REQUIREMENTS
    if _DOCKERFILE.match(name):
        return Language.DOCKERFILE
    return _SUFFIXES.get(suffix)


class Settings(msgspec.Struct, frozen=True):
    """What else to leave out: patterns as in ``.gitignore``, relative to the folder named."""

    exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True


class Discovery(msgspec.Struct, frozen=True):
    """The files found, absolute and sorted; ``missing`` are arguments that do not exist."""

    files: tuple[Path, ...]
    notices: tuple[Notice, ...] = ()
    missing: tuple[Path, ...] = ()


def discover(paths: Sequence[Path], settings: Settings) -> Discovery:
    """The files of ours among and below the paths. A file that is named is taken even where it would be ignored."""
    files: dict[str, None] = {}
    missing: list[Path] = []
    for path in paths:
        absolute = os.path.abspath(path)  # noqa: PTH100 - links are kept as they were named
        if os.path.isdir(absolute):  # noqa: PTH112
            files.update(dict.fromkeys(_walk(absolute, settings)))
        elif os.path.lexists(absolute):
            files[absolute] = None
        else:
            missing.append(path)
    return Discovery(tuple(Path(file) for file in sorted(files)), (), tuple(missing))


class _Ignore:
    """The patterns of one ``.gitignore`` and the folder that they speak of."""

    def __init__(self, folder: str, lines: Sequence[str]) -> None:
        self.prefix = folder.rstrip("/") + "/"
        self.spec = pathspec.GitIgnoreSpec.from_lines(lines)

    def verdict(self, path: str, directory: bool) -> bool | None:
        relative = path[len(self.prefix) :] + ("/" if directory else "")
        return self.spec.check_file(relative).include


def _read_ignore(file: str, folder: str) -> _Ignore | None:
    try:
        with open(file, encoding="utf-8", errors="replace") as handle:
            lines = handle.read().splitlines()
    except OSError:
        return None
    if not any(line.strip() and not line.startswith("#") for line in lines):
        return None
    try:
        return _Ignore(folder, lines)
    except ValueError:
        return None


def _outer_ignores(folder: str) -> list[_Ignore]:
    """The ignore files above a folder, up to the root of its repository."""
    found: list[_Ignore] = []
    around = Path(folder)
    chain = [around, *around.parents]
    root = next((one for one in chain if os.path.lexists(one / ".git")), None)
    if root is None:
        return found
    info = _read_ignore(str(root / ".git" / "info" / "exclude"), str(root))
    if info is not None:
        found.append(info)
    inside = chain[1 : chain.index(root) + 1]
    for one in reversed(inside):
        ignore = _read_ignore(str(one / ".gitignore"), str(one))
        if ignore is not None:
            found.append(ignore)
    return found


def _ignored(path: str, directory: bool, ignores: Sequence[_Ignore]) -> bool:
    """Git's answer: the last pattern that matches decides, the innermost file first."""
    for ignore in reversed(ignores):
        verdict = ignore.verdict(path, directory)
        if verdict is not None:
            return verdict
    return False


def _walk(top: str, settings: Settings) -> list[str]:
    """The files of ours below a folder, each once; a folder is entered once whatever links lead to it."""
    own = [_Ignore(top, settings.exclude)] if settings.exclude else []
    stack: list[tuple[str, list[_Ignore]]] = [(top, _outer_ignores(top) if settings.respect_gitignore else [])]
    seen: set[tuple[int, int]] = set()
    identities: set[str] = set()
    found: list[str] = []
    while stack:
        folder, ignores = stack.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        if status.st_ino and (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if settings.respect_gitignore and any(entry.name == ".gitignore" for entry in entries):
            ignore = _read_ignore(f"{folder}/.gitignore", folder)
            if ignore is not None:
                ignores = [*ignores, ignore]
        active = [*ignores, *own]
        for entry in entries:
            name = entry.name
            try:
                directory = entry.is_dir()
            except OSError:
                continue
            path = f"{folder.rstrip('/')}/{name}"
            if directory:
                if name in DEFAULT_EXCLUDES or os.path.exists(f"{path}/pyvenv.cfg"):  # noqa: PTH110
                    continue
                if not (active and _ignored(path, True, active)):
                    stack.append((path, ignores))
            elif language_of(path) is not None and not (active and _ignored(path, False, active)):
                if entry.is_symlink():
                    real = os.path.realpath(path)
                    if real in identities or real.startswith(f"{top}/"):
                        continue
                    identities.add(real)
                found.append(path)
    return found
