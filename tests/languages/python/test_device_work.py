"""What is queued on a device in a stretch of code, and what waits for it."""

from __future__ import annotations

import ast
import textwrap

import pytest

from mlsys_advise.here import Here
from mlsys_advise.languages.python.device_work import ASK, STEP, WAIT, WORK
from mlsys_advise.languages.python.document import PythonDocument
from mlsys_advise.languages.source import Source
from mlsys_advise.registry import load_rules
from mlsys_advise.vocabulary import Lexicon

_LEXICON = Lexicon(load_rules().vocabulary)
_HEAD = """\
import numpy as np
import torch
import jax, jax.numpy as jnp
from transformers import AutoTokenizer, pipeline
from elsewhere import helper
a = torch.rand(8, 8, device="cuda")
b = torch.rand(8, 8)
j = jnp.ones((8, 8))
tokenizer = AutoTokenizer.from_pretrained("x")
classify = pipeline("x")
compiled = jax.jit(helper)
optimizer = torch.optim.SGD([a], lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
scaler = torch.amp.GradScaler()
"""


def stretch(body: str) -> tuple[Here, ast.expr, ast.expr, list[ast.stmt]]:
    code = f"{_HEAD}begin()\n{textwrap.dedent(body)}\nend()\n"
    here = Here(PythonDocument(Source(code, "x.py"), "x.py", _LEXICON))
    block = here.module.tree.body
    number = next(n for n, s in enumerate(block) if isinstance(s, ast.Expr) and ast.unparse(s) == "begin()")
    first, last = block[number], block[-1]
    assert isinstance(first, ast.Expr)
    assert isinstance(last, ast.Expr)
    return here, first.value, last.value, block[number:]


def events(body: str) -> list[str]:
    here, first, last, block = stretch(body)
    return [event for event, _ in here.device_work.events(first, last, block)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("a @ b", [WORK]),
        ("b @ b", []),
        ("torch.matmul(a, a)", [WORK]),
        ("torch.matmul(b, b)", []),
        ("torch.compile(a)", []),
        ("j + 1", [WORK]),
        ("jnp.dot(j, j)", [WORK]),
        ("jnp.zeros((3, 3))", []),
        ("compiled(j)", [WORK]),
        ("helper(b)", [ASK]),
        ("helper(a).backward()", [ASK, STEP]),
        ("optimizer.step()", [STEP]),
        ("scheduler.step()", []),
        ("scaler.step(optimizer)", [WAIT]),
        ("torch.cuda.synchronize()", [WAIT]),
        ("x = helper(b).item()", [ASK, WAIT]),
        ("(a @ a).cpu()", [WORK, WAIT]),
        ("y = (a @ a).to('cpu')", [WORK, WAIT]),
        ("y = b.to('cuda')", [WAIT]),
        ("y = b.to('cuda', non_blocking=True)", []),
        ("y = b.to(torch.float16)", []),
        ("y = b.to(j.dtype)", []),
        ("y = a.cuda()", []),
        ("y = torch.tensor([1, 2], device='cuda')", [WAIT]),
        ("y = torch.tensor([1, 2])", []),
        ("float(a.sum())", [WORK, WAIT]),
        ("float(3)", []),
        ("float(a.shape[0])", []),
        ("print('text')", []),
        ("print(a.shape)", []),
        ("print(a)", [WAIT]),
        ("loss = helper(b)\nprint(f'{loss}')", [ASK, WAIT, WAIT]),
        ("if a.sum() > 3: pass", [WORK, WAIT]),
        ("if len(a) > 3: pass", []),
        ("if a is None: pass", []),
        ("c = a[a > 0.5]", [WAIT]),
        ("np.asarray(j)", [WAIT]),
        ("np.zeros(3)", []),
        ("tokenizer('x')", []),
        ("classify('x')", [WAIT]),
        ("jax.block_until_ready(j)", [WAIT]),
        ("f = lambda: a @ a", []),
    ],
)
def test_events(body: str, found: list[str]) -> None:
    assert events(body) == found


def test_the_first_wait_is_the_first_in_order_of_evaluation() -> None:
    here, first, last, block = stretch("print(a.mean().item(), torch.cuda.synchronize())")
    wait = here.device_work.first_wait(first, last, block)
    assert wait is not None
    assert ast.unparse(wait) == "a.mean().item()"


def test_no_wait() -> None:
    assert stretch("a @ a")[0].device_work.first_wait(*stretch("a @ a")[1:]) is None
