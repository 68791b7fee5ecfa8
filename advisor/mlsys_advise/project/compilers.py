"""Compiled code: whether a function runs under a compiler or tracer, wherever in the project it is given to one."""

from __future__ import annotations

from typing import Final

from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.loaders import Loaders
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.values import Caller, Locus, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import Call, Name, Term

#: How many callers up a compiler may be.
_CALLERS: Final = 3
_COMPILERS: Final = frozenset(
    {
        "torch.compile",
        "torch.jit.script",
        "torch.jit.trace",
        "torch._dynamo.optimize",
        "jax.jit",
        "jax.pmap",
        "jax.vmap",
        "tensorflow.function",
        "triton.jit",
        "triton.autotune",
        "cython.cfunc",
        "cython.ccall",
        "flax.nn.jit",
        "equinox.filter_jit",
    }
)
#: The last components of the names of those that are called with what they compile.
_NAMES: Final = ("compile", "script", "trace", "optimize", "jit", "pmap", "vmap", "njit", "vectorize", "filter_jit")


class Compilers:
    """Answers about compilers over a world."""

    def __init__(self, world: World, values: Values, loaders: Loaders) -> None:
        self.world = world
        self.values = values
        self.loaders = loaders
        self._compilations: dict[tuple[str, str], tuple[list[Caller], int]] = {}

    def traced(self, function: str, path: str, callers: int = _CALLERS) -> Reply:
        """Whether a function runs under a compiler: decorated, handed to one, or called by what is compiled.

        Callers are followed through ``callers`` calls; with 0 only the function itself is looked at.
        """
        seen: set[Target] = set()
        frontier = [(Target("function", path, function), callers)]
        for target, depth in frontier:
            if target in seen:
                continue
            seen.add(target)
            record = self.world.function(target.path, target.name, "head")
            if record is None:
                continue
            for decorator in record.decorators:
                if self._compiles(decorator.callee, target.path):
                    here = Locus(target.path, "definition", target.name)
                    return Reply(True, (Cause(here, "compiled by its decorator"),))
            cause = self._handed_over(target, record.cls)
            if cause is not None:
                return Reply(True, (cause,))
            if depth > 0:
                frontier.extend(
                    (Target("function", caller.path, caller.function), depth - 1)
                    for caller in self.values.callers(target.path, target.name) or ()
                    if caller.function
                )
        return Reply(False)

    def _compiles(self, callee: Term, path: str) -> bool:
        target = self.world.denotes(callee, path)
        return target is not None and target.what == "library" and compiler(target.name)

    def _handed_over(self, target: Target, cls: str) -> Cause | None:
        """Where a function, or for ``forward`` its module, is given to a compiler."""
        whole = [Target("class", target.path, cls)] if cls and target.name.endswith(".forward") else []
        for last in _NAMES:
            for file in self.world.table("call", last):
                for caller in self.compilations(file, last):
                    here = Locus(caller.path, "call", caller.function, caller.number)
                    for argument in caller.record.args[:1]:
                        if target in self.values.functions(argument, file, 3)[0]:
                            return Cause(here, f"given to {last}")
                        if whole and self.loaders.holds(argument, file, whole)[0]:
                            return Cause(here, f"its module is given to {last}")
        return None

    def compilations(self, path: str, last: str) -> list[Caller]:
        """The calls in a file that give something to a compiler of this name: `jit(f)` and `jit(option=..)(f)`."""
        known = self._compilations.get((path, last))
        if known is None:
            with self.world.recording() as reads:
                found = self._find_compilations(path, last)
            known = self._compilations[path, last] = (found, reads.node)
        else:
            self.world.depend(known[1])
        return known[0]

    def _find_compilations(self, path: str, last: str) -> list[Caller]:
        found: list[Caller] = []
        for function, number, call in self.world.calls_named(path, last):
            callee = call.callee.callee if isinstance(call.callee, Call) else call.callee
            if isinstance(callee, Name) and self._compiles(callee, path):
                found.append(Caller(path, function, number, call))
        return found


def compiler(dotted: str) -> bool:
    """Whether a library name compiles or traces what it is given."""
    return dotted in _COMPILERS or dotted.startswith(("numba.", "triton.jit", "taichi.", "warp."))
