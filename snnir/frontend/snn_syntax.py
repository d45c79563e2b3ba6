"""The syntax of `.snn` programs: text to a tree of plain objects, and syntax errors in words that a user knows.

The grammar is `snn.lark`. Nothing here knows what a name means; `snnir.frontend.snn` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedToken
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.frontend.source import Source, Span

_KEYWORDS = {"NETWORK": "network", "INPUT": "input", "OUTPUT": "output", "POPULATION": "population"}
_WORDS = {
    **{terminal: f"`{word}`" for terminal, word in _KEYWORDS.items()},
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": '"text in quotes"',
    "DIMENSIONS": "a shape such as 8x8",
    "ARROW": "`->`",
    "USING": "`using`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "EQUAL": "`=`",
    "COLON": "`:`",
    "COMMA": "`,`",
    "$END": "the end of the file",
}
_UNIT = re.compile(r"[0-9.]\s?(s|ms|us|ns|mV|V|Hz|kHz)\s*$")
_FORMS = {
    "input": "an input reads: input pixels[64]",
    "population": "a population reads: population hidden[128] : lif(tau = 5e-3, ...) using nir",
    "output": "an output reads: output label = out",
    "->": 'a projection reads: a -> b : dense(weights = "key", delay = 1)',
    "network": "a program reads: network name { dt = 1e-3 ... }",
}


@dataclass(frozen=True)
class Word:
    """A name, and where it is written."""

    text: str
    span: Span


@dataclass(frozen=True)
class Given:
    """What stands after an equals sign: a number, a text in quotes (without them), a name, a list or a matrix."""

    kind: Literal["number", "text", "name", "list", "matrix"]
    text: str
    span: Span
    array: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Setting:
    """`name = value`: a setting of the network or an argument of a call."""

    name: Word
    value: Given


@dataclass(frozen=True)
class Call:
    """`lif(tau = 5e-3, ...)`."""

    name: Word
    arguments: tuple[Setting, ...]


@dataclass(frozen=True)
class Using:
    """`using nir(reset = subtract)`."""

    preset: Word
    changes: tuple[tuple[Word, Word], ...]


@dataclass(frozen=True)
class Shaped:
    """`pixels[8x8]`, with what belongs to it when it is a population."""

    name: Word
    shape: Word
    call: Call | None = None
    using: Using | None = None


@dataclass(frozen=True)
class Slice:
    """`[0:32, 40]`: runs of one to three numbers."""

    runs: tuple[tuple[Word, ...], ...]
    span: Span


@dataclass(frozen=True)
class Arrow:
    """`a[0:32] -> b : dense(...)`."""

    source: Word
    part: Slice | None
    target: Word
    call: Call


@dataclass
class Program:
    """A parsed file; everything in the order in which it is written."""

    name: Word
    settings: list[Setting] = field(default_factory=list[Setting])
    inputs: list[Shaped] = field(default_factory=list[Shaped])
    populations: list[Shaped] = field(default_factory=list[Shaped])
    projections: list[Arrow] = field(default_factory=list[Arrow])
    outputs: list[tuple[Word, Word]] = field(default_factory=list[tuple[Word, Word]])


def parse(source: Source) -> Program:
    """The program in a text. Raises `SnnirError` at the first place where the text breaks the grammar."""
    try:
        tree: Tree[Token] = cast(Any, _parser()).parse(source.text)
    except UnexpectedCharacters as error:
        raise _character_error(source, cast(int, error.pos_in_stream)) from None
    except UnexpectedToken as error:
        raise _token_error(source, error) from None
    return _Reading(source).program(tree)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("snn.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=True)


class _Reading:
    """From lark's tree to ours. Children are tokens, trees, or `None` where an optional part is missing."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def program(self, tree: Tree[Token]) -> Program:
        _, name, *items = cast(list[Tree[Token]], tree.children)
        program = Program(self.name(name))
        for item in items:
            children = cast(list[Any], item.children)
            match str(item.data):
                case "setting":
                    program.settings.append(Setting(self.name(children[0]), self.given(children[1])))
                case "input":
                    program.inputs.append(Shaped(self.name(children[1]), self.word(children[2].children[0])))
                case "population":
                    _, label, shape, call, using = children
                    about = (self.word(shape.children[0]), self.call(call), self.using(using) if using else None)
                    program.populations.append(Shaped(self.name(label), *about))
                case "projection":
                    start, part, target, call = children
                    cut = self.slice(part) if part else None
                    program.projections.append(Arrow(self.name(start), cut, self.name(target), self.call(call)))
                case _:
                    program.outputs.append((self.name(children[1]), self.name(children[2])))
        return program

    def word(self, token: Token) -> Word:
        return Word(str(token), self.span(token))

    def name(self, tree: Tree[Token]) -> Word:
        return self.word(cast(Token, tree.children[0]))

    def span(self, node: Token | Tree[Token]) -> Span:
        place: Any = node if isinstance(node, Token) else node.meta
        return self.source.span(place.start_pos, place.end_pos)

    def call(self, tree: Tree[Token]) -> Call:
        name, *arguments = cast(list[Any], tree.children)
        return Call(
            self.word(name),
            tuple(Setting(self.word(a.children[0]), self.given(a.children[1])) for a in arguments if a is not None),
        )

    def using(self, tree: Tree[Token]) -> Using:
        _, preset, *changes = cast(list[Any], tree.children)
        pairs = tuple((self.word(c.children[0]), self.word(c.children[1])) for c in changes if c is not None)
        return Using(self.word(preset), pairs)

    def slice(self, tree: Tree[Token]) -> Slice:
        runs = cast(list[Any], tree.children)
        words = tuple(tuple(self.word(number) for number in run.children if number is not None) for run in runs)
        return Slice(words, self.span(tree))

    def given(self, tree: Tree[Token]) -> Given:
        node = cast(Any, tree.children[0])
        span = self.span(node)
        if isinstance(node, Token):
            kind = {"NUMBER": "number", "STRING": "text", "NAME": "name"}[node.type]
            text = str(node)[1:-1] if kind == "text" else str(node)
            return Given(cast(Any, kind), text, span)
        rows = [node] if node.data == "list" else [each for each in node.children if each is not None]
        array = [[self.number(token) for token in row.children if token is not None] for row in rows]
        for row, numbers in zip(rows, array, strict=True):
            if not numbers:
                raise self.span(row).error("an empty list", "list at least one number")
            if len(numbers) != len(array[0]):
                what = f"this row has {len(numbers)} numbers, but the first one has {len(array[0])}"
                raise self.span(row).error(what, "all rows of a matrix are of one length")
        if node.data == "list":
            return Given("list", "", span, np.array(array[0], np.float64))
        return Given("matrix", "", span, np.array(array, np.float64))

    def number(self, token: Token) -> float:
        value = float(token)
        if not isfinite(value):
            raise self.span(token).error(f"{_short(str(token))} is too large for a number", "use a number below 1e308")
        return value


def _token_error(source: Source, error: UnexpectedToken) -> SnnirError:
    """What stands where something else is needed."""
    expected: Iterable[str] = error.accepts or error.expected or ()
    token = cast(Token, error.token)
    if token.type == "$END":
        end = len(source.text.rstrip())
        if set(expected) == {"NETWORK"}:
            return source.span(0, 0).error("the file holds no program", _FORMS["network"])
        found, span = "the end of the file", source.span(max(0, end - 1), end)
    else:
        found, span = f"`{_short(str(token))}`", source.span(token.start_pos or 0, token.end_pos or 0)
    at_declaration = {"INPUT", "RBRACE"} <= set(expected)
    hint = _form(source, span.end if at_declaration else span.start)
    unit = _UNIT.search(source.text, 0, span.end) or _UNIT.search(source.text, 0, span.start)
    if unit:
        span = source.span(unit.start(1), unit.end(1))
        return span.error(f"numbers have no units, but here is `{unit[1]}`", "times are in seconds: 5e-3 is 5 ms")
    if token.type == "USING":
        hint = "`using` is a reserved word and follows the parameters of a population"
    elif set(expected) == {"$END"}:
        hint = "a file holds one network, and nothing follows its closing `}`"
    elif token.type == "$END" and "RBRACE" in expected:
        hint = "close the network with `}`"
    return span.error(f"unexpected {found}, expected {_expected(set(expected))}", hint)


def _expected(terminals: set[str]) -> str:
    """The terminals in words."""
    words: list[str] = []
    if {*_KEYWORDS, "RBRACE", "NAME"} - {"NETWORK"} <= terminals:
        words = ["the next declaration", "`}`"]
        terminals = terminals - {*_KEYWORDS, "NAME", "RBRACE"}
    elif "NAME" in terminals:
        terminals = terminals - set(_KEYWORDS)
    if {"STRING", "NUMBER"} <= terminals:
        words = ["a number", '"text in quotes"', "a list `[...]`"]
        terminals = terminals - {"STRING", "NUMBER", "NAME", "LSQB"}
    if "DIMENSIONS" in terminals:
        words = ["a shape such as 64 or 8x8"]
        terminals = terminals - {"DIMENSIONS", "NUMBER"}
    words = [*(_WORDS[each] for each in sorted(terminals)), *words]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _character_error(source: Source, position: int) -> SnnirError:
    """A character that starts nothing in the language."""
    character = source.text[position]
    span = source.span(position, position + 1)
    if character == '"':
        return span.error("this text has no closing quote on its line", 'write "text"')
    if character == "/":
        hint = "comments start with #"
    elif character == ";":
        hint = "declarations need no `;` between them"
    elif character.isalpha():
        hint = "names are made of the letters a to z and A to Z, digits, `_`, `.` and `$`"
    else:
        hint = _form(source, span.start)
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    return span.error(f"unexpected character {shown}", hint)


def _form(source: Source, position: int) -> str:
    """How the declaration around a place is written, if the line that leads to it shows which one it is."""
    position = len(source.text[:position].rstrip())
    first = source.text.rfind("\n", 0, position) + 1
    line = source.text[first:].split("\n", 1)[0].split("#", 1)[0]
    if "->" in line:
        return _FORMS["->"]
    words = line.split("[")[0].split()
    return _FORMS.get(words[0], "") if words else ""


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:20]}..."
