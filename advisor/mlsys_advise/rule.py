"""A rule: a pure function from a node of one document to candidates, with what the user reads beside it.

A rule sees one document through ``here`` and never another file; what the file cannot decide, it attaches to the
candidate as clauses (see ``condition``).
"""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from mlsys_advise.condition import Clause
from mlsys_advise.edit import Fix
from mlsys_advise.finding import Category, Severity
from mlsys_advise.heat import Context, Frequency
from mlsys_advise.languages.kubernetes import Site
from mlsys_advise.span import Span
from mlsys_advise.vocabulary import Vocabulary

#: Rules may be asked of nodes of these types; a function's annotation names which.
NodeTypes: TypeAlias = tuple[type, ...]
#: The version that brought every rule of which nothing else is said.
FIRST_RELEASE = "0.1.0"


class Answer(msgspec.Struct, frozen=True):
    """The answer to a condition: yes, no or unknown (None), with facts for the message."""

    value: bool | None
    facts: Mapping[str, str] = {}


class Candidate(msgspec.Struct, frozen=True, array_like=True):
    """A place where a rule may have something to report, with the questions that remain.

    ``message`` is a template for ``facts`` and for the facts of answers. ``function`` and ``loop`` name the place in
    the interface, for heat. Of candidates with the same ``group`` only the first is reported.
    """

    code: str
    span: Span
    message: str
    clauses: tuple[Clause, ...] = ()
    facts: dict[str, str] = {}
    function: str = ""
    loop: int = -1
    group: str = ""
    severity: Severity | None = None
    related: tuple[tuple[Span, str], ...] = ()
    fix: Fix | None = None
    snippet: str = ""


Check: TypeAlias = Callable[[Any, Any], Iterator[Candidate]]  # the node type is known to the rule alone
Confirm: TypeAlias = Callable[[Candidate, Mapping[str, Answer]], Candidate | None]


class Rule(msgspec.Struct, frozen=True):
    """A check with its metadata.

    ``evidence`` names the benchmark that measures what the antipattern costs, and ``sized_by`` the fact of a candidate
    that is the size to look up there. ``heat`` is the least heat that every candidate must have, or None where the rule
    asks for heat itself or not at all. ``words`` are identifiers one of which a file must contain. Of calls, a rule
    with ``calls`` is asked only of those that are written with one of these last names (``item``) or go, through
    whatever alias, to one of these dotted ones (``torch.compile``). ``confirm`` may settle a candidate by the answers
    to its clauses that have a ``says``. ``preview`` keeps a rule out of runs without ``--preview``; ``since`` is the
    version of the pack that brought it.
    """

    code: str
    name: str
    severity: Severity
    category: Category
    lesson: str
    summary: str
    check: Check
    nodes: NodeTypes
    module: str
    evidence: str = ""
    sized_by: str = ""
    heat: tuple[Context, Frequency] | None = None
    words: tuple[str, ...] = ()
    calls: frozenset[str] = frozenset()
    yields_to: tuple[str, ...] = ()
    confirm: Confirm | None = None
    optin: bool = False
    preview: bool = False
    since: str = FIRST_RELEASE

    @property
    def pack(self) -> str:
        """The pack that the rule belongs to: the package its module stands in."""
        return self.module.rpartition(".")[0].rpartition(".")[2]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages whose documents the rule is asked of."""
        return ("kubernetes",) if Site in self.nodes else ("python", "notebook")

    def answers_to(self, selector: str) -> bool:
        """Whether a selector means the rule: its code, the beginning of its code, its name, or ``ALL``."""
        return self.is_named(selector) or selector.upper() == "ALL" or self.code.startswith(selector.upper() or " ")

    def is_named(self, selector: str) -> bool:
        """Whether a selector is the rule's own code or name."""
        return selector.upper() == self.code or selector.lower() == self.name

    def page(self) -> str:
        """The Markdown page beside the rule's module.

        Raises FileNotFoundError if the rule has none.
        """
        package, _, stem = self.module.rpartition(".")
        from importlib import resources

        return resources.files(package).joinpath(f"{stem}.md").read_text(encoding="utf-8")


def rule(
    code: str,
    *,
    severity: Severity,
    category: Category,
    lesson: str,
    evidence: str = "",
    sized_by: str = "",
    heat: tuple[Context, Frequency] | None = None,
    words: tuple[str, ...] = (),
    calls: frozenset[str] = frozenset(),
    yields_to: tuple[str, ...] = (),
    confirm: Confirm | None = None,
    optin: bool = False,
    preview: bool = False,
    since: str = FIRST_RELEASE,
) -> Callable[[Check], Rule]:
    """Make a rule of a check function: its name, node types and summary are read off the function.

    Raises TypeError if the first parameter is not annotated with a node type, or there is no docstring.
    """

    def decorate(check: Check) -> Rule:
        hints = typing.get_type_hints(check)
        parameter = next(iter(inspect.signature(check).parameters))
        nodes = _types(hints.get(parameter))
        summary = (inspect.getdoc(check) or "").partition("\n\n")[0].replace("\n", " ")
        if not nodes or not summary:
            raise TypeError(f"{check.__module__}.{check.__qualname__} needs a node type and a docstring")
        return Rule(
            code=code,
            name=check.__name__.replace("_", "-"),
            severity=severity,
            category=category,
            lesson=lesson,
            summary=summary,
            check=check,
            nodes=nodes,
            module=check.__module__,
            evidence=evidence,
            sized_by=sized_by,
            heat=heat,
            words=words,
            calls=calls,
            yields_to=yields_to,
            confirm=confirm,
            optin=optin,
            preview=preview,
            since=since,
        )

    return decorate


def peer(
    code: str,
    name: str,
    summary: str,
    *,
    package: str,
    severity: Severity,
    category: Category,
    lesson: str,
    heat: tuple[Context, Frequency] | None = None,
    optin: bool = False,
) -> Rule:
    """A rule of another linter, which finds the places; ``package`` holds its page, named after the code.

    ``heat`` is the least that a place must have to be told.
    """
    return Rule(
        code=code,
        name=name,
        severity=severity,
        category=category,
        lesson=lesson,
        summary=summary,
        check=_finds_nothing,
        nodes=(),
        module=f"{package}.{code.lower()}",
        heat=heat,
        optin=optin,
    )


def _finds_nothing(node: object, here: object) -> Iterator[Candidate]:
    return iter(())


def _types(hint: object) -> NodeTypes:
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return tuple(part for part in parts if isinstance(part, type) and (issubclass(part, ast.AST) or part is Site))


class Pack(msgspec.Struct, frozen=True):
    """What an entry point of the group ``mlsys_advise.rules`` offers: rules and words of its own.

    ``peers`` are rules of ruff's under lessons of the pack. ``api`` is the version of this interface that the pack was
    written for.
    """

    name: str
    rules: tuple[Rule, ...]
    vocabulary: Vocabulary = Vocabulary()
    api: int = 1
    peers: tuple[Rule, ...] = ()


#: The version of the interface between engine and packs.
API = 1
