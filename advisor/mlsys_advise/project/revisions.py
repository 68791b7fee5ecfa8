"""Files as they were in another revision of a git repository, read from its objects.

Invariant: neither the work tree nor the repository is written, nothing is fetched, and of git only the commands run
that read objects: no hook, filter or helper that a repository configures.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlsys_advise.project.repository import repository_root
from mlsys_advise.usage import UsageError

#: What a git hook leaves in the environment would lead git to another repository or index.
_MISLEADING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE")
_SETTINGS = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_PATIENCE = 120  # seconds
_REGULAR = ("100644", "100755")


class Revision:
    """The state of a folder at the commit where the current branch left another revision."""

    def __init__(self, folder: Path, revision: str) -> None:
        """Raises UsageError if the folder is in no repository, git is missing, or there is no such revision."""
        root = repository_root(folder)
        if root is None:
            raise UsageError(f"--changed-since needs a git repository, and {folder} is in none")
        self._git = _executable()
        self._root = root
        self._folder = folder
        named = self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if named is None:
            raise UsageError(f"there is no revision {revision} in {root}")
        # What a branch changed is what it changed since it left the other one.
        fork = self._ask("merge-base", "HEAD", named.decode().strip())
        self.commit = (fork or named).decode().strip()

    def blobs(self) -> dict[str, tuple[str, int]]:
        """The object and the size of each regular file of the folder, by path relative to it."""
        inside = self._folder.relative_to(self._root).as_posix()
        lead = "" if inside == "." else f"{inside}/"
        listed = self._ask("ls-tree", "-r", "-z", "-l", "--full-tree", self.commit, "--", lead or ".")
        found: dict[str, tuple[str, int]] = {}
        for entry in (listed or b"").split(b"\0"):
            head, _, name = entry.partition(b"\t")
            mode, kind, blob, size = (*head.decode().split(), "", "", "", "")[:4]
            if kind == "blob" and mode in _REGULAR:
                found[os.fsdecode(name).removeprefix(lead)] = (blob, int(size))
        return found

    def contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """The bytes of objects."""
        wanted = sorted(set(blobs))
        if not wanted:
            return {}
        answer = self._ask("cat-file", "--batch", given="".join(f"{blob}\n" for blob in wanted).encode()) or b""
        found: dict[str, bytes] = {}
        at = 0
        while at < len(answer):
            end = answer.index(b"\n", at)
            blob, kind, *size = answer[at:end].decode().split()
            at = end + 1
            if kind == "blob":  # else it is missing, as in a partial clone
                found[blob] = answer[at : at + int(size[0])]
                at += int(size[0]) + 1
        return found

    def _ask(self, *arguments: str, given: bytes = b"") -> bytes | None:
        """What git prints, ``None`` where it answers no."""
        environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
        try:
            done = subprocess.run(
                [self._git, "-C", str(self._root), "-c", "core.fsmonitor=false", *arguments],
                input=given,
                capture_output=True,
                env=environment | _SETTINGS,
                timeout=_PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageError(f"git cannot be asked: {error}") from None
        if done.returncode not in (0, 1):
            says = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            if arguments[0] != "rev-parse" and arguments[0] != "merge-base":
                raise UsageError(f"git {arguments[0]} failed: {says[-1]}")
            if b"dubious ownership" in done.stderr:
                raise UsageError(f"git will not read {self._root}: it belongs to another user")
            return None
        return done.stdout if done.returncode == 0 else None


def blob_of(data: bytes, like: str) -> str:
    """The name that git would give to an object with this content, in the manner of the name ``like``."""
    state = hashlib.sha1(usedforsecurity=False) if len(like) == 40 else hashlib.sha256(usedforsecurity=False)
    state.update(b"blob %d\0" % len(data) + data)
    return state.hexdigest()


def _executable() -> str:
    """Git from an absolute folder of the path, never from the folder that is being read."""
    names = ("git.exe",) if os.name == "nt" else ("git",)
    here = Path.cwd()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if not os.path.isabs(folder) or Path(folder) == here:  # noqa: PTH117
            continue
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118
            if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
                return path
    raise UsageError("--changed-since needs git, which is not on the path")


def base_contents(
    revision: Revision, wanted: Iterable[str], current: Mapping[str, bytes], limit: int
) -> dict[str, bytes]:
    """The files ``wanted`` as they were; what has not changed is taken from ``current``."""
    blobs = revision.blobs()
    found: dict[str, bytes] = {}
    fetched: dict[str, str] = {}
    for path in wanted:
        blob, size = blobs.get(path, ("", 0))
        if not blob or size > limit:
            continue
        data = current.get(path)
        if data is not None and len(data) == size and blob_of(data, blob) == blob:
            found[path] = data
        else:
            fetched[path] = blob
    contents = revision.contents(fetched.values())
    return found | {path: contents[blob] for path, blob in fetched.items() if blob in contents}
