"""Properties of functions through calls and files, and the devices that models live on."""

from __future__ import annotations

import pytest

from mlsys_advise.term import Def, Name, Var
from tests.project.worlds import answers


def holds(files: dict[str, str], name: str, function: str = "f", path: str = "a.py") -> bool | None:
    return answers(files).properties.of_callee(Def(function), path, name).value


@pytest.mark.parametrize(
    ("body", "waits"),
    [
        ("return x.item()", True),
        ("return x.detach().cpu().numpy()", True),
        ("torch.cuda.synchronize()", True),
        ("return float(x)", True),
        ("return int(x.shape[0])", False),
        ("print(f'{loss}')", True),
        ("print('done')", False),
        ("return torch.relu(x)", False),
        ("return x.softmax(-1)", False),
        ("import wandb; wandb.log(x)", None),
        ("return unknown(x)", None),
        ("return x.compute_things()", None),
    ],
)
def test_waits(body: str, waits: bool | None) -> None:
    assert holds({"a.py": f"import torch\n\ndef f(x, loss=0):\n    {body}\n"}, "waits") is waits


@pytest.mark.parametrize("depth", [1, 3, 6])
def test_waits_through_files(depth: int) -> None:
    files = {f"m{n}.py": f"from m{n + 1} import f as g\n\ndef f(x):\n    return g(x)\n" for n in range(depth)}
    files[f"m{depth}.py"] = "def f(x):\n    return x.item()\n"
    assert holds(files, "waits", path="m0.py") is True
    files[f"m{depth}.py"] = "def f(x):\n    return x.detach()\n"
    assert holds(files, "waits", path="m0.py") is False


def test_recursion_ends() -> None:
    assert holds({"a.py": "def f(x):\n    return g(x)\n\ndef g(x):\n    return f(x)\n"}, "waits") is False


_MODEL = "from torchvision.models import resnet18\n"


@pytest.mark.parametrize(
    ("code", "accelerated"),
    [
        ("model = resnet18().cuda()", True),
        ("model = resnet18().to('cuda')", True),
        ("model = resnet18().to('mps')", True),
        ("model = resnet18().to('cpu')", False),
        ("model = resnet18()", None),
        ("model = resnet18()\nmodel.cuda()", True),
        ("model = resnet18()\nmodel.to('cuda:0')", True),
        ("model = resnet18()\nmodel.to('cpu')", None),
        ("from accelerate import Accelerator\nmodel, o = Accelerator().prepare(resnet18(), 1)", True),
        (
            "from transformers import AutoModel as A\nmodel = A.from_pretrained('x', device_map='auto')",
            True,
        ),
    ],
)
def test_devices(code: str, accelerated: bool | None) -> None:
    project = answers({"a.py": _MODEL + code + "\n"})
    assert project.devices.accelerated(Var("model"), "a.py").value is accelerated


def test_a_model_moved_by_a_caller_in_another_file() -> None:
    files = {
        "a.py": "def f(model, x):\n    return model(x)\n",
        "b.py": _MODEL + "from a import f\nnet = resnet18()\nnet.to('cuda')\nf(net, 1)\n",
    }
    assert holds(files, "issues") is True
    files["b.py"] = files["b.py"].replace("cuda", "cpu")
    assert holds(files, "issues") is not True


def test_work_in_a_loop_over_data_is_no_work_of_its_caller() -> None:
    code = _MODEL + "model = resnet18().cuda()\n\ndef f(data):\n    for x in data:\n        model(x)\n"
    assert holds({"a.py": code}, "issues") is False
    assert holds({"a.py": code.replace("in data", "in range(3)")}, "issues") is True


_ENCODER = "from sentence_transformers import SentenceTransformer\nencoder = SentenceTransformer('x')\n"


def blocks(files: dict[str, str]) -> bool | None:
    return holds(files, "blocks")


def test_blocks_by_an_object_of_another_file() -> None:
    files = {"m.py": _ENCODER, "a.py": "from m import encoder\n\ndef f(x):\n    return encoder.encode(x)\n"}
    assert blocks(files) is True
    files["m.py"] = "class E:\n    def encode(self, x):\n        return x\n\nencoder = E()\n"
    assert blocks(files) is False


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("async def g(x):\n    return encoder.encode(x)\n\ndef f(x):\n    return g(x)\n", False),
        ("def g(x):\n    yield encoder.encode(x)\n\ndef f(x):\n    return g(x)\n", False),
        ("def g(x):\n    return encoder.encode(x)\n\ndef f(x):\n    return g(x)\n", True),
        ("import torch\n\ndef f(x):\n    if x is None:\n        x = torch.load('a')\n    return x\n", False),
        ("import torch\n\ndef f(x):\n    return torch.load('a')\n", True),
        (
            "from functools import cache\nimport torch\n\n@cache\ndef g():\n    return torch.load('a')\n\n"
            "def f(x):\n    return g()\n",
            False,
        ),
    ],
)
def test_blocks(code: str, answer: bool) -> None:
    assert blocks({"a.py": _ENCODER + code}) is answer


def test_an_attribute_of_an_imported_variable_is_one_of_its_object() -> None:
    project = answers(
        {
            "a.py": "class K:\n    def go(self):\n        return 1\n\nk = K()\n",
            "b.py": "from a import k\n\ndef f():\n    return k.go()\n",
        }
    )
    assert [target.name for target in project.values.functions(Name("a.k.go"), "b.py")[0]] == ["K.go"]
    assert [caller.function for caller in project.values.callers("a.py", "K.go") or ()] == ["f"]


def test_the_state_of_an_application_and_dicts_that_functions_fill() -> None:
    project = answers(
        {
            "a.py": """
                from fastapi import FastAPI
                from sentence_transformers import SentenceTransformer
                app = FastAPI()
                models = {}
                def load():
                    app.state.encoder = SentenceTransformer("x")
                    models["encoder"] = SentenceTransformer("x")
            """,
            "b.py": """
                from fastapi import Request
                from a import models
                state = 0
                def f(request: Request):
                    return request.app.state.encoder.encode("x")
                def g():
                    return models["encoder"].encode("x")
                def h():
                    return models["other"].encode("x")
            """,
        }
    )
    assert [project.properties.of_callee(Def(name), "b.py", "blocks").value for name in "fgh"] == [True, True, False]


@pytest.mark.parametrize(
    ("body", "downloads"),
    [
        ("return hf_hub_download('a', 'b')", True),
        ("open(path, 'wb').write(requests.get(url).content)", True),
        ("return requests.get(url).json()", False),
        ("return open(path).read()", False),
        ("return fetch(url, path)", True),
    ],
)
def test_downloads(body: str, downloads: bool) -> None:
    source = (
        "import requests\nimport urllib.request\nfrom huggingface_hub import hf_hub_download\n\n"
        "def fetch(url, path):\n    urllib.request.urlretrieve(url, path)\n\n"
        f"def f(url, path):\n    {body}\n"
    )
    assert holds({"a.py": source}, "downloads") is downloads
