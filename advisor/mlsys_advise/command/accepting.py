"""``--write-baseline`` and ``--add-ignores``: what there is now is accepted, in a file or by comments."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from pathlib import Path

from mlsys_advise import baseline, engine
from mlsys_advise.accepted import identities
from mlsys_advise.command import streams
from mlsys_advise.finding import Finding
from mlsys_advise.languages.texts import Texts
from mlsys_advise.output import summary
from mlsys_advise.output.terminal import Style
from mlsys_advise.output.text import shown_path


def run(arguments: Namespace, report: engine.Report) -> None:
    """Raises UsageError where something cannot be written."""
    if arguments.add_ignores:
        _add_ignores(report)
    else:
        for file, projects in _by_baseline(report).items():
            _write_baseline(file, projects, report)


def _by_baseline(report: engine.Report) -> dict[Path, list[engine.Checked]]:
    """The projects by the file that holds what is accepted of them: projects may share one."""
    found: dict[Path, list[engine.Checked]] = {}
    for project in report.projects:
        found.setdefault(project.baseline, []).append(project)
    return found


def _write_baseline(file: Path, projects: list[engine.Checked], report: engine.Report) -> None:
    checked = {path.as_posix() for project in projects for path in project.files}
    codes = frozenset[str]().union(*(project.codes for project in projects))
    findings = [finding for finding in report.findings if finding.path in checked]
    accepted = Counter(identities(findings, Texts().lines))
    kept = Counter(
        {
            known: count
            for known, count in projects[0].accepted.items()
            if known[1] not in codes or (known[0] not in checked and Path(known[0]).exists())
        }
    )
    baseline.write(file, accepted + kept)
    _say(f"Accepted {summary.counted(len(findings), 'finding')} in {shown_path(str(file))}.")


def _add_ignores(report: engine.Report) -> None:
    from mlsys_advise.suppression import writing

    by_path: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_path.setdefault(finding.path, []).append(finding)
    written = 0
    for path, findings in sorted(by_path.items()):
        written += writing.add_ignores(Path(path), findings)
    files = summary.counted(len(by_path), "file")
    _say(f"Added comments for {summary.counted(written, 'finding')} in {files}.")
    left = len(report.findings) - written
    if left:
        _say(
            f"{summary.counted(left, 'finding')} cannot be silenced by a comment at the line: see docs/suppressions.md"
        )


def _say(text: str) -> None:
    streams.emit([Style.of(sys.stdout).paint("strong", text)])
