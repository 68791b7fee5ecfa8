"""Facts about arrays that one file forces: rank, sizes, type, device, order."""

from __future__ import annotations

import pytest

from mlsys_advise.languages.python.shapes import COLUMNS, PERMUTED, ROWS, Array
from tests.languages.python.code import here, returned


def array(text: str) -> Array:
    """What is known of the value that a function of this body returns."""
    body = "\n".join(f"    {line}" for line in text.strip().splitlines())
    document = here(f"import cv2\nimport numpy as np\nimport torch\n\ndef f(x: torch.Tensor, n: int, s):\n{body}\n")
    return document.tensor(returned(document))


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("return torch.zeros(n)", 1),
        ("return torch.zeros(s)", None),  # may be a tuple
        ("return torch.zeros(2, n)", 2),
        ("return torch.zeros((2, n, 3))", 3),
        ("return torch.zeros(*s, 2)", None),
        ("return np.zeros((n, s), dtype=float)", 2),
        ("return np.zeros(x.shape)", None),
        ("return np.zeros(x.shape[0])", 1),
        ("shape = (n, n)\nreturn np.full(shape, 0.0)", 2),
        ("return np.empty(len(s))", 1),
        ("return torch.arange(n)", 1),
        ("return torch.eye(n)", 2),
        ("return np.random.rand(n, 2)", 2),
        ("return np.random.default_rng(0).random((n, 2))", 2),
        ("return torch.tensor([1, 2, 3])", 1),
        ("return torch.tensor([[1, 2], [3, 4]])", 2),
        ("return np.array(s)", None),
        ("return x.flatten()", 1),
        ("return x.flatten(1)", None),
        ("return x.view(-1)", 1),
        ("return x.reshape(n, -1)", 2),
        ("return x.view(s)", None),
        ("return x", None),
        ("a, b = x.shape\nreturn x", 2),
        ("a, b, c = x.size()\nreturn x.abs() + 1", 3),
        ("a, *b = x.shape\nreturn x", None),
        ("y = torch.zeros(2, n)\nreturn y[0]", 1),
        ("y = torch.zeros(2, n)\nreturn y[0, 1]", 0),
        ("y = torch.zeros(2, n)\nreturn y[:, None]", 3),
        ("y = torch.zeros(2, n)\nreturn y[x > 0]", None),
        ("y = torch.zeros(2, n)\nreturn y[s]", None),
        ("y = torch.zeros(2, n)\nreturn y.sum()", 0),
        ("y = torch.zeros(2, n)\nreturn y.sum(dim=1)", 1),
        ("y = torch.zeros(2, n)\nreturn y.sum(1, keepdim=True)", 2),
        ("y = torch.zeros(2, n)\nreturn y.argmax(-1)", 1),
        ("y = torch.zeros(2, n)\nreturn y.max(dim=1)", None),  # values and indices
        ("y = torch.zeros(2, n)\nreturn torch.zeros_like(y)", 2),
        ("y = torch.zeros(2, n)\nreturn y.to('cuda').t()", 2),
        ("y = torch.zeros(2, n)\nreturn y * 2 > 1", 2),
        ("y = torch.zeros(2, n)\nreturn y * x", None),
        ("y = torch.zeros(2, n)\nreturn y @ y", None),
        ("y = torch.zeros(2, n)\nif s:\n    y = y[0]\nreturn y", None),
        ("y = torch.zeros(2, n)\nif s:\n    y = torch.ones(n, 2)\nreturn y", 2),
        ("return x.numel() // 2", 0),
        ("return x.shape[0]", 0),
        ("return x.shape", None),
        ("return n", 0),
        ("return s", None),
        ("return cv2.imread(s, cv2.IMREAD_GRAYSCALE)", 2),
        ("return cv2.imread(s)", 3),
        ("return cv2.imread(s, n)", None),
        ("return np.cumsum(x)", 1),
        ("return torch.cumsum(x, 0)", None),
        ("return [1, 2]", None),
        ("return np.ones((n, n)) * np.inf", 2),
        ("return np.ones((n, n)) * s.inf", None),
    ],
)
def test_rank(text: str, rank: int | None) -> None:
    assert array(text).rank == rank


def test_elements_of_loops_have_one_axis_fewer() -> None:
    assert array("for v in torch.zeros(n):\n    return v").rank == 0
    assert array("for i, v in enumerate(torch.zeros(2, n)):\n    return v").rank == 1
    assert array("for i, v in enumerate(s):\n    return i").rank == 0
    assert array("for a, b in zip(s, torch.zeros(n)):\n    return b").rank == 0
    assert array("for v in s:\n    return v").rank is None


def test_a_name_that_a_loop_replaces_has_what_both_values_share() -> None:
    assert array("y = torch.zeros(n)\nfor i in range(n):\n    z = y\n    y = torch.zeros(n, 2)\nreturn z").rank is None
    assert array("y = 0.0\nfor i in range(n):\n    y = y * 2 + 1\nreturn y").rank == 0


def test_literal_sizes() -> None:
    assert array("k = 4\nreturn torch.zeros(k, n)").sizes == (4, None)
    assert array("return torch.tensor([1, 2, 3])").sizes == (3,)


def test_type_device_and_order() -> None:
    assert array("return np.empty((n, n), dtype=object)").dtype == "object"
    assert array("return np.empty((n, n), dtype=np.float32)").dtype == "float32"
    assert array("return torch.zeros(n, device='cuda:1')").device == "accelerator"
    assert array("return torch.zeros(n, device=s)").device == ""
    assert array("return torch.zeros(n).cuda().abs()").device == "accelerator"
    assert array("return np.zeros((n, n))").order == ROWS
    assert array("return np.zeros((n, n), order='F')").order == COLUMNS
    assert array("return np.zeros((n, n)).T").order == COLUMNS
    assert array("return np.asfortranarray(x)").order == COLUMNS
    assert array("return x.permute(1, 0)").order == PERMUTED
    assert array("return x.permute(1, 0).contiguous()").order == ROWS
    assert array("return x").order == ""
