"""A client that lives for one request reads the certificate store, opens a connection and throws both away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mlsys_calibration.benchmark import Benchmark, Twins


def _serve(size: int) -> tuple[str, Callable[[], object]]:
    """A server on a free port of the loopback interface that answers ``size`` bytes; its address, how to stop it."""
    body = b"x" * size

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/", server.shutdown


def prepare(size: int) -> Twins:
    import httpx

    address, stop = _serve(size)
    shared = httpx.Client()

    def client_per_request() -> int:
        with httpx.Client() as client:
            return len(client.get(address).content)

    def shared_client() -> int:
        return len(shared.get(address).content)

    def close() -> None:
        shared.close()
        stop()

    return Twins(slow=client_per_request, fast=shared_client, close=close)


def prepare_requests(size: int) -> Twins:
    import requests

    address, stop = _serve(size)
    shared = requests.Session()

    def close() -> None:
        shared.close()
        stop()

    return Twins(
        slow=lambda: len(requests.get(address, timeout=5).content),
        fast=lambda: len(shared.get(address, timeout=5).content),
        close=close,
    )


BENCHMARK = Benchmark(
    id="client-setup",
    summary="one request to a server on this machine through a new httpx.Client, and through a shared one",
    prepare=prepare,
    axis="bytes of the answer",
    sizes=(100, 65_536),
    quick=(100, 65_536),
    typical=100,
    per="request",
    needs=("httpx",),
)
WITH_REQUESTS = Benchmark(
    id="client-setup-requests",
    summary="one request to a server on this machine through requests.get, and through a shared Session",
    prepare=prepare_requests,
    axis="bytes of the answer",
    sizes=(100, 65_536),
    quick=(100, 65_536),
    typical=100,
    per="request",
    needs=("requests",),
)
