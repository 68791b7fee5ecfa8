"""What can be asked on the command line, and the help that says so; nothing of the engine is needed to parse it."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from mlsys_advise.settings.choices import CONTEXTS, FORMATS, FREQUENCIES, SEVERITIES
from mlsys_advise.usage import UsageError

PROGRAM = "mlsys-advise"
SORTS = ("path", "severity", "heat", "cost", "rule")
SHELLS = ("bash", "zsh", "fish", "powershell")
#: The name that standard input has when none is given.
STDIN_NAME = "stdin.py"

_INTRODUCTION = f"""\
usage: {PROGRAM} [check] [OPTIONS] PATH ...
       {PROGRAM} COMMAND ...

Flags ML-systems antipatterns in training and serving code, and says where they are hot.

commands:
  check [PATH ...]       report antipatterns in files and folders (without a command: this)
  inspect FILE[:LINE]    what is known at a place: names, kinds, loops, heat
  why CODE FILE:LINE     why a rule reports or keeps silent at a place
  rule CODE|NAME         the page of a rule
  rules                  all rules
  calibrate              measure what antipatterns cost on this machine
  clean                  remove the cache
  generate-shell-completion SHELL
                         what a shell reads to complete commands

options that are wanted most; `{PROGRAM} check --help` has all:
  --select RULES         only these: codes, their beginnings, or names
  --output-format FORMAT {", ".join(FORMATS[:3])} ...
  --changed-since REV    only what a change since REV brings
  --write-baseline       accept all findings that there are now
  --fail-on SEVERITY     exit with 1 from this on: info, warning (default) or error
  -q, -v                 print findings only; every notice, copy and detail
  -h, --help             print this and leave
  --version              print the version and leave

"""
_ENDING = "exit status: 0 no warnings or errors found, 1 some found, 2 wrong usage or internal error"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command, in ``command``, and its arguments; ``check`` where no command is named.

    Raises UsageError, and SystemExit once help has been printed.
    """
    if not argv or argv[0] in ("-h", "--help"):
        with contextlib.suppress(OSError):  # the reader has gone, which is found out when the stream is flushed
            print(_INTRODUCTION + _ENDING)
        raise SystemExit(0)
    command, rest = (argv[0], argv[1:]) if argv[0] in _PARSERS else ("check", argv)
    arguments = _PARSERS[command]().parse_args(rest)
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


def parser_of(command: str) -> argparse.ArgumentParser:
    """The parser of a command, for what describes it."""
    return _PARSERS[command]()


def _parser(command: str, description: str, usage: str) -> _Parser:
    return _Parser(
        prog=f"{PROGRAM} {command}".strip(),
        usage=usage,
        description=description,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=32, width=100),
        allow_abbrev=False,
        add_help=False,
    )


def _check() -> _Parser:
    parser = _parser("check", "Reports antipatterns in files and folders.", f"{PROGRAM} [check] [OPTIONS] PATH ...")
    parser.epilog = _ENDING
    parser.add_argument("paths", nargs="*", metavar="PATH", help=argparse.SUPPRESS)
    _add_rules(parser.add_argument_group("rules"))
    _add_files(parser.add_argument_group("files (- as PATH reads standard input)"))
    _add_findings(parser.add_argument_group("findings"))
    _add_fixes(parser.add_argument_group("fixes"))
    _add_cost(parser.add_argument_group("cost"))
    _add_output(parser.add_argument_group("output"))
    work = parser.add_argument_group("settings and work")
    work.add_argument(
        "--config",
        metavar="FILE|KEY=VALUE",
        action="append",
        default=[],
        help="a settings file for all projects, or one setting, as in TOML",
    )
    work.add_argument("--isolated", action="store_true", help="leave settings files aside")
    work.add_argument("-j", "--jobs", metavar="N", type=_count, default=0, help="worker processes (default: all cores)")
    work.add_argument("--executor", metavar="URL", default="", help="dask://HOST:PORT: work on a cluster")
    _add_cache(work)
    _add_general(parser)
    return parser


def _add_rules(group: argparse._ArgumentGroup) -> None:
    _add_list(group, "--select", "RULES", "only these: codes, their beginnings, or names")
    _add_list(group, "--ignore", "RULES", "not these")
    _add_list(group, "--extend-select", "RULES", "these, too")
    group.add_argument(
        "--ruff", action="store_true", default=None, help="ask ruff, too, for what it finds well; our heat decides"
    )
    _add_list(group, "--per-file-ignores", "PATTERN:RULE", "not these in the files that match")
    _add_switch(group, "--preview", "rules in preview, too")


def _add_files(group: argparse._ArgumentGroup) -> None:
    _add_list(group, "--exclude", "PATTERNS", "leave these out, in place of .venv, build and so on")
    _add_list(group, "--extend-exclude", "PATTERNS", "leave these out, too")
    _add_switch(group, "--respect-gitignore", "leave out what git ignores (default)")
    _add_switch(group, "--force-exclude", "leave out what is excluded even if it is named")
    group.add_argument("--stdin-filename", metavar="FILE", type=Path, help="where standard input belongs")


def _add_findings(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--min-severity", choices=SEVERITIES, metavar="SEVERITY", help="info, warning or error")
    _add_list(group, "--context", "CONTEXTS", "only where code of these runs: training, serving ...", choices=CONTEXTS)
    group.add_argument(
        "--min-frequency", choices=FREQUENCIES, metavar="FREQUENCY", help="only what runs so often: epoch, step, item"
    )
    group.add_argument("--changed-since", metavar="REV", default="", help="only what a change since REV brings")
    group.add_argument("--baseline", metavar="FILE", type=Path, help="the file of accepted findings")
    group.add_argument("--write-baseline", action="store_true", help="accept all findings that there are now")
    group.add_argument("--add-ignores", action="store_true", help="write a comment for each finding that there is now")


def _add_fixes(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--fix", action="store_true", help="make the fixes that keep what the program computes")
    group.add_argument("--unsafe-fixes", action="store_true", help="make or count those that need your judgement, too")
    group.add_argument("--diff", action="store_true", help="print what --fix would change, and change nothing")
    group.add_argument("--fix-only", action="store_true", help="fix, and do not report what remains")
    group.add_argument("--show-fixes", action="store_true", help="name what was fixed")
    group.add_argument("--exit-non-zero-on-fix", action="store_true", help="exit with 1 if something was fixed")


def _add_cost(group: argparse._ArgumentGroup) -> None:
    _add_list(group, "--target", "NAME|FILE", "price findings on this machine; what costs nothing there is quiet")
    group.add_argument("--show-quiet", action="store_true", help="name what went quiet, with the reason")


def _add_output(group: argparse._ArgumentGroup) -> None:
    listed = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
    group.add_argument("--output-format", metavar="FORMAT", choices=FORMATS, help=listed)
    group.add_argument("-o", "--output-file", metavar="FILE", type=Path, help="write the findings to a file")
    group.add_argument("--sort", choices=SORTS, metavar="BY", default="path", help=", ".join(SORTS))
    group.add_argument("--fail-on", choices=SEVERITIES, metavar="SEVERITY", help="exit with 1 from this on (warning)")
    group.add_argument("--exit-zero", action="store_true", help="findings do not change the exit status")
    group.add_argument("--statistics", action="store_true", help="count the findings of each rule")
    group.add_argument("--show-files", action="store_true", help="name the files that would be checked")
    group.add_argument("--show-settings", action="store_true", help="print the settings in force and their origins")
    group.add_argument("-w", "--watch", action="store_true", help="check again whenever a file changes")
    _add_loudness(group)


def _add_list(
    group: argparse._ArgumentGroup, name: str, metavar: str, help: str, choices: Sequence[str] | None = None
) -> None:
    group.add_argument(name, metavar=metavar, action="extend", type=_list_of(choices), default=None, help=help)


def _add_switch(group: argparse._ArgumentGroup, name: str, help: str) -> None:
    """An option and its opposite, of which help and completion name the first alone."""
    destination = name.removeprefix("--").replace("-", "_")
    group.add_argument(name, dest=destination, action="store_true", default=None, help=help)
    opposite = f"--no-{name.removeprefix('--')}"
    group.add_argument(opposite, dest=destination, action="store_false", default=None, help=argparse.SUPPRESS)


def _inspect() -> _Parser:
    parser = _parser(
        "inspect",
        "What the engine knows of a file or a line, and where it comes from.",
        f"{PROGRAM} inspect FILE[:LINE]",
    )
    parser.add_argument("place", metavar="FILE[:LINE]")
    return _asking(parser)


def _why() -> _Parser:
    parser = _parser(
        "why",
        "Each condition of a rule at a line, with its answer and the places it rests on.",
        f"{PROGRAM} why CODE FILE:LINE",
    )
    parser.add_argument("rule", metavar="CODE", help="code or name of a rule")
    parser.add_argument("place", metavar="FILE:LINE")
    return _asking(parser)


def _rule() -> _Parser:
    parser = _parser(
        "rule", "The page of a rule: what it flags, why it costs, what to do.", f"{PROGRAM} rule CODE|NAME"
    )
    parser.add_argument("rule", metavar="CODE|NAME")
    return _add_general(parser)


def _rules() -> _Parser:
    parser = _parser("rules", "All rules, by pack.", f"{PROGRAM} rules [--since VERSION]")
    parser.add_argument("--since", metavar="VERSION", default="", help="only those that came after this version")
    return _add_general(parser)


def _completion() -> _Parser:
    command = "generate-shell-completion"
    parser = _parser(command, "Prints what a shell reads to complete commands.", f"{PROGRAM} {command} SHELL")
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    return _add_general(parser)


def _clean() -> _Parser:
    parser = _parser("clean", "Removes the cache.", f"{PROGRAM} clean [--cache-dir DIR]")
    parser.add_argument("--cache-dir", metavar="DIR", type=Path, help="the cache to remove (default: the user's)")
    return _add_general(parser)


def _calibrate() -> _Parser:
    parser = _parser(
        "calibrate",
        "Measures on this machine what antipatterns cost, and keeps it as a profile.",
        f"{PROGRAM} calibrate [OPTIONS]",
    )
    effort = parser.add_argument_group("how much to measure").add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_true", help="two sizes each, within a minute (default)")
    effort.add_argument("--thorough", action="store_true", help="all sizes, and what has to compile first")
    which = parser.add_argument_group("what to measure")
    which.add_argument(
        "--only", metavar="ID", action="extend", type=_list_of(None), default=[], help="only these benchmarks"
    )
    which.add_argument("--module", metavar="NAME", default="", help="only those of one module, such as memory")
    which.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="only this device")
    where = parser.add_argument_group("the profile")
    where.add_argument("--name", metavar="NAME", default="", help="keep it under this name (default: this-machine)")
    where.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file, not the data folder")
    instead = parser.add_argument_group("instead of measuring").add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="the benchmarks there are")
    instead.add_argument("--compare", metavar=("A.json", "B.json"), nargs=2, type=Path, help="two profiles beside")
    instead.add_argument(
        "--check", action="store_true", help="is the stored profile of this machine? status 0 yes, 1 no, 2 none stored"
    )
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


def _list_of(choices: Sequence[str] | None) -> Callable[[str], list[str]]:
    def listed(text: str) -> list[str]:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        for part in parts:
            if choices is not None and part not in choices:
                raise argparse.ArgumentTypeError(f"{part!r} is none of {', '.join(choices)}")
        return parts

    return listed


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = -1
    if count < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes")
    return count


_PARSERS: dict[str, Callable[[], _Parser]] = {
    "check": _check,
    "inspect": _inspect,
    "why": _why,
    "rule": _rule,
    "rules": _rules,
    "calibrate": _calibrate,
    "clean": _clean,
    "generate-shell-completion": _completion,
}
