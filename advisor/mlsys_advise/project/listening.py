"""Where servers listen: on the network, or on a socket in the file system that one process beside them opens.

Invariant: *yes* needs a local address for every server that runs the file, none that is seen to be another, and no
framework whose address is given where it is started.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mlsys_advise.project.reply import Reply
from mlsys_advise.project.scopes import Programs
from mlsys_advise.project.values import STEPS, Values
from mlsys_advise.project.world import World
from mlsys_advise.term import Arith, Call, Const, Either, Elem, Item, Member, Seq, Term

#: Methods of gRPC servers that open a port.
_PORTS: Final = ("add_insecure_port", "add_secure_port")
#: Packages of servers that are told elsewhere where to listen.
_FRAMEWORKS: Final = frozenset(
    "fastapi starlette aiohttp sanic quart litestar ray bentoml kserve chainlit gradio uvicorn hypercorn flask "
    "tornado".split()
)
_LOCAL: Final = ("unix:", "unix-abstract:")
_MOST_PARTS: Final = 40


class Listening:
    """Answers about servers over a world."""

    def __init__(self, world: World, values: Values, programs: Programs) -> None:
        self.world = world
        self.values = values
        self.programs = programs

    def locally(self, path: str) -> Reply:
        """Whether all servers that run a file listen on local sockets alone."""
        found = False
        for name in _PORTS:
            for file in self.world.table("call", name):
                started = self.programs.started(file)
                if path not in started:
                    continue
                modules = {module.partition(".")[0] for imported in started.values() for module in imported}
                if modules & _FRAMEWORKS or not self._only_local(file, name):
                    return Reply(False)
                found = True
        return Reply(found, reason="it listens on a local socket alone" if found else "")

    def _only_local(self, file: str, name: str) -> bool:
        for _, _, call in self.world.calls_named(file, name):
            address = call.argument("address", 0)
            starts = list(self._starts(address, file)) if address is not None else []
            if not starts or not all(start.startswith(_LOCAL) for start in starts):
                return False
        return True

    def _starts(self, term: Term, path: str) -> Iterator[str]:
        """How the strings begin that a term may be, as far as that can be told."""
        pending = [(head.term, head.path) for head in self.values.heads(term, path, STEPS)]
        for _ in range(_MOST_PARTS):
            if not pending:
                return
            part, file = pending.pop()
            match part:
                case Const(str() as text):
                    yield text
                case Arith((first, *_)) | Call(Member(first, "format")):
                    pending.append((first, file))
                case Either(options):
                    pending.extend((option, file) for option in options)
                case Item(Seq(_, items)) | Elem(Seq(_, items)):
                    pending.extend((item, file) for item in items)
                case _:
                    pass
