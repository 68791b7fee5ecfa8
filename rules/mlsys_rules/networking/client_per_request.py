"""MLS514: a network client is built for every request, message or row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import AnyOf, Hot, require
from mlsys_advise.finding import Severity
from mlsys_advise.heat import ITEM, SERVING, SETUP, STEP, WORK
from mlsys_advise.here import Here, Hidden
from mlsys_advise.languages.python.scopes import Region
from mlsys_advise.library.kinds import CONSTRUCTORS
from mlsys_advise.rule import Candidate, rule

#: Kinds of clients that own connections, with what their set-up costs besides handshakes.
_CLIENTS: Final = {
    "http_client": "a CA bundle is parsed, TCP and TLS handshakes are made",
    "async_http_client": "a connection pool is made, TCP and TLS handshakes follow",
    "requests_session": "TCP and TLS handshakes are made",
    "sdk_client": "a CA bundle is parsed, TCP and TLS handshakes are made",
    "async_sdk_client": "a CA bundle is parsed, TCP and TLS handshakes are made",
    "channel": "TCP and HTTP/2 handshakes are made",
    "async_channel": "TCP and HTTP/2 handshakes are made",
    "triton_client": "connections are made",
    "async_triton_client": "connections are made",
    "vector_client": "connections are made",
    "async_vector_client": "connections are made",
    "db_client": "connections are made",
    "async_db_client": "connections are made",
    "cloud_client": "service descriptions are parsed, TCP and TLS handshakes are made",
}
#: Arguments by which a client borrows connections.
_BORROWED: Final = ("transport", "connector", "connection_pool", "http_client", "mounts")
#: Arguments that may differ from request to request.
_TARGETS: Final = re.compile(
    r"key|token|url|proxy|proxies|host|target|endpoint|credential|auth|header|tenant|region|uri|dsn"
)
_LOCAL: Final = re.compile(r"^(\w+://)?(localhost|127\.|\[::1\])")
#: Functions that ask now and then whether somebody is there.
_PROBES: Final = re.compile(r"health|ping|probe|is_available|is_alive|liveness|readiness|check_connection")
#: Tests under which a call is made once, or only after something went wrong.
_ONCE: Final = Region.LAZY | Region.FIRST | Region.EVERY_K | Region.DEAD | Region.EXCEPT
#: Packages of pages on which a person's click is the unit of work.
_CLICKED: Final = ("streamlit", "gradio")


@rule(
    "MLS514",
    severity="warning",
    category="performance",
    lesson="http3-quic",
    evidence="client-setup",
    optin=True,
    words=tuple(sorted({dotted.rpartition(".")[2] for dotted, kind in CONSTRUCTORS.items() if kind in _CLIENTS})),
)
def client_per_request(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """A new client shares no connection: every call pays for handshakes and certificates before its first byte."""
    kind = here.made(call)
    if kind not in _CLIENTS or here.in_test_file or here.region(call) & _ONCE:
        return
    if _PROBES.search(here.function(call).qualname.lower()) or _PROBES.search(here.path.rpartition("/")[2].lower()):
        return
    if here.imports(*_CLICKED) or _is_kept(call, here) or _borrows(call, here) or _polls(call, here):
        return
    plain = not _talks_tls(call, here)
    if kind == "requests_session" and plain:
        return
    place = here.number(call)
    often = (
        Hot(*place, WORK & ~SERVING, STEP, _ONCE | Region.CONDITIONAL),
        Hot(*place, SETUP, ITEM, _ONCE | Region.CONDITIONAL),
    )
    # beside the work of a request, the plain connection of a client that parses no certificates is nothing
    light = plain and (here.qualified(call.func) or "").startswith("aiohttp.")
    hot = AnyOf(often if light else (Hot(*place, SERVING, STEP, _ONCE), *often))
    yield here.candidate(
        "MLS514",
        call,
        "{client} is built for every {unit}: {cost} each time, and no connection is used twice; "
        "build it once, at start-up",
        require(hot, "it runs for every unit of work"),
        facts={"client": here.text(call.func), "cost": _CLIENTS[kind]},
        severity=_severity(call, here),
    )


def _is_kept(call: ast.Call, here: Here) -> bool:
    """Whether the client goes into a table or list, from which later calls can take it."""
    for around in here.ancestors(call):
        match around:
            case ast.Assign(targets):
                return any(isinstance(target, ast.Subscript) for target in targets)
            case ast.Call(ast.Attribute(attr="append" | "add" | "setdefault" | "put")):
                return True
            case ast.stmt():
                return False
    return False


def _borrows(call: ast.Call, here: Here) -> bool:
    """Whether the connections are somebody else's, or there are none."""
    for name in _BORROWED:
        given = here.argument(call, name, None)
        if given is None or isinstance(given, Hidden):
            continue
        source = here.source_of(given)
        if isinstance(source, ast.Call) and here.argument(source, "resolver", None) is not None:
            return True  # names are resolved for this request alone
        if not isinstance(source, ast.Call) or (here.qualified(source.func) or "").endswith(
            ("ASGITransport", "WSGITransport")
        ):
            return True
        if here.function(source) is not here.function(call):
            return True
    return False


def _polls(call: ast.Call, here: Here) -> bool:
    """Whether the loop around waits for something: it sleeps between tries."""
    return any(
        isinstance(other.func, ast.Attribute | ast.Name) and here.text(other.func).endswith("sleep")
        for loop in here.loops(call)
        for other in here.calls(loop.node)
    )


def _talks_tls(call: ast.Call, here: Here) -> bool:
    return any(text.startswith("https://") and not _LOCAL.match(text) for text in _texts(here.function(call).node))


def _texts(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _severity(call: ast.Call, here: Here) -> Severity | None:
    """A hint where the client depends on the request, or where only a handshake on the same machine is lost."""
    parameters = set(here.function(call).parameters)
    for keyword in call.keywords:
        if keyword.arg is not None and _TARGETS.search(keyword.arg) and _names(keyword.value) & parameters:
            return "info"
    if any(_names(arg) & parameters - {"self"} for arg in call.args[:1]):
        return "info"
    trusts = here.argument(call, "verify", None)
    local = any(_LOCAL.match(text) for text in _texts(call))
    cheap = isinstance(trusts, ast.Name | ast.Attribute) or here.made(call) in ("channel", "async_channel")
    return "info" if local and cheap else None


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} - {"self"}
