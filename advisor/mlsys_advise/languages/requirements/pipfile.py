"""``Pipfile`` of pipenv."""

from __future__ import annotations

from mlsys_advise.languages.requirements import pep508
from mlsys_advise.languages.requirements.manifest import Reading, Requirement
from mlsys_advise.languages.requirements.names import distribution
from mlsys_advise.languages.requirements.toml_positions import positions
from mlsys_advise.languages.requirements.toml_tables import load, strings, table, tables


def read(text: str, reading: Reading) -> None:
    data = load(text, reading)
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
