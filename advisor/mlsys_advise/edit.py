"""The algebra of edits: what a fix does to a program, as plain data that is stored with the candidate.

An edit says what changes, never how the text is laid out: comments, quotes, trailing commas and line ends are the
business of ``fixing``, which alone performs edits. Positions are those of the text that was analysed.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from mlsys_advise.span import Span


class SetKeyword(msgspec.Struct, frozen=True, array_like=True, tag="keyword"):
    """Give a call this keyword argument, or change the one that it has. ``value`` is an expression."""

    call: Span
    name: str
    value: str


class ReplaceExpression(msgspec.Struct, frozen=True, array_like=True, tag="expression"):
    """Put another expression in the place of one; parentheses are added where the new one needs them."""

    expression: Span
    text: str


class RenameCallee(msgspec.Struct, frozen=True, array_like=True, tag="callee"):
    """Call something else with the same arguments. ``name`` is a dotted name that is bound there."""

    call: Span
    name: str


class ReplaceStatement(msgspec.Struct, frozen=True, array_like=True, tag="statement"):
    """Put another simple statement in the place of a simple statement."""

    statement: Span
    text: str


class RemoveStatement(msgspec.Struct, frozen=True, array_like=True, tag="remove"):
    """Remove a simple statement; a block that it leaves empty gets a ``pass``."""

    statement: Span


class InsertStatement(msgspec.Struct, frozen=True, array_like=True, tag="insert"):
    """Put a simple statement in front of another statement, or first into the body of a compound one."""

    anchor: Span
    text: str
    where: Literal["before", "first in"] = "before"


class HoistStatement(msgspec.Struct, frozen=True, array_like=True, tag="hoist"):
    """Move a simple statement from a loop to the place in front of it."""

    statement: Span
    loop: Span


class WrapStatements(msgspec.Struct, frozen=True, array_like=True, tag="wrap"):
    """Indent the statements from ``first`` to ``last`` of one block under ``header``: ``with torch.no_grad():``."""

    first: Span
    last: Span
    header: str


class SetDecorator(msgspec.Struct, frozen=True, array_like=True, tag="decorator"):
    """Decorate a function or class, on the outside; in place of the decorator that is spelt ``instead_of``."""

    definition: Span
    decorator: str
    instead_of: str = ""


class AddImport(msgspec.Struct, frozen=True, array_like=True, tag="import"):
    """Import a module, or ``name`` from it, below the imports of the file, unless that name is imported already."""

    module: str
    name: str = ""


Edit: TypeAlias = (
    SetKeyword
    | ReplaceExpression
    | RenameCallee
    | ReplaceStatement
    | RemoveStatement
    | InsertStatement
    | HoistStatement
    | WrapStatements
    | SetDecorator
    | AddImport
)


class Fix(msgspec.Struct, frozen=True):
    """A change to the source: all of its edits or none.

    ``safe`` keeps what the program computes; ``suggested`` needs the author's judgement.
    """

    message: str
    applicability: Literal["safe", "suggested"]
    edits: tuple[Edit, ...]
