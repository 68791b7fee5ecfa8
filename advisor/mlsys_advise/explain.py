"""`inspect` and `why`: what the engine knows of a place, and how a rule came to report it or to stay silent.

Both print what the run itself would use, asked again for one place; nothing here decides anything.
"""

from __future__ import annotations

import ast
import contextlib
import inspect as introspection
import linecache
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from mlsys_advise.analysis import nodes
from mlsys_advise.condition import AnyOf, Clause, Condition
from mlsys_advise.engine import Opened, Options, open_file
from mlsys_advise.finding import Related
from mlsys_advise.heat import describe
from mlsys_advise.here import Here
from mlsys_advise.languages import kubernetes, notebook
from mlsys_advise.languages.python.document import PythonDocument
from mlsys_advise.languages.python.scopes import Region
from mlsys_advise.languages.source import Source, decode
from mlsys_advise.project.verdicts import Asked
from mlsys_advise.project.world import Target
from mlsys_advise.registry import load_rules
from mlsys_advise.rule import Candidate, Rule
from mlsys_advise.span import Span
from mlsys_advise.term import Term, Unknown, show

_REGIONS = {value: name.lower().replace("_", " ") for name, value in vars(Region).items() if isinstance(value, int)}
_PART = {
    "require": "needs",
    "refute": "must not be",
    "presume": "assumes not",
    "grade": "grades by",
}
_VALUE = {True: "yes", False: "no", None: "unknown"}
_MOST = 24


def inspect(path: Path, line: int | None, options: Options) -> str:
    """What the engine knows of a file, or of one line of it."""
    opened = open_file(path, options)
    document = _document(opened)
    if document is None:
        return "\n".join(_other(opened))
    return "\n".join(_file(opened, document) if line is None else _line(opened, document, line))


def why(code: str, path: Path, line: int, options: Options) -> str:
    """What a rule made of a line: each condition with its answer, or the test that kept a candidate from arising."""
    rule = load_rules().find(code)
    assert rule is not None
    opened = open_file(path, options)
    here = [one for one in opened.candidates if one.code == rule.code and _covers(one.span, line)]
    lines = [f"{rule.code} {rule.name} at {opened.path}:{line}", ""]
    if here:
        for candidate in here:
            lines.extend(_judged(opened, rule, candidate))
    else:
        lines.extend(_silence(opened, rule, line))
    lines.extend(_comments(opened, rule, line))
    return "\n".join(lines)


def _comments(opened: Opened, rule: Rule, line: int) -> Iterator[str]:
    """The comments that silence the rule at the line, whatever it says there."""
    for comment in opened.project.comments.get(opened.path, ()):
        speaks = comment.scope != "lines" or comment.first <= line <= comment.last
        if speaks and not comment.problem and any(map(rule.answers_to, comment.selectors)):
            yield f"a comment on line {comment.span.line} silences {rule.code} here"


def _covers(span: Span, line: int) -> bool:
    return span.line <= line <= span.end_line


def _document(opened: Opened) -> PythonDocument | None:
    language = opened.project.languages.get(opened.path, "")
    if language not in ("python", "notebook"):
        return None
    made = notebook.convert(opened.data, opened.path) if language == "notebook" else decode(opened.data, opened.path)
    if not isinstance(made, Source):
        return None
    return PythonDocument(made, opened.path, opened.judge.world.lexicon)


# -- inspect


def _other(opened: Opened) -> Iterator[str]:
    language = opened.project.languages.get(opened.path, "unknown")
    yield f"{opened.path}: {language}, in the project {opened.project.root}"
    other = opened.judge.deployment.files.read(opened.path)
    if isinstance(other, kubernetes.ManifestInterface):
        for site in kubernetes.sites(other):
            container = site.container
            yield f"  {site.object.kind} {site.object.name}: container {container.name}, image {container.image}"
    elif other is not None:
        yield f"  read as {type(other).__name__.removesuffix('Interface').lower()}"


def _file(opened: Opened, document: PythonDocument) -> Iterator[str]:
    world, hotness = opened.judge.world, opened.judge.answers.hotness
    names = [name for name, paths in sorted(world.modules.items()) if opened.path in paths]
    yield f"{opened.path}: {opened.project.languages[opened.path]}, in the project {opened.project.root}"
    yield f"  importable as {', '.join(names[:4])}"
    program = opened.judge.answers.programs.program(opened.path)
    yield f"  part of programs of {len(program)} file{'s' if len(program) != 1 else ''}"
    if document.interface.options:
        yield "  options"
        for option in document.interface.options:
            yield f"    {option.key} = {show(option.default)}"
    yield "  definitions"
    for name, record in document.interface.functions.items():
        heat = hotness.function(Target("function", opened.path, name))
        where = opened.judge.world.positions(opened.path)
        number = where.definitions.get(name, (1, (), ()))[0] & ((1 << 20) - 1) if where is not None else 1
        yield f"    {number:>5}  {name or '(module)'}({', '.join(record.params)})  heat: {describe(heat)}"
    kept = [f"{one.span.line}: {one.code}" for one in opened.candidates]
    if kept:
        yield f"  candidates: {', '.join(kept[:20])}"


def _line(opened: Opened, document: PythonDocument, line: int) -> Iterator[str]:
    here = Here(document)
    text = document.source.line(line).strip()
    yield f"{opened.path}:{line}: {text}"
    found = [node for node in document.others if isinstance(node, ast.expr) and node.lineno == line]
    statement = next((node for node in document.others if isinstance(node, ast.stmt) and _on(node, line)), None)
    if statement is None:
        yield "  no statement starts here"
        return
    for node in document.others:
        if isinstance(node, ast.stmt) and _on(node, line):
            statement = node
    yield from _place(opened, here, statement)
    yield "  values"
    seen: set[str] = set()
    for node in found:
        if not isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) or len(seen) >= _MOST:
            continue
        written = here.text(node, 48)
        if written not in seen:
            seen.add(written)
            yield from _value(opened, written, here.term(node))


def _on(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _place(opened: Opened, here: Here, statement: ast.stmt) -> Iterator[str]:
    hotness = opened.judge.answers.hotness
    function, loop = here.number(statement)
    region = here.region(statement)
    yield f"  in {function or 'the module'}"
    for around in here.loops(statement):
        owner, number = here.document.extraction.loop_number[around.index]
        sort = hotness.loop_sort(opened.path, owner, number)
        over = here.text(around.iterated, 40) if around.iterated is not None else "a condition"
        yield f"  loop at line {around.node.lineno} over {over}: {sort}"
    regions = [name for bit, name in _REGIONS.items() if region & bit == bit and bit.bit_count() == 1]
    if regions:
        yield f"  under: {', '.join(regions)}"
    heat = hotness.place(opened.path, function, loop)
    yield f"  heat: {describe(heat)}"
    hottest = heat.hottest()
    if hottest is not None:
        for cause in hotness.path(opened.path, function, loop, *hottest):
            yield f"    {_at(opened, opened.judge.related(cause))}"
    elif not heat:
        yield "    nothing is known to call it"


def _value(opened: Opened, written: str, term: Term) -> Iterator[str]:
    values = opened.judge.answers.values
    kinds = values.kinds(term, opened.path)
    what = ", ".join(sorted(kinds.known)) or "nothing known"
    more = "" if kinds.complete or not kinds.known else ", perhaps others"
    yield f"    {written}: {what}{more}"
    if isinstance(term, Unknown):
        return
    yield f"      as {show(term)[:120]}"
    for head in values.heads(term, opened.path)[:3]:
        if head.trail or head.device:
            steps = [_short(opened, opened.judge.line(locus)[0], locus.path) for locus in reversed(head.trail)]
            device = f" on the {head.device}" if head.device else ""
            yield f"      from {show(head.term)[:60]}{device}" + (f" through {', '.join(steps)}" if steps else "")


def _short(opened: Opened, line: int, path: str) -> str:
    return f"{path}:{line}"


def _at(opened: Opened, related: Related) -> str:
    path = Path(related.place.path)
    with contextlib.suppress(ValueError):
        path = path.relative_to(opened.project.root)
    return f"{path.as_posix()}:{related.place.span.line}: {related.message}"


# -- why: a candidate


def _judged(opened: Opened, rule: Rule, candidate: Candidate) -> Iterator[str]:
    asked = opened.judge.ask(candidate, opened.path, everything=True)
    verdict = opened.judge.verdict(0, candidate, opened.path)
    outcome = f"reported, as {verdict.severity}: {verdict.message}" if verdict is not None else "not reported"
    yield f"  a candidate at line {candidate.span.line}, column {candidate.span.column}: {outcome}"
    for one in asked:
        yield from _asked(opened, one)
    if verdict is None and all(one.passed for one in asked):
        yield "    all of its conditions hold, but the rule settles it by them: see `confirm` in its source"
    if not asked:
        yield "    the file alone decides it: no condition was asked"
    yield ""


def _asked(opened: Opened, asked: Asked) -> Iterator[str]:
    clause = asked.clause
    mark = "ok " if asked.passed else "NO "
    yield f"    {mark} {_PART[clause.part]}: {_question(clause)}"
    reason = f" ({asked.reply.reason})" if asked.reply.reason else ""
    yield f"         answer: {_VALUE[asked.reply.value]}{reason}"
    for cause in asked.reply.causes[:8]:
        yield f"           {_at(opened, opened.judge.related(cause))}"


def _question(clause: Clause) -> str:
    words = _condition(clause.condition)
    return f"{clause.says} [{words}]" if clause.says else words


def _condition(condition: Condition) -> str:
    if isinstance(condition, AnyOf):
        return " or ".join(_condition(option) for option in condition.options)
    name = type(condition).__name__
    spelled = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    parts = [_argument(getattr(condition, field)) for field in condition.__struct_fields__]
    return f"{spelled}({', '.join(part for part in parts if part)})"


def _argument(value: Any) -> str:  # the fields of conditions are of any plain type
    if isinstance(value, tuple):
        return " | ".join(str(part) if not hasattr(part, "__struct_fields__") else show(part) for part in value)
    if hasattr(value, "__struct_fields__"):
        return show(value)
    name = getattr(value, "name", None)
    return str(name).lower() if name else "" if value in (False, -1, "") else str(value)


# -- why: a silence


def _silence(opened: Opened, rule: Rule, line: int) -> Iterator[str]:
    document = _document(opened)
    if document is None:
        yield "  no candidate arose: the rule found nothing to ask about at this line"
        return
    missing = rule.words and not any(word in document.module.words for word in rule.words)
    if missing:
        yield f"  no candidate arose: the file uses none of the names the rule looks for ({', '.join(rule.words)})"
        return
    here = Here(document)
    stops: list[tuple[ast.AST, str]] = []
    for node in nodes(document, rule):
        if isinstance(node, ast.expr | ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            stops.append((node, _last_test(rule, node, here)))
    if not stops:
        kinds = " or ".join(sorted(node.__name__ for node in rule.nodes))
        yield f"  no candidate arose: there is nothing of the sort the rule looks at here ({kinds})"
        return
    yield "  no candidate arose. Where the rule's check stopped:"
    closest = sorted(stops, key=lambda stop: (getattr(stop[0], "lineno", 0) != line, -_progress(stop[1])))
    for node, where in closest[:4]:
        yield f"    {here.text(node, 60)}"
        yield f"      {where}"


def _progress(where: str) -> int:
    """How far into its check a rule came: the later the line, the nearer to a candidate."""
    digits = where.partition(":")[2].partition(":")[0]
    return int(digits) if digits.isdigit() else 0


def _last_test(rule: Rule, node: ast.AST, here: Here) -> str:
    """The last line of the rule's own module that ran before its check ended without a candidate."""
    file = introspection.getsourcefile(rule.check) or ""
    last = [0]

    def trace(frame: FrameType, event: str, _: object) -> Any:  # the type of a trace function refers to itself
        if frame.f_code.co_filename != file:
            return None
        if event == "line" and frame.f_code is rule.check.__code__:
            last[0] = frame.f_lineno
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        made: Iterable[Candidate] = list(rule.check(node, here))
    finally:
        sys.settrace(before)
    if made:
        return "a candidate arose elsewhere on this line"
    source = linecache.getline(file, last[0]).strip()
    if source in ("return", "continue", "break"):
        previous = linecache.getline(file, last[0] - 1).strip()
        source = f"{previous} {source}"
    return f"{Path(file).name}:{last[0]}: {source}"
