"""The engine: files in, report out. It decides what is analysed again, what is asked again, and in which processes.

The work has three stages. Each file alone gives an interface and candidates (cached by content). The join answers the
candidates' conditions on demand. What an answer read is stored with it, so that after an edit only answers whose
reads have changed are asked again; the result is the same as that of a run from nothing.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlsys_advise import baseline, selection
from mlsys_advise.accepted import Known, identities
from mlsys_advise.analysis import Analyst, FileResult, Task, analyse_batch, unpack
from mlsys_advise.cache import Cache
from mlsys_advise.changed_lines import Changed, origins, text_of
from mlsys_advise.changes import Changes, compared
from mlsys_advise.finding import Finding, InternalError, Notice
from mlsys_advise.languages.requirements.included import included
from mlsys_advise.languages.source import LIMIT, NOTEBOOK_LIMIT, read
from mlsys_advise.languages.texts import Texts
from mlsys_advise.project import layout
from mlsys_advise.project.discovery import Language, discover, is_excluded, language_of
from mlsys_advise.project.revisions import Revision, base_contents
from mlsys_advise.project.stamps import Stamp, Stamps
from mlsys_advise.project.tables import Tables
from mlsys_advise.project.verdicts import Judge
from mlsys_advise.project.world import Entry, header_of
from mlsys_advise.registry import Registry, engine_source, load_rules
from mlsys_advise.rule import Candidate
from mlsys_advise.settings import files
from mlsys_advise.settings.layer import Layer, Settings, merged
from mlsys_advise.snapshot import SILENT, Gone, Grounds, Remarks, Shelf, Snapshot, Told, told
from mlsys_advise.suppression.directives import Suppression
from mlsys_advise.triage import Judged, Since, Triage, Triaged
from mlsys_advise.usage import UsageError
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
#: Contents of files by absolute path.
Overlay = Mapping[Path, bytes]


class Options(msgspec.Struct, frozen=True):
    """How to run: by which settings, in how many processes, with which cache.

    ``given`` are settings that are stronger than those of files, the weakest first. ``config`` is read in place of the
    settings files of projects. With ``changed_since`` only findings of that change are reported. ``accept_all`` leaves
    baselines aside, as is right when they are to be written.
    """

    given: tuple[Layer, ...] = ()
    config: Path | None = None
    changed_since: str = ""
    accept_all: bool = False
    jobs: int = 0
    executor: str = ""
    cache: Path | None = None
    use_cache: bool = True
    isolated: bool = False
    raise_errors: bool = False


class Checked(msgspec.Struct, frozen=True):
    """One project of a run: by what it was checked, and which of its files, as absolute paths.

    ``codes`` are the rules in force. ``baseline`` is where its baseline is or would be, ``accepted`` what it holds.
    ``is_set_up`` says that there is a settings file or a baseline.
    """

    root: Path
    settings: Settings
    files: tuple[Path, ...]
    codes: frozenset[str] = frozenset()
    baseline: Path = Path()
    accepted: Mapping[Known, int] = {}
    is_set_up: bool = False


class Report(msgspec.Struct, frozen=True):
    """All that a run found. ``findings`` have absolute paths. ``partial`` says that a stated limit was reached.

    ``failing`` of the findings are as grave as the settings want for a failure; ``suppressed`` others are silenced by
    comments and ``accepted`` by baselines.
    """

    findings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = ()
    errors: tuple[InternalError, ...] = ()
    files: int = 0
    partial: bool = False
    failing: int = 0
    suppressed: int = 0
    accepted: int = 0
    projects: tuple[Checked, ...] = ()

    @property
    def is_first_run(self) -> bool:
        """Whether nothing was set up for any of the projects."""
        return bool(self.projects) and not any(project.is_set_up for project in self.projects)


class Stage(msgspec.Struct, frozen=True, array_like=True):
    """The stored outcome of a project: all that was judged, and the comments that may silence it."""

    findings: tuple[Finding, ...]
    notices: tuple[Notice, ...]
    errors: tuple[InternalError, ...]
    comments: dict[str, tuple[Suppression, ...]]


def check(
    paths: Sequence[Path],
    options: Options,
    *,
    overlay: Overlay | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> Report:
    """Analyse the files named and those of their projects; report on the files named.

    ``overlay`` holds the content, by absolute path, of files whose text is not what is on disk: standard input,
    what fixes have changed, what an editor has not saved. A path that is named may exist in it alone.
    Raises FileNotFoundError if a path does not exist, UsageError where settings or baselines cannot be used.
    """
    with quiet_collector():
        return _Run(options, progress or _silent, registry or load_rules(), overlay or {}).check(paths)


def survey(
    paths: Sequence[Path], options: Options, *, overlay: Overlay | None = None, registry: Registry | None = None
) -> tuple[tuple[Checked, ...], tuple[Notice, ...]]:
    """The projects of the files named and by what they would be checked, and what was noticed on the way."""
    run = _Run(options, _silent, registry or load_rules(), overlay or {})
    projects = run.projects(paths, None)
    return tuple(run.checked(project) for project in projects), tuple(sorted(set(run.notices)))


def files_to_watch(paths: Sequence[Path], options: Options, registry: Registry | None = None) -> tuple[Path, ...]:
    """The files whose change may change a report: those of the projects of the files named, settings and baselines."""
    run = _Run(options, _silent, registry or load_rules(), {})
    found: set[Path] = set()
    for root, named in run.named(paths).items():
        found.update(named, discover([root], run.settings_of(root)).files)
        found.update(root / name for name in (layout.SETTINGS, files.PYPROJECT, files.BASELINE))
    return tuple(sorted(found))


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
    """One project of a run: its root, its files with the keys of their content, and what was found out about them."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root = root
        self.settings = settings
        self._prefix = os.path.join(root, "")  # noqa: PTH118
        self.named: set[str] = set()
        #: Of the files that were read; those that are as they were when their key was taken are not.
        self.contents: dict[str, bytes] = {}
        self.languages: dict[str, str] = {}
        self.keys: dict[str, bytes] = {}
        self.notices: list[Notice] = []
        self.errors: list[InternalError] = []
        self.entries: dict[str, Entry] = {}
        self.candidates: dict[str, bytes] = {}
        #: What the analysis of each file has to say beside findings, if anything.
        self.remarks: dict[str, Remarks] = {}
        #: Files whose text is not what is on disk.
        self.given: set[str] = set()
        #: Findings of linters that were asked beside.
        self.borrowed: list[Finding] = []

    def take(self, path: str, language: str, content: bytes) -> None:
        """Add a file by its path relative to the root."""
        self.contents[path] = content
        self.languages[path] = language
        state = hashlib.blake2b(path.encode("utf-8", "surrogateescape") + b"\0", digest_size=16)
        state.update(content)
        self.keys[path] = state.digest()

    def content(self, path: str) -> bytes:
        """The content of a file, read now where its key was known; if it has changed meanwhile, so has its key."""
        if path not in self.contents:
            data = _read(self.root / path, path, self.languages[path])
            self.take(path, self.languages[path], data if isinstance(data, bytes) else b"")
        return self.contents[path]

    def relative(self, path: Path) -> str:
        """The path of a file in the project, with forward slashes."""
        text = os.fspath(path)
        if text.startswith(self._prefix):
            return text[len(self._prefix) :].replace(os.sep, "/")
        return path.relative_to(self.root).as_posix()

    def absolute(self, path: str) -> str:
        return (self.root / path).as_posix()

    @property
    def identity(self) -> bytes:
        """A digest of all files of the project by path and content."""
        state = hashlib.blake2b(digest_size=16)
        for path in sorted(self.keys):
            state.update(path.encode("utf-8", "surrogateescape") + b"\0" + self.keys[path])
        return state.digest()


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None


def _read(path: Path, name: str, language: str) -> bytes | Notice:
    return read(path, NOTEBOOK_LIMIT, name) if language == Language.NOTEBOOK else read(path, name=name)


class _Run:
    """The state of one call of ``check``."""

    def __init__(self, options: Options, progress: Progress, registry: Registry, overlay: Overlay) -> None:
        self.options = options
        self._roots: dict[Path, Path] = {}
        self._walked: dict[Path, tuple[Path, ...]] = {}
        self.overlay = {_below(path, self._root_of_file(path)): content for path, content in overlay.items()}
        self.progress = progress
        self.registry = registry
        words = registry.vocabulary.digest()
        self.engine = hashlib.blake2b(engine_source() + words, digest_size=16).digest()
        self.packs = hashlib.blake2b(self.engine + registry.source, digest_size=16).digest()
        self.notices: list[Notice] = []
        self.errors: list[InternalError] = []
        self._settings: dict[Path, Settings] = {}

    def check(self, paths: Sequence[Path]) -> Report:
        triaged: list[Triaged] = []
        checked: list[Checked] = []
        with self._cache() as cache:
            projects = self.projects(paths, cache)
            for project in projects:
                checked.append(self.checked(project))
                triaged.append(self._triaged(project, checked[-1], cache))
            if cache is not None:
                self.notices.extend(cache.notices)
        findings = [finding for one in triaged for finding in one.findings]
        return Report(
            findings=tuple(sorted(findings, key=lambda finding: (finding.path, finding.span, finding.code))),
            notices=tuple(sorted(set(self.notices))),
            errors=tuple(sorted(set(self.errors))),
            files=sum(len(project.named) for project in projects),
            failing=sum(one.failing for one in triaged),
            suppressed=sum(one.suppressed for one in triaged),
            accepted=sum(one.accepted for one in triaged),
            projects=tuple(checked),
        )

    @contextmanager
    def _cache(self) -> Iterator[Cache | None]:
        if not self.options.use_cache:
            yield None
            return
        with Cache(self.options.cache) as cache:
            yield cache

    # -- settings

    def settings_of(self, root: Path) -> Settings:
        """The settings in force for the project with this root.

        Raises UsageError if a settings file cannot be used.
        """
        found = self._settings.get(root)
        if found is None:
            file = self._file_of(root)
            of_file = files.load(file, self._problem_of) if file is not None else ()
            found = self._settings[root] = merged((*of_file, *self.options.given))
            self._say_previews(selection.select(self.registry, found.layers, preview=found.preview))
        return found

    def _file_of(self, root: Path) -> Path | None:
        return self.options.config or (None if self.options.isolated else files.file_of(root))

    def _problem_of(self, selector: str) -> str:
        return selection.problem_of(selector, self.registry)

    def _say_previews(self, selected: selection.Selection) -> None:
        for code in selected.previews_left_out:
            self.notices.append(Notice("", f"{code} is in preview, so it takes part only with --preview"))

    def checked(self, project: Project) -> Checked:
        """What a report says of a project, its baseline read."""
        settings = project.settings
        named = settings.baseline
        file = named or project.root / files.BASELINE
        accepted: Mapping[Known, int] = {}
        if file.is_file() and not (self.options.isolated and named is None):
            accepted = baseline.load(file)
        elif named is not None and not self.options.accept_all:
            raise UsageError(f"there is no baseline {named}; --write-baseline makes one")
        return Checked(
            root=project.root,
            settings=settings,
            files=tuple(project.root / path for path in sorted(project.named)),
            codes=selection.select(self.registry, settings.layers, preview=settings.preview).codes,
            baseline=file,
            accepted=accepted,
            is_set_up=bool(accepted) or self._file_of(project.root) is not None,
        )

    # -- files

    def projects(self, paths: Sequence[Path], cache: Cache | None) -> list[Project]:
        """The projects of the files named, each with all of its files; ``cache`` spares reading some of them."""
        named = self.named(paths)
        return [self._taken(Project(root, self.settings_of(root)), named[root], cache) for root in sorted(named)]

    def _taken(self, project: Project, named: Sequence[Path], cache: Cache | None) -> Project:
        """The project with all of its files: those named, and those around them that belong to it."""
        if self.options.changed_since:
            cache = None  # the content of all files is compared
        shelf = _key(b"stamps", os.fsencode(project.root))
        packed = cache.get_many([shelf]).get(shelf) if cache is not None else None
        stamps = Stamps(msgspec.msgpack.decode(packed, type=dict[str, Stamp]) if packed is not None else {})
        wanted = set(named)
        found = sorted({*named, *self._around(project)})
        for number, path in enumerate(found):
            self.progress("reading", number, len(found))
            if path in wanted or self._root_of_file(path) == project.root:
                self._take(project, path, path in wanted, self.overlay.get(path), stamps)
        take_included(project, functools.partial(self._take_listed, project, stamps))
        changed = stamps.changed()
        if cache is not None and changed is not None:
            cache.put_many([(shelf, _encode(changed))])
        return project

    def _around(self, project: Project) -> Sequence[Path]:
        """What is found below the root of a project."""
        if project.root in self._walked:
            return self._walked[project.root]
        return discover([project.root], project.settings).files if project.root.is_dir() else ()

    def named(self, paths: Sequence[Path]) -> dict[Path, list[Path]]:
        """The files that the arguments name, themselves or by a folder, by the roots of their projects."""
        named: dict[Path, dict[Path, None]] = {}
        for argument in paths:
            walked = self._root_of(argument)
            for path in self._found(argument, walked):
                root = self._root_of_file(path)
                settings = self.settings_of(root)
                # A walk knows the settings of the project in which it begins, and takes what is named.
                if (root != walked or settings.force_exclude) and is_excluded(path, root, settings):
                    continue
                named.setdefault(root, {})[path] = None
        return {root: list(found) for root, found in named.items()}

    def _found(self, argument: Path, root: Path) -> list[Path]:
        """The files that one argument names, itself or as a folder."""
        given = _below(argument.absolute(), root)
        if given in self.overlay:
            return [given]
        found = discover([argument], self.settings_of(root))
        if found.missing:
            raise FileNotFoundError(f"no such file or folder: {found.missing[0]}")
        self.notices.extend(found.notices)
        if argument.absolute() == root:
            self._walked[root] = found.files
        return [_below(path, self._root_of_file(path)) for path in found.files]

    def _root_of(self, path: Path) -> Path:
        return layout.project_root(path, isolated=self.options.isolated)

    def _root_of_file(self, path: Path) -> Path:
        """The root of the project of a file, which all files of its folder share."""
        root = self._roots.get(path.parent)
        if root is None:
            root = self._roots[path.parent] = self._root_of(path)
        return root

    def _take_listed(self, project: Project, stamps: Stamps, target: str) -> bool:
        """Take in a file whatever it is called, if there is such a file."""
        if (project.root / target).is_file():
            self._take(project, project.root / target, False, None, stamps, Language.REQUIREMENTS)
        return target in project.keys

    def _take(
        self,
        project: Project,
        path: Path,
        wanted: bool,
        content: bytes | None,
        stamps: Stamps,
        language: Language | None = None,
    ) -> None:
        relative = project.relative(path)
        language = language or language_of(relative)
        if language is None:
            if not wanted:
                return
            language = language_of("x.py")
        if wanted:
            project.named.add(relative)
        if content is not None:
            project.take(relative, str(language), content)
            if path in self.overlay:
                project.given.add(relative)
            return
        status = _status(path)
        key = stamps.key(relative, status) if status is not None else None
        if key is not None:
            project.keys[relative] = key
            project.languages[relative] = str(language)
            return
        data = _read(path, relative, str(language))
        if isinstance(data, bytes):
            project.take(relative, str(language), data)
            if status is not None:
                stamps.note(relative, status, project.keys[relative])
        elif wanted:
            project.notices.append(data)

    # -- what is reported

    def _triaged(self, project: Project, checked: Checked, cache: Cache | None) -> Triaged:
        """The findings of a project that are reported."""
        triage = Triage(self.registry, project.settings)
        before = self._before(project) if self.options.changed_since else None
        texts = dict(project.contents) if before is not None else {}
        stage = self._project(project, cache)
        self.notices.extend(_located(stage.notices, project))
        self.errors.extend(_located_errors(stage.errors, project))
        lines = Texts({path.as_posix(): content for path, content in self.overlay.items()}).lines
        since = self._since(project, before, texts, triage, cache) if before is not None else None
        is_whole = checked.files == () or len(project.named) == len(project.keys)
        looked_at = {path.as_posix() for path in checked.files}
        known = None if self.options.accept_all or not checked.accepted else Counter(checked.accepted)
        triaged = triage.reported(
            _judged(stage, project),
            lines=lines,
            baseline=known,
            was_looked_at=lambda path: path in looked_at or (is_whole and not Path(path).exists()),
            since=since,
        )
        if triaged.gone:
            many = f"{len(triaged.gone)} findings" if len(triaged.gone) > 1 else "1 finding"
            says = f"{many} of the baseline {'are' if len(triaged.gone) > 1 else 'is'} gone"
            what = baseline.described(triaged.gone, checked.baseline.parent)
            self.notices.append(Notice(checked.baseline.as_posix(), f"{says} ({what}); --write-baseline updates it"))
        return triaged

    def _before(self, project: Project) -> Project:
        """The project as it was in the revision that a change is compared with, by the settings of today."""
        revision = Revision(project.root, self.options.changed_since)
        wanted = [path for path in revision.blobs() if self._was_part(project, path)]
        before = Project(project.root, project.settings)
        contents = base_contents(revision, wanted, project.contents, LIMIT)
        for path, content in sorted(contents.items()):
            before.take(path, project.languages.get(path) or str(language_of(path)), content)
        before.given = {path for path, content in before.contents.items() if content != project.contents.get(path)}
        take_included(before, lambda target: target in before.contents)
        before.named = {path for path in before.keys if path in project.named or path not in project.keys}
        return before

    def _was_part(self, project: Project, path: str) -> bool:
        """Whether a file of a revision belongs to the project: it still does, or it is gone and would."""
        if path in project.keys:
            return True
        absolute = project.root / path
        return (
            language_of(path) is not None
            and not absolute.exists()
            and self._root_of(absolute) == project.root
            and not is_excluded(absolute, project.root, project.settings)
        )

    def _since(
        self, project: Project, before: Project, texts: Mapping[str, bytes], triage: Triage, cache: Cache | None
    ) -> Since:
        """What the findings of a change are known by."""
        old_texts = dict(before.contents)
        former = origins(old_texts, texts)
        stage = self._project(before, cache, keep=False)
        findings, _ = triage.unsilenced(_judged(stage, before))
        lines = Texts({before.absolute(path): content for path, content in old_texts.items()}).lines
        known: dict[str, Changed] = {}

        def changed(path: str) -> Changed:
            if path not in known:
                relative = Path(path).relative_to(project.root).as_posix()
                old = former.get(relative)
                known[path] = Changed(
                    text_of(old_texts[old], old) if old is not None else None,
                    text_of(texts[relative], relative) if relative in texts else None,
                )
            return known[path]

        return Since(self.options.changed_since, changed, Counter(identities(findings, lines)))

    # -- one project

    def _project(self, project: Project, cache: Cache | None, *, keep: bool = True) -> Stage:
        """All that can be said of the named files of a project. What is not kept leaves the last run's verdicts."""
        root = os.fsencode(project.root)
        named = "\0".join(sorted(project.named)).encode("utf-8", "surrogateescape")
        borrowing = self._borrowing(project)
        if cache is None:
            return self._stage(project, self._afresh(project, None, None, borrowing))
        borrows = borrowing.identity if borrowing is not None else b""
        outcome = _key(b"outcome", self.packs, root, project.identity, named, borrows)
        stored = cache.get_many([outcome]).get(outcome)
        if stored is not None:
            return msgspec.msgpack.decode(stored, type=Stage)
        shelf = Shelf(cache, _key(self.packs, root), keep)
        last = shelf.last()
        try:
            if last is None:
                told = self._afresh(project, cache, shelf, borrowing)
            else:
                told = self._again(project, cache, shelf, last, borrowing)
        except Gone:
            project.candidates.clear()
            told = self._afresh(project, cache, shelf, borrowing)
        stage = self._stage(project, told)
        # A mistake of ours must not be remembered as an answer, and half of ruff's answer not as the whole.
        if not stage.errors and (borrowing is None or not borrowing.failed):
            # The identity is asked for again: a file may have changed while this ran.
            outcome = _key(b"outcome", self.packs, root, project.identity, named, borrows)
            cache.put_many([(outcome, _encode(stage))])
        return stage

    def _stage(self, project: Project, told: Mapping[str, Told]) -> Stage:
        findings = [finding for path in sorted(project.named & told.keys()) for finding in told[path].findings()]
        errors = [one.error for each in told.values() for one in each.judged if one is not None and one.error]
        remarks = {path: project.remarks[path] for path in sorted(project.named & project.remarks.keys())}
        notices = [notice for said in remarks.values() for notice in said.notices]
        comments = {path: said.comments for path, said in remarks.items() if said.comments}
        findings += project.borrowed
        return Stage(tuple(findings), (*project.notices, *notices), (*project.errors, *errors), comments)

    def _afresh(
        self, project: Project, cache: Cache | None, shelf: Shelf | None, borrowing: Borrowing | None
    ) -> dict[str, Told]:
        """Judge the files named, from nothing but the analyses of single files."""
        borrowed = self._borrowed(project, borrowing, cache)
        self._analyse(project, cache, sorted(project.keys))
        project.contents.clear()
        tables = Tables()
        for path in sorted(project.entries):
            entry = project.entries[path]
            tables.add(path, header_of(entry))
            project.entries[path] = msgspec.structs.replace(entry, header={})
        modules = layout.module_table(sorted(project.keys))
        judge = Judge(project.root, project.entries, self.registry, modules, tables)
        told = self._tell(project, lambda: judge, {}, project.candidates)
        self._judge_borrowed(project, borrowed, lambda: judge)
        if shelf is not None and self._may_be_kept(project, told):
            grounds = _grounds(judge, told)
            shelf.keep(project.keys, project.languages, project.remarks, told, grounds, tables)
        return told

    def _again(
        self, project: Project, cache: Cache, shelf: Shelf, last: Snapshot, borrowing: Borrowing | None
    ) -> dict[str, Told]:
        """Judge the files named, where the last verdicts on them rest on something that has changed.

        Raises Gone if the cache has lost what the last run left there.
        """
        borrowed = self._borrowed(project, borrowing, cache)
        touched = {path for path, _ in last.files.items() ^ project.keys.items()}
        old = Entries(cache, self.engine, last.files)
        before = {path: old[path] if path in last.files else None for path in touched}
        self._analyse(project, cache, sorted(touched & project.keys.keys()))
        project.remarks |= {path: said for path, said in last.remarks.items() if path not in touched}
        after = {path: project.entries.get(path) for path in touched}
        changes = Changes(before, after, last.files, project.keys)
        entries = Entries(cache, self.engine, project.keys, project.entries)
        join = _Join(project, entries, self.registry, shelf, last, changes)
        stale = join.stale()
        known = {path: told.still(stale, touched) for path, told in last.told.items() if path not in touched}
        told = self._tell(project, lambda: join.judge, known, self._candidates(project, cache, touched, known))
        self._judge_borrowed(project, borrowed, lambda: join.judge)
        if self._may_be_kept(project, told):
            shelf.keep(
                project.keys,
                project.languages,
                project.remarks,
                told,
                join.present_grounds(told),
                join.present_tables(),
            )
        return told

    def _candidates(
        self, project: Project, cache: Cache, touched: Set[str], known: Mapping[str, Told]
    ) -> dict[str, bytes]:
        """The packed candidates of the files named of which something has to be judged or rendered."""
        found = {path: project.candidates[path] for path in touched & project.candidates.keys()}
        open_ = [path for path in project.named - touched if path not in known or not known[path].rendered]
        keys = {path: _key(b"candidates", self.packs, project.keys[path]) for path in open_ if path in project.keys}
        stored = cache.get_many(keys.values())
        if len(stored) < len(set(keys.values())):
            raise Gone("candidates")
        return found | {path: stored[key] for path, key in keys.items() if stored[key]}

    def _tell(
        self,
        project: Project,
        judge: Callable[[], Judge],
        known: Mapping[str, Told],
        candidates: Mapping[str, bytes],
    ) -> dict[str, Told]:
        """What became of the candidates of all files, as far as it is known; of the files named, all of it."""
        found = dict.fromkeys(project.named & project.keys.keys(), SILENT) | dict(known)
        wanted = sorted(project.named & candidates.keys())
        for number, path in enumerate(wanted):
            self.progress("joining", number, len(wanted))
            asked = _decode_candidates(candidates[path])
            before = known[path].judged if path in known else ()
            judged = judge().judge(path, asked, before, self.options.raise_errors)
            found[path] = told(judged, judge().render(path, asked, judged))
        return found

    def _may_be_kept(self, project: Project, told: Mapping[str, Told]) -> bool:
        """A mistake of ours must not be remembered as an answer."""
        failed = any(one is not None and one.error for each in told.values() for one in each.judged)
        return not project.errors and not failed

    def _borrowing(self, project: Project) -> Borrowing | None:
        """Ruff's part, if it was asked for and can have one; ruff is not needed otherwise."""
        if not project.settings.ruff:
            for code in selection.named_peers(self.registry, project.settings.layers):
                self.notices.append(Notice("", f"{code} is found by ruff, so it takes part only with --ruff"))
            return None
        selected = selection.select(self.registry, project.settings.layers, preview=project.settings.preview).codes
        codes = selected & {rule.code for rule in self.registry.peers}
        if not codes:
            self.notices.append(
                Notice("", "ruff was not asked: its rules take part by name, as with --extend-select S113")
            )
            return None
        from mlsys_advise.peers.borrowing import Asked, Borrowing

        asked = {
            path: project.keys[path]
            for path in sorted(project.named & project.keys.keys())
            if project.languages[path] in ("python", "notebook")
        }
        return Borrowing(Asked(project.root, asked, project.given, codes), self.packs)

    def _borrowed(
        self, project: Project, borrowing: Borrowing | None, cache: Cache | None
    ) -> dict[str, list[Candidate]]:
        """What ruff finds in the files named, by path."""
        if borrowing is None:
            return {}
        found = borrowing.candidates(project.content, Lexicon(self.registry.vocabulary), cache)
        project.notices.extend(notice for notice in borrowing.notices if notice not in project.notices)
        return found

    def _judge_borrowed(
        self, project: Project, borrowed: Mapping[str, list[Candidate]], judge: Callable[[], Judge]
    ) -> None:
        """Judge what ruff found by heat and context, as our own candidates are."""
        project.borrowed = []
        for path, candidates in borrowed.items():
            judged = judge().judge(path, candidates, (), self.options.raise_errors)
            project.borrowed.extend(told(judged, judge().render(path, candidates, judged)).findings())

    def _analyse(self, project: Project, cache: Cache | None, paths: Sequence[str]) -> None:
        """Fill in entries and candidates of some files, from the cache where it has them."""
        entry_keys = {path: _key(b"entry", self.engine, project.keys[path]) for path in paths}
        candidate_keys = {path: _key(b"candidates", self.packs, project.keys[path]) for path in paths}
        known = cache.get_many([*entry_keys.values(), *candidate_keys.values()]) if cache is not None else {}
        tasks: list[Task] = []
        for path in paths:
            entry, packed = known.get(entry_keys[path]), known.get(candidate_keys[path])
            if entry is not None and packed is not None:
                self._keep(project, msgspec.msgpack.decode(entry, type=FileResult), packed)
            else:
                content = project.content(path)
                tasks.append(Task(path, project.languages[path], project.keys[path], content))
        done = 0
        for results in self._results(tasks):
            store: list[tuple[bytes, bytes]] = []
            for result in results:
                self._keep(project, result, result.candidates)
                if not result.errors:
                    bare = msgspec.structs.replace(result, candidates=b"")
                    key = project.keys[result.path]
                    store.append((_key(b"entry", self.engine, key), _encode(bare)))
                    store.append((_key(b"candidates", self.packs, key), result.candidates))
            if cache is not None:
                cache.put_many(store)
            done += len(results)
            self.progress("analysing", done, len(tasks))

    def _keep(self, project: Project, result: FileResult, candidates: bytes) -> None:
        project.entries[result.path] = result.entry
        if candidates:
            project.candidates[result.path] = candidates
        if result.notices or result.comments:
            project.remarks[result.path] = Remarks(result.notices, result.comments)
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
        # Not at the top: most runs analyse few files, and the modules of processes take long to import.
        from mlsys_advise.executors import executor_for, gathered

        with executor_for(self.options.executor, jobs) as executor:
            for packed in gathered(executor, analyse_batch, batches(tasks), 4 * jobs if not remote else 64):
                yield unpack(packed)


class _Join:
    """The join of the last run on the files of this one, unpacked as far as it is needed."""

    def __init__(
        self,
        project: Project,
        entries: Mapping[str, Entry],
        registry: Registry,
        shelf: Shelf,
        last: Snapshot,
        changes: Changes,
    ) -> None:
        self._project = project
        self._entries = entries
        self._registry = registry
        self._shelf = shelf
        self._last = last
        self._changes = changes

    @functools.cached_property
    def grounds(self) -> Grounds:
        return self._shelf.grounds(self._last)

    @functools.cached_property
    def tables(self) -> Tables:
        tables = self._shelf.tables(self._last)
        self._changes.apply(tables)
        return tables

    @functools.cached_property
    def judge(self) -> Judge:
        modules = layout.module_table(sorted(self._project.keys))
        root, graph = self._project.root, self.grounds.graph
        return Judge(root, self._entries, self._registry, modules, self.tables, graph)

    def stale(self) -> set[int]:
        """The queries that rest on something that has changed."""
        versions = dict(self.grounds.versions)
        graph = self.grounds.graph
        return graph.resting_on(
            self._changes.facts(graph, lambda fact: self.judge.world.version(fact) != versions.get(fact))
        )

    def present_grounds(self, told: Mapping[str, Told]) -> Grounds | bytes:
        if "judge" not in self.__dict__ or not self.judge.world.record.grown:
            return self._last.grounds
        return _grounds(self.judge, told)

    def present_tables(self) -> Tables | tuple[bytes, dict[str, bytes]]:
        return self.tables if self._changes.headers_differ() else (self._last.numbered, self._last.tables)


def _grounds(judge: Judge, told: Mapping[str, Told]) -> Grounds:
    """On what the verdicts rest."""
    queries = [query for each in told.values() for query in each.queries()]
    graph = judge.world.record.graph(queries).swept(queries)
    facts = [fact for fact, _ in graph.each_fact() if not compared(fact)]
    return Grounds(graph, [(fact, judge.world.version(fact)) for fact in facts])


class Entries(Mapping[str, Entry]):
    """The entries of a project, taken out of the cache when they are asked for; those at hand are not."""

    def __init__(
        self, cache: Cache, engine: bytes, keys: Mapping[str, bytes], at_hand: Mapping[str, Entry] | None = None
    ) -> None:
        self._cache = cache
        self._engine = engine
        self._keys = keys
        self._known = dict(at_hand or {})

    def __getitem__(self, path: str) -> Entry:
        """Raises Gone if the cache has it no longer."""
        entry = self._known.get(path)
        if entry is None:
            key = _key(b"entry", self._engine, self._keys[path])
            packed = self._cache.get_many([key]).get(key)
            if packed is None:
                raise Gone(path)
            entry = self._known[path] = msgspec.msgpack.decode(packed, type=FileResult).entry
        return entry

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, path: object) -> bool:
        return path in self._keys


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
        run = _Run(options, _silent, registry or load_rules(), {})
        with run._cache() as cache:
            (project,) = run.projects([path], cache)
            (name,) = project.named
            data = project.content(name) if name in project.keys else b""
            run._analyse(project, cache, sorted(project.keys))
        judge = Judge(project.root, project.entries, run.registry, layout.module_table(sorted(project.entries)))
        return Opened(project, judge, name, data)


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


def _below(path: Path, root: Path) -> Path:
    """The path as one below the root of its project, which is without links, whatever link led to its folder."""
    if os.fspath(path).startswith(os.path.join(root, "")):  # noqa: PTH118 - asked of every file
        return path
    return Path(os.path.realpath(path.parent), path.name)


def take_included(project: Project, take: Callable[[str], bool]) -> None:
    """Take in what lists of requirements include, whatever it is called; ``take`` says whether there is such a file."""
    pending = [path for path, language in project.languages.items() if language == Language.REQUIREMENTS]
    for path in pending:
        for target in included(project.content(path), path):
            if target not in project.keys and take(target):
                pending.append(target)


def _judged(stage: Stage, project: Project) -> Judged:
    return Judged(
        stage.findings,
        {project.absolute(path): comments for path, comments in stage.comments.items()},
        frozenset(project.absolute(error.path) for error in stage.errors),
    )


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
