"""Program text and the places in it, so that an error can show where."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from xdsl.dialects.builtin import CallSiteLoc, FileLineColLoc, IntAttr, LocationAttr, StringAttr

from snnir.errors import SnnirError

SIZE_LIMIT = 1 << 20
"""Programs of more bytes are refused: bulk data belongs into a safetensors file, where it costs nothing to read."""

_EXCERPT_WIDTH = 120
_REMARKS = 8


@dataclass(frozen=True)
class Source:
    """The text of a program, the name of its file as the user gave it, and where it is included (or `None`)."""

    name: str
    text: str
    included: Span | None = None

    @staticmethod
    def load(path: Path | str, included: Span | None = None) -> Source:
        """Read a UTF-8 text file. Raises `SnnirError` for a file that is missing, huge, binary or not UTF-8."""
        path = Path(path)
        try:
            with path.open("rb") as file:
                data = file.read(SIZE_LIMIT + 1)
        except FileNotFoundError:
            raise SnnirError(path, "no such file", "name an existing .snn program") from None
        except OSError as error:
            raise SnnirError(path, f"cannot be read: {error.strerror}", "name a readable .snn program") from None
        if len(data) > SIZE_LIMIT:
            hint = "keep weights in a safetensors file and name them by key"
            raise SnnirError(path, f"a program of more than {SIZE_LIMIT >> 20} MiB is refused", hint)
        if b"\0" in data:
            raise SnnirError(path, "this is a binary file, not a program", "name a .snn text file")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = Source(str(path), data[: error.start].decode("utf-8-sig", "replace"), included)
            end = len(before.text)
            raise before.span(end, end).error("not UTF-8 text", "save the file in UTF-8") from None
        return Source(str(path), text.replace("\r\n", "\n").replace("\r", "\n"), included)

    @property
    def directory(self) -> Path:
        """Where files that the program names are looked for."""
        return Path(self.name).parent

    @cached_property
    def line_starts(self) -> list[int]:
        """The position of the first character of each line."""
        return [0, *(i + 1 for i, character in enumerate(self.text) if character == "\n")]

    def span(self, start: int, end: int) -> Span:
        """The place from `start` up to, not including, `end` (positions in the text)."""
        return Span(self, start, end)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of program text. An `Origin` (see `snnir.frontend.network`).

    `trail` says how the text came to be used: other places (without a trail) with a remark each, the nearest first.
    """

    source: Source
    start: int
    end: int
    trail: tuple[tuple[str, Span], ...] = ()

    @property
    def line(self) -> int:
        """The line on which it starts, from 1."""
        return bisect_right(self.source.line_starts, self.start)

    @property
    def column(self) -> int:
        """The column in which it starts, from 1, in characters."""
        return self.start - self.source.line_starts[self.line - 1] + 1

    @property
    def place(self) -> str:
        """`net.snn:12:5`."""
        return f"{self.source.name}:{self.line}:{self.column}"

    @property
    def location(self) -> LocationAttr:
        """The place as an attribute of the IR; text of a block is called from where the block is used."""
        here = FileLineColLoc(StringAttr(self.source.name), IntAttr(self.line), IntAttr(self.column))
        return CallSiteLoc(here, self.trail[0][1].location) if self.trail else here

    @property
    def excerpt(self) -> str:
        """The line with a caret below the place, and the same for the places of the trail, indented."""
        lines = [f"  {line}" for line in self._lines()]
        for remark, place in self._remarks():
            lines += [f"  {place.place}: {remark}", *(f"    {line}" for line in place._lines())]
        return "\n".join(lines)

    def _remarks(self) -> list[tuple[str, Span]]:
        """The trail, and where files of it are included; each place once."""
        found: dict[Span, str] = {}
        for remark, place in self.trail:
            found.setdefault(place, remark)
        for place in (self, *list(found)):
            included = place.source.included
            while included is not None:
                found.setdefault(included, "included here")
                included = included.source.included
        return [(remark, place) for place, remark in found.items()][:_REMARKS]

    def _lines(self) -> tuple[str, str]:
        """The line and the caret, cut to their neighbourhood; what cannot be printed is shown as `?`."""
        first = self.source.line_starts[self.line - 1]
        last = self.source.text.find("\n", first)
        line = self.source.text[first : last if last >= 0 else len(self.source.text)].rstrip()
        column = self.column - 1
        left = max(0, column - _EXCERPT_WIDTH // 2)
        window = line[left : left + _EXCERPT_WIDTH].replace("\t", " ")
        shown = "".join(character if character.isprintable() else "?" for character in window)
        room = max(1, len(shown) - (column - left))
        width = min(max(1, self.end - self.start), room)
        return shown, f"{' ' * (column - left)}{'^' * width}"

    def to(self, other: Span) -> Span:
        """From the start of this place to the end of the other."""
        return Span(self.source, self.start, other.end, self.trail)

    def because(self, remark: str, place: Span) -> Span:
        """The same place, with one more place that explains it."""
        return replace(self, trail=((remark, replace(place, trail=())), *place.trail, *self.trail))

    def error(self, message: str, hint: str = "") -> SnnirError:
        """An error at this place."""
        return SnnirError(self.place, message, hint, self.excerpt)
