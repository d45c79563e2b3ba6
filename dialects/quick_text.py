"""Reading text in the form in which it is printed: one regular expression in place of hundreds of tokens.

xDSL spends 10 to 20 us on a token. What is printed has one spelling, which a regular expression takes in whole; text
that is spelled otherwise, or is wrong, is left to the ordinary parser, so that all errors are the ordinary parser's.
"""

import gc
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from xdsl.parser import AttrParser

from snnir.indices import Indices, Run

INDICES = r"\[[0-9:, ]*\]"
"""Text that may be an index set; `indices_of` knows."""
_RUNS = re.compile(r"\[(?:[0-9]+(?::[0-9]+){0,2}(?:, [0-9]+(?::[0-9]+){0,2})*)?\]")
_SPANS = re.compile(r"\[[0-9]+:[0-9]+(?:, [0-9]+:[0-9]+)*\]")
_QUICK: ContextVar[bool] = ContextVar("quick", default=True)


@contextmanager
def ordinary_reading() -> Generator[None]:
    """Inside, all text goes through xDSL token by token: for comparison."""
    token = _QUICK.set(False)
    try:
        yield
    finally:
        _QUICK.reset(token)


def is_quick() -> bool:
    """Whether there are shortcuts."""
    return _QUICK.get()


@contextmanager
def collection_paused() -> Generator[None]:
    """Inside, Python does not look for cyclic garbage.

    Reading, verifying and clustering make many objects and hardly any garbage; looking for some again and again, among
    all that there is, would take a third of the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def advance(parser: AttrParser, first: str, end: int) -> None:
    """Skip from the current token, which is `first`, to `end`.

    A parser is one token ahead of its lexer, so the token that follows `first` is the one at `end`.
    """
    parser.lexer.pos = end
    parser.parse_characters(first)


def indices_of(text: str) -> Indices | None:
    """The index set that `text` is as it stands; `None` where it is none."""
    if _SPANS.fullmatch(text):
        numbers = list(map(int, text[1:-1].replace(":", ", ").split(", ")))
        indices = Indices.of_spans(numbers[::2], numbers[1::2])
        if indices is not None:
            return indices
    if not _RUNS.fullmatch(text):
        return None
    try:
        return Indices.of_runs([_run(run) for run in text[1:-1].split(", ")] if len(text) > 2 else [])
    except ValueError:
        return None


def _run(text: str) -> Run:
    start, *rest = text.split(":")
    first = int(start)
    if not rest:
        return first, first + 1, 1
    return first, int(rest[0]), int(rest[1]) if len(rest) > 1 else 1


def parse_optional_quick_indices(parser: AttrParser) -> Indices | None:
    """The index set that the text goes on with, if it is spelled as printed."""
    if not is_quick():
        return None
    match = _RUNS.match(parser.lexer.input.content, parser.pos)
    indices = indices_of(match[0]) if match else None
    if match and indices is not None:
        advance(parser, "[", match.end())
    return indices
