"""Which files a list of requirements takes in, told without parsing it: discovery must know before anything is parsed.

Invariant: paths are relative to the project, with forward slashes, and never lead out of it.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

_INCLUDE: Final = re.compile(rb"^[ \t]*(?:-r|-c|--requirements?|--constraints?)[ \t=]*([^\s#]+)", re.MULTILINE)


def included(content: bytes, path: str) -> list[str]:
    """The files that the list at ``path`` names with `-r` and `-c`, URLs and files outside of the project aside."""
    found: list[str] = []
    for match in _INCLUDE.finditer(content):
        written = match[1].decode("utf-8", "surrogateescape").replace("\\", "/")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), written))
        if "://" not in written and not target.startswith(("../", "/")) and target != "..":
            found.append(target)
    return found
