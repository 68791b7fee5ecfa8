"""An engine that answers what a test has written down, in place of the real one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mlsys_advise import engine, registry
from mlsys_advise.finding import Finding, Related
from mlsys_advise.heat import STEP, TRAINING, Heat
from mlsys_advise.rule import Rule
from mlsys_advise.span import Place, Span
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


def install(check: Callable[..., Any], patch: Callable[[Any, str, Any], None] = setattr) -> None:
    """Let the command line find ``check`` and our four rules; ``patch`` may be a monkeypatch's setattr."""
    patch(engine, "check", check)
    patch(engine, "inspect", lambda path, line, options: f"{path}\n  line {line}")
    patch(engine, "why", lambda code, path, line, options: f"{code} at {path}:{line}\n  silent")
    patch(registry, "load_rules", lambda: registry.Registry(RULES, Vocabulary(), b""))


def report(findings: Sequence[Finding] = (), **rest: Any) -> engine.Report:
    failing = sum(finding.severity != "info" for finding in findings)
    return engine.Report(**({"findings": tuple(findings), "files": 1, "failing": failing} | rest))
