"""What drops or loads something heavy, and where the code after it knows."""

from __future__ import annotations

import ast
import textwrap

import pytest

from mlsys_advise.languages.python.releases import ends_something, releases
from mlsys_advise.languages.python.scopes import Module, Region


@pytest.mark.parametrize(
    "code",
    [
        "del model",
        "del self.pipe, x",
        "del models['a']",
        "pipe = None",
        "self.text_encoder = None",
        "model_1 = None",
        "model.cpu()",
        "model.to('cpu')",
        "model = model.to(torch.device('cpu'))",
        "state = torch.load(path)",
        "pipe = DiffusionPipeline.from_pretrained(name).to('cuda')",
        "model.load_state_dict(state)",
        "weights = load_file(shard)",
        "offload_model(model)",
        "self.unload()",
    ],
)
def test_heavy(code: str) -> None:
    assert releases(ast.parse(code).body[0])


@pytest.mark.parametrize(
    "code",
    [
        "del images, targets, outputs, loss",
        "del encoder_outputs",
        "model_name = None",
        "loss = None",
        "x = x.to('cpu')",
        "labels = labels.cpu()",
        "model = model.to('cuda')",
        "data = json.load(file)",
        "model(x)",
        "model.train()",
        "pass",
    ],
)
def test_light(code: str) -> None:
    assert not releases(ast.parse(code).body[0])


@pytest.mark.parametrize("name", ["unload", "close", "__exit__", "__del__", "reset_state", "clear_history", "shutdown"])
def test_names_that_end_something(name: str) -> None:
    assert ends_something(name)


@pytest.mark.parametrize("name", ["free_memory", "flush", "torch_gc", "clear_memory", "trim", "predict"])
def test_names_that_do_not(name: str) -> None:
    assert not ends_something(name)


def regions(code: str) -> list[bool]:
    """Of each call of `f` in order of the text: whether something heavy was released just before."""
    module = Module(ast.parse(textwrap.dedent(code)))
    sites = [site for scope in module.scopes for site in scope.calls]
    found = [site for site in sites if isinstance(site.node.func, ast.Name) and site.node.func.id == "f"]
    return [bool(site.region & Region.RELEASED) for site in sorted(found, key=lambda site: site.node.lineno)]


def test_the_rest_of_the_block_knows_and_what_it_nests_but_for_loops_and_functions() -> None:
    code = """
        f()
        if x:
            del model
            f()
            if y:
                f()
            for z in w:
                f()
            def g():
                f()
        f()
    """
    assert regions(code) == [False, True, True, False, False, False]


def test_a_loop_forgets_when_its_body_ends() -> None:
    code = """
        for x in y:
            f()
            del model
            f()
        f()
    """
    assert regions(code) == [False, True, False]
