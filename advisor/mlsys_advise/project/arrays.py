"""Arrays across files: how many axes one has, and whether a function writes into what it is given."""

from __future__ import annotations

from typing import Final

from mlsys_advise.interface import FunctionRecord
from mlsys_advise.library import arrays
from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.properties import Trait
from mlsys_advise.project.values import Head, Locus, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import Call, Const, Elem, Item, Lit, Member, Name, Param, Seq, Term, last_name

_DEPTH: Final = 4


class Arrays:
    """Answers about arrays over a world."""

    def __init__(self, world: World, values: Values) -> None:
        self.world = world
        self.values = values

    # -- ranks

    def rank(self, head: Head) -> int | None:
        """The number of axes of the array that a head makes; None if unknown."""
        match head.term:
            case Const(int() | float()):
                return 0
            case Lit("int" | "float" | "bool"):
                return 0
            case Call(Name(dotted), args):
                target = self.world.resolve(dotted, head.path)
                if target is None or target.what != "library" or not target.name.startswith(arrays.LIBRARIES):
                    return None
                last = target.name.rpartition(".")[2]
                if last in arrays.ONE_AXIS:
                    return 1
                if last in arrays.TWO_AXES:
                    return 2
                return self._sized(args, head.path) if last in arrays.FILLED else None
            case Call(Member(_, "flatten" | "ravel"), ()):
                return 1
            case _:
                return None

    def _sized(self, args: tuple[Term, ...], path: str) -> int | None:
        if len(args) > 1:
            return len(args)
        ranks: set[int | None] = set()
        for head in self.values.heads(args[0], path, 3) if args else ():
            match head.term:
                case Seq(items=items, many=False):
                    ranks.add(len(items))
                case Const(int()) | Lit("int"):
                    ranks.add(1)
                case Call(Name("builtins.len")):
                    ranks.add(1)
                case _:
                    ranks.add(None)
        return ranks.pop() if len(ranks) == 1 else None

    # -- writing into arguments

    def writes_into(self, callee: Term, position: int, keyword: str, path: str, depth: int = _DEPTH) -> Trait:
        """Whether a call writes into one of its arguments, itself or through what it calls."""
        if isinstance(callee, Name):
            target = self.world.resolve(callee.dotted, path)
            if target is not None and target.what == "library":
                return Trait(target.name in arrays.IN_PLACE_FUNCTIONS and position == 0)
        targets, complete = self.values.functions(callee, path, 4)
        if not targets:
            library = complete and self._library(callee, path)
            return (
                Trait(False) if library else Trait(None, (), f"{last_name(callee) or 'a call'} could not be resolved")
            )
        unknown = ""
        for target in targets:
            trait = self._function_writes(target, callee, position, keyword, depth)
            if trait.value:
                return trait
            if trait.value is None:
                unknown = trait.reason
        return Trait(None, (), unknown) if unknown or not complete else Trait(False)

    def _library(self, callee: Term, path: str) -> bool:
        """Whether a callee is a method or an object of a library."""
        if isinstance(callee, Member):
            return bool(self.values.kinds(callee.of, path).known - {"instance"})
        return bool(self.values.kinds(callee, path).known - {"instance"})

    def _function_writes(self, target: Target, callee: Term, position: int, keyword: str, depth: int) -> Trait:
        record = self.world.function(target.path, target.name, "head", "effects", "calls")
        if record is None:
            return Trait(None, (), f"{target.name} could not be read")
        index = self._parameter(record, position, keyword)
        if index is None:
            return Trait(None, (), f"the argument of {target.name} could not be told")
        if index in record.writes:
            locus = Locus(target.path, "definition", target.name)
            return Trait(True, (Cause(locus, f"writes into {record.params[index]}"),))
        if depth <= 0:
            return Trait(None, (), "the calls go too deep")
        own = Param(target.name, index)
        for number, call in enumerate(record.calls):
            given = [*((at, "", term) for at, term in enumerate(call.args))]
            given.extend((-1, name, term) for name, term in call.keywords)
            for at, name, term in given:
                if not _views(term, own):
                    continue
                trait = self.writes_into(call.callee, at, name, target.path, depth - 1)
                if trait.value is not False:
                    here = Cause(Locus(target.path, "call", target.name, number), f"calls {last_name(call.callee)}")
                    return Trait(trait.value, (here, *trait.causes), trait.reason)
        return Trait(False)

    def _parameter(self, record: FunctionRecord, position: int, keyword: str) -> int | None:
        """The number of the parameter that receives an argument; a method's receiver is not among the arguments."""
        if keyword:
            return record.params.index(keyword) if keyword in record.params else None
        index = position + 1 if record.cls and not record.static else position
        return index if index < len(record.params) else None


def _views(term: Term, part: Term) -> bool:
    """Whether a value is another one, or a part of it that shares its memory."""
    while isinstance(term, Item | Elem | Member):
        if term == part:
            return True
        term = term.of
    return term == part
