"""Where tensors live, followed across files."""

from __future__ import annotations

import pytest

from mlsys_advise.project.reply import Reply
from mlsys_advise.term import Param
from tests.project.worlds import answers

_USE = """
    def use(labels):
        return [int(label) for label in labels]
"""


def residence(train: str, use: str = _USE, **others: str) -> Reply:
    """Where the first parameter of `use` lives, in a project with this training script."""
    files = {"use.py": use, "train.py": train, **{f"{name}.py": text for name, text in others.items()}}
    return answers(files).residence.on_accelerator((Param("use", 0),), (), "use.py")


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("y.cuda()", True),
        ("y.to('cuda')[0]", True),
        ("y.to(DEVICE)", True),
        ("torch.argmax(y.to(DEVICE), dim=1)", True),
        ("y.to(x.cuda().device)", True),
        ("{'labels': y.cuda()}", True),
        ("helper(y)", True),
        ("model(y)", True),
        ("y.cpu()", False),
        ("y.cuda().tolist()", False),
        ("y.to('cpu')", False),
        ("y", None),
        ("y.cuda() if x else y.cpu()", None),
    ],
)
def test_what_a_caller_hands_over(argument: str, expected: bool | None) -> None:
    train = f"""
        import torch
        from torch import nn

        from helpers import helper
        from use import use

        DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = nn.Linear(2, 2).to(DEVICE)

        def train(loader):
            for x, y in loader:
                use({argument})
    """
    helpers = """
        def helper(y):
            return y.cuda().sum(dim=1)
    """
    assert residence(train, helpers=helpers).value is expected


def test_callers_that_disagree_prove_nothing() -> None:
    train = """
        from use import use

        def train(x, y):
            use(x.cuda())
            use(y.cpu())
    """
    assert residence(train).value is None


_MODULE = """
    from torch import nn

    class Net(nn.Module):
        def use(self, labels):
            return [label.item() for label in labels]

        def forward(self, x, labels):
            return self.use(labels)
"""


def forward(train: str) -> bool | None:
    project = answers({"net.py": _MODULE, "train.py": train})
    return project.residence.on_accelerator((Param("Net.use", 1),), (), "net.py").value


@pytest.mark.parametrize(
    "move",
    [
        "net = Net().cuda()",
        "net = Net()\n            net.to('cuda')",
        "net = accelerate.Accelerator().prepare(Net())",
    ],
)
def test_a_forward_pass_in_a_program_that_computes_on_a_device(move: str) -> None:
    assert forward(
        f"""
        import accelerate
        from net import Net

        def main(loader):
            {move}
            for batch in loader:
                net(*batch)
        """
    )


def test_a_forward_pass_in_a_program_of_the_host() -> None:
    code = """
        from net import Net

        def main(loader):
            net = Net().to("cpu")
            for batch in loader:
                net(*batch)
    """
    assert forward(code) is None


def test_a_device_stored_with_the_options_before_they_are_handed_over() -> None:
    project = answers(
        {
            "use.py": """
                def use(args, labels):
                    return labels.to(args.device)
            """,
            "main.py": """
                import torch

                from use import use

                def main(load, labels):
                    args = load()
                    args.device = torch.device("cuda")
                    use(args, labels)
            """,
        }
    )
    (term,) = project.world.functions_of("use.py")["use"].returns
    assert project.residence.on_accelerator((term,), (), "use.py").value
