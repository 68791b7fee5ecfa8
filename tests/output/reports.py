"""Findings with everything in them that a format could trip over, in a repository that holds their files."""

from __future__ import annotations

import json
from pathlib import Path

from mlsys_advise.edit import Fix, ReplaceExpression
from mlsys_advise.finding import Finding, Related
from mlsys_advise.heat import STEP, TRAINING, Heat
from mlsys_advise.span import Place, Span

TRAIN = 'import gc\n\nfor batch in loader:\n    note = "é𝄞"; gc.collect()\n    gc.collect()\n'
_CELLS = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": "gc.collect()\n"}]
NOTEBOOK = json.dumps({"cells": _CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def finding(path: Path, span: Span, **changes: object) -> Finding:
    values: dict[str, object] = {
        "code": "MLS401",
        "name": "gc-collect-in-hot-path",
        "message": "gc.collect() walks every container object",
        "why": "A full collection visits every container of the process.",
        "severity": "warning",
        "category": "performance",
        "lesson": "garbage-collection",
        "path": path.as_posix(),
        "span": span,
        "heat": Heat.of(TRAINING, STEP),
    }
    return Finding(**(values | changes))  # type: ignore[arg-type]


def repository(folder: Path) -> list[Finding]:
    """Write the files into ``folder``, a repository; the findings in order of path and place."""
    (folder / ".git").mkdir()
    (folder / "a b").mkdir()
    train, notebook = folder / "a b" / "train.py", folder / "n.ipynb"
    train.write_text(TRAIN, encoding="utf-8")
    notebook.write_text(NOTEBOOK, encoding="utf-8")
    here = Place(train.as_posix(), Span(3, 1, 3, 4))
    cell = Place(notebook.as_posix(), Span(1, 1, 1, 3, 1))
    fix = Fix("Do nothing instead", "suggested", (ReplaceExpression(Span(4, 18, 4, 30), "None"),))
    tricky = "50% of `a|b`, <b>: [x](y)\nnext; line] @someone \x07\ud800"
    return [
        finding(
            train,
            Span(4, 18, 4, 30),
            heat_path=(Related(here, "training loop"),),
            related=(Related(cell, "also here"),),
            assumed=("nothing pins it",),
            fix=fix,
        ),
        finding(train, Span(5, 5, 5, 17), severity="error", category="security", message=tricky, code="MLS716"),
        finding(notebook, Span(1, 1, 1, 13, 1), severity="info"),
    ]
