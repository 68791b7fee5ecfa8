"""Each rewrite keeps what a program does, changes how it is written, and takes the marks along."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest

from mlsys_advise.page import read_cases
from tests.recall import imports, modules, names, options, structure, values
from tests.recall.program import Program, Variant, anchors_on
from tests.recall.variants import COMBINED, REWRITES, variants

PROGRAM = '''\
# MLS413 pageable-batch-transfer: a program of the standard library that says what it does

## Program

```python title="main.py"
"""Counts words."""
import collections
import random as rnd
from fractions import Fraction

import stock
from stock import Shelf, load

LIMIT = 3
shelf = Shelf(
    load(),
    limit=12,  # MLS413
)


def draw(shelf, count=2, *, scale=10):
    generator = rnd.Random(7)
    picked = [generator.choice(shelf.words) for _ in range(count)]
    for word in picked:
        word = word.upper()
        print(word, scale)
    return picked


async def wait(value):
    total = value + 1
    return total


def report(words):
    counts = collections.Counter(words)  # MLS413
    share = Fraction(1, 3)
    for index in range(20):
        share += index
    try:
        counts["x"] / 0
    except ZeroDivisionError as error:
        print(type(error).__name__, share)
    return sorted(counts.items())[:LIMIT]


def main():
    picked = draw(shelf, count=4)
    print(report(words=picked), stock.describe(shelf))
    try:
        wait(3).send(None)
    except StopIteration as stop:
        print(stop.value)


if __name__ == "__main__":
    main()
```

```python title="stock.py"
from dataclasses import dataclass, field


def load():
    return "the quick brown fox jumps over the lazy dog".split()


@dataclass
class Shelf:
    words: list
    limit: int = 5
    notes: list = field(default_factory=list)

    def names(self):
        return self.words[: self.limit]


def describe(shelf):
    match shelf.names():
        case [first, *rest]:
            return f"{first} and {len(rest)}"
```

```text title="words.txt"
load
```
'''

SCRIPT = """\
# MLS413 pageable-batch-transfer: a script

## Script

```python
from collections import Counter
from queue import Queue

pending = Queue(maxsize=40)  # MLS413
for index in range(5):
    pending.put(index)
count = Counter(str(pending.get()) for _ in range(pending.qsize()))
print(count, pending.maxsize)
```
"""


@cache
def made(text: str) -> dict[str, Variant]:
    (project,) = read_cases(text).projects
    return {variant.name: variant for variant in variants(project)}


def output(files: dict[str, str], folder: Path, start: str) -> str:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-S", "-E", start], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr + "\n".join(f"--- {path}\n{text}" for path, text in files.items())
    return run.stdout


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the two programs print as they are written above."""
    return {
        text: output(read_cases(text).projects[0].files(), tmp_path_factory.mktemp("original"), start)
        for text, start in ((PROGRAM, "main.py"), (SCRIPT, "example.py"))
    }


@pytest.mark.parametrize(
    ("text", "start", "name"),
    [(PROGRAM, "main.py", name) for name in made(PROGRAM)] + [(SCRIPT, "example.py", name) for name in made(SCRIPT)],
)
def test_keeps_what_the_program_does(
    text: str, start: str, name: str, expected: dict[str, str], tmp_path: Path
) -> None:
    assert output(made(text)[name].files, tmp_path, start) == expected[text]


def test_each_rewrite_is_tried() -> None:
    tried = set(made(PROGRAM)) | set(made(SCRIPT))
    never = {rewrite.name for rewrite in REWRITES} | {name for name, _ in COMBINED}
    assert never - tried == {"imports guarded"}, "the standard library is never missing"


def test_each_rewrite_changes_the_code_in_its_own_way() -> None:
    for text in (PROGRAM, SCRIPT):
        original = Program.read(read_cases(text).projects[0]).render("original")
        written = [tuple(sorted(variant.files.items())) for variant in (original, *made(text).values())]
        assert len(set(written)) == len(written)


def test_marks_stay_with_their_statements() -> None:
    for variant in made(PROGRAM).values():
        lines = [
            {variant.files[path].splitlines()[line - 1] for path, _, line in places} for _, places in variant.marks
        ]
        assert any("limit" in line or "**arguments" in line for line in lines[0]), variant
        assert any("Counter(" in line for line in lines[1]), variant


def rewritten(rewrite: Callable[[Program], bool], code: str, **others: str) -> dict[str, str]:
    """The files after the rewrite, as ``ast.unparse`` writes them; empty where there was nothing to change."""
    files = {"example.py": code} | {f"{name}.py": text for name, text in others.items()}
    program = Program({path: ast.parse(dedent(text)) for path, text in files.items()}, {}, [], {})
    return program.render("test").files if rewrite(program) else {}


def written(code: str) -> str:
    return ast.unparse(ast.parse(dedent(code))) + "\n"


class TestImports:
    def test_an_alias_is_new_and_replaces_every_use(self) -> None:
        before = """
            import torch
            from torch import nn
            model: nn.Module = torch.compile(nn.Linear(2, 2))
        """
        after = """
            import torch as lib
            from torch import nn as lib2
            model: lib2.Module = lib.compile(lib2.Linear(2, 2))
        """
        assert rewritten(imports.alias_imports, before) == {"example.py": written(after)}

    @pytest.mark.parametrize(
        "code",
        [
            "import torch\ndef f(torch): return torch\n",
            "import torch.nn\nx = torch.nn\n",
            "from torch import *\n",
            "from __future__ import annotations\n",
            "import torch\ndef f(x: 'torch.Tensor'): return x\n",
        ],
    )
    def test_a_name_that_is_bound_or_spelt_elsewhere_stays(self, code: str) -> None:
        assert rewritten(imports.alias_imports, code) == {}

    def test_what_another_file_imports_from_here_stays(self) -> None:
        files = rewritten(imports.alias_imports, "from torch import nn\nx = nn\n", other="from example import nn\n")
        assert files == {
            "example.py": "from torch import nn\nx = nn\n",
            "other.py": "from example import nn as lib\n",
        }

    def test_members(self) -> None:
        before = """
            import gc
            import numpy as np
            gc.collect()
            x = np.random.rand() + np.max(y)
        """
        after = """
            from gc import collect
            from numpy import max as max_, random
            collect()
            x = random.rand() + max_(y)
        """
        assert rewritten(imports.import_members, before) == {"example.py": written(after)}

    def test_guards(self) -> None:
        after = """
            import os
            try:
                from torch import nn
            except ImportError:
                nn = None
        """
        assert rewritten(imports.guard_imports, "import os\nfrom torch import nn\n") == {"example.py": written(after)}


class TestNames:
    def test_names_say_nothing_and_agree_across_files(self) -> None:
        before = """
            from data import make_loader
            def main(path, lr=1):
                loader = make_loader(path)
                return loader.batch
        """
        after = """
            from data import f2
            def f(v2, lr=1):
                v = f2(v2)
                return v.batch
        """
        data = """
            def make_loader(path):
                return Loader(path, lr=3)
        """
        assert rewritten(names.rename, before, data=data) == {
            "example.py": written(after),
            "data.py": written("def f2(v2):\n    return Loader(v2, lr=3)"),
        }

    def test_methods_fields_and_protocols_keep_their_names(self) -> None:
        code = """
            class A:
                width = 1
                def forward(self):
                    return width
            def model_fn(cls):
                return 'x'
        """
        assert rewritten(names.rename, code) == {}


class TestModules:
    def test_a_package_that_re_exports(self) -> None:
        code = """
            import torch
            def f(): return torch
            print(f())
        """
        assert rewritten(modules.split_helpers("package"), code) == {
            "example.py": written("from parts import f\nprint(f())"),
            "parts/__init__.py": written("from .implementation import f\n__all__ = ['f']"),
            "parts/implementation.py": written("import torch\ndef f(): return torch"),
        }

    def test_what_needs_the_rest_of_the_module_stays(self) -> None:
        code = """
            x = 1
            x = 2
            def f(): return x
            print(f())
        """
        assert rewritten(modules.split_helpers("names"), code) == {}

    def test_other_files_still_find_what_was_moved(self) -> None:
        code = """
            def f(): return 1
            def g(): return f()
            print(g())
        """
        files = rewritten(modules.split_helpers("module"), code, other="from example import f\n")
        assert files["example.py"] == written("import parts as lib\nfrom parts import f\nprint(lib.g())")

    def test_a_file_that_would_keep_nothing_is_not_split(self) -> None:
        assert rewritten(modules.split_helpers("names"), "import os\ndef f(): return os\n") == {}


class TestValues:
    def test_a_factory_gets_the_locals_that_it_needs(self) -> None:
        before = """
            def main(path):
                data = Data(path, [p for p in path])
                return data
        """
        after = """
            def make_data(path):
                return Data(path, [p for p in path])
            def main(path):
                data = make_data(path)
                return data
        """
        assert rewritten(values.factory(elsewhere=False), before) == {"example.py": written(after)}

    @pytest.mark.parametrize(
        "code",
        ["x = f()\n", "x, y = Pair()\n", "class A:\n    x = Thing()\n", "async def f(a):\n    x = Thing(await a)\n"],
    )
    def test_no_factory(self, code: str) -> None:
        assert rewritten(values.factory(elsewhere=False), code) == {}

    def test_options(self) -> None:
        before = """
            import os
            Loader(x, workers=4, dim=1, pin=True)
            for i in range(100): pass
        """
        after = """
            import os
            import argparse
            parser = argparse.ArgumentParser()
            parser.add_argument('--workers', type=int, default=4)
            parser.add_argument('--count', type=int, default=100)
            options = parser.parse_args()
            Loader(x, workers=options.workers, dim=1, pin=True)
            for i in range(options.count): pass
        """
        assert rewritten(options.options("variable"), before) == {"example.py": written(after)}

    def test_options_as_a_parameter(self) -> None:
        before = """
            import os
            def load(path): return Loader(path, workers=4)
            def train(path): return load(path)
            def other(): return Loader(os, workers=5)
            if __name__ == '__main__':
                train('data')
        """
        after = """
            import os
            import argparse
            def parse_options():
                parser = argparse.ArgumentParser()
                parser.add_argument('--workers', type=int, default=4)
                return parser.parse_args()
            def load(options, path): return Loader(path, workers=options.workers)
            def train(options, path): return load(options, path)
            def other(): return Loader(os, workers=5)
            if __name__ == '__main__':
                options = parse_options()
                train(options, 'data')
        """
        assert rewritten(options.options("parameter"), before) == {"example.py": written(after)}

    def test_a_function_without_a_caller_that_can_hand_options_on_keeps_its_numbers(self) -> None:
        called_by_a_method = """
            def load(path): return Loader(path, workers=4)
            class A:
                def run(self): return load('data')
        """
        assert rewritten(options.options("parameter"), called_by_a_method) == {}

    def test_dicts(self) -> None:
        code = "x = Loader(d, n=1)\n"
        inline = "x = Loader(d, **dict(n=1))"
        variable = "arguments = {'n': 1}\nx = Loader(d, **arguments)"
        assert rewritten(values.keywords(named=False), code) == {"example.py": written(inline)}
        assert rewritten(values.keywords(named=True), code) == {"example.py": written(variable)}


class TestStructure:
    def test_a_function_becomes_a_class(self) -> None:
        before = """
            def train(loader, lr=1):
                model = Net(lr)
                for x in loader:
                    model(x)
            train(d, lr=2)
        """
        after = """
            class Train:
                def __init__(self, loader, lr=1):
                    self.loader = loader
                    self.lr = lr
                def run(self):
                    self.model = Net(self.lr)
                    for x in self.loader:
                        self.model(x)
            Train(d, lr=2).run()
        """
        assert rewritten(structure.classes, before) == {"example.py": written(after)}

    @pytest.mark.parametrize(
        "code", ["def f(): yield 1\n", "@app.get('/')\ndef f(): pass\n", "def f(): pass\ng(f)\n", "def f(*a): pass\n"]
    )
    def test_a_function_that_is_more_than_called_stays(self, code: str) -> None:
        assert rewritten(structure.classes, code) == {}

    def test_main_guard(self) -> None:
        before = """
            import os
            x = 1
            def f(): return 1
            print(x, f())
        """
        after = """
            import os
            def f(): return 1
            def main():
                x = 1
                print(x, f())
            if __name__ == '__main__':
                main()
        """
        assert rewritten(structure.main_guard, before) == {"example.py": written(after)}
        assert rewritten(structure.main_guard, "x = 1\ndef f(): return x\n") == {}


class TestAnchors:
    CODE = """\
@cached
@app.get(
    '/x'
)
def f():
    if a:
        g(
            1,
        )
    elif b:
        pass
    try:
        pass
    except E:
        pass
    match x:
        case 1:
            h()
"""

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (1, "cached"),
            (3, "app.get('/x')"),
            (5, "@cached"),
            (6, "if a:"),
            (8, "g(1)"),
            (10, "if b:"),
            (14, "except E:"),
            (17, "case 1:"),
            (18, "h()"),
        ],
    )
    def test_the_innermost_statement_has_the_mark(self, line: int, code: str) -> None:
        (anchor,) = anchors_on(ast.parse(self.CODE), line)
        assert ast.unparse(anchor).strip().startswith(code)
