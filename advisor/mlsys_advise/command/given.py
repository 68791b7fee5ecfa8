"""The settings of the command line: ``--config`` and the options that have a key in settings files."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mlsys_advise import registry, selection
from mlsys_advise.settings import files
from mlsys_advise.settings.layer import Layer, Patterns, PerFileIgnore
from mlsys_advise.usage import UsageError


def config_of(arguments: Namespace) -> Path | None:
    """The settings file that ``--config`` names, if it names one.

    Raises UsageError for two files, or for one that does not exist.
    """
    named = [text for text in arguments.config if "=" not in text or Path(text).is_file()]
    if len(named) > 1:
        raise UsageError("--config takes one file; further ones can be named by `extend` in it")
    if named and not Path(named[0]).is_file():
        raise UsageError(f"--config {named[0]}: there is no such file, and it is no KEY=VALUE")
    return Path(named[0]).absolute() if named else None


def layers_of(arguments: Namespace) -> tuple[Layer, ...]:
    """What the command line says, the weakest first: an option is stronger than ``--config KEY=VALUE``.

    Raises UsageError for what no rule answers to, and for settings that there are not.
    """
    known = registry.load_rules()
    here = Path.cwd()
    inline = tuple(
        files.inline(text, here, lambda selector: selection.problem_of(selector, known))
        for text in arguments.config
        if "=" in text and not Path(text).is_file()
    )
    own = Layer(
        select=_tuple(arguments.select),
        extend_select=_tuple(arguments.extend_select),
        ignore=_tuple(arguments.ignore),
        per_file_ignores=_per_file(arguments.per_file_ignores, here),
        preview=arguments.preview,
        ruff=arguments.ruff,
        exclude=_patterns(arguments.exclude, here),
        extend_exclude=_patterns(arguments.extend_exclude, here),
        respect_gitignore=arguments.respect_gitignore,
        force_exclude=arguments.force_exclude,
        fail_on=arguments.fail_on,
        min_severity=arguments.min_severity,
        context=_tuple(arguments.context),
        min_frequency=arguments.min_frequency,
        baseline=arguments.baseline.absolute() if arguments.baseline else None,
        output_format=arguments.output_format,
        target=_tuple(arguments.target),
    )
    per_file = [rule for ignore in own.per_file_ignores or () for rule in ignore.rules]
    selection.require_known([*(own.select or ()), *(own.extend_select or ()), *(own.ignore or ()), *per_file], known)
    return (*inline, own)


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _patterns(values: list[str] | None, here: Path) -> Patterns | None:
    return None if values is None else Patterns(here, tuple(values))


def _per_file(values: list[str] | None, here: Path) -> tuple[PerFileIgnore, ...] | None:
    if values is None:
        return None
    found: list[PerFileIgnore] = []
    for value in values:
        pattern, colon, rule = value.rpartition(":")
        if not colon or not pattern or not rule:
            raise UsageError(f"--per-file-ignores {value}: write PATTERN:RULE, such as tests/*:MLS4")
        found.append(PerFileIgnore(here, pattern.strip(), (rule.strip(),)))
    return tuple(found)
