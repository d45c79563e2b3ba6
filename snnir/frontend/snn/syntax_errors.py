"""Syntax errors of `.snn` programs in words that a user knows: what is there, what is expected, how to write it."""

from __future__ import annotations

import re
from typing import cast

from lark import Token, UnexpectedToken

from snnir.errors import SnnirError
from snnir.frontend.names import suggestion
from snnir.frontend.snn.tokens import KEYWORDS, RESERVED, UNITS, WORDS
from snnir.frontend.source import Source

FORMS = {
    "input": "an input reads: input pixels[64]",
    "population": "a population reads: population hidden[128] : lif(tau = 5 ms, ...) using nir",
    "signal": "a signal reads: signal pooled = conv1 : sum_pool(kernel = 2)",
    "output": "an output reads: output label = out",
    "generate": "a stimulus reads: generate pixels : poisson(rate = 50 Hz, seed = 1)",
    "let": "a constant reads: let tau = 5 ms",
    "block": "a block reads: block layer(n, w) { ... } and stands before the network",
    "instance": "an instance reads: instance l1 : layer(n = 128)",
    "include": 'an include reads: include "neurons.snn" and stands before the network',
    "->": 'a projection reads: a -> b : dense(weights = "key", delay = 1)',
    "network": "a program reads: network name { dt = 1 ms ... }",
}
"""How each declaration is written."""

_KEYWORD_TERMINALS = {word.upper() for word in KEYWORDS}
_IN_NETWORK = _KEYWORD_TERMINALS - {"NETWORK", "INCLUDE", "BLOCK"}
_OPERATORS = {"PLUS", "MINUS", "STAR", "SLASH"}
_UNIT = re.compile(r"(?<![A-Za-z0-9_.$])[0-9.]+(?:[eE][+-]?[0-9]+)?[ \t]*([A-Za-z]+)$")


def token_error(source: Source, error: UnexpectedToken) -> SnnirError:
    """What stands where something else is needed."""
    expected = set(error.accepts or error.expected or ())
    token = cast(Token, error.token)
    if token.type == "$END":
        end = len(source.text.rstrip())
        found, span = "the end of the file", source.span(max(0, end - 1), end)
    else:
        found, span = f"`{short(str(token))}`", source.span(token.start_pos or 0, token.end_pos or 0)
    for end in (span.end, len(source.text[: span.start].rstrip())):
        unit = _UNIT.search(source.text, max(0, end - 60), end) if token.type != "$END" else None
        if unit and unit[1] not in UNITS and unit[1] != "x" and not _declares(source.text, end):
            span = source.span(unit.start(1), unit.end(1))
            return span.error(f"no unit '{unit[1]}'", suggestion(unit[1], UNITS, "units"))
    at_declaration = {"INPUT", "RBRACE"} <= expected
    hint = _form(source, span.end if at_declaration else span.start)
    if token.type == "USING":
        hint = f"`{RESERVED}` is a reserved word and follows the parameters of a population"
    elif expected == {"$END"}:
        hint = "a file holds one network, and nothing follows its closing `}`"
    elif token.type == "$END" and "RBRACE" in expected:
        hint = "close the network with `}`"
    elif expected == {"EQUAL"} and token.type in {"RPAR", "COMMA"}:
        hint = "arguments are written name = value"
    return span.error(f"unexpected {found}, expected {_expected(expected)}", hint)


def _declares(text: str, position: int) -> bool:
    """Whether what follows makes the word before it the start of a declaration."""
    return bool(re.match(r"\s*(->|=|\[|\+)", text[position : position + 40]))


def _expected(terminals: set[str]) -> str:
    """The terminals in words."""
    words: list[str] = []
    if {*_IN_NETWORK, "RBRACE"} <= terminals:
        words = ["the next declaration", "`}`"]
        terminals = terminals - {*_KEYWORD_TERMINALS, "NAME", "RBRACE"}
    elif {"LET", "INCLUDE", "BLOCK"} <= terminals and "NAME" not in terminals:
        words = ["`network`", "`let`", "`block`", "`include`"]
        terminals = terminals - _KEYWORD_TERMINALS - {"$END"}
    elif "NAME" in terminals:
        terminals = terminals - _KEYWORD_TERMINALS
    if {"STRING", "NUMBER"} <= terminals:
        words = ["a number", '"text in quotes"', "a list `[...]`"]
        terminals = terminals - {"STRING", "NUMBER", "NAME", "QUANTITY", "LSQB", "NUMBERS", "MINUS", "LPAR"}
    if "DIMENSIONS" in terminals:
        words = ["a shape such as 64 or 8x8"]
        terminals = terminals - {"DIMENSIONS", "NUMBER", "NAME", "QUANTITY", "MINUS", "LPAR"}
    if {"NUMBER", "NAME"} <= terminals:
        words = ["a number", "a constant"]
        terminals = terminals - {"NUMBER", "NAME", "QUANTITY", "MINUS", "LPAR", "NUMBERS"}
        terminals = terminals - ({"LSQB"} if "RSQB" in terminals else set())
    if terminals >= _OPERATORS:
        terminals = terminals - _OPERATORS
        words = [*words, "an operator"]
    words = [*(WORDS[each] for each in sorted(terminals - {"TIMES"})), *words]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def character_error(source: Source, position: int) -> SnnirError:
    """A character that starts nothing in the language."""
    character = source.text[position]
    span = source.span(position, position + 1)
    if character == '"':
        return span.error("this text has no closing quote on its line", 'write "text"')
    if character == ";":
        hint = "declarations need no `;` between them"
    elif character.isalpha():
        hint = "names are made of the letters a to z and A to Z, digits, `_`, `.` and `$`"
    else:
        hint = _form(source, span.start)
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    return span.error(f"unexpected character {shown}", hint)


def _form(source: Source, position: int) -> str:
    """How the declaration around a place is written, if the line that leads to it shows which one it is."""
    text = source.text
    if {text[position : position + 2], text[max(0, position - 1) : position + 1]} & {"//", "/*"}:
        return "comments start with #"
    position = len(text[:position].rstrip())
    first = text.rfind("\n", 0, position) + 1
    line = text[first:].split("\n", 1)[0].split("#", 1)[0]
    if "->" in line:
        return FORMS["->"]
    words = re.findall(r"[A-Za-z]+", line[:200])
    return FORMS.get(words[0], "") if words else ""


def short(text: str) -> str:
    """A token as it is shown in a message."""
    return text if len(text) <= 24 else f"{text[:20]}..."
