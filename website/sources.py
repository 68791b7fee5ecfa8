"""The Markdown files of the repository that become pages, and links between them wherever they end up."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

#: Guides by their place in the repository, with the page each becomes.
GUIDES = {
    "README.md": "index.md",
    "examples/README.md": "examples.md",
    "docs/integrations.md": "integrations.md",
    "docs/ruff.md": "ruff.md",
    "docs/architecture.md": "architecture.md",
    "docs/performance.md": "performance.md",
    "docs/ecosystem.md": "ecosystem.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}

_FENCE = re.compile(r"^(?: {0,3})(`{3,}|~{3,})")
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def relinked(text: str, source: str, page: str, pages: Mapping[str, str]) -> str:
    """``text`` of the file ``source`` as it stands on ``page``: links to files that are pages lead to these, others
    become code. Code blocks are left alone."""
    lines = []
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark:
            fence = mark[1]
        else:
            line = _LINK.sub(lambda found: _link(found, source, page, pages), line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def _link(found: re.Match[str], source: str, page: str, pages: Mapping[str, str]) -> str:
    target, hash_, anchor = found["target"].partition("#")
    if not target or re.match(r"[a-z]+:", target) or not _is_a_path(target):
        return found[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if path in pages:
        where = posixpath.relpath(pages[path], posixpath.dirname(page) or ".")
        return f"[{found['text']}]({where}{hash_}{anchor})"
    return f"`{path}`" if found["text"] in (target, path) else f"{found['text']} (`{path}`)"


def _is_a_path(target: str) -> bool:
    return "." in posixpath.basename(target) or target.endswith("/")
