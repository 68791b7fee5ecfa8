"""Notebooks: the code cells of a Jupyter notebook as one Python source, with positions by cell.

Invariant: every line of a cell keeps its number, so what IPython alone understands is replaced line by line.
"""

from __future__ import annotations

import json
import re

from mlsys_advise.finding import Notice
from mlsys_advise.languages.source import CellStart, Source

#: Cell magics whose body is still Python.
_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun", "memit", "python", "python3", "wandb", "heat"})
_MAGIC = re.compile(r"^\s*(%|!|\?)|^\s*[\w.\[\]'\", ]+\s*=\s*[%!]|^\s*[\w.]+\?{1,2}\s*$")


def convert(data: bytes, path: str) -> Source | Notice | None:
    """The source of a notebook's code cells; None where its language is another."""
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        return Notice(path, "is not a notebook: its JSON cannot be read")
    if not isinstance(notebook, dict):
        return Notice(path, "is not a notebook: its JSON is no object")
    if not _is_python(notebook):
        return None
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        sheets = notebook.get("worksheets")
        cells = (
            [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells", ())]
            if isinstance(sheets, list)
            else None
        )
    if cells is None:
        return Notice(path, "is not a notebook: it has no cells")
    lines: list[str] = []
    starts: list[CellStart] = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        text = _text(cell.get("source", cell.get("input", "")))
        starts.append(CellStart(len(lines) + 1, number))
        lines.extend(_python(text))
    return Source("\n".join(lines) + "\n", path, starts)


def _is_python(notebook: dict[str, object]) -> bool:
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    info = metadata.get("language_info") if isinstance(metadata, dict) else None
    for section, key in ((kernel, "language"), (info, "name")):
        if isinstance(section, dict):
            language = section.get(key)
            if isinstance(language, str) and language and not language.lower().startswith("python"):
                return False
    return True


def _text(source: object) -> str:
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source.replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else ""


def _python(text: str) -> list[str]:
    """The lines of a cell with magics and shell commands replaced."""
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith("%%"):
        word = re.match(r"\s*%%(\w+)", first)
        if word is None or word.group(1) not in _PYTHON_CELLS:
            return [""] * len(lines)
        lines[lines.index(first)] = ""
    result: list[str] = []
    inside = ""
    continued = False
    for line in lines:
        if not inside and (continued or _MAGIC.match(line)):
            continued = line.rstrip().endswith("\\")
            result.append(f"{line[: len(line) - len(line.lstrip())]}pass" if line.strip() else line)
            continue
        continued = False
        inside = _inside(line, inside)
        result.append(line)
    return result


def _inside(line: str, quote: str) -> str:
    """The triple quote that is open after a line, if one is."""
    position = 0
    while position < len(line):
        if quote:
            end = line.find(quote, position)
            if end < 0:
                return quote
            position, quote = end + 3, ""
            continue
        if line.startswith(('"""', "'''"), position):
            quote = line[position : position + 3]
            position += 3
        elif line[position] in "\"'":
            end = position + 1
            while end < len(line) and line[end] != line[position]:
                end += 2 if line[end] == "\\" else 1
            position = end + 1
        elif line[position] == "#":
            return ""
        else:
            position += 1
    return quote
