"""The objects of the ``json`` output, one a line, for programs that read while it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from mlsys_advise.finding import Finding
from mlsys_advise.output.json import as_json
from mlsys_advise.output.sources import Sources


def render(findings: Iterable[Finding], sources: Sources) -> Iterator[str]:
    for finding in findings:
        yield json.dumps(as_json(finding, sources))
