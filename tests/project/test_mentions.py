"""Whether anything in a project uses a function."""

from __future__ import annotations

import pytest

from tests.project.worlds import answers


def unused(files: dict[str, str], function: str) -> bool | None:
    return answers(files).mentions.unused(function, "a.py").value


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("", True),
        ("from a import f\nf()\n", False),
        ("import a\nTABLE = {'f': a.f}\n", False),
        ("import a\n\ndef g(run):\n    run(a.f)\n", False),
        ("def f():\n    pass\n\nf()\n", True),
        ("import b\nTABLE = {'f': b.f}\n", True),
    ],
)
def test_functions(other: str, expected: bool) -> None:
    assert unused({"a.py": "def f():\n    pass\n", "c.py": other, "b.py": "def f():\n    pass\n"}, "f") is expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("from a import A\nA()\n", True),
        ("from a import A\nA().load()\n", False),
        ("from transformers import AutoModel\nAutoModel.load()\n", True),
        ("def g(x):\n    x.load()\n", False),
    ],
)
def test_methods(other: str, expected: bool) -> None:
    code = "from torch import nn\n\nclass A(nn.Module):\n    def load(self):\n        pass\n"
    assert unused({"a.py": code, "c.py": other}, "A.load") is expected


def test_what_others_call_by_name() -> None:
    assert unused({"a.py": "import click\n\n@click.command()\ndef f():\n    pass\n"}, "f") is False
    code = "import keras\n\nclass A(keras.callbacks.Callback):\n    def on_epoch_end(self):\n        pass\n"
    assert unused({"a.py": code}, "A.on_epoch_end") is False
