"""What a shell reads to complete our commands, made from the parsers of the command line.

Each script is complete in itself: completing a word starts no program, so it is instant and safe in any folder.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from mlsys_advise.command import arguments as parsers
from mlsys_advise.command import streams
from mlsys_advise.command.arguments import PROGRAM
from mlsys_advise.command.status import ExitStatus


class Option(msgspec.Struct, frozen=True):
    """An option as a shell sees it. ``takes`` is nothing, ``file`` or ``word``; ``choices`` are all its values."""

    names: tuple[str, ...]
    says: str
    takes: str = ""
    choices: tuple[str, ...] = ()


class Command(msgspec.Struct, frozen=True):
    """A command with its options; its arguments are files, or one of ``choices``."""

    name: str
    says: str
    options: tuple[Option, ...]
    choices: tuple[str, ...] = ()


def run(arguments: Namespace) -> int:
    streams.emit(script(arguments.shell))
    return ExitStatus.CLEAN


def script(shell: str) -> Iterator[str]:
    """The lines of the script for one of ``arguments.SHELLS``."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish, "powershell": _powershell}[shell](described())


def described() -> list[Command]:
    """All commands, ``check`` first; its options are those of a line without a command, too."""
    return [_command(name, parsers.parser_of(name)) for name in parsers.commands()]


def _command(name: str, parser: argparse.ArgumentParser) -> Command:
    options: list[Option] = []
    choices: tuple[str, ...] = ()
    for action in parser._actions:  # argparse offers no other way to its options
        if not action.option_strings:
            choices = tuple(action.choices or ())
        elif action.help is not argparse.SUPPRESS:
            takes_value = action.nargs != 0
            takes = ("file" if action.type is Path else "word") if takes_value else ""
            values = tuple(action.choices or ()) if takes_value else ()
            options.append(Option(tuple(action.option_strings), action.help or "", takes, values))
    return Command(name, (parser.description or "").partition("\n")[0], tuple(options), choices)


def _words(options: Sequence[Option]) -> str:
    return " ".join(name for option in options for name in option.names)


def _bash(commands: Sequence[Command]) -> Iterator[str]:
    yield f"_{_identifier()}() {{"
    yield '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words="" command=check'
    yield f'    case "${{COMP_WORDS[1]}}" in {"|".join(command.name for command in commands)})'
    yield '        [ "$COMP_CWORD" -gt 1 ] && command="${COMP_WORDS[1]}";; esac'
    yield '    case "$command:$before" in'
    for command in commands:
        for option in command.options:
            if option.takes:
                patterns = "|".join(f"{command.name}:{name}" for name in option.names)
                values = f'-W "{" ".join(option.choices)}"' if option.choices else "-f"
                yield f'        {patterns}) COMPREPLY=($(compgen {values} -- "$word")); return;;'
    yield "    esac"
    yield '    case "$command" in'
    for command in commands:
        yield f'        {command.name}) words="{_words(command.options)}";;'
    yield "    esac"
    yield '    case "$word" in -*) COMPREPLY=($(compgen -W "$words" -- "$word")); return;; esac'
    for command in commands:
        if command.choices:
            yield f'    [ "$command" = {command.name} ] && words="{" ".join(command.choices)}" && {{'
            yield '        COMPREPLY=($(compgen -W "$words" -- "$word")); return; }'
    yield '    COMPREPLY=($(compgen -f -- "$word"))'
    names = " ".join(command.name for command in commands)
    yield f'    [ "$COMP_CWORD" -eq 1 ] && COMPREPLY+=($(compgen -W "{names}" -- "$word"))'
    yield "    return 0"
    yield "}"
    yield f"complete -o filenames -F _{_identifier()} {PROGRAM}"


def _zsh(commands: Sequence[Command]) -> Iterator[str]:
    yield f"#compdef {PROGRAM}"
    yield f"_{_identifier()}() {{"
    yield "    local -a commands"
    yield "    commands=("
    for command in commands:
        yield f"        {_single(f'{command.name}:{command.says}')}"
    yield "    )"
    yield "    local command=check"
    yield "    if (( CURRENT > 2 )) && [[ -n ${(M)commands:#${words[2]}:*} ]]; then"
    yield "        command=${words[2]}; shift words; (( CURRENT-- ))"
    yield "    elif (( CURRENT == 2 )) && [[ ${words[2]} != -* ]]; then"
    yield "        _describe -t commands command commands"
    yield "    fi"
    yield "    case $command in"
    for command in commands:
        yield f"        {command.name})"
        yield "            _arguments -S \\"
        for option in command.options:
            for name in option.names:
                text = option.says.replace("[", "(").replace("]", ")").replace(":", " ")
                values = f"({' '.join(option.choices)})" if option.choices else "_files"
                argument = f":value:{values}" if option.takes else ""
                yield f"                {_single(f'*{name}[{text}]{argument}')} \\"
        rest = f"({' '.join(command.choices)})" if command.choices else "_files"
        yield f"                {_single(f'*:argument:{rest}')} ;;"
    yield "    esac"
    yield "}"
    yield f'if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _{_identifier()} "$@"'
    yield f"else compdef _{_identifier()} {PROGRAM}; fi"


def _fish(commands: Sequence[Command]) -> Iterator[str]:
    names = " ".join(command.name for command in commands)
    for command in commands:
        first = f"not __fish_seen_subcommand_from {names}"
        yield f"complete -c {PROGRAM} -n {_single(first)} -a {command.name} -d {_single(command.says)}"
        when = f"__fish_seen_subcommand_from {command.name}"
        if command.name == "check":
            when = f"{when}; or {first}"
        for option in command.options:
            parts = [f"complete -c {PROGRAM} -n {_single(when)}"]
            for name in option.names:
                parts.append(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}")
            if option.choices:
                parts.append(f"-x -a {_single(' '.join(option.choices))}")
            elif option.takes:
                parts.append("-r")
            yield " ".join([*parts, f"-d {_single(option.says)}"])
        if command.choices:
            yield f"complete -c {PROGRAM} -n {_single(when)} -f -a {_single(' '.join(command.choices))}"


def _powershell(commands: Sequence[Command]) -> Iterator[str]:
    yield f"Register-ArgumentCompleter -Native -CommandName {PROGRAM} -ScriptBlock {{"
    yield "    param($word, $ast, $cursor)"
    yield "    $commands = [ordered]@{"
    for command in commands:
        yield f"        {_doubled(command.name)} = {_doubled(command.says)}"
    yield "    }"
    yield "    $options = @{"
    for command in commands:
        yield f"        {_doubled(command.name)} = [ordered]@{{"
        for option in command.options:
            for name in option.names:
                yield f"            {_doubled(name)} = {_doubled(option.says)}"
        yield "        }"
    yield "    }"
    yield "    $choices = @{"
    for command in commands:
        for option in command.options:
            for name in option.names if option.choices else ():
                values = ", ".join(map(_doubled, option.choices))
                yield f"        {_doubled(f'{command.name} {name}')} = @({values})"
        if command.choices:
            yield f"        {_doubled(command.name)} = @({', '.join(map(_doubled, command.choices))})"
    yield "    }"
    yield "    $words = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })"
    yield "    $before = @($words | Where-Object { $_ -ne $word })"
    yield "    $command = if ($before -and $commands.Contains($before[0])) { $before[0] } else { 'check' }"
    yield "    $last = if ($before) { \"$command $($before[-1])\" } else { '' }"
    yield "    $found = if ($choices.Contains($last)) { $choices[$last] }"
    yield "        elseif ($word -like '-*') { $options[$command].Keys }"
    yield "        elseif ($choices.Contains($command)) { $choices[$command] }"
    yield "        elseif (-not $before) { $commands.Keys } else { @() }"
    yield '    $found | Where-Object { $_ -like "$word*" } | ForEach-Object {'
    yield "        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)"
    yield "    }"
    yield "}"


def _identifier() -> str:
    return PROGRAM.replace("-", "_")


def _single(text: str) -> str:
    """For a POSIX shell, zsh or fish: in single quotes, in which a quote is left out by ending and resuming them."""
    return "'" + text.replace("'", "'\\''") + "'"


def _doubled(text: str) -> str:
    """For PowerShell: in single quotes, in which a quote is doubled."""
    return "'" + text.replace("'", "''") + "'"
