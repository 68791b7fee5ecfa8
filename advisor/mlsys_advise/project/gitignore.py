"""What git ignores: the rules of one ignore file, compiled so that asking about a path costs about a microsecond.

Invariant: ``verdict`` answers as git does for this one path; that nothing below an ignored directory can be taken back
is up to the walk, which does not go there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

_CLASSES = {
    "alnum": r"^\W_",
    "alpha": r"a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": r"0-9",
    "graph": r"\x21-\x7e",
    "lower": r"a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r"\s",
    "upper": r"A-Z",
    "xdigit": r"0-9a-fA-F",
}
_WILD = re.compile(r"[*?\[\\]")


class _Rule(msgspec.Struct, frozen=True):
    """One line: ``pattern`` without its marks."""

    pattern: str
    ignores: bool
    only_directories: bool
    #: It holds a slash, so it is matched against the path below the ignore file, else against the last name alone.
    by_path: bool


class IgnoreRules:
    """The rules of one ignore file. Paths are relative to its directory, with forward slashes and no leading one."""

    __slots__ = ("_directories", "_files")

    def __init__(self, text: str) -> None:
        rules = [rule for line in _bytewise(text).split("\n") if (rule := _parsed(line)) is not None]
        self._directories = _runs(rules)
        self._files = _runs([rule for rule in rules if not rule.only_directories])

    def __bool__(self) -> bool:
        return bool(self._directories)

    def verdict(self, path: str, is_directory: bool) -> bool | None:
        """``True`` where the last rule that matches ignores the path, ``False`` where it takes it back, else
        ``None``. A symbolic link is not a directory."""
        path = _bytewise(path)
        name = path[path.rfind("/") + 1 :]
        for run in self._directories if is_directory else self._files:
            if run.matches(path, name):
                return run.ignores
        return None


class _Run:
    """Rules that follow one another and agree on what a match means: their order does not matter."""

    __slots__ = ("_names", "_path_pattern", "_paths", "_pattern", "_suffixes", "ignores")

    def __init__(self, rules: Iterable[_Rule], ignores: bool) -> None:
        self.ignores = ignores
        names, suffixes, name_patterns, paths, path_patterns = set(), [], [], set(), []
        for rule in rules:
            pattern = rule.pattern
            if rule.by_path:
                if _WILD.search(pattern):
                    path_patterns.append(_regex(pattern, by_path=True))
                else:
                    paths.add(pattern)
            elif not _WILD.search(pattern):
                names.add(pattern)
            elif pattern.startswith("*.") and not _WILD.search(pattern, 1):
                suffixes.append(pattern[1:])
            else:
                name_patterns.append(_regex(pattern, by_path=False))
        self._names = frozenset(names)
        self._suffixes = tuple(suffixes)
        self._paths = frozenset(paths)
        self._pattern = _alternation(name_patterns)
        self._path_pattern = _alternation(path_patterns)

    def matches(self, path: str, name: str) -> bool:
        return (
            name in self._names
            or path in self._paths
            or name.endswith(self._suffixes)
            or (self._pattern is not None and self._pattern.fullmatch(name) is not None)
            or (self._path_pattern is not None and self._path_pattern.fullmatch(path) is not None)
        )


def _runs(rules: list[_Rule]) -> list[_Run]:
    """The rules in runs, the last one first, since it decides."""
    runs: list[_Run] = []
    group: list[_Rule] = []
    for rule in reversed(rules):
        if group and group[0].ignores != rule.ignores:
            runs.append(_Run(group, group[0].ignores))
            group = []
        group.append(rule)
    if group:
        runs.append(_Run(group, group[0].ignores))
    return runs


def _parsed(line: str) -> _Rule | None:
    line = _without_trailing_spaces(line.removesuffix("\r"))
    if not line or line.startswith("#"):
        return None
    ignores = not line.startswith("!")
    if not ignores:
        line = line[1:]
    only_directories = line.endswith("/")
    if only_directories:
        line = line[:-1]
    by_path = "/" in line
    line = line.removeprefix("/")
    if not line or _regex(line, by_path) is None:
        return None
    return _Rule(line, ignores, only_directories, by_path)


def _without_trailing_spaces(line: str) -> str:
    bare = line.rstrip(" ")
    escapes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if escapes % 2 and len(bare) < len(line) else bare


def _bytewise(text: str) -> str:
    """One character for each byte of UTF-8, since that is what a wildcard of git matches."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def _alternation(patterns: list[str | None]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.DOTALL) if patterns else None


def _regex(pattern: str, by_path: bool) -> str | None:
    """The glob as a regular expression; ``None`` where git finds it malformed, so that it matches nothing."""
    one = "[^/]" if by_path else "."
    # Git compares the literal start by itself, so that what follows it counts as a start, too: a**/b is ab, or axx/b.
    wild = _WILD.search(pattern)
    starts = (0, wild.start()) if wild else (0,)
    # Parts between "**/", each in chunks between single stars.
    parts: list[list[str]] = [[""]]
    tail = ""
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "*":
            end = at
            while end < len(pattern) and pattern[end] == "*":
                end += 1
            between = (at in starts or pattern[at - 1] == "/") and (end == len(pattern) or pattern[end] == "/")
            if not by_path or end - at < 2 or not between:
                parts[-1].append("")
            elif end < len(pattern):
                parts.append([""])
                end += 1
            else:
                tail = ".*"
            at = end
        elif character == "?":
            parts[-1][-1] += one
            at += 1
        elif character == "[":
            found = _bracket(pattern, at + 1)
            if found is None:
                return None
            choice, at = found
            parts[-1][-1] += f"(?!/){choice}" if by_path else choice
        else:
            if character == "\\":
                at += 1
                if at == len(pattern):
                    return None
                character = pattern[at]
            parts[-1][-1] += re.escape(character)
            at += 1
    return _joined([_starred(chunks, one) for chunks in parts]) + tail


def _starred(chunks: list[str], one: str) -> str:
    """The chunks with a star between each two."""
    pieces = [chunks[0]]
    for index, chunk in enumerate(chunks[1:], 1):
        # Another star follows: then the first place where the chunk fits is as good as any later one, and the search
        # need not come back to it, which would take exponential time.
        pieces.append(f"(?>{one}*?{chunk})" if index + 1 < len(chunks) else f"{one}*{chunk}")
    return "".join(pieces)


def _joined(parts: list[str]) -> str:
    """The parts with any number of directories between each two; here, too, the first fit is as good as any."""
    pieces = [parts[0]]
    for index, part in enumerate(parts[1:], 1):
        pieces.append(f"(?>(?:.*?/)??{part})" if index + 1 < len(parts) else f"(?:.*/)?{part}")
    return "".join(pieces)


def _bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """A bracket expression whose content starts at ``at``, and the offset behind it; ``None`` where it never ends."""
    negated = pattern[at : at + 1] in ("!", "^")
    if negated:
        at += 1
    choices: list[str] = []
    start = at
    while at < len(pattern):
        character = pattern[at]
        if character == "]" and at > start:
            if not choices:
                return ("." if negated else r"(?!)"), at + 1
            inside = "|".join(choices)
            return (f"(?:(?!{inside}).)" if negated else f"(?:{inside})"), at + 1
        if pattern.startswith("[:", at):
            end = pattern.find(":]", at + 2)
            if end >= 0:
                name = pattern[at + 2 : end]
                if name not in _CLASSES:
                    return None
                choices.append(f"[{_CLASSES[name]}]")
                at = end + 2
                continue
        low, at = _member(pattern, at)
        if low is None:
            return None
        high: str | None = low
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in ("", "]"):
            high, at = _member(pattern, at + 1)
        if high is None:
            return None
        if low <= high:
            choices.append(f"[{re.escape(low)}-{re.escape(high)}]")
    return None


def _member(pattern: str, at: int) -> tuple[str | None, int]:
    """One character of a bracket expression, which a backslash may escape."""
    if pattern[at] == "\\":
        at += 1
        if at == len(pattern):
            return None, at
    return pattern[at], at + 1
