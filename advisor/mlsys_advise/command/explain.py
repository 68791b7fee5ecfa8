"""``inspect`` and ``why``: what the engine knows of a place, and what a rule made of it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mlsys_advise import engine, registry, selection
from mlsys_advise.command import streams
from mlsys_advise.command.arguments import split_place
from mlsys_advise.command.status import ExitStatus
from mlsys_advise.suppression.unused_suppression import UNUSED
from mlsys_advise.usage import UsageError


def run(arguments: Namespace) -> int:
    path, line = split_place(arguments.place)
    _require_file(path)
    options = engine.Options(
        jobs=arguments.jobs,
        cache=arguments.cache_dir,
        use_cache=not arguments.no_cache,
        isolated=arguments.isolated,
    )
    if arguments.command == "inspect":
        text = engine.inspect(path, line, options)
    else:
        if line is None:
            raise UsageError(f"which line of {path}? mlsys-advise why {arguments.rule} {path}:LINE")
        known = registry.load_rules()
        rule = selection.rule_of(arguments.rule, known)
        if rule in known.peers:
            raise UsageError(f"{rule.code} is found by ruff, which keeps its reasons; why is for rules of ours")
        if rule is UNUSED:
            raise UsageError(f"{rule.code} is about comments, of which `mlsys-advise rule {rule.code}` says all")
        text = engine.why(rule.code, path, line, options)
    streams.emit(text.splitlines())
    return ExitStatus.CLEAN


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder; a file is needed")
    if not path.exists():
        raise UsageError(f"no such file: {path}")
