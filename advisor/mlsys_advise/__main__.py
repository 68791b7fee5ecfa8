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

    ``python -m`` puts the current directory first on the path: it goes. Directories named in ``PYTHONPATH`` go last,
    where they can add a pack of rules but cannot stand in for a module of Python's or of an installed package.
    """
    try:
        here = os.path.realpath(os.getcwd())  # noqa: PTH109 - pathlib must not be looked for on an unsafe path
    except OSError:  # it has been deleted
        here = ""
    if not sys.flags.safe_path and sys.path and os.path.realpath(sys.path[0]) == here:
        del sys.path[0]
    named = os.environ.pop("PYTHONPATH", "")
    if named and not sys.flags.ignore_environment:
        own = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120
        unsafe = {os.path.realpath(entry) for entry in named.split(os.pathsep)} - {own}
        last = [entry for entry in sys.path if os.path.realpath(entry) in unsafe]
        sys.path[:] = [entry for entry in sys.path if entry not in last]
        sys.path += [entry for entry in last if os.path.realpath(entry) != here]
    os.environ["PYTHONSAFEPATH"] = "1"


if __name__ == "__main__":
    sys.exit(main())
