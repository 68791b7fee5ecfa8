"""Writing the comments that silence findings, each where a later reading of the file finds it.

Invariant: nothing but comments is added, in the encoding and with the line endings that the file has; a file that
cannot take a comment at some line stays as it is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlsys_advise.finding import Finding, Notice
from mlsys_advise.fixing import files, notebook_file
from mlsys_advise.fixing.refusal import Refusal
from mlsys_advise.fixing.replacement import Replacement, between
from mlsys_advise.languages import notebook
from mlsys_advise.languages.python.logical_lines import logical_lines
from mlsys_advise.languages.source import NOTEBOOK_LIMIT, Source, decode, read
from mlsys_advise.project.file_languages import Language, language_of
from mlsys_advise.usage import UsageError

_OURS = re.compile(r"(#.*?mlsys:\s*ignore\[)([^\]]*)(\])")
#: Instructions of these take what follows them as an argument, or may be within something that does.
_ALONE = (Language.DOCKERFILE, Language.SHELL)

#: By cell (0 outside notebooks) and line, both as findings count them: the codes to be silenced there.
Wanted = Mapping[tuple[int, int], set[str]]


def add_ignores(path: Path, findings: Iterable[Finding]) -> int:
    """Add comments for the findings of one file; for how many of them that was possible.

    Raises UsageError if the file cannot be written.
    """
    data = read(path, NOTEBOOK_LIMIT)
    if isinstance(data, Notice):
        return 0
    language = language_of(path.as_posix()) or Language.PYTHON
    is_notebook = language == Language.NOTEBOOK
    found = (notebook.decode_notebook if is_notebook else decode)(data, path.as_posix())
    if isinstance(found, Notice):
        return 0
    source, code = (found, found.text) if isinstance(found, Source) else (found.source, found.code)
    wanted, count = _places(source, code, language, findings)
    if not wanted:
        return 0
    try:
        files.write(path, _in_notebook(data, source, wanted) if is_notebook else _in_text(data, wanted, language))
    except Refusal:
        return 0
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    return count


def _places(source: Source, code: str, language: Language, findings: Iterable[Finding]) -> tuple[Wanted, int]:
    """Where the comments go: behind the last line of a statement of Python, at the first line of anything else."""
    wanted: dict[tuple[int, int], set[str]] = {}
    count = 0
    is_python = language in (Language.PYTHON, Language.NOTEBOOK)
    statements = logical_lines(code) if is_python else []
    starts = {cell.number: cell.line - 1 for cell in source.cells}
    for finding in findings:
        before = starts.get(finding.span.cell, 0)
        line = finding.span.line
        if is_python:
            number = before + line - 1
            statement = next((one for one in statements if one.first <= number <= one.last), None)
            if statement is None or statement.broken:
                continue
            line = statement.last + 1 - before
        wanted.setdefault((finding.span.cell, line), set()).add(finding.code)
        count += 1
    return wanted, count


def _in_text(data: bytes, wanted: Wanted, language: Language) -> bytes:
    lines = data.splitlines(keepends=True)  # at \n, \r and \r\n, as all our parsers do
    for (_, number), codes in wanted.items():
        line = lines[number - 1]
        body = line.rstrip(b"\r\n")
        ending = line[len(body) :]
        # Every encoding that is read holds ASCII as it is, and latin-1 holds every byte.
        text = body.decode("latin-1")
        if language in _ALONE and _OURS.search(text) is None:
            margin = text[: len(text) - len(text.lstrip())]
            above = f"{margin}# mlsys: ignore[{', '.join(sorted(codes))}]"
            lines[number - 1] = above.encode() + (ending or b"\n") + line
        else:
            lines[number - 1] = _with(text, codes).encode("latin-1") + ending
    return b"".join(lines)


def _in_notebook(data: bytes, source: Source, wanted: Wanted) -> bytes:
    """Raises Refusal if the notebook is of a form that cannot be changed in place."""
    starts = {cell.number: cell.line - 1 for cell in source.cells}
    changes: list[Replacement] = []
    for (cell, number), codes in wanted.items():
        line = starts[cell] + number
        old = source.line(line)
        changes += between([old], [_with(old, codes)], line)
    return notebook_file.with_changes(data, source.cells, changes)


def _with(line: str, codes: set[str]) -> str:
    """The line with the codes in its comment of ours, or with such a comment."""
    ours = _OURS.search(line)
    if ours is None:
        return f"{line.rstrip()}  # mlsys: ignore[{', '.join(sorted(codes))}]"
    named = [name.strip() for name in ours[2].split(",") if name.strip()]
    merged = ", ".join([*named, *sorted(codes - set(named))])
    return f"{line[: ours.start(2)]}{merged}{line[ours.end(2) :]}"
