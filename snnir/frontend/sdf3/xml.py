"""XML as a tree whose elements know their places, read without what makes XML dangerous.

A document type declaration is refused: without one there are no entities to expand or to fetch. The whole text is
given to expat at once, so that no token is scanned again and again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr

from snnir.errors import SnnirError

SIZE_LIMIT = 1 << 28
"""Files of more bytes are refused."""
DEPTH_LIMIT = 64
"""Elements deeper than this are refused; those of an SDF3 file are eight deep."""
LARGEST = 2**62
"""The largest number that the analysis takes."""

_TEXT_LIMIT = 1 << 12
_WHOLE = re.compile(r"([+-]?)(\d+)(?:\.0*)?")


@dataclass
class Element:
    """An element, its attributes without namespaces, and where it starts (line and column from 1).

    What is asked for is remembered, so that what nobody asked for can be reported.
    """

    file: str
    name: str
    attributes: dict[str, str]
    line: int
    column: int
    children: list[Element] = field(default_factory=list["Element"])
    text: str = ""
    seen: set[str] = field(default_factory=set[str])
    read: bool = False

    @property
    def place(self) -> str:
        """Where it is, for errors: `graph.xml:12:5`."""
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def location(self) -> FileLineColLoc:
        """The same for an op."""
        return FileLineColLoc(StringAttr(self.file), IntAttr(self.line), IntAttr(self.column))

    def error(self, message: str, hint: str = "") -> SnnirError:
        """An error at this element."""
        return SnnirError(self.place, message, hint)

    def all(self, name: str) -> list[Element]:
        """The children of that name, in order."""
        found = [child for child in self.children if child.name == name]
        for child in found:
            child.read = True
        return found

    def one(self, name: str) -> Element | None:
        """The child of that name, if there is one; several are an error."""
        found = self.all(name)
        if len(found) > 1:
            raise found[1].error(f"a second <{name}> in <{self.name}>", f"the first is in line {found[0].line}")
        return found[0] if found else None

    def optional(self, name: str) -> str | None:
        """The value of an attribute without blanks around it, or `None`."""
        self.seen.add(name)
        value = self.attributes.get(name)
        return None if value is None else value.strip()

    def required(self, name: str) -> str:
        """The value of an attribute that must be there and say something."""
        value = self.optional(name)
        if not value:
            what = "no" if value is None else "an empty"
            raise self.error(f"<{self.name}> has {what} attribute '{name}'", f'write <{self.name} {name}="..."/>')
        return value

    def number(self, name: str) -> int | None:
        """The value of an attribute as a whole number from 0 on, or `None` when it is not there."""
        return None if self.optional(name) is None else self.whole(self.required(name), f"'{name}' of <{self.name}>")

    def whole(self, text: str, what: str) -> int:
        """`text` as a whole number from 0 to 2^62; `what` is how an error calls it."""
        match = _WHOLE.fullmatch(text.strip())
        if match is None:
            hint = "times and numbers of tokens are whole; scale all times by the same factor to make them so"
            raise self.error(f"{what} is no whole number: '{shortened(text)}'", hint)
        digits = match[2].lstrip("0")
        if len(digits) > len(str(LARGEST)) or int(digits or "0") > LARGEST:
            raise self.error(f"{what} is too large: {shortened(text)}", "numbers go to 2^62; scale all times down")
        if match[1] == "-" and digits:
            raise self.error(f"{what} is negative: {shortened(text)}", "it is 0 or more")
        return int(digits or "0")


def shortened(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= 40 else f"{text[:37]}..."


def read_tree(path: Path) -> Element:
    """The root of an XML file. Raises `SnnirError` for a file that is missing, huge, no XML, or dangerous."""
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise SnnirError(path, f"cannot be read: {error.strerror}", "name a readable .xml file") from None
    if len(data) > SIZE_LIMIT:
        raise SnnirError(path, f"a file of more than {SIZE_LIMIT >> 20} MiB is refused", "split the graph")
    if not data.strip():
        raise SnnirError(f"{path}:1:1", "the file is empty", "an SDF3 file begins with <sdf3 ...>")
    builder = _Builder(str(path))
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code) or "damaged"
        place = f"{path}:{error.lineno}:{error.offset + 1}"
        raise SnnirError(place, f"not well-formed XML: {what}", "an SDF3 file begins with <sdf3 ...>") from None
    except (ValueError, LookupError) as error:
        # expat asks Python for encodings that it does not know itself
        raise SnnirError(f"{path}:1:1", f"cannot be decoded: {error}", "save the file in UTF-8") from None
    assert builder.root is not None
    return builder.root


class _Builder:
    """Builds the tree from what expat finds."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Element | None = None
        self._open: list[Element] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _doctype(self, *_: object) -> None:
        place = f"{self.file}:{self.parser.CurrentLineNumber}:{self.parser.CurrentColumnNumber + 1}"
        hint = "remove the line <!DOCTYPE ...>; SDF3 files need none"
        raise SnnirError(place, "document types and entities are refused", hint)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        parser = self.parser
        # the rest says which namespaces there are and where schemas are
        plain = {key: value for key, value in attributes.items() if key != "xmlns" and ":" not in key}
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        element = Element(self.file, name.rpartition(":")[2], plain, line, column)
        if len(self._open) >= DEPTH_LIMIT:
            raise element.error(f"elements are nested more than {DEPTH_LIMIT} deep", "this is no SDF3 file")
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        if len(self._open[-1].text) < _TEXT_LIMIT:
            self._open[-1].text += text
