"""What a rule may ask of the document it stands in: facts, lazily made, at most once each.

Nothing here reads another file. What is known here is true wherever the file is used; what is not known may still be
asked of the project, as a condition on the candidate.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import Clause
from mlsys_advise.edit import Fix
from mlsys_advise.finding import Severity
from mlsys_advise.interface import BODY
from mlsys_advise.languages.kubernetes import ManifestDocument, Site
from mlsys_advise.languages.python import loops as loop_facts
from mlsys_advise.languages.python.bodies import Bodies
from mlsys_advise.languages.python.device_work import DeviceWork
from mlsys_advise.languages.python.document import PythonDocument
from mlsys_advise.languages.python.loaded_files import LoadedFiles, Reading
from mlsys_advise.languages.python.origins import Origins
from mlsys_advise.languages.python.parents import Parents
from mlsys_advise.languages.python.placement import Placement, Placements
from mlsys_advise.languages.python.scopes import Bind, Binding, CallSite, Loop, Scope, children
from mlsys_advise.languages.python.shapes import Array, Shapes
from mlsys_advise.languages.python.stored import Stored
from mlsys_advise.languages.words import readable
from mlsys_advise.project.shared_memory import SharedMemory, shared_memory
from mlsys_advise.project.values import Values
from mlsys_advise.project.world import Entry, World
from mlsys_advise.rule import Candidate
from mlsys_advise.span import Span
from mlsys_advise.term import Def, Member, Name, Self, Term

_REFERENCE_WORDS: Final = frozenset(["ref", "reference", "naive", "slow", "golden", "baseline", "verify", "expected"])
_REFERENCE_FOLDERS: Final = frozenset(
    ["tests", "test", "testing", "benchmark", "benchmarks", "unit_tests", "test_utils", "testdata", "e2e"]
)
_SETUP_NAME: Final = re.compile(
    r"^(__init__|_*init_.*|.*_init_weights|reset_parameters|_*fuse_.*|_*reparam.*|_*convert_.*)$"
)
#: Callees that only tell people something, by the start of their canonical name and by the name of the method.
_SHOWING: Final = ("builtins.print", "logging.", "wandb.", "matplotlib.", "seaborn.", "cv2.putText", "tqdm.tqdm.write")
_SHOWING_METHODS: Final = frozenset(
    {
        "info",
        "debug",
        "warning",
        "error",
        "exception",
        "critical",
        "write",
        "add_scalar",
        "add_scalars",
        "log",
        "log_metric",
        "log_metrics",
        "log_dict",
        "set_postfix",
        "set_description",
        "format",
        "print",
        "text",
        "annotate",
        "set_title",
    }
)


class Hidden:
    """The argument may be supplied by `*` or `**`."""


HIDDEN: Final = Hidden()


class Here:
    """The document around a node, for rules about Python."""

    def __init__(self, document: PythonDocument) -> None:
        self.document = document
        self.path = document.path
        self.module = document.module
        self.terms = document.terms
        self.lexicon = document.lexicon
        self._extended: dict[int, frozenset[str]] = {}

    # -- structure

    @functools.cached_property
    def _parents(self) -> Parents:
        return Parents(self.module.tree)

    @functools.cached_property
    def _loop_of(self) -> dict[ast.AST, list[Loop]]:
        found: dict[ast.AST, list[Loop]] = {}
        for loop in self.module.loops:
            found.setdefault(loop.node, []).append(loop)
        return found

    @functools.cached_property
    def _sites(self) -> dict[ast.Call, CallSite]:
        return {site.node: site for scope in self.module.scopes for site in scope.calls}

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, innermost first."""
        around = self._parents.get(node)
        while around is not None:
            yield around
            around = self._parents.get(around)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement that a node is part of."""
        while not isinstance(node, ast.stmt):
            around = self._parents.get(node)
            if around is None:
                raise ValueError("the module is no statement")
            node = around
        return node

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements among which a statement stands."""
        parent = self._parents.get(statement)
        if parent is None:
            return [statement]
        for field in ("body", "orelse", "finalbody", "handlers"):
            body = getattr(parent, field, None)
            if isinstance(body, list) and statement in body:
                return body
        return [statement]

    def before(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements before one in its block, nearest first."""
        body = self.block(statement)
        return body[: body.index(statement)][::-1]

    def after(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements after one in its block."""
        body = self.block(statement)
        return body[body.index(statement) + 1 :]

    def site(self, call: ast.Call) -> CallSite:
        """A call with its loop, region and statement."""
        return self._sites[call]

    def calls(self, within: ast.AST) -> Iterator[ast.Call]:
        """The calls inside a node, in the order of the text; bodies of nested functions are left out."""
        stack: list[ast.AST] = [within]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.Call):
                yield node
            if node is not within and isinstance(
                node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
            ):
                continue
            stack.extend(reversed(children(node)))

    def scope(self, node: ast.AST) -> Scope:
        """The function, lambda, class or module whose code a node is."""
        inner = node
        for around in self.ancestors(node):
            scope = self.module.scope_of.get(around)
            if scope is not None and self._in_body(around, inner):
                return scope
            inner = around
        return self.module.scopes[0]

    def _in_body(self, owner: ast.AST, child: ast.AST) -> bool:
        if isinstance(owner, ast.Lambda):
            return child is owner.body
        if isinstance(owner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return child in owner.body
        return True

    def function(self, node: ast.AST) -> Scope:
        """The innermost function or lambda around a node, or the module."""
        scope = self.scope(node)
        while scope.kind == "class" and scope.parent is not None:
            scope = scope.parent
        return scope

    def owner(self, node: ast.AST) -> str:
        """The name under which the interface knows the function that runs a node."""
        scope = self.function(node)
        return scope.qualname if scope.kind != "module" else BODY

    def enclosing_class(self, node: ast.AST) -> Scope | None:
        """The class whose method or body a node stands in."""
        scope: Scope | None = self.scope(node)
        while scope is not None and scope.kind != "class":
            scope = scope.parent
        return scope

    # -- loops and regions

    def loops(self, node: ast.AST) -> list[Loop]:
        """The loops around a node within its function, innermost first. What a loop iterates is outside of it."""
        found: list[Loop] = []
        site = self._sites.get(node) if isinstance(node, ast.Call) else None
        if site is not None:
            loop = self.module.loops[site.loop] if site.loop >= 0 else None
            while loop is not None:
                found.append(loop)
                loop = loop.outer
            return found
        inner = node
        for around in self.ancestors(node):
            if isinstance(around, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
                break
            if isinstance(around, (ast.For, ast.AsyncFor)):
                if inner in around.body or inner is around.target:
                    found.extend(self._loop_of.get(around, ()))
            elif isinstance(around, ast.While):
                if inner in around.body or inner is around.test:
                    found.extend(self._loop_of.get(around, ()))
            elif isinstance(around, ast.comprehension):
                pass
            elif isinstance(around, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
                clauses = self._loop_of.get(around, [])
                if isinstance(inner, ast.comprehension):
                    clauses = clauses[: around.generators.index(inner)]
                found.extend(reversed(clauses))
            inner = around
        return found

    def loop(self, node: ast.AST) -> Loop | None:
        """The loop that a node makes: its own if it is one."""
        made = self._loop_of.get(node)
        return made[0] if made else None

    def size(self, loop: Loop) -> str:
        """DATA, SMALL, EPOCHS or OPEN."""
        return loop_facts.size(loop, self.terms, self.module)

    def trips(self, loop: Loop) -> int | None:
        """How often a loop runs, where the text says so."""
        known = loop_facts.trips(loop, self.terms, self.module, self.shapes)
        return known if known is not None else self._shared_out(loop)

    def _shared_out(self, loop: Loop) -> int | None:
        """For how many names a comprehension makes a value each: ``height, width = (int(n) for n in size)``."""
        statement = self.parent(loop.node)
        if loop.node is not getattr(statement, "value", None):
            return None
        match statement:
            case ast.Assign([ast.Tuple(names) | ast.List(names)]):
                return None if any(isinstance(name, ast.Starred) for name in names) else len(names)
        return None

    def loops_of(self, node: ast.AST) -> list[Loop]:
        """The loops that a statement or comprehension makes, outermost first; a comprehension has one per clause."""
        return self._loop_of.get(node, [])

    def targets(self, loop: Loop) -> Iterator[Binding]:
        """The names that a loop assigns for each pass."""
        for number in range(loop.first, len(self.module.bindings)):
            binding = self.module.bindings[number]
            if binding.kind != Bind.FOR or binding.loop != loop.index:
                return
            yield binding

    def bound(self, loop: Loop) -> ast.expr | None:
        """How far a loop over `range` goes; None for any other loop."""
        match loop_facts.unwrap(loop.iterated, self.terms, self.module, loop):
            case ast.Call(ast.Name("range" | "trange"), args) if args:
                return loop_facts.last_of_range(args)
        return None

    def walked(self, loop: Loop, path: tuple[int, ...] = ()) -> ast.expr | None:
        """The iterable whose elements a part of the loop's target holds, behind `enumerate`, `zip` and `tqdm`.

        None if that part counts, or is only a part of an element.
        """
        part, rest, counts = self.shapes.component(loop.iterated, path, self.module.scopes[loop.scope])
        return None if rest or counts else part

    @functools.cached_property
    def bodies(self) -> Bodies:
        """What the passes of loops do: their weight, what they carry, change and hand over."""
        values, path = self._values, self.path
        return Bodies(self.module, self.terms, self.shapes, lambda term: values.kinds(term, path).known)

    def number(self, node: ast.AST) -> tuple[str, int]:
        """The function and loop under which the interface knows a place."""
        around = self.loops(node)
        numbers = self.document.extraction.loop_number
        if around and around[0].index in numbers:
            return numbers[around[0].index]
        return self.owner(node), -1

    def region(self, node: ast.AST) -> int:
        """The bits of ``Region`` in force at a node: of its call, or of the nearest call or loop around it."""
        if isinstance(node, ast.Call) and node in self._sites:
            return self._sites[node].region
        for around in self.ancestors(node):
            if isinstance(around, ast.Call) and around in self._sites:
                return self._sites[around].region
            if around in self._loop_of:
                return self._loop_of[around][0].region
            if isinstance(around, ast.stmt):
                inner = next(
                    (child for child in ast.walk(around) if isinstance(child, ast.Call) and child in self._sites), None
                )
                if inner is not None:
                    return self._sites[inner].region
        return 0

    def is_tried(self, node: ast.AST) -> bool:
        """Whether an exception that a node raises is caught around it: it may only be tried out."""
        inner = node
        for around in self.ancestors(node):
            if isinstance(around, ast.Try) and inner in around.body and around.handlers:
                return True
            inner = around
        return False

    def is_unconditional(self, statement: ast.stmt) -> bool:
        """Whether a statement runs whenever its function or module does, and nothing restores what it sets."""
        for around in self.ancestors(statement):
            match around:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Module():
                    break
                case ast.If(ast.Compare(ast.Name("__name__"))) | ast.With() | ast.ClassDef():
                    continue
                case _:
                    return False
        return not any(isinstance(other, ast.Try) and other.finalbody for other in self.after(statement))

    # -- names and values

    def qualified(self, node: ast.expr) -> str | None:
        """The canonical dotted name of an expression, through imports and aliases; None if it is not a name."""
        term = self.term(node)
        return self.lexicon.canonical(term.dotted) if isinstance(term, Name) else None

    def named(self, node: ast.expr) -> str:
        """The library name that a value is another name of, through variables of the file too; "" if it is not."""
        names = [head.term for head in self._values.heads(self.term(node), self.path)]
        return self.lexicon.canonical(names[0].dotted) if len(names) == 1 and isinstance(names[0], Name) else ""

    def made(self, call: ast.Call) -> str:
        """The kind of what a library call makes, by its name alone; "" if the tables do not say."""
        name = self.qualified(call.func)
        return self.lexicon.constructed(name) if name else ""

    def imports(self, *packages: str) -> bool:
        """Whether the file imports one of these packages, or a module of one, anywhere in it."""
        return any(name == one or name.startswith(f"{one}.") for name, _ in self.module.imports for one in packages)

    @functools.cached_property
    def speaks_of_loaders(self) -> bool:
        """Whether the text has a word of loaders or of their workers anywhere: most files have none."""
        text = self.document.source.text
        return "oader" in text or "num_workers" in text

    def callee(self, call: ast.Call) -> str:
        """The canonical dotted name of what is called; "" if it is not a name."""
        term = self.document.extraction.callees.get(call)
        return self.lexicon.canonical(term.dotted) if type(term) is Name else ""

    def term(self, node: ast.expr, scope: Scope | None = None) -> Term:
        """How the value of an expression is spoken of outside the file; a known scope saves a search."""
        known = self._callees.get(node)
        return known if known is not None else self.terms.of(node, scope or self.scope(node))

    @functools.cached_property
    def _callees(self) -> dict[ast.expr, Term]:
        """The terms of what is called, which the extraction needed anyway."""
        return {call.func: term for call, term in self.document.extraction.callees.items()}

    @functools.cached_property
    def _values(self) -> Values:
        entry = Entry("python", b"", b"", self.document.extraction.header())
        world = World({self.path: entry}, self.lexicon, {self.path: (_module_name(self.path),)})
        world.adopt(self.path, self.document.interface)
        return Values(world)

    def kinds(self, node: ast.expr, scope: Scope | None = None) -> frozenset[str]:
        """The kinds that a value is known to have by this file alone; other files may know more."""
        return self._values.kinds(self.term(node, scope), self.path).known

    @functools.cached_property
    def shapes(self) -> Shapes:
        return Shapes(self.module, self.terms)

    def tensor(self, node: ast.expr, scope: Scope | None = None) -> Array:
        """Rank, literal sizes, type, device and storage order of a tensor or array, as far as the file forces them."""
        return self.shapes.of(node, scope or self.scope(node))

    def accelerated(self, node: ast.expr) -> str:
        """Where this file alone puts a device expression: "accelerator", "host" or ""."""
        return self._values.device(self.term(node), self.path)

    def device(self, node: ast.expr) -> str:
        """Where this file alone shows that a value lives: "accelerator", "host" or ""."""
        known = self.tensor(node).device
        if known:
            return known
        devices = {head.device for head in self._values.heads(self.term(node), self.path)}
        return "accelerator" if devices - {"", "host"} else "host" if devices == {"host"} else ""

    @functools.cached_property
    def _placements(self) -> Placements:
        values, path = self._values, self.path
        return Placements(self.module, self.terms, self.shapes, lambda term: values.device(term, path))

    def placement(self, node: ast.expr) -> Placement:
        """Where a tensor lives by this file alone, or what decides it."""
        return self._placements.of(node, self.scope(node))

    @functools.cached_property
    def device_work(self) -> DeviceWork:
        """What is queued on a device, and what waits for it, between two expressions of a block."""
        return DeviceWork(self.lexicon, self.term, self.kinds, self.device, self.accelerated)

    @functools.cached_property
    def _origins(self) -> Origins:
        return Origins(self.module, self.terms, self.lexicon)

    def origins(self, node: ast.expr) -> list[ast.expr]:
        """The expressions that bytes or a path may come from, within the function (see `Origins`)."""
        return self._origins.leaves(node, self.scope(node))

    @functools.cached_property
    def _stored(self) -> Stored:
        return Stored(self.module, self.terms, self.lexicon)

    def stored(self, path: ast.expr) -> list[ast.expr]:
        """What the file under a path was filled with, in the same function or in the body of the module."""
        return self._stored.sources(path, self.scope(path))

    @functools.cached_property
    def _loaded_files(self) -> LoadedFiles:
        return LoadedFiles(self.module, self.parent, self.term)

    def reading(self, call: ast.Call) -> Reading:
        """What becomes of the object that a call loads from a file (see `LoadedFiles`)."""
        return self._loaded_files.of(call, self.function(call))

    def calls_of(self, dotted: str) -> Iterator[ast.Call]:
        """The calls of a library function in the file."""
        for scope in self.module.scopes:
            yield from (site.node for site in scope.calls if self.callee(site.node) == dotted)

    def calls_to(self, function: Scope) -> Iterator[ast.Call]:
        """The calls of a function of the file in it: by its name, or as a method of the receiver."""
        owner, _, name = function.qualname.rpartition(".")
        wanted = (Def(function.qualname), Member(Self(owner), name))
        for scope in self.module.scopes:
            for site in scope.calls:
                func = site.node.func
                called = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
                if called == name and self.term(func) in wanted:
                    yield site.node

    def file_name(self, path: ast.expr) -> str | None:
        """The last component of a path, or of an opened file's path, where it is literal by this file alone."""
        node = self.source_of(path)
        for _ in range(6):
            match node:
                case ast.Name():
                    binding = self.binding(node)
                    inner = binding.value if binding is not None and not binding.path else None
                    if inner is None:
                        break
                    node = inner
                case ast.Call(ast.Name("open" | "Path" | "str"), [inner, *_]) | ast.Call(ast.Attribute(inner, "open")):
                    node = self.source_of(inner)
                case ast.Call(ast.Attribute(attr="join" | "joinpath"), [*_, inner]) | ast.BinOp(_, ast.Div(), inner):
                    node = self.source_of(inner)
                case ast.JoinedStr([*_, ast.Constant(str() as text)]) if "/" in text:
                    return text.rpartition("/")[2]
                case _:
                    break
        texts = {value for value in self.constants(node) if isinstance(value, str)}
        return texts.pop().replace("\\", "/").rpartition("/")[2] if len(texts) == 1 else None

    def callee_of(self, node: ast.expr) -> str:
        """The canonical dotted name of what made a value by a call; "" for anything else."""
        return self.callee(node) if isinstance(node, ast.Call) else ""

    def constants(self, node: ast.expr) -> tuple[object, ...]:
        """The literal values that an expression may have by this file alone, module variables included."""
        return tuple(head.term.value for head in self._values.constants(self.term(node), self.path)[0])  # type: ignore[union-attr]

    def binding(self, name: ast.Name) -> Binding | None:
        """The assignment that reaches a name, if one does."""
        number = self.module.loads.get(name)
        return self.module.bindings[number] if number is not None else None

    def source_of(self, node: ast.expr) -> ast.expr:
        """The expression that a name was last assigned, if one assignment reaches it; else the expression itself."""
        for _ in range(8):
            if not isinstance(node, ast.Name):
                return node
            binding = self.binding(node)
            if binding is None or binding.value is None or binding.path or binding.kind != 0:
                return node
            node = binding.value
        return node

    def argument(self, call: ast.Call, name: str, position: int | None) -> ast.expr | Hidden | None:
        """An argument by keyword or position: None if absent, HIDDEN if `*` or `**` may supply it."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return keyword.value
        if position is not None:
            plain = call.args[: position + 1]
            if any(isinstance(arg, ast.Starred) for arg in plain):
                return HIDDEN
            if len(plain) > position:
                return plain[position]
        for keyword in call.keywords:
            if keyword.arg is None:
                value = self._of_module(self.source_of(keyword.value))
                if isinstance(keyword.value, ast.Name) and keyword.value.id in self.extended(keyword.value):
                    return HIDDEN
                if isinstance(value, ast.Dict) and all(isinstance(key, ast.Constant) for key in value.keys):
                    for key, part in zip(value.keys, value.values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == name:
                            return part
                    continue
                if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
                    if all(inner.arg for inner in value.keywords) and not value.args:
                        for inner in value.keywords:
                            if inner.arg == name:
                                return inner.value
                        continue
                return HIDDEN
        return None

    def _of_module(self, node: ast.expr) -> ast.expr:
        """What a variable of the module is assigned, if once and for all."""
        if not isinstance(node, ast.Name) or self.binding(node) is not None:
            return node
        body = self.module.scopes[0]
        numbers = body.bindings.get(node.id, ())
        value = self.module.bindings[numbers[0]].value if len(numbers) == 1 else None
        if value is None or self.scope(node) is body or node.id in self.extended(self.module.tree.body[0]):
            return node
        return value

    def extended(self, node: ast.AST) -> frozenset[str]:
        """The local names around a node whose containers get more than they were made with."""
        scope = self.scope(node)
        known = self._extended.get(scope.index)
        if known is None:
            found: set[str] = set()
            for part in ast.walk(scope.node):
                match part:
                    case ast.Call(ast.Attribute(ast.Name(name), "update" | "setdefault" | "pop")):
                        found.add(name)
                    case ast.Subscript(ast.Name(name), ctx=ast.Store() | ast.Del()):
                        found.add(name)
            known = self._extended[scope.index] = frozenset(found)
        return known

    def literal(self, node: ast.expr | Hidden | None) -> object:
        """The value of a literal, through one assignment; None for anything else (and for a literal None)."""
        if node is None or isinstance(node, Hidden):
            return None
        node = self.source_of(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            value = node.operand.value
            return -value if isinstance(value, (int, float)) else None
        return node.value if isinstance(node, ast.Constant) else None

    def is_constant(self, node: ast.expr | Hidden | None, value: object) -> bool:
        """Whether an argument is a literal of this value and type."""
        if node is None or isinstance(node, Hidden):
            return False
        node = self.source_of(node)
        return isinstance(node, ast.Constant) and node.value is value

    # -- roles

    @functools.cached_property
    def in_test_file(self) -> bool:
        """Whether the path says that this is test or benchmark code. It may only excuse."""
        base = self.path.rpartition("/")[2]
        return (
            _among_tests(self.path)
            or base.startswith("test_")
            or base.endswith(("_test.py", "_tests.py"))
            or base in ("conftest.py", "benchmark.py")
        )

    @functools.cached_property
    def is_test(self) -> bool:
        """Whether the path says that this is a test, and no benchmark. It may only excuse."""
        *folders, base = self.path.split("/")
        return bool({"test", "tests", "unit_tests"} & set(folders)) or base.startswith("test_") or base == "conftest.py"

    def is_reference(self, node: ast.AST) -> bool:
        """Whether names say that code is written plainly on purpose, to compare with. It may only excuse."""
        if self.in_test_file:
            return True
        words = set(re.split(r"[_\W]+", self.path.rpartition("/")[2].rpartition(".")[0].lower()))
        scope: Scope | None = self.scope(node)
        while scope is not None:
            words |= set(re.split(r"[_\W]+", scope.qualname.lower()))
            scope = scope.parent
        return bool(words & _REFERENCE_WORDS)

    def is_setup(self, node: ast.AST) -> bool:
        """Whether the function's name says that it runs when things are built. It may only excuse."""
        name = self.function(node).qualname.rpartition(".")[2]
        return bool(_SETUP_NAME.match(name))

    def is_builtin(self, func: ast.expr) -> bool:
        """Whether a callee is a builtin function or class."""
        return isinstance(func, ast.Name) and (self.qualified(func) or "").startswith("builtins.")

    def shows(self, call: ast.Call) -> bool:
        """Whether a call only tells people something: prints, logs, draws, formats."""
        if isinstance(call.func, ast.Attribute) and call.func.attr in _SHOWING_METHODS:
            return True
        return (self.qualified(call.func) or "").startswith(_SHOWING)

    # -- candidates

    def begins_line(self, statement: ast.stmt) -> bool:
        """Whether nothing but space stands before a statement on its line."""
        line = self.document.source.line(statement.lineno)
        return not line.encode()[: statement.col_offset].strip()

    def span(self, node: ast.AST) -> Span:
        assert isinstance(node, (ast.expr, ast.stmt, ast.excepthandler))
        return self.document.source.span_of(node)

    def text(self, node: ast.AST, most: int = 60) -> str:
        """The source of a node on one line, cut to a length; for messages."""
        try:
            text = ast.unparse(node)
        except (RecursionError, ValueError):
            return "..."
        text = " ".join(text.split())
        return text if len(text) <= most else f"{text[: most - 3]}..."

    def header(self, loop: ast.For | ast.AsyncFor | ast.While) -> Span:
        """The span of a loop's first line, which stands for the loop."""
        end = loop.iter if isinstance(loop, (ast.For, ast.AsyncFor)) else loop.test
        return self.document.source.span(
            loop.lineno, loop.col_offset, end.end_lineno or loop.lineno, end.end_col_offset or loop.col_offset
        )

    def candidate(
        self,
        code: str,
        node: ast.AST,
        message: str,
        *clauses: Clause | None,
        span: Span | None = None,
        facts: dict[str, str] | None = None,
        group: str = "",
        severity: Severity | None = None,
        related: tuple[tuple[ast.AST, str], ...] = (),
        fix: Fix | None = None,
        at: ast.AST | None = None,
    ) -> Candidate:
        """A candidate at a node, with its place in the interface. ``at`` names another node whose heat counts."""
        function, loop = self.number(at or node)
        return Candidate(
            code=code,
            span=span or self.span(node),
            message=message,
            clauses=tuple(clause for clause in clauses if clause is not None),
            facts=facts or {},
            function=function,
            loop=loop,
            group=group,
            severity=severity,
            related=tuple((self.span(other), says) for other, says in related),
            fix=fix,
            snippet=f"{function.rpartition('.')[2]}:{self.text(self.statement(node), 200)}",
        )

    def record(self, call: ast.Call) -> tuple[str, int] | None:
        """The function and site number under which terms identify the object that a call makes."""
        return self.terms.sites.get(call)


class Manifest:
    """The manifest around a container, for rules about containers."""

    def __init__(self, document: ManifestDocument) -> None:
        self.document = document
        self.path = document.path

    @functools.cached_property
    def in_test_file(self) -> bool:
        """Whether the path says that this is for tests. It may only excuse."""
        return _among_tests(self.path)

    def shared_memory(self, site: Site) -> SharedMemory:
        """What the container gets as ``/dev/shm`` by this manifest alone; a patch elsewhere may add to it."""
        return shared_memory(site)

    def launches_elsewhere(self, site: Site) -> bool:
        """Whether the pod only tells other pods what to run."""
        return site.object.kind == "MPIJob" and ".Worker." not in f".{site.pod.path}."

    def span(self, key: str) -> Span:
        """The span of a place by its key in the document."""
        return self.document.spans[key]

    def candidate(
        self,
        code: str,
        site: Site,
        message: str,
        *clauses: Clause,
        facts: dict[str, str] | None = None,
        related: tuple[tuple[str, str], ...] = (),
    ) -> Candidate:
        """A candidate at a container; ``related`` are keys of other places of the document with what is seen there."""
        object_, container = site.object, site.container
        name = readable(container.name) or readable(object_.name) or object_.kind
        words = (*(container.command or ()), *(container.args or ()))
        return Candidate(
            code=code,
            span=self.span(site.key),
            message=message,
            clauses=clauses,
            facts={"name": name, **(facts or {})},
            related=tuple((self.span(key), says) for key, says in related),
            snippet=f"{object_.kind}:{name}:{' '.join(map(readable, words))[:200]}",
        )


def _among_tests(path: str) -> bool:
    return any(folder in _REFERENCE_FOLDERS for folder in path.split("/")[:-1])


def _module_name(path: str) -> str:
    return path.rpartition(".")[0].replace("/", ".").removesuffix(".__init__")
