"""What the project needs to know of one manifest, and the positions that stay beside it.

Invariant: two manifests that ask for the same things, in whatever order and layout, have equal interfaces.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from mlsys_advise.languages.requirements.names import distribution
from mlsys_advise.span import Span

#: ``project`` formats describe the package in their folder, ``lock`` files what was resolved for it.
Format = Literal["requirements", "constraints", "conda", "pyproject", "setup.cfg", "setup.py", "pipfile", "lock"]

#: Formats that describe an installable project, which ``-e .`` refers to and a lock file refines.
PROJECT_FORMATS: frozenset[Format] = frozenset({"pyproject", "setup.cfg", "setup.py", "pipfile"})


class Requirement(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One demand on one package; the interpreter is the package ``python``.

    ``versions`` holds alternatives, each a PEP 440 specifier set: ``("",)`` admits every version, and ``()`` says that
    the version cannot be known from the text (a branch of a repository, a local path, a computed string).
    ``group`` names the extra, dependency group or optional part without which the demand does not apply.
    """

    package: str
    versions: tuple[str, ...] = ("",)
    marker: str = ""
    group: str = ""
    extras: tuple[str, ...] = ()
    source: Literal["index", "url", "repository", "path"] = "index"
    hashed: bool = False


class Include(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Another manifest that this one takes in.

    ``path`` stands as written. For ``requirements`` and ``constraints`` it is relative to the including file; for
    ``project`` it is the folder of an installable project, relative to the folder that the including file governs,
    and ``extras`` are the optional parts asked for.
    """

    path: str
    role: Literal["requirements", "constraints", "project"] = "requirements"
    group: str = ""
    extras: tuple[str, ...] = ()


class RequirementsInterface(msgspec.Struct, frozen=True, array_like=True, tag="req"):
    """A manifest without its layout.

    ``declares`` is false where the file says nothing of dependencies, such as a ``pyproject.toml`` that only configures
    tools. ``complete`` is false where something in it could not be read, so that a package it does not mention may
    still be asked for. ``members`` are the folders whose projects a lock file resolves, relative to its own.
    """

    format: Format
    requirements: tuple[Requirement, ...] = ()
    includes: tuple[Include, ...] = ()
    indexes: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    declares: bool = True
    complete: bool = True


class RequirementsDocument(msgspec.Struct, frozen=True):
    """A parsed manifest. ``spans`` has the first mention of each package, ``problem`` the first part not understood."""

    path: str
    requirements: RequirementsInterface
    spans: dict[str, Span] = {}
    problem: str = ""


def interface(document: RequirementsDocument) -> RequirementsInterface:
    return document.requirements


def locate(document: RequirementsDocument, package: str) -> Span | None:
    """Where ``document`` first asks for ``package``, under whatever name."""
    return document.spans.get(distribution(package))


class Reading:
    """Gathers what a format's parser finds; ``document`` puts it into the canonical order."""

    def __init__(self, format: Format) -> None:
        self.format: Format = format
        self.requirements: set[Requirement] = set()
        self.includes: set[Include] = set()
        self.indexes: set[str] = set()
        self.members: set[str] = set()
        self.spans: dict[str, Span] = {}
        self.declares = False
        self.problem = ""
        self._complete = True

    def require(self, requirement: Requirement, span: Span | None = None) -> None:
        self.declares = True
        if not _storable(requirement.marker, requirement.group, *requirement.versions, *requirement.extras):
            self.leave_open("a requirement holds half of a surrogate pair")
            return
        self.requirements.add(requirement)
        if span is not None:
            self.spans.setdefault(requirement.package, span)

    def include(self, include: Include) -> None:
        self.declares = True
        if not _storable(include.path, include.group, *include.extras):
            self.leave_open("a path holds half of a surrogate pair")
            return
        self.includes.add(include)

    def add_index(self, url: str) -> None:
        if _storable(url):
            self.indexes.add(url)

    def leave_open(self, problem: str) -> None:
        """Something that belongs here could not be read; the first reason is kept for the user."""
        self._complete = False
        self.problem = self.problem or problem

    def document(self, path: str) -> RequirementsDocument:
        requirements = RequirementsInterface(
            format=self.format,
            requirements=tuple(sorted(self.requirements)),
            includes=tuple(sorted(self.includes)),
            indexes=tuple(sorted(self.indexes)),
            members=tuple(sorted(self.members)),
            declares=self.declares or not self._complete,
            complete=self._complete,
        )
        return RequirementsDocument(path, requirements, self.spans, self.problem)


def _storable(*texts: str) -> bool:
    """An escape in YAML or Python can write a lone surrogate, which no encoding of an interface holds."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True
