"""``check``: which files the user meant, the engine's report on them, and what is done with it."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from mlsys_advise import engine, registry, selection
from mlsys_advise.command import given, pricing, streams
from mlsys_advise.command.arguments import STDIN_NAME, commands
from mlsys_advise.command.progress import Progress
from mlsys_advise.command.status import ExitStatus
from mlsys_advise.output import formats, order, statistics, summary
from mlsys_advise.output.sources import Sources
from mlsys_advise.output.terminal import PAPER, Style, is_terminal
from mlsys_advise.usage import UsageError

Stdin = tuple[str, bytes]


def run(arguments: Namespace) -> int:
    stdin = _stdin(arguments)
    paths = [Path(stdin[0])] if stdin else _existing(arguments.paths or ["."])
    _check_output_file(arguments.output_file)
    if stdin is not None and (arguments.write_baseline or arguments.add_ignores):
        raise UsageError("what comes from standard input cannot be accepted: there is no file to write to")
    options = options_of(arguments)
    if arguments.show_files or arguments.show_settings:
        from mlsys_advise.command import surveying

        return surveying.run(arguments, paths, options, overlay_of(stdin))
    if arguments.watch:
        from mlsys_advise.command import watching

        if stdin is not None:
            raise UsageError("standard input cannot be watched")
        watching.run(lambda: _once(arguments, paths, options, None), lambda: engine.files_to_watch(paths, options))
    return _once(arguments, paths, options, stdin)


def options_of(arguments: Namespace) -> engine.Options:
    """How the engine is to run."""
    return engine.Options(
        given=given.layers_of(arguments),
        config=given.config_of(arguments),
        changed_since=arguments.changed_since,
        accept_all=arguments.write_baseline,
        jobs=arguments.jobs,
        executor=arguments.executor,
        cache=arguments.cache_dir,
        use_cache=not arguments.no_cache,
        isolated=arguments.isolated,
    )


def _once(arguments: Namespace, paths: list[Path], options: engine.Options, stdin: Stdin | None) -> int:
    pricing.require_known(arguments.target or ())
    with _progress(arguments) as progress:
        report = engine.check(paths, options, overlay=overlay_of(stdin), progress=progress)
    if arguments.write_baseline or arguments.add_ignores:
        from mlsys_advise.command import accepting

        tell(report, [], arguments)
        accepting.run(arguments, report)
        return ExitStatus.ERROR if report.errors else ExitStatus.CLEAN
    if arguments.fix or arguments.fix_only or arguments.diff:
        from mlsys_advise.command import fixing

        return fixing.run(arguments, report, lambda overlay: engine.check(paths, options, overlay=overlay), stdin)
    return told(report, arguments, stdin)


def told(report: engine.Report, arguments: Namespace, stdin: Stdin | None) -> int:
    """Print what was found, with what it costs on the target; the exit status."""
    report, quiet = pricing.price(report, by_cost=arguments.sort == "cost")
    write(report, arguments, stdin)
    tell(report, quiet, arguments)
    if report.errors:
        return ExitStatus.ERROR
    return ExitStatus.FINDINGS if report.failing and not arguments.exit_zero else ExitStatus.CLEAN


def _stdin(arguments: Namespace) -> Stdin | None:
    """The name and content of standard input, if it is what should be checked."""
    if "-" not in arguments.paths and arguments.stdin_filename is None:
        return None
    if [path for path in arguments.paths if path != "-"]:
        raise UsageError("standard input is checked alone, without other paths")
    content = sys.stdin.buffer.read() if sys.stdin is not None else b""
    return str(arguments.stdin_filename or STDIN_NAME), content


def overlay_of(stdin: Stdin | None) -> dict[Path, bytes]:
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


def write(report: engine.Report, arguments: Namespace, stdin: Stdin | None) -> None:
    if arguments.output_file is None:
        streams.emit(_rendered(report, arguments, Style.of(sys.stdout), stdin))
        return
    try:
        with open(arguments.output_file, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(line + "\n" for line in _rendered(report, arguments, Style(width=PAPER), stdin))
    except OSError as error:
        raise UsageError(f"cannot write to {arguments.output_file}: {error.strerror}") from None


def tell(report: engine.Report, quiet: pricing.Quiet, arguments: Namespace) -> None:
    """What goes to standard error: notices, and mistakes of ours."""
    style = Style.of(sys.stderr)
    if arguments.show_quiet or not arguments.quiet:
        streams.tell(summary.went_quiet(quiet, style, named=arguments.show_quiet))
    if not arguments.quiet:
        streams.tell(summary.notices(report.notices, style, verbose=arguments.verbose))
        if report.partial:
            streams.tell([f"{style.paint('note', 'note:')} {summary.PARTIAL}"])
    streams.tell(summary.internal_errors(report.errors, style, verbose=arguments.verbose))


def _rendered(report: engine.Report, arguments: Namespace, style: Style, stdin: Stdin | None) -> Iterator[str]:
    findings = report.findings if arguments.sort == "cost" else order.sorted_by(arguments.sort, report.findings)
    if arguments.statistics:
        yield from statistics.render(findings, style)
        return
    name = arguments.output_format or next((one.settings.output_format for one in report.projects), "full")
    told = formats.Reporting(
        findings=findings,
        files=report.files,
        sources=sources_of(stdin),
        style=style,
        rule_of=lambda code: selection.found(code, registry.load_rules()),
        verbose=arguments.verbose,
        quiet=arguments.quiet,
        suppressed=report.suppressed,
        accepted=report.accepted,
    )
    yield from formats.render(name, told)
    if name == "full" and report.is_first_run and not arguments.quiet:
        from mlsys_advise.output import first_run

        yield from first_run.render(findings, style, arguments.paths)


def sources_of(stdin: Stdin | None) -> Sources:
    """The texts of files, that of standard input under each name it may be asked by."""
    if stdin is None:
        return Sources()
    name, content = stdin
    return Sources(dict.fromkeys((name, Path(name).absolute().as_posix(), Path(name).resolve().as_posix()), content))
