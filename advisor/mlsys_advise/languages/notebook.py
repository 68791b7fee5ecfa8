"""Jupyter notebooks as one Python module: every code cell in one scope, positions counted within the cell.

Invariant: ``code`` has the lines of ``source.text``, and what IPython adds to Python (magics, shell lines, help) is
replaced on its own lines; where Python stays, it stays at its columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import msgspec

from mlsys_advise.finding import Notice
from mlsys_advise.languages.python.logical_lines import logical_lines
from mlsys_advise.languages.source import CellStart, Source, without_surrogates


class Notebook(msgspec.Struct, frozen=True):
    """The code cells as written, and as Python. ``sections`` are the first lines of the cells, for ``parse``."""

    source: Source
    code: str
    sections: tuple[int, ...] = ()


class _Cell(msgspec.Struct):
    cell_type: str = ""
    source: str | list[str] = ""
    #: Version 3 keeps code here.
    input: str | list[str] = ""


class _Worksheet(msgspec.Struct):
    cells: list[_Cell] = []


class _Kernel(msgspec.Struct):
    language: str | None = None


class _LanguageInfo(msgspec.Struct):
    name: str | None = None


class _Metadata(msgspec.Struct):
    kernelspec: _Kernel | None = None
    language_info: _LanguageInfo | None = None


class _File(msgspec.Struct):
    """nbformat 4, and the worksheets of version 3."""

    cells: list[_Cell] | None = None
    worksheets: list[_Worksheet] | None = None
    metadata: _Metadata | None = None


#: Cell magics under which the cell is still this kernel's Python.
_PYTHON_CELLS = frozenset(
    {
        *("capture", "debug", "heat", "ipytest", "memit", "prun", "px", "pyinstrument"),
        *("scalene", "snakeviz", "time", "timeit", "wandb"),
    }
)
#: Magics whose argument is a statement of this kernel.
_RUNS_STATEMENT = re.compile(
    r"%%?(?:time|timeit|prun|memit)(?:[ \t]+(?:-[a-zA-Z]+[ \t]*\d*|--[\w-]+))*[ \t]+(?=[^-\s])"
)
#: Line magics of hosted notebooks that hand the whole cell to another language.
_OTHER_LANGUAGE = re.compile(r"%(?:(?:fs|md|r|scala|sh)\b|sql[ \t]*(?:\n|\Z))")
_CELL_MAGIC = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*%%([A-Za-z_]\w*)")
_FIRST_CODE = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*)")
#: What no Python statement starts with.
_IPYTHON = re.compile(
    r"[%!?]"
    r"|[A-Za-z_][\w.,\[\]\"' \t]*=[ \t]*(?:!|%[A-Za-z])"
    r"|[A-Za-z_][\w.]*\?{1,2}[ \t]*(?=\n|\Z)"
    r"|(?:pip3?|conda|mamba)[ \t]+(?:install|uninstall|list|show|freeze)\b"
)
_ANY_IPYTHON = re.compile(rf"^[ \t]*(?:{_IPYTHON.pattern})", re.MULTILINE)
_ASSIGNMENT = re.compile(r"[^=%!?]+=[ \t]*(?=[!%])")
#: A name that no module defines, so that nothing is known of what a command returns.
_UNKNOWN = "_"


def convert(data: bytes, path: str) -> Source | Notice | None:
    """The notebook's code as the source that is analysed; ``None`` where it has none of ours."""
    notebook = decode_notebook(data, path)
    if isinstance(notebook, Notice):
        return notebook
    return Source(notebook.code, path, notebook.source.cells) if notebook.sections else None


def decode_notebook(data: bytes, path: str) -> Notebook | Notice:
    """The Python cells of a notebook file, none where its kernel speaks another language."""
    if not data.strip():
        return Notice(path, "is an empty file, not a notebook: skipped")
    try:
        content = _read_json(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        return Notice(path, f"is not a readable notebook ({error}): skipped")
    cells = content.cells
    if cells is None:
        if content.worksheets is None:
            return Notice(path, "is not a notebook (it has no cells): skipped")
        cells = [cell for sheet in content.worksheets for cell in sheet.cells]
    if not _speaks_python(content.metadata):
        return assemble((), path)
    texts = ((number, cell.source or cell.input) for number, cell in enumerate(cells, 1) if cell.cell_type == "code")
    return assemble(((number, text if isinstance(text, str) else "".join(text)) for number, text in texts), path)


def assemble(cells: Iterable[tuple[int, str]], path: str) -> Notebook:
    """A notebook from its code cells: number (from 1, other cells counting too) and text, in order."""
    written: list[str] = []
    code: list[str] = []
    starts: list[CellStart] = []
    for number, raw in cells:
        text = without_surrogates(raw).replace("\r\n", "\n").replace("\r", "\n")
        starts.append(CellStart(len(written) + 2, number))
        # The line before a cell keeps it apart from the others, and holds the header of one that is indented.
        indented = _FIRST_CODE.match(text)
        written += ["", *text.split("\n")]
        code += ["if 1:" if indented and indented.group(1) else "", *_python(text).split("\n")]
    sections = tuple(start.line - 1 for start in starts)
    return Notebook(Source("\n".join(written), path, starts), "\n".join(code), sections)


def _read_json(data: bytes) -> _File:
    try:
        return msgspec.json.decode(data, type=_File)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Outputs may hold NaN, which JSON has not and Python's own module writes.
        return msgspec.convert(json.loads(data), type=_File)


def _speaks_python(metadata: _Metadata | None) -> bool:
    if metadata is None:
        return True
    names = (
        metadata.kernelspec.language if metadata.kernelspec else None,
        metadata.language_info.name if metadata.language_info else None,
    )
    return all("python" in name.lower() for name in names if name)


def _python(text: str) -> str:
    """The cell as Python that has the same lines."""
    magic = _CELL_MAGIC.match(text)
    if magic:
        if magic.group(1) not in _PYTHON_CELLS:
            return "\n" * text.count("\n")
    elif _OTHER_LANGUAGE.match(text.lstrip()):
        return "\n" * text.count("\n")
    if not _ANY_IPYTHON.search(text):
        return text
    pieces, done = [], 0
    for line in logical_lines(text, _IPYTHON):
        if _IPYTHON.match(text, line.start):
            statement = line.code(text)
            pieces += [text[done : line.start], _stand_in(statement), "\n" * statement.count("\n")]
            done = line.end
    return "".join([*pieces, text[done:]])


def _stand_in(statement: str) -> str:
    """One line of Python for a line of IPython."""
    first = statement.partition("\n")[0]
    run = _RUNS_STATEMENT.match(first)
    if run and not first.endswith("\\"):
        return "pass".ljust(run.end() - 2) + "; " + first[run.end() :]
    assignment = _ASSIGNMENT.match(first)
    if assignment:
        return assignment.group() + _UNKNOWN
    return "pass"
