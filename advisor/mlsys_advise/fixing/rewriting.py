"""Edits performed on a passage by libcst, which keeps comments, quotes and layout.

Invariant: each edit finds exactly the node that it names, by position, or the passage is refused whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

from mlsys_advise.edit import (
    Edit,
    HoistStatement,
    InsertStatement,
    RemoveStatement,
    RenameCallee,
    ReplaceExpression,
    ReplaceStatement,
    SetDecorator,
    SetKeyword,
    WrapStatements,
)
from mlsys_advise.fixing.layout import appended, compound, expression, in_parentheses_if_needed, statement
from mlsys_advise.fixing.passage import Region
from mlsys_advise.fixing.refusal import Refusal
from mlsys_advise.span import Span

Statement: TypeAlias = cst.SimpleStatementLine | cst.BaseCompoundStatement
Locate: TypeAlias = Callable[[Span], Region]
_Node = TypeVar("_Node", bound=cst.CSTNode)


def rewritten(lines: Sequence[str], edits: Iterable[Edit], locate: Locate, first: int, indent: str) -> list[str]:
    """The lines of a passage after the edits.

    ``locate`` says where in the text a span lies, ``first`` is the number of the passage's first line there.
    ``indent`` is one step of indentation in this file, for blocks that are new.
    Raises Refusal if an edit cannot be performed.
    """
    # A header makes an indented passage a module; a statement in front keeps comments with the first one below it.
    header = "if 1:" if lines[0][:1] in (" ", "\t", "\f") else "0"
    text = "\n".join([header, *lines, ""])
    try:
        module = cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError, ValueError):
        raise Refusal("the statement around it cannot be parsed by itself") from None
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    editor = _Editor(_Places(positions, first - 2, locate), wrapper.resolve(ParentNodeProvider), indent)
    for edit in edits:
        editor.plan(edit)
    code = module.visit(editor).code
    return code.split("\n")[1:-1]


class _Places:
    """The nodes of the passage by position."""

    def __init__(self, positions: Mapping[cst.CSTNode, CodeRange], above: int, locate: Locate) -> None:
        self._above = above
        self._locate = locate
        self._starts: dict[tuple[int, int], list[tuple[cst.CSTNode, CodeRange]]] = {}
        for node, place in positions.items():
            self._starts.setdefault((place.start.line, place.start.column), []).append((node, place))

    def node(self, span: Span, kind: type[_Node] | tuple[type[_Node], ...]) -> _Node:
        """The node of a kind that begins and ends with the span. Raises Refusal if there is none."""
        region = self._locate(span)
        end = region.end_line - self._above, region.end_column
        for node, place in self._starting(region):
            if isinstance(node, kind) and (place.end.line, place.end.column) == end:
                return node
        raise Refusal("what has to be changed was not found where it was")

    def statement(self, span: Span) -> cst.BaseSmallStatement | cst.BaseCompoundStatement:
        """The statement that begins with the span. Raises Refusal if there is none."""
        for node, _ in self._starting(self._locate(span)):
            if isinstance(node, cst.BaseSmallStatement | cst.BaseCompoundStatement):
                return node
        raise Refusal("what has to be changed was not found where it was")

    def _starting(self, region: Region) -> list[tuple[cst.CSTNode, CodeRange]]:
        return self._starts.get((region.line - self._above, region.column), [])


class _Editor(cst.CSTTransformer):
    """Performs edits as the tree is left, innermost first, so that an outer one sees what the inner ones made."""

    def __init__(self, places: _Places, parents: Mapping[cst.CSTNode, cst.CSTNode], indent: str) -> None:
        super().__init__()
        self._places = places
        self._parents = parents
        self._indent = indent
        self._changes: dict[cst.CSTNode, list[Callable[[Any], Any]]] = {}
        self._removed: set[cst.CSTNode] = set()
        self._before: dict[cst.CSTNode, list[str]] = {}
        self._hoisted: dict[cst.CSTNode, list[cst.CSTNode]] = {}
        self._moved: dict[cst.CSTNode, cst.SimpleStatementLine] = {}
        self._wraps: dict[cst.CSTNode, tuple[cst.CSTNode, str]] = {}

    # -- planning

    def plan(self, edit: Edit) -> None:
        """Find what an edit names. Raises Refusal if it is not there."""
        places = self._places
        match edit:
            case SetKeyword(call, name, value):
                self._change(places.node(call, cst.Call), lambda node: appended(node, name, value))
            case RenameCallee(call, name):
                self._change(places.node(call, cst.Call), lambda node: node.with_changes(func=expression(name)))
            case ReplaceExpression(span, text):
                target = places.node(span, cst.BaseExpression)
                parent = self._parents[target]
                self._change(target, lambda node: in_parentheses_if_needed(expression(text), node, parent))
            case SetDecorator(definition, decorator, instead_of):
                found = places.statement(definition)
                self._change(found, lambda node: _decorated(node, decorator, instead_of))
            case ReplaceStatement(span, text):
                self._change(self._simple(span), lambda node: _small(text).with_changes(semicolon=node.semicolon))
            case RemoveStatement(span):
                self._removed.add(self._simple(span))
            case InsertStatement(anchor, text, "before"):
                self._before.setdefault(self._line(places.statement(anchor)), []).append(text)
            case InsertStatement(anchor, text):
                self._change(places.statement(anchor), lambda node: _with_first(node, text))
            case HoistStatement(span, loop):
                moved = self._simple(span)
                self._hoisted.setdefault(places.statement(loop), []).append(moved)
                self._removed.add(moved)
            case WrapStatements(first, last, header):
                begin, end = (self._line(places.statement(span)) for span in (first, last))
                self._wraps[begin] = end, header
            case _:
                raise Refusal("an import is not part of a statement")

    def _change(self, node: cst.CSTNode, change: Callable[[Any], Any]) -> None:
        self._changes.setdefault(node, []).append(change)

    def _simple(self, span: Span) -> cst.BaseSmallStatement:
        found = self._places.statement(span)
        if not isinstance(found, cst.BaseSmallStatement):
            raise Refusal("what has to be changed is a block of statements")
        return found

    def _line(self, node: cst.CSTNode) -> cst.CSTNode:
        """The member of a block that a statement is: itself, or the line on which it is the first."""
        if isinstance(node, cst.BaseCompoundStatement):
            return node
        line = self._parents[node]
        if not isinstance(line, cst.SimpleStatementLine) or line.body[0] is not node:
            raise Refusal("it shares its line with another statement")
        return line

    # -- performing

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        node = super().on_leave(original_node, updated_node)
        for change in self._changes.get(original_node, ()):
            node = change(node)
        return node

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        body, rest = self._members(original_node.body, updated_node.body)
        if not body and original_node.body:
            body = [statement("pass")]
        return updated_node.with_changes(body=body, footer=[*rest, *updated_node.footer])

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        body, rest = self._members(original_node.body, updated_node.body)
        return updated_node.with_changes(body=body, footer=[*rest, *updated_node.footer])

    def leave_SimpleStatementSuite(
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.SimpleStatementSuite:
        return updated_node.with_changes(body=self._kept(original_node, updated_node) or [cst.Pass()])

    def _members(
        self, before: Sequence[cst.CSTNode], after: Sequence[cst.CSTNode]
    ) -> tuple[list[Statement], list[cst.EmptyLine]]:
        """The statements of a block after the edits, and comments that have lost the statement below them."""
        done: list[Statement] = []
        comments: list[cst.EmptyLine] = []
        wrapped: tuple[cst.CSTNode, str, int] | None = None
        for original, updated in zip(before, after, strict=True):
            if original in self._wraps:
                wrapped = (*self._wraps[original], len(done))
            new = self._member(original, updated)
            for added in new:
                done.append(added.with_changes(leading_lines=[*comments, *added.leading_lines]))
                comments = []
            if not new and not self._leaves(original):
                comments += _comments(updated)
            if wrapped and wrapped[0] is original:
                _, header, start = wrapped
                done[start:] = [compound(header, done[start:], self._indent)]
                wrapped = None
        if wrapped:
            raise Refusal("the statements to be wrapped stand in different blocks")
        return done, comments

    def _member(self, original: cst.CSTNode, updated: Any) -> list[Statement]:
        """What becomes of one statement, with what is put in front of it."""
        if isinstance(original, cst.SimpleStatementLine):
            body = self._kept(original, updated)
            updated = updated.with_changes(body=body) if body else None
        added: list[Statement] = [statement(text) for text in self._before.get(original, ())]
        added += [self._moved[moved] for moved in self._hoisted.get(original, ()) if moved in self._moved]
        if len(added) < len(self._hoisted.get(original, ())):
            raise Refusal("what should leave the loop is not in it")
        if updated is None:
            return added
        if added:
            blank, rest = _split(updated.leading_lines)
            added[0] = added[0].with_changes(leading_lines=[*blank, *added[0].leading_lines])
            updated = updated.with_changes(leading_lines=rest)
        return [*added, updated]

    def _leaves(self, line: cst.CSTNode) -> bool:
        """Whether what stands on the line is moved elsewhere, with its comments."""
        return isinstance(line, cst.SimpleStatementLine) and any(
            line.body[0] in moved for moved in self._hoisted.values()
        )

    def _kept(
        self,
        original: cst.SimpleStatementLine | cst.SimpleStatementSuite,
        updated: cst.SimpleStatementLine | cst.SimpleStatementSuite,
    ) -> list[cst.BaseSmallStatement]:
        """The small statements of a line that stay; those that are moved elsewhere are noted."""
        kept: list[cst.BaseSmallStatement] = []
        for before, after in zip(original.body, updated.body, strict=True):
            if before not in self._removed:
                kept.append(after)
                continue
            moved = cst.SimpleStatementLine([after.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
            if len(original.body) == 1 and isinstance(updated, cst.SimpleStatementLine):
                # Comments above and behind it are about it.
                moved = moved.with_changes(
                    leading_lines=_comments(updated), trailing_whitespace=updated.trailing_whitespace
                )
            self._moved[before] = moved
        if kept and len(kept) < len(original.body):
            kept[-1] = kept[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
        return kept


def _comments(node: Any) -> list[cst.EmptyLine]:
    """The lines above a statement that is gone, if a comment is among them."""
    lines = list(node.leading_lines)
    return lines if any(line.comment for line in lines) else []


def _split(lines: Sequence[cst.EmptyLine]) -> tuple[list[cst.EmptyLine], list[cst.EmptyLine]]:
    """Blank lines at the beginning, and the rest: what is put between them stands right above the comments."""
    blank = next((number for number, line in enumerate(lines) if line.comment), len(lines))
    return list(lines[:blank]), list(lines[blank:])


def _small(text: str) -> cst.BaseSmallStatement:
    (small,) = statement(text).body
    return small


def _with_first(node: Any, text: str) -> Any:
    body = node.body
    if not isinstance(body, cst.IndentedBlock):
        raise Refusal("its block stands on the line of its header")
    return node.with_changes(body=body.with_changes(body=[statement(text), *body.body]))


def _decorated(node: Any, decorator: str, instead_of: str) -> Any:
    if not isinstance(node, cst.FunctionDef | cst.ClassDef):
        raise Refusal("only functions and classes can be decorated")
    new = cst.Decorator(expression(decorator))
    if not instead_of:
        return node.with_changes(decorators=[new, *node.decorators])
    wanted = expression(instead_of)
    for index, old in enumerate(node.decorators):
        if old.decorator.deep_equals(wanted):
            decorators = list(node.decorators)
            decorators[index] = old.with_changes(decorator=new.decorator)
            return node.with_changes(decorators=decorators)
    raise Refusal(f"it is not decorated with {instead_of}")
