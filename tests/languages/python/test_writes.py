"""Which parameters a function writes into."""

from __future__ import annotations

import pytest

from tests.languages.python.code import here


@pytest.mark.parametrize(
    ("body", "writes"),
    [
        ("x[0] = 1", (0,)),
        ("x[1:] &= y", (0,)),
        ("x.add_(y)", (0,)),
        ("x += y", (0,)),
        ("torch.add(x, y, out=y)", (1,)),
        ("np.random.shuffle(y)", (1,)),
        ("v = x[1:]\nv[0] = 1", (0,)),
        ("v = x.view(-1)\nv.zero_()", (0,)),
        ("v = x if y is None else y\nv[0] = 1", ()),
        ("if y is None:\n    v = x\nelse:\n    v = y\nv[0] = 1", (0, 1)),
        ("x.data.clamp_(0)", (0,)),
        ("v = x.clone()\nv[0] = 1", ()),
        ("x = x + 1\nx[0] = 1", ()),
        ("return x[0].item()", ()),
        ("x.__init__()", ()),
    ],
)
def test_writes(body: str, writes: tuple[int, ...]) -> None:
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    document = here(f"import numpy as np\nimport torch\n\ndef f(x, y):\n{indented}\n")
    assert document.document.interface.functions["f"].writes == writes
