"""Terms: how one file speaks of values that other files decide.

A term holds no local names and no positions: a local is replaced by what it was assigned. Terms are bounded in depth
and width; whatever is larger is ``UNKNOWN``. They are plain data, so an interface can be stored and hashed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

#: Values that a literal may have in a term.
Scalar: TypeAlias = str | int | float | bool | None


class Name(msgspec.Struct, frozen=True, array_like=True, tag="n", gc=False):
    """What a dotted name denotes after the imports of the file: ``torch.nn.Linear``, ``data.make_loader``."""

    dotted: str


class Def(msgspec.Struct, frozen=True, array_like=True, tag="d", gc=False):
    """A class or function of this file, by its qualified name: ``Net.forward``."""

    qualname: str


class Var(msgspec.Struct, frozen=True, array_like=True, tag="v", gc=False):
    """A variable of this module."""

    name: str


class Param(msgspec.Struct, frozen=True, array_like=True, tag="p", gc=False):
    """Parameter number ``index`` of a function of this file (the receiver counts)."""

    function: str
    index: int


class Self(msgspec.Struct, frozen=True, array_like=True, tag="s", gc=False):
    """The receiver of a method: an instance of this class of the file, or of a subclass."""

    cls: str


class Call(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """The result of a call. ``site`` numbers the recorded calls of ``function``; -1 where identity does not matter."""

    callee: Term
    args: tuple[Term, ...] = ()
    function: str = ""
    site: int = -1


class Member(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """Attribute ``name`` of a value."""

    of: Term
    name: str


class Elem(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """What iterating over a value yields."""

    of: Term


class Item(msgspec.Struct, frozen=True, array_like=True, tag="i"):
    """A value subscripted by a constant, or one part of an unpacked value; ``key`` is None for any other subscript."""

    of: Term
    key: int | str | None


class Const(msgspec.Struct, frozen=True, array_like=True, tag="k", gc=False):
    """A literal whose value matters."""

    value: Scalar


class Lit(msgspec.Struct, frozen=True, array_like=True, tag="l", gc=False):
    """A value of a builtin type whose content does not matter."""

    builtin: str


class Seq(msgspec.Struct, frozen=True, array_like=True, tag="q"):
    """A list, tuple or set display; a comprehension has one item and ``many``."""

    builtin: str
    items: tuple[Term, ...]
    many: bool = False


class Map(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """A dict display with constant keys, or ``dict(key=...)``."""

    items: tuple[tuple[str, Term], ...]


class Either(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """One of several terms: branches that meet, ``a or b``, re-assignment in a loop."""

    options: tuple[Term, ...]


class Arith(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """The result of arithmetic or a comparison: a tensor if an operand is one. Of ``product`` it is known to be one."""

    operands: tuple[Term, ...]
    product: bool = False


class Unknown(msgspec.Struct, frozen=True, array_like=True, tag="u", gc=False):
    """A value that the file cannot speak of."""


Term: TypeAlias = (
    Name | Def | Var | Param | Self | Call | Member | Elem | Item | Const | Lit | Seq | Map | Either | Arith | Unknown
)

UNKNOWN = Unknown()


def either(options: list[Term]) -> Term:
    """The union of terms: flat, without repetition, at most six; unknown parts are kept as one."""
    if len(options) == 1:
        return options[0]
    flat: list[Term] = []
    for option in options:
        for part in option.options if isinstance(option, Either) else (option,):
            if part not in flat:
                flat.append(part)
    if not flat or len(flat) > 6:
        return UNKNOWN
    return flat[0] if len(flat) == 1 else Either(tuple(flat))


def children(term: Term) -> tuple[Term, ...]:
    """The terms directly inside a term."""
    take = _CHILDREN.get(type(term))
    return take(term) if take is not None else ()


#: By type: this runs for every part of every term that is stored, where a `match` costs five times as much.
_CHILDREN: Final[dict[type, Callable[[Any], tuple[Term, ...]]]] = {
    Call: lambda term: (term.callee, *term.args),
    Member: lambda term: (term.of,),
    Elem: lambda term: (term.of,),
    Item: lambda term: (term.of,),
    Seq: lambda term: term.items,
    Either: lambda term: term.options,
    Arith: lambda term: term.operands,
    Map: lambda term: tuple([part for _, part in term.items]),
}


def last_name(term: Term) -> str:
    """The last component of what a callee is called: ``step`` for ``self.opt.step``; "" where there is none."""
    cls = type(term)
    if cls is Member or cls is Var:
        return term.name  # type: ignore[union-attr]
    if cls is Name:
        return term.dotted.rpartition(".")[2]  # type: ignore[union-attr]
    if cls is Def:
        return term.qualname.rpartition(".")[2].partition("#")[0]  # type: ignore[union-attr]
    return ""


def show(term: Term) -> str:
    """The notation in which ``inspect`` and ``why`` print terms."""
    match term:
        case Name(dotted):
            return dotted
        case Def(qualname):
            return qualname
        case Var(name):
            return f"var({name})"
        case Param(function, index):
            return f"param({function}, {index})"
        case Self(cls):
            return f"self({cls})"
        case Call(callee, args):
            return f"{show(callee)}({', '.join(map(show, args)) or '..'})"
        case Member(of, name):
            return f"{show(of)}.{name}"
        case Elem(of):
            return f"elem({show(of)})"
        case Item(of, key):
            return f"{show(of)}[{'..' if key is None else repr(key)}]"
        case Const(value):
            return repr(value)
        case Lit(builtin):
            return builtin
        case Seq(builtin, items, many):
            return f"{builtin}[{', '.join(map(show, items))}{' ..' if many else ''}]"
        case Map(items):
            return "{" + ", ".join(f"{key}: {show(part)}" for key, part in items) + "}"
        case Either(options):
            return " | ".join(map(show, options))
        case Arith(operands):
            return f"arith({', '.join(map(show, operands))})"
        case _:
            return "unknown"
