"""Where the program starts, as ``mlsys-advise`` and as ``python -m mlsys_advise``.

Before anything else is imported, the current directory stops being a place to import from. Worker processes that
start afresh run this module's top level again, so it holds nothing but definitions.
"""

import os
import sys


def main() -> int:
    """Run the command line on the arguments of the process; the exit status. An interrupted process ends here."""
    protect_imports()
    try:
        from mlsys_advise.command import dispatch, interruption

        interruption.arm()
        return dispatch.run(sys.argv[1:])
    except KeyboardInterrupt:
        from mlsys_advise.command import interruption

        interruption.leave()


def protect_imports() -> None:
    """Keep the code that is read from being imported, here and in child processes.

    ``python -m`` puts the current directory first on the path: it goes, and so does what ``PYTHONPATH`` names of it.
    Other folders in ``PYTHONPATH`` go last, where they can lend packages but cannot stand in for an installed one.
    """
    here = _real(".")
    if not sys.flags.safe_path and sys.path and _real(sys.path[0]) == here:
        del sys.path[0]
    named = os.environ.pop("PYTHONPATH", "")
    if named and not sys.flags.ignore_environment:
        own = os.path.dirname(os.path.dirname(_real(__file__)))  # noqa: PTH120
        unsafe = {_real(entry) for entry in named.split(os.pathsep)} - {own}
        last = [entry for entry in sys.path if _real(entry) in unsafe]
        sys.path[:] = [entry for entry in sys.path if entry not in last]
        sys.path += [entry for entry in last if not (_real(entry) + os.sep).startswith(here.rstrip(os.sep) + os.sep)]
    os.environ["PYTHONSAFEPATH"] = "1"


def _real(path: str) -> str:
    try:
        return os.path.realpath(path or ".")
    except OSError:  # the current directory has been deleted
        return path


if __name__ == "__main__":
    sys.exit(main())
