"""Shell scripts: the simple commands of a launcher in order, with the values of variables put in where they are known.

Invariant: parsing never raises, and a word is written without holes only if every run of the script gives it that
text; what a caller, the environment or a branch decides stays a hole (``words``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from mlsys_advise.languages.words import (
    ARGUMENTS,
    SCRIPT,
    SCRIPT_FOLDER,
    UNKNOWN,
    clean,
    hole,
    joined,
    literal,
    rest_of_arguments,
    separated,
    splittable,
)
from mlsys_advise.span import Span

if TYPE_CHECKING:
    import tree_sitter


class SimpleCommand(msgspec.Struct, frozen=True, array_like=True):
    """One command with its words after expansion, wrappers such as ``exec`` included.

    ``environment`` holds the assignments before the command. ``conditional`` says that a run may pass it by: it stands
    in a branch, in a case or behind ``||``. ``function`` is the function whose body it belongs to, ``subshell`` numbers
    the parentheses it stands in (0 is the script itself), so that a ``cd`` there moves nothing outside.
    """

    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    conditional: bool = False
    function: str = ""
    subshell: int = 0
    background: bool = False


class LauncherInterface(msgspec.Struct, frozen=True, array_like=True, tag="launcher"):
    """What other files need to know of a shell script.

    ``exports`` are variables that programs started later see. A script that is not ``complete`` has a syntax error or
    was cut at a limit, so that its commands prove what it does but not what it does not do.
    """

    commands: tuple[SimpleCommand, ...] = ()
    exports: tuple[tuple[str, str], ...] = ()
    functions: tuple[str, ...] = ()
    interpreter: str = ""
    complete: bool = True


class LauncherDocument(msgspec.Struct, frozen=True):
    """A parsed script; ``spans`` gives the place of the command with that index, as text, in the interface."""

    path: str
    launcher: LauncherInterface
    spans: dict[str, Span]


def parse(text: str, path: str) -> LauncherDocument:
    """The commands of the script ``text``; what does not parse is passed over and marks the script incomplete."""
    source = _Source(clean(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")))
    tree = _parser().parse(source.code)
    reader = _Reader(source)
    reader.script(tree.root_node)
    launcher = LauncherInterface(
        commands=tuple(reader.commands),
        exports=tuple(sorted(reader.exports().items())),
        functions=tuple(sorted(reader.functions)),
        interpreter=_interpreter(source.text),
        complete=not tree.root_node.has_error and not reader.cut,
    )
    spans = {str(index): source.span(node) for index, node in enumerate(reader.nodes)}
    return LauncherDocument(path, launcher, spans)


def interface(document: LauncherDocument) -> LauncherInterface:
    return document.launcher


def commands(text: str) -> LauncherInterface:
    """The interface of a script given as one word, as ``bash -c`` has it."""
    return parse(text, "").launcher


@cache
def _parser() -> tree_sitter.Parser:
    # Most projects are read again and again without a look at a launcher.
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def _interpreter(text: str) -> str:
    """``bash`` of ``#!/usr/bin/env -S bash -e``, empty without a shebang."""
    if not text.startswith("#!"):
        return ""
    words = text[2 : text.find("\n") if "\n" in text else len(text)].split()
    names = [word.rpartition("/")[2] for word in words if not word.startswith("-") and "=" not in word]
    if names[:1] == ["env"]:
        names = names[1:]
    return names[0] if names else ""


_LAST_CONTINUATION = re.compile(r"(?<!\\)\\(?=\s*\Z)")


class _Source:
    """The text of a script beside its bytes, in which the tree counts."""

    def __init__(self, text: str) -> None:
        # A backslash at the end of a script continues into nothing, which bash takes as the end of the command.
        self.text = _LAST_CONTINUATION.sub(" ", text)
        self.code = self.text.encode("utf-8", "replace")
        self._lines = None if text.isascii() else self.code.split(b"\n")

    def slice(self, start: int, end: int) -> str:
        return self.code[start:end].decode("utf-8", "replace")

    def of(self, node: tree_sitter.Node) -> str:
        return self.slice(node.start_byte, node.end_byte)

    def span(self, node: tree_sitter.Node) -> Span:
        start, end = node.start_point, node.end_point
        return Span(
            start.row + 1, self._column(start.row, start.column), end.row + 1, self._column(end.row, end.column)
        )

    def _column(self, row: int, column: int) -> int:
        if self._lines is None or row >= len(self._lines):
            return column + 1
        return len(self._lines[row][:column].decode("utf-8", "replace")) + 1


#: The value of a variable: a word, or the words of an array.
_Value = str | tuple[str, ...]
#: Variables that hold a value at some point of the script; ``@`` holds the positional parameters.
_State = dict[str, _Value]

_MOST_COMMANDS = 5_000
_MOST_NESTED_WORDS = 12
_MOST_WORD = 20_000
_PARAMETERS = "@"

_SILENT = frozenset({"echo", "printf"})
_TESTS = frozenset({"[", "[[", "test", "command", "which", "type", "hash", "grep", "egrep", "pgrep", "false"})
_BRANCHES = frozenset({"if_statement", "case_statement"})
_LOOPS = frozenset({"for_statement", "c_style_for_statement", "while_statement"})


class _Reader:
    """Walks a tree once, in the order of execution, with the state of the variables at hand.

    The walk keeps its own stack of pending steps, so that depth of nesting costs no recursion.
    """

    def __init__(self, source: _Source) -> None:
        self.commands: list[SimpleCommand] = []
        self.nodes: list[tree_sitter.Node] = []
        self.functions: dict[str, tree_sitter.Node] = {}
        self.cut = False
        self._source = source
        self._state: _State = {_PARAMETERS: (ARGUMENTS,)}
        self._exported: set[str] = set()
        self._final: _State = {}
        self._volatile: frozenset[str] = frozenset()
        self._conditions = 0
        self._subshells: list[int] = [0]
        self._subshell_count = 0
        self._function = ""
        self._background = False
        self._pending: list[Callable[[], None]] = []

    def script(self, root: tree_sitter.Node) -> None:
        """Read the script, then the bodies of its functions, which see only what is assigned once and for all."""
        assignments = list(_assignments(root, self._source))
        self._volatile = frozenset(name for name, inside, _ in assignments if inside)
        self._run(root)
        self._final = self._state
        counted: dict[str, int] = {}
        for name, _, fixed in assignments:
            counted[name] = counted.get(name, 0) + (1 if fixed else 2)
        constant = {name: value for name, value in self._final.items() if counted.get(name) == 1}
        done: set[str] = set()
        while remaining := [name for name in self.functions if name not in done]:
            for name in remaining:
                done.add(name)
                self._function = name
                self._state = {**constant, _PARAMETERS: (ARGUMENTS,)}
                self._volatile = frozenset()
                self._run(self.functions[name])

    def exports(self) -> dict[str, str]:
        """Exported variables with the value at the end of the script."""
        result: dict[str, str] = {}
        for name in self._exported:
            value = self._final.get(name, hole(name))
            result[name] = value if isinstance(value, str) and name not in self._volatile else UNKNOWN
        return result

    # -- the walk

    def _run(self, node: tree_sitter.Node) -> None:
        self._pending = [lambda: self._statement(node)]
        while self._pending:
            if len(self.commands) >= _MOST_COMMANDS:
                self.cut = True
                return
            self._pending.pop()()

    def _then(self, *steps: Callable[[], None]) -> None:
        self._pending.extend(reversed(steps))

    def _statements(self, nodes: list[tree_sitter.Node]) -> list[Callable[[], None]]:
        return [lambda node=node: self._statement(node) for node in nodes]  # type: ignore[misc]

    def _statement(self, node: tree_sitter.Node) -> None:
        match node.type:
            case "command":
                self._command(node)
            case "variable_assignment":
                self._assign(node)
            case "declaration_command":
                self._declare(node)
            case "unset_command":
                self._unset(node)
            case "list":
                self._list(node)
            case "subshell":
                self._nested_shell(node)
            case "function_definition":
                self._define(node)
            case "if_statement" | "case_statement":
                self._branch(node)
            case "for_statement" | "c_style_for_statement" | "while_statement":
                self._loop(node)
            case "redirected_statement":
                self._then(*self._statements(_redirected(node)))
            case "test_command" | "comment" | "heredoc_body" | "file_redirect" | "herestring_redirect":
                pass
            case _:
                self._sequence(node)

    def _sequence(self, node: tree_sitter.Node) -> None:
        """A body of statements; one that ``&`` follows runs in the background."""
        steps: list[Callable[[], None]] = []
        children = node.children
        for index, child in enumerate(children):
            if not child.is_named:
                continue
            if index + 1 < len(children) and children[index + 1].type == "&":
                steps += [self._enter_background, *self._statements([child]), self._leave_background]
            else:
                steps += self._statements([child])
        self._then(*steps)

    def _enter_background(self) -> None:
        self._background = True

    def _leave_background(self) -> None:
        self._background = False

    def _list(self, node: tree_sitter.Node) -> None:
        """``a && b``, ``a || b``: the right side of ``||``, and of ``&&`` behind a test, may be passed by."""
        named = node.named_children
        operators = [child.type for child in node.children if child.type in ("&&", "||")]
        if len(named) < 2 or not operators:
            self._then(*self._statements(named))
            return
        left, right = named[0], named[1]
        steps = self._statements([left])
        if operators[0] == "||" or self._tests(left):
            fork = _Fork(self._state)
            steps += [lambda: self._enter(fork), *self._statements([right]), lambda: self._leave(fork)]
            steps += [lambda: self._join(fork, exhaustive=False)]
        else:
            steps += self._statements([right])
        self._then(*steps, *self._statements(named[2:]))

    def _tests(self, node: tree_sitter.Node) -> bool:
        """Whether the last command of ``node`` asks something rather than does something."""
        while node.type in ("list", "redirected_statement", "pipeline") and node.named_children:
            body = node.child_by_field_name("body")
            node = body if body is not None else node.named_children[-1]
        if node.type in ("test_command", "negated_command"):
            return True
        name = node.child_by_field_name("name") if node.type == "command" else None
        return name is not None and self._source.of(name) in _TESTS

    def _nested_shell(self, node: tree_sitter.Node) -> None:
        self._subshell_count += 1
        self._subshells.append(self._subshell_count)
        before = dict(self._state)

        def leave() -> None:
            self._subshells.pop()
            self._state = before

        self._then(*self._statements(node.named_children), leave)

    def _define(self, node: tree_sitter.Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            self.functions.setdefault(self._source.of(name), body)

    # -- branches and loops

    def _branch(self, node: tree_sitter.Node) -> None:
        fork = _Fork(self._state)
        steps: list[Callable[[], None]] = []
        branches, exhaustive = (
            _branches_of_if(node) if node.type == "if_statement" else _branches_of_case(node, self._source)
        )
        for conditions, body in branches:
            steps += self._statements(conditions)
            steps += [lambda: self._enter(fork), *self._statements(body), lambda: self._leave(fork)]
        if len(branches) == 1 and not exhaustive:
            fork.absent = self._tested_empty(branches[0][0])
        steps.append(lambda: self._join(fork, exhaustive=exhaustive))
        self._then(*steps)

    def _tested_empty(self, conditions: list[tree_sitter.Node]) -> str:
        """``X`` where the only condition is ``[ -z "$X" ]`` or ``[ "$X" = "" ]``: the branch gives a default."""
        if len(conditions) != 1 or conditions[0].type != "test_command" or not conditions[0].named_children:
            return ""
        test = conditions[0].named_children[0]
        parts = [self._source.of(child) for child in test.children]
        match parts:
            case ["-z", operand] | [operand, "==" | "=", '""' | "''"]:
                name = _TESTED.fullmatch(operand)
                return name[1] if name is not None else ""
            case _:
                return ""

    def _enter(self, fork: _Fork) -> None:
        self._conditions += 1
        fork.before = self._state
        self._state = dict(self._state)

    def _leave(self, fork: _Fork) -> None:
        self._conditions -= 1
        fork.after.append(self._state)
        self._state = fork.before

    def _join(self, fork: _Fork, *, exhaustive: bool) -> None:
        states = fork.after if exhaustive else [fork.before, *fork.after]
        self._state = _merged(fork.before, states)
        if fork.absent and isinstance(default := fork.after[0].get(fork.absent), str):
            before = fork.before.get(fork.absent, hole(fork.absent))
            self._state[fork.absent] = before if before and _literal(before) else _defaulted(before, default)

    def _loop(self, node: tree_sitter.Node) -> None:
        """A body runs any number of times: what it assigns is not known inside, and after it only as a default."""
        before = dict(self._state)
        changed = {name for name, _, _ in _assignments(node, self._source)}
        if node.type == "for_statement" and (variable := node.child_by_field_name("variable")) is not None:
            changed.add(self._source.of(variable))
        if _shifts(node, self._source):
            changed.add(_PARAMETERS)
        for name in changed:
            self._state[name] = (UNKNOWN,) if name == _PARAMETERS else UNKNOWN
        body = node.child_by_field_name("body")
        conditions = node.children_by_field_name("condition") if node.type == "while_statement" else []

        def leave() -> None:
            after = {name: before[name] for name in before if name not in changed}
            for name in changed:
                after[name] = _either(before.get(name), self._state.get(name))
            self._state = after

        self._then(*self._statements([*conditions, *([body] if body is not None else [])]), leave)

    # -- commands

    def _command(self, node: tree_sitter.Node) -> None:
        environment: list[tuple[str, str]] = []
        words: list[str] = []
        for group in _adjacent(node.named_children):
            first = group[0]
            if first.type == "variable_assignment":
                name, value = self._assignment(first, group[1:])
                environment.append((name, value if isinstance(value, str) else UNKNOWN))
            elif not first.type.endswith("redirect") and first.type not in ("comment", "ERROR"):
                words += separated(self._rejoined(self._expand(first, quoted=False, depth=0), group[1:], quoted=False))
        if not words:
            self._state.update(environment)
            return
        self._builtin(words)
        if words[0] in _SILENT:
            words = words[:1]
        self.commands.append(
            SimpleCommand(
                words=tuple(words),
                environment=tuple(environment),
                conditional=self._conditions > 0,
                function=self._function,
                subshell=self._subshells[-1],
                background=self._background,
            )
        )
        self.nodes.append(node)

    def _builtin(self, words: list[str]) -> None:
        """What a builtin does to the variables."""
        match words:
            case ["shift"]:
                self._shift(1)
            case ["shift", count]:
                self._shift(int(count) if count.isascii() and count.isdecimal() and len(count) < 3 else None)
            case ["set", "--", *parameters]:
                self._state[_PARAMETERS] = tuple(parameters)
            case ["read" | "mapfile" | "readarray" | "getopts", *names]:
                for name in names:
                    self._state[name] = UNKNOWN
            case _:
                pass

    def _shift(self, count: int | None) -> None:
        parameters = self._parameters()
        for _ in range(count or 0):
            if not parameters:
                break
            rest = rest_of_arguments(parameters[0])
            parameters = (hole(f"@{rest + 1}"), *parameters[1:]) if rest is not None else parameters[1:]
        self._state[_PARAMETERS] = (UNKNOWN,) if count is None else parameters

    def _parameters(self) -> tuple[str, ...]:
        value = self._state.get(_PARAMETERS, (UNKNOWN,))
        return value if isinstance(value, tuple) else (UNKNOWN,)

    # -- variables

    def _assign(self, node: tree_sitter.Node) -> None:
        name, value = self._assignment(node)
        if name:
            self._state[name] = value

    def _assignment(self, node: tree_sitter.Node, torn: Sequence[tree_sitter.Node] = ()) -> tuple[str, _Value]:
        """Name and value; ``torn`` are nodes that belong to the value, though they stand beside it in the tree."""
        target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if target is None:
            return "", UNKNOWN
        if target.type == "subscript":
            inner = target.child_by_field_name("name")
            return (self._source.of(inner) if inner is not None else ""), UNKNOWN
        name = self._source.of(target)
        new: _Value
        if value is None:
            new = ""
        elif value.type == "array":
            new = tuple(word for child in value.named_children for word in self._words(child))
        else:
            new = _unsplit(self._rejoined(self._expand(value, quoted=True, depth=0), torn, quoted=True))
        if any(child.type == "+=" for child in node.children):
            new = _appended(self._lookup(name), new)
        return name, new

    def _declare(self, node: tree_sitter.Node) -> None:
        """``export``, ``declare``, ``local`` ..: assignments, and which of the names programs will see."""
        options = [self._source.of(child) for child in node.named_children if child.type == "word"]
        keyword = node.children[0].type if node.children else ""
        removed = any(option.startswith("-") and "n" in option for option in options) and keyword == "export"
        exported = keyword == "export" or any(option.startswith("-") and "x" in option for option in options)
        for child, *torn in _adjacent(node.named_children):
            if child.type == "variable_assignment":
                name, value = self._assignment(child, torn)
                self._state[name] = value
            elif child.type == "variable_name":
                name = self._source.of(child)
            else:
                continue
            if removed:
                self._exported.discard(name)
            elif exported and not self._function:
                self._exported.add(name)

    def _unset(self, node: tree_sitter.Node) -> None:
        for child in node.named_children:
            name = self._source.of(child)
            self._state[name] = "" if not self._conditions else UNKNOWN
            if not self._conditions:
                self._exported.discard(name)

    def _lookup(self, name: str) -> _Value:
        if name in self._volatile:
            return UNKNOWN
        if name == "BASH_SOURCE":
            return hole(SCRIPT)
        return self._state.get(name, hole(name))

    def _parameter(self, position: int) -> str:
        for index, word in enumerate(self._parameters()):
            rest = rest_of_arguments(word)
            if rest is not None:
                return hole(str(rest + position - 1 - index))
            if not literal(word) and word == UNKNOWN:
                return UNKNOWN
            if index == position - 1:
                return word
        return ""

    # -- words

    def _words(self, node: tree_sitter.Node) -> list[str]:
        return separated(self._expand(node, quoted=False, depth=0))

    def _rejoined(self, text: str, nodes: Sequence[tree_sitter.Node], *, quoted: bool) -> str:
        """``text`` with ``nodes`` that follow it without a blank.

        The grammar tears ``$A/$B/c`` apart behind the second ``$``, so that the name of a variable is found at the
        start of the next node.
        """
        for node in nodes:
            name = _NAME.match(self._source.of(node)) if text.endswith("$") else None
            if name is None:
                text += self._expand(node, quoted=quoted, depth=0)
                continue
            value = self._variable(name[0], None)
            known = value if isinstance(value, str) else UNKNOWN
            rest = self._pieces(node, quoted=quoted, depth=0, start=node.start_byte + name.end())
            text = text[:-1] + (known if quoted else splittable(known)) + rest
        return text

    def _expand(self, node: tree_sitter.Node, *, quoted: bool, depth: int) -> str:
        if depth > _MOST_NESTED_WORDS or node.end_byte - node.start_byte > _MOST_WORD:
            return UNKNOWN
        match node.type:
            case "command_name" if node.named_child_count == 1:
                return self._expand(node.named_children[0], quoted=quoted, depth=depth + 1)
            case "word" | "number" | "variable_name" | "extglob_pattern" | "regex":
                if node.named_children:
                    return self._pieces(node, quoted=quoted, depth=depth)
                return _unescaped(self._source.of(node))
            case "raw_string":
                return self._source.of(node)[1:-1]
            case "ansi_c_string":
                text = self._source.of(node)[2:-1]
                return UNKNOWN if "\\" in text else text
            case "string" | "translated_string":
                return self._pieces(node, quoted=True, depth=depth)
            case "string_content" | "heredoc_content":
                return _unquoted(self._source.of(node))
            case "concatenation" | "command_name":
                return self._pieces(node, quoted=quoted, depth=depth)
            case "simple_expansion" | "expansion":
                return self._expansion(node, quoted=quoted, depth=depth)
            case "command_substitution":
                value = _substituted(self._source.of(node))
                return value if quoted else splittable(value)
            case _:
                return UNKNOWN

    def _pieces(self, node: tree_sitter.Node, *, quoted: bool, depth: int, start: int | None = None) -> str:
        """The children of ``node`` in order, with the text between them, from the byte ``start``."""
        end = node.end_byte
        string = node.type in ("string", "translated_string", "expansion")
        if node.type == "string":
            start, end = node.start_byte + 1, end - 1
        elif node.type == "expansion":
            end -= 1
        at = node.start_byte if start is None else start
        result: list[str] = []
        for child in node.named_children:
            if child.start_byte < at:
                continue
            gap = self._source.slice(at, child.start_byte)
            if node.type != "translated_string":
                result.append(_unquoted(gap) if string else _unescaped(gap))
            result.append(self._expand(child, quoted=quoted, depth=depth + 1))
            at = child.end_byte
        if node.type != "translated_string" and at < end:
            gap = self._source.slice(at, end)
            result.append(_unquoted(gap) if string else _unescaped(gap))
        return "".join(result)

    def _expansion(self, node: tree_sitter.Node, *, quoted: bool, depth: int) -> str:
        text = self._source.of(node)
        parsed = _EXPANSION.match(text)
        if parsed is None:
            return UNKNOWN if quoted else splittable(UNKNOWN)
        name, index, operator = parsed["name"], parsed["index"], parsed["operator"] or ""
        if parsed["prefix"] or (operator and operator not in _OPERATORS):
            value: _Value = UNKNOWN
        else:
            value = self._variable(name, index)
        if name == SCRIPT and text[parsed.end("operator") :] == "/*}":
            value = hole(SCRIPT_FOLDER)
        elif operator:
            offset = node.start_byte + len(text[: parsed.end()].encode("utf-8", "replace"))
            value = self._operated(node, value, operator, offset, name, depth)
        elif text.startswith("${") and parsed.end() != len(text) - 1:
            value = UNKNOWN
        if isinstance(value, tuple):
            if quoted and name == "*":
                return " ".join(value)
            return joined(value) if quoted else joined([splittable(word) for word in value])
        return value if quoted else splittable(value)

    def _variable(self, name: str, index: str | None) -> _Value:
        if name in ("@", "*"):
            return self._parameters()
        if name.isdecimal():
            return hole(SCRIPT) if name == SCRIPT else self._parameter(int(name[:3]))
        if not (name[0].isalpha() or name[0] == "_"):
            return UNKNOWN
        value = self._lookup(name)
        if name == "BASH_SOURCE":
            return value
        if index in ("@", "*"):
            return value if isinstance(value, tuple) else (value,) if literal(value) else UNKNOWN
        if not isinstance(value, tuple):
            return value if index in (None, "0") else UNKNOWN
        position = int(index) if index is not None and index.isdecimal() and len(index) < 4 else 0
        known = index is None or index.isdecimal()
        return value[position] if known and position < len(value) and all(map(literal, value)) else UNKNOWN

    def _operated(
        self, node: tree_sitter.Node, value: _Value, operator: str, offset: int, name: str, depth: int
    ) -> _Value:
        """``${name:-word}`` and its kin."""
        empty = value == "" or value == ()
        known = isinstance(value, tuple) or literal(value)
        match operator:
            case ":-" | "-" | ":=" | "=":
                if known and not empty:
                    return value
                default = self._pieces(node, quoted=True, depth=depth, start=offset)
                default = _unsplit(default)
                result = default if empty and known else _defaulted(value, default)
                if operator in (":=", "=") and isinstance(result, str):
                    self._state[name] = result
                return result
            case ":+" | "+":
                if known:
                    return "" if empty else self._pieces(node, quoted=True, depth=depth, start=offset)
                return UNKNOWN
            case ":?" | "?":
                return value
            case _:
                return UNKNOWN


class _Fork:
    """The states of the variables around branches of which one runs, or none."""

    def __init__(self, before: _State) -> None:
        self.before = before
        self.after: list[_State] = []
        self.absent = ""


_OPERATORS = (":-", ":=", ":?", ":+", "-", "=", "?", "+")
_EXPANSION = re.compile(
    r"\$\{?(?P<prefix>[#!](?=[\w@*]))?(?P<name>\w+|[@*#?$!-])(?:\[(?P<index>[^\]]*)\])?"
    r"(?P<operator>:?[-=?+]|%%?|##?|//?|\^\^?|,,?|:)?",
    re.ASCII,
)
_ESCAPE = re.compile(r"\\(\n|.)", re.DOTALL)
_QUOTED_ESCAPE = re.compile(r'\\([\n"$`\\])')


_TESTED = re.compile(r'"?\$\{?(\w+)(?::?[-+]\w*)?\}?"?', re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*|\d|[@*#?]", re.ASCII)


def _adjacent(nodes: Sequence[tree_sitter.Node]) -> Iterator[list[tree_sitter.Node]]:
    """``nodes`` in groups between which there is a blank."""
    group: list[tree_sitter.Node] = []
    for node in nodes:
        if group and group[-1].end_byte != node.start_byte:
            yield group
            group = []
        group.append(node)
    if group:
        yield group


def _unsplit(text: str) -> str:
    """``text`` as an assignment keeps it: in one piece."""
    pieces = separated(text)
    return " ".join(pieces) if pieces != [text] else text


def _literal(value: _Value) -> bool:
    return all(map(literal, value)) if isinstance(value, tuple) else literal(value)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: "" if match[1] == "\n" else match[1], text)


def _unquoted(text: str) -> str:
    if "\\" not in text:
        return text
    return _QUOTED_ESCAPE.sub(lambda match: "" if match[1] == "\n" else match[1], text)


def _defaulted(value: _Value, default: str) -> str:
    """The hole ``value`` with a default; a value that is more than one hole keeps none."""
    if not isinstance(value, str):
        return UNKNOWN
    inner = value[1:-1]
    if value != hole(inner) or not inner:
        return hole("", default) if value == UNKNOWN else value
    return hole(inner, default)


_FOLDER_WORDS = frozenset(
    {"cd", "dirname", "pwd", "-P", "-L", "-f", "-e", "-m", "--", "readlink", "realpath", "0", "BASH_SOURCE", ">", "2>"}
)


def _substituted(text: str) -> str:
    """The value of ``$(..)`` where it is one of the idioms that name a folder or the path of a program."""
    inner = text[2:-1] if text.startswith("$(") else text[1:-1]
    words = [word for word in re.split(r"[\s\"'(){}$;&|]+|BASH_SOURCE(?:\[0\])?(?=\W|$)|/dev/null", inner) if word]
    match inner.split():
        case ["pwd"] | ["pwd", "-P"]:
            return hole("PWD")
        case ["which", program] | ["command", "-v", program] | ["type", "-P", program] if re.fullmatch(
            r"[\w.+-]+", program
        ):
            return program
        case _:
            pass
    script = re.search(r"\$\{?(?:0|BASH_SOURCE)", inner) is not None
    climbs = [word for word in words if re.fullmatch(r"/?\.\.(/\.\.)*/?", word)]
    rest = [word for word in words if word not in _FOLDER_WORDS and word not in climbs and word != "2>&1"]
    if not script or rest or words.count("dirname") > 4 or len(climbs) > 1:
        return UNKNOWN
    if "dirname" not in words:
        return hole(SCRIPT) if words and words[0] in ("readlink", "realpath") and not climbs else UNKNOWN
    upwards = "/.." * (words.count("dirname") - 1) + ("/" + climbs[0].strip("/") if climbs else "")
    return hole(SCRIPT_FOLDER) + upwards


def _appended(old: _Value, new: _Value) -> _Value:
    match old, new:
        case str(), str():
            return old + new
        case tuple(), tuple():
            return old + new
        case _:
            return UNKNOWN


def _either(old: _Value | None, new: _Value | None) -> _Value:
    """The value of a variable that may or may not have been assigned: the old one is a default at best."""
    if old == new and old is not None:
        return old
    if isinstance(old, str) and literal(old) and isinstance(new, str) and not literal(new):
        return hole("", old)
    return UNKNOWN


def _merged(before: _State, states: list[_State]) -> _State:
    names = {name for state in states for name in state}
    result: _State = {}
    for name in names:
        values = [state.get(name) for state in states]
        if all(value == values[0] for value in values) and values[0] is not None:
            result[name] = values[0]
        elif name == _PARAMETERS:
            result[name] = (UNKNOWN,)
        else:
            opened = [value for value in values if value is not None and value != before.get(name)]
            result[name] = _either(before.get(name), opened[0] if len(opened) == 1 else UNKNOWN)
    return result


def _branches_of_if(
    node: tree_sitter.Node,
) -> tuple[list[tuple[list[tree_sitter.Node], list[tree_sitter.Node]]], bool]:
    """(conditions, body) of each branch; and whether there is an ``else``."""
    conditions, body = _split_at_then(node)
    branches = [(conditions, body)]
    exhaustive = False
    for child in node.named_children:
        if child.type == "elif_clause":
            branches.append(_split_at_then(child))
        elif child.type == "else_clause":
            branches.append(([], child.named_children))
            exhaustive = True
    return branches, exhaustive


def _split_at_then(node: tree_sitter.Node) -> tuple[list[tree_sitter.Node], list[tree_sitter.Node]]:
    before: list[tree_sitter.Node] = []
    after: list[tree_sitter.Node] = []
    part = before
    for child in node.children:
        if child.type == "then":
            part = after
        elif child.is_named and child.type not in ("elif_clause", "else_clause"):
            part.append(child)
    return before, after


def _branches_of_case(
    node: tree_sitter.Node, source: _Source
) -> tuple[list[tuple[list[tree_sitter.Node], list[tree_sitter.Node]]], bool]:
    branches: list[tuple[list[tree_sitter.Node], list[tree_sitter.Node]]] = []
    exhaustive = False
    for item in node.named_children:
        if item.type != "case_item":
            continue
        patterns = item.children_by_field_name("value")
        starts = {pattern.start_byte for pattern in patterns}
        branches.append(([], [child for child in item.named_children if child.start_byte not in starts]))
        exhaustive = exhaustive or any(source.of(pattern) == "*" for pattern in patterns)
    return branches, exhaustive


def _redirected(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The statements under a redirection; what follows a here-document on its line is parsed as a part of it."""
    result: list[tree_sitter.Node] = []
    for child in node.named_children:
        if child.type == "heredoc_redirect":
            result += [part for part in child.named_children if part.type in ("command", "list", "pipeline")]
        elif not child.type.endswith("redirect"):
            result.append(child)
    return result


def _assignments(root: tree_sitter.Node, source: _Source) -> Iterator[tuple[str, bool, bool]]:
    """Each assignment below ``root``: the name, whether a function does it, and whether every run does it once."""
    pending = [(root, False, True)]
    while pending:
        node, inside, fixed = pending.pop()
        match node.type:
            case "variable_assignment":
                follower = node.next_sibling
                torn = follower is not None and follower.start_byte == node.end_byte
                if node.parent is not None and node.parent.type == "command" and not torn:
                    continue
                local = inside and node.parent is not None and _keyword(node.parent) in ("local", "declare", "typeset")
                target = node.child_by_field_name("name")
                if target is not None and not local:
                    name = target.child_by_field_name("name") if target.type == "subscript" else target
                    plain = target.type != "subscript" and not any(child.type == "+=" for child in node.children)
                    yield source.of(name) if name is not None else "", inside, fixed and plain and not inside
                continue
            case "command":
                words = [source.of(child) for child in node.named_children]
                if words[:1] in (["read"], ["mapfile"], ["readarray"], ["getopts"]):
                    for word in words[1:]:
                        yield word, inside, False
                continue
            case "function_definition":
                inside = True
            case kind if kind in _BRANCHES or kind in _LOOPS or kind == "list":
                fixed = False
            case _:
                pass
        pending.extend((child, inside, fixed) for child in node.named_children)


def _keyword(node: tree_sitter.Node) -> str:
    return node.children[0].type if node.type == "declaration_command" and node.children else ""


def _shifts(root: tree_sitter.Node, source: _Source) -> bool:
    pending = [root]
    while pending:
        node = pending.pop()
        if node.type == "command":
            name = node.child_by_field_name("name")
            if name is not None and source.of(name) in ("shift", "set"):
                return True
        else:
            pending.extend(node.named_children)
    return False
