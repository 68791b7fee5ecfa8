"""``--fix`` and ``--diff``: which fixes are made, where they are written, and what is said about them."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mlsys_advise.command import check, streams
from mlsys_advise.command.status import ExitStatus
from mlsys_advise.engine import Report
from mlsys_advise.finding import Finding, Notice
from mlsys_advise.fixing import diff, files, rounds
from mlsys_advise.fixing.refusal import Refusal
from mlsys_advise.languages import source
from mlsys_advise.output.summary import counted
from mlsys_advise.output.text import one_line, shown_path
from mlsys_advise.usage import UsageError

#: Analyse again what was asked for, with these contents in the place of what is on disk.
Recheck = Callable[[Mapping[Path, bytes]], Report]


def run(arguments: Namespace, first: Report, recheck: Recheck, stdin: check.Stdin | None) -> int:
    """Make the fixes that the arguments ask for, in the files or, with ``--diff``, on the screen; the exit status.

    What comes from standard input goes, fixed, to standard output, and what remains is told on standard error.
    Raises UsageError if a file cannot be written; those before it have been.
    """
    given = check.overlay_of(stdin)
    reports = [first]

    def findings(contents: rounds.Contents) -> tuple[Finding, ...]:
        if contents:
            reports.append(recheck({**given, **{Path(path): data for path, data in contents.items()}}))
        return reports[-1].findings

    def read(path: str) -> bytes:
        return given[Path(path)] if Path(path) in given else _read(path)

    result = rounds.run(findings, read, {"safe", "suggested"} if arguments.unsafe_fixes else {"safe"})
    report = next(report for report in reversed(reports) if report.findings == result.findings)
    if arguments.diff:
        for path, content in sorted(result.contents.items()):
            streams.emit(diff.lines(path, shown_path(path), read(path), content))
    elif stdin is not None:
        streams.emit_bytes(next(iter(result.contents.values()), stdin[1]))
    else:
        _write(result.contents, [Path(finding.path).parent for finding in first.findings])
    status: int = ExitStatus.CLEAN
    if arguments.diff or arguments.fix_only or stdin is not None:
        check.tell(report, [], arguments)
    else:
        status = check.told(report, arguments, stdin)
    if not arguments.quiet:
        streams.tell(_told(result, arguments))
    return _status(report, result, arguments, status)


def _status(report: Report, result: rounds.Result, arguments: Namespace, of_the_rest: int) -> int:
    if report.errors:
        return ExitStatus.ERROR
    if arguments.diff or arguments.exit_non_zero_on_fix:
        if result.fixed and not arguments.exit_zero:
            return ExitStatus.FINDINGS
    return of_the_rest


def _read(path: str) -> bytes:
    data = source.read(path, source.NOTEBOOK_LIMIT)
    if isinstance(data, Notice):
        raise Refusal(data.message)
    return data


def _write(contents: rounds.Contents, folders: list[Path]) -> None:
    files.remove_leftovers(folders)
    for path in sorted(contents):
        try:
            files.write(Path(path), contents[path])
        except OSError as error:
            raise UsageError(f"cannot write to {shown_path(path)}: {error.strerror}") from None


def _told(result: rounds.Result, arguments: Namespace) -> Iterator[str]:
    for one in result.left:
        where = f"{shown_path(one.finding.path)}:{one.finding.span.line}"
        yield f"note: {where}: {one.finding.code} was not fixed: {one_line(one.reason)}"
    if arguments.show_fixes:
        yield from _shown(result.fixed)
    would = "Would fix" if arguments.diff else "Fixed"
    yield f"{would} {counted(len(result.fixed), 'finding')} in {counted(len(result.contents), 'file')}."
    waiting = sum(finding.fix is not None and finding.fix.applicability == "suggested" for finding in result.findings)
    if waiting and not arguments.unsafe_fixes:
        yield f"{waiting} more can be fixed with --unsafe-fixes."


def _shown(fixed: tuple[Finding, ...]) -> Iterator[str]:
    by_file: dict[str, Counter[tuple[str, str]]] = {}
    for finding in fixed:
        by_file.setdefault(finding.path, Counter())[finding.code, finding.name] += 1
    for path in sorted(by_file):
        yield f"{shown_path(path)}:"
        for (code, name), number in sorted(by_file[path].items()):
            yield f"  {number} of {code} ({name})"
