"""Where loaders, and what they yield, go: through returns, arguments, attributes, containers and generators."""

from __future__ import annotations

import pytest

from mlsys_advise.project.flows import Flow
from tests.project.worlds import answers, site

_MAKE = """
    from torch.utils.data import DataLoader


    def make(data):
        return DataLoader(data, num_workers=2)
"""


def flow(files: dict[str, str], path: str, nth: int = 0) -> Flow:
    project = answers(files)
    return project.flows.of(path, *site(project, path, "DataLoader", nth))


def loops(found: Flow) -> set[tuple[str, str]]:
    return {(use.path, use.function) for use in found.uses if use.what == "loop" and not use.element}


def moved(found: Flow) -> set[tuple[str, str, str]]:
    return {
        (use.path, use.function, use.name)
        for use in found.uses
        if use.what == "method" and use.element and use.name in ("to", "cuda")
    }


def test_through_a_return_and_a_parameter_of_another_file() -> None:
    files = {
        "data.py": _MAKE,
        "train.py": """
            from data import make


            def epoch(batches):
                for batch in batches:
                    batch.cuda()


            def main(data):
                epoch(make(data))
        """,
    }
    found = flow(files, "data.py")
    assert loops(found) == {("train.py", "epoch")}
    assert moved(found) == {("train.py", "epoch", "cuda")}
    assert not found.leaks


def test_each_part_of_a_returned_pair_goes_its_own_way() -> None:
    files = {
        "data.py": """
            from torch.utils.data import DataLoader


            def make(a, b):
                return DataLoader(a), DataLoader(b)
        """,
        "train.py": """
            from data import make


            def main(a, b):
                train, test = make(a, b)
                for x in train:
                    fit(x)


            def check(a, b):
                train, test = make(a, b)
                for x in test:
                    score(x)
        """,
    }
    assert loops(flow(files, "data.py", 0)) == {("train.py", "main")}
    assert loops(flow(files, "data.py", 1)) == {("train.py", "check")}


@pytest.mark.parametrize(
    ("returned", "loop"),
    [
        ('{"train": a, "test": b}', 'for x in make(data)["train"]:'),
        ("{'train': a, 'test': b}", "for name, loader in make(data).items():\n        for x in loader:"),
        ("[a, b]", "for loader in make(data):\n        for x in loader:"),
        ("dict(train=a, test=b)", 'for x in make(data)["train"]:'),
    ],
)
def test_through_containers(returned: str, loop: str) -> None:
    code = (
        "from torch.utils.data import DataLoader\n"
        "def make(data):\n"
        "    a, b = DataLoader(data), DataLoader(data)\n"
        f"    return {returned}\n"
        "def main(data):\n"
        f"    {loop}\n"
        "            x.cuda()\n"
    )
    assert moved(flow({"a.py": code}, "a.py")) == {("a.py", "main", "cuda")}


def test_the_other_key_of_a_dict_is_not_the_object() -> None:
    files = {
        "a.py": """
            from torch.utils.data import DataLoader


            def make(data):
                return {"train": DataLoader(data), "test": DataLoader(data)}


            def main(data):
                for x in make(data)["test"]:
                    x.cuda()
        """
    }
    assert not loops(flow(files, "a.py", 0))
    assert loops(flow(files, "a.py", 1)) == {("a.py", "main")}


def test_through_an_attribute_to_a_method_of_a_subclass_elsewhere() -> None:
    files = {
        "base.py": """
            from torch.utils.data import DataLoader


            class Base:
                def __init__(self, data):
                    self.loader = DataLoader(data)
        """,
        "fit.py": """
            from base import Base


            class Trainer(Base):
                def fit(self):
                    for x in self.loader:
                        x.cuda()
        """,
        "other.py": """
            class Other:
                def __init__(self, loader):
                    self.loader = loader

                def fit(self):
                    for x in self.loader:
                        x.cuda()
        """,
    }
    assert loops(flow(files, "base.py")) == {("fit.py", "Trainer.fit")}


def test_a_batch_through_a_helper_up_to_where_it_is_moved() -> None:
    files = {
        "moving.py": """
            def move(batch, device):
                return {key: part.to(device) for key, part in batch.items()}
        """,
        "train.py": """
            from torch.utils.data import DataLoader

            from moving import move


            def main(data, model):
                for batch in DataLoader(data):
                    batch = move(batch, "cuda")
                    model(batch["x"])
        """,
    }
    assert moved(flow(files, "train.py")) == {("moving.py", "move", "to")}


def test_what_has_been_moved_is_not_followed_further() -> None:
    files = {
        "a.py": """
            from torch.utils.data import DataLoader


            def step(x):
                return x.to("cuda:1")


            def main(data):
                for x in DataLoader(data):
                    step(x.cuda())
        """
    }
    assert moved(flow(files, "a.py")) == {("a.py", "main", "cuda")}


def test_a_generator_over_the_loader_is_iterated_in_its_stead() -> None:
    files = {
        "a.py": """
            from torch.utils.data import DataLoader


            def endless(loader):
                while True:
                    yield from loader
                    for batch in loader:
                        yield batch


            def main(data):
                batches = endless(DataLoader(data))
                for step in range(1000):
                    next(batches).cuda()
        """
    }
    found = flow(files, "a.py")
    assert moved(found) == {("a.py", "main", "cuda")}
    assert all(use.drawn for use in found.uses if use.name == "cuda")


@pytest.mark.parametrize(
    "body", ["return iter(self.inner)", "yield from self.rest()\n        for x in self.inner:\n            yield x"]
)
def test_a_wrapper_with_iter_is_iterated_in_its_stead(body: str) -> None:
    code = (
        "from torch.utils.data import DataLoader\n"
        "class Wrapper:\n"
        "    def __init__(self, inner):\n"
        "        self.inner = inner\n"
        "    def __iter__(self):\n"
        f"        {body}\n"
        "def main(data):\n"
        "    for x in Wrapper(DataLoader(data)):\n"
        "        x.cuda()\n"
    )
    assert moved(flow({"a.py": code}, "a.py")) == {("a.py", "main", "cuda")}


def test_zip_and_enumerate_keep_parts_apart() -> None:
    files = {
        "a.py": """
            from torch.utils.data import DataLoader


            def main(a, b):
                left = DataLoader(a)
                right = DataLoader(b)
                for step, (x, (index, y)) in enumerate(zip(left, right)):
                    x.cuda()
                    y.to("cuda")
        """
    }
    assert {use.name for use in flow(files, "a.py", 0).uses if use.what == "method"} == {"cuda"}
    right = [use for use in flow(files, "a.py", 1).uses if use.what == "method"]
    assert [(use.name, use.part) for use in right] == [("to", 1)]


def test_what_an_unknown_method_is_given_is_lost_from_sight() -> None:
    files = {
        "a.py": """
            from torch.utils.data import DataLoader


            def main(data, runner):
                runner.train(DataLoader(data))
        """
    }
    found = flow(files, "a.py")
    assert [leak.name for leak in found.leaks] == ["train"]


def test_the_answer_reads_what_it_stands_on() -> None:
    project = answers(
        {
            "data.py": _MAKE,
            "train.py": """
                from data import make


                def main(data):
                    for x in make(data):
                        x.cuda()
            """,
        }
    )
    function, number = site(project, "data.py", "DataLoader")
    with project.world.recording() as first:
        project.flows.of("data.py", function, number)
    with project.world.recording() as again:
        project.flows.of("data.py", function, number)
    assert first == again
    facts = project.world.record.graph([first.node]).facts
    assert "main" in facts["calls"]["train.py"]
    assert "make" in facts["table:call"]


def test_a_long_module_path_is_as_short_as_a_name() -> None:
    files = {
        "a.py": """
            import torch


            def main(data, alone):
                if alone:
                    sampler = torch.utils.data.RandomSampler(data)
                else:
                    sampler = torch.utils.data.distributed.DistributedSampler(data)
                loader = torch.utils.data.DataLoader(data, sampler=sampler)
        """
    }
    project = answers(files)
    found = project.flows.of("a.py", *site(project, "a.py", "DistributedSampler"))
    assert [(use.what, use.key) for use in found.uses] == [("argument", "sampler")]
