"""Where one file puts a tensor, and what decides it where the file does not."""

from __future__ import annotations

import pytest

from mlsys_advise.languages.python.placement import ACCELERATOR, HOST
from mlsys_advise.term import show
from tests.languages.python.code import here, returned


def placement(body: str) -> tuple[str, list[str], list[str]]:
    """The device, values and devices of what a function of ``x``, ``y``, ``device`` and ``model`` returns."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    document = here(f"import torch\n\ndef f(x, y, device, model):\n{lines}\n")
    found = document.placement(returned(document))
    return found.device, [show(term) for term in found.values], [show(term) for term in found.devices]


@pytest.mark.parametrize(
    ("body", "device"),
    [
        ("return x.cuda()", ACCELERATOR),
        ("return x.to('cuda').sum(1)", ACCELERATOR),
        ("return torch.topk(x.cuda(), 3)[0]", ACCELERATOR),
        ("return torch.zeros(3, device='cuda:1')", ACCELERATOR),
        ("return y + x.cuda()", ACCELERATOR),
        ("z = x.cuda()\nfor row in z:\n    return row", ACCELERATOR),
        ("a, b = x.cuda(), y.cpu()\nreturn a", ACCELERATOR),
        ("a, b = x.cuda(), y.cpu()\nreturn b", HOST),
        ("return x.cuda().cpu()", HOST),
        ("if y:\n    x = x.cpu()\nreturn x", HOST),
        ("return x.cuda() * y.max().item()", ACCELERATOR),
        ("return torch.randperm(10)", HOST),
        ("return torch.tensor([1, 2])", HOST),
        ("return torch.from_numpy(y)", HOST),
        ("z = torch.zeros(3)\nfor i in range(3):\n    z = z + 1\nreturn z", HOST),
    ],
)
def test_the_file_decides(body: str, device: str) -> None:
    assert placement(body) == (device, [], [])


def test_a_parameter_is_left_to_the_callers() -> None:
    assert placement("return x[0]") == ("", ["param(f, 0)"], [])


def test_a_cast_moves_nothing() -> None:
    assert placement("return x.to(torch.int64)") == ("", ["param(f, 0)"], [])


def test_a_device_is_left_to_the_callers_with_the_tensor_that_it_may_be() -> None:
    assert placement("return torch.ones(3, device=device)") == ("", [], ["param(f, 2)"])
    assert placement("return y.to(device)") == ("", ["param(f, 2)"], ["param(f, 2)"])


def test_a_tensor_is_made_beside_another() -> None:
    assert placement("where = x.device\nreturn torch.ones(3, device=where)") == (
        "",
        ["param(f, 0)"],
        ["param(f, 0).device"],
    )


def test_a_result_of_a_module_is_where_the_module_or_its_input_is() -> None:
    assert placement("return model(x)") == ("", ["param(f, 3)(..)", "param(f, 0)"], [])
    assert placement("return model(x.cuda())") == (ACCELERATOR, [], [])
    assert placement("return model.net(x.cuda())") == (ACCELERATOR, [], [])


def test_a_function_of_the_file_is_looked_into() -> None:
    document = here(
        """
        import torch

        def make(n):
            return torch.ones(n).cuda()

        def f(n):
            return make(n)
        """
    )
    assert document.placement(returned(document)).device == ACCELERATOR


def test_an_attribute_is_what_the_methods_of_the_class_assign() -> None:
    document = here(
        """
        import torch

        class Index:
            def __init__(self, sizes):
                self.offsets = torch.cumsum(sizes.cuda(), dim=0)

            def first(self):
                return self.offsets[0]
        """
    )
    assert document.placement(returned(document)).device == ACCELERATOR
