"""An engine that answers what a test has written down, in place of the real one."""

from __future__ import annotations

import ast
import importlib
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from mlsys_advise import registry
from mlsys_advise.finding import Finding, InternalError, Notice, Place, Related, Span
from mlsys_advise.heat import STEP, TRAINING, Heat
from mlsys_advise.rule import Rule
from mlsys_advise.vocabulary import Vocabulary


class Taught(Rule, frozen=True):
    """A rule that flags nothing and has a page."""

    def page(self) -> str:
        return f"# {self.code} {self.name}\n\nTeaches something.\n\n## What it flags\n\n- one *thing*\n"


def taught(code: str, name: str, pack: str, **rest: Any) -> Taught:
    module = f"mlsys_rules.{pack}.{name.replace('-', '_')}"
    values = {"severity": "warning", "category": "performance", "lesson": "5.3", "summary": "A sentence about it."}
    return Taught(code, name, check=lambda node, here: iter(()), nodes=(ast.Call,), module=module, **(values | rest))


RULES = (
    taught("MLS101", "scalar-tensor-loop", "architecture"),
    taught("MLS401", "gc-collect-in-hot-path", "memory"),
    taught("MLS413", "pageable-batch-transfer", "memory", severity="info"),
    taught("MLS499", "expensive-question", "memory", optin=True),
)


def finding(path: Path | str, line: int = 1, **changes: Any) -> Finding:
    """A finding in which every field is filled."""
    where = Path(path).absolute().as_posix()
    values: dict[str, Any] = {
        "code": "MLS401",
        "name": "gc-collect-in-hot-path",
        "message": "gc.collect() runs in every training step",
        "why": "a full collection walks each container object of the process",
        "severity": "warning",
        "category": "performance",
        "lesson": "5.3",
        "path": where,
        "span": Span(line, 5, line, 17),
        "heat": Heat.of(TRAINING, STEP),
        "heat_path": (Related(Place(where, Span(1, 1, 1, 4)), "loop over a loader"),),
    }
    return Finding(**(values | changes))


def provide() -> None:
    """Stand in for the engine while there is none."""
    full = "mlsys_advise.engine"
    try:
        importlib.import_module(full)
        return
    except ImportError:
        pass
    module: Any = types.ModuleType(full)

    class Options(msgspec.Struct, frozen=True):
        select: tuple[str, ...] = ()
        ignore: tuple[str, ...] = ()
        jobs: int = 0
        executor: str = ""
        cache: Path | None = None
        use_cache: bool = True
        isolated: bool = False
        raise_errors: bool = False

    class Report(msgspec.Struct, frozen=True):
        findings: tuple[Finding, ...] = ()
        notices: tuple[Notice, ...] = ()
        errors: tuple[InternalError, ...] = ()
        files: int = 0
        partial: bool = False

    module.Options, module.Report = Options, Report
    sys.modules[full] = module


def install(check: Callable[..., Any], patch: Callable[[Any, str, Any], None] = setattr) -> None:
    """Let the command line find ``check`` and our three rules; ``patch`` may be a monkeypatch's setattr."""
    provide()
    from mlsys_advise import engine

    for module, name, value in (
        (engine, "check", check),
        (engine, "inspect", lambda path, line, options: f"{path}\n  line {line}"),
        (engine, "why", lambda code, path, line, options: f"{code} at {path}:{line}\n  silent"),
        (registry, "load_rules", lambda: registry.Registry(RULES, Vocabulary(), b"")),
    ):
        if not hasattr(module, name):
            setattr(module, name, None)
        patch(module, name, value)


def report(findings: Sequence[Finding] = (), **rest: Any) -> Any:
    provide()
    from mlsys_advise import engine

    return engine.Report(
        **({"findings": tuple(findings), "notices": (), "errors": (), "files": 1, "partial": False} | rest)
    )
