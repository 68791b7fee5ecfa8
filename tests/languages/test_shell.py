"""Shell launchers: the words of simple commands after quotes and variables, in the order of execution."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_advise.languages import shell
from mlsys_advise.languages.shell import LauncherInterface, SimpleCommand
from mlsys_advise.languages.words import ARGUMENTS, SCRIPT_FOLDER, UNKNOWN, hole, readable
from mlsys_advise.span import Span


def read(text: str) -> LauncherInterface:
    return shell.interface(shell.parse(text, "launch.sh"))


def lines(text: str) -> list[str]:
    """The commands as one would read them."""
    return [" ".join(map(readable, command.words)) for command in read(text).commands]


LAUNCHER = """\
#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
source ./env.sh
export OMP_NUM_THREADS=4
WORKERS=${WORKERS:-8}
ARGS=(--workers "$WORKERS" --name "my run")
if [[ -n "${WANDB_API_KEY:-}" ]]; then
    wandb login
fi
exec python -u train.py \\
    --epochs 3 "${ARGS[@]}" "$@"
"""


def test_a_launcher() -> None:
    assert lines(LAUNCHER) == [
        "set -euo pipefail",
        "cd $(dirname $0)",
        "source ./env.sh",
        "wandb login",
        "exec python -u train.py --epochs 3 --workers ${WORKERS:-8} --name my run $@",
    ]
    launcher = read(LAUNCHER)
    assert launcher.exports == (("OMP_NUM_THREADS", "4"),)
    assert launcher.interpreter == "bash"
    assert launcher.complete
    assert [command.conditional for command in launcher.commands] == [False, False, False, True, False]
    assert launcher.commands[-1].words[-3:] == ("--name", "my run", ARGUMENTS)


def test_positions_count_code_points_and_stay_in_the_document() -> None:
    document = shell.parse('echo "größe"; python träin.py\n', "launch.sh")
    assert document.spans["1"] == Span(1, 15, 1, 30)
    assert document.spans["0"] == Span(1, 1, 1, 13)


def test_carriage_returns_are_line_ends() -> None:
    document = shell.parse("cd app\r\npython \\\r\n  train.py\r\n", "launch.sh")
    assert [command.words for command in document.launcher.commands] == [("cd", "app"), ("python", "train.py")]
    assert document.spans["1"] == Span(2, 1, 3, 11)


@pytest.mark.parametrize(
    ("script", "last"),
    [
        ("A=1\nA=2\nrun $A", "run 2"),
        ('A="x y"\nrun $A "$A"', "run x y x y"),
        ("A=\nrun $A end", "run end"),
        ("A='$B'\nrun \"$A\"", "run $B"),
        ("A=x; A+=y\nrun $A", "run xy"),
        ("A=(a b); A+=(c)\nrun ${A[@]} ${A[1]}", "run a b c b"),
        ("run ${A:-${B:-3}}", "run ${A:-${B:-3}}"),
        (": ${A:=5}\nrun $A", "run ${A:-5}"),
        ("A=1\nrun ${A:+--flag} ${B:?}", "run --flag $B"),
        ("A=/a\nB=b\nrun $A/$B/c.py", "run /a/b/c.py"),
        ("A=/a\nB=$A/$C/d\nrun $B", "run /a/$C/d"),
        ("export A=/a/$C/d:$E\nrun $A", "run /a/$C/d:$E"),
        ("run $'x' $\"y\" a\\ b", "run x y a b"),
        ("run $(nproc) `date`", "run … …"),
        ("run $(which python)", "run python"),
        ("run $1 ${2:-x} $#", "run $1 ${2:-x} …"),
        ('set -- a "$@"\nrun $1 $2', "run a $1"),
        ("shift 2\nrun $1", "run $3"),
        ("read A\nrun $A", "run …"),
        ("unset A\nrun ${A:-x}", "run x"),
        ('DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"\nrun $DIR/a.py', "run $(dirname $0)/../a.py"),
        ("run ${0%/*}/a.py", "run $(dirname $0)/a.py"),
        ("run $(pwd)/a.py", "run $PWD/a.py"),
        ("run a.py \\", "run a.py"),
    ],
)
def test_the_words_of_the_last_command(script: str, last: str) -> None:
    assert lines(script)[-1] == last


def test_an_unknown_value_is_not_taken_for_a_literal() -> None:
    command = read('run "$(hostname)" "$HOME" "$(dirname "$0")"').commands[0]
    assert command.words == ("run", UNKNOWN, hole("HOME"), hole(SCRIPT_FOLDER))


@pytest.mark.parametrize(
    ("script", "last"),
    [
        ("A=1; if foo; then A=2; fi\nrun $A", "run …"),
        ("if foo; then A=2; else A=2; fi\nrun $A", "run 2"),
        ("if foo; then A=1; else A=2; fi\nrun $A", "run …"),
        ('A=1; [ -n "$B" ] && A=2\nrun $A', "run …"),
        ('if [ -z "$A" ]; then A=2; fi\nrun $A', "run ${A:-2}"),
        ('A=$1\nif [ "$A" == "" ]; then A=out; fi\nrun $A', "run ${1:-out}"),
        ("case $1 in a) A=1;; *) A=1;; esac\nrun $A", "run 1"),
        ("case $1 in a) A=1;; esac\nrun $A", "run …"),
        ("for i in 1 2; do A=$i; done\nrun $A", "run …"),
        ("A=1\nf() { A=2; }\nf\nrun $A", "run …"),
        ("A=1\nf() { local A=2; }\nf\nrun $A", "run 1"),
        ("A=1\n(A=2)\nrun $A", "run 1"),
    ],
)
def test_a_variable_that_a_run_may_have_set_otherwise(script: str, last: str) -> None:
    assert lines(script)[-1] == last


def test_options_read_in_a_loop_leave_the_value_before_it_as_a_default() -> None:
    script = """
WORKERS=8
while [[ $# -gt 0 ]]; do
  case $1 in
    --workers) WORKERS=$2; shift 2 ;;
    *) shift ;;
  esac
done
run $WORKERS "$@"
"""
    command = read(script).commands[-1]
    assert command.words == ("run", hole("", "8", split=True), UNKNOWN)


def flags(text: str) -> list[tuple[str, bool, str, int, bool]]:
    return [(c.words[0], c.conditional, c.function, c.subshell, c.background) for c in read(text).commands]


def test_where_a_command_stands() -> None:
    assert flags("a || b && c") == [("a", False, "", 0, False), ("b", True, "", 0, False), ("c", False, "", 0, False)]
    assert flags("[ -f x ] && b") == [("b", True, "", 0, False)]
    assert flags("cd x && b") == [("cd", False, "", 0, False), ("b", False, "", 0, False)]
    assert flags("for i in 1 2; do a; done") == [("a", False, "", 0, False)]
    assert flags("(a); (b)") == [("a", False, "", 1, False), ("b", False, "", 2, False)]
    assert flags("a &\nb") == [("a", False, "", 0, True), ("b", False, "", 0, False)]
    assert flags("f() { a; }\nf") == [("f", False, "", 0, False), ("a", False, "f", 0, False)]
    assert flags("a | b > log 2>&1") == [("a", False, "", 0, False), ("b", False, "", 0, False)]


def test_assignments_before_a_command_are_its_environment() -> None:
    command = read('A=1 B="$C x" python t.py').commands[0]
    assert command == SimpleCommand(("python", "t.py"), (("A", "1"), ("B", f"{hole('C')} x")))


def test_here_documents_hold_no_commands_and_hide_none() -> None:
    assert lines("cat <<EOF | tee x\npython a.py\nEOF\npython b.py") == ["cat", "tee x", "python b.py"]


def test_what_a_message_says_does_not_change_the_interface() -> None:
    assert read("echo 'starting'\npython t.py") == read("echo 'go'\npython t.py")


def test_broken_code_is_passed_over_and_marked() -> None:
    launcher = read("python a.py\nif [ x ; then (\n")
    assert not launcher.complete
    assert launcher.commands[0].words == ("python", "a.py")


def test_a_script_without_end_is_cut() -> None:
    assert not read("a\n" * 6_000).complete


@pytest.mark.parametrize("text", ["(" * 5_000, "$(" * 5_000, '"${A:-' * 5_000, "if a; then " * 5_000, "a && " * 5_000])
def test_depth_costs_no_recursion(text: str) -> None:
    read(text)


def test_the_interface_can_be_stored() -> None:
    launcher = read(LAUNCHER)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(launcher), type=LauncherInterface) == launcher


FRAGMENTS = st.sampled_from(
    [
        *LAUNCHER.splitlines(keepends=True),
        "fi\n",
        "done\n",
        "$(",
        '"',
        "'",
        "`",
        "${",
        "}",
        "<<E\n",
        ";;",
        "é\n",
        "\x00",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENTS, max_size=12).map("".join) | st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    document = shell.parse(text, "launch.sh")
    assert len(document.spans) == len(document.launcher.commands)
    for span in document.spans.values():
        assert span.line >= 1
        assert span.column >= 1
        assert (span.end_line, span.end_column) >= (span.line, span.column)
