"""Completion: made from the parsers, and tried in the shells that are installed here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mlsys_advise.command import completion
from mlsys_advise.command.arguments import SHELLS, commands
from mlsys_advise.settings.choices import FORMATS
from tests.command.conftest import CommandLine

LINES = {
    "mlsys-advise ru": {"rule", "rules"},
    "mlsys-advise --output-fo": {"--output-format"},
    "mlsys-advise check --select MLS4 --no-ca": {"--no-cache"},
    "mlsys-advise check --output-format j": {name for name in FORMATS if name.startswith("j")},
    "mlsys-advise rules --si": {"--since"},
    "mlsys-advise generate-shell-completion f": {"fish"},
    "mlsys-advise tr": {"train.py"},
}


def needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


@pytest.fixture
def scripts(cli: CommandLine, tmp_path: Path) -> dict[str, Path]:
    """The script of each shell, in a file."""
    found = {}
    for shell in SHELLS:
        result = cli("generate-shell-completion", shell)
        assert (result.status, result.err) == (0, "")
        found[shell] = tmp_path / f"completion.{shell}"
        found[shell].write_text(result.out, encoding="utf-8")
    return found


@pytest.mark.parametrize(("line", "expected"), LINES.items())
def test_bash(scripts: dict[str, Path], line: str, expected: set[str]) -> None:
    program = (
        f"source {scripts['bash']}; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1));"
        '_mlsys_advise; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run([needs("bash"), "-c", program], capture_output=True, text=True, check=True)
    assert (set(done.stdout.split()), done.stderr) == (expected, "")


@pytest.mark.parametrize(("line", "expected"), LINES.items())
def test_fish(scripts: dict[str, Path], line: str, expected: set[str]) -> None:
    program = f"source {scripts['fish']}; complete -C '{line}'"
    done = subprocess.run([needs("fish"), "--no-config", "-c", program], capture_output=True, text=True, check=True)
    assert {each.split("\t")[0] for each in done.stdout.splitlines()} == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mlsys-advise ''", "describe\ncheck "),
        ("mlsys-advise check ''", "check *--select[only these"),
        ("mlsys-advise --quiet ''", "*--output-format[full, concise"),
        ("mlsys-advise rules ''", "rules *--since[only those"),
        ("mlsys-advise generate-shell-completion ''", "*:argument:(bash zsh fish powershell)"),
    ],
)
def test_zsh(scripts: dict[str, Path], line: str, expected: str) -> None:
    """The functions of its completion system are stood in for: they need a terminal."""
    program = (
        "compdef() {}; _describe() { print describe }; _arguments() { print -r -- $command $@ };"
        f"source {scripts['zsh']}; words=({line}); CURRENT=${{#words}}; _mlsys_advise"
    )
    done = subprocess.run([needs("zsh"), "-f", "-c", program], capture_output=True, text=True, check=True)
    assert expected in done.stdout.replace(" -S", "")
    assert done.stderr == ""


@pytest.mark.parametrize(("line", "expected"), LINES.items())
def test_powershell(scripts: dict[str, Path], line: str, expected: set[str]) -> None:
    if "train.py" in expected:
        pytest.skip("PowerShell completes files itself")
    program = (
        f". {scripts['powershell']}; (TabExpansion2 -inputScript '{line}' -cursorColumn {len(line)})"
        ".CompletionMatches.CompletionText"
    )
    done = subprocess.run(
        [needs("pwsh"), "-NoProfile", "-Command", program], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_every_option_is_in_every_script(scripts: dict[str, Path], shell: str) -> None:
    text = scripts[shell].read_text(encoding="utf-8")
    for command in completion.described():
        assert command.name in text
        for option in command.options:
            for name in option.names:
                assert (name.lstrip("-") if shell == "fish" else name) in text
    assert [command.name for command in completion.described()] == commands()
