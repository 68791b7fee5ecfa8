"""``pyproject.toml``: the standard tables, and those of Poetry, uv, PDM, Hatch and setuptools."""

from __future__ import annotations

import msgspec

from mlsys_advise.languages.requirements import pep508, poetry
from mlsys_advise.languages.requirements.manifest import Include, Reading, Requirement
from mlsys_advise.languages.requirements.names import distribution
from mlsys_advise.languages.requirements.toml_positions import positions
from mlsys_advise.languages.requirements.toml_tables import Table, load, strings, table, tables

#: A group takes in at most so many others.
_GROUP_LIMIT = 32


def read(text: str, reading: Reading) -> None:
    data = load(text, reading)
    tool = table(data.get("tool"))
    _read_project(table(data.get("project")), tool, reading)
    _read_groups(table(data.get("dependency-groups")), reading)
    _read_poetry(table(tool.get("poetry")), reading)
    _read_pdm(table(tool.get("pdm")), reading)
    _read_uv(table(tool.get("uv")), reading)
    reading.spans.update(positions(text, {requirement.package for requirement in reading.requirements}))


def _require_all(lines: object, reading: Reading, group: str = "") -> None:
    for line in strings(lines):
        found = pep508.requirement(line, group)
        if found is not None:
            reading.require(found)
        else:
            reading.leave_open(f"`{line[:60]}` is not a requirement")


# The standard tables ------------------------------------------------------------------------------------------------


def _read_project(project: Table, tool: Table, reading: Reading) -> None:
    if "dependencies" in project or "optional-dependencies" in project:
        reading.declares = True
    _require_all(project.get("dependencies"), reading)
    for extra, lines in table(project.get("optional-dependencies")).items():
        _require_all(lines, reading, extra)
    python = project.get("requires-python")
    if isinstance(python, str):
        reading.require(Requirement("python", pep508.admitted(python)))
    _read_dynamic(strings(project.get("dynamic")), tool, reading)


def _read_dynamic(dynamic: list[str], tool: Table, reading: Reading) -> None:
    """Fields that a build backend fills in: setuptools and a plug-in of Hatch say from which files."""
    backend = table(table(tool.get("setuptools")).get("dynamic"))
    hooks = table(table(table(table(tool.get("hatch")).get("metadata")).get("hooks")).get("requirements_txt"))
    if "dependencies" in dynamic:
        files = strings(table(backend.get("dependencies")).get("file")) + strings(hooks.get("files"))
        for file in files:
            reading.include(Include(file))
        if not files:
            reading.leave_open("the dependencies are computed by the build backend")
    if "optional-dependencies" in dynamic:
        extras = table(backend.get("optional-dependencies")) | table(hooks.get("optional-dependencies"))
        for extra, source in extras.items():
            for file in strings(table(source).get("file") if isinstance(source, dict) else source):
                reading.include(Include(file, group=extra))


def _read_groups(groups: Table, reading: Reading) -> None:
    """PEP 735. A group takes in others by ``{include-group = "test"}``; each is visited once for each of them."""
    for name in groups:
        reading.declares = True
        waiting, visited = [name], {name}
        while waiting:
            items = groups.get(waiting.pop())
            _require_all(items, reading, name)
            for item in tables(items):
                other = item.get("include-group")
                if isinstance(other, str) and other not in visited and len(visited) < _GROUP_LIMIT:
                    visited.add(other)
                    waiting.append(other)


# Poetry -------------------------------------------------------------------------------------------------------------


def _read_poetry(settings: Table, reading: Reading) -> None:
    if "dependencies" in settings:
        reading.declares = True
    _read_poetry_table(settings.get("dependencies"), reading, "")
    _read_poetry_table(settings.get("dev-dependencies"), reading, "dev")
    for group, content in table(settings.get("group")).items():
        _read_poetry_table(table(content).get("dependencies"), reading, group)


def _read_poetry_table(dependencies: object, reading: Reading, group: str) -> None:
    for name, value in table(dependencies).items():
        for one in value if isinstance(value, list) else [value]:
            reading.require(_poetry_requirement(name, one, group))


def _poetry_requirement(name: str, value: object, group: str) -> Requirement:
    package = distribution(name)
    if isinstance(value, str):
        return Requirement(package, poetry.alternatives(value), group=group)
    settings = table(value)
    marker = _poetry_marker(settings)
    placed = _placed(package, settings)
    version = settings.get("version")
    if placed is None:
        placed = Requirement(package, poetry.alternatives(version) if isinstance(version, str) else ("",))
    return msgspec.structs.replace(
        placed,
        versions=placed.versions if marker is not None else (),
        marker=marker or "",
        group=group or ("optional" if settings.get("optional") is True else ""),
        extras=tuple(sorted(strings(settings.get("extras")))),
    )


def _poetry_marker(settings: Table) -> str | None:
    """``markers``, ``python`` and ``platform`` of one dependency as one marker; None where one is not understood."""
    clauses: list[str] = []
    markers, python, platform = settings.get("markers"), settings.get("python"), settings.get("platform")
    if isinstance(markers, str):
        clauses.append(markers)
    if isinstance(python, str):
        clause = poetry.python_marker(python)
        if clause is None:
            return None
        clauses.append(clause)
    if isinstance(platform, str):
        clauses.append(f'sys_platform == "{platform}"')
    return pep508.marker(" and ".join(f"({clause})" for clause in clauses if clause))


def _placed(package: str, settings: Table) -> Requirement | None:
    """A dependency that does not come from an index: its place may tell the version, its range does not count."""
    url, path = settings.get("url"), settings.get("path")
    if isinstance(url, str):
        return Requirement(package, pep508.version_in(url), source="url")
    if isinstance(path, str):
        return Requirement(package, pep508.version_in(path), source="path")
    if "git" in settings:
        return Requirement(package, (), source="repository")
    if settings.get("workspace") is True:
        return Requirement(package, (), source="path")
    return None


# PDM and uv ---------------------------------------------------------------------------------------------------------


def _read_pdm(settings: Table, reading: Reading) -> None:
    for group, lines in table(settings.get("dev-dependencies")).items():
        _require_all(lines, reading, group)


def _read_uv(settings: Table, reading: Reading) -> None:
    _require_all(settings.get("dev-dependencies"), reading, "dev")
    for index in tables(settings.get("index")):
        reading.indexes.update(strings(index.get("url")))
    _require_all(settings.get("constraint-dependencies"), reading)
    _override(settings.get("override-dependencies"), reading)
    for name, source in table(settings.get("sources")).items():
        _place(distribution(name), source, reading)


def _override(lines: object, reading: Reading) -> None:
    """An override stands in place of every other demand on its package."""
    overrides = [found for line in strings(lines) if (found := pep508.requirement(line)) is not None]
    replaced = {override.package for override in overrides}
    reading.requirements = {one for one in reading.requirements if one.package not in replaced} | set(overrides)


def _place(package: str, source: object, reading: Reading) -> None:
    """``[tool.uv.sources]``: an index changes nothing of the version; a repository, path or URL settles it."""
    places = [
        placed
        for one in ([source] if isinstance(source, dict) else tables(source))
        if (placed := _placed(package, one))
    ]
    if not places:
        return
    for requirement in sorted(one for one in reading.requirements if one.package == package):
        reading.requirements.discard(requirement)
        versions = places[0].versions if len(places) == 1 else ()
        reading.requirements.add(msgspec.structs.replace(requirement, versions=versions, source=places[0].source))
