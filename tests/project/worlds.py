"""Small projects of Python files, given as a mapping from path to code, with everything that may be asked of them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import msgspec

from mlsys_advise.languages.python.document import PythonDocument
from mlsys_advise.languages.source import Source
from mlsys_advise.project import layout
from mlsys_advise.project.answers import Answers
from mlsys_advise.project.deployment import Deployment
from mlsys_advise.project.world import Entry, World
from mlsys_advise.registry import load_rules
from mlsys_advise.term import Term, last_name
from mlsys_advise.vocabulary import Lexicon

_LEXICON = Lexicon(load_rules().vocabulary)


def answers(files: Mapping[str, str]) -> Answers:
    """What may be asked of a project of these files; code is dedented."""
    entries: dict[str, Entry] = {}
    for path, code in files.items():
        document = PythonDocument(Source(textwrap.dedent(code), path), path, _LEXICON)
        extraction = document.extraction
        interface = msgspec.msgpack.encode(document.interface)
        entries[path] = Entry("python", b"", interface, extraction.header())
    world = World(entries, _LEXICON, layout.module_table(sorted(entries)))
    return Answers(world, Deployment(world))


def site(project: Answers, path: str, callee: str, nth: int = 0) -> tuple[str, int]:
    """The function and site number of the nth call in a file whose callee ends in a name."""
    found = [
        (function, call.site)
        for function, record in project.world.functions_of(path).items()
        for call in record.calls
        if call.site >= 0 and last_name(call.callee) == callee
    ]
    return found[nth]


def argument(project: Answers, path: str, callee: str, keyword: str) -> Term:
    """What the first call in a file whose callee ends in a name is given for a keyword."""
    for record in project.world.functions_of(path).values():
        for call in record.calls:
            for name, term in call.keywords:
                if last_name(call.callee) == callee and name == keyword:
                    return term
    raise LookupError(f"{path} has no call of {callee} with {keyword}=")
