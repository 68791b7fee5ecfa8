"""Loops: what is iterated, how large it is by nature, and how often a statement runs in it."""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from mlsys_advise.languages.python.scopes import Bind, Binding, Loop, Module, Scope, children
from mlsys_advise.languages.python.shapes import Shapes
from mlsys_advise.languages.python.terms import Terms
from mlsys_advise.term import Const, Elem, Lit, Map, Member, Name, Seq, Term, last_name

DATA: Final = "data"
SMALL: Final = "small"
EPOCHS: Final = "epochs"
OPEN: Final = "open"
ONCE: Final = "once"

#: Words that say a loop is short by nature. They only ever excuse.
_SMALL_WORDS: Final = re.compile(
    r"layer|head|level|fold|class|rank|stage|block|scale|group|trial|seed|model|device|gpu|worker|expert|codebook|"
    r"param|module|child|buffer|optim|metric|loss|callback|hook|retr|attempt|config|cfg|arg|key|name|col|channel|dim|"
    r"axis|axes|anchor_level|world_size|n_iter_small|phase|split|task|prompt_type|threshold|thr|method|plugin|ckpt|"
    r"checkpoint|shard|experiment|run|setting|depth|order|concept|crop|view|pyramid|feature_map|temperature|candidate"
)
_DATA_WORDS: Final = re.compile(
    r"loader|dataset|sample|batch|image|file|path|row|line|token|frame|video|doc|record|item"
)
#: Those of them that also hold for an axis of an array, whose length the name is.
_SMALL_AXES: Final = re.compile(r"class|channel|head|level|layer|group|coord|stage|expert|codebook|ndim|^c$|^ch$|^nc$")
_EPOCH_WORDS: Final = re.compile(r"epoch|(?<![a-z])ep\b|max_ep")
#: Methods whose results are as long as some data.
_LISTING: Final = frozenset(
    "listdir glob rglob iterdir walk readlines splitlines iterrows itertuples iter_rows tolist".split()
)
_SIZE_METHODS: Final = frozenset({"numel", "nelement", "size"})


def unwrap(node: ast.expr | None, terms: Terms, module: Module, loop: Loop) -> ast.expr | None:
    """The iterable itself, without tqdm, enumerate, reversed, list, iter, islice; the first argument of zip."""
    scope = module.scopes[loop.scope]
    for _ in range(6):
        if not isinstance(node, ast.Call):
            return node
        callee = terms.of(node.func, scope, 4)
        name = terms.lexicon.canonical(callee.dotted) if isinstance(callee, Name) else ""
        if name in terms.lexicon.vocabulary.wrappers and node.args:
            node = node.args[0]
        elif name.rpartition(".")[2] in ("tqdm", "trange") and node.args:
            if name.endswith("trange"):
                return node
            node = node.args[0]
        elif isinstance(node.func, ast.Attribute) and node.func.attr in ("items", "values", "keys") and not node.args:
            return node.func.value
        else:
            return node
    return node


def size(loop: Loop, terms: Terms, module: Module) -> str:
    """DATA, SMALL, EPOCHS, ONCE or OPEN (nothing is known; what is iterated may be asked for)."""
    return size_of(loop, unwrap(loop.iterated, terms, module, loop), terms, module)


def size_of(loop: Loop, node: ast.expr | None, terms: Terms, module: Module) -> str:
    """The same, where it is known what is iterated without tqdm and the like."""
    if isinstance(loop.node, ast.While):
        return OPEN
    if _runs_once(loop.iterated):
        return ONCE
    if _EPOCH_WORDS.search(" ".join(identifiers(loop.target) + identifiers(loop.iterated))):
        return EPOCHS
    scope = module.scopes[loop.scope]
    match node:
        case ast.Tuple() | ast.List() | ast.Set() | ast.Dict() | ast.Constant():
            return SMALL
        case ast.Call(func, args) if args and last_name(terms.of(func, scope, 4)) in ("range", "trange", "arange"):
            return bound(last_of_range(args), terms, module, loop)
    term = terms.of(node, scope)
    found = by_kind(term, terms)
    if found != OPEN:
        return found
    return SMALL if _SMALL_WORDS.search(" ".join(identifiers(node))) else OPEN


def _runs_once(node: ast.expr | None) -> bool:
    """Whether a loop is over `range(1)`."""
    match node:
        case ast.Call(ast.Name("range" | "trange"), [ast.Constant(1)], []):
            return True
    return False


def parts(loop: Loop) -> tuple[str, ...]:
    """The names that the parts of an element get, in order; the counter of `enumerate` comes last."""
    target = loop.target
    counter: ast.expr | None = None
    match loop.iterated, target:
        case ast.Call(ast.Name("enumerate")), ast.Tuple([first, second]):
            counter, target = first, second
    names = identifiers(target)[:4]
    return (*names, *identifiers(counter)[:1])


def bound(node: ast.expr, terms: Terms, module: Module, loop: Loop, depth: int = 6) -> str:
    """The size class of a loop's literal or computed bound."""
    scope = module.scopes[loop.scope]
    if depth <= 0:
        return OPEN
    match node:
        case ast.Constant(int() as value):
            return SMALL if value <= 32 else DATA
        case ast.Call(func, args) if args and last_name(terms.of(func, scope, 3)) in ("len", "min", "max", "int"):
            name = last_name(terms.of(func, scope, 3))
            if name == "len":
                inner = args[0]
                if any(_SMALL_WORDS.search(word) for word in identifiers(inner)):
                    return SMALL
                kind = by_kind(terms.of(inner, scope), terms)
                return DATA if kind == OPEN and not isinstance(inner, (ast.List, ast.Tuple)) else kind
            parts = {bound(arg, terms, module, loop, depth - 1) for arg in args}
            if name == "min" and SMALL in parts:
                return SMALL
            return DATA if DATA in parts else (SMALL if parts == {SMALL} else OPEN)
        case ast.Call(ast.Attribute(_, attr)) if attr in _SIZE_METHODS:
            return DATA
        case ast.Subscript(ast.Attribute(_, "shape")):
            return DATA
        case ast.BinOp(left, _, right):
            parts = {bound(left, terms, module, loop, depth - 1), bound(right, terms, module, loop, depth - 1)}
            return DATA if DATA in parts else (SMALL if parts == {SMALL} else OPEN)
        case ast.Name(name):
            number = module.loads.get(node)
            binding = module.bindings[number] if number is not None else None
            if binding is not None and _of_shape(binding):
                return SMALL if _SMALL_AXES.search(name.lower()) else DATA
            if _SMALL_WORDS.search(name.lower()):
                return SMALL
            if binding is not None and binding.value is not None and binding.value is not node:
                source = binding.value
                if binding.path and isinstance(source, ast.Attribute) and source.attr == "shape":
                    return DATA
                if (
                    binding.path
                    and isinstance(source, ast.Call)
                    and last_name(terms.of(source.func, scope, 3)) == "size"
                ):
                    return DATA
                if not binding.path:
                    return bound(source, terms, module, loop, depth - 1)
            return OPEN
        case ast.Attribute(_, attr):
            return SMALL if _SMALL_WORDS.search(attr.lower()) else OPEN
        case _:
            return OPEN


def _of_shape(binding: Binding) -> bool:
    """Whether a name is the length of an axis of an array."""
    match binding.value:
        case ast.Attribute(_, "shape"):
            return bool(binding.path)
        case ast.Call(ast.Attribute(_, "size"), args):
            return bool(args) != bool(binding.path)
        case ast.Subscript(ast.Attribute(_, "shape")):
            return True
    return False


def last_of_range(args: list[ast.expr]) -> ast.expr:
    """The argument of `range` that says how far it goes: the first one where it counts down."""
    if len(args) < 3:
        return args[-1]
    match args[2]:
        case ast.UnaryOp(ast.USub()):
            return args[0]
    return args[1]


def trips(loop: Loop, terms: Terms, module: Module, shapes: Shapes) -> int | None:
    """How often a loop runs, where literals say so; None where they do not."""
    if isinstance(loop.node, ast.While):
        return None
    scope = module.scopes[loop.scope]
    node = _display(unwrap(loop.iterated, terms, module, loop), scope, module)
    match node:
        case ast.Tuple(elts) | ast.List(elts) | ast.Set(elts):
            return None if any(isinstance(part, ast.Starred) for part in elts) else len(elts)
        case ast.Call(func, args) if args and last_name(terms.of(func, scope, 4)) in ("range", "trange"):
            bounds = [_integer(arg, terms, scope, shapes) for arg in args]
            known = [value for value in bounds if value is not None]
            if len(known) == len(bounds) and (len(known) < 3 or known[2]):
                return len(range(*known))
            return None
        case ast.expr():
            sizes = shapes.of(node, scope).sizes
            return sizes[0] if sizes else None
    return None


def _display(node: ast.expr | None, scope: Scope, module: Module) -> ast.expr | None:
    """The list or tuple that a name was given, if it is given nothing else; the expression itself otherwise."""
    if not isinstance(node, ast.Name):
        return node
    number = module.loads.get(node)
    around: Scope | None = scope.parent
    while number is None and around is not None:
        numbers = around.bindings.get(node.id, ())
        if numbers:
            number = numbers[0] if len(numbers) == 1 else None
            break
        around = around.parent
    binding = module.bindings[number] if number is not None else None
    if binding is None or binding.path or binding.kind != Bind.ASSIGN:
        return node
    return binding.value if isinstance(binding.value, (ast.Tuple, ast.List)) else node


def _integer(node: ast.expr, terms: Terms, scope: Scope, shapes: Shapes) -> int | None:
    """The value of an expression of integer literals, and of lengths of arrays that were made with literal sizes."""
    match node:
        case ast.Call(ast.Name("len"), [of]):
            sizes = shapes.of(of, scope).sizes
            return sizes[0] if sizes else None
        case ast.Subscript(ast.Attribute(of, "shape"), ast.Constant(int() as axis)):
            sizes = shapes.of(of, scope).sizes
            return sizes[axis] if axis < len(sizes) else None
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() as op, right):
            first, second = _integer(left, terms, scope, shapes), _integer(right, terms, scope, shapes)
            if first is None or second is None:
                return None
            match op:
                case ast.Add():
                    return first + second
                case ast.Sub():
                    return first - second
                case _:
                    return first * second
        case _:
            term = terms.of(node, scope, 8)
            return term.value if isinstance(term, Const) and type(term.value) is int else None


def by_kind(term: Term, terms: Terms) -> str:
    """The size class of a container, from what made it."""
    match term:
        case Seq(many=False) | Map() | Const():
            return SMALL
        case Member(name=name) if name in ("shape", "columns", "layers", "blocks"):
            return SMALL
        case Lit():
            return OPEN
        case Elem():
            return OPEN
    if last_name(term) in ("parameters", "named_parameters", "modules", "children", "named_modules", "buffers"):
        return SMALL
    from_call = getattr(term, "callee", None)
    if from_call is not None:
        name = last_name(from_call)
        if name in (
            "parameters",
            "named_parameters",
            "modules",
            "children",
            "named_modules",
            "buffers",
            "named_buffers",
        ):
            return SMALL
        if name in _LISTING:
            return DATA
        kind = terms.lexicon.constructed(from_call.dotted) if isinstance(from_call, Name) else ""
        kinds = terms.lexicon.kinds(kind) if kind else frozenset()
        if kinds & {"loader", "dataset", "hf_dataset", "frame", "consumer"}:
            return DATA
        if kinds & {"module_list", "module_dict"}:
            return SMALL
    return OPEN


def identifiers(node: ast.AST | None) -> list[str]:
    """The identifiers of an expression, lower-cased, at most thirty."""
    if node is None:
        return []
    found: list[str] = []
    stack: list[Any] = [node]
    while stack and len(found) < 30:
        part = stack.pop()
        cls = type(part)
        if cls is ast.Name:
            found.append(part.id.lower())
        elif cls is ast.Attribute:
            found.append(part.attr.lower())
            stack.append(part.value)
        elif cls is not ast.Constant:
            stack.extend(reversed(children(part)))
    return found
