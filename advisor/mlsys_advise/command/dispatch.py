"""From the words of a command line to the command that answers it, and from what it raises to an exit status.

No traceback reaches the user: wrong usage and a mistake of ours are one line each.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from mlsys_advise.command import streams
from mlsys_advise.command.status import ExitStatus
from mlsys_advise.usage import FileError, UsageError


def run(argv: Sequence[str]) -> int:
    """Carry out a command line; the exit status. Raises KeyboardInterrupt alone."""
    streams.prepare()
    try:
        if list(argv) in (["--version"], ["-V"]):
            return _version()
        from mlsys_advise.command.arguments import parse

        return _answer(parse(argv))
    except SystemExit:  # help has been printed
        streams.emit(())
        return ExitStatus.CLEAN
    except Exception as error:
        if _is_the_users(error):
            streams.tell([f"mlsys-advise: {explained(error)}"])
        else:
            streams.tell(_internal(error, verbose="-v" in argv or "--verbose" in argv))
        return ExitStatus.ERROR


def _answer(arguments: Namespace) -> int:
    if arguments.version:
        return _version()
    match arguments.command:
        case "check":
            from mlsys_advise.command import check

            return check.run(arguments)
        case "inspect" | "why":
            from mlsys_advise.command import explain

            return explain.run(arguments)
        case "rule" | "rules":
            from mlsys_advise.command import rules

            return rules.run(arguments)
        case "generate-shell-completion":
            from mlsys_advise.command import completion

            return completion.run(arguments)
        case "calibrate":
            from mlsys_advise.command import calibrate

            return calibrate.run(arguments)
        case _:
            from mlsys_advise.command import clean

            return clean.run(arguments)


def _version() -> int:
    from mlsys_advise import __version__

    streams.emit([f"mlsys-advise {__version__}"])
    return ExitStatus.CLEAN


def explained(error: Exception) -> str:
    """What the user did wrong, on one line, a file named as the user would type it."""
    from mlsys_advise.output.text import one_line, shown_path

    if isinstance(error, FileError):
        return f"{shown_path(str(error.path))}:{error.line}:{error.column}: {one_line(error.message)}"
    return one_line(str(error))


def _is_the_users(error: Exception) -> bool:
    """Whether what was asked cannot be done, through no mistake of ours."""
    if isinstance(error, UsageError):
        return True
    from mlsys_advise.executors import ExecutorError
    from mlsys_advise.registry import PackError

    return isinstance(error, ExecutorError | PackError)


def _internal(error: Exception, verbose: bool) -> list[str]:
    import traceback

    from mlsys_advise.output.text import one_line

    last = traceback.extract_tb(error.__traceback__)[-1]
    line = (
        f"mlsys-advise: internal error: {type(error).__name__}: {one_line(str(error))} (in {last.name}, line"
        f" {last.lineno}); this is a mistake of mlsys-advise: please report this line"
    )
    return [line, *"".join(traceback.format_exception(error)).splitlines()] if verbose else [line + ", -v shows more"]
