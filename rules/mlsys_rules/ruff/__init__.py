"""Rules of ruff's that illustrate lessons of ours and that ruff finds well, with the heat that makes them matter.

A rule that is not opt-in has been judged: at least ten findings read, 95% of them right (``docs/ruff.md``).
"""

from __future__ import annotations

from mlsys_advise.heat import DECODING, SERVING, STEP
from mlsys_advise.rule import Rule, peer

_REQUESTS = (SERVING | DECODING, STEP)

PEERS: tuple[Rule, ...] = (
    peer(
        "ASYNC210",
        "blocking-http-call-in-async-function",
        "The event loop is one thread: while it waits for another server's answer, no other request moves.",
        package=__name__,
        severity="warning",
        category="performance",
        lesson="processes-threads",
        heat=_REQUESTS,
        optin=True,
    ),
    peer(
        "ASYNC221",
        "run-process-in-async-function",
        "The event loop is one thread: while it waits for a child process, no other request moves.",
        package=__name__,
        severity="warning",
        category="performance",
        lesson="processes-threads",
        heat=_REQUESTS,
        optin=True,
    ),
    peer(
        "ASYNC251",
        "blocking-sleep-in-async-function",
        "The event loop is one thread: while it sleeps, no request, stream or health check moves.",
        package=__name__,
        severity="warning",
        category="performance",
        lesson="processes-threads",
        heat=_REQUESTS,
        optin=True,
    ),
    peer(
        "S113",
        "request-without-timeout",
        "`requests` waits for ever by default: a peer that does not answer takes the worker that asked with it.",
        package=__name__,
        severity="warning",
        category="reliability",
        lesson="tcp-ip",
        heat=_REQUESTS,
        optin=True,
    ),
)
