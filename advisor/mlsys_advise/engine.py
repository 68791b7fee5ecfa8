"""The engine: files in, report out. It decides what is analysed again, what is asked again, and in which processes.

The work has three stages. Each file alone gives an interface and candidates (cached by content). The join answers the
candidates' conditions on demand. What an answer read is stored with it, so that after an edit only answers whose
reads have changed are asked again; the result is the same as that of a run from nothing.
"""

from __future__ import annotations

import concurrent.futures
import gc
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlsys_advise.analysis import Analyst, FileResult, Task, analyse_batch, unpack
from mlsys_advise.cache import Cache
from mlsys_advise.executors import executor_for
from mlsys_advise.finding import Finding, InternalError, Notice
from mlsys_advise.languages.requirements.included import included
from mlsys_advise.languages.source import NOTEBOOK_LIMIT, read
from mlsys_advise.project import layout
from mlsys_advise.project.discovery import Language, Settings, discover, language_of
from mlsys_advise.project.verdicts import Judge, Stored
from mlsys_advise.project.world import Entry
from mlsys_advise.registry import Registry, engine_source, load_rules
from mlsys_advise.rule import Candidate
from mlsys_advise.vocabulary import Lexicon

if TYPE_CHECKING:
    from mlsys_advise.peers.borrowing import Borrowing

#: Bytes of source that one task of a worker holds: enough to pay for the hand-over, small enough to spread.
BATCH = 400_000
#: Below so many bytes of source to analyse, starting processes costs more than it saves.
PARALLEL = 1_500_000

_decode_candidates = msgspec.msgpack.Decoder(list[Candidate]).decode
_encode = msgspec.msgpack.Encoder(enc_hook=lambda value: int(value)).encode

Progress = Callable[[str, int, int], None]


class Options(msgspec.Struct, frozen=True):
    """How to run: which rules, in how many processes, with which cache."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    jobs: int = 0
    executor: str = ""
    cache: Path | None = None
    use_cache: bool = True
    isolated: bool = False
    raise_errors: bool = False
    ruff: bool = False


class Report(msgspec.Struct, frozen=True):
    """All that a run found. ``findings`` have absolute paths. ``partial`` says that a stated limit was reached."""

    findings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = ()
    errors: tuple[InternalError, ...] = ()
    files: int = 0
    partial: bool = False


class Stage(msgspec.Struct, frozen=True, array_like=True):
    """The stored outcome of a project: what a run with nothing changed prints."""

    findings: tuple[Finding, ...]
    notices: tuple[Notice, ...]
    errors: tuple[InternalError, ...]


def check(
    paths: Sequence[Path],
    options: Options,
    *,
    overlay: Mapping[Path, bytes] | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> Report:
    """Analyse the files named and those of their projects; report on the files named.

    ``overlay`` holds the content, by absolute path, of files whose text is not what is on disk: standard input,
    what fixes have changed, what an editor has not saved. A path that is named may exist in it alone.
    Raises FileNotFoundError if a path does not exist.
    """
    with quiet_collector():
        return _Run(options, progress or _silent, registry or load_rules()).check(paths, overlay or {})


def _silent(stage: str, done: int, total: int) -> None:
    pass


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Keep the cyclic collector from walking interfaces again and again; what is built here holds no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Project:
    """One project of a run: its root, its files with their content, and what was found out about them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.named: set[str] = set()
        self.contents: dict[str, bytes] = {}
        self.languages: dict[str, str] = {}
        self.keys: dict[str, bytes] = {}
        self.notices: list[Notice] = []
        self.errors: list[InternalError] = []
        self.entries: dict[str, Entry] = {}
        self.candidates: dict[str, bytes] = {}
        self.given: set[str] = set()

    @property
    def identity(self) -> bytes:
        """A digest of all files of the project by path and content."""
        state = hashlib.blake2b(digest_size=16)
        for path in sorted(self.keys):
            state.update(path.encode("utf-8", "surrogateescape") + b"\0" + self.keys[path])
        return state.digest()


class _Run:
    """The state of one call of ``check``."""

    def __init__(self, options: Options, progress: Progress, registry: Registry) -> None:
        self.options = options
        self.progress = progress
        self.registry = registry
        self.selected = registry.select(options.select, options.ignore)
        words = registry.vocabulary.digest()
        self.engine = hashlib.blake2b(engine_source() + words, digest_size=16).digest()
        self.packs = hashlib.blake2b(self.engine + registry.source, digest_size=16).digest()
        self.notices: list[Notice] = []
        self.errors: list[InternalError] = []

    def check(self, paths: Sequence[Path], overlay: Mapping[Path, bytes]) -> Report:
        projects = self._projects(paths, overlay)
        findings: list[Finding] = []
        with self._cache() as cache:
            for project in projects:
                stage = self._project(project, cache)
                findings.extend(stage.findings)
                self.notices.extend(_located(stage.notices, project))
                self.errors.extend(_located_errors(stage.errors, project))
            if cache is not None:
                self.notices.extend(cache.notices)
        chosen = sorted(
            (finding for finding in findings if finding.code in self.selected),
            key=lambda finding: (finding.path, finding.span, finding.code),
        )
        return Report(
            tuple(chosen),
            tuple(sorted(set(self.notices))),
            tuple(sorted(set(self.errors))),
            sum(len(project.named) for project in projects),
        )

    @contextmanager
    def _cache(self) -> Iterator[Cache | None]:
        if not self.options.use_cache:
            yield None
            return
        with Cache(self.options.cache) as cache:
            yield cache

    # -- files

    def _projects(self, paths: Sequence[Path], overlay: Mapping[Path, bytes]) -> list[Project]:
        """The projects of the files named, each with all of its files read."""
        given = [path.absolute() for path in paths if path.absolute() in overlay]
        found = discover([path for path in paths if path.absolute() not in overlay], Settings())
        if found.missing:
            raise FileNotFoundError(f"no such file or folder: {found.missing[0]}")
        self.notices.extend(found.notices)
        projects: dict[Path, Project] = {}
        named: dict[Path, list[Path]] = {}
        for path in sorted({*found.files, *given}):
            root = layout.project_root(path, isolated=self.options.isolated)
            named.setdefault(root, []).append(path)
        for root in sorted(named):
            project = projects[root] = Project(root)
            files = dict.fromkeys(discover([root], Settings()).files, False) if root.is_dir() else {}
            files |= dict.fromkeys(named[root], True)
            for number, (path, wanted) in enumerate(sorted(files.items())):
                self.progress("reading", number, len(files))
                if not wanted and layout.project_root(path, isolated=self.options.isolated) != root:
                    continue
                self._take(project, path, wanted, overlay.get(path))
            self._take_included(project)
        return [projects[root] for root in sorted(projects)]

    def _take_included(self, project: Project) -> None:
        """Take in what lists of requirements include, whatever it is called."""
        pending = [path for path, language in project.languages.items() if language == Language.REQUIREMENTS]
        for path in pending:
            for target in included(project.contents[path], path):
                if target not in project.contents and (project.root / target).is_file():
                    self._take(project, project.root / target, False, None, Language.REQUIREMENTS)
                    pending.extend([target] if target in project.contents else ())

    def _take(
        self, project: Project, path: Path, wanted: bool, content: bytes | None, language: Language | None = None
    ) -> None:
        relative = path.relative_to(project.root).as_posix()
        language = language or language_of(relative)
        if language is None:
            if not wanted:
                return
            language = language_of("x.py")
        if wanted:
            project.named.add(relative)
        if content is None:
            data = read(path, NOTEBOOK_LIMIT, relative) if str(language) == "notebook" else read(path, name=relative)
            if isinstance(data, Notice):
                if wanted:
                    project.notices.append(data)
                return
            content = data
            project.given.discard(relative)
        else:
            project.given.add(relative)
        project.contents[relative] = content
        project.languages[relative] = str(language)
        state = hashlib.blake2b(relative.encode("utf-8", "surrogateescape") + b"\0", digest_size=16)
        state.update(content)
        project.keys[relative] = state.digest()

    # -- one project

    def _project(self, project: Project, cache: Cache | None) -> Stage:
        named = "\0".join(sorted(project.named)).encode("utf-8", "surrogateescape")
        borrowing = self._borrowing(project)
        borrows = borrowing.identity if borrowing is not None else b""
        outcome = _key(b"outcome", self.packs, str(project.root).encode(), project.identity, named, borrows)
        if cache is not None:
            stored = cache.get_many([outcome]).get(outcome)
            if stored is not None:
                return msgspec.msgpack.decode(stored, type=Stage)
        borrowed = {}
        if borrowing is not None:
            borrowed = borrowing.candidates(project.contents, Lexicon(self.registry.vocabulary), cache)
        self._analyse(project, cache)
        judge = Judge(project.root, project.entries, self.registry, layout.module_table(sorted(project.entries)))
        previous: Mapping[str, Stored] = {}
        verdict_keys = {
            path: _key(b"verdicts", self.packs, str(project.root).encode(), path.encode(), project.keys[path])
            for path in project.candidates
            if path in project.named
        }
        if cache is not None:
            packed = cache.get_many(verdict_keys.values())
            previous = {
                path: msgspec.msgpack.decode(packed[key], type=Stored)
                for path, key in verdict_keys.items()
                if key in packed
            }
        findings: list[Finding] = []
        fresh: list[tuple[bytes, bytes]] = []
        wanted = sorted(verdict_keys)
        for number, path in enumerate(wanted):
            self.progress("joining", number, len(wanted))
            candidates = _decode_candidates(project.candidates[path])
            before = previous.get(path)
            verdicts = judge.judge(path, candidates, before, self.options.raise_errors)
            if verdicts is not before:
                fresh.append((verdict_keys[path], _encode(verdicts)))
            findings.extend(judge.render(path, verdicts))
            project.errors.extend(verdicts.errors)
        for path, candidates in borrowed.items():
            findings.extend(judge.render(path, judge.judge(path, candidates, None, self.options.raise_errors)))
        project.notices.extend(borrowing.notices if borrowing is not None else ())
        stage = Stage(tuple(findings), tuple(project.notices), tuple(project.errors))
        if cache is not None:
            complete = borrowing is None or not borrowing.failed
            cache.put_many([*fresh, (outcome, _encode(stage))] if complete else fresh)
        return stage

    def _borrowing(self, project: Project) -> Borrowing | None:
        """Ruff's part, if it was asked for and can have one; ruff is not needed otherwise."""
        codes = self.selected & {rule.code for rule in self.registry.peers}
        if not self.options.ruff or not codes:
            return None
        from mlsys_advise.peers.borrowing import Asked, Borrowing

        asked = {
            path: project.keys[path]
            for path in sorted(project.named & project.contents.keys())
            if project.languages[path] in ("python", "notebook")
        }
        return Borrowing(Asked(project.root, asked, project.given, codes), self.packs)

    def _analyse(self, project: Project, cache: Cache | None) -> None:
        """Fill in entries and candidates, from the cache where it has them."""
        entry_keys = {path: _key(b"entry", self.engine, key) for path, key in project.keys.items()}
        candidate_keys = {path: _key(b"candidates", self.packs, key) for path, key in project.keys.items()}
        known = cache.get_many([*entry_keys.values(), *candidate_keys.values()]) if cache is not None else {}
        tasks: list[Task] = []
        for path in sorted(project.keys):
            entry, packed = known.get(entry_keys[path]), known.get(candidate_keys[path])
            if entry is not None and packed is not None:
                self._keep(project, msgspec.msgpack.decode(entry, type=FileResult), packed)
            else:
                tasks.append(Task(path, project.languages[path], project.keys[path], project.contents[path]))
        project.contents.clear()
        done = 0
        for results in self._results(tasks):
            store: list[tuple[bytes, bytes]] = []
            for result in results:
                self._keep(project, result, result.candidates)
                if not result.errors:
                    bare = msgspec.structs.replace(result, candidates=b"")
                    store.append((entry_keys[result.path], _encode(bare)))
                    store.append((candidate_keys[result.path], result.candidates))
            if cache is not None:
                cache.put_many(store)
            done += len(results)
            self.progress("analysing", done, len(tasks))

    def _keep(self, project: Project, result: FileResult, candidates: bytes) -> None:
        project.entries[result.path] = result.entry
        if candidates:
            project.candidates[result.path] = candidates
        if result.path in project.named:
            project.notices.extend(result.notices)
        project.errors.extend(result.errors)

    def _results(self, tasks: list[Task]) -> Iterator[list[FileResult]]:
        jobs = self.options.jobs or os.cpu_count() or 1
        size = sum(len(task.data) for task in tasks)
        remote = bool(self.options.executor)
        if self.options.raise_errors or (not remote and (jobs == 1 or size < PARALLEL)):
            analyst = Analyst(self.registry, self.options.raise_errors)
            for batch in batches(tasks):
                yield [analyst.analyse(task) for task in batch]
            return
        with executor_for(self.options.executor, jobs) as executor:
            yield from _gather(executor, tasks, 4 * jobs if not remote else 64)


class Opened(msgspec.Struct, frozen=True):
    """A file within its analysed project, for those who explain: nothing of it has been judged yet."""

    project: Project
    judge: Judge
    path: str
    data: bytes

    @property
    def candidates(self) -> list[Candidate]:
        """The candidates of the file."""
        packed = self.project.candidates.get(self.path)
        return _decode_candidates(packed) if packed else []


def open_file(path: Path, options: Options, registry: Registry | None = None) -> Opened:
    """Analyse the project of one file."""
    with quiet_collector():
        run = _Run(options, _silent, registry or load_rules())
        (project,) = run._projects([path], {})
        (name,) = project.named
        data = project.contents.get(name, b"")
        with run._cache() as cache:
            run._analyse(project, cache)
        judge = Judge(project.root, project.entries, run.registry, layout.module_table(sorted(project.entries)))
        return Opened(project, judge, name, data)


def _gather(executor: concurrent.futures.Executor, tasks: list[Task], window: int) -> Iterator[list[FileResult]]:
    """Keep a bounded number of batches in flight; an interrupt leaves at once."""
    waiting: set[concurrent.futures.Future[bytes]] = set()
    try:
        for batch in batches(tasks):
            waiting.add(executor.submit(analyse_batch, batch))
            if len(waiting) >= window:
                done, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    yield unpack(future.result())
        for future in concurrent.futures.as_completed(waiting):
            yield unpack(future.result())
    except BaseException:
        for future in waiting:
            future.cancel()
        raise


def batches(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    """Groups of files of about the same size, large files first so that no worker ends long after the others."""
    batch: list[Task] = []
    size = 0
    for task in sorted(tasks, key=lambda task: (-len(task.data), task.path)):
        batch.append(task)
        size += len(task.data)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _key(*parts: bytes) -> bytes:
    state = hashlib.blake2b(digest_size=20)
    for part in parts:
        state.update(len(part).to_bytes(4, "little") + part)
    return state.digest()


def _located(notices: Iterable[Notice], project: Project) -> list[Notice]:
    """Notices with absolute paths; one about no file has none."""
    return [
        msgspec.structs.replace(notice, path=(project.root / notice.path).as_posix()) if notice.path else notice
        for notice in notices
    ]


def _located_errors(errors: Iterable[InternalError], project: Project) -> list[InternalError]:
    return [msgspec.structs.replace(error, path=(project.root / error.path).as_posix()) for error in errors]


def inspect(path: Path, line: int | None, options: Options) -> str:
    """What the engine knows of a file, or of a line of it."""
    from mlsys_advise import explain

    return explain.inspect(path, line, options)


def why(code: str, path: Path, line: int, options: Options) -> str:
    """What a rule made of a line: each condition with its answer, or what kept a candidate from arising."""
    from mlsys_advise import explain

    return explain.why(code, path, line, options)
