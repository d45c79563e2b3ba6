"""From an exception to the lines that a user sees.

Every error is one line `place: error: what is wrong`; the offending source line with a caret and `fix: ...` may follow,
indented. The exit code is 1. An exception that is not the user's doing is an `internal error`, shown with its traceback
only when `--debug` is given.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from errno import EACCES, EISDIR, ENAMETOOLONG, ENOENT

from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import (
    ArgSpecParseError,
    DiagnosticException,
    InvalidIRException,
    MultipleSpansParseError,
    ParseError,
    UnregisteredConstructException,
)
from xdsl.utils.lexer import Span

from snnir.cli.locations import DiagnosticTrap, LocatedVerifyException, find_unverified
from snnir.dialects.places import place_of
from snnir.errors import SnnirError

USER_ERRORS = (
    ParseError,
    DiagnosticException,
    ArgSpecParseError,
    InvalidIRException,
    UnregisteredConstructException,
    SnnirError,
    OSError,
    ValueError,
)
"""What can go wrong with a user's input. `ArgSpecParseError` is not an `Exception`, so it is easily missed."""

_EXCERPT_WIDTH = 120


@dataclass
class Situation:
    """What the driver was doing when an error came up."""

    tool: str
    """Name of the command, the place of errors that belong to no file."""

    input_name: str = ""
    """The file that is being processed, the place of errors without a better one."""

    activity: str = ""
    """`in snn-quantize`, `after snn-quantize`: appended to errors that do not say it themselves."""

    module: ModuleOp | None = None
    """The module that is being processed."""

    trap: DiagnosticTrap = field(default_factory=DiagnosticTrap)
    """The operation that the last diagnostic belongs to."""

    @property
    def place(self) -> str:
        """The place of errors that say nothing about theirs."""
        return self.input_name or self.tool


def one_line(message: str) -> str:
    """The message with all blanks and newlines collapsed."""
    return " ".join(message.split())


def error_text(place: str, message: str, hint: str = "", excerpt: str = "") -> str:
    """An error as it is printed; see the module's docstring."""
    lines = [f"{place}: error: {one_line(message)}"]
    if excerpt:
        lines.append(excerpt)
    if hint:
        lines.append(f"  fix: {one_line(hint)}")
    return "\n".join(lines)


def excerpt_of(span: Span[str] | Span[bytes]) -> str:
    """The first source line of a span with a caret below, indented, cut to the caret's neighbourhood; maybe empty."""
    content = span.input.content
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    line = text[start : end if end >= 0 else len(text)].rstrip("\r").replace("\t", " ")
    if not line.strip():
        return ""
    column = min(span.start - start, len(line))
    width = max(1, min(span.end - span.start, len(line) - column))
    left = max(0, column - _EXCERPT_WIDTH // 2)
    window = line[left : left + _EXCERPT_WIDTH]
    return f"  {window}\n  {' ' * (column - left)}{'^' * min(width, max(1, len(window) - (column - left)))}"


_FIXES = {
    ENOENT: "name a file that is there",
    EISDIR: "name a file, not a directory",
    EACCES: "name a file that may be opened",
    ENAMETOOLONG: "give a shorter name",
}
"""What to do about errors of the system that need more than their own words."""


def describe(error: BaseException, situation: Situation) -> str:
    """The lines for an error of `USER_ERRORS`."""
    found = as_snnir_error(error, situation)
    return error_text(found.place, found.message, found.hint, found.excerpt)


def as_snnir_error(error: BaseException, situation: Situation) -> SnnirError:
    """An error of `USER_ERRORS` as the one kind that users see."""
    match error:
        case SnnirError():
            return error
        case MultipleSpansParseError():
            notes = [f"  {span.get_location()}: note: {one_line(text or '')}" for span, text in error.refs]
            return _parse_error(error, notes)
        case ParseError():
            return _parse_error(error, [])
        case LocatedVerifyException():
            return SnnirError(error.place, str(error))
        case DiagnosticException():
            return _diagnostic(error, situation)
        case OSError():
            place = str(error.filename) if error.filename is not None else situation.place
            hint = _FIXES.get(error.errno or 0, "")
            return SnnirError(place, error.strerror or str(error) or type(error).__name__, hint)
        case _:
            return SnnirError(situation.place, _with_activity(str(error), situation))


def internal_error(error: BaseException, situation: Situation) -> str:
    """The line for an exception that no input should cause."""
    what = "".join(traceback.format_exception_only(error))
    message = _with_activity(f"internal error: {what}", situation)
    return error_text(situation.place, message, "report it with the output of the same command and --debug")


def _parse_error(error: ParseError, notes: list[str]) -> SnnirError:
    excerpt = excerpt_of(error.span)
    return SnnirError(str(error.span.get_location()), error.msg, "", "\n".join([*([excerpt] * bool(excerpt)), *notes]))


def _diagnostic(error: DiagnosticException, situation: Situation) -> SnnirError:
    op, message = None, str(error)
    if situation.trap.error is error:
        op, message = situation.trap.op, situation.trap.message
    elif situation.module is not None:
        op = find_unverified(situation.module, message)
    if op is not None and op.name not in message:
        message = f"{op.name}: {message}"
    place = situation.place if op is None else place_of(op, situation.place)
    return SnnirError(place, _with_activity(message, situation))


def _with_activity(message: str, situation: Situation) -> str:
    return f"{one_line(message)} ({situation.activity})" if situation.activity else message
