"""``check``: which files the user meant, the engine's report on them, and its rendering."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from mlsys_advise import engine, registry
from mlsys_advise.command import selection, streams
from mlsys_advise.command.arguments import STDIN_NAME, commands
from mlsys_advise.command.progress import Progress
from mlsys_advise.command.status import ExitStatus
from mlsys_advise.output import formats, summary
from mlsys_advise.output.sources import Sources
from mlsys_advise.output.terminal import PAPER, Style, is_terminal
from mlsys_advise.usage import UsageError

Stdin = tuple[str, bytes]


def run(arguments: Namespace) -> int:
    stdin = _stdin(arguments)
    paths = [Path(stdin[0])] if stdin else _existing(arguments.paths or ["."])
    _check_output_file(arguments.output_file)
    options = engine.Options(
        select=tuple(arguments.select),
        ignore=tuple(arguments.ignore),
        jobs=arguments.jobs,
        executor=arguments.executor,
        cache=arguments.cache_dir,
        use_cache=not arguments.no_cache,
        isolated=arguments.isolated,
        ruff=arguments.ruff,
    )
    selection.require_known(options.select + options.ignore)
    selection.require_asked(options.select, options.ruff)
    with _progress(arguments) as progress:
        report = engine.check(paths, options, overlay=_overlay(stdin), progress=progress)
    _write(report, arguments, stdin)
    if report.errors:
        return ExitStatus.ERROR
    fails = any(finding.severity != "info" for finding in report.findings)
    return ExitStatus.FINDINGS if fails and not arguments.exit_zero else ExitStatus.CLEAN


def _stdin(arguments: Namespace) -> Stdin | None:
    """The name and content of standard input, if it is what should be checked."""
    if "-" not in arguments.paths and arguments.stdin_filename is None:
        return None
    if [path for path in arguments.paths if path != "-"]:
        raise UsageError("standard input is checked alone, without other paths")
    content = sys.stdin.buffer.read() if sys.stdin is not None else b""
    return str(arguments.stdin_filename or STDIN_NAME), content


def _overlay(stdin: Stdin | None) -> dict[Path, bytes]:
    return {} if stdin is None else {Path(stdin[0]).absolute(): stdin[1]}


def _existing(names: list[str]) -> list[Path]:
    try:
        Path.cwd()
    except OSError:
        raise UsageError("the current directory has been deleted") from None
    for name in names:
        if os.path.lexists(name):
            continue
        if Path(name).name != name or Path(name).suffix:
            raise UsageError(f"no such file or folder: {name}")
        if name in commands():
            raise UsageError(f"the command comes first: mlsys-advise {name} ...")
        raise UsageError(f"{name!r} is neither a command ({', '.join(commands())}) nor a file or folder here")
    return [Path(name) for name in names]


def _check_output_file(path: Path | None) -> None:
    """Before the work rather than after it: can the report be written there?"""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        reason = "it is a folder" if path.is_dir() else "there is no such folder"
        raise UsageError(f"cannot write to {path}: {reason}")


def _progress(arguments: Namespace) -> AbstractContextManager[Progress | None]:
    if arguments.quiet or not is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        return nullcontext()
    return Progress(sys.stderr)


def _write(report: engine.Report, arguments: Namespace, stdin: Stdin | None) -> None:
    if arguments.output_file is None:
        streams.emit(_rendered(report, arguments, Style.of(sys.stdout), stdin))
    else:
        try:
            with open(arguments.output_file, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.writelines(line + "\n" for line in _rendered(report, arguments, Style(width=PAPER), stdin))
        except OSError as error:
            raise UsageError(f"cannot write to {arguments.output_file}: {error.strerror}") from None
    style = Style.of(sys.stderr)
    if not arguments.quiet:
        streams.tell(summary.notices(report.notices, style, verbose=arguments.verbose))
        if report.partial:
            streams.tell([f"{style.paint('note', 'note:')} {summary.PARTIAL}"])
    streams.tell(summary.internal_errors(report.errors, style, verbose=arguments.verbose))


def _rendered(report: engine.Report, arguments: Namespace, style: Style, stdin: Stdin | None) -> Iterator[str]:
    told = formats.Reporting(
        findings=report.findings,
        files=report.files,
        sources=_sources(stdin),
        style=style,
        rule_of=lambda code: registry.load_rules().find(code),
        verbose=arguments.verbose,
        quiet=arguments.quiet,
    )
    yield from formats.render(arguments.output_format, told)


def _sources(stdin: Stdin | None) -> Sources:
    if stdin is None:
        return Sources()
    name, content = stdin
    return Sources(dict.fromkeys((name, Path(name).absolute().as_posix(), Path(name).resolve().as_posix()), content))
