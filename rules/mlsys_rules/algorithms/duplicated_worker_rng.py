"""MLS617: a random generator that every loader worker gets a copy of, with its state."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from mlsys_advise.condition import DrawsInWorkers, InProcessPool, Pinned, Uses, WorkersOver, require
from mlsys_advise.here import Here
from mlsys_advise.languages.python.scopes import Scope
from mlsys_advise.rule import Candidate, rule

_GENERATORS: Final = frozenset(
    {
        "numpy.random.default_rng",
        "numpy.random.RandomState",
        "numpy.random.Generator",
        "random.Random",
        "torch.Generator",
    }
)
#: Functions of NumPy that draw from the generator of the process.
_GLOBAL_DRAWS: Final = frozenset(
    f"numpy.random.{name}"
    for name in (
        "rand randn randint random random_sample uniform normal choice shuffle permutation beta binomial exponential "
        "gamma poisson triangular"
    ).split()
)
#: From this version on, workers seed NumPy's generator, each with a number of its own.
_SEEDS_NUMPY: Final = "1.9"
#: Methods that run in the workers, and often.
_ITEM_CODE: Final = frozenset({"__getitem__", "__getitems__", "__iter__", "__next__", "__call__"})


class _Kept(NamedTuple):
    """Where a generator is kept: attribute ``name`` of class ``cls``, or of the module if ``cls`` is empty."""

    cls: str
    name: str


@rule(
    "MLS617",
    severity="error",
    category="reproducibility",
    lesson="randomized",
    evidence="worker-rng-duplication",
    words=("default_rng", "RandomState", "Random", "Generator", "random"),
    calls=_GENERATORS | _GLOBAL_DRAWS,
)
def duplicated_worker_rng(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """Workers get a copy of the generator with its state: all of them draw the same numbers, again in every epoch."""
    if here.in_test_file:
        return
    if here.qualified(call.func) in _GLOBAL_DRAWS:
        yield from _of_process(call, here)
        return
    kept = _kept(call, here)
    if kept is None:
        yield from _of_factory(call, here)
        return
    if kept.cls:
        yield from _of_class(call, kept, here)
    else:
        yield from _of_module(call, kept.name, here)


def _of_class(call: ast.Call, kept: _Kept, here: Here) -> Iterator[Candidate]:
    mentions = list(_attributes(kept, here))
    stores = [node for node in mentions if isinstance(node.ctx, ast.Store)]
    if any(_replaces(store, call, here) for store in stores):
        return
    if _made_late(call, kept.name, here) and not _constant(call):
        return
    draws = [node for node in mentions if isinstance(node.ctx, ast.Load) and _draws(node, here)]
    readers = tuple(sorted({here.owner(node) for node in draws}))
    rescue = bool(draws) and all(_rescues(node, here) for node in draws)
    yield here.candidate(
        "MLS617",
        call,
        "{workers} workers get a copy of `{rng}` with its state: all of them draw the same numbers{again}",
        require(DrawsInWorkers(kept.cls, kept.name, readers), "items are made with it"),
        require(WorkersOver(kept.cls), "a loader over it has workers"),
        facts={"rng": f"self.{kept.name}"},
        severity="info" if rescue else None,
    )


def _of_module(call: ast.Call, name: str, here: Here) -> Iterator[Candidate]:
    readers: dict[str, list[str]] = {}
    for node in ast.walk(here.module.tree):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            if here.binding(node) is None and here.function(node).kind == "function":
                around = here.enclosing_class(node)
                readers.setdefault(around.qualname if around is not None else "", []).append(here.owner(node))
    for cls, functions in sorted(readers.items()):
        if cls:
            yield here.candidate(
                "MLS617",
                call,
                "{workers} workers get a copy of `{rng}` with its state: all of them draw the same numbers",
                require(DrawsInWorkers(cls, name, tuple(sorted(set(functions)))), "items are made with it"),
                require(WorkersOver(cls), "a loader over it has workers"),
                facts={"rng": name},
                group=name,
            )
        elif _constant(call):
            for function in sorted(set(functions)):
                yield here.candidate(
                    "MLS617",
                    call,
                    "each process of the pool gets a copy of `{rng}` with its state: all of them draw the same numbers",
                    require(InProcessPool(function), "what draws from it runs in a pool of processes"),
                    facts={"rng": name},
                    group=name,
                )


def _of_process(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """A draw from NumPy's own generator, which workers of an old torch inherit with its state."""
    cls = here.enclosing_class(call)
    if cls is None or _seeds(cls, here):
        return
    yield here.candidate(
        "MLS617",
        call,
        "{workers} workers inherit NumPy's generator with its state and draw the same numbers: "
        "torch {pin} does not seed it in workers; pass a worker_init_fn that does",
        require(Pinned("torch", _SEEDS_NUMPY), "the pinned torch does not seed NumPy in workers"),
        require(DrawsInWorkers(cls.qualname, "", (here.owner(call),)), "items are made with it"),
        require(WorkersOver(cls.qualname, alike=True), "a loader over it has workers that start alike"),
        group=f"numpy {cls.qualname}",
    )


def _of_factory(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """A generator that a function returns: the project knows what becomes of it."""
    record = here.record(call)
    if record is not None and isinstance(here.statement(call), ast.Return):
        yield here.candidate(
            "MLS617",
            call,
            "{workers} workers get a copy of `{rng}` with its state: all of them draw the same numbers{again}",
            require(Uses(*record, "copied into workers that draw from it"), "workers get a copy and draw from it"),
        )


def _kept(call: ast.Call, here: Here) -> _Kept | None:
    """The attribute or module variable that a new generator is assigned to, at once or through one local name."""
    target = _target(call, here)
    scope = here.scope(call)
    cls = here.enclosing_class(call)
    match target:
        case ast.Attribute(ast.Name(), attr) if cls is not None and scope.parameters[:1] == (_owner_name(target),):
            return _Kept(cls.qualname, attr)
        case ast.Name(name) if scope.kind == "class":
            return _Kept(scope.qualname, name)
        case ast.Name(name) if scope.kind == "module":
            return _Kept("", name)
        case ast.Name() if cls is not None:
            for node in ast.walk(scope.node):
                match node:
                    case ast.Assign([ast.Attribute(ast.Name(owner), attr)], ast.Name() as value) if scope.parameters[
                        :1
                    ] == (owner,) and _contains(here.source_of(value), call):
                        return _Kept(cls.qualname, attr)
    return None


def _target(call: ast.Call, here: Here) -> ast.expr | None:
    """What a generator is assigned to, itself or by a method that returns it: `Generator().manual_seed(0)`."""
    node: ast.AST = call
    for around in here.ancestors(call):
        match around:
            case ast.Attribute() | ast.IfExp() | ast.BoolOp():
                pass
            case ast.Call(func) if func is node:
                pass
            case ast.Assign([target]) | ast.AnnAssign(target):
                return target
            case _:
                return None
        node = around
    return None


def _owner_name(node: ast.expr) -> str:
    return node.value.id if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else ""


def _seeds(cls: Scope, here: Here) -> bool:
    """Whether a class seeds NumPy's own generator."""
    return "seed" in here.module.words and any(
        isinstance(node, ast.Call) and here.qualified(node.func) == "numpy.random.seed" for node in ast.walk(cls.node)
    )


def _contains(node: ast.expr, call: ast.Call) -> bool:
    return any(part is call for part in ast.walk(node))


def _attributes(kept: _Kept, here: Here) -> Iterator[ast.Attribute]:
    """Every mention of the attribute in its class."""
    scope = here.module.by_qualname[kept.cls]
    for node in ast.walk(scope.node):
        if isinstance(node, ast.Attribute) and node.attr == kept.name and isinstance(node.value, ast.Name):
            yield node


def _replaces(store: ast.Attribute, call: ast.Call, here: Here) -> bool:
    """Whether an assignment outside of the constructor gives the attribute another generator."""
    statement = here.statement(store)
    if any(part is call for part in ast.walk(statement)):
        return False
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and _contains(here.source_of(value), call)):
        return False
    return here.owner(store).rpartition(".")[2] != "__init__"


def _made_late(call: ast.Call, name: str, here: Here) -> bool:
    """Whether the generator is made where items are: on first use, or in a method that workers run."""
    if here.owner(call).rpartition(".")[2] in _ITEM_CODE:
        return True
    tests = [around.test for around in here.ancestors(call) if isinstance(around, ast.If)]
    return any(isinstance(part, ast.Attribute) and part.attr == name for test in tests for part in ast.walk(test))


def _constant(call: ast.Call) -> bool:
    """Whether the seed is a literal."""
    seeds = [*call.args, *(keyword.value for keyword in call.keywords)]
    return bool(seeds) and all(isinstance(seed, ast.Constant) and seed.value is not None for seed in seeds)


def _draws(node: ast.Attribute, here: Here) -> bool:
    """Whether a mention uses the generator, rather than asking whether there is one."""
    return not isinstance(here.parent(node), ast.Compare | ast.If | ast.BoolOp | ast.UnaryOp)


def _rescues(node: ast.Attribute, here: Here) -> bool:
    """Whether a draw stands in an exception handler: it replaces a sample that could not be read."""
    return any(isinstance(around, ast.ExceptHandler) for around in here.ancestors(node))
