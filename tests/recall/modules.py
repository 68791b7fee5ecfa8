"""Rewrites that spread a module over several files."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence, Set
from pathlib import PurePosixPath
from typing import Literal

from tests.recall.imports import Import, bound_name
from tests.recall.program import Program, marks_within
from tests.recall.replace import use_members
from tests.recall.scopes import Definition, all_names, bindings, free_names, fresh, is_future, top_names

#: How the rest of a module gets at what was moved out of it.
Style = Literal["names", "module", "package"]
Choice = Callable[[ast.Module], list[ast.stmt]]


def split_helpers(style: Style) -> Callable[[Program], bool]:
    """Functions and classes without a mark move to a file of their own."""

    def choose(tree: ast.Module) -> list[ast.stmt]:
        movable = _closed(tree, [node for node in _movable(tree) if not marks_within(node)])
        return _needed(movable, [node for node in movable if isinstance(node, Definition)])

    return lambda program: _split(program, choose, style)


def split_flagged(program: Program) -> bool:
    """Functions and classes with a mark move to a file of their own, with all that they need."""

    def choose(tree: ast.Module) -> list[ast.stmt]:
        movable = _closed(tree, _movable(tree))
        return _needed(movable, [node for node in movable if isinstance(node, Definition) and marks_within(node)])

    return _split(program, choose, "names")


def split_objects(program: Program) -> bool:
    """Module variables that functions use move to a file of their own, with all that they need."""
    return _split(program, _objects, "names")


def split_out(program: Program, names: set[str]) -> bool:
    """The definitions of these names move to a file of their own, with all that they need."""

    def choose(tree: ast.Module) -> list[ast.stmt]:
        movable = _closed(tree, _movable(tree))
        return _needed(movable, [node for node in movable if isinstance(node, Definition) and node.name in names])

    return _split(program, choose, "names")


def _objects(tree: ast.Module) -> list[ast.stmt]:
    used = free_names([node for node in tree.body if isinstance(node, Definition)])
    movable = _closed(tree, _movable(tree))
    calls = [
        node
        for node in movable
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and top_names([node]) & used
    ]
    return _needed(movable, calls)


def _movable(tree: ast.Module) -> list[ast.stmt]:
    """Definitions and plain assignments of names that the module binds once."""
    count = bindings(ast.Module([node for node in tree.body if not isinstance(node, Definition)], []))
    count.update(node.name for node in tree.body if isinstance(node, Definition))
    return [
        node
        for node in tree.body
        if isinstance(node, Definition)
        or (isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets))
        if all(count[name] == 1 for name in top_names([node]))
    ]


def _closed(tree: ast.Module, candidates: list[ast.stmt]) -> list[ast.stmt]:
    """The candidates that need nothing of the module but imports and each other."""
    own = top_names([node for node in tree.body if not _imports(node)])
    while True:
        staying = own - top_names(candidates)
        closed = [node for node in candidates if not free_names([node]) & staying]
        if len(closed) == len(candidates):
            return closed
        candidates = closed


def _needed(movable: list[ast.stmt], seeds: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The seeds and what they need, in the order of the module."""
    chosen = list(seeds)
    for node in chosen:
        names = free_names([node])
        chosen.extend(other for other in movable if other not in chosen and top_names([other]) & names)
    return [node for node in movable if node in chosen]


def _split(program: Program, choose: Choice, style: Style) -> bool:
    changed = False
    for path in list(program.trees):
        tree = program.trees[path]
        moved = choose(tree)
        rest = [node for node in tree.body if node not in moved]
        if moved and any(not _imports(node) and not _is_docstring(node) for node in rest):
            _move(program, path, moved, style)
            changed = True
    return changed


def _move(program: Program, path: str, moved: list[ast.stmt], style: Style) -> None:
    tree = program.trees[path]
    rest = [node for node in tree.body if node not in moved and not _imports(node)]
    imports = [node for node in tree.body if _imports(node)]
    wanted = _wanted_elsewhere(program, path)
    used, public = free_names(rest) & top_names(moved), wanted & top_names(moved)
    taken = all_names(program.trees.values()) | {PurePosixPath(other).stem for other in program.trees}
    stem = fresh("parts", taken)
    relative = any(isinstance(node, ast.ImportFrom) and node.level for node in tree.body)
    module = ".".join([*(() if relative else PurePosixPath(path).parent.parts), stem])

    _add_file(program, path, stem, [*_imports_for(imports, moved), *moved], sorted(used | public), style)
    head = _imports_for(imports, rest, wanted)
    if style == "module" and (attributes := used - set(bindings(ast.Module(rest, [])))):
        local = fresh("lib", taken)
        use_members(ast.Module(rest, []), {name: (local, name) for name in attributes})
        alias = ast.alias(module, local)
        head.append(ast.ImportFrom(None, [alias], 1) if relative else ast.Import([alias]))
        used -= attributes
    if names := sorted(used | public):
        head.append(ast.ImportFrom(module, [ast.alias(name) for name in names], int(relative)))
    docstrings = [node for node in rest if _is_docstring(node)]
    tree.body = docstrings + head + [node for node in rest if node not in docstrings]


def _add_file(program: Program, path: str, stem: str, body: list[ast.stmt], names: list[str], style: Style) -> None:
    folder = PurePosixPath(path).parent
    if style != "package":
        program.trees[(folder / f"{stem}.py").as_posix()] = ast.Module(body, [])
        return
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.level:
            node.level += 1
    exports = ast.ImportFrom("implementation", [ast.alias(name) for name in names], 1)
    listed = ast.List([ast.Constant(name) for name in names], ast.Load())
    index: list[ast.stmt] = [exports, ast.Assign([ast.Name("__all__", ast.Store())], listed)]
    program.trees[(folder / stem / "implementation.py").as_posix()] = ast.Module(body, [])
    program.trees[(folder / stem / "__init__.py").as_posix()] = ast.Module(index, [])


def _imports_for(imports: list[ast.stmt], body: Sequence[ast.stmt], wanted: Set[str] = frozenset()) -> list[ast.stmt]:
    """Copies of the imports that the body needs, or that other files want from here."""
    names = free_names(body) | wanted
    result: list[ast.stmt] = []
    for node in imports:
        new = copy.deepcopy(node)
        if isinstance(new, Import) and not is_future(new):
            new.names = [alias for alias in new.names if bound_name(alias) in names]
        if not isinstance(new, Import) or new.names:
            result.append(new)
    return result


def _wanted_elsewhere(program: Program, path: str) -> set[str]:
    """The names that other files of the program may take from this one: by ``from m import f``, or as ``m.f``."""
    names: set[str] = set()
    for other, tree in program.trees.items():
        for node in ast.walk(tree) if other != path else ():
            if isinstance(node, ast.ImportFrom) and program.is_own(node):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names.add(node.attr)
    return names


def _imports(node: ast.stmt) -> bool:
    """Whether the statement imports, or tries to."""
    return isinstance(node, Import) or (
        isinstance(node, ast.Try) and any(isinstance(inner, Import) for inner in node.body)
    )


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
