"""``python -m mlsys_advise.settings.publish``: the JSON schema and the table of docs/settings.md, made from the model.

Run in a clone after a change of the keys; tests compare what is published with what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("schema.json")
PAGE = Path(__file__).parents[3] / "docs" / "settings.md"
_BEGIN, _END = "<!-- keys -->\n", "<!-- end of keys -->\n"


def schema_text() -> str:
    """The schema as it is stored beside this module."""
    from mlsys_advise.settings.model import schema

    return json.dumps(_without_null(schema()), indent=2) + "\n"


def page_text(page: str) -> str:
    """The page with its table of keys made anew."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{''.join(_table())}{_END}{after}"


def _table() -> Iterator[str]:
    content = json.loads(schema_text())
    yield "| key | value | meaning |\n|---|---|---|\n"
    for key, described in content["properties"].items():
        yield f"| `{key}` | {_kind(described)} | {described['description'].replace(chr(10), ' ')} |\n"
        if key == "rules":
            for option, inner in content["$defs"]["RuleOptions"]["properties"].items():
                yield f"| `rules.SELECTOR.{option}` | {_kind(inner)} | {inner['description']} |\n"


def _kind(described: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "anyOf" in described:
        return " or ".join(_kind(option) for option in described["anyOf"])
    if "enum" in described:
        return ", ".join(f'`"{name}"`' for name in described["enum"])
    match described.get("type"):
        case "array":
            inner = _kind(described["items"])
            return f"list of {inner}" if inner.startswith("`") else f"list of {inner}s"
        case "boolean":
            return "`true` or `false`"
        case "object":
            return "table"
        case _:
            return "table" if "$ref" in described else "text"


def _without_null(value: Any) -> Any:
    """A schema without the alternative ``null``, which TOML cannot write, and without what follows from it."""
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _without_null(item) for key, item in value.items() if not (key == "default" and item is None)}
    options = [option for option in found.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        del found["anyOf"]
        return options[0] | found
    return found | ({"anyOf": options} if options else {})


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8", newline="\n")
    PAGE.write_text(page_text(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
