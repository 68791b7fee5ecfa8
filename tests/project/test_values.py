"""What a number of workers and a device may be: literals, options, fields, parameters, and the machine."""

from __future__ import annotations

import pytest

from mlsys_advise.project.configured import configured
from mlsys_advise.project.values import ACCELERATOR, HOST
from tests.project.worlds import answers, argument


def workers(code: str, **others: str) -> tuple[bool | None, str]:
    project = answers({"a.py": code, **{f"{name}.py": text for name, text in others.items()}})
    reply = configured(project.values, argument(project, "a.py", "DataLoader", "num_workers"), "positive", "a.py")
    return reply.value, reply.facts.get("value", "")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("4", (True, "4")),
        ("0", (False, "")),
        ("0 if debug else 8", (True, "8")),
        ("os.cpu_count()", (True, "as many as there are CPUs")),
        ("os.cpu_count() // 2", (True, "as many as there are CPUs")),
        ("min(8, os.cpu_count() or 1)", (True, "as many as there are CPUs")),
        ("4 * torch.cuda.device_count()", (True, "a number for each device")),
        ("unknown", (None, "")),
    ],
)
def test_expressions(expression: str, expected: tuple[bool | None, str]) -> None:
    code = f"""
        import os

        import torch
        from torch.utils.data import DataLoader


        def make(data, debug, unknown):
            return DataLoader(data, num_workers={expression})
    """
    assert workers(code) == expected


@pytest.mark.parametrize(("default", "expected"), [("2", (True, "2")), ("0", (False, ""))])
def test_the_default_of_an_option_counts(default: str, expected: tuple[bool | None, str]) -> None:
    code = f"""
        import argparse

        from torch.utils.data import DataLoader


        def options():
            parser = argparse.ArgumentParser()
            parser.add_argument("-j", "--workers", type=int, default={default})
            return parser.parse_args()


        def main(data):
            args = options()
            DataLoader(data, num_workers=args.workers)
    """
    assert workers(code) == expected


def test_a_required_option_may_be_anything() -> None:
    code = """
        import argparse

        from torch.utils.data import DataLoader

        parser = argparse.ArgumentParser()
        parser.add_argument("--workers", type=int, required=True)
        DataLoader([], num_workers=parser.parse_args().workers)
    """
    assert workers(code) == (None, "")


@pytest.mark.parametrize("base", ["@dataclass\nclass Config:", "class Config(BaseModel):"])
def test_fields_of_a_configuration_class_in_another_file(base: str) -> None:
    code = """
        from config import Config
        from torch.utils.data import DataLoader


        def make(data, config: Config):
            return DataLoader(data, num_workers=config.workers)
    """
    imports = "from dataclasses import dataclass\nfrom pydantic import BaseModel\n"
    assert workers(code, config=f"{imports}{base}\n    workers: int = 6\n") == (True, "6")


def test_a_parameter_is_what_its_callers_give() -> None:
    code = """
        from torch.utils.data import DataLoader


        def make(data, workers=0):
            return DataLoader(data, num_workers=workers)
    """
    calls = "from a import make\n\n\ndef main(data):\n    make(data, {})\n"
    assert workers(code) == (False, "")
    assert workers(code, b=calls.format("workers=0")) == (False, "")
    assert workers(code, b=calls.format("3")) == (True, "3")


def test_a_click_option_is_the_default_of_its_parameter() -> None:
    code = """
        import click
        from torch.utils.data import DataLoader


        @click.command()
        @click.option("--num-workers", default=5)
        def main(num_workers):
            DataLoader([], num_workers=num_workers)
    """
    assert workers(code) == (True, "5")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('"cuda"', ACCELERATOR),
        ('"cpu"', HOST),
        ('torch.device("cuda:1")', ACCELERATOR),
        ('torch.device("mps")', "mps"),
        ('torch.device("cuda" if torch.cuda.is_available() else "cpu")', ACCELERATOR),
        ("0", ACCELERATOR),
        ('int(os.environ["LOCAL_RANK"])', ACCELERATOR),
        ("dist.get_rank()", ACCELERATOR),
        ('f"cuda:{unknown}"', ACCELERATOR),
        ('f"{unknown}"', ""),
        ("unknown", ""),
        ("accelerator.device", ACCELERATOR),
        ("next(model.parameters()).device", ACCELERATOR),
        ("next(other.parameters()).device", ""),
        ("args.device", ACCELERATOR),
    ],
)
def test_devices(expression: str, expected: str) -> None:
    code = f"""
        import argparse
        import os

        import torch
        import torch.distributed as dist
        from accelerate import Accelerator
        from probe import Probe


        def main(unknown):
            accelerator = Accelerator()
            model = torch.nn.Linear(2, 2).cuda()
            other = torch.nn.Linear(2, 2)
            args = argparse.ArgumentParser().parse_args()
            args.device = torch.device("cuda")
            Probe(device={expression})
    """
    project = answers({"a.py": code})
    assert project.values.device(argument(project, "a.py", "Probe", "device"), "a.py") == expected


def test_of_several_parsers_the_nearest_is_meant() -> None:
    option = "import argparse\n\n\ndef options():\n    parser = argparse.ArgumentParser()\n"
    option += '    parser.add_argument("--workers", type=int, default={})\n    return parser.parse_args()\n'
    use = "from {0}.options import options\nfrom torch.utils.data import DataLoader\n\n"
    use += "DataLoader([], num_workers=options().workers)\n"
    project = answers(
        {
            "one/options.py": option.format(3),
            "one/train.py": use.format("one"),
            "two/options.py": option.format(0),
            "two/train.py": use.format("two"),
        }
    )
    for folder, expected in (("one", True), ("two", False)):
        path = f"{folder}/train.py"
        term = argument(project, path, "DataLoader", "num_workers")
        assert configured(project.values, term, "positive", path).value is expected
