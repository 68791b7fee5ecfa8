"""Environment files of conda, and match specifications such as ``pytorch::pytorch=2.1=py3.10_cuda11.8_0``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mlsys_advise.languages.requirements import pep508
from mlsys_advise.languages.requirements.manifest import Reading, Requirement
from mlsys_advise.languages.requirements.names import distribution
from mlsys_advise.span import Span

#: Characters of one match specification.
_LIMIT = 2000

_SPEC = re.compile(
    r"(?:(?P<channel>[^:\s]+)::)?(?P<name>[A-Za-z0-9_][\w.-]*+)(?:\s*+\[(?P<bracket>[^\]]*+)\]|(?P<rest>[\s=<>!~].*))?"
)
_BRACKET_VERSION = re.compile(r"version\s*=\s*['\"]?([^'\"]+)['\"]?")
_EXPORT = re.compile(r"[A-Za-z0-9_][\w.-]*=[\w.!+*]+=[\w.]+")
_FUZZY = re.compile(r"=\s*(?P<version>\*|[\w.!+]+?)(?:\.?\*)?(?:=.*)?")
_OPERATOR = re.compile(r"(==|!=|<=|>=|~=|<|>)\s*(.+)")
#: YAML, unlike an editor, ends a line at these.
_OTHER_LINE_ENDS = str.maketrans("\x85\u2028\u2029", "   ")
_BRACKETS = re.compile(r"[\[\]{}]")
_DEPTH = 50
_WANTED = re.compile(r"^dependencies\s*:", re.MULTILINE)


def read(text: str, reading: Reading) -> None:
    if _WANTED.search(text) is None:
        return
    if _depth(text) > _DEPTH:
        reading.leave_open("the file is nested too deeply")
        return
    try:
        root = yaml.compose(text.translate(_OTHER_LINE_ENDS), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        reading.leave_open("the file is not valid YAML")
        return
    for node in _sequence_under(root, "dependencies"):
        if isinstance(node, ScalarNode):
            _read_entry(node, reading)
        elif isinstance(node, MappingNode):
            for inner in _sequence_under(node, "pip"):
                if isinstance(inner, ScalarNode):
                    _read_pip(inner, reading)


def _depth(text: str) -> int:
    """At most so many brackets are open at once; the parser takes quadratic time in that number."""
    deepest = depth = 0
    for bracket in _BRACKETS.findall(text):
        depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def _sequence_under(node: Node | None, key: str) -> Iterator[Node]:
    if not isinstance(node, MappingNode):
        return
    for name, value in node.value:
        if isinstance(name, ScalarNode) and name.value == key and isinstance(value, SequenceNode):
            yield from value.value


def _read_entry(node: ScalarNode, reading: Reading) -> None:
    reading.declares = True
    if node.value.startswith("-"):
        _read_pip(node, reading)
        return
    found = match_spec(node.value)
    if found is not None:
        reading.require(found, _span(node))
    else:
        reading.leave_open(f"`{node.value[:60]}` is not a match specification")


def _read_pip(node: ScalarNode, reading: Reading) -> None:
    from mlsys_advise.languages.requirements.pip import read_line

    line = node.value.strip()
    if line and not line.startswith("#"):
        read_line(line.partition(" #")[0].rstrip(), reading, span=_span(node))


def _span(node: ScalarNode) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def is_export(line: str) -> bool:
    """Whether a line of a requirements file was written by ``conda list --export``."""
    return _EXPORT.fullmatch(line) is not None


def match_spec(text: str, group: str = "") -> Requirement | None:
    match = _SPEC.fullmatch(text.partition(" #")[0].strip()) if len(text) <= _LIMIT else None
    if match is None:
        return None
    constraint = (match["rest"] or "").strip()
    if match["bracket"] is not None:
        bracketed = _BRACKET_VERSION.search(match["bracket"])
        constraint = bracketed[1].strip() if bracketed is not None else ""
    return Requirement(package=distribution(match["name"]), versions=alternatives(constraint), group=group)


def alternatives(constraint: str) -> tuple[str, ...]:
    """PEP 440 specifier sets for a version constraint of conda; empty where one of them cannot be understood."""
    found: list[str] = []
    for alternative in constraint.split("|"):
        parts = [_specifier(part.strip()) for part in alternative.split(",") if part.strip() not in ("", "*")]
        if None in parts:
            return ()
        admitted = pep508.admitted(",".join(part for part in parts if part is not None))
        if not admitted:
            return ()
        found.extend(admitted)
    return tuple(dict.fromkeys(found))


def _specifier(part: str) -> str | None:
    """One comparison; a build string, which stands behind a blank or a second ``=``, does not matter here."""
    operator = _OPERATOR.fullmatch(part)
    if operator is not None:
        version = re.split(r"[\s=]", operator[2].strip(), maxsplit=1)[0]
        return _wildcard(operator[1], version)
    fuzzy = _FUZZY.fullmatch(part)
    if fuzzy is not None:
        return "" if fuzzy["version"] == "*" else f"=={fuzzy['version']}.*"
    version = re.split(r"[\s=]", part, maxsplit=1)[0]
    return _wildcard("==", version) if re.fullmatch(r"[\w.!+*]+", version) else None


def _wildcard(operator: str, version: str) -> str:
    """Conda also writes ``2.1*`` for what PEP 440 writes ``2.1.*``."""
    stem = version.rstrip("*").rstrip(".")
    return f"{operator}{stem}.*" if version.endswith("*") else f"{operator}{version}"
