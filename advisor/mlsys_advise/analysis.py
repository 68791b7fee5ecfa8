"""The analysis of one file: bytes to interface and candidates. Pure, so it runs anywhere and its result is kept.

Nothing here knows of other files: the same bytes under the same path give the same result in any process.
"""

from __future__ import annotations

import ast
import gc
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain, repeat

import msgspec

from mlsys_advise.finding import InternalError, Notice
from mlsys_advise.here import Here, Manifest
from mlsys_advise.interface import Positions
from mlsys_advise.languages import dockerfile, kubernetes, notebook, requirements, shell
from mlsys_advise.languages.python.document import PythonDocument
from mlsys_advise.languages.source import Source, decode
from mlsys_advise.project.world import Entry
from mlsys_advise.registry import Registry, load_rules
from mlsys_advise.rule import Candidate, Rule
from mlsys_advise.span import Span
from mlsys_advise.suppression.directives import Suppression, suppressions
from mlsys_advise.term import Name
from mlsys_advise.vocabulary import Lexicon

_encode = msgspec.msgpack.Encoder(enc_hook=lambda value: int(value)).encode


class FileResult(msgspec.Struct, frozen=True, array_like=True):
    """What the analysis of a file leaves: its entry, packed candidates and what the user should know."""

    path: str
    entry: Entry
    candidates: bytes
    notices: tuple[Notice, ...] = ()
    errors: tuple[InternalError, ...] = ()
    comments: tuple[Suppression, ...] = ()


class Task(msgspec.Struct, frozen=True, array_like=True):
    """One file to analyse. ``path`` is relative to the project."""

    path: str
    language: str
    key: bytes
    data: bytes


class Analyst:
    """Analyses files with the rules and words of a registry."""

    def __init__(self, registry: Registry, raise_errors: bool = False) -> None:
        self.registry = registry
        self.lexicon = Lexicon(registry.vocabulary)
        self.raise_errors = raise_errors
        self.python_rules = [rule for rule in registry.rules if "python" in rule.languages]
        self.container_rules = [rule for rule in registry.rules if "kubernetes" in rule.languages]

    def analyse(self, task: Task) -> FileResult:
        """The result for one file; what cannot be read leaves an empty entry and a notice."""
        try:
            return self._analyse(task)
        except Exception as error:
            if self.raise_errors:
                raise
            problem = InternalError(task.path, f"the analysis of {task.language}", describe(error))
            return FileResult(task.path, Entry(task.language, task.key, b"", {}), b"", (), (problem,))

    def _analyse(self, task: Task) -> FileResult:
        source = notebook.convert(task.data, task.path) if task.language == "notebook" else decode(task.data, task.path)
        if isinstance(source, Notice):
            return FileResult(task.path, Entry(task.language, task.key, b"", {}), b"", (source,))
        if source is None:
            return FileResult(task.path, Entry(task.language, task.key, b"", {}), b"")
        result = self._read(task, source)
        comments = suppressions(task.data, source, task.language)
        return msgspec.structs.replace(result, comments=comments) if comments else result

    def _read(self, task: Task, source: Source) -> FileResult:
        match task.language:
            case "python" | "notebook":
                return self._python(task, source)
            case "yaml":
                return self._yaml(task, source)
            case "dockerfile":
                image = dockerfile.parse(source.text, task.path)
                return FileResult(task.path, _entry(task, image.image, image.spans), b"")
            case "shell":
                launcher = shell.parse(source.text, task.path)
                return FileResult(task.path, _entry(task, launcher.launcher, launcher.spans), b"")
            case _:
                found = requirements.parse(source.text, task.path)
                return FileResult(task.path, _entry(task, found.requirements, found.spans), b"")

    def _yaml(self, task: Task, source: Source) -> FileResult:
        if requirements.format_of(task.path) is not None:
            found = requirements.parse(source.text, task.path)
            return FileResult(task.path, _entry(task, found.requirements, found.spans), b"")
        document = kubernetes.parse(source.text, task.path)
        notices: tuple[Notice, ...] = ()
        if document.problem is not None:
            line, says = document.problem
            notices = (Notice(task.path, f"is not valid YAML: {says}", line),)
        if not document.manifest.objects:
            return FileResult(task.path, Entry(task.language, task.key, b"", {}), b"", notices)
        candidates: list[Candidate] = []
        errors: list[InternalError] = []
        here = Manifest(document)
        for rule in self.container_rules:
            for site in kubernetes.sites(document.manifest):
                try:
                    candidates.extend(rule.check(site, here))
                except Exception as error:
                    self._failed(rule, task.path, error, errors)
        entry = _entry(task, document.manifest, document.spans)
        return FileResult(task.path, entry, _encode(candidates) if candidates else b"", notices, tuple(errors))

    def _python(self, task: Task, source: Source) -> FileResult:
        document = PythonDocument(source, task.path, self.lexicon)
        candidates, errors = self._candidates(document)
        extraction = document.extraction
        other = b""
        positions = extraction.positions(source)
        if requirements.format_of(task.path) is not None:
            found = requirements.parse(source.text, task.path)
            other = _encode(found.requirements)
            positions = msgspec.structs.replace(positions, places=_lines(found.spans))
        entry = Entry(
            task.language,
            task.key,
            _encode(document.interface),
            extraction.header(),
            _encode(positions),
            other,
        )
        packed = _encode(candidates) if candidates else b""
        return FileResult(task.path, entry, packed, document.notices, tuple(errors))

    def _candidates(self, document: PythonDocument) -> tuple[list[Candidate], list[InternalError]]:
        words = document.module.words
        rules = [rule for rule in self.python_rules if not rule.words or not words.isdisjoint(rule.words)]
        found: list[Candidate] = []
        errors: list[InternalError] = []
        if not rules:
            return found, errors
        here = Here(document)
        calls = [site.node for scope in document.module.scopes for site in scope.calls]
        for rule in rules:
            asked: Iterable[ast.AST]
            if rule.calls:
                asked = chain(nodes(document, rule, but={ast.Call}), self._named(document, rule.calls))
            else:
                asked = calls if rule.nodes == (ast.Call,) else nodes(document, rule)
            try:
                found.extend(chain.from_iterable(map(rule.check, asked, repeat(here))))
            except Exception as error:
                self._failed(rule, document.path, error, errors)
        return found, errors

    def _named(self, document: PythonDocument, names: frozenset[str]) -> list[ast.Call]:
        """The calls of a document with one of these names, in order of the walk."""
        scopes = document.module.scopes
        found: set[ast.Call] = set()
        if any("." in name for name in names):
            canonical = self.lexicon.canonical
            for call, callee in document.extraction.callees.items():
                if type(callee) is Name and canonical(callee.dotted) in names:
                    found.add(call)
        return [
            site.node
            for scope in scopes
            for site in scope.calls
            if site.name in names or (found and site.node in found)
        ]

    def _failed(self, rule: Rule, path: str, error: Exception, errors: list[InternalError]) -> None:
        if self.raise_errors:
            raise error
        errors.append(InternalError(path, rule.code, describe(error)))


def _entry(task: Task, interface: msgspec.Struct, spans: Mapping[str, Span]) -> Entry:
    """What is kept of a file that is not Python."""
    positions = Positions(places=_lines(spans))
    return Entry(task.language, task.key, b"", {}, _encode(positions), _encode(interface))


def _lines(spans: Mapping[str, Span]) -> dict[str, int]:
    return {key: span.line for key, span in spans.items()}


def nodes(document: PythonDocument, rule: Rule, but: Set[type[ast.AST]] = frozenset()) -> Iterator[ast.AST]:
    """The nodes of a document of the classes that a rule is asked of, in order of the walk."""
    module = document.module
    wanted = frozenset(rule.nodes) - but
    seen: set[ast.AST] = set()
    if ast.Module in wanted:
        yield module.tree
    if ast.Call in wanted:
        for scope in module.scopes:
            for site in scope.calls:
                yield site.node
    for loop in module.loops:
        if type(loop.node) in wanted and loop.node not in seen:
            seen.add(loop.node)
            yield loop.node
    for scope in module.scopes:
        if type(scope.node) in wanted and not isinstance(scope.node, ast.Module):
            yield scope.node
    if ast.BinOp in wanted:
        yield from module.operations
    rest = wanted - _INDEXED
    if rest:
        for node in document.others:
            if type(node) in rest:
                yield node


_INDEXED = frozenset(
    {
        ast.Module,
        ast.BinOp,
        ast.Call,
        ast.For,
        ast.AsyncFor,
        ast.While,
        ast.ListComp,
        ast.SetComp,
        ast.GeneratorExp,
        ast.DictComp,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.Lambda,
    }
)


def describe(error: Exception) -> str:
    """An exception with the place that raised it, on one line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename.rpartition('mlsys_')[2]}:{frames[-1].lineno}" if frames else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}{where}"


_analyst: Analyst | None = None


def analyse_batch(tasks: Sequence[Task]) -> bytes:
    """Analyse files in a worker process; the results as one packed value.

    The collector is off while it works: documents hold no cycles, and walking them would double the cost.
    """
    global _analyst
    if _analyst is None:
        _analyst = Analyst(load_rules())
        gc.collect()
        gc.freeze()
    gc.disable()
    try:
        return _encode([_analyst.analyse(task) for task in tasks])
    finally:
        gc.enable()


def unpack(packed: bytes) -> list[FileResult]:
    """The results that ``analyse_batch`` packed."""
    return msgspec.msgpack.decode(packed, type=list[FileResult])
