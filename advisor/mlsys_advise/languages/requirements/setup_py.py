"""``setup.py``, read as a syntax tree: the literal lists that reach ``setup()``, and the files it reads them from.

Invariant: nothing of the file is run. A list that is computed in a way not understood leaves the interface incomplete.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mlsys_advise.languages.requirements import pep508
from mlsys_advise.languages.requirements.formats import format_of
from mlsys_advise.languages.requirements.manifest import Include, Reading, Requirement
from mlsys_advise.span import Span

#: Group of what is added under an ``if`` or in a ``try``: it counts only where nothing unconditional is said.
CONDITIONAL = "conditional"

#: Methods and functions whose result holds the same requirements as what they are given.
_TRANSPARENT_METHODS = frozenset(
    {"copy", "decode", "format", "read", "read_text", "readlines", "split", "splitlines", "strip", "rstrip", "lstrip"}
)
_TRANSPARENT_FUNCTIONS = frozenset({"filter", "list", "map", "set", "sorted", "str", "tuple"})

_LEADING_NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")


_BRANCHING = (ast.If, ast.Try, ast.TryStar)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


_Handles = dict[str, ast.expr]


class _Value(NamedTuple):
    """One expression that contributes to a name; ``key`` where it does so as an entry of a dictionary.

    ``handles`` are the names that ``with`` and ``for`` had bound when it was assigned: ``f`` of one ``with`` is not
    the ``f`` of the next.
    """

    expression: ast.expr
    conditional: bool
    handles: _Handles
    key: str | None = None

    def with_expression(self, expression: ast.expr, conditional: bool = False) -> _Value:
        return _Value(expression, self.conditional or conditional, self.handles)


def read(text: str, reading: Reading) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reading.leave_open(f"the file cannot be parsed: {error}")
        return
    script = _Script(tree, text, reading)
    for call in script.setup_calls:
        for name, value in script.keywords(call):
            match name:
                case "install_requires":
                    script.read_list([value], "")
                case "tests_require":
                    script.read_list([value], "test")
                case "extras_require":
                    script.read_extras(value)
                case "python_requires":
                    script.read_python(value)


class _Script:
    """The names of a ``setup.py`` and what is assigned to them, wherever in the file."""

    def __init__(self, tree: ast.Module, text: str, reading: Reading) -> None:
        self.reading = reading
        self.lines = text.split("\n")
        self.values: dict[str, list[_Value]] = {}
        self.handles: _Handles = {}
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self.setup_calls: list[_Value] = []
        self._survey(tree.body)

    # Survey -----------------------------------------------------------------------------------------------------

    def _survey(self, body: list[ast.stmt]) -> None:
        """Every statement in source order, with an explicit stack instead of recursion."""
        stack = [(statement, False, False) for statement in reversed(body)]
        while stack:
            statement, conditional, local = stack.pop()
            self._note(statement, conditional, local)
            inside = conditional or (isinstance(statement, _BRANCHING) and not _is_main_guard(statement))
            scoped = local or isinstance(statement, _SCOPES)
            stack.extend((inner, inside, scoped) for inner in reversed(list(_inner_statements(statement))))

    def _note(self, statement: ast.stmt, conditional: bool, local: bool) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.functions[statement.name] = statement
            case ast.Assign(targets=[target], value=value):
                for name, piece in _unpacked(target, value):
                    self._assign(name, piece, conditional, local)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, conditional, local)
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                self._add(name, value, conditional)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    if isinstance(item.optional_vars, ast.Name):
                        self.handles = {**self.handles, item.optional_vars.id: item.context_expr}
            case ast.For(target=ast.Name(id=name), iter=iterable):
                self.handles = {**self.handles, name: iterable}
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[value])) if (
                method in ("append", "extend", "update")
            ):
                self._add(name, value, conditional)
            case _:
                pass
        for node in ast.iter_child_nodes(statement):
            if isinstance(node, ast.expr):
                self.setup_calls.extend(self._value(call, False) for call in _setup_calls(node))

    def _value(self, expression: ast.expr, conditional: bool, key: str | None = None) -> _Value:
        return _Value(expression, conditional, self.handles, key)

    def _assign(self, target: ast.expr, value: ast.expr, conditional: bool, local: bool) -> None:
        """A name of a function's own may be that of a global one: what both hold is kept."""
        match target:
            case ast.Name(id=name):
                if conditional or local:
                    self._add(name, value, conditional)
                else:
                    self.values[name] = [self._value(value, False)]
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
                self.values.setdefault(name, []).append(self._value(value, conditional, key))
            case _:
                pass

    def _add(self, name: str, value: ast.expr, conditional: bool) -> None:
        self.values.setdefault(name, []).append(self._value(value, conditional))

    def keywords(self, call: _Value) -> Iterator[tuple[str, _Value]]:
        """Keyword arguments of ``setup()``, those of ``**settings`` with a literal dictionary among them."""
        assert isinstance(call.expression, ast.Call)
        for keyword in call.expression.keywords:
            value = call.with_expression(keyword.value)
            if keyword.arg is not None:
                yield keyword.arg, value
                continue
            for settings in self._resolved(value):
                yield from _entries(settings)

    def _resolved(self, value: _Value) -> list[_Value]:
        """The values of a name, else the expression itself."""
        if isinstance(value.expression, ast.Name):
            return self.values.get(value.expression.id, [])
        return [value]

    # Lists of requirements --------------------------------------------------------------------------------------

    def read_extras(self, extras: _Value) -> None:
        values = self._resolved(extras)
        understood = bool(values)
        for value in values:
            if value.key is None and not isinstance(value.expression, ast.Dict):
                understood = False
            for key, entry in _entries(value):
                extra, _, condition = key.partition(":")
                self.read_list([entry], extra, condition)
        if not understood:
            self.reading.leave_open("the extras are computed")

    def read_python(self, stated: _Value) -> None:
        for value in self._resolved(stated):
            text = self._text(value.expression)
            versions = pep508.admitted(text) if text is not None else ()
            self.reading.require(Requirement("python", versions), self._span(value.expression))

    def read_list(self, values: list[_Value], group: str, condition: str = "") -> None:
        """Everything that reaches a list of requirements; each name is followed once."""
        self.reading.declares = True
        waiting = list(reversed(values))
        followed: set[int] = set()
        while waiting:
            value = waiting.pop()
            inner_group = group or (CONDITIONAL if value.conditional else "")
            match value.expression:
                case ast.Constant(value=str()) | ast.JoinedStr():
                    self._read_text(value.expression, inner_group, condition)
                case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                    waiting.extend(value.with_expression(item) for item in reversed(items))
                case ast.Starred(value=inner) | ast.NamedExpr(value=inner):
                    waiting.append(value.with_expression(inner))
                case ast.BinOp(left=left, op=ast.Mod()) if _is_text(left):
                    self._read_text(value.expression, inner_group, condition)
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    if _is_text(left):
                        self._read_text(value.expression, inner_group, condition)
                    else:
                        waiting += [value.with_expression(right), value.with_expression(left)]
                case ast.IfExp(body=body, orelse=orelse):
                    waiting += [value.with_expression(orelse, True), value.with_expression(body, True)]
                case ast.Name(id=name):
                    new = [one for one in self._named(name, value) if id(one.expression) not in followed]
                    followed.update(id(one.expression) for one in new)
                    waiting.extend(reversed(new))
                case ast.ListComp(generators=[generator]) | ast.GeneratorExp(generators=[generator]):
                    waiting.append(value.with_expression(generator.iter))
                case ast.Call():
                    waiting.extend(self._from_call(value.expression, value, inner_group))
                case _:
                    self._include_paths(self._paths([value.expression], value.handles), inner_group)

    def _named(self, name: str, user: _Value) -> list[_Value]:
        if name in user.handles:
            return [user.with_expression(user.handles[name])]
        values = [value for value in self.values.get(name, []) if value.key is None]
        if not values:
            self.reading.leave_open(f"`{name}` is not assigned a literal")
        return [value._replace(conditional=value.conditional or user.conditional) for value in values]

    def _from_call(self, call: ast.Call, value: _Value, group: str) -> list[_Value]:
        """What a call passes on; a call that is handed the path of a requirements file includes that file."""
        match call.func:
            case ast.Attribute(value=inner, attr=method) if method in _TRANSPARENT_METHODS:
                return [value.with_expression(inner)]
            case ast.Name(id=name) if name in _TRANSPARENT_FUNCTIONS and call.args:
                return [value.with_expression(call.args[-1])]
            case _:
                pass
        paths = self._paths([call], value.handles)
        returned: list[_Value] = []
        if not paths and isinstance(call.func, ast.Name):
            paths, returned = self._from_function(call.func.id, value)
        if not returned:
            self._include_paths(paths, group)
        return returned

    def _include_paths(self, paths: list[str], group: str) -> None:
        for path in paths:
            self.reading.include(Include(path, group=group))
        if not paths:
            self.reading.leave_open("a list of requirements is computed")

    def _from_function(self, name: str, value: _Value) -> tuple[list[str], list[_Value]]:
        """The requirements files that a function of this script names, else what it returns; asked once."""
        function = self.functions.pop(name, None)
        if function is None:
            return [], []
        paths = self._paths([node for node in ast.walk(function) if isinstance(node, ast.expr)], {})
        returns = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
        return paths, [] if paths else [self._value(one, value.conditional) for one in returns]

    def _paths(self, expressions: Iterable[ast.expr], handles: _Handles) -> list[str]:
        """Paths of requirements files in these expressions, and behind the names in them."""
        found: dict[str, None] = {}
        waiting, followed = list(expressions), set[str]()
        while waiting:
            joined: set[int] = set()
            for node in ast.walk(waiting.pop()):
                if isinstance(node, ast.Name) and node.id not in followed:
                    followed.add(node.id)
                    waiting.extend([handles[node.id]] if node.id in handles else self._expressions(node.id))
                if id(node) in joined:
                    continue
                parts = _path_parts(node)
                if parts and format_of(path := _joined(parts)) == "requirements":
                    joined.update(id(part) for part in parts)
                    found[path] = None
        return list(found)

    def _expressions(self, name: str) -> list[ast.expr]:
        return [value.expression for value in self.values.get(name, [])]

    # Text -------------------------------------------------------------------------------------------------------

    def _read_text(self, expression: ast.expr, group: str, condition: str) -> None:
        text = self._text(expression)
        if text is None:
            self._read_unknown_version(expression, group)
            return
        for line in text.split("\n"):
            stated = re.sub(r"(^|\s)#.*", "", line).strip()
            if not stated:
                continue
            found = pep508.requirement(f"{stated} ; {condition}" if condition else stated, group)
            if found is not None:
                self.reading.require(found, self._span(expression))
            else:
                self.reading.leave_open(f"`{stated[:60]}` is not a requirement")

    def _read_unknown_version(self, expression: ast.expr, group: str) -> None:
        """``f"torch>={minimum()}"`` asks for a package whose version is computed."""
        first = next((node for node in ast.walk(expression) if isinstance(node, ast.Constant)), None)
        name = _LEADING_NAME.match(first.value) if first is not None and isinstance(first.value, str) else None
        found = pep508.requirement(name[1], group) if name is not None else None
        if found is not None:
            self.reading.require(Requirement(found.package, (), group=group), self._span(expression))
        else:
            self.reading.leave_open("a requirement is computed")

    def _text(self, expression: ast.expr) -> str | None:
        """A string put together from literals and from names of literals; None where anything else takes part."""
        pieces: list[str] = []
        waiting: list[ast.expr] = [expression]
        for _ in range(64):
            if not waiting:
                return "".join(pieces)
            match waiting.pop():
                case ast.Constant(value=str() as text):
                    pieces.append(text)
                case ast.JoinedStr(values=parts):
                    waiting.extend(reversed(parts))
                case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                    waiting.append(value)
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    waiting += [right, left]
                case ast.Name(id=name) if len(known := self.values.get(name, [])) == 1 and not known[0].conditional:
                    waiting.append(known[0].expression)
                case _:
                    return None
        return None

    def _span(self, node: ast.expr) -> Span:
        end_line, end_offset = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return Span(
            node.lineno, self._column(node.lineno, node.col_offset), end_line, self._column(end_line, end_offset)
        )

    def _column(self, line: int, offset: int) -> int:
        """``ast`` counts bytes of UTF-8, a span counts code points from 1."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore")) + 1


def _inner_statements(statement: ast.stmt) -> Iterator[ast.stmt]:
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.stmt):
            yield node
        elif isinstance(node, ast.ExceptHandler | ast.match_case):
            yield from node.body


def _setup_calls(expression: ast.expr) -> Iterator[ast.Call]:
    for node in ast.walk(expression):
        match node:
            case ast.Call(func=ast.Name(id="setup") | ast.Attribute(attr="setup"), keywords=[_, *_]):
                yield node


def _unpacked(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """``names, links = read("requirements.txt")``: each name may hold any of what the call returns."""
    if not isinstance(target, ast.Tuple):
        return [(target, value)]
    if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
        return list(zip(target.elts, value.elts, strict=True))
    return [(name, value) for name in target.elts]


def _is_main_guard(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
    return False


def _entries(value: _Value) -> Iterator[tuple[str, _Value]]:
    """The literal entries that a value contributes to a dictionary."""
    if value.key is not None:
        yield value.key, value._replace(key=None)
    elif isinstance(value.expression, ast.Dict):
        for key, entry in zip(value.expression.keys, value.expression.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value.with_expression(entry)


def _is_text(expression: ast.expr) -> bool:
    return isinstance(expression, ast.JoinedStr) or (
        isinstance(expression, ast.Constant) and isinstance(expression.value, str)
    )


def _path_parts(node: ast.AST) -> list[ast.Constant]:
    """The literal end of a path: of one string, of ``join(here, "a", "b")`` and of ``HERE / "a" / "b"``."""
    pieces: list[ast.expr]
    match node:
        case ast.Constant():
            pieces = [node]
        case ast.Call(func=ast.Attribute(attr="join" | "joinpath"), args=args):
            pieces = args
        case ast.BinOp(op=ast.Div()):
            pieces = []
            rest: ast.expr = node
            while isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Div):
                pieces.insert(0, rest.right)
                rest = rest.left
            pieces.insert(0, rest)
        case _:
            return []
    parts: list[ast.Constant] = []
    for piece in reversed(pieces):
        if not (isinstance(piece, ast.Constant) and isinstance(piece.value, str)):
            break
        parts.insert(0, piece)
    return parts


def _joined(parts: list[ast.Constant]) -> str:
    """What follows an unknown folder is taken to stand beside the file."""
    return posixpath.normpath("/".join(str(part.value) for part in parts).replace("\\", "/").lstrip("/"))
