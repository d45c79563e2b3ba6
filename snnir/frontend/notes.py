"""Notes: what a front end assumed, on stderr, so that nothing is assumed silently."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

_collection: ContextVar[list[str] | None] = ContextVar("collection", default=None)


@contextmanager
def collected() -> Generator[list[str]]:
    """Keep the notes that are shown meanwhile in a list, one line each, in place of stderr."""
    lines: list[str] = []
    token = _collection.set(lines)
    try:
        yield lines
    finally:
        _collection.reset(token)


@dataclass
class Notes:
    """What there is to say about a file. Shown when the file has been read: an error stands alone."""

    lines: list[str] = field(default_factory=list[str])

    def add(self, place: object, message: str) -> None:
        """Remember one thing that a user should know about a place in a file."""
        self.lines.append(f"{place}: note: {' '.join(message.split())}\n")

    def show(self) -> None:
        """Print everything to stderr (see `collected`), in the order in which it was added."""
        kept = _collection.get()
        if kept is None:
            sys.stderr.write("".join(self.lines))
        else:
            kept += [line.rstrip("\n") for line in self.lines]
