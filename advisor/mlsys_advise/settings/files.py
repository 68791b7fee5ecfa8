"""Settings files: found beside a project, read with what they extend, and refused with file, line and column.

Invariant: whatever is wrong with a file, its reader gets one ``FileError`` of one line. Nothing that a file says
names code, an executable or the place of the cache.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlsys_advise.finding import Notice
from mlsys_advise.languages.source import read
from mlsys_advise.project.layout import SETTINGS, has_settings
from mlsys_advise.settings.layer import Layer, Origin, Patterns, PerFileIgnore, key_of
from mlsys_advise.settings.toml_positions import positions
from mlsys_advise.usage import FileError, UsageError

PYPROJECT = "pyproject.toml"
#: The baseline of a project whose settings name none.
BASELINE = "mlsys-advise-baseline.json"

#: Says what is wrong with a selector of rules, or nothing.
ProblemOf = Callable[[str], str]

_LONGEST_CHAIN = 20
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TABLE = ("tool", "mlsys-advise")
#: How much of a wrong value a message shows.
_SHOWN = 40


def file_of(root: Path) -> Path | None:
    """The settings file of a project, if it has one: ``mlsys-advise.toml`` wins over ``pyproject.toml``."""
    own = root / SETTINGS
    if own.is_file():
        return own
    return root / PYPROJECT if has_settings(root) else None


def load(file: Path, problem_of: ProblemOf) -> tuple[Layer, ...]:
    """What a settings file says, after what it extends.

    Raises FileError.
    """
    layers: list[Layer] = []
    seen: list[Path] = []
    following: Path | None = file
    naming: _Document | None = None
    while following is not None:
        current = following
        if naming is not None:
            if current in seen or len(seen) == _LONGEST_CHAIN:
                raise naming.error(("extend",), "the settings extend themselves")
            if not current.is_file():
                raise naming.error(("extend",), f"there is no file {current} to extend")
        seen.append(current)
        naming = _Document(current)
        layer, following = naming.layer(problem_of)
        layers.insert(0, layer)
    return tuple(layers)


def inline(text: str, folder: Path, problem_of: ProblemOf) -> Layer:
    """What ``KEY=VALUE`` on the command line says, its paths relative to ``folder``.

    Raises UsageError.
    """
    return _Document(None, text=text, folder=folder).layer(problem_of)[0]


class _Document:
    """One file of settings, or ``KEY=VALUE`` of the command line."""

    def __init__(self, file: Path | None, *, text: str = "", folder: Path | None = None) -> None:
        self.file = file
        self.folder = file.parent if file is not None else folder or Path()
        self.text = text if file is None else self._decoded(file)
        self.prefix = _TABLE if file is not None and file.name == PYPROJECT else ()

    def layer(self, problem_of: ProblemOf) -> tuple[Layer, Path | None]:
        """What it says, and the file that it extends."""
        table = self._table()
        if not table:
            return Layer(), None
        values = self._validated(table, problem_of)
        self._require_version(values)
        extended = values.pop("extend", None)
        target = (self.folder / Path(extended).expanduser()).resolve() if extended else None
        return _layer(values, self.folder, {key: self._origin((key,)) for key in values}), target

    def error(self, path: tuple[str | int, ...], message: str) -> UsageError:
        """What is wrong with a key or item."""
        return self._error_at(*self._position(path), message)

    def _error_at(self, line: int, column: int, message: str) -> UsageError:
        return FileError(self.file, line, column, message) if self.file else UsageError(f"--config: {message}")

    def _origin(self, path: tuple[str | int, ...]) -> Origin:
        line, column = self._position(path)
        return Origin("settings file", self.file, line, column) if self.file else Origin("--config")

    def _position(self, path: tuple[str | int, ...]) -> tuple[int, int]:
        known = self._positions
        at: tuple[str | int, ...] = self.prefix
        best = known.get(at, (1, 1))
        for part in path:
            if (*at, part) in known:  # parts that pydantic adds for unions are in no file
                at = (*at, part)
                best = known[at]
        return best

    @functools.cached_property
    def _positions(self) -> Mapping[tuple[str | int, ...], tuple[int, int]]:
        return positions(self.text)

    def _decoded(self, file: Path) -> str:
        data = read(file)
        if isinstance(data, Notice):
            raise self._error_at(1, 1, data.message.removesuffix(": skipped"))
        try:
            return data.removeprefix(b"\xef\xbb\xbf").decode().replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            column = error.start - data.rfind(b"\n", 0, error.start)
            raise self._error_at(line, column, "is not valid UTF-8") from None

    def _table(self) -> dict[str, Any]:
        try:
            content: Any = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise self._not_toml(str(error)) from None
        except (RecursionError, ValueError):  # numbers of more digits than Python converts
            raise self._error_at(1, 1, "is not valid TOML: a value is too long or too deep") from None
        at: tuple[str, ...] = ()
        for key in self.prefix:
            at = (*at, key)
            content = content.get(key, {})
            if not isinstance(content, dict):
                raise self._error_at(*self._positions.get(at, (1, 1)), f"{'.'.join(at)} must be a table")
        assert isinstance(content, dict)
        return content

    def _not_toml(self, message: str) -> UsageError:
        place = _PLACE.search(message)
        if place is None or place[1] is None:
            line, column = self.text.count("\n") + 1, len(self.text) - self.text.rfind("\n")
        else:
            line, column = int(place[1]), int(place[2])
        reason = _PLACE.sub("", message)
        return self._error_at(line, column, f"is not valid TOML: {reason[:1].lower()}{reason[1:]}")

    def _validated(self, table: dict[str, Any], problem_of: ProblemOf) -> dict[str, Any]:
        from pydantic import ValidationError

        from mlsys_advise.settings.model import SettingsFile

        try:
            valid = SettingsFile.model_validate(table, context={"problem_of": problem_of})
        except ValidationError as error:
            # The version first: another one may know the key.
            self._require_version(table)
            raise self._refusal(error.errors(include_url=False)) from None
        return valid.model_dump(by_alias=True, exclude_none=True)

    def _refusal(self, problems: list[Any]) -> UsageError:
        """The first of the problems in the file, and how many others there are."""
        # Of a value that may be a text or a list, both are said to be wrong: the deeper one is meant.
        deepest = {problem["loc"][0]: len(problem["loc"]) for problem in sorted(problems, key=_depth)}
        problems = [problem for problem in problems if _depth(problem) == deepest[problem["loc"][0]]]
        problems.sort(key=lambda problem: self._position(problem["loc"]))
        first = problems[0]
        others = len({self._position(problem["loc"]) for problem in problems}) - 1
        more = f" (and {others} more)" if others else ""
        return self.error(first["loc"], f"{_explained(first)}{more}")

    def _require_version(self, table: Mapping[str, Any]) -> None:
        required = table.get("required-version")
        if not isinstance(required, str):
            return
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        from mlsys_advise import __version__

        try:
            admitted = SpecifierSet(required if required[:1] in "<>=!~" else f"=={required}")
        except InvalidSpecifier:
            return
        if not admitted.contains(__version__, prereleases=True):
            says = f"mlsys-advise {required} is required here; this is {__version__}"
            raise self.error(("required-version",), says)


def _depth(problem: Any) -> int:
    return len(problem["loc"])


def _explained(problem: Any) -> str:
    """One problem that pydantic found, in words of the settings file."""
    loc = tuple(part for part in problem["loc"] if isinstance(part, str))
    key = next((part for part in reversed(loc) if "[" not in part and part not in ("constrained-str", "str")), "")
    if problem["type"] == "extra_forbidden":
        return _unknown_key(loc)
    if problem["type"] == "value_error":
        return f"{key}: {problem['ctx']['error']}"
    shown = repr(problem["input"])
    shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + "..."
    return f"{key} {problem['msg'].replace('Input should', 'should', 1)}, not {shown}"


def _unknown_key(loc: tuple[str, ...]) -> str:
    import difflib

    from mlsys_advise.settings.model import RuleOptions, SettingsFile

    model = RuleOptions if loc[0] == "rules" else SettingsFile
    keys = [key_of(field) for field in model.model_fields]
    close = difflib.get_close_matches(loc[-1].replace("_", "-").lower(), keys, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(keys)}"
    return f"unknown key {loc[-1]!r}; {hint}"


def _profile(name: str, folder: Path) -> str:
    """The name of a profile as it is, a path to one from the folder of the file that names it."""
    return str(folder / name) if name.endswith(".json") or Path(name).name != name else name


def _layer(values: dict[str, Any], folder: Path, origins: Mapping[str, Origin]) -> Layer:
    """Checked values of a file as plain data, patterns and paths tied to the folder of the file."""
    plain: dict[str, Any] = {}
    for key, value in values.items():
        if key in ("exclude", "extend-exclude"):
            value = Patterns(folder, tuple(value))
        elif key == "per-file-ignores":
            value = tuple(PerFileIgnore(folder, pattern, tuple(rules)) for pattern, rules in value.items())
        elif key == "rules":
            value = tuple((rule, options["severity"]) for rule, options in value.items() if "severity" in options)
        elif key == "baseline":
            value = folder / Path(value).expanduser()
        elif key == "target":
            value = tuple(_profile(name, folder) for name in ([value] if isinstance(value, str) else value))
        elif isinstance(value, list):
            value = tuple(value)
        plain[key.replace("-", "_")] = value
    return Layer(**plain, origins=origins)
