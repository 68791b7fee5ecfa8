"""Which files a run looks at: everything of ours below the folders named, less what is ignored.

Invariant: what a walk finds below a folder does not depend on the order of the file system, on the other arguments, or
on links; no file is opened but ignore files, and no folder is entered twice.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mlsys_advise.finding import Notice
from mlsys_advise.languages.source import read
from mlsys_advise.project import layout
from mlsys_advise.project.file_languages import Language, language_named, language_of
from mlsys_advise.project.gitignore import IgnoreRules
from mlsys_advise.project.repository import git_directory, repository_root
from mlsys_advise.settings.layer import Patterns, Settings

__all__ = ["DEFAULT_EXCLUDES", "Discovery", "Language", "discover", "is_excluded", "language_of"]


#: Folders that hold no code of the project's authors; left out unless the settings have ``exclude``.
DEFAULT_EXCLUDES = frozenset(
    {
        *(".bzr", ".direnv", ".eggs", ".git", ".hg", ".ipynb_checkpoints", ".jj", ".mypy_cache", ".nox", ".pants.d"),
        *(".pixi", ".pytest_cache", ".pytype", ".ruff_cache", ".sl", ".svn", ".terraform", ".tox", ".venv", ".vscode"),
        *("__pycache__", "__pypackages__", "_build", "buck-out", "build", "dist", "node_modules", "site-packages"),
        "venv",
    }
)
#: What makes a folder a Python environment, whatever it is called.
_ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
_MARKS = _ENVIRONMENT_MARKS | {".git", ".gitignore"}


class Discovery(msgspec.Struct, frozen=True):
    """The files found, absolute and sorted; ``missing`` are arguments that do not exist, an error of usage."""

    files: tuple[Path, ...]
    notices: tuple[Notice, ...] = ()
    missing: tuple[Path, ...] = ()


def discover(paths: Sequence[Path], settings: Settings) -> Discovery:
    """The files of ours among and below the paths. A file that is named is taken even where it would be ignored.

    The patterns of ``settings`` decide before any other reason to leave a file out or in.

    Links to files count where their target is not found itself. A link to a folder is followed where it leads to
    another place of the same repository, outside the folder that is walked.
    """
    files: set[str] = set()
    missing: list[Path] = []
    notices: list[Notice] = []
    for path in paths:
        absolute = _as_listed(os.path.abspath(path))  # noqa: PTH100 - links are kept as they were named
        if os.path.isdir(absolute):  # noqa: PTH112
            walk = _Walk(absolute, settings)
            walk.run()
            files.update(walk.found)
            notices += walk.notices
        elif os.path.lexists(absolute):
            files.add(absolute)
        else:
            missing.append(path)
    return Discovery(tuple(map(Path, sorted(files))), tuple(sorted(set(notices))), tuple(missing))


def is_excluded(path: Path, root: Path, settings: Settings) -> bool:
    """Whether the settings of a project leave out a file of it, or a folder around the file."""
    own = _own(settings)
    parts = path.relative_to(root).parts
    around = _slashed(str(root))
    for depth, name in enumerate(parts):
        around = f"{around}/{name}"
        verdict = _own_verdict(own, around, depth < len(parts) - 1)
        if verdict or (verdict is None and settings.exclude is None and name in DEFAULT_EXCLUDES):
            return True
    return False


def _own(settings: Settings) -> list[_OwnPatterns]:
    """The patterns of the settings, the weakest first."""
    replaced = (settings.exclude,) if settings.exclude is not None else ()
    return [_compiled(patterns) for patterns in (*replaced, *settings.extend_exclude)]


@functools.lru_cache(maxsize=256)
def _compiled(patterns: Patterns) -> _OwnPatterns:
    return _OwnPatterns(patterns)


class _OwnPatterns:
    """Patterns of the settings, asked with absolute paths."""

    def __init__(self, patterns: Patterns) -> None:
        self._rules = IgnoreRules("\n".join(patterns.patterns))
        self._lead = _slashed(os.path.realpath(patterns.base)) + "/"

    def verdict(self, path: str, is_directory: bool) -> bool | None:
        if not path.startswith(self._lead):
            return None
        return self._rules.verdict(path[len(self._lead) :], is_directory)


def _own_verdict(own: Sequence[_OwnPatterns], path: str, is_directory: bool) -> bool | None:
    """What the last patterns that say anything say."""
    for one in reversed(own):
        verdict = one.verdict(path, is_directory)
        if verdict is not None:
            return verdict
    return None


def _as_listed(path: str) -> str:
    """The path as its folders spell it, where the file system would find it by another spelling, too."""
    if sys.platform not in ("darwin", "win32"):
        return path
    return respelled(path)


def respelled(path: str) -> str:
    """The path with each component spelled as its folder lists it; those that are not listed stay as they are."""
    anchor, *names = Path(path).parts
    spelled = Path(anchor)
    for name in names:
        try:
            listed = sorted(os.listdir(spelled))  # noqa: PTH208
        except OSError:
            listed = []
        if name not in listed:
            name = next((one for one in listed if one.casefold() == name.casefold()), name)
        spelled /= name
    return str(spelled)


class _Ignore(msgspec.Struct, frozen=True):
    """Rules, and how a path of the walk becomes one that is relative to them: ``lead`` stands for its first ``cut``
    characters."""

    rules: IgnoreRules
    cut: int
    lead: str = ""

    def verdict(self, path: str, is_directory: bool) -> bool | None:
        return self.rules.verdict(self.lead + path[self.cut :], is_directory)


class _Folder(msgspec.Struct, frozen=True):
    """A folder to enter, and the ignore files above it, outermost first; ``followed`` says that a link led here."""

    path: str
    ignores: tuple[_Ignore, ...]
    followed: bool = False


class _Walk:
    """One walk below one folder, all paths with forward slashes."""

    def __init__(self, top: str, settings: Settings) -> None:
        self.found: list[str] = []
        self.notices: list[Notice] = []
        self._top = _slashed(top)
        self._real_top = _slashed(os.path.realpath(top))
        self._respects_git = settings.respect_gitignore
        self._real = Path(os.path.realpath(top))
        root = layout.project_root(self._real)
        #: Neither ignore files nor links count beyond this.
        self._boundary = repository_root(self._real) or root
        self._own = _own(settings)
        self._excludes = DEFAULT_EXCLUDES if settings.exclude is None else frozenset()
        #: Paths of links to files, by the path of their target.
        self._links: dict[str, list[str]] = {}
        self._pending: list[_Folder] = []
        self._entered: set[tuple[int, int]] = set()

    def run(self) -> None:
        stack = [_Folder(self._top, self._ignores_above() if self._respects_git else ())]
        while stack:
            folder = stack.pop()
            if not folder.followed or self._is_new(folder.path):
                stack += self._enter(folder)
            if not stack and self._pending:
                # In the order of their names, so that of two links to one folder the first counts.
                self._pending.sort(key=lambda link: link.path, reverse=True)
                stack.append(self._pending.pop())
        found = set(self.found)
        self.found += [min(links) for target, links in self._links.items() if target not in found]

    def _is_new(self, path: str) -> bool:
        """Whether no link has led to the folder before."""
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError:
            return False
        identity = (status.st_dev, status.st_ino)
        new = identity not in self._entered
        self._entered.add(identity)
        return new

    def _enter(self, folder: _Folder) -> list[_Folder]:
        """Takes the files of a folder and gives the folders in it."""
        name = folder.path.rpartition("/")[2]
        folders: list[str] = []
        files: list[str] = []
        links: list[str] = []
        marks: set[str] = set()
        try:
            with os.scandir(folder.path or "/") as entries:
                for entry in entries:
                    if entry.name in _MARKS and not entry.is_symlink():
                        marks.add(entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.is_symlink():
                        links.append(entry.name)
                    elif language_named(name, entry.name) is not None:
                        files.append(entry.name)
        except OSError as error:
            self.notices.append(Notice(_printable(folder.path), f"cannot be listed ({error.strerror}): skipped"))
            return []
        if folder.path != self._top and not marks.isdisjoint(_ENVIRONMENT_MARKS):
            return []
        ignores = self._ignores_in(folder, marks) if self._respects_git else ()
        for file in files:
            path = f"{folder.path}/{file}"
            if not self._is_left_out(path, file, False, ignores) and self._is_text(path):
                self.found.append(path)
        for link in links:
            path = f"{folder.path}/{link}"
            if not self._is_left_out(path, link, False, ignores) and self._is_text(path):
                self._follow(path, language_named(name, link) is not None, ignores)
        return [
            _Folder(path, ignores, folder.followed)
            for one in folders
            if not self._is_left_out(path := f"{folder.path}/{one}", one, True, ignores)
        ]

    def _follow(self, path: str, is_ours: bool, ignores: tuple[_Ignore, ...]) -> None:
        """Remembers where a link leads, to be looked at when all that is no link is known."""
        real = _slashed(os.path.realpath(path))
        if os.path.isdir(path):  # noqa: PTH112
            if _is_within(real, _slashed(str(self._boundary))) and not _is_within(real, self._real_top):
                # What holds the top itself would lead back to it.
                if not _is_within(self._real_top, real):
                    self._pending.append(_Folder(path, ignores, followed=True))
        elif is_ours and not path.rpartition("/")[2].startswith(".#"):  # an editor's lock, which leads nowhere
            target = self._top + real[len(self._real_top) :] if _is_within(real, self._real_top) else real
            self._links.setdefault(target, []).append(path)

    def _is_text(self, path: str) -> bool:
        """Whether the path can be written down: a name in another encoding than the system's cannot."""
        try:
            path.encode()
        except UnicodeEncodeError:
            self.notices.append(Notice(_printable(path), "has a name that is not valid text: skipped"))
            return False
        return True

    # -- what is left out

    def _is_left_out(self, path: str, name: str, is_directory: bool, ignores: tuple[_Ignore, ...]) -> bool:
        if self._own:
            verdict = _own_verdict(self._own, self._real_top + path[len(self._top) :], is_directory)
            if verdict is not None:
                return verdict
        if name in self._excludes:
            return True
        # The innermost file that says anything decides.
        for ignore in reversed(ignores):
            verdict = ignore.verdict(path, is_directory)
            if verdict is not None:
                return verdict
        return False

    def _ignores_in(self, folder: _Folder, marks: set[str]) -> tuple[_Ignore, ...]:
        """The ignore files that speak of what is in a folder; a repository inside another one starts afresh."""
        ignores = folder.ignores
        if ".git" in marks and folder.path != self._top:
            excluded = self._excluded_by(Path(folder.path))
            ignores = (_Ignore(excluded, len(folder.path) + 1),) if excluded else ()
        if ".gitignore" in marks:
            rules = self._rules(f"{folder.path}/.gitignore")
            if rules:
                ignores += (_Ignore(rules, len(folder.path) + 1),)
        return ignores

    def _ignores_above(self) -> tuple[_Ignore, ...]:
        """What the repository excludes, and the ignore files from its root (without one, the project's) to the top."""
        excluded = self._excluded_by(self._boundary)
        found = [self._relative_to(self._boundary, excluded)] if excluded else []
        around = self._boundary
        for name in self._real.relative_to(self._boundary).parts:
            # Git does not follow a link here.
            rules = None if (around / ".gitignore").is_symlink() else self._rules(f"{around}/.gitignore")
            if rules:
                found.append(self._relative_to(around, rules))
            around /= name
        return tuple(found)

    def _relative_to(self, folder: Path, rules: IgnoreRules) -> _Ignore:
        """Rules of a folder at or above the top."""
        above = self._real.relative_to(folder).as_posix()
        return _Ignore(rules, len(self._top) + 1) if above == "." else _Ignore(rules, len(self._top), above)

    def _excluded_by(self, repository: Path) -> IgnoreRules | None:
        directory = git_directory(repository)
        return self._rules(f"{directory}/info/exclude") if directory else None

    def _rules(self, file: str) -> IgnoreRules | None:
        if not os.path.lexists(file):
            return None
        data = read(file)
        if isinstance(data, Notice):
            self.notices.append(data)
            return None
        return IgnoreRules(data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")) or None


def _slashed(path: str) -> str:
    """Forward slashes, and none at the end: the root of a file system is an empty string or a drive."""
    return path.replace(os.sep, "/").rstrip("/")


def _is_within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()
