"""The formatter of `.snn` programs: one layout for each program, comments kept, nothing reordered.

- A declaration to a line, indented by two spaces within `{ }`; at most one blank line between declarations.
- One space around `=`, `:`, `->`, `|` and operators, after commas, and between a number and its unit.
- What does not fit into 120 columns is broken within brackets: numbers and arguments fill lines of their own; rows of a
  matrix, and arguments among which are lists, stand one to a line; long chains are broken before each `|`.
- Comments at the ends of neighbouring lines stand below each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lark import Token

from snnir.frontend.snn.syntax import parse, tokens
from snnir.frontend.snn.tokens import COMMENT, KEYWORDS
from snnir.frontend.source import Source

WIDTH = 120
"""Lines are broken when they are longer, where they can be."""

ALIGNED = 80
"""Comments behind code of more columns are not aligned."""

_CLOSING = {"(": ")", "[": "]"}
_OPERATORS = frozenset("+-*/")
_NAMES = frozenset({"NAME", *(word.upper() for word in KEYWORDS)})
_TIGHT_AFTER = frozenset("([")
_TIGHT_BEFORE = frozenset(",)]")


@dataclass(slots=True)
class _Leaf:
    """A token, and whether a space stands before it."""

    text: str
    space: bool


@dataclass(slots=True)
class _Comment:
    """A comment; `own` when nothing stands before it on its line."""

    text: str
    own: bool


@dataclass(slots=True)
class _Entry:
    """What stands between two commas, and the comments behind it."""

    pieces: list[_Piece] = field(default_factory=list["_Piece"])
    comments: list[_Comment] = field(default_factory=list[_Comment])


@dataclass(slots=True)
class _Group:
    """Brackets; `comments` stand behind the opening one."""

    opening: str
    space: bool
    entries: list[_Entry] = field(default_factory=list[_Entry])
    comments: list[_Comment] = field(default_factory=list[_Comment])


_Piece = _Leaf | _Comment | _Group


@dataclass(slots=True)
class _Element:
    """A token or a comment of the text, with its place in it."""

    text: str
    start: int
    end: int
    kind: str
    ends: bool = False
    """Whether the next token begins a declaration or closes a block: nothing of this declaration follows."""
    blank: bool = False
    """Whether a blank line stands before it."""
    space: bool = False


def format_program(text: str, name: str = "program.snn") -> str:
    """The program in its canonical layout. Raises `SnnirError` for a text that does not parse; `name` is its file."""
    source = Source(name, text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    program = parse(source)
    writer = _Writer()
    pieces: list[_Element] = []
    for each in _elements(source, frozenset(program.starts)):
        if each.kind == "COMMENT" and not pieces:
            writer.remark(_Comment(each.text, each.text != "" and _own(source, each.start)), each.blank)
        elif each.text == "}" and each.kind == "RBRACE":
            writer.level -= 1
            writer.line("}", False)
        else:
            pieces.append(each)
        if pieces and (each.ends or each.kind == "LBRACE"):
            writer.blank(pieces[0].blank)
            _declaration(writer, _pieces(source, pieces))
            writer.level += each.kind == "LBRACE"
            pieces = []
    return writer.result()


format = format_program


def _own(source: Source, position: int) -> bool:
    return not source.text[source.text.rfind("\n", 0, position) + 1 : position].strip()


def _elements(source: Source, starts: frozenset[int]) -> list[_Element]:
    """All tokens and comments in order."""
    found: list[_Element] = []
    position = 0
    for token in [*tokens(source), Token("$END", "", len(source.text), end_pos=len(source.text))]:
        start, end = token.start_pos or 0, token.end_pos or 0
        gap = source.text[position:start]
        comments = re.finditer(COMMENT, gap) if "#" in gap else ()
        boundary = token.type in {"$END", "RBRACE"} or start in starts
        if boundary and found:
            found[-1].ends = True
        for match in comments:
            place = position + match.start()
            found.append(_Element(match[0].rstrip(), place, position + match.end(), "COMMENT", boundary))
        if token.type == "QUANTITY":
            number = re.match(r"[-+0-9.]+([eE][-+]?[0-9]+)?", token)
            assert number
            found.append(_Element(number[0], start, start + number.end(), "NUMBER"))
            found.append(_Element(str(token)[number.end() :].strip(), start + number.end(), end, "UNIT"))
        else:
            found.append(_Element(str(token), start, end, token.type))
        position = end
    found.pop()
    for previous, each in pairwise(found):
        each.blank = source.text.count("\n", previous.end, each.start) > 1
    _space(found)
    return found


def _space(found: list[_Element]) -> None:
    """Say where spaces stand."""
    before = _Element("{", 0, 0, "LBRACE")
    open_brackets: list[str] = []
    unary = False
    for each in found:
        if each.kind == "COMMENT":
            continue
        text, last = each.text, before.text
        each.space = text not in _TIGHT_BEFORE and last not in _TIGHT_AFTER and not unary
        called = text in _CLOSING and before.kind in _NAMES
        if called or (":" in (text, last) and open_brackets and open_brackets[-1] == "["):
            each.space = False
        value_follows = last in _OPERATORS or last in {"=", "(", "[", ",", ":"} or before.kind == "TIMES"
        unary = each.kind == "MINUS" and value_follows
        if text in _CLOSING and each.kind != "NUMBERS":
            open_brackets.append(text)
        elif text in {")", "]"}:
            open_brackets.pop()
        before = each


def _pieces(source: Source, elements: list[_Element]) -> list[_Piece]:
    """A declaration with its brackets as groups."""
    top: list[_Piece] = []
    open_groups: list[_Group] = []
    for each in elements:
        into = open_groups[-1].entries[-1].pieces if open_groups else top
        if each.kind == "COMMENT":
            comment = _Comment(each.text, _own(source, each.start))
            if into or not open_groups:
                into.append(comment)
            else:
                entries = open_groups[-1].entries
                (entries[-2].comments if len(entries) > 1 else open_groups[-1].comments).append(comment)
            continue
        if each.kind == "NUMBERS":
            words = [word.strip() for word in each.text[1:-1].split(",")]
            entries = [_Entry([_Leaf(word, False)]) for word in words if word]
            into.append(_Group("[", each.space, entries))
        elif each.text in _CLOSING:
            group = _Group(each.text, each.space, [_Entry()])
            into.append(group)
            open_groups.append(group)
        elif each.text in {")", "]"}:
            _close(open_groups.pop())
        elif each.text == "," and open_groups:
            _hoist(open_groups[-1].entries[-1])
            open_groups[-1].entries.append(_Entry())
        else:
            into.append(_Leaf(each.text, each.space))
    return top


def _hoist(entry: _Entry) -> None:
    """Comments at the end of an entry stand behind its comma."""
    while entry.pieces and isinstance(last := entry.pieces[-1], _Comment):
        entry.comments.insert(0, last)
        entry.pieces.pop()


def _close(group: _Group) -> None:
    """A comma before the closing bracket goes."""
    _hoist(group.entries[-1])
    if not group.entries[-1].pieces:
        last = group.entries.pop()
        (group.entries[-1].comments if group.entries else group.comments).extend(last.comments)


def _flat(pieces: Sequence[_Piece]) -> str | None:
    """Pieces on one line, a space before the first where it wants one; `None` when a comment is among them."""
    words: list[str] = []
    for each in pieces:
        if isinstance(each, _Comment):
            return None
        if isinstance(each, _Leaf):
            words.append(f" {each.text}" if each.space else each.text)
            continue
        inner = [_flat(entry.pieces) for entry in each.entries]
        if each.comments or any(entry.comments for entry in each.entries) or None in inner:
            return None
        text = ", ".join(str(word).lstrip() for word in inner)
        words.append(f"{' ' if each.space else ''}{each.opening}{text}{_CLOSING[each.opening]}")
    return "".join(words)


class _Writer:
    """Lines of code, each with the comment behind it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.level = 0
        self.current = ""

    def blank(self, wanted: bool) -> None:
        """A blank line, but not at the start of the file or of a block."""
        if wanted and self.lines and not self.lines[-1][0].endswith("{"):
            self.lines.append(("", ""))

    def line(self, text: str, blank: bool) -> None:
        """A line of its own."""
        self.blank(blank)
        self.lines.append((f"{'  ' * self.level}{text}", ""))

    def remark(self, comment: _Comment, blank: bool) -> None:
        """A comment between declarations, or behind the last one."""
        if comment.own or not self.lines or self.lines[-1][1]:
            self.line(comment.text, blank)
        else:
            self.lines[-1] = self.lines[-1][0], comment.text

    def put(self, text: str, indent: int) -> None:
        """More code on the current line."""
        self.current = self.current + text if self.current else "  " * indent + text.lstrip()

    def end(self, comment: str = "") -> None:
        """The current line is complete."""
        if self.current or comment:
            self.lines.append((self.current, comment))
        self.current = ""

    def comments(self, comments: Sequence[_Comment], indent: int) -> None:
        """Comments behind the current line, then below it."""
        for each in comments:
            if each.own or not self.current:
                self.end()
                self.lines.append(("  " * indent + each.text, ""))
            else:
                self.end(each.text)
        self.end()

    def result(self) -> str:
        """The text, with comments aligned."""
        lines = [line for line in self.lines if line != ("", "")] and self.lines
        out: list[str] = []
        for run in _runs(lines):
            column = max(len(code) for code, _ in run)
            out += [f"{code:<{column}}  {comment}" if comment else code for code, comment in run]
        return "".join(f"{line}\n" for line in out)


def _runs(lines: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Neighbouring lines whose comments stand below each other; other lines alone."""
    run: list[tuple[str, str]] = []
    for code, comment in lines:
        aligned = bool(comment) and len(code) <= ALIGNED
        if run and not aligned:
            yield run
            run = []
        if aligned:
            run.append((code, comment))
        else:
            yield [(code, comment)]
    if run:
        yield run


def _declaration(writer: _Writer, pieces: list[_Piece]) -> None:
    """One declaration, on one line or several."""
    indent = writer.level
    last = pieces[-1]
    behind = [pieces.pop()] if isinstance(last, _Comment) and not last.own else []
    text = _flat(pieces)
    if text is not None and len(text.lstrip()) + 2 * indent <= WIDTH:
        writer.put(text, indent)
    else:
        bars = [i for i, each in enumerate(pieces) if isinstance(each, _Leaf) and each.text == "|"]
        ends = [*bars, len(pieces)]
        _emit(writer, pieces[: ends[0]], indent)
        for start, end in pairwise(ends):
            writer.end()
            _emit(writer, pieces[start:end], indent + 1, indent + 1)
    writer.comments([each for each in behind if isinstance(each, _Comment)], indent)
    writer.end()


def _emit(writer: _Writer, pieces: Sequence[_Piece], indent: int, first: int | None = None) -> None:
    """Pieces from the current place on; brackets that do not fit are broken, lines after comments indented."""
    start = indent if first is None else first
    for number, each in enumerate(pieces):
        level = start if not number else indent + 1
        if isinstance(each, _Comment):
            writer.comments([each], indent + 1)
        elif isinstance(each, _Leaf):
            writer.put(f" {each.text}" if each.space else each.text, level)
        else:
            flat = _flat([each])
            rest = next((i for i in range(number + 1, len(pieces)) if not isinstance(pieces[i], _Leaf)), len(pieces))
            behind = _flat(pieces[number + 1 : rest]) or ""
            room = WIDTH - 1 - len(behind) - (len(writer.current) or 2 * level)
            if flat is not None and len(flat) <= room:
                writer.put(flat, level)
            else:
                writer.put(f" {each.opening}" if each.space else each.opening, level)
                _broken(writer, each, indent)


def _broken(writer: _Writer, group: _Group, indent: int) -> None:
    """The inside of brackets on lines of their own, and the closing bracket."""
    writer.comments(group.comments, indent + 1)
    flat = [_flat(entry.pieces) for entry in group.entries]
    plain = not any(entry.comments for entry in group.entries) and None not in flat
    nested = any(isinstance(piece, _Group) for entry in group.entries for piece in entry.pieces)
    joined = ", ".join(str(text).lstrip() for text in flat)
    if group.opening == "(" and plain and len(joined) + 2 * (indent + 1) <= WIDTH:
        writer.put(joined, indent + 1)
        writer.end()
    elif not nested and None not in flat and (plain or group.opening == "["):
        _fill(writer, group, [str(text).lstrip() for text in flat], indent + 1)
    else:
        for number, entry in enumerate(group.entries):
            _emit(writer, entry.pieces, indent + 1)
            if number < len(group.entries) - 1:
                writer.put(",", indent + 1)
            writer.comments(entry.comments, indent + 1)
    writer.put(_CLOSING[group.opening], indent)


def _fill(writer: _Writer, group: _Group, texts: list[str], indent: int) -> None:
    """Entries without brackets, as many to a line as fit."""
    for number, (text, entry) in enumerate(zip(texts, group.entries, strict=True)):
        comma = "," if number < len(texts) - 1 else ""
        if writer.current and len(writer.current) + len(text) + 2 > WIDTH:
            writer.end()
        writer.put(f" {text}{comma}", indent)
        if entry.comments:
            writer.comments(entry.comments, indent)
    writer.end()
