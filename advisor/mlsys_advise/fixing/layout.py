"""How new pieces of a program are laid out beside what stands there: arguments, parentheses, blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import libcst as cst

from mlsys_advise.fixing.refusal import Refusal

Whitespace: TypeAlias = cst.BaseParenthesizableWhitespace
#: What a new expression may stand in without parentheses of its own, whatever it is.
_ROOMY = (
    cst.AnnAssign, cst.Arg, cst.Assign, cst.AugAssign, cst.DictElement, cst.Element, cst.Expr, cst.If, cst.Index,
    cst.Return, cst.While,
)  # fmt: skip
#: Expressions of several parts that an operator beside them could tear apart.
_LOOSE = (
    cst.Await, cst.BinaryOperation, cst.BooleanOperation, cst.Comparison, cst.GeneratorExp, cst.IfExp, cst.Lambda,
    cst.NamedExpr, cst.Tuple, cst.UnaryOperation, cst.Yield,
)  # fmt: skip


def expression(text: str) -> cst.BaseExpression:
    """An expression from the text of an edit."""
    return cst.parse_expression(text)


def statement(text: str) -> cst.SimpleStatementLine:
    """A line with one simple statement from the text of an edit."""
    line = cst.parse_statement(text)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        raise ValueError(f"not one simple statement: {text!r}")
    return line


def compound(header: str, body: Sequence[cst.BaseStatement], indent: str) -> cst.BaseCompoundStatement:
    """The statements in a block of their own, indented by ``indent``, under a header: ``with torch.no_grad():``.

    Comments above the first one stand above the header.
    """
    parsed = cst.parse_statement(f"{header}\n    pass\n")
    if not isinstance(parsed, cst.BaseCompoundStatement):
        raise ValueError(f"not the header of a block: {header!r}")
    first, *others = body
    block = cst.IndentedBlock([first.with_changes(leading_lines=[]), *others], indent=indent)
    return parsed.with_changes(body=block, leading_lines=getattr(first, "leading_lines", []))


def in_parentheses_if_needed(
    new: cst.BaseExpression, old: cst.BaseExpression, parent: cst.CSTNode
) -> cst.BaseExpression:
    """The new expression with the parentheses of the old one, or with some of its own where it could be torn apart."""
    if old.lpar:
        return new.with_changes(lpar=old.lpar, rpar=old.rpar)
    if isinstance(new, _LOOSE) and not new.lpar and not isinstance(parent, _ROOMY):
        return new.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return new


def appended(call: cst.Call, name: str, value: str) -> cst.Call:
    """The call with a keyword argument: changed where it stands, else put behind the others in their layout.

    Raises Refusal if the keyword may be among those of ``**options``.
    """
    arguments = list(call.args)
    for index, argument in enumerate(arguments):
        if argument.keyword is not None and argument.keyword.value == name:
            arguments[index] = argument.with_changes(value=expression(value))
            return call.with_changes(args=arguments)
    if any(argument.star == "**" for argument in arguments):
        raise Refusal(f"{name} may be among the keywords that are passed on with **")
    new = cst.Arg(
        keyword=cst.Name(name),
        value=expression(value),
        equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
    )
    if not arguments:
        return call.with_changes(args=[new])
    return call.with_changes(args=[*arguments[:-1], *_behind(call, arguments[-1], new)])


def _behind(call: cst.Call, last: cst.Arg, new: cst.Arg) -> tuple[cst.Arg, cst.Arg]:
    """The last argument and the new one behind it; what stood before the closing parenthesis still does."""
    comma = last.comma if isinstance(last.comma, cst.Comma) else None
    closing = comma.whitespace_after if comma else last.whitespace_after_arg
    gap = _gap(call)
    if isinstance(gap, cst.ParenthesizedWhitespace) and isinstance(closing, cst.ParenthesizedWhitespace):
        # A comment behind the last argument is about that one, and stays on its line.
        gap = gap.with_changes(first_line=closing.first_line)
        closing = closing.with_changes(first_line=_uncommented(closing.first_line))
    if isinstance(last.value, cst.GeneratorExp) and not last.value.lpar:
        last = last.with_changes(value=last.value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]))
    before = last.with_changes(comma=cst.Comma(whitespace_after=gap), whitespace_after_arg=cst.SimpleWhitespace(""))
    if comma:
        return before, new.with_changes(comma=comma.with_changes(whitespace_after=closing))
    return before, new.with_changes(whitespace_after_arg=closing)


def _gap(call: cst.Call) -> Whitespace:
    """What separates arguments in this call: a new line where they stand in lines of their own, else a blank."""
    sample: Whitespace = call.whitespace_before_args
    if len(call.args) > 1:
        comma = call.args[-2].comma
        sample = comma.whitespace_after if isinstance(comma, cst.Comma) else cst.SimpleWhitespace(" ")
    if isinstance(sample, cst.ParenthesizedWhitespace):
        return sample.with_changes(first_line=_uncommented(sample.first_line), empty_lines=[])
    return cst.SimpleWhitespace(" ")


def _uncommented(line: cst.TrailingWhitespace) -> cst.TrailingWhitespace:
    return line.with_changes(whitespace=cst.SimpleWhitespace(""), comment=None)
