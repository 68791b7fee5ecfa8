"""What becomes of an object that a call loads from a file."""

from __future__ import annotations

import ast
import textwrap

import pytest

from mlsys_advise.languages.python.loaded_files import Reading
from tests.languages.python.code import here

WEIGHTS = Reading(weights=True)


def reading(body: str, more: str = "") -> Reading:
    """Of the first `torch.load` of a function that has the body."""
    code = "import torch\n\n" + textwrap.dedent(more) + "\ndef f(model, path):\n" + textwrap.indent(body, "    ") + "\n"
    document = here(code)
    call = next(
        node
        for node in ast.walk(document.module.tree)
        if isinstance(node, ast.Call) and document.callee(node) == "torch.load"
    )
    return document.reading(call)


@pytest.mark.parametrize(
    "body",
    [
        "model.load_state_dict(torch.load(path))",
        "state = torch.load(path)['model']\nmodel.load_state_dict(state, strict=False)",
        "state = torch.load(path)\nif 'model' in state:\n    state = state['model']\nmodel.load_state_dict(state)",
        "state = torch.load(path)\nmodel.load_state_dict({k[7:]: v.half() for k, v in state.items()})",
        "new = {}\nfor k, v in torch.load(path).items():\n    new['x.' + k] = v\nmodel.load_state_dict(new)",
        "state = torch.load(path)\nfor k in list(state.keys()):\n    del state[k]\nmodel.load_state_dict(state)",
        "state = renamed(torch.load(path))\nmodel.load_state_dict(state)",
        "state = torch.load(path)\nmodel.load_state_dict({**model.state_dict(), **state})",
        "state = torch.load(path)\nnet = build(state['classes'])\nnet.eval()\nmodel.load_state_dict(state['net'])",
        "from peft import set_peft_model_state_dict\nset_peft_model_state_dict(model, torch.load(path))",
    ],
)
def test_weights(body: str) -> None:
    assert reading(body) == WEIGHTS


@pytest.mark.parametrize(
    "body",
    [
        "return torch.load(path).eval()",
        "return torch.load(path)['model'].float()",
        "model.state = torch.load(path)",
        "state = torch.load(path)\nmodel.load_state_dict(state['model'])\nreturn build(**state['options'])",
        "state = torch.load(path)\nmodel.load_state_dict(state['model'])\nreturn build(state['args'])",
        "a, b = torch.load(path)\nmodel.load_state_dict(a)",
    ],
)
def test_objects(body: str) -> None:
    assert reading(body).objects


def test_a_run_that_goes_on() -> None:
    body = (
        "state = torch.load(path)\nmodel.load_state_dict(state['model'])\nmodel.optimizer.load_state_dict(state['o'])"
    )
    assert reading(body).resumes
    assert reading("state = torch.load(path)\nmodel.load_state_dict(state['model'])\nprint(state['epoch'])").resumes


def test_another_value_of_the_same_name() -> None:
    body = "state = torch.load(path)\nprint(len(state))\nstate = model.state_dict()\nmodel.load_state_dict(state)"
    assert reading(body) == Reading()


def test_through_functions_of_the_file() -> None:
    caller = "def g(model):\n    model.load_state_dict(f(model, 'a.pt'))\n"
    assert reading("return torch.load(path)", caller) == WEIGHTS
    helper = "def put(model, state):\n    model.load_state_dict(state['x'])\n"
    assert reading("put(model, torch.load(path))", helper) == WEIGHTS
    assert reading("return torch.load(path)") == Reading(returned=("f",))
