"""Files that programs name: which path an expression may mean, who sets it, and which code writes a file of that name.

Invariant: files are told by the last component of their path, which code that writes and code that reads share more
often than the folder; a name that cannot be told equals none.
"""

from __future__ import annotations

import posixpath
from typing import Final

from mlsys_advise.interface import CallRecord
from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.values import Locus, Values
from mlsys_advise.project.world import World
from mlsys_advise.term import Arith, Call, Const, Either, Item, Member, Name, Param, Self, Term, Var, last_name

#: Functions that write a file, with the position of the path or of the opened file.
WRITERS: Final = {
    "torch.save": 1,
    "pickle.dump": 1,
    "joblib.dump": 1,
    "dill.dump": 1,
    "cloudpickle.dump": 1,
}
_STEPS: Final = 4


class Files:
    """Answers about files over a world."""

    def __init__(self, world: World, values: Values) -> None:
        self.world = world
        self.values = values

    def written(self, term: Term, writers: tuple[str, ...], path: str) -> Reply:
        """Whether some call of a writer in the project writes a file of the name that a path may have."""
        names = self.names(term, path)
        if not names:
            return Reply(False, reason="its name is not known")
        for writer in writers:
            for file in self.world.table("construct", writer):
                for caller in self.values.calls_named(file, last_name(Name(writer))):
                    target = caller.record.argument("f", WRITERS.get(writer, 1))
                    if target is not None and names & self.names(target, file):
                        here = Locus(file, "call", caller.function, caller.number)
                        return Reply(True, (Cause(here, "written here"),))
        return Reply(False)

    def names(self, term: Term, path: str, steps: int = _STEPS) -> frozenset[str]:
        """The last components of the paths that a term may be, as far as they are literal."""
        if steps <= 0:
            return frozenset()
        match term:
            case Call(Name(dotted), args) if args and self._of_path(dotted, path):
                return self.names(args[0 if dotted.endswith("open") else -1], path, steps)
            case Arith(operands) if operands:
                last = operands[-1]
                return self.names(last, path, steps) if isinstance(last, Const) else frozenset()
            case Call(Member(of, "open" | "resolve" | "absolute" | "as_posix")):
                return self.names(of, path, steps)
            case Call(Member(_, "joinpath"), args) if args:
                return self.names(args[-1], path, steps)
            case Either(options):
                return frozenset().union(*(self.names(option, path, steps) for option in options))
            case Param(function, index):
                found: frozenset[str] = frozenset()
                record = self.world.function(path, function, "head")
                for caller in self.values.callers(path, function) or ():
                    given = caller.argument(record.params[index], index, record) if record is not None else None
                    if given is not None:
                        found |= self.names(given, caller.path, steps - 1)
                if record is not None and index < len(record.defaults) and (default := record.defaults[index]):
                    found |= self.names(default, path, steps - 1)
                return found
        if isinstance(term, Call) and last_name(term.callee) == "getenv":
            return self.names(term.args[1], path, steps) if len(term.args) > 1 else frozenset()
        heads, _ = self.values.constants(term, path)
        texts = [head.term.value for head in heads if isinstance(head.term, Const)]
        names = {posixpath.basename(text.replace("\\", "/")) for text in texts if isinstance(text, str)}
        return frozenset(names - {""})

    def _of_path(self, dotted: str, path: str) -> bool:
        target = self.world.resolve(dotted, path)
        return target is not None and target.name in ("builtins.open", "os.path.join", "pathlib.Path")

    def set_outside(self, term: Term, path: str, steps: int = _STEPS) -> Reply:
        """Whether a path comes from the command line, the environment or the settings of a program."""
        no = Reply(None, reason="who sets its path is not known")
        if steps <= 0:
            return no
        match term:
            case Either(options):
                return next((one for one in (self.set_outside(o, path, steps) for o in options) if one.value), no)
            case Call(Name(dotted), args) if self._of_path(dotted, path):
                return next((one for one in (self.set_outside(a, path, steps) for a in args) if one.value), no)
            case Name("sys.argv") | Item(Name("sys.argv")):
                return Reply(True, (), {"setting": "the command line"})
            case Name("os.environ") | Item(Name("os.environ")) | Call(Name("os.getenv")):
                return Reply(True, (), {"setting": "the environment"})
            case Var(name):
                value = self.world.variable(path, name)
                return self.set_outside(value, path, steps - 1) if value is not None else no
            case Param(function, index):
                return self._given(path, function, index, steps)
            case Member(Self(cls), name):
                record = self.world.cls(path, cls)
                values = [value for attribute, value, _ in record.attributes if attribute == name] if record else []
                return next((one for one in (self.set_outside(v, path, steps - 1) for v in values) if one.value), no)
            case Member(of, name):
                if any(self.values.is_options(head) for head in self.values.heads(of, path)):
                    return Reply(True, (), {"setting": f"the option {name}"})
        return no

    def _given(self, path: str, function: str, index: int, steps: int) -> Reply:
        record = self.world.function(path, function, "head")
        if record is None or index >= len(record.params):
            return Reply(None)
        if any(self._is_command(decorator, path) for decorator in record.decorators):
            return Reply(True, (), {"setting": f"the option {record.params[index]}"})
        for caller in self.values.callers(path, function) or ():
            given = caller.argument(record.params[index], index, record)
            if given is None and caller.record.hidden:
                if caller.path in self.world.table("option", record.params[index]):  # main(**vars(args))
                    return Reply(True, (), {"setting": f"the option {record.params[index]}"})
            reply = self.set_outside(given, caller.path, steps - 1) if given is not None else None
            if reply is not None and reply.value:
                here = Locus(caller.path, "call", caller.function, caller.number)
                return Reply(True, (Cause(here, "the path is given here"), *reply.causes), reply.facts)
        return Reply(None, reason="no caller is seen to give it a path from outside")

    def _is_command(self, decorator: CallRecord, path: str) -> bool:
        target = self.world.denotes(decorator.callee, path)
        if target is not None and target.what == "library":
            return target.name.startswith(("click.", "typer."))
        return isinstance(decorator.callee, Member) and decorator.callee.name == "command"
