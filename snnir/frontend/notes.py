"""Notes: what a front end assumed, on stderr, so that nothing is assumed silently."""

import sys
from dataclasses import dataclass, field


@dataclass
class Notes:
    """What there is to say about a file. Shown when the file has been read: an error stands alone."""

    lines: list[str] = field(default_factory=list[str])

    def add(self, place: object, message: str) -> None:
        """Remember one thing that a user should know about a place in a file."""
        self.lines.append(f"{place}: note: {' '.join(message.split())}\n")

    def show(self) -> None:
        """Print everything to stderr, in the order in which it was added."""
        sys.stderr.write("".join(self.lines))
