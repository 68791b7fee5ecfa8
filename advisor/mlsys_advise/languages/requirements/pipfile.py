"""``Pipfile`` of pipenv."""

from __future__ import annotations

import tomllib

from mlsys_advise.languages.requirements import pep508
from mlsys_advise.languages.requirements.manifest import Reading, Requirement
from mlsys_advise.languages.requirements.names import distribution
from mlsys_advise.languages.requirements.pyproject import strings, table, tables
from mlsys_advise.languages.requirements.toml_positions import positions


def read(text: str, reading: Reading) -> None:
    try:
        data: dict[str, object] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reading.leave_open(f"the file is not valid TOML: {error}")
        return
    for section, group in (("packages", ""), ("dev-packages", "dev")):
        for name, value in table(data.get(section)).items():
            reading.require(_requirement(distribution(name), value, group))
    for source in tables(data.get("source")):
        reading.indexes.update(strings(source.get("url")))
    python = table(data.get("requires")).get("python_version")
    if isinstance(python, str):
        reading.require(Requirement("python", pep508.admitted(f"=={python}.*")))
    reading.spans.update(positions(text, {requirement.package for requirement in reading.requirements}))


def _requirement(package: str, value: object, group: str) -> Requirement:
    version = value if isinstance(value, str) else table(value).get("version")
    if not isinstance(version, str):
        return Requirement(package, (), group=group, source="repository")
    marker = table(value).get("markers")
    return Requirement(
        package,
        ("",) if version.strip() == "*" else pep508.admitted(version),
        marker=(pep508.marker(marker) or "") if isinstance(marker, str) else "",
        group=group,
    )
