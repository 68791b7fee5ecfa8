"""Who imports whom: the arrows of docs/architecture.md, checked on the source and in running programs.

To allow an import that this test forbids, amend ``MAY_IMPORT`` in the same commit, and say why in the architecture.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
ROOTS = ("advisor", "rules", "calibration")

#: What a rule is written against: it sees one document through ``here`` and attaches questions for the rest.
FOR_RULES = {
    "mlsys_advise.condition",
    "mlsys_advise.edit",
    "mlsys_advise.finding",
    "mlsys_advise.heat",
    "mlsys_advise.here",
    "mlsys_advise.languages",
    "mlsys_advise.library",
    "mlsys_advise.project.shared_memory",  # the types of what ``here.shared_memory`` answers
    "mlsys_advise.rule",
    "mlsys_advise.term",
    "mlsys_advise.vocabulary",
}
#: Plain data that every part of the engine speaks in; none of it knows how it is made.
WORDS = {
    "mlsys_advise.condition",
    "mlsys_advise.edit",
    "mlsys_advise.finding",
    "mlsys_advise.heat",
    "mlsys_advise.interface",
    "mlsys_advise.span",
    "mlsys_advise.term",
    "mlsys_advise.usage",
    "mlsys_advise.vocabulary",
}
#: For the modules below each name: what of this project they may import, beside their own package.
MAY_IMPORT: dict[str, set[str]] = {
    "mlsys_rules": FOR_RULES,
    "mlsys_calibration": set(),
    "mlsys_advise": {"mlsys_advise"},
    "mlsys_advise.cost": WORDS
    | {"mlsys_calibration.benchmark", "mlsys_calibration.envelope", "mlsys_calibration.figures"},
    "mlsys_advise.targets": {
        "mlsys_advise.cost",
        "mlsys_advise.usage",
        "mlsys_calibration.figures",
        "mlsys_calibration.profiles",
    },
    "mlsys_advise.command.calibrate": {"mlsys_advise", "mlsys_calibration"},
    "mlsys_advise.output.calibration": {
        "mlsys_advise.output",
        "mlsys_calibration.benchmark",
        "mlsys_calibration.profile",
    },
    "mlsys_advise.cache": {"mlsys_advise.finding"},
    "mlsys_advise.condition": WORDS,
    "mlsys_advise.finding": WORDS,
    "mlsys_advise.heat": set(),
    "mlsys_advise.interface": WORDS,
    "mlsys_advise.term": set(),
    "mlsys_advise.usage": set(),
    "mlsys_advise.vocabulary": WORDS,
    "mlsys_advise.languages": WORDS | {"mlsys_advise.library"},
    "mlsys_advise.library": WORDS | {"mlsys_advise.languages.requirements"},
    "mlsys_advise.output": WORDS
    | {"mlsys_advise.languages.source", "mlsys_advise.languages.texts", "mlsys_advise.fixing"}
    | {"mlsys_advise.fingerprint", "mlsys_advise.project.repository", "mlsys_advise.rule"},
    "mlsys_advise.fixing": WORDS | {"mlsys_advise.languages"},
    "mlsys_advise.edit": WORDS,
    "mlsys_advise.span": set(),
    "mlsys_advise.settings": WORDS | {"mlsys_advise.languages.source", "mlsys_advise.project.layout"},
    "mlsys_advise.suppression": WORDS
    | {
        "mlsys_advise.here",
        "mlsys_advise.languages",
        "mlsys_advise.project.file_languages",
        "mlsys_advise.rule",
        "mlsys_advise.fixing",
    },
}
#: These packages of others are imported below these modules and nowhere else.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "numpy": ("mlsys_calibration.benchmarks",),
    "torch": ("mlsys_calibration.benchmarks",),
    "dask": ("mlsys_advise.executors",),
    "distributed": ("mlsys_advise.executors",),
    "libcst": ("mlsys_advise.fixing",),
    "rich": ("mlsys_advise.output",),
    "yaml": ("mlsys_advise.languages",),
    "tree_sitter": ("mlsys_advise.languages",),
    "tree_sitter_bash": ("mlsys_advise.languages",),
    "sqlite3": ("mlsys_advise.cache",),
    "pickle": (),
    "marshal": (),
    "shelve": (),
    # revisions of a repository; ruff; compilers, and processes that are what a benchmark measures
    "subprocess": ("mlsys_advise.project.revisions", "mlsys_advise.peers.ruff", "mlsys_calibration.benchmarks"),
    "socket": (),
    "urllib.request": (),
    "http.client": (),
}
#: These may be imported inside a function only: a run that does not need them does not pay for them.
LAZY = {"rich", "distributed", "dask", "libcst", "pydantic", "numpy", "torch"}
#: Nothing else imports these when it is imported itself, so what they import at once is lazy all the same.
ON_DEMAND = (
    "mlsys_advise.command.fixing",
    "mlsys_advise.fixing",
    "mlsys_advise.settings.model",
    "mlsys_advise.suppression.writing",
)


def sources() -> dict[str, Path]:
    """Modules by name; packages by the name of the package."""
    found = {}
    for root in ROOTS:
        for path in sorted((REPOSITORY / root).rglob("*.py")):
            parts = path.relative_to(REPOSITORY / root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


SOURCES = sources()


@functools.cache
def imports(module: str, *, at_import_time: bool = False) -> tuple[tuple[str, int], ...]:
    """What ``module`` imports, with lines; a submodule imported from its package counts as the submodule."""
    return tuple(sorted(_imports(module, at_import_time)))


def _imports(module: str, at_import_time: bool) -> Iterator[tuple[str, int]]:
    pending: list[ast.AST] = [ast.parse(SOURCES[module].read_bytes())]
    while pending:
        node = pending.pop()
        if at_import_time and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import hides where it leads"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield (name if name in SOURCES else str(node.module)), node.lineno
        pending.extend(ast.iter_child_nodes(node))


def below(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def governing(module: str) -> str:
    return max((name for name in MAY_IMPORT if below(module, name)), key=len)


def test_the_table_speaks_of_modules_that_exist() -> None:
    named = set(MAY_IMPORT) | {name for allowed in MAY_IMPORT.values() for name in allowed}
    assert sorted(name for name in named if name not in SOURCES) == []


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_imports_what_its_layer_may_know(module: str) -> None:
    layer = governing(module)
    allowed = MAY_IMPORT[layer] | {layer}
    wrong = [
        f"{module}:{line} imports {name}"
        for name, line in imports(module)
        if name.startswith("mlsys_") and name != "mlsys_advise"  # which holds the version alone
        if not any(below(name, other) for other in allowed)
    ]
    assert wrong == []


def test_the_engine_knows_no_driver_and_no_rendering() -> None:
    drivers = ("mlsys_advise.command", "mlsys_advise.output", "mlsys_advise.__main__")
    wrong = [
        f"{module}:{line} imports {name}"
        for module in SOURCES
        if not any(below(module, driver) for driver in drivers)
        for name, line in imports(module)
        if any(below(name, driver) for driver in drivers)
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ONLY_IN)
def test_packages_of_others_are_imported_where_they_belong(package: str) -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module in SOURCES
        if not any(below(module, place) for place in ONLY_IN[package])
        for name, line in imports(module)
        if below(name, package)
    ]
    assert wrong == []


def test_what_is_rarely_needed_is_imported_when_it_is() -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module in SOURCES
        if not below(module, "mlsys_calibration")
        for name, line in imports(module, at_import_time=True)
        if _too_early(module, name)
    ]
    assert wrong == []


def _too_early(module: str, name: str) -> bool:
    if any(below(module, package) for package in ON_DEMAND):
        return False
    return name.partition(".")[0] in LAZY or any(below(name, package) for package in ON_DEMAND)


@pytest.mark.parametrize("module", [name for name, path in SOURCES.items() if path.name == "__init__.py"])
def test_a_package_states_what_always_holds_in_it(module: str) -> None:
    text = ast.get_docstring(ast.parse(SOURCES[module].read_bytes()))
    assert text is not None, f"{module} has no docstring"
    assert text.split("\n\n")[0].endswith("."), f"the docstring of {module} is not a sentence"
    assert len(text.split()) >= 8, f"the docstring of {module} states nothing"


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(ast.parse(SOURCES[module].read_bytes())), f"{module} has no docstring"


@pytest.mark.parametrize("module", SOURCES)
def test_no_module_is_a_drawer(module: str) -> None:
    assert not {"utils", "util", "helpers", "helper", "common", "misc", "core", "base"} & set(module.split("."))


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(done.stdout.split())


def test_the_engine_finds_rules_without_knowing_them() -> None:
    """What the table says of the source holds in a running program too, imports of imports included."""
    assert not any(below(name, "mlsys_rules") for name in loaded_by("import mlsys_advise.engine"))
    assert "mlsys_rules" in loaded_by("from mlsys_advise.registry import load_rules; load_rules()")


def test_linting_loads_neither_numpy_nor_torch(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import torch\n\nx = torch.zeros(3)\n")
    code = (
        "from pathlib import Path; from mlsys_advise.engine import Options, check;"
        f" check([Path({str(tmp_path)!r})], Options(use_cache=False))"
    )
    unneeded = {"numpy", "torch", "rich", "pydantic", "distributed", "libcst", "asyncio", "mlsys_calibration"}
    assert sorted(loaded_by(code) & unneeded) == []
