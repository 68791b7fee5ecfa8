"""Arrays: rank, literal sizes, type, device and storage order of tensors and arrays, where one file makes them certain.

Nothing is guessed: a fact that the text does not force is absent. Numbers are arrays of rank zero.
"""

from __future__ import annotations

import ast
from typing import Final

import msgspec

from mlsys_advise.languages.python import indices
from mlsys_advise.languages.python.scopes import Bind, Binding, Module, Scope
from mlsys_advise.languages.python.terms import Terms
from mlsys_advise.library import arrays
from mlsys_advise.term import Const, Lit, Name

#: Orders of storage: by rows, by columns, or some permutation of the axes.
ROWS: Final = "rows"
COLUMNS: Final = "columns"
PERMUTED: Final = "permuted"


class Array(msgspec.Struct, frozen=True):
    """What is certain of an array. ``rank`` None is unknown; ``sizes`` holds lengths, None where not literal."""

    rank: int | None = None
    sizes: tuple[int | None, ...] = ()
    dtype: str = ""
    device: str = ""
    order: str = ""


UNKNOWN: Final = Array()
NUMBER: Final = Array(rank=0)

_CONSTANTS: Final = frozenset({"inf", "nan", "pi", "e"})
_CONSTANT_OWNERS: Final = frozenset({"math", "numpy", "torch", "cupy", "jax.numpy"})
_NUMBERS: Final = frozenset({"len", "int", "float", "bool", "ord", "hash", "id"})
_DEPTH: Final = 14


class Shapes:
    """The arrays of one module; results for bindings are kept."""

    def __init__(self, module: Module, terms: Terms) -> None:
        self.module = module
        self.terms = terms
        self._bindings: dict[int, Array] = {}
        self._busy: set[int] = set()
        self._arity: dict[tuple[int | str, int], int] | None = None

    # -- expressions

    def of(self, node: ast.expr | None, scope: Scope, depth: int = _DEPTH) -> Array:
        """What is certain of the value of an expression evaluated in a scope."""
        if node is None or depth <= 0:
            return UNKNOWN
        match node:
            case ast.Constant(int() | float() | bool()):
                return NUMBER
            case ast.Name():
                return self._ranked(self._name(node, scope, depth), node, scope)
            case ast.Attribute():
                return self._ranked(self._attribute(node, scope, depth), node, scope)
            case ast.Call():
                return self._call(node, scope, depth)
            case ast.Subscript():
                return self._subscript(node, scope, depth)
            case ast.BinOp(_, ast.MatMult(), _):
                return UNKNOWN
            case ast.BinOp(left, _, right):
                return self._broadcast([left, right], scope, depth)
            case ast.Compare(left, ops, comparators):
                if isinstance(ops[0], (ast.Is, ast.IsNot, ast.In, ast.NotIn)):
                    return NUMBER
                return self._broadcast([left, *comparators], scope, depth)
            case ast.BoolOp(_, values):
                found = self._broadcast(values, scope, depth)
                return found if found.rank == 0 else UNKNOWN
            case ast.UnaryOp(ast.Not()):
                return NUMBER
            case ast.UnaryOp(_, operand) | ast.NamedExpr(value=operand):
                return self.of(operand, scope, depth - 1)
            case ast.IfExp(_, body, orelse):
                return self._either([self.of(body, scope, depth - 1), self.of(orelse, scope, depth - 1)])
            case _:
                return UNKNOWN

    def _either(self, options: list[Array]) -> Array:
        """What all of several possibilities have in common."""
        first = options[0]
        if all(option == first for option in options):
            return first
        if all(option.rank == first.rank for option in options):
            return Array(rank=first.rank)
        return UNKNOWN

    def _broadcast(self, operands: list[ast.expr], scope: Scope, depth: int) -> Array:
        parts = [self.of(operand, scope, depth - 1) for operand in operands]
        ranks = [part.rank for part in parts if part.rank is not None]
        if len(ranks) < len(parts):
            return UNKNOWN
        widest = max(parts, key=lambda part: part.rank or 0)
        return Array(rank=widest.rank, sizes=widest.sizes if len(set(ranks) - {0}) < 2 else (), device=widest.device)

    # -- names

    def _name(self, node: ast.Name, scope: Scope, depth: int) -> Array:
        number = self.module.loads.get(node)
        if number is None:
            found = self._free(node.id, scope)
            return self.binding(found, depth - 1) if found is not None else UNKNOWN
        options = [self.binding(number, depth - 1)]
        home = self.module.scopes[self.module.bindings[number].scope]
        for loop in home.loops:
            if loop.reads.get(node.id) == number and node.id in loop.carried:
                if loop.carried[node.id] not in self._busy:  # else by induction over the passes
                    options.append(self.binding(loop.carried[node.id], depth - 2))
                break
        return self._either(options)

    def _free(self, name: str, scope: Scope) -> int | None:
        """The only binding of a name that an enclosing function or the module makes."""
        around: Scope | None = scope.parent
        while around is not None:
            numbers = around.bindings.get(name)
            if numbers and around.kind != "class":
                return numbers[0] if len(numbers) == 1 else None
            around = around.parent
        return None

    def binding(self, number: int, depth: int = _DEPTH) -> Array:
        """What is certain of the value that a binding gives a name."""
        known = self._bindings.get(number)
        if known is not None:
            return known
        if number in self._busy or depth <= 0:
            return UNKNOWN
        self._busy.add(number)
        found = self._bound(self.module.bindings[number], depth)
        self._busy.discard(number)
        if not self._busy:
            self._bindings[number] = found
        return found

    def _bound(self, binding: Binding, depth: int) -> Array:
        scope = self.module.scopes[binding.scope]
        match binding.kind:
            case Bind.ASSIGN:
                if not binding.path:
                    return self.of(binding.value, scope, depth - 1)
                return NUMBER if self._is_shape(binding.value) else UNKNOWN
            case Bind.FOR:
                return self.element(binding.value, binding.path, scope, depth - 1)
            case Bind.PARAM:
                return self._parameter(scope, binding)
            case Bind.AUGMENT:
                before = [self.binding(previous, depth - 1) for previous in binding.previous]
                added = self.of(binding.value, scope, depth - 1)
                if len(before) == 1 and before[0].rank and added.rank is not None and added.rank <= before[0].rank:
                    return before[0]
                return NUMBER if added.rank == 0 and before and before[0].rank == 0 else UNKNOWN
            case Bind.PHI:
                ahead = [previous for previous in binding.previous if previous not in self._busy]
                return self._either([self.binding(previous, depth - 1) for previous in ahead]) if ahead else UNKNOWN
            case _:
                return UNKNOWN

    def _parameter(self, scope: Scope, binding: Binding) -> Array:
        """A parameter that is annotated as a number, or that only a number's default speaks of."""
        node = scope.node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return UNKNOWN
        positional = [*node.args.posonlyargs, *node.args.args]
        defaults = dict(zip((arg.arg for arg in reversed(positional)), reversed(node.args.defaults), strict=False))
        for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if default is not None:
                defaults[arg.arg] = default
        for arg in (*positional, *node.args.kwonlyargs):
            if arg.arg == binding.name:
                if arg.annotation is not None:
                    plain = isinstance(arg.annotation, ast.Name) and arg.annotation.id in ("int", "float", "bool")
                    return NUMBER if plain else UNKNOWN
                default = defaults.get(arg.arg)
                number = isinstance(default, ast.Constant) and isinstance(default.value, (int, float))
                return NUMBER if number else UNKNOWN
        return UNKNOWN

    def element(self, iterated: ast.expr | None, path: tuple[int, ...], scope: Scope, depth: int = _DEPTH) -> Array:
        """What the target of a loop over an iterable holds; ``path`` leads to it through tuples."""
        part, rest, counted = self.component(iterated, path, scope)
        if counted:
            return NUMBER
        whole = self.of(part, scope, depth - 1)
        if rest or not whole.rank:
            return UNKNOWN
        return Array(whole.rank - 1, whole.sizes[1:], whole.dtype, whole.device)

    def component(
        self, iterated: ast.expr | None, path: tuple[int, ...], scope: Scope
    ) -> tuple[ast.expr | None, tuple[int, ...], bool]:
        """The iterable whose elements a part of a loop's target holds, the path within an element, or that it counts.

        `enumerate`, `zip`, `tqdm` and the like are seen through.
        """
        while isinstance(iterated, ast.Call):
            name = self._called(iterated, scope)
            if name == "builtins.range" or name.endswith(".trange"):
                return iterated, path, not path
            if not iterated.args:
                break
            if name == "builtins.enumerate" and path:
                if path[0] == 0:
                    return iterated, (), True
                iterated, path = iterated.args[0], path[1:]
            elif name == "builtins.zip" and path and 0 <= path[0] < len(iterated.args):
                iterated, path = iterated.args[path[0]], path[1:]
            elif name in self.terms.lexicon.vocabulary.wrappers and name not in ("builtins.enumerate", "builtins.zip"):
                iterated = iterated.args[0]
            else:
                break
        return iterated, path, False

    # -- shapes that are taken apart: ``rows, columns = x.shape``

    def _is_shape(self, node: ast.expr | None) -> bool:
        match node:
            case ast.Attribute(_, "shape") | ast.Call(ast.Attribute(_, "size"), []):
                return True
            case ast.Subscript(ast.Attribute(_, "shape"), ast.Slice()):
                return True
            case _:
                return False

    def _ranked(self, found: Array, node: ast.expr, scope: Scope) -> Array:
        if found.rank is not None:
            return found
        if self._arity is None:
            self._arity = self._arities()
        if not self._arity:
            return found
        rank = self._arity.get((self._identity(node), scope.index))
        return found if rank is None else msgspec.structs.replace(found, rank=rank)

    def _identity(self, node: ast.expr) -> int | str:
        if isinstance(node, ast.Name):
            number = self.module.loads.get(node)
            return node.id if number is None else number
        return indices.key(node) or ""

    def _arities(self) -> dict[tuple[int | str, int], int]:
        """The ranks of the arrays whose shape is unpacked somewhere, by what holds the array and the scope."""
        widths: dict[ast.expr, int] = {}
        scopes: dict[ast.expr, int] = {}
        for binding in self.module.bindings:
            value = binding.value
            if len(binding.path) != 1 or binding.kind != Bind.ASSIGN or value is None:
                continue
            match value:
                case ast.Attribute(of, "shape") | ast.Call(ast.Attribute(of, "size"), []):
                    position = binding.path[0]
                    known = widths.get(of, 0)
                    widths[of] = -1 if position < 0 or known < 0 else max(known, position + 1)
                    scopes[of] = binding.scope
        return {(self._identity(of), scopes[of]): width for of, width in widths.items() if width > 0}

    # -- attributes and subscripts

    def _attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> Array:
        if node.attr in ("T", "mT", "H"):
            inner = self.of(node.value, scope, depth - 1)
            turned = {ROWS: COLUMNS, COLUMNS: ROWS, "": COLUMNS}.get(inner.order, PERMUTED)
            return Array(inner.rank, inner.sizes[::-1], inner.dtype, inner.device, turned)
        if node.attr in ("data", "real", "imag", "grad", "values", "indices"):
            inner = self.of(node.value, scope, depth - 1)
            return inner if node.attr in ("data", "real", "imag", "grad") else UNKNOWN
        if node.attr == "ndim":
            return NUMBER
        if node.attr in _CONSTANTS:
            term = self.terms.of(node, scope, 3)
            return NUMBER if isinstance(term, Name) and term.dotted.rpartition(".")[0] in _CONSTANT_OWNERS else UNKNOWN
        return UNKNOWN

    def _subscript(self, node: ast.Subscript, scope: Scope, depth: int) -> Array:
        value = node.value
        if self._is_shape(value) and isinstance(indices.sort(node.slice), str):
            return NUMBER if indices.sort(node.slice) == indices.SCALAR else UNKNOWN
        inner = self.of(value, scope, depth - 1)
        if inner.rank is None or inner.rank == 0:
            return UNKNOWN
        rank = inner.rank
        for part in indices.parts_of(node.slice):
            match indices.sort(part):
                case indices.SCALAR:
                    if self.of(part, scope, depth - 2).rank != 0 and not isinstance(part, ast.Subscript):
                        return UNKNOWN
                    rank -= 1
                case indices.NEW_AXIS:
                    rank += 1
                case indices.SLICE | indices.ELLIPSIS:
                    continue
                case _:
                    return UNKNOWN
        return Array(rank, (), inner.dtype, inner.device, inner.order) if rank >= 0 else UNKNOWN

    # -- calls

    def _called(self, node: ast.Call, scope: Scope) -> str:
        """The canonical name of a library function or builtin that is called; "" for anything else."""
        callee = self.terms.of(node.func, scope, 4)
        return self.terms.lexicon.canonical(callee.dotted) if isinstance(callee, Name) else ""

    def _call(self, node: ast.Call, scope: Scope, depth: int) -> Array:
        name = self._called(node, scope)
        if name:
            return self._function(name, node, scope, depth)
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node, scope, depth)
        return UNKNOWN

    def _function(self, name: str, node: ast.Call, scope: Scope, depth: int) -> Array:
        top, _, last = name.rpartition(".")
        args = node.args
        if top == "builtins":
            if last in _NUMBERS or (last in ("min", "max") and len(args) > 1):
                return NUMBER
            return self.of(args[0], scope, depth - 1) if last in ("abs", "round") and args else UNKNOWN
        if top == "math":
            return NUMBER
        if name in ("cv2.imread", "cv2.imdecode"):
            return self._image(node)
        if not name.startswith(arrays.LIBRARIES):
            return UNKNOWN
        if any(isinstance(arg, ast.Starred) for arg in args):
            return UNKNOWN
        if last in arrays.FILLED:
            return self._dressed(self._filled(name, last, node, scope), node, scope)
        if last in arrays.LIKE and args:
            return self._dressed(self.of(args[0], scope, depth - 1), node, scope)
        if last in arrays.ONE_AXIS:
            return self._dressed(Array(rank=1), node, scope)
        if last in arrays.TWO_AXES:
            return self._dressed(Array(rank=2), node, scope)
        if last in arrays.CONVERTED and args:
            return self._dressed(self._made(args[0], scope, depth), node, scope)
        if last in ("cumsum", "cumprod"):
            plain = not any(keyword.arg == "axis" for keyword in node.keywords) and len(args) < 2
            if name.startswith("numpy.") and plain:
                return Array(rank=1)
            return self.of(args[0], scope, depth - 1) if args else UNKNOWN
        if last in ("ravel", "flatten") and len(args) == 1 and not node.keywords:
            return Array(rank=1)
        if last == "reshape" and len(args) > 1:
            return self._sized(args[1:], scope)
        if last in arrays.BROADCAST and args:
            return self._broadcast(args, scope, depth) if len(args) > 1 else UNKNOWN
        if args:
            return self._shaped_by(last, args[0], args[1:], node, scope, depth)
        return UNKNOWN

    def _method(self, func: ast.Attribute, node: ast.Call, scope: Scope, depth: int) -> Array:
        last = func.attr
        if any(isinstance(arg, ast.Starred) for arg in node.args):
            return UNKNOWN
        if last in ("item", "numel", "nelement", "dim"):
            return NUMBER
        if last == "size" and node.args:
            return NUMBER
        if last in ("flatten", "ravel") and not node.args and not node.keywords:
            return Array(rank=1, device=self.of(func.value, scope, depth - 1).device)
        if last in ("view", "reshape") and node.args:
            return self._sized(node.args, scope)
        if last in ("new_zeros", "new_ones", "new_empty", "new_full"):
            return self._dressed(self._filled("torch.zeros", last[4:], node, scope), node, scope)
        if last in ("random", "standard_normal", "normal", "uniform", "integers") and not isinstance(
            func.value, ast.Constant
        ):
            size = next((keyword.value for keyword in node.keywords if keyword.arg == "size"), None)
            first = node.args[0] if node.args and last in ("random", "standard_normal") else None
            told = first if size is None else size
            return self._sized([told], scope) if told is not None else UNKNOWN
        return self._shaped_by(last, func.value, node.args, node, scope, depth)

    def _shaped_by(
        self, last: str, of: ast.expr, args: list[ast.expr], node: ast.Call, scope: Scope, depth: int
    ) -> Array:
        """A function or method whose result has the shape of its operand, or fewer axes."""
        if last in arrays.REDUCTIONS:
            return self._reduced(last, self.of(of, scope, depth - 1), args, node)
        inner = self.of(of, scope, depth - 1)
        if last in arrays.SAME_SHAPE or arrays.mutates(last):
            moved = {"cuda": "accelerator", "cpu": "host", "numpy": "host"}.get(last, "")
            order = {"contiguous": ROWS, "ascontiguousarray": ROWS, "copy": ROWS, "asfortranarray": COLUMNS}
            found = Array(inner.rank, inner.sizes, inner.dtype, moved or inner.device, order.get(last, inner.order))
            return self._dressed(found, node, scope)
        if last == "t":
            return self._attribute(ast.Attribute(of, "T", ast.Load()), scope, depth)
        if last in arrays.PERMUTING:
            return Array(inner.rank, (), inner.dtype, inner.device, PERMUTED)
        if last == "unsqueeze" and inner.rank is not None:
            return Array(inner.rank + 1, (), inner.dtype, inner.device)
        return UNKNOWN

    def _reduced(self, last: str, inner: Array, args: list[ast.expr], node: ast.Call) -> Array:
        """The result of a reduction: without an axis a number, else an array with so many axes fewer."""
        axis = next((keyword.value for keyword in node.keywords if keyword.arg in ("dim", "axis")), None)
        keep = any(keyword.arg in ("keepdim", "keepdims") for keyword in node.keywords)
        if axis is None and args and last != "norm":
            axis = args[0]
        if axis is None:
            return NUMBER if not args and not keep else UNKNOWN
        if inner.rank is None or last in arrays.PAIRED or last == "norm":
            return UNKNOWN
        if keep:
            return Array(rank=inner.rank)
        lost = len(axis.elts) if isinstance(axis, (ast.Tuple, ast.List)) else 1
        return Array(rank=inner.rank - lost, device=inner.device) if inner.rank >= lost else UNKNOWN

    def _image(self, node: ast.Call) -> Array:
        """What OpenCV reads: two axes in shades of grey, three in colour."""
        flag = node.args[1] if len(node.args) > 1 else None
        if flag is None:
            return Array(3, (None, None, 3), "uint8", "host", ROWS)
        grey = (isinstance(flag, ast.Attribute) and flag.attr == "IMREAD_GRAYSCALE") or (
            isinstance(flag, ast.Constant) and flag.value == 0
        )
        return Array(rank=2, dtype="uint8", device="host", order=ROWS) if grey else UNKNOWN

    def _filled(self, name: str, last: str, node: ast.Call, scope: Scope) -> Array:
        """A constructor that is told a shape: ``zeros(2, n)``, ``zeros((2, n))``, ``full(shape, value)``."""
        size = next((keyword.value for keyword in node.keywords if keyword.arg in ("size", "shape")), None)
        args = [size] if size is not None else node.args[:1] if last == "full" else node.args
        if last == "normal" and size is None:
            return UNKNOWN
        if name.startswith("numpy.") and last not in ("rand", "randn"):
            args = args[:1]
        return self._sized(args, scope) if args else UNKNOWN

    def _sized(self, args: list[ast.expr], scope: Scope) -> Array:
        """The array that has these sizes, given one by one or as one tuple."""
        if len(args) == 1:
            only = args[0]
            while isinstance(only, ast.Name):
                number = self.module.loads.get(only)
                binding = self.module.bindings[number] if number is not None else None
                if binding is None or binding.kind != Bind.ASSIGN or binding.path or binding.value is None:
                    break
                only = binding.value
            if isinstance(only, (ast.Tuple, ast.List)):
                args = only.elts
            elif self.of(only, scope, 6).rank != 0:
                return UNKNOWN
        if any(isinstance(arg, ast.Starred) for arg in args):
            return UNKNOWN
        return Array(rank=len(args), sizes=tuple(self._literal(arg, scope) for arg in args), order=ROWS)

    def _literal(self, node: ast.expr, scope: Scope) -> int | None:
        term = self.terms.of(node, scope, 6)
        return term.value if isinstance(term, Const) and type(term.value) is int and term.value >= 0 else None

    def _made(self, data: ast.expr, scope: Scope, depth: int) -> Array:
        """An array made of Python data: displays and comprehensions of numbers, or another array."""
        rank = 0
        sizes: list[int | None] = []
        while True:
            match data:
                case ast.List(elts) | ast.Tuple(elts) if elts and not isinstance(elts[0], ast.Starred):
                    sizes.append(None if any(isinstance(part, ast.Starred) for part in elts) else len(elts))
                    data = elts[0]
                case ast.ListComp(elt):
                    sizes.append(None)
                    data = elt
                case _:
                    break
            rank += 1
        inner = self.of(data, scope, depth - 1)
        if inner.rank is None:
            return UNKNOWN
        return Array(rank + inner.rank, (*sizes, *inner.sizes), inner.dtype, inner.device)

    def _dressed(self, found: Array, node: ast.Call, scope: Scope) -> Array:
        """An array with what the keywords of its constructor say of type, device and order."""
        dtype, device, order = found.dtype, found.device, found.order
        for keyword in node.keywords:
            match keyword.arg, keyword.value:
                case "dtype", value:
                    dtype = self._type(value, scope)
                case "device", value:
                    term = self.terms.of(value, scope, 6)
                    text = str(term.value) if isinstance(term, Const) else ""
                    device = (
                        "accelerator" if text.startswith(("cuda", "xpu", "mps")) else "host" if text == "cpu" else ""
                    )
                case "order", ast.Constant("F"):
                    order = COLUMNS
        return Array(found.rank, found.sizes, dtype, device, order)

    def _type(self, node: ast.expr, scope: Scope) -> str:
        """The last component of a type's name; ``object`` for anything that holds Python objects or text."""
        term = self.terms.of(node, scope, 4)
        match term:
            case Name(dotted):
                last = dotted.rpartition(".")[2]
            case Const(str() as text):
                last = text
            case Lit(builtin):
                last = builtin
            case _:
                return ""
        objects = last in ("object", "object_", "str", "str_", "O", "U", "S") or last.startswith(
            ("<U", "|S", "U", "S1")
        )
        return "object" if objects else last
