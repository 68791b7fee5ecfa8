"""Random edits of a project on disk, as they happen while people work, including those that leave broken code.

The same seed on the same files makes the same edits.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

#: Files that are not Python and that the linter reads too.
MANIFESTS = ("requirements*.txt", "pyproject.toml", "setup.cfg", "*.yaml", "*.yml", "Dockerfile*", "*.sh")

_Statement = ast.stmt
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Workspace:
    """A project that is edited in place; ``favoured`` paths are edited as often as all the others together."""

    def __init__(self, root: Path, seed: int, favoured: Sequence[str] = ()) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.favoured = set(favoured)
        self.original = {path: (root / path).read_bytes() for path in self._listed("*.py", "*.ipynb", *MANIFESTS)}

    def edit(self) -> str:
        """Makes one edit and says which. Tries others where the one that was drawn does not apply."""
        while True:
            make = self.random.choice(_EDITS)
            if done := make(self):
                return done

    def restore(self) -> None:
        """Puts every file back as it was."""
        for path in self._listed("*.py", "*.ipynb", *MANIFESTS):
            if path not in self.original:
                (self.root / path).unlink()
        for path, text in self.original.items():
            file = self.root / path
            if not file.exists() or file.read_bytes() != text:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text)

    def _listed(self, *patterns: str) -> list[str]:
        found = {file for pattern in patterns for file in self.root.rglob(pattern) if file.is_file()}
        return sorted(file.relative_to(self.root).as_posix() for file in found)

    def pick(self, *patterns: str) -> Path | None:
        paths = self._listed(*patterns)
        favoured = [path for path in paths if path in self.favoured]
        pool = favoured if favoured and self.random.random() < 0.5 else paths
        return self.root / self.random.choice(pool) if pool else None

    def rewrite(self, change: Callable[[list[str], random.Random], str | None], *patterns: str) -> str | None:
        """Applies ``change`` to the lines of a file; what it returns describes it, None means not applicable."""
        file = self.pick(*patterns)
        if file is None:
            return None
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
        done = change(lines, self.random)
        if done is None:
            return None
        file.write_text("".join(lines), encoding="utf-8", errors="surrogateescape", newline="")
        return f"{file.relative_to(self.root).as_posix()}: {done}"


def parsed(lines: Sequence[str]) -> ast.Module | None:
    try:
        return ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def statements(tree: ast.Module) -> Iterator[tuple[list[ast.stmt], int]]:
    """Every statement as (block, index in it)."""
    for node in ast.walk(tree):
        for block in (getattr(node, field, None) for field in ("body", "orelse", "finalbody")):
            if isinstance(block, list) and block and isinstance(block[0], _Statement):
                yield from ((block, index) for index in range(len(block)))


def extent(statement: ast.stmt) -> slice:
    """Its lines, decorators included. Two statements on one line share it, so an edit may take both."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return slice(first - 1, statement.end_lineno or statement.lineno)


def indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def delete_statement(lines: list[str], rng: random.Random) -> str | None:
    tree = parsed(lines)
    if tree is None or not tree.body:
        return None
    block, index = rng.choice(list(statements(tree)))
    gone = extent(block[index])
    # Without the `pass` an only statement leaves broken code behind: wanted now and then, as in an editor.
    filler = [] if len(block) > 1 or rng.random() < 0.3 else [f"{indentation(lines[gone.start])}pass\n"]
    lines[gone] = filler
    return f"deleted lines {gone.start + 1} to {gone.stop}"


def move_statement(lines: list[str], rng: random.Random) -> str | None:
    tree = parsed(lines)
    if tree is None:
        return None
    blocks = [(block, index) for block, index in statements(tree) if len(block) > 1]
    if not blocks:
        return None
    block, index = rng.choice(blocks)
    other = rng.choice([i for i in range(len(block)) if i != index])
    taken, target = extent(block[index]), extent(block[other])
    text = lines[taken]
    if target.start >= taken.stop:
        lines[target.stop : target.stop] = text
        lines[taken] = []
    elif target.stop <= taken.start:
        lines[taken] = []
        lines[target.start : target.start] = text
    else:
        return None
    return f"moved lines {taken.start + 1} to {taken.stop} to line {target.start + 1}"


def rename_definition(lines: list[str], rng: random.Random) -> str | None:
    """The definition alone, so that every use of it now refers to nothing; or each word of the file."""
    tree = parsed(lines)
    if tree is None:
        return None
    definitions = [node for node in ast.walk(tree) if isinstance(node, _Definition)]
    if not definitions:
        return None
    node = rng.choice(definitions)
    word = re.compile(rf"\b{re.escape(node.name)}\b")
    everywhere = rng.random() < 0.3
    touched = range(len(lines)) if everywhere else range(node.lineno - 1, node.lineno)
    for at in touched:
        lines[at] = word.sub(f"{node.name}_renamed", lines[at], count=0 if everywhere else 1)
    return f"renamed {node.name}{' everywhere' if everywhere else ''}"


def edit_body(lines: list[str], rng: random.Random) -> str | None:
    """A statement more inside a function."""
    tree = parsed(lines)
    bodies = [] if tree is None else [node.body for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    bodies = [body for body in bodies if lines[extent(body[-1]).start][: body[-1].col_offset].isspace()]
    if not bodies:
        return None
    last = extent(rng.choice(bodies)[-1])
    lines.insert(last.start, f"{indentation(lines[last.start])}edited = {rng.randrange(10**9)}\n")
    return f"added a statement at line {last.start + 1}"


def edit_signature(lines: list[str], rng: random.Random) -> str | None:
    """A parameter more."""
    tree = parsed(lines)
    functions = [] if tree is None else [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    functions = [node for node in functions if not node.args.kwarg and f"def {node.name}(" in lines[node.lineno - 1]]
    if not functions:
        return None
    node = rng.choice(functions)
    head = f"def {node.name}("
    # In front, so that it needs no default: callers are wrong now, which is what people's callers are meanwhile.
    more = "" if node.args.posonlyargs or node.args.args else "*, " if not node.args.kwonlyargs else None
    if more is None or node.args.vararg:
        return None
    added = f"added_{rng.randrange(10**9)}"
    parameter = f"{added}, " if not more else f"{more}{added}"
    lines[node.lineno - 1] = lines[node.lineno - 1].replace(head, head + parameter, 1)
    return f"added a parameter to {node.name}"


def edit_import(lines: list[str], rng: random.Random) -> str | None:
    """An import removed, or one more."""
    tree = parsed(lines)
    if tree is None:
        return None
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    imports = [node for node in imports if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")]
    if not imports:
        return None
    at = extent(rng.choice(imports))
    if rng.random() < 0.5:
        lines[at] = []
        return f"removed the import at line {at.start + 1}"
    lines.insert(at.start, f"import json as json_{rng.randrange(10**9)}\n")
    return f"added an import at line {at.start + 1}"


def break_line(lines: list[str], rng: random.Random) -> str | None:
    """Half a line, as while it is being typed."""
    full = [at for at, line in enumerate(lines) if len(line.strip()) > 8]
    if not full:
        return None
    at = rng.choice(full)
    lines[at] = lines[at].rstrip()[: -rng.randint(1, 6)] + "\n"
    return f"cut line {at + 1} short"


def edit_manifest(lines: list[str], rng: random.Random) -> str | None:
    """A line deleted or doubled, or a number in it changed."""
    full = [at for at, line in enumerate(lines) if line.strip()]
    if not full:
        return None
    at = rng.choice(full)
    match rng.randrange(3):
        case 0:
            lines[at] = ""
            return f"deleted line {at + 1}"
        case 1:
            lines[at] *= 2
            return f"doubled line {at + 1}"
        case _:
            lines[at] = re.sub(r"\d+", lambda number: str((int(number[0]) + 1) % 10), lines[at], count=1)
            return f"changed line {at + 1}"


def add_file(workspace: Workspace) -> str | None:
    """A copy of a file beside it: its names now exist twice."""
    file = workspace.pick("*.py")
    if file is None:
        return None
    copy = file.with_name(f"{file.stem}_copy{workspace.random.randrange(1000)}.py")
    copy.write_bytes(file.read_bytes())
    return f"added {copy.relative_to(workspace.root).as_posix()}"


def remove_file(workspace: Workspace) -> str | None:
    file = workspace.pick("*.py", *MANIFESTS)
    if file is None:
        return None
    file.unlink()
    return f"removed {file.relative_to(workspace.root).as_posix()}"


def rename_file(workspace: Workspace) -> str | None:
    file = workspace.pick("*.py")
    if file is None:
        return None
    file.rename(file.with_name(f"{file.stem}_moved.py"))
    return f"renamed {file.relative_to(workspace.root).as_posix()}"


def revert_file(workspace: Workspace) -> str | None:
    """What version control does: a content that was seen before comes back."""
    changed = [
        path
        for path, text in workspace.original.items()
        if not (workspace.root / path).exists() or (workspace.root / path).read_bytes() != text
    ]
    if not changed:
        return None
    path = workspace.random.choice(changed)
    (workspace.root / path).parent.mkdir(parents=True, exist_ok=True)
    (workspace.root / path).write_bytes(workspace.original[path])
    return f"reverted {path}"


def _on_python(change: Callable[[list[str], random.Random], str | None]) -> Callable[[Workspace], str | None]:
    return lambda workspace: workspace.rewrite(change, "*.py")


_EDITS: tuple[Callable[[Workspace], str | None], ...] = (
    *(_on_python(delete_statement),) * 4,
    *(_on_python(move_statement),) * 3,
    *(_on_python(rename_definition),) * 3,
    _on_python(edit_body),
    _on_python(edit_signature),
    _on_python(edit_import),
    _on_python(break_line),
    lambda workspace: workspace.rewrite(edit_manifest, *MANIFESTS),
    lambda workspace: workspace.rewrite(edit_manifest, *MANIFESTS),
    add_file,
    remove_file,
    rename_file,
    revert_file,
    revert_file,
)
