"""Samples: how many bytes an item of a data set, and a batch of a loader, holds at least.

What a picture weighs is said by whatever cuts or scales it to a size: a transform, wherever it was made, or a call in
the code that makes items. Every figure is a lower bound, and where nothing says how large an item is there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from mlsys_advise.interface import CallRecord
from mlsys_advise.library.pictures import CUTTING, PHOTOS, SCALING, SHAPES, SIZED, Edges
from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.values import Head, Locus, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import Arith, Call, Const, Def, Elem, Item, Map, Member, Name, Self, Seq, Term, Unknown

#: How many objects or calls deep a size is looked for.
_DEPTH: Final = 10
#: How many functions are read for one answer.
_FUNCTIONS: Final = 60
#: What a pixel holds at least: three channels of a byte each, or one channel of a float.
_PIXEL: Final = 3
#: The same if torchvision reads the picture: it gives pictures of PIL, which a loader can batch only as tensors, and
#: these are floats.
_FLOAT: Final = 4
#: Data sets that are made of others: their first argument.
_CONTAINERS: Final = frozenset(
    f"torch.utils.data.{name}" for name in ("Subset", "random_split", "ConcatDataset", "ChainDataset")
)
_MAKE_ITEMS: Final = ("__getitem__", "__iter__", "__next__")


class Area(msgspec.Struct, frozen=True):
    """The pixels of what comes out, at least, and the call that sets them; 0 if it sets a number that is not known."""

    pixels: int
    locus: Locus


class Weight(msgspec.Struct, frozen=True):
    """The bytes of an item, at least, and where that is seen, if it is seen in the project."""

    size: int
    locus: Locus | None = None


class Samples:
    """Questions about the size of items and batches."""

    def __init__(self, world: World, values: Values) -> None:
        self.world = world
        self.values = values
        #: what functions do to pictures, within one question
        self._inside: dict[Target, Area | None] = {}

    def weighs(self, function: str, site: int, samples: int, size: int, path: str) -> Reply:
        """Whether a batch of the loader made at a site holds at least so many samples and bytes."""
        self._inside = {}
        call = self.values.recorded(path, function, site)
        dataset = call.argument("dataset", 0) if call is not None else None
        if call is None or dataset is None:
            return Reply(None, reason="its data set is not known")
        count = self._batch_size(call, path)
        if count is None:
            return Reply(None, reason="its batch size is not known")
        if count < samples:
            return Reply(False, reason=f"its batches hold {count} samples")
        weight = self._item(dataset, path, _DEPTH)
        if weight is None:
            weight = self._collated(call, path)
        if weight is None:
            return Reply(None, reason="what its samples weigh is not known")
        total = count * weight.size
        if total < size:
            return Reply(False, reason=f"its batches hold {shown(total)} at least, which is not enough")
        causes = (Cause(weight.locus, "the size of its samples"),) if weight.locus is not None else ()
        return Reply(True, causes, {"bytes": shown(total)})

    def _batch_size(self, loader: CallRecord, path: str) -> int | None:
        """The least batch size that is configured."""
        term = loader.argument("batch_size", 1)
        sampler = loader.argument("batch_sampler", 4)
        if term is None and sampler is not None:
            for head in self.values.heads(sampler, path):
                made = self.values.made(head)
                size = made.argument("batch_size", 1) if made is not None else None
                return self._number(size, head.path) if size is not None else None
        return self._number(term, path) if term is not None else None if loader.hidden else 1

    def _number(self, term: Term, path: str) -> int | None:
        """The least of the numbers that a value may be: literals, and products of literals."""
        numbers: list[int] = []
        for head in self.values.heads(term, path):
            match head.term:
                case Const(bool()):
                    continue
                case Const(int() as value):
                    numbers.append(value)
                case Arith((left, right), product=True):
                    factors = [self._literal(part, head.path) for part in (left, right)]
                    numbers.extend(a * b for a, b in [factors] if a is not None and b is not None)
        return min(numbers, default=None)

    def _literal(self, term: Term, path: str) -> int | None:
        """The least of the literal numbers that a value may be."""
        values = [head.term.value for head in self.values.heads(term, path) if isinstance(head.term, Const)]
        return min((one for one in values if isinstance(one, int) and not isinstance(one, bool)), default=None)

    # -- items

    def _item(self, dataset: Term, path: str, depth: int) -> Weight | None:
        """The least weight over all data sets that a value may be; None if one of them is of unknown weight."""
        least: Weight | None = None
        for head in self.values.heads(dataset, path):
            if isinstance(head.term, Unknown | Const):
                continue
            weight = self._of_dataset(head, depth)
            if weight is None:
                return None
            least = weight if least is None or weight.size < least.size else least
        return least

    def _of_dataset(self, head: Head, depth: int) -> Weight | None:
        term = head.term
        while isinstance(term, Item | Elem):  # one of what `random_split` returns
            term = term.of
        head = Head(term, head.path)
        if depth <= 0:
            return None
        owner = self.values.instance(head)
        if owner is not None:
            return self._of_class(owner, head, depth)
        made = self.values.made(head)
        if made is None:
            return None
        name = self._library(head)
        if name in _CONTAINERS:
            inner = made.argument("datasets" if "Dataset" in name else "dataset", 0)
            parts = [part for one in self.values.heads(inner, head.path) for part in _parts(one)] if inner else []
            weights = [self._item(part.term, part.path, depth - 1) for part in parts]
            known = [weight for weight in weights if weight is not None]
            return min(known, key=lambda one: one.size) if known and len(known) == len(weights) else None
        return self._of_pictures(name, head, made, depth)

    def _of_pictures(self, name: str, head: Head, made: CallRecord, depth: int) -> Weight | None:
        """The weight of an item of a data set of torchvision, with what its transforms make of the pictures."""
        shape = SHAPES.get(name)
        if shape is None and name not in PHOTOS:
            return None
        area = self._of_arguments(made, head.path, depth)
        if area is None and name in SIZED:
            area = self._sized(made, SIZED[name], self._place(head))
        channels = shape[0] if shape is not None else 1
        if area is not None:
            return Weight(area.pixels * channels * _FLOAT, area.locus) if area.pixels else None
        return Weight(shape[0] * shape[1] * shape[2] * _FLOAT) if shape is not None else None

    def _of_class(self, owner: Target, head: Head, depth: int) -> Weight | None:
        """The weight of an item of a data set of the project."""
        area = least(
            self._in_function(method, depth)
            for method in (self.world.method(owner.path, owner.name, name) for name in _MAKE_ITEMS)
            if method is not None
        )
        if area is not None:
            return Weight(area.pixels * _PIXEL, area.locus) if area.pixels else None
        made = self.values.made(head)
        ancestors, _ = self.world.ancestors(owner.path, owner.name)
        for target in ancestors:
            if made is not None and target.what == "library" and (target.name in SHAPES or target.name in PHOTOS):
                return self._of_pictures(target.name, head, made, depth)
        return self._wrapped(owner, depth)

    def _wrapped(self, owner: Target, depth: int) -> Weight | None:
        """The weight of an item of the data sets that a data set holds."""
        record = self.world.cls(owner.path, owner.name)
        weights: list[Weight] = []
        for _, value, _ in record.attributes if record is not None else ():
            if "dataset" in self.values.kinds(value, owner.path).known:
                weight = self._item(value, owner.path, depth - 2)
                if weight is None:
                    return None
                weights.append(weight)
        return min(weights, key=lambda one: one.size, default=None)

    def _collated(self, loader: CallRecord, path: str) -> Weight | None:
        """The weight of an item that the loader's `collate_fn` makes."""
        collate = loader.argument("collate_fn", 6)
        area = self._area(collate, path, _DEPTH) if collate is not None else None
        return Weight(area.pixels * _PIXEL, area.locus) if area is not None and area.pixels else None

    # -- sizes

    def _area(self, term: Term, path: str, depth: int) -> Area | None:
        """The least size to which what a value may be brings a picture; None if it leaves pictures as they are."""
        if depth <= 0:
            return None
        return least(self._area_of(head, depth) for head in self.values.heads(term, path))

    def _area_of(self, head: Head, depth: int) -> Area | None:
        term = head.term
        match term:
            case Seq(items=items, many=many):
                areas = (self._area(part, head.path, depth - 1) for part in reversed(items))
                return least(areas) if many else next((area for area in areas if area is not None), None)
            case Map(items):
                return least(self._area(part, head.path, depth - 1) for _, part in items)
            case Def() | Member():
                targets, _ = self.values.functions(term, head.path, 3)
                return least(self._in_function(target, depth - 1) for target in targets)
            case Call():
                return self._of_made(head, depth)
            case _:
                return None

    def _of_made(self, head: Head, depth: int) -> Area | None:
        """The size that a transform sets: itself, or the last of those that it was made of."""
        made = self.values.made(head)
        owner = self.values.instance(head)
        if owner is not None:
            return self._of_transform(owner, made, head.path, depth)
        if made is None:
            return None
        edges = SIZED.get(self._library(head))
        if edges is None:
            return self._of_arguments(made, head.path, depth)
        return self._sized(made, edges, self._place(head))

    def _of_transform(self, owner: Target, made: CallRecord | None, path: str, depth: int) -> Area | None:
        """The size that an object of the project sets when it is called."""
        method = self.world.method(owner.path, owner.name, "__call__") or self.world.method(
            owner.path, owner.name, "forward"
        )
        inside = self._in_function(method, depth - 1) if method is not None else None
        if inside is not None:
            return inside
        given = self._of_arguments(made, path, depth) if made is not None else None
        if given is not None:
            return given
        record = self.world.cls(owner.path, owner.name)
        return least(self._area(value, owner.path, depth - 2) for _, value, _ in record.attributes) if record else None

    def _of_arguments(self, made: CallRecord, path: str, depth: int) -> Area | None:
        """The size set by the transforms that a call is given; of several, the last one sets it."""
        parts = [part for name, part in made.keywords if name != "target_transform"]
        for part in (*reversed(parts), *reversed(made.args)):
            area = self._area(part, path, depth - 1)
            if area is not None:
                return area
        return None

    def _in_function(self, target: Target, depth: int) -> Area | None:
        """The least size to which a function, and what it calls, brings pictures."""
        if target in self._inside:
            return self._inside[target]
        record = self.world.function(target.path, target.name, "calls")
        if record is None or depth <= 0 or len(self._inside) >= _FUNCTIONS:
            return None
        self._inside[target] = None
        found = least(
            self._by_call(call, Locus(target.path, "call", target.name, number), depth)
            for number, call in enumerate(record.calls)
        )
        self._inside[target] = found
        return found

    def _by_call(self, call: CallRecord, locus: Locus, depth: int) -> Area | None:
        """The size that a call sets itself, or by what it runs."""
        callee = call.callee
        if isinstance(callee, Name):
            edges = SIZED.get(self.world.lexicon.canonical(callee.dotted))
            if edges is not None:
                return self._sized(call, edges, locus)
            return self._area(callee, locus.path, depth - 1) if call.site < 0 else None
        inside = self._area(callee, locus.path, depth - 1)
        if inside is None and isinstance(callee, Member) and not isinstance(callee.of, Self):
            if callee.name == SCALING:
                return self._sized(call, (("size", 0),), locus)
            if callee.name == CUTTING:
                return self._cut(call, locus)
        return inside

    def _cut(self, call: CallRecord, locus: Locus) -> Area | None:
        """The pixels of a box whose right and bottom are its left and top plus a number; None for any other box."""
        match call.argument("box", 0):
            case Seq("tuple" | "list", (_, _, Arith(right), Arith(bottom))):
                numbers = [[self._number(part, locus.path) for part in parts] for parts in (right, bottom)]
                width, height = (min((one for one in known if one is not None), default=0) for known in numbers)
                return Area(width * height, locus) if width > 0 and height > 0 else None
        return None

    def _sized(self, call: CallRecord, edges: Edges, locus: Locus) -> Area:
        """The pixels that the arguments of a call ask for."""
        whole = call.argument("size", -1)
        given = [call.argument(name, position) for name, position in edges] if whole is None else [whole]
        sides = [side for term in given if term is not None for side in self._sides(term, locus.path)]
        if len(sides) == 1 and len(given) == 1:
            sides *= 2
        return Area(sides[-1] * sides[-2] if len(sides) > 1 else 0, locus)

    def _sides(self, term: Term, path: str) -> tuple[int, ...]:
        """The numbers in a size; none if one of them is not known."""
        for head in self.values.heads(term, path):
            if isinstance(head.term, Seq) and not head.term.many:
                numbers = [self._number(part, head.path) for part in head.term.items]
                return tuple(number for number in numbers if number is not None) if None not in numbers else ()
        number = self._number(term, path)
        return (number,) if number is not None else ()

    # -- names and places

    def _library(self, head: Head) -> str:
        """The canonical name of the library function or class whose call made the value of a head."""
        callee = head.term.callee if isinstance(head.term, Call) else None
        target = self.world.resolve(callee.dotted, head.path) if isinstance(callee, Name) else None
        return target.name if target is not None and target.what == "library" else ""

    def _place(self, head: Head) -> Locus:
        """Where the call stands that made the value of a head."""
        assert isinstance(head.term, Call)
        function, site = head.term.function, head.term.site
        record = self.world.function(head.path, function, "calls")
        calls = record.calls if record is not None else ()
        return Locus(head.path, "call", function, next(n for n, call in enumerate(calls) if call.site == site))


def least(areas: Iterable[Area | None]) -> Area | None:
    """The smallest of several sizes, of those that there are."""
    return min((area for area in areas if area is not None), key=lambda one: one.pixels, default=None)


def shown(size: int) -> str:
    """A number of bytes as messages print it: rounded down, for it is a lower bound."""
    return f"{size // 1_000_000} MB" if size >= 1_000_000 else f"{size // 1_000} kB"


def _parts(head: Head) -> Iterator[Head]:
    """The members of a list of data sets, or the value itself."""
    if isinstance(head.term, Seq):
        yield from (Head(part, head.path) for part in head.term.items)
    else:
        yield head
