"""Starts a new rule in this repository: ``python -m mlsys_advise.scaffold NAME PACK`` writes check, page and cases.

What it writes runs at once: the skeleton flags its own example. Every sentence that its author must write starts with
``REPLACE:``, and the tests of pages fail while one is left. Nothing is written if any of the files exists.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from mlsys_advise.page import SKELETON

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_CODE = re.compile(r"MLS[1-9]\d{2}")

RULE = '''\
"""{skeleton} say what the rule looks at and what it leaves alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlsys_advise.here import Here
from mlsys_advise.rule import Candidate, rule


@rule("{code}", severity="info", category="performance", lesson="{lesson}", words=("replace_me",))
def {function}(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """{skeleton} say in one sentence what is wrong and what it costs."""
    if here.qualified(call.func) == "torch.replace_me":
        yield here.candidate("{code}", call, "{skeleton} say what is wrong here and what to do")
'''

PAGE = """\
# {code} {name}

{skeleton} a paragraph on what is wrong.

## What it flags

{skeleton} what must be there for a finding, and what the project must answer.

## Why it costs

{skeleton} the mechanism, and its magnitude where it was measured or can be cited.

## Example

```python
import torch

torch.replace_me()  # {code}
```

## Use instead

```python
import torch

torch.use_me()
```

## When it stays silent

{skeleton} what excuses the code, with an example for each excuse.

```python
import numpy as np

np.replace_me()
```

## Fix

{skeleton} what to change, and when not to.

## Measure it yourself

{skeleton} the profiler event, counter or frame that would confirm or refute the finding.

## References

- {skeleton} where it is written down.
"""

CASES = """\
# {code} {name}: names and imports

## An alias of the library

```python
import torch as t

t.replace_me()  # {code}
```

## A function of the same name

```python
def replace_me():
    pass


replace_me()
```
"""


class ScaffoldError(Exception):
    """The rule cannot be started; the message says why and what would do."""


class Lesson(msgspec.Struct, frozen=True):
    module: str
    id: str
    title: str


def write_skeleton(root: Path, name: str, pack: str, code: str | None = None, lesson: str | None = None) -> list[Path]:
    """Write the files of a new rule below ``root`` and return them.

    Raises ``ScaffoldError`` for a name, pack, code or lesson that does not fit, and where a file exists already.
    """
    lessons = read_lessons(root)
    packs = list(dict.fromkeys(entry.module for entry in lessons))
    if not _NAME.fullmatch(name):
        raise ScaffoldError(f"{name!r} must be words in small letters with hyphens between, such as pageable-copy")
    if pack not in packs:
        raise ScaffoldError(f"there is no pack {pack!r}; the packs are {', '.join(packs)}")
    own = [entry.id for entry in lessons if entry.module == pack]
    if lesson is not None and lesson not in own:
        raise ScaffoldError(f"{pack} has no lesson {lesson!r}; its lessons are {', '.join(own)}")
    hundred = packs.index(pack) + 1
    taken = codes_in_use(root)
    code = code or _next_code(hundred, taken)
    if not _CODE.fullmatch(code) or code[3] != str(hundred):
        raise ScaffoldError(f"{code!r} is not a code of {pack}: they run from MLS{hundred}01 to MLS{hundred}99")
    if code in taken:
        raise ScaffoldError(f"{code} is in use, or was: a number is never used again")

    stem = name.replace("-", "_")
    home, cases = root / "rules" / "mlsys_rules" / pack, root / "tests" / "rules" / pack
    texts = {home / f"{stem}.py": RULE, home / f"{stem}.md": PAGE, cases / f"{stem}.md": CASES}
    if existing := [path for path in texts if path.exists()]:
        raise ScaffoldError(f"{existing[0]} exists already")
    for path, template in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = template.format(code=code, name=name, function=stem, lesson=lesson or own[0], skeleton=SKELETON)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def read_lessons(root: Path) -> list[Lesson]:
    """Raises ``ScaffoldError`` if ``root`` is not the root of this repository."""
    path = root / "rules" / "mlsys_rules" / "lessons.toml"
    if not path.is_file():
        raise ScaffoldError(f"{path} does not exist; run this in the root of the repository")
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))["lesson"], list[Lesson])


def codes_in_use(root: Path) -> set[str]:
    """Every code that a rule, a page or a pack's README names: those of dropped rules stay taken too."""
    files: Iterable[Path] = (root / "rules" / "mlsys_rules").rglob("*")
    texts = (path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".md"))
    return {code for text in texts for code in _CODE.findall(text)}


def _next_code(hundred: int, taken: set[str]) -> str:
    """The code after the highest that is taken: a gap may be a number that was dropped."""
    last = max((int(code[3:]) for code in taken if code[3] == str(hundred)), default=hundred * 100)
    if last % 100 == 99:
        raise ScaffoldError("the numbers of this pack are used up to the last; name one with --code")
    return f"MLS{last + 1}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m mlsys_advise.scaffold", description="Start a new rule.")
    parser.add_argument("name", help="such as pageable-batch-transfer")
    parser.add_argument("pack", help="such as memory")
    parser.add_argument("--code", help="default: the one after the pack's highest")
    parser.add_argument("--lesson", help="the lesson that the rule illustrates; default: the pack's first")
    options = parser.parse_args(arguments)
    root = Path.cwd()
    try:
        written = write_skeleton(root, options.name, options.pack, options.code, options.lesson)
    except ScaffoldError as error:
        parser.error(str(error))
    for path in written:
        print(path.relative_to(root))
    print(f"Write what stands after each {SKELETON!r}, then: python -m pytest tests/rules -k {written[0].stem}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
