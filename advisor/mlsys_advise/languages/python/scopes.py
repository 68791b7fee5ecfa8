"""One walk over a module: scopes, bindings, reaching definitions, loops, regions and calls.

The walk visits every node once and builds no reference cycle: a binding is named by its number, a loop and a scope
know their parents and never their children. Nothing is decided here that a later question could decide lazily.
"""

from __future__ import annotations

import ast
import functools
import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from mlsys_advise.languages.python.releases import ends_something, releases

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class Region:
    """What is in force at a place: `with` blocks around it and the tests that guard it, by class.

    Plain integers, not an enumeration: the walk combines them at every statement.
    """

    NO_GRAD: Final = 1 << 0
    AUTOCAST: Final = 1 << 1
    STREAM: Final = 1 << 2
    LOCK: Final = 1 << 3
    PROFILER: Final = 1 << 4
    TRY: Final = 1 << 5
    EXCEPT: Final = 1 << 6
    RANK_ZERO: Final = 1 << 7
    DEBUG: Final = 1 << 8
    EVERY_K: Final = 1 << 9
    FIRST: Final = 1 << 10
    LAZY: Final = 1 << 11
    DEVICE: Final = 1 << 12
    MAIN_GUARD: Final = 1 << 13
    TYPE_CHECKING: Final = 1 << 14
    CONDITIONAL: Final = 1 << 15
    OOM: Final = 1 << 16
    DEAD: Final = 1 << 17
    FINALLY: Final = 1 << 18
    POLICY: Final = 1 << 19  # a setting about memory, or how much of it is in use
    RELEASED: Final = 1 << 20  # no guard: something heavy was dropped or loaded just before, in the same block
    ENDING: Final = 1 << 21  # no guard: the function's name says that it ends something

    #: Guards under which a statement still runs every time that matters to a cost.
    UNCONDITIONAL: Final = (
        DEVICE | TRY | FINALLY | NO_GRAD | AUTOCAST | STREAM | LOCK | PROFILER | MAIN_GUARD | RELEASED | ENDING
    )


class Bind:
    """How a name came by its value (integers, for the same reason as in `Region`)."""

    ASSIGN: Final = 0  # value: expression; path: positions of unpacking
    FOR: Final = 1  # value: iterable; path as above
    WITH: Final = 2  # value: context expression
    PARAM: Final = 3  # index: position
    IMPORT: Final = 4  # dotted
    DEF: Final = 5  # dotted: qualified name of a function or class of this file
    AUGMENT: Final = 6  # value: operand; previous: binding that was updated
    PHI: Final = 7  # previous: bindings that meet
    OTHER: Final = 8  # except .. as, del, match capture, type alias


class Binding(msgspec.Struct, eq=False, gc=False):
    """One way in which a name gets a value; numbered within its document."""

    kind: int
    name: str
    scope: int
    line: int
    value: ast.expr | None = None
    path: tuple[int, ...] = ()
    previous: tuple[int, ...] = ()
    dotted: str = ""
    loop: int = -1


class Loop:
    """A `for`, `while` or comprehension clause.

    ``reads`` are names read in it before any assignment in it. ``subscripted`` says that it holds a subscript outside
    of the loops in it. ``first`` numbers the first binding made in it: its targets come first.
    """

    __slots__ = (
        "carried",
        "first",
        "index",
        "iterated",
        "node",
        "outer",
        "parent",
        "reads",
        "region",
        "scope",
        "subscripted",
        "target",
    )

    def __init__(
        self,
        index: int,
        node: ast.For | ast.AsyncFor | ast.While | Comprehension,
        target: ast.expr | None,
        iterated: ast.expr | None,
        parent: int,
        scope: int,
        region: int,
        first: int,
        outer: Loop | None,
    ) -> None:
        self.index = index
        self.node = node
        self.target = target
        self.iterated = iterated
        self.parent = parent
        self.scope = scope
        self.region = region
        self.first = first
        self.outer = outer
        self.reads: dict[str, int] = {}
        self.carried: dict[str, int] = {}
        self.subscripted = False


class CallSite(msgspec.Struct, eq=False, gc=False):
    """A call with what encloses it. ``statement`` is the statement that evaluates it.

    ``name`` is the last part of what is called as written, and ``out`` what is given as `out=`: whoever looks for a few
    calls among many need not touch the nodes, which by then have left the processor's cache.
    """

    node: ast.Call
    statement: ast.stmt | None
    loop: int
    region: int
    awaited: bool
    name: str
    out: ast.expr | None


class Scope:
    """A module, class, function or lambda. ``bindings`` lists, by name, the numbers of all its bindings."""

    __slots__ = (
        "attributes",
        "bindings",
        "calls",
        "cls",
        "foreign",
        "generator",
        "index",
        "kind",
        "loop",
        "loops",
        "node",
        "parameters",
        "parent",
        "qualname",
        "region",
        "returns",
        "static",
        "written",
    )

    def __init__(
        self,
        index: int,
        kind: str,
        node: ast.Module | ast.ClassDef | FunctionNode,
        qualname: str,
        parent: Scope | None,
        cls: str,
        region: int = 0,
        loop: int = -1,
    ) -> None:
        self.index = index
        self.kind = kind
        self.node = node
        self.qualname = qualname
        self.parent = parent
        self.cls = cls
        self.region = region
        self.loop = loop
        self.bindings: dict[str, list[int]] = {}
        self.calls: list[CallSite] = []
        self.loops: list[Loop] = []
        self.returns: list[ast.expr] = []
        self.attributes: list[tuple[ast.Attribute, ast.expr | None, tuple[int, ...], int]] = []
        self.foreign: set[str] = set()  # names declared global or nonlocal
        self.written: list[ast.expr | int] = []  # what subscripts are stored to, and bindings that `+=` updates
        self.parameters: tuple[str, ...] = ()
        self.generator = False
        self.static = False


_SKIP: Final = frozenset({"ctx", "op", "ops", "kind", "conversion", "type_comment", "lineno", "simple"})
#: The fields of each node class that hold nodes worth visiting.
FIELDS: Final = {
    cls: tuple(field for field in cls._fields if field not in _SKIP)
    for cls in vars(ast).values()
    if isinstance(cls, type) and issubclass(cls, ast.AST)
}


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly inside a node in the order of the text, but for contexts and operators.

    It takes a third of the time of `ast.iter_child_nodes`.
    """
    found: list[ast.AST] = []
    for field in FIELDS[type(node)]:
        value: Any = getattr(node, field, None)  # a node, a list of nodes, or neither
        if type(value) is list:
            found += [child for child in value if type(child) in FIELDS]
        elif type(value) in FIELDS:
            found.append(value)
    return found


_COMPREHENSIONS: Final = frozenset({ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp})
_GUARD_WORDS: Final = (
    (re.compile(r"\btype_checking\b"), Region.TYPE_CHECKING),
    (re.compile(r"\bis_available\b|cuda|\bdevice\b|_gpu\b"), Region.DEVICE),
    (re.compile(r"rank|is_main|is_master|main_process|world_process_zero|is_global_zero"), Region.RANK_ZERO),
    (re.compile(r"debug|verbose|profil"), Region.DEBUG),
    (re.compile(r"oom|out_of_memory|outofmemory"), Region.OOM),
    (
        re.compile(r"memory|gc|vram|empty_cache|garbage|low_mem|offload|percent"),
        Region.POLICY | Region.CONDITIONAL,
    ),
)


class Module:
    """The facts of one module that the walk found, by number: bindings, loops, scopes; and ``loads`` by name node."""

    def __init__(self, tree: ast.Module, package: tuple[str, ...] = ()) -> None:
        self.tree = tree
        #: dotted package that relative imports start from, innermost last
        self.package = package
        self.bindings: list[Binding] = []
        self.loops: list[Loop] = []
        self.scopes: list[Scope] = []
        self.loads: dict[ast.Name, int] = {}
        self.words: set[str] = set()
        self.operations: list[ast.BinOp] = []
        self.imports: list[tuple[str, int]] = []
        self.stars: list[str] = []
        self.stored: list[tuple[ast.Subscript, ast.expr, Scope]] = []  # `name[key] = value`
        self.by_qualname: dict[str, Scope] = {}
        self.scope_of: dict[ast.AST, Scope] = {}
        _Walk(self).module(tree)


class _Walk:
    """The state of the walk: the current scope, environment, loop, region and statement."""

    def __init__(self, module: Module) -> None:
        self.out = module
        self.bindings = module.bindings
        self.loads = module.loads
        self.words = module.words
        self.operations = module.operations
        self.scope: Scope = None  # type: ignore[assignment]  # set by module() before any use
        self.env: dict[str, int] = {}
        self.loop: Loop | None = None
        self.region = 0
        #: guards under which the function has returned before: what follows runs under their like
        self.early = 0
        self.statement: ast.stmt | None = None
        self.awaited: set[ast.expr] = set()
        self.breaks: list[dict[str, int]] = []
        self.deferred: deque[tuple[FunctionNode, Scope]] = deque()

    # -- scopes

    def open(self, kind: str, node: ast.Module | ast.ClassDef | FunctionNode, name: str, cls: str) -> Scope:
        parent = self.scope if kind != "module" else None
        prefix = f"{parent.qualname}." if parent is not None and parent.qualname else ""
        qualname = prefix + name
        if qualname in self.out.by_qualname:
            number = 2
            while f"{qualname}#{number}" in self.out.by_qualname:
                number += 1
            qualname = f"{qualname}#{number}"
        scope = Scope(
            len(self.out.scopes), kind, node, qualname, parent, cls, self.region, self.loop.index if self.loop else -1
        )
        self.out.scopes.append(scope)
        self.out.by_qualname[qualname] = scope
        self.out.scope_of[node] = scope
        return scope

    def module(self, tree: ast.Module) -> None:
        self.scope = self.open("module", tree, "", "")
        self.block(tree.body)
        while self.deferred:
            self.function_body(*self.deferred.popleft())

    def function_body(self, node: FunctionNode, scope: Scope) -> None:
        self.scope, self.env, self.loop = scope, {}, None
        self.early = 0
        self.region = scope.region & ~(Region.MAIN_GUARD | Region.TRY | Region.TYPE_CHECKING | Region.RELEASED)
        args = node.args
        parameters = [*args.posonlyargs, *args.args]
        if args.vararg:
            parameters.append(args.vararg)
        parameters += args.kwonlyargs
        if args.kwarg:
            parameters.append(args.kwarg)
        scope.parameters = tuple([arg.arg for arg in parameters])
        env, bindings, own, number = self.env, self.bindings, scope.bindings, scope.index
        for index, arg in enumerate(parameters):
            name = arg.arg
            env[name] = len(bindings)
            own.setdefault(name, []).append(len(bindings))
            bindings.append(Binding(Bind.PARAM, name, number, arg.lineno, None, (index,)))
        if isinstance(node, ast.Lambda):
            self.statement = None
            self.expression(node.body)
            scope.returns.append(node.body)
        else:
            self.block(node.body)

    # -- bindings

    def bind(self, binding: Binding) -> None:
        number = len(self.bindings)
        self.bindings.append(binding)
        name = binding.name
        scope = self.scope
        self.env[name] = number
        if name in scope.foreign:
            owner = scope.parent
            while owner is not None and owner.parent is not None and name not in owner.bindings:
                owner = owner.parent
            scope = owner or scope
        known = scope.bindings.get(name)
        if known is None:
            scope.bindings[name] = [number]
        else:
            known.append(number)

    def target(self, kind: int, node: Any, value: ast.expr | None, path: tuple[int, ...] = ()) -> None:
        """Bind every name of an assignment target; nested targets add to the path of unpacking."""
        cls = type(node)
        if cls is ast.Name:
            self.words.add(node.id)
            loop = self.loop
            self.bind(
                Binding(kind, node.id, self.scope.index, node.lineno, value, path, (), "", loop.index if loop else -1)
            )
        elif cls is ast.Tuple or cls is ast.List:
            if not path and kind == Bind.ASSIGN and (type(value) is ast.Tuple or type(value) is ast.List):
                parts = value.elts
                if len(parts) == len(node.elts) and not any(type(part) is ast.Starred for part in parts):
                    for element, part in zip(node.elts, parts, strict=True):
                        self.target(kind, element, part)
                    return
            for position, element in enumerate(node.elts):
                self.target(kind, element, value, (*path, position))
        elif cls is ast.Starred:
            self.target(kind, node.value, value, (*path[:-1], -1))
        elif cls is ast.Attribute:
            self.scope.attributes.append((node, value if kind != Bind.AUGMENT else None, path, kind))
            self.words.add(node.attr)
            self.expression(node.value)
        else:
            self.expression(node)
            self.scope.written.append(node)
            if cls is ast.Subscript and value is not None and not path and type(node.value) is ast.Name:
                self.out.stored.append((node, value, self.scope))

    # -- expressions

    def expression(self, root: ast.expr) -> None:
        """Visit an expression without recursion, in order of evaluation except that a call precedes its arguments.

        Nodes are `Any`: the exact type is tested once, and a narrowing call for each of them would double the cost.
        """
        node: Any = root
        if type(node) is ast.Constant:
            return
        stack: list[Any] = []
        push, pop, extend = stack.append, stack.pop, stack.extend
        env, loads, add_word = self.env, self.loads, self.words.add
        calls, loop, region, statement = self.scope.calls, self.loop, self.region, self.statement
        number_of_loop = loop.index if loop else -1
        while True:
            cls = type(node)
            if cls is ast.Name:
                name = node.id
                add_word(name)
                number = env.get(name)
                if number is not None:
                    loads[node] = number
                    around = loop
                    while around is not None and number < around.first:
                        if name not in around.reads:
                            around.reads[name] = number
                        around = around.outer
            elif cls is ast.Attribute:
                add_word(node.attr)
                node = node.value
                continue
            elif cls is ast.Constant:
                pass
            elif cls is ast.Call:
                func = node.func
                cls = type(func)
                name = func.attr if cls is ast.Attribute else func.id if cls is ast.Name else ""
                out = None
                if node.keywords:
                    for keyword in node.keywords:
                        if keyword.arg == "out":
                            out = keyword.value
                    extend([keyword.value for keyword in reversed(node.keywords)])
                calls.append(CallSite(node, statement, number_of_loop, region, node in self.awaited, name, out))
                if node.args:
                    extend(reversed(node.args))
                node = func
                continue
            elif cls is ast.BinOp:
                self.operations.append(node)
                push(node.right)
                node = node.left
                continue
            elif cls is ast.Subscript:
                if loop is not None:
                    loop.subscripted = True
                push(node.slice)
                node = node.value
                continue
            elif cls is ast.Tuple or cls is ast.List:
                extend(reversed(node.elts))
            elif cls is ast.Compare:
                extend(reversed(node.comparators))
                node = node.left
                continue
            elif cls is ast.UnaryOp:
                node = node.operand
                continue
            elif cls is ast.BoolOp:
                extend(reversed(node.values))
            elif cls is tuple:
                self.target(Bind.ASSIGN, node[0], node[1])
            elif cls in _COMPREHENSIONS:
                self.comprehension(node)
            elif cls is ast.Lambda:
                extend(filter(None, (*node.args.defaults, *node.args.kw_defaults)))
                self.deferred.append((node, self.open("lambda", node, "<lambda>", self.scope.cls)))
            elif cls is ast.NamedExpr:
                push((node.target, node.value))
                node = node.value
                continue
            elif cls is ast.Await:
                self.awaited.add(node.value)
                node = node.value
                continue
            elif cls is ast.Yield or cls is ast.YieldFrom:
                self.scope.generator = True
                if node.value is not None:
                    push(node.value)
            else:
                for field in reversed(FIELDS[cls]):
                    value = getattr(node, field)
                    if type(value) is list:
                        extend([part for part in reversed(value) if part is not None])
                    elif value is not None and type(value) in FIELDS:
                        push(value)
            if not stack:
                return
            node = pop()

    def comprehension(self, node: Comprehension) -> None:
        """A comprehension is a loop whose targets are its own; a walrus in it binds in the enclosing scope."""
        shadowed: dict[str, int | None] = {}
        outer = self.loop
        for clause in node.generators:
            self.expression(clause.iter)
            self.enter_loop(node, clause.target, clause.iter)
            for part in ast.walk(clause.target):
                if isinstance(part, ast.Name) and part.id not in shadowed:
                    shadowed[part.id] = self.env.get(part.id)
            self.target(Bind.FOR, clause.target, clause.iter)
            for test in clause.ifs:
                self.expression(test)
        if isinstance(node, ast.DictComp):
            self.expression(node.key)
            self.expression(node.value)
        else:
            self.expression(node.elt)
        self.loop = outer
        for name, number in shadowed.items():
            if number is None:
                self.env.pop(name, None)
            else:
                self.env[name] = number

    def enter_loop(
        self,
        node: ast.For | ast.AsyncFor | ast.While | Comprehension,
        target: ast.expr | None,
        iterated: ast.expr | None,
    ) -> Loop:
        loop = Loop(
            len(self.out.loops),
            node,
            target,
            iterated,
            self.loop.index if self.loop else -1,
            self.scope.index,
            self.region,
            len(self.bindings),
            self.loop,
        )
        self.out.loops.append(loop)
        self.scope.loops.append(loop)
        self.loop = loop
        return loop

    # -- statements

    def block(self, body: Sequence[ast.stmt]) -> bool:
        """Walk a block; true if control never passes its end."""
        ended = False
        region = self.region
        for statement in body:
            if ended:
                self.region |= Region.DEAD
            self.statement = statement
            if _STATEMENTS[type(statement)](self, statement):
                ended = True
            if self.early:
                self.region |= self.early
        self.region = region
        return ended

    def merge(self, branches: list[dict[str, int]]) -> None:
        """Make the environment in which control continues after several branches."""
        if not branches:
            return
        first = branches[0]
        if len(branches) == 1:
            self.env = first
            return
        merged: dict[str, int] = {}
        for branch in branches:
            merged.update(branch)
        differing = {name for branch in branches[:-1] for name, number in branch.items() if merged[name] != number}
        if differing:
            for name in [name for name in merged if name in differing] if len(differing) > 1 else differing:
                numbers: list[int] = []
                for branch in branches:
                    number = branch.get(name)
                    if number is not None and number not in numbers:
                        numbers.append(number)
                merged[name] = self.meet(name, numbers)
        self.env = merged

    def meet(self, name: str, numbers: list[int]) -> int:
        flat: list[int] = []
        for number in numbers:
            binding = self.bindings[number]
            for part in binding.previous if binding.kind == Bind.PHI else (number,):
                if part not in flat:
                    flat.append(part)
        self.bindings.append(Binding(Bind.PHI, name, self.scope.index, 0, previous=tuple(flat[:8])))
        return len(self.bindings) - 1

    def do_expr(self, node: ast.Expr) -> bool:
        self.expression(node.value)
        if type(node.value) is ast.Call and releases(node):
            self.region |= Region.RELEASED
        return False

    def do_assign(self, node: ast.Assign) -> bool:
        value = node.value
        self.expression(value)
        for target in node.targets:
            self.target(Bind.ASSIGN, target, value)
        if (type(value) is ast.Call or (type(value) is ast.Constant and value.value is None)) and releases(node):
            self.region |= Region.RELEASED
        return False

    def do_annotated(self, node: ast.AnnAssign) -> bool:
        if node.value is not None:
            self.expression(node.value)
            self.target(Bind.ASSIGN, node.target, node.value)
        elif isinstance(node.target, ast.Attribute):
            self.target(Bind.OTHER, node.target, None)
        return False

    def do_augmented(self, node: ast.AugAssign) -> bool:
        self.expression(node.value)
        target = node.target
        if isinstance(target, ast.Name):
            load = ast.Name(target.id, ast.Load())
            self.expression(load)
            previous = self.loads.pop(load, None)
            if previous is not None:
                self.scope.written.append(previous)
            self.bind(
                Binding(
                    Bind.AUGMENT,
                    target.id,
                    self.scope.index,
                    target.lineno,
                    node.value,
                    previous=() if previous is None else (previous,),
                    loop=self.loop.index if self.loop else -1,
                )
            )
        else:
            self.target(Bind.AUGMENT, target, node.value)
        return False

    def do_return(self, node: ast.Return) -> bool:
        self.early |= self.region & Region.EVERY_K
        if node.value is not None:
            self.expression(node.value)
            self.scope.returns.append(node.value)
        return True

    def do_raise(self, node: ast.Raise) -> bool:
        if node.exc is not None:
            self.expression(node.exc)
        if node.cause is not None:
            self.expression(node.cause)
        return True

    def do_break(self, node: ast.Break) -> bool:
        if self.breaks:
            self.merge([self.breaks[-1], self.env]) if self.breaks[-1] else None
            self.breaks[-1] = dict(self.env)
        return True

    def do_continue(self, node: ast.Continue) -> bool:
        return True

    def do_delete(self, node: ast.Delete) -> bool:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.env.pop(target.id, None)
            else:
                self.expression(target)
        if releases(node):
            self.region |= Region.RELEASED
        return False

    def do_declare(self, node: ast.Global | ast.Nonlocal) -> bool:
        self.scope.foreign.update(node.names)
        return False

    def do_pass(self, node: ast.stmt) -> bool:
        return False

    def do_assert(self, node: ast.Assert) -> bool:
        self.expression(node.test)
        if node.msg is not None:
            self.expression(node.msg)
        return False

    def do_import(self, node: ast.Import) -> bool:
        for alias in node.names:
            self.words.update(alias.name.split("."))
            self.out.imports.append((alias.name, self.region | (0 if self.scope.kind == "module" else Region.LAZY)))
            name = alias.asname or alias.name.partition(".")[0]
            dotted = alias.name if alias.asname else name
            self.bind(Binding(Bind.IMPORT, name, self.scope.index, node.lineno, dotted=dotted))
        return False

    def do_import_from(self, node: ast.ImportFrom) -> bool:
        base = node.module or ""
        if node.level:
            package = self.out.package[: len(self.out.package) - node.level + 1]
            if node.level > len(self.out.package) + 1:
                package = ()
            base = ".".join((*package, base) if base else package)
            base = f".{base}" if not package else base
        self.words.update(base.split("."))
        region = self.region | (0 if self.scope.kind == "module" else Region.LAZY)
        for alias in node.names:
            if alias.name == "*":
                self.out.stars.append(base)
                self.out.imports.append((base, region))
                continue
            self.words.add(alias.name)
            dotted = f"{base}.{alias.name}" if base else alias.name
            self.out.imports.append((dotted, region))
            self.bind(Binding(Bind.IMPORT, alias.asname or alias.name, self.scope.index, node.lineno, dotted=dotted))
        return False

    def do_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        for expression in node.decorator_list:
            self.expression(expression)
        args = node.args
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None and type(default) is not ast.Constant:
                self.expression(default)
        cls = self.scope.qualname if self.scope.kind == "class" else ""
        scope = self.open("function", node, node.name, cls)
        if type(node) is ast.AsyncFunctionDef:
            self.words.add("async")
        for decorator in node.decorator_list:
            if type(decorator) is ast.Name and decorator.id == "staticmethod":
                scope.static = True
            scope.region |= managed(decorator) & (Region.NO_GRAD | Region.AUTOCAST)
        if ends_something(node.name):
            scope.region |= Region.ENDING
        self.deferred.append((node, scope))
        self.bind(Binding(Bind.DEF, node.name, self.scope.index, node.lineno, dotted=scope.qualname))
        return False

    def do_class(self, node: ast.ClassDef) -> bool:
        for expression in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.expression(expression)
        scope = self.open("class", node, node.name, "")
        saved = self.scope, self.env, self.loop, self.region
        self.scope, self.env, self.loop = scope, {}, None
        self.block(node.body)
        self.scope, self.env, self.loop, self.region = saved
        self.bind(Binding(Bind.DEF, node.name, self.scope.index, node.lineno, dotted=scope.qualname))
        return False

    def do_if(self, node: ast.If) -> bool:
        """An `elif` chain is walked in a loop: generated ones are thousands long."""
        branches: list[dict[str, int]] = []
        region = self.region
        otherwise = 0
        while True:
            self.statement = node
            self.expression(node.test)
            before = dict(self.env)
            guard = self.guard(node.test)
            self.region = region | guard | otherwise
            if not self.block(node.body):
                branches.append(self.env)
            self.env = before
            otherwise |= negated(guard)
            self.region = region | otherwise
            if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                node = node.orelse[0]
                continue
            break
        if not node.orelse or not self.block(node.orelse):
            branches.append(self.env)
        self.region = region
        if branches:
            self.merge(branches)
        return not branches

    def guard(self, test: ast.expr) -> int:
        """The class of a test; a name stands for the test that it was assigned."""
        found = classify(test)
        if found != Region.CONDITIONAL:
            return found
        for part in test.values if type(test) is ast.BoolOp and type(test.op) is ast.And else (test,):
            number = self.env.get(part.id) if type(part) is ast.Name else None
            value = self.bindings[number].value if number is not None else None
            if type(value) is ast.Compare or type(value) is ast.BoolOp:
                found |= classify(value)
        return found

    def do_for(self, node: ast.For | ast.AsyncFor) -> bool:
        self.expression(node.iter)
        return self.loop_body(node, node.target, node.iter)

    def do_while(self, node: ast.While) -> bool:
        return self.loop_body(node, None, None)

    def loop_body(
        self, node: ast.For | ast.AsyncFor | ast.While, target: ast.expr | None, iterated: ast.expr | None
    ) -> bool:
        before = dict(self.env)
        outer = self.loop
        region = self.region
        self.region &= ~Region.RELEASED
        loop = self.enter_loop(node, target, iterated)
        self.breaks.append({})
        if isinstance(node, ast.While):
            self.expression(node.test)
        elif target is not None:
            self.target(Bind.FOR, target, iterated)
        ended = self.block(node.body)
        for name, number in loop.reads.items():
            last = self.env.get(name)
            if last is not None and last != number and last >= loop.first:
                loop.carried[name] = last
        self.loop = outer
        self.region = region
        broken = self.breaks.pop()
        exits = [before] if ended else [before, self.env]
        if broken:
            exits.append(broken)
        self.merge(exits)
        if node.orelse:
            self.block(node.orelse)
        return False

    def do_with(self, node: ast.With | ast.AsyncWith) -> bool:
        region = self.region
        for item in node.items:
            self.expression(item.context_expr)
            self.region |= managed(item.context_expr)
            if item.optional_vars is not None:
                self.target(Bind.WITH, item.optional_vars, item.context_expr)
        ended = self.block(node.body)
        self.region = region
        return ended

    def do_try(self, node: ast.Try | ast.TryStar) -> bool:
        region = self.region
        before = dict(self.env)
        self.region |= Region.TRY
        ended = self.block(node.body)
        self.region = region
        if node.orelse and not ended:
            ended = self.block(node.orelse)
        branches = [] if ended else [self.env]
        after = self.env
        for handler in node.handlers:
            self.merge([dict(before), dict(after)])
            if handler.type is not None:
                self.expression(handler.type)
            if handler.name:
                self.bind(Binding(Bind.OTHER, handler.name, self.scope.index, handler.lineno))
            self.region = region | Region.EXCEPT
            if not self.block(handler.body):
                branches.append(self.env)
            self.region = region
        if branches:
            self.merge(branches)
        if node.finalbody:
            self.region = region | Region.FINALLY
            if self.block(node.finalbody):
                branches = []
            self.region = region
        return not branches

    def do_match(self, node: ast.Match) -> bool:
        self.expression(node.subject)
        branches: list[dict[str, int]] = []
        region = self.region
        before = self.env
        total = False
        for case in node.cases:
            self.env = dict(before)
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    self.bind(Binding(Bind.OTHER, name, self.scope.index, node.lineno))
                value = getattr(part, "value", None)
                if isinstance(part, ast.MatchValue) and isinstance(value, ast.expr):
                    self.expression(value)
                elif isinstance(part, ast.MatchClass):
                    self.expression(part.cls)
            if case.guard is not None:
                self.expression(case.guard)
            elif isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None:
                total = True
            self.region = region | Region.CONDITIONAL
            if not self.block(case.body):
                branches.append(self.env)
        self.region = region
        if not total:
            branches.append(before)
        self.merge(branches)
        return not branches

    def do_type_alias(self, node: ast.stmt) -> bool:
        name = getattr(node, "name", None)
        if isinstance(name, ast.Name):
            self.bind(Binding(Bind.OTHER, name.id, self.scope.index, node.lineno))
        return False


_STATEMENTS: Final[dict[type[ast.stmt], Callable[[_Walk, Any], bool]]] = {
    ast.Expr: _Walk.do_expr,
    ast.Assign: _Walk.do_assign,
    ast.AnnAssign: _Walk.do_annotated,
    ast.AugAssign: _Walk.do_augmented,
    ast.Return: _Walk.do_return,
    ast.Raise: _Walk.do_raise,
    ast.Break: _Walk.do_break,
    ast.Continue: _Walk.do_continue,
    ast.Delete: _Walk.do_delete,
    ast.Global: _Walk.do_declare,
    ast.Nonlocal: _Walk.do_declare,
    ast.Pass: _Walk.do_pass,
    ast.Assert: _Walk.do_assert,
    ast.Import: _Walk.do_import,
    ast.ImportFrom: _Walk.do_import_from,
    ast.FunctionDef: _Walk.do_function,
    ast.AsyncFunctionDef: _Walk.do_function,
    ast.ClassDef: _Walk.do_class,
    ast.If: _Walk.do_if,
    ast.For: _Walk.do_for,
    ast.AsyncFor: _Walk.do_for,
    ast.While: _Walk.do_while,
    ast.With: _Walk.do_with,
    ast.AsyncWith: _Walk.do_with,
    ast.Try: _Walk.do_try,
    ast.TryStar: _Walk.do_try,
    ast.Match: _Walk.do_match,
}
if hasattr(ast, "TypeAlias"):
    _STATEMENTS[ast.TypeAlias] = _Walk.do_type_alias


def classify(test: ast.expr) -> int:
    """The class of a test: the names in it only ever excuse, so they may be looked at. At most forty nodes count."""
    region = 0
    guards = 0
    stack: list[Any] = [test]
    left = 40
    while stack and left:
        left -= 1
        node = stack.pop()
        cls = type(node)
        if cls is ast.Name:
            guards |= _guards(node.id)
        elif cls is ast.Attribute:
            guards |= _guards(node.attr)
            stack.append(node.value)
        elif cls is ast.Constant:
            if type(node.value) is str and node.value.startswith(("cuda", "mps")):
                region |= Region.DEVICE
        elif cls is ast.Compare:
            op, right = type(node.ops[0]), node.comparators[0]
            if type(right) is ast.Constant and (op is ast.Is or op is ast.Eq):
                if right.value is None:
                    region |= Region.LAZY
                elif op is ast.Eq and right.value == "__main__":
                    return Region.MAIN_GUARD
                elif op is ast.Eq and type(right.value) is int and type(node.left) is not ast.Subscript:
                    region |= Region.FIRST  # a setting, `config["x"] == 1`, is the same in each pass
            elif op is ast.NotIn:
                region |= Region.LAZY
            elif op is ast.Eq and type(right) is ast.BinOp and type(right.op) is ast.Sub:
                region |= Region.EVERY_K  # the last pass of a loop: `i == len(loader) - 1`
            stack.append(node.left)
            stack.extend(node.comparators)
        elif cls is ast.UnaryOp:
            operand = node.operand
            if type(node.op) is ast.Not:
                inner = type(operand)
                if (
                    inner is ast.Attribute
                    or inner is ast.Name
                    or (inner is ast.Call and type(operand.func) is ast.Name and operand.func.id == "hasattr")
                ):
                    region |= Region.LAZY
            stack.append(operand)
        elif cls is ast.BoolOp:
            stack.extend(node.values)
        elif cls is ast.Call:
            stack.append(node.func)
            stack.extend(node.args)
        else:
            if cls is ast.BinOp and type(node.op) is ast.Mod:
                region |= Region.EVERY_K
            for field in FIELDS[cls]:
                value = getattr(node, field)
                if type(value) is list:
                    stack.extend([part for part in value if part is not None])
                elif type(value) in FIELDS:
                    stack.append(value)
    if guards & Region.TYPE_CHECKING:
        return Region.TYPE_CHECKING
    return region | guards or Region.CONDITIONAL


@functools.lru_cache(maxsize=1 << 15)
def _guards(name: str) -> int:
    """What a name in a test says about it."""
    lowered = name.lower()
    guards = 0
    for pattern, guard in _GUARD_WORDS:
        if pattern.search(lowered):
            guards |= guard
    return guards


def negated(guard: int) -> int:
    """What is in force in the `else` of a test of this class."""
    keep = guard & (Region.DEVICE | Region.DEBUG | Region.POLICY)
    if guard & (Region.MAIN_GUARD | Region.TYPE_CHECKING):
        return 0
    return keep or Region.CONDITIONAL


def managed(context: ast.expr) -> int:
    """The region that a context expression opens."""
    node = context.func if isinstance(context, ast.Call) else context
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    lowered = name.lower()
    if name in ("no_grad", "inference_mode"):
        return Region.NO_GRAD
    if lowered == "autocast" or lowered.endswith("_autocast"):
        return Region.AUTOCAST
    if lowered == "stream":
        return Region.STREAM
    if "lock" in lowered or "semaphore" in lowered or "mutex" in lowered:
        return Region.LOCK
    if lowered in ("profile", "record_function", "profiler"):
        return Region.PROFILER
    return 0
