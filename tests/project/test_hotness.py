"""How hot loops over loaders are, wherever the loader, the step and the loop over epochs stand."""

from __future__ import annotations

from mlsys_advise.heat import DATA, EPOCH, EVALUATION, ITEM, ONCE, SETUP, STEP, TRAINING
from mlsys_advise.project.answers import Answers
from mlsys_advise.project.world import Target
from tests.project.worlds import answers

_MAKE = """
    from torch.utils.data import DataLoader


    def make(data):
        return DataLoader(data, batch_size=8)
"""


def sorts(project: Answers, path: str, function: str) -> list[str]:
    record = project.world.functions_of(path)[function]
    return [project.hotness.loop_sort(path, function, number) for number in range(len(record.loops))]


def test_a_step_in_a_helper_makes_a_training_loop_and_its_caller_counts_epochs() -> None:
    project = answers(
        {
            "steps.py": """
                def step(model, x, optimizer):
                    model(x).backward()
                    optimizer.step()
            """,
            "train.py": """
                from steps import step


                def one_pass(model, loader, optimizer):
                    for x in loader:
                        step(model, x, optimizer)


                def main(model, loader, optimizer):
                    for _ in range(90):
                        one_pass(model, loader, optimizer)
            """,
        }
    )
    assert sorts(project, "train.py", "one_pass") == ["training"]
    assert sorts(project, "train.py", "main") == ["training epoch"]
    assert project.hotness.function(Target("function", "steps.py", "step")).meets(TRAINING, STEP)
    assert project.hotness.function(Target("function", "train.py", "one_pass")).meets(TRAINING, EPOCH)
    assert not project.hotness.function(Target("function", "train.py", "one_pass")).meets(TRAINING, STEP)


def test_a_loop_over_a_loader_of_another_file_without_a_step_evaluates() -> None:
    project = answers(
        {
            "data.py": _MAKE,
            "check.py": """
                from data import make


                def evaluate(model, data):
                    for x in make(data):
                        model(x)


                def other(model, rows):
                    for x in rows:
                        model(x)
            """,
        }
    )
    assert sorts(project, "check.py", "evaluate") == ["evaluation"]
    assert sorts(project, "check.py", "other") == ["open"]
    assert project.hotness.place("check.py", "evaluate", 0).meets(EVALUATION, STEP)


def test_a_loop_that_runs_once_is_no_loop_over_epochs() -> None:
    project = answers(
        {
            "a.py": """
                def once(loader):
                    for epoch in range(1):
                        use(loader)


                def often(loader):
                    for epoch in range(9):
                        use(loader)
            """
        }
    )
    loops = {name: [loop.size for loop in record.loops] for name, record in project.world.functions_of("a.py").items()}
    assert (loops["once"], loops["often"]) == (["once"], ["epochs"])


def test_items_are_made_where_a_data_set_of_another_file_is_read() -> None:
    project = answers(
        {
            "base.py": """
                from torch.utils.data import Dataset


                class Base(Dataset):
                    def __init__(self):
                        self.prepare()

                    def prepare(self):
                        pass

                    def cut(self, x):
                        return x
            """,
            "photos.py": """
                from base import Base


                class Photos(Base):
                    def __getitem__(self, index):
                        return self.cut(index)


                photos = Photos()
            """,
        }
    )
    heat = project.hotness.function
    assert heat(Target("function", "base.py", "Base.cut")).meets(DATA, ITEM)
    assert not heat(Target("function", "base.py", "Base.prepare")).meets(DATA, ONCE)
    assert heat(Target("function", "base.py", "Base.prepare")).meets(SETUP, ONCE)


def test_a_lightning_trainer_is_no_training_loop_of_the_project() -> None:
    project = answers(
        {
            "a.py": """
                import lightning.pytorch as pl


                def search(module, loader):
                    for rate in rates:
                        pl.Trainer().fit(module, loader)
            """
        }
    )
    assert sorts(project, "a.py", "search") == ["open"]


def test_a_loop_over_a_generator_of_the_project_iterates_data() -> None:
    project = answers(
        {
            "batches.py": """
                def batches(data, size):
                    for i in range(len(data) // size):
                        yield data[i * size : (i + 1) * size]

                def pair(x):
                    yield x
                    yield x
            """,
            "run.py": """
                from batches import batches, pair

                def run(data, visit):
                    for batch in batches(data, 8):
                        visit(batch)
                    for half in pair(data):
                        visit(half)
            """,
        }
    )
    assert sorts(project, "run.py", "run") == ["data", "open"]


def test_a_decoding_loop_whose_model_and_choice_stand_in_functions() -> None:
    project = answers(
        {
            "sampling.py": """
                import torch
                from torch import nn

                def next_tokens(model: nn.Module, tokens):
                    return torch.argmax(model(tokens), dim=-1)
            """,
            "decode.py": """
                from sampling import next_tokens

                def generate(model, prompts):
                    tokens = prompts
                    for _ in range(1000):
                        tokens = next_tokens(model, tokens)
                    return tokens

                def score(model, tokens):
                    for _ in range(1000):
                        scored = next_tokens(model, tokens)
                    return scored
            """,
        }
    )
    assert sorts(project, "decode.py", "generate") == ["decoding"]
    assert sorts(project, "decode.py", "score") == ["data"]


def test_an_instance_that_is_called_makes_its_call_hot() -> None:
    project = answers(
        {
            "losses.py": """
                class Loss:
                    def __call__(self, x):
                        return self.inner(x)

                    def inner(self, x):
                        return x.sum()
            """,
            "train.py": """
                from losses import Loss

                class Trainer:
                    def __init__(self):
                        self.loss = Loss()

                    def train(self, model, loader):
                        for x in loader:
                            self.loss(model(x)).backward()
            """,
        }
    )
    assert project.hotness.function(Target("function", "losses.py", "Loss.inner")).meets(TRAINING, STEP)
