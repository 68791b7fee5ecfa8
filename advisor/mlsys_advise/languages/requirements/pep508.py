"""One dependency as PEP 508 writes it, and the spellings that older installers let through.

Invariant: a text whose package can be recognised gives a requirement; where its version cannot, ``versions`` is empty.
"""

from __future__ import annotations

import posixpath
import re
from typing import Literal
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement as Pep508
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mlsys_advise.languages.requirements.manifest import Requirement
from mlsys_advise.languages.requirements.names import distribution

Source = Literal["index", "url", "repository", "path"]

#: What ``packaging`` raises on texts it rejects: its own errors and ``int`` of too many digits are ValueErrors, and its
#: recursive descent gives up on deeply nested markers.
REJECTED = (ValueError, RecursionError)

#: Characters of one requirement; whoever writes more does not mean a requirement, and parsing takes longer than linear.
_LIMIT = 2000

_LOOSE = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*+)\s*+(\[[^\]]*+\])?(?P<versions>[^;@]*+)(;(?P<marker>.*))?", re.DOTALL
)
_LEGACY_WILDCARD = re.compile(r"(?P<ordered>(?:<=|>=|<|>|~=)\s*[\w.+!-]*?)\.\*")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][\w.-]*)")
_URL_MARKER = re.compile(r"\s;|;\s")
_REPOSITORY = re.compile(r"(git|hg|svn|bzr)(\+|://)|.*\.git(@|#|$)", re.IGNORECASE)
_ARCHIVES = (".tar.gz", ".tar.bz2", ".tgz", ".zip")


def requirement(text: str, group: str = "", hashed: bool = False) -> Requirement | None:
    """``torch>=2.1,<2.6 ; sys_platform == "linux"``; None where not even a package can be recognised."""
    if len(text) > _LIMIT:
        return None
    try:
        parsed = Pep508(text)
    except REJECTED:
        return _loose(text, group, hashed)
    versions: tuple[str, ...] = (specifiers(parsed.specifier),)
    source: Source = "index"
    if parsed.url is not None:
        source = source_of(parsed.url)
        versions = version_in(parsed.url)
    return Requirement(
        package=distribution(parsed.name),
        versions=versions,
        marker=str(parsed.marker) if parsed.marker is not None else "",
        group=group,
        extras=tuple(sorted(parsed.extras)),
        source=source,
        hashed=hashed,
    )


def _loose(text: str, group: str, hashed: bool) -> Requirement | None:
    match = _LOOSE.fullmatch(text.strip())
    if match is None:
        return None
    versions = admitted(match["versions"].strip(" ()"))
    known_marker = marker(match["marker"] or "")
    return Requirement(
        package=distribution(match["name"]),
        versions=versions if known_marker is not None else (),
        marker=known_marker or "",
        group=group,
        hashed=hashed,
    )


def admitted(text: str) -> tuple[str, ...]:
    """The alternatives that a specifier set stands for: one, or none where it cannot be understood."""
    if len(text) > _LIMIT:
        return ()
    try:
        return (specifiers(SpecifierSet(_LEGACY_WILDCARD.sub(r"\g<ordered>", text))),)
    except REJECTED:
        return ()


def specifiers(parsed: SpecifierSet) -> str:
    """One spelling for equal specifier sets, whatever version of ``packaging`` is installed."""
    return ",".join(sorted(str(one) for one in parsed))


def marker(text: str) -> str | None:
    """The canonical spelling of an environment marker, "" for none, None where it cannot be understood."""
    from packaging.markers import Marker

    if not text.strip():
        return ""
    if len(text) > _LIMIT:
        return None
    try:
        return str(Marker(text))
    except REJECTED:
        return None


def source_of(url: str) -> Source:
    if _REPOSITORY.match(url):
        return "repository"
    return "url" if re.match(r"(https?|s3|gs|ftp)://", url, re.IGNORECASE) else "path"


def version_in(url: str) -> tuple[str, ...]:
    """The exact version in the name of a wheel or source archive; a branch or a folder tells none."""
    parts = archive(url)
    return (f"=={parts[1]}",) if parts is not None else ()


def archive(url: str) -> tuple[str, str] | None:
    """Package and version of the archive that a URL or path names."""
    try:
        name = posixpath.basename(unquote(urlsplit(url).path or url))
    except ValueError:
        return None
    if name.endswith(".whl"):
        package, _, rest = name.partition("-")
        version = rest.partition("-")[0]
    else:
        stem = next((name.removesuffix(end) for end in _ARCHIVES if name.endswith(end)), "")
        package, _, version = stem.rpartition("-")
    try:
        return (distribution(package), str(Version(version))) if package else None
    except REJECTED:
        return None


def from_url(url: str, group: str = "", hashed: bool = False) -> Requirement | None:
    """A bare URL or path in place of a requirement; None where it does not say which package it holds."""
    address, *conditions = _URL_MARKER.split(url, maxsplit=1)
    egg = _EGG.search(address)
    parts = archive(address)
    package = distribution(egg[1]) if egg is not None else parts[0] if parts is not None else _repository(address)
    if not package:
        return None
    return Requirement(
        package=package,
        versions=(f"=={parts[1]}",) if parts is not None else (),
        marker=marker("".join(conditions)) or "",
        group=group,
        source=source_of(address),
        hashed=hashed,
    )


def _repository(url: str) -> str:
    """The name of a repository stands for its package: ``git+https://host/owner/transformers@main``."""
    if source_of(url) == "path":
        return ""
    try:
        segments = [segment for segment in urlsplit(url).path.split("/") if segment]
    except ValueError:
        return ""
    if "archive" in segments[1:]:
        segments = segments[: segments.index("archive", 1)]
    return distribution(segments[-1].partition("@")[0].removesuffix(".git")) if segments else ""
