"""MLS716: bytes that somebody else controls are unpickled."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from mlsys_advise.condition import Affected, Clause, Hot, KindIs, ValueIs, refute, require
from mlsys_advise.heat import SERVING, STEP
from mlsys_advise.here import Here
from mlsys_advise.languages.python.scopes import Bind
from mlsys_advise.rule import Answer, Candidate, rule

#: Functions that unpickle, with the position and the name of what they read.
_SINKS: Final = {
    **{f"{library}.{name}": (0, "file") for library in ("pickle", "cloudpickle", "dill") for name in ("load", "loads")},
    "joblib.load": (0, "filename"),
    "pandas.read_pickle": (0, "filepath_or_buffer"),
    "numpy.load": (0, "file"),
    "torch.load": (0, "f"),
    "shelve.open": (0, "filename"),
    "jsonpickle.decode": (0, "string"),
}
_SOURCES: Final = {
    "request_bytes": "what a request brings",
    "request_data": "what a request brings",
    "upload": "an uploaded file",
    "network_bytes": "bytes from the network",
    "store_bytes": "what others put into a shared store",
    "downloaded_path": "a downloaded file",
    "downloaded_pair": "a downloaded file",
}
_RECEIVES: Final = frozenset({"recv", "recvfrom", "recv_into", "recv_multipart", "recv_string", "makefile"})
_DJANGO: Final = frozenset({"body", "data", "POST", "FILES"})
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_LOCAL: Final = re.compile(r"^(tcp://|https?://)?(127\.|localhost|\[?::1)")
_PICKLES: Final = frozenset({"pickle.dumps", "pickle.dump", "cloudpickle.dumps", "dill.dumps", "joblib.dump"})
#: The last components of whatever unpickles, by which all other calls are passed over.
_METHODS: Final = frozenset({name.rpartition(".")[2] for name in _SINKS} | {"recv_pyobj", "recv"})
_SAYS: Final = "the bytes come from outside"


def _name_the_source(candidate: Candidate, answers: Mapping[str, Answer]) -> Candidate:
    kind = answers[_SAYS].facts.get("kind", "") if _SAYS in answers else ""
    facts = {"source": _SOURCES.get(kind, "what others send")} | candidate.facts
    return msgspec.structs.replace(candidate, facts=facts)


@rule(
    "MLS716",
    severity="error",
    category="security",
    lesson="serialization",
    words=(
        "load",
        "loads",
        "Unpickler",
        "read_pickle",
        "recv_pyobj",
        "jsonpickle",
        "Listener",
    ),
    confirm=_name_the_source,
)
def untrusted_unpickling(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """Unpickling runs a program: whoever controls the bytes runs code in this process."""
    if (isinstance(call.func, ast.Attribute) and call.func.attr not in _METHODS) or here.in_test_file:
        return
    for source, clauses in _evidence(call, here):
        yield here.candidate(
            "MLS716",
            call,
            "`{sink}` unpickles {source}: whoever controls it runs code in this process",
            *clauses,
            facts={"sink": here.text(call.func, 40)} | ({"source": source} if source else {}),
            group=f"{call.lineno}:{call.col_offset}",
        )


class _Evidence(NamedTuple):
    """A source by name, "" where the answer to a clause names it, and the clauses that prove it."""

    source: str
    clauses: tuple[Clause, ...]


def _evidence(call: ast.Call, here: Here) -> Iterator[_Evidence]:
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("recv_pyobj", "recv"):
        yield from _receives_objects(call, call.func, here)
        return
    sink = _sink(call, here)
    if sink is None or _authenticated(call, here):
        return
    data, demands = sink
    for leaf in _leaves(data, here):
        for source, clauses in _outside(leaf, call, here):
            yield _Evidence(source, (*demands, *clauses))


def _sink(call: ast.Call, here: Here) -> tuple[ast.expr, tuple[Clause, ...]] | None:
    """What a call unpickles, and what must hold for it to do so."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "load":
        maker = here.source_of(call.func.value)
        if isinstance(maker, ast.Call) and here.callee(maker) == "pickle.Unpickler" and maker.args:
            return maker.args[0], ()
    name = here.callee(call)
    if name not in _SINKS:
        return None
    position, keyword = _SINKS[name]
    data = here.argument(call, keyword, position)
    if not isinstance(data, ast.expr):
        return None
    demands: tuple[Clause, ...] = ()
    if name == "numpy.load" and not here.is_constant(here.argument(call, "allow_pickle", 2), True):
        return None
    if name == "torch.load":
        restricted = here.argument(call, "weights_only", 3)
        if restricted is None:
            demands = (
                require(Affected("torch", "torch.load", "default"), "the pinned torch unpickles by default"),
                refute(Affected("torch", "torch.load", "feature"), "torch knows weights_only"),
            )
        elif not here.is_constant(restricted, False):
            return None
    return data, demands


def _leaves(data: ast.expr, here: Here) -> Iterator[ast.expr]:
    """Where the bytes come from; for a path, also what the file was filled with."""
    seen: set[ast.expr] = set()
    pending = [data]
    while pending and len(seen) < 60:
        part = pending.pop()
        leaves = [leaf for leaf in here.origins(part) if leaf not in seen]
        seen.update(leaves)
        yield from leaves
        pending.extend(source for path in (part, *leaves) for source in here.stored(path) if source not in seen)


def _outside(leaf: ast.expr, call: ast.Call, here: Here) -> Iterator[_Evidence]:
    """Evidence that a leaf is not the program's own."""
    match leaf:
        case ast.Call(ast.Attribute(receiver, attr)) if attr in _RECEIVES:
            yield from _received(receiver, here)
        case ast.Call() if _at_commit(leaf, here) or _from_here(leaf, here):
            return
        case ast.Attribute(ast.Name() as owner, attr) if _is_parameter(owner, here):
            yield from _field(leaf, owner, attr, here)
            yield from _of_kind(leaf, call, here)
        case ast.Name() if _is_stream(leaf, here):
            yield _Evidence("what a client sends", ())
        case ast.Name() if _unpacks_receive(leaf, here):
            return
        case ast.Call() | ast.Name() | ast.Attribute() | ast.Subscript():
            yield from _of_kind(leaf, call, here)


def _of_kind(leaf: ast.expr, call: ast.Call, here: Here) -> Iterator[_Evidence]:
    kinds = here.kinds(leaf)
    if kinds and kinds.isdisjoint(_SOURCES):
        return
    own_store = _pickles_too(call, here)
    wanted = tuple(kind for kind in _SOURCES if kind != "store_bytes" or not own_store)
    yield _Evidence("", (require(KindIs(here.term(leaf), wanted), _SAYS),))


def _field(leaf: ast.Attribute, owner: ast.Name, attr: str, here: Here) -> Iterator[_Evidence]:
    """A field of the body that a handler is given."""
    scope = here.function(leaf)
    position = scope.parameters.index(owner.id) if owner.id in scope.parameters else -1
    hot = require(Hot(here.owner(leaf), -1, SERVING, STEP), "it handles requests")
    if owner.id == "request" and attr in _DJANGO:
        yield _Evidence("the body of a request", (hot,))
    elif position == 1 and _serves_grpc(leaf, here):
        yield _Evidence("a field of a request", (hot,))
    else:
        yield _Evidence("a field of a request", (require(KindIs(here.term(owner), ("schema",))), hot))


def _serves_grpc(node: ast.AST, here: Here) -> bool:
    cls = here.enclosing_class(node)
    bases = cls.node.bases if cls is not None and isinstance(cls.node, ast.ClassDef) else []
    return any((here.qualified(base) or "").endswith("Servicer") for base in bases)


def _is_parameter(name: ast.Name, here: Here) -> bool:
    binding = here.binding(name)
    return binding is not None and binding.kind == Bind.PARAM


def _is_stream(name: ast.Name, here: Here) -> bool:
    """The reader that asyncio gives to what it runs for each connection of a server on the network."""
    scope = here.function(name)
    if not _is_parameter(name, here) or scope.parameters[:1] != (name.id,):
        return False
    own = scope.qualname.rpartition(".")[2]
    for call in here.calls_of("asyncio.start_server"):
        handler, host = here.argument(call, "client_connected_cb", 0), here.argument(call, "host", 1)
        if isinstance(handler, ast.Name) and handler.id == own and isinstance(host, ast.expr):
            return _is_remote(host, here) is True
    return False


def _unpacks_receive(name: ast.Name, here: Here) -> bool:
    """Whether a name was unpacked from what a socket received: the call itself is the leaf that counts."""
    binding = here.binding(name)
    match binding.value if binding is not None else None:
        case ast.Call(ast.Attribute(attr=attr)) | ast.Await(ast.Call(ast.Attribute(attr=attr))):
            return attr in _RECEIVES
    return any(
        isinstance(leaf, ast.Call) and isinstance(leaf.func, ast.Attribute) and leaf.func.attr in _RECEIVES
        for leaf in here.origins(name)
    )


def _from_here(leaf: ast.Call, here: Here) -> bool:
    """An answer of a server on this machine."""
    if not leaf.args or not here.callee(leaf).startswith(("requests.", "httpx.", "urllib.")):
        return False
    return any(isinstance(value, str) and _LOCAL.match(value) for value in here.constants(leaf.args[0]))


def _at_commit(leaf: ast.Call, here: Here) -> bool:
    """A download from a hub at a full commit hash is always the same file."""
    revision = here.argument(leaf, "revision", None)
    if not isinstance(revision, ast.expr):
        return False
    values = here.constants(revision)
    return bool(values) and all(isinstance(value, str) and _COMMIT.fullmatch(value) for value in values)


def _pickles_too(call: ast.Call, here: Here) -> bool:
    """Whether the same class, or outside of one the same module, pickles: it reads back what it stored."""
    within = here.enclosing_class(call)
    around = within.node if within is not None else here.module.tree
    return any(isinstance(node, ast.Call) and here.callee(node) in _PICKLES for node in ast.walk(around))


def _authenticated(call: ast.Call, here: Here) -> bool:
    """Whether a signature or a digest is compared in the function before the call."""
    for node in ast.walk(here.function(call).node):
        if getattr(node, "lineno", call.lineno) >= call.lineno:
            continue
        match node:
            case ast.Call(ast.Attribute(attr="compare_digest" | "verify" | "check_safety")):
                return True
            case ast.Call() if here.callee(node) == "hmac.compare_digest":
                return True
            case ast.Compare(left, _, [right]) if _is_digest(left) or _is_digest(right):
                return True
    return False


def _is_digest(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr
        in (
            "hexdigest",
            "digest",
        )
    )


# -- sockets


def _receives_objects(call: ast.Call, method: ast.Attribute, here: Here) -> Iterator[_Evidence]:
    """`recv_pyobj` of ZeroMQ and `recv` of a connection that a listener accepted unpickle what arrives."""
    kinds = here.kinds(method.value)
    if method.attr == "recv_pyobj":
        if not kinds or "zmq_socket" in kinds:
            yield from _received(method.value, here)
    elif "mp_connection" in kinds:
        listener = next((leaf for leaf in _chain(method.value, here) if here.callee(leaf).endswith(".Listener")), None)
        if listener is not None and here.argument(listener, "authkey", 3) is None:
            address = here.argument(listener, "address", 0)
            if isinstance(address, ast.expr) and _is_remote(address, here):
                yield _Evidence("what any client sends", ())


def _received(receiver: ast.expr, here: Here) -> Iterator[_Evidence]:
    """Evidence that a socket listens to, or is connected with, another machine, and nobody proves who he is."""
    for socket in _sockets(receiver, here):
        if _has_keys(socket, here):
            return
        for address in _addresses(socket, here):
            remote = _is_remote(address, here)
            if remote:
                yield _Evidence("bytes from the network", ())
            elif remote is None and isinstance(address, ast.Call):
                yield _Evidence("bytes from the network", (require(ValueIs(here.term(address), "remote")),))


def _chain(node: ast.expr, here: Here) -> Iterator[ast.Call]:
    """The calls that made an object, and the objects that their methods belong to."""
    for _ in range(6):
        node = _made(node, here)
        if not isinstance(node, ast.Call):
            return
        yield node
        if not isinstance(node.func, ast.Attribute):
            return
        node = node.func.value


def _made(node: ast.expr, here: Here) -> ast.expr:
    """The expression that a local name was bound to, unpacked or by `with`."""
    for _ in range(4):
        binding = here.binding(node) if isinstance(node, ast.Name) else None
        if binding is None or binding.value is None:
            return node
        node = binding.value
    return node


def _sockets(receiver: ast.expr, here: Here) -> Iterator[ast.expr]:
    """A socket, and the one that accepted it."""
    for _ in range(4):
        yield receiver
        made = _made(receiver, here)
        if not (isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr == "accept"):
            return
        receiver = made.func.value


def _addresses(socket: ast.expr, here: Here) -> Iterator[ast.expr]:
    """What a socket is bound to or connected with, in its function, or for an attribute in its class."""
    made = _made(socket, here)
    if isinstance(made, ast.Call) and here.callee(made) in ("socket.create_server", "socket.create_connection"):
        yield from made.args[:1]
    for node in ast.walk(_around(socket, here)):
        match node:
            case ast.Call(ast.Attribute(other, "bind" | "connect"), [address, *_]) if _same(other, socket):
                yield address


def _has_keys(socket: ast.expr, here: Here) -> bool:
    """Whether CURVE proves who sends."""
    for node in ast.walk(_around(socket, here)):
        if isinstance(node, ast.Attribute) and node.attr.startswith("curve_") and _same(node.value, socket):
            return True
    return False


def _around(socket: ast.expr, here: Here) -> ast.AST:
    cls = here.enclosing_class(socket)
    return cls.node if isinstance(socket, ast.Attribute) and cls is not None else here.function(socket).node


def _same(one: ast.expr, other: ast.expr) -> bool:
    return ast.unparse(one) == ast.unparse(other)


def _is_remote(address: ast.expr, here: Here) -> bool | None:
    """Whether an address leads to another machine; None where nobody can know."""
    host = address.elts[0] if isinstance(address, ast.Tuple) and address.elts else address
    match host:
        case ast.JoinedStr([ast.Constant(str() as text), *_]):
            return text.startswith("tcp://") and not _LOCAL.match(text) if "://" in text else None
    values = here.constants(host)
    known = next((value for value in values if isinstance(value, str)), None)
    if known is None:
        return None
    return not _LOCAL.match(known) and ("://" not in known or known.startswith("tcp://"))
