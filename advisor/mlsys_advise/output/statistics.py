"""How many findings each rule has, the most first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from mlsys_advise.finding import Finding
from mlsys_advise.output.terminal import Style


def render(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    """Number, code and name of each rule that reports something."""
    counted = Counter((finding.code, finding.name) for finding in findings)
    width = max((len(f"{number:,}") for number in counted.values()), default=0)
    for (code, name), number in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        yield f"{number:>{width},}  {style.paint('strong', code)}  {name}"
