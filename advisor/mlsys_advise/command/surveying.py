"""``--show-files`` and ``--show-settings``: what a run would look at, and by which settings; nothing is analysed."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlsys_advise import engine
from mlsys_advise.command import streams
from mlsys_advise.command.status import ExitStatus
from mlsys_advise.output import summary
from mlsys_advise.output.terminal import Style
from mlsys_advise.output.text import one_line, shown_path
from mlsys_advise.settings.layer import Layer, Origin, Patterns, PerFileIgnore, key_of

#: Keys that are there to find other settings, or to refuse them.
_NOT_SHOWN = {"origins", "required_version"}


def run(arguments: Namespace, paths: Sequence[Path], options: engine.Options, overlay: engine.Overlay) -> int:
    """Raises UsageError where a settings file cannot be used."""
    projects, notices = engine.survey(paths, options, overlay=overlay)
    if arguments.show_files:
        streams.emit(shown_path(str(path)) for path in sorted(path for one in projects for path in one.files))
    if arguments.show_settings:
        streams.emit(line for project in projects for line in _settings(project))
    if not arguments.quiet:
        streams.tell(summary.notices(notices, Style.of(sys.stderr), verbose=arguments.verbose))
    return ExitStatus.CLEAN


def _settings(project: engine.Checked) -> Iterator[str]:
    """The settings as TOML, each with where it came from in a comment."""
    root = shown_path(project.root.as_posix())
    yield f"# {'this folder' if root == '.' else root}: {summary.counted(len(project.files), 'file')}"
    for field in Layer.__struct_fields__:
        if field in _NOT_SHOWN:
            continue
        key = key_of(field)
        if field in ("select", "extend_select", "ignore"):
            for layer in project.settings.layers:
                value = getattr(layer, field)
                if value is not None:
                    yield f"{key} = {_toml(value)}  # {_shown(layer.origins.get(key, Origin()))}"
            continue
        origin = _shown(project.settings.origins.get(key, Origin("default")))
        value = project.baseline if field == "baseline" and project.accepted else getattr(project.settings, field)
        if value is None or value == ():
            yield f"# {key} is not set"
        else:
            yield f"{key} = {_toml(value)}  # {origin}"
    yield f"# rules in force: {', '.join(sorted(project.codes)) or 'none'}"
    yield ""


def _shown(origin: Origin) -> str:
    return f"{shown_path(str(origin.file))}:{origin.line}:{origin.column}" if origin.file else origin.said


def _toml(value: object) -> str:
    """A value as TOML; JSON's strings, numbers and lists are TOML, too."""
    match value:
        case bool():
            return str(value).lower()
        case Patterns():
            return _toml(value.patterns)
        case Path():
            return _toml(shown_path(str(value)))
        case str():
            return json.dumps(one_line(value), ensure_ascii=False)
        case tuple() if value and all(isinstance(item, PerFileIgnore) for item in value):
            return "{" + ", ".join(f"{_toml(item.pattern)} = {_toml(item.rules)}" for item in value) + "}"
        case tuple() if value and all(isinstance(item, Patterns) for item in value):
            return _toml(tuple(pattern for item in value for pattern in item.patterns))
        case tuple() if value and all(isinstance(item, tuple) for item in value):
            return "{" + ", ".join(f"{_toml(rule)} = {{severity = {_toml(to)}}}" for rule, to in value) + "}"
        case tuple():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case _:
            return json.dumps(value)
