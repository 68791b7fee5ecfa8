"""TOML of strangers: loaded within bounds, and looked into without trust in what stands where."""

from __future__ import annotations

import re
import tomllib

from mlsys_advise.languages.requirements.manifest import Reading

Table = dict[str, object]

#: A key of this many dots means nothing and takes the parser quadratic time.
_ENDLESS_KEY = re.compile(r"""(?:\.\s*+["']?+[\w-]*+["']?+\s*+){200}""")


def load(text: str, reading: Reading) -> Table:
    """The tables of ``text``; of a text that is no TOML none, and ``reading`` is left open."""
    if _ENDLESS_KEY.search(text) is not None:
        reading.leave_open("a key of the file has no end")
        return {}
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reading.leave_open(f"the file is not valid TOML: {error}")
        return {}


def table(value: object) -> Table:
    """``value`` where it is a table, else an empty one."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[Table]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
