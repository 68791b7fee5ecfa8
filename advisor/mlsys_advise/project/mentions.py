"""Whether anything runs a function: calls of it, mentions of its name, and frameworks that call it by its name.

Invariant: *unused* needs a complete search of the project; a call by its name whose receiver is not known is a use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mlsys_advise.interface import BODY, FunctionRecord
from mlsys_advise.project.hotness import Hotness
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.values import COMMON_NAME, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import Call, Def, Member, Name, Term, children, last_name

#: Decorators that change how a function is called and give it to nobody.
_PLAIN: Final = frozenset({"classmethod", "staticmethod", "no_grad", "inference_mode", "wraps", "lru_cache", "cache"})
#: Library classes whose subclasses are not called by names of their own.
_NEUTRAL: Final = frozenset({"torch.nn.Module", "builtins.object", "abc.ABC", "torch.utils.data.Dataset"})
_USED: Final = Reply(False)


class Mentions:
    """Answers about uses of functions over a world."""

    def __init__(self, world: World, values: Values, hotness: Hotness) -> None:
        self.world = world
        self.values = values
        self.hotness = hotness

    def unused(self, function: str, path: str) -> Reply:
        """Whether nothing in the project runs a function of a file."""
        record = self.world.function(path, function, "head")
        name = function.rpartition(".")[2].partition("#")[0]
        if record is None or function == BODY or record.kind != "function" or name.startswith("__"):
            return _USED
        target = Target("function", path, function)
        if any(last_name(decorator.callee) not in _PLAIN for decorator in record.decorators):
            return _USED
        if self.values.callers(path, function) != () or self.hotness.roots(target):
            return _USED
        if self._is_hook(record, path) or self._mentioned(target, name) or self._perhaps_called(name):
            return _USED
        return Reply(True, reason=f"nothing calls {function}")

    def _is_hook(self, record: FunctionRecord, path: str) -> bool:
        """Whether a method may be one that a library calls: its class inherits from one that does such things."""
        if not record.cls:
            return False
        ancestors, complete = self.world.ancestors(path, record.cls)
        return not complete or any(one.what == "library" and one.name not in _NEUTRAL for one in ancestors)

    def _mentioned(self, target: Target, name: str) -> bool:
        """Whether some file speaks of the function without calling it there, or of something that may be it."""
        files = self.world.table("refer", name)
        return len(files) > COMMON_NAME or any(
            self._is(term, file, target) for file in files for term in self._terms(file) if last_name(term) == name
        )

    def _is(self, term: Term, path: str, target: Target) -> bool:
        if isinstance(term, Name | Def):
            return self.world.denotes(term, path) == target
        found, complete = self.values.functions(term, path, 3)
        return target in found or not complete

    def _terms(self, path: str) -> Iterator[Term]:
        """The terms in which a file speaks of values, with their parts, less what is called in them."""
        interface = self.world.interface(path)
        if interface is None:
            return
        stack: list[Term] = list(interface.variables.values())
        for cls in interface.classes.values():
            stack.extend(value for _, value, _ in cls.attributes)
        for record in interface.functions.values():
            stack.extend((*record.returns, *(loop.iterated for loop in record.loops)))
            stack.extend(value for _, _, value in record.stores)
            for call in (*record.calls, *record.decorators):
                stack.extend((*call.args, *(term for _, term in call.keywords)))
        while stack:
            term = stack.pop()
            if isinstance(term, Call):
                stack.extend(term.args)
                if isinstance(term.callee, Member):
                    stack.append(term.callee.of)
            else:
                yield term
                stack.extend(children(term))

    def _perhaps_called(self, name: str) -> bool:
        for file in self.world.table("call", name):
            for _, _, call in self.world.calls_named(file, name):
                if isinstance(call.callee, Member) and not self.values.functions(call.callee, file, 3)[1]:
                    return True
        return False
