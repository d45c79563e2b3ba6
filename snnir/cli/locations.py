"""Where an operation comes from: a parser that remembers, and the place to print in an error."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import (
    FileLineColLoc,
    IntAttr,
    ModuleOp,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Block, IRNode, Operation, Region
from xdsl.parser import Parser, Position
from xdsl.utils.diagnostic import Diagnostic
from xdsl.utils.exceptions import ParseError, VerifyException
from xdsl.utils.lexer import Span

_VERIFIER_PREFIX = "Operation does not verify: "


class LocatedVerifyException(VerifyException):
    """What an attribute's or type's verifier says about text that is being parsed; `place` is `file:line:col`."""

    def __init__(self, place: str, message: str) -> None:
        self.place = place
        super().__init__(message)


class LocatingParser(Parser):
    """xDSL's parser, which also gives every operation without `loc(...)` the line and column where it starts.

    `first_line` is added to line numbers: the number of lines before this text in its file. Printing is the same as
    after xDSL's parser unless debug information is asked for.
    """

    def __init__(self, ctx: Context, text: str, name: str, first_line: int = 0) -> None:
        super().__init__(ctx, text, name)
        self.file = StringAttr(name)
        self.first_line = first_line
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def line_and_column(self, position: Position) -> tuple[int, int]:
        """Line and column in the file, both from 1."""
        line = bisect_right(self.starts, position)
        return line + self.first_line, position - self.starts[line - 1] + 1

    def location(self, position: Position) -> FileLineColLoc:
        """The location attribute of a position in the text."""
        line, column = self.line_and_column(position)
        return FileLineColLoc(self.file, IntAttr(line), IntAttr(column))

    def parse_operation(self) -> Operation:
        """One operation, located at its first token."""
        start = self.pos
        try:
            op = super().parse_operation()
        except LocatedVerifyException:
            raise
        except VerifyException as error:
            # of an attribute that the operation's own syntax makes
            raise self._located(error, start, "") from error
        if isinstance(op.location, UnknownLoc):
            op.location = self.location(start)
        return op

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        """The whole text; a module that the text leaves out is located at the first line."""
        try:
            module = super().parse_module(allow_implicit_module)
        except ParseError as error:
            raise self.not_past_the_end(error) from error
        if isinstance(module.location, UnknownLoc):
            module.location = self.location(0)
        return module

    def not_past_the_end(self, error: ParseError) -> ParseError:
        """Errors found at the end of the text, where there is nothing to see, are moved back.

        Values that are never defined go to their first use, others behind the last thing that the text says.
        """
        text = self.lexer.input.content
        if not text[error.span.start :].strip():
            end = len(text.rstrip())
            error.span = Span(end, end, self.lexer.input)
            if self.forward_ssa_references:
                use = first_use(text, next(iter(self.forward_ssa_references)))
                error.span = Span(use, use + 1, self.lexer.input)
        return error

    def _parse_dialect_type_or_attribute_body(
        self, attr_name: str, is_type: bool, is_opaque: bool, starting_opaque_pos: Position | None
    ) -> Any:
        start = self.pos
        try:
            return super()._parse_dialect_type_or_attribute_body(attr_name, is_type, is_opaque, starting_opaque_pos)
        except LocatedVerifyException:
            raise
        except VerifyException as error:
            raise self._located(error, start, f"{'!' if is_type else '#'}{attr_name}: ") from error

    def _located(self, error: VerifyException, position: Position, what: str) -> LocatedVerifyException:
        line, column = self.line_and_column(position)
        return LocatedVerifyException(f"{self.file.data}:{line}:{column}", f"{what}{error}")


def first_use(text: str, name: str) -> Position:
    """Where a value is first named, comments and strings aside."""
    tokens = re.finditer(rf'"(?:[^"\\]|\\.)*"|//[^\n]*|(%{re.escape(name)}(?![\w$.-]))', text)
    return next((match.start(1) for match in tokens if match[1]), len(text.rstrip()))


@dataclass
class DiagnosticTrap:
    """What xDSL knew about the last error when it raised it: the operation, and its message."""

    error: Exception | None = None
    op: Operation | None = None
    message: str = ""


@contextmanager
def diagnostics_kept_short() -> Generator[DiagnosticTrap]:
    """Inside, an error on an operation is remembered in the trap instead of printing the whole module into its notes.

    xDSL's own behaviour prints every operation in generic form for each error, weights included: 800 MB of text for
    400 MB of weights.
    """
    trap = DiagnosticTrap()

    def raise_exception(self: Diagnostic, ir: IRNode, underlying_error: Exception) -> NoReturn:
        if trap.error is not underlying_error:
            trap.error = underlying_error
            trap.op, messages = next(iter(self.op_messages.items()), (owner(ir), [str(underlying_error)]))
            trap.message = messages[-1].removeprefix(_VERIFIER_PREFIX)
        raise underlying_error

    stock = Diagnostic.raise_exception
    Diagnostic.raise_exception = raise_exception
    try:
        yield trap
    finally:
        Diagnostic.raise_exception = stock


def owner(node: IRNode) -> Operation | None:
    """The operation that `node` is or belongs to."""
    match node:
        case Operation():
            return node
        case Block() | Region():
            return node.parent_op()
        case _:
            return None


def find_unverified(module: ModuleOp, message: str) -> Operation | None:
    """The operation whose verifier raises `message`, for errors that xDSL raises without naming the operation."""
    for op in module.walk():
        try:
            op.verify(verify_nested_ops=False)
        except VerifyException as error:
            if str(error) == message:
                return op
    return None
