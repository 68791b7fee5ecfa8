"""What can be asked on the command line, and the help that says so; nothing of the engine is needed to parse it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from mlsys_advise.usage import UsageError

PROGRAM = "mlsys-advise"
FORMATS = (
    "full", "concise", "grouped", "json", "json-lines", "sarif",
    "github", "gitlab", "junit", "rdjson", "azure", "markdown",
)  # fmt: skip
#: The name that standard input has when none is given.
STDIN_NAME = "stdin.py"

_FORMATS_HELP = f"full (default), {', '.join(FORMATS[1:-1])} or {FORMATS[-1]}"

_INTRODUCTION = """\
Flags ML-systems antipatterns in training and serving code, and says where they are hot.

commands:
  check [PATH ...]       report antipatterns in files and folders (without a command: this)
  inspect FILE[:LINE]    what is known at a place: names, kinds, loops, heat
  why CODE FILE:LINE     why a rule reports or keeps silent at a place
  rule CODE|NAME         the page of a rule
  rules                  all rules
  clean                  remove the cache

"""
_ENDING = "exit status: 0 no warnings or errors found, 1 some found, 2 wrong usage or internal error"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command, in ``command``, and its arguments; ``check`` where no command is named.

    Raises UsageError, and SystemExit once help has been printed.
    """
    named = bool(argv) and argv[0] in _PARSERS
    command, rest = (argv[0], argv[1:]) if named else ("check", argv)
    if not argv:
        rest = ["--help"]
    arguments = _PARSERS[command](named).parse_args(rest)
    arguments.command = command
    return arguments


def split_place(place: str) -> tuple[Path, int | None]:
    """``FILE``, ``FILE:LINE`` or, as findings print it, ``FILE:LINE:COLUMN``."""
    found = re.fullmatch(r"(.+?):(\d+)(?::\d+)?:?", place)
    if found is None or Path(place).exists():
        return Path(place), None
    return Path(found[1]), int(found[2])


def commands() -> list[str]:
    return list(_PARSERS)


def _parser(command: str, description: str, usage: str) -> _Parser:
    return _Parser(
        prog=f"{PROGRAM} {command}".strip(),
        usage=usage,
        description=description,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=32, width=100),
        allow_abbrev=False,
        add_help=False,
    )


def _check(named: bool) -> _Parser:
    parser = _parser(
        "check" if named else "",
        "Reports antipatterns in files and folders." if named else _INTRODUCTION.rstrip(),
        f"{PROGRAM} [check] [OPTIONS] PATH ..." + ("" if named else f"\n       {PROGRAM} COMMAND ..."),
    )
    parser.epilog = _ENDING
    what = parser.add_argument_group("what to check")
    what.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; - reads standard input")
    what.add_argument(
        "--select", metavar="RULES", action="extend", type=_listed, default=[], help="only these: MLS4,MLS115"
    )
    what.add_argument(
        "--ignore",
        metavar="RULES",
        action="extend",
        type=_listed,
        default=[],
        help="not these: codes, their beginnings, or names",
    )
    what.add_argument("--stdin-filename", metavar="FILE", type=Path, help="where standard input belongs")
    what.add_argument("--ruff", action="store_true", help="ask ruff, too, for what it finds well; our heat decides")
    what.add_argument("--isolated", action="store_true", help="leave settings files aside")
    output = parser.add_argument_group("output")
    output.add_argument("--output-format", metavar="FORMAT", choices=FORMATS, default="full", help=_FORMATS_HELP)
    output.add_argument("-o", "--output-file", metavar="FILE", type=Path, help="write the findings to a file")
    output.add_argument("--exit-zero", action="store_true", help="findings do not change the exit status")
    _add_loudness(output)
    work = parser.add_argument_group("work")
    work.add_argument("-j", "--jobs", metavar="N", type=_count, default=0, help="worker processes (default: all cores)")
    work.add_argument("--executor", metavar="URL", default="", help="dask://HOST:PORT: work on a cluster")
    _add_cache(work)
    _add_general(parser)
    return parser


def _inspect(named: bool) -> _Parser:
    parser = _parser(
        "inspect",
        "What the engine knows of a file or a line, and where it comes from.",
        f"{PROGRAM} inspect FILE[:LINE]",
    )
    parser.add_argument("place", metavar="FILE[:LINE]")
    return _asking(parser)


def _why(named: bool) -> _Parser:
    parser = _parser(
        "why",
        "Each condition of a rule at a line, with its answer and the places it rests on.",
        f"{PROGRAM} why CODE FILE:LINE",
    )
    parser.add_argument("rule", metavar="CODE", help="code or name of a rule")
    parser.add_argument("place", metavar="FILE:LINE")
    return _asking(parser)


def _rule(named: bool) -> _Parser:
    parser = _parser(
        "rule", "The page of a rule: what it flags, why it costs, what to do.", f"{PROGRAM} rule CODE|NAME"
    )
    parser.add_argument("rule", metavar="CODE|NAME")
    return _add_general(parser)


def _rules(named: bool) -> _Parser:
    return _add_general(_parser("rules", "All rules, by pack.", f"{PROGRAM} rules"))


def _clean(named: bool) -> _Parser:
    parser = _parser("clean", "Removes the cache.", f"{PROGRAM} clean [--cache-dir DIR]")
    parser.add_argument("--cache-dir", metavar="DIR", type=Path, help="the cache to remove (default: the user's)")
    return _add_general(parser)


def _asking(parser: _Parser) -> _Parser:
    parser.add_argument("--isolated", action="store_true", help="leave settings files aside")
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=_count, default=0, help="worker processes (default: all cores)"
    )
    _add_cache(parser)
    return _add_general(parser)


def _add_loudness(group: argparse._ArgumentGroup) -> None:
    loudness = group.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="print findings only")
    loudness.add_argument("-v", "--verbose", action="store_true", help="print every notice, copy and detail")


def _add_cache(group: argparse._ActionsContainer) -> None:
    group.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")
    group.add_argument("--cache-dir", metavar="DIR", type=Path, help="keep the cache there")


def _add_general(parser: _Parser) -> _Parser:
    general = parser.add_argument_group("general")
    general.add_argument("-h", "--help", action="help", help="print this and leave")
    general.add_argument("--version", action="store_true", help="print the version and leave")
    return parser


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = -1
    if count < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes")
    return count


_PARSERS: dict[str, Callable[[bool], _Parser]] = {
    "check": _check,
    "inspect": _inspect,
    "why": _why,
    "rule": _rule,
    "rules": _rules,
    "clean": _clean,
}
