"""Heat in servers: who runs for each request, whatever stands between the framework and the function."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsys_advise.heat import ITEM, ONCE, SERVING, SETUP, STEP
from mlsys_advise.languages.python.scopes import Region
from mlsys_advise.project.answers import Answers
from mlsys_advise.project.world import Target
from tests.project.worlds import answers

_SERVERS = {
    "FastAPI": """
        from fastapi import FastAPI
        from work import work
        app = FastAPI()
        @app.post("/x")
        async def handler(x): return work(x)
    """,
    "router": """
        from fastapi import APIRouter
        from work import work
        router = APIRouter()
        @router.websocket("/x")
        async def handler(x): return work(x)
    """,
    "route table": """
        from starlette.applications import Starlette
        from starlette.routing import Route
        from work import work
        async def handler(request): return work(request)
        app = Starlette(routes=[Route("/x", handler)])
    """,
    "dependency": """
        from fastapi import Depends, FastAPI
        from work import work
        app = FastAPI()
        def given(): return work(1)
        @app.get("/x")
        def handler(x=Depends(given)): return x
    """,
    "middleware": """
        from starlette.middleware.base import BaseHTTPMiddleware
        from work import work
        class Between(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next): return work(request)
    """,
    "background task": """
        from fastapi import BackgroundTasks, FastAPI
        from work import work
        app = FastAPI()
        @app.get("/x")
        def handler(tasks: BackgroundTasks): tasks.add_task(work, 1)
    """,
    "Flask": """
        from flask import Flask
        from work import work
        app = Flask(__name__)
        @app.route("/x")
        def handler(): return work(1)
    """,
    "aiohttp": """
        from aiohttp import web
        from work import work
        async def handler(request): return work(request)
        app = web.Application()
        app.router.add_post("/x", handler)
    """,
    "gRPC": """
        import x_pb2_grpc
        from work import work
        class Service(x_pb2_grpc.XServicer):
            def Get(self, request, context): return work(request)
    """,
    "Ray Serve": """
        from ray import serve
        from work import work
        @serve.deployment
        class Model:
            async def __call__(self, request): return work(request)
    """,
    "BentoML": """
        import bentoml
        from work import work
        @bentoml.service
        class Model:
            @bentoml.api
            def predict(self, x): return work(x)
    """,
    "Gradio": """
        import gradio as gr
        from work import work
        def handler(x): return work(x)
        gr.Interface(fn=handler, inputs="text", outputs="text").launch()
    """,
    "Celery": """
        from celery import Celery
        from work import work
        queue = Celery("x")
        @queue.task
        def handler(x): return work(x)
    """,
    "Kafka": """
        from kafka import KafkaConsumer
        from work import work
        def consume():
            for message in KafkaConsumer("x"):
                work(message)
    """,
    "MCP": """
        from mcp.server.fastmcp import FastMCP
        from work import work
        server = FastMCP("x")
        @server.tool()
        def handler(x): return work(x)
    """,
    "Triton": """
        from work import work
        class TritonPythonModel:
            def execute(self, requests): return work(requests)
    """,
}
_STARTS = {
    "module": "from work import work\nwork(1)\n",
    "event": """
        from fastapi import FastAPI
        from work import work
        app = FastAPI()
        @app.on_event("startup")
        def start(): work(1)
    """,
    "lifespan": """
        from contextlib import asynccontextmanager
        from fastapi import FastAPI
        from work import work
        @asynccontextmanager
        async def lifespan(app):
            work(1)
            yield
        app = FastAPI(lifespan=lifespan)
    """,
    "kept": """
        from functools import lru_cache
        from fastapi import FastAPI
        from work import work
        app = FastAPI()
        @lru_cache
        def made(): return work(1)
        @app.get("/x")
        def handler(): return made()
    """,
}
_WORK = "def work(x):\n    return x\n"


def heat(files: dict[str, str], unless: int = 0) -> Answers:
    return answers({"work.py": _WORK, **files})


def work(project: Answers, path: str = "work.py", unless: int = 0) -> list[tuple[int, int]]:
    return [(int(c), int(f)) for c, f in project.hotness.function(Target("function", path, "work"), unless).pairs()]


@pytest.mark.parametrize("name", _SERVERS)
def test_a_function_of_another_file_runs_for_each_request(name: str) -> None:
    assert (SERVING, STEP) in work(heat({"server.py": _SERVERS[name]}))


@pytest.mark.parametrize("name", _STARTS)
def test_what_runs_when_the_server_starts_is_set_up(name: str) -> None:
    assert work(heat({"server.py": _STARTS[name]})) == [(SETUP, ONCE)]


def test_a_function_that_nobody_calls_is_unknown() -> None:
    assert work(heat({})) == []


@given(
    server=st.sampled_from(sorted(_SERVERS)),
    steps=st.lists(st.sampled_from(["call", "method", "lambda", "keyword", "generator"]), max_size=4),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_heat_arrives_through_any_chain_of_helpers_in_files_of_their_own(server: str, steps: list[str]) -> None:
    files = {"server.py": _SERVERS[server]}
    names = ["work.py", *(f"work{number}.py" for number in range(len(steps)))]
    for number, step in enumerate(steps):
        files[names[number]] = _link(step, f"work{number}")
    files[names[-1]] = _WORK
    last = names[-1]
    project = answers(files)
    assert (SERVING, STEP) in work(project, last), project.hotness.edges(Target("function", last, "work"))


def _link(step: str, following: str) -> str:
    """A module whose function ``work`` calls the one of the same name in another module."""
    body = {
        "call": "def work(x):\n    return inner(x)\n",
        "method": "class K:\n    def go(self, x):\n        return inner(x)\n\ndef work(x):\n    return K().go(x)\n",
        "lambda": "def work(x):\n    f = lambda y: inner(y)\n    return f(x)\n",
        "keyword": "def work(x):\n    return inner(x=x)\n",
        "generator": "def parts(x):\n    yield inner(x)\n\ndef work(x):\n    return list(parts(x))\n",
    }[step]
    return f"from {following} import work as inner\n\n{body}"


@given(starts=st.sets(st.sampled_from(sorted(_STARTS))), servers=st.sets(st.sampled_from(sorted(_SERVERS)), max_size=3))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_heat_is_the_union_over_callers(starts: set[str], servers: set[str]) -> None:
    files = {f"start{n}.py": _STARTS[name] for n, name in enumerate(sorted(starts))}
    files |= {f"server{n}.py": _SERVERS[name] for n, name in enumerate(sorted(servers))}
    found = work(heat(files))
    assert ((SETUP, ONCE) in found) == bool(starts)
    assert ((SERVING, STEP) in found) == bool(servers)


def test_a_loop_over_data_in_a_handler_raises_to_items() -> None:
    code = _SERVERS["FastAPI"].replace("return work(x)", "return [work(line) for line in open(x)]")
    assert (SERVING, ITEM) in work(heat({"server.py": code}))


def test_a_pool_that_maps_runs_a_function_for_each_item_and_one_that_submits_once() -> None:
    code = """
        from concurrent.futures import ThreadPoolExecutor
        from work import work
        pool = ThreadPoolExecutor(4)
        pool.{}(work, lines)
    """
    assert work(heat({"run.py": code.format("map")})) == [(SETUP, ITEM)]
    assert work(heat({"run.py": code.format("submit")})) == [(SETUP, ONCE)]


@pytest.mark.parametrize(
    ("test", "region"),
    [
        ("x % 100 == 0", Region.EVERY_K),
        ("client is None", Region.LAZY),
        ("settings.debug", Region.DEBUG),
        ("low_memory", Region.POLICY),
    ],
)
def test_calls_under_a_test_bring_no_heat_where_they_are_not_to_count(test: str, region: int) -> None:
    code = _SERVERS["FastAPI"].replace("return work(x)", f"\n            if {test}: work(x)")
    project = heat({"server.py": code})
    assert (SERVING, STEP) in work(project)
    assert work(project, unless=region) == []
    assert (SERVING, STEP) in work(project, unless=Region.RELEASED)


def test_a_call_that_counts_is_enough() -> None:
    other = _SERVERS["Flask"]
    lazy = _SERVERS["FastAPI"].replace("return work(x)", "\n            if x is None: work(x)")
    assert (SERVING, STEP) in work(heat({"lazy.py": lazy, "other.py": other}), unless=Region.LAZY)
