"""Anyone can ship a pack: a distribution with rules, kinds and roots of heat of its own, found by entry point.

The pack here knows a library that the engine does not: its jobs, whose ``tick`` is a step of serving, and its stores,
whose ``fetch`` should not be called there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACK = '''\
"""Rules for the acme library."""

import ast
from collections.abc import Iterator

from mlsys_advise.condition import KindIs, require
from mlsys_advise.heat import SERVING, STEP
from mlsys_advise.here import Here
from mlsys_advise.rule import API, Candidate, Pack, rule
from mlsys_advise.vocabulary import Root, Vocabulary


@rule(
    "ACME101",
    severity="warning",
    category="performance",
    lesson="caches",
    heat=(SERVING, STEP),
    words=("fetch",),
)
def fetch_per_tick(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """A store is asked over the network, once for each tick."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "fetch":
        kind = KindIs(here.term(call.func.value), ("acme_store",))
        yield here.candidate("ACME101", call, "fetch in a tick: keep what the store returned", require(kind))


PACK = Pack(
    "acme",
    (fetch_per_tick,),
    Vocabulary(
        constructors={"acme.Store": "acme_store"},
        roots=(Root("tick of an acme job", SERVING, STEP, base="acme.Job", methods=("tick",)),),
    ),
    api=API,
)
'''

PAGE = "# ACME101 fetch-per-tick\n\nA store is asked over the network, once for each tick.\n"

PROJECT = {
    "stores.py": "from acme import Store\n\n\ndef open_store():\n    return Store()\n",
    "job.py": """\
from acme import Job

from stores import open_store

store = open_store()


class Mine(Job):
    def tick(self):
        return self.current()

    def current(self):
        return store.fetch()


def start():
    return store.fetch()
""",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed distributions that holds the pack."""
    folder = tmp_path / "site"
    package, metadata = folder / "acme_advice" / "acme", folder / "acme_advice-1.0.dist-info"
    package.mkdir(parents=True)
    metadata.mkdir()
    (folder / "acme_advice" / "__init__.py").write_text("", encoding="utf-8")
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "fetch_per_tick.py").write_text(PACK, encoding="utf-8")
    (package / "fetch_per_tick.md").write_text(PAGE, encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-advice\nVersion: 1.0\n", encoding="utf-8")
    entry = "[mlsys_advise.rules]\nacme = acme_advice.acme.fetch_per_tick:PACK\n"
    (metadata / "entry_points.txt").write_text(entry, encoding="utf-8")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlsys-advise.toml").touch()
    for name, text in PROJECT.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def advise(site: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "mlsys_advise", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def findings(site: Path, project: Path, *options: str) -> list[dict[str, Any]]:
    """The findings as the program prints them: JSON, so their values are of any type."""
    run = advise(site, "--no-cache", "--output-format", "json", *options, project)
    assert run.returncode in (0, 1), run.stderr
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_its_rule_kind_and_root_work_across_files(site: Path, project: Path, jobs: str) -> None:
    (finding,) = findings(site, project, "--select", "ACME101", "--jobs", jobs)
    assert (finding["code"], finding["name"], finding["severity"]) == ("ACME101", "fetch-per-tick", "warning")
    assert (Path(finding["filename"]).name, finding["location"]["row"]) == ("job.py", 13)
    assert {"context": "serving", "frequency": "step"} in finding["heat"]
    assert any("tick of an acme job" in step["message"] for step in finding["heat_path"])


def test_its_rule_is_listed_and_explained(site: Path) -> None:
    assert "ACME101  fetch-per-tick" in advise(site, "rules").stdout
    assert advise(site, "rule", "fetch-per-tick").stdout == PAGE


def test_without_it_its_rule_is_unknown(tmp_path: Path, project: Path) -> None:
    run = advise(tmp_path, "--no-cache", "--select", "ACME101", project)
    assert run.returncode == 2
    assert "there is no rule ACME101" in run.stderr


def test_a_pack_for_another_version_of_the_interface_is_refused(site: Path, project: Path) -> None:
    module = site / "acme_advice" / "acme" / "fetch_per_tick.py"
    module.write_text(PACK.replace("api=API", "api=API + 1"), encoding="utf-8")
    run = advise(site, "--no-cache", project)
    assert run.returncode == 2
    assert "the pack acme was written for version" in run.stderr
    assert "Traceback" not in run.stderr
