"""One token table: the parser, Pygments and the TextMate grammar agree."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pygments.token import Error, Keyword, Name, Number, Operator, Punctuation, String, Token, string_to_tokentype

from snnir.frontend.snn.pygments import SnnLexer
from snnir.frontend.snn.syntax import tokens
from snnir.frontend.snn.tokens import TOKENS, colouring, terminals, textmate_grammar
from snnir.frontend.source import Source


@pytest.fixture(scope="module")
def programs(root: Path) -> list[str]:
    """All programs that are shipped or shown."""
    found = [path.read_text() for path in sorted((root / "samples").rglob("*.snn"))]
    for page in sorted((root / "docs").rglob("*.md")):
        found += re.findall(r"^```snn.*?\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert len(found) > 10
    return found


def coloured(text: str) -> dict[int, tuple[Any, str]]:
    """Position -> kind and text, from Pygments."""
    result: dict[int, tuple[Any, str]] = {}
    for position, kind, value in SnnLexer().get_tokens_unprocessed(text):
        result[position] = kind, value
    return result


def test_pygments_loses_nothing(programs: list[str]) -> None:
    for text in programs:
        pieces = coloured(text)
        assert "".join(value for _, value in pieces.values()) == text
        assert not [value for kind, value in pieces.values() if kind is Error]


def test_pygments_sees_what_the_parser_sees(programs: list[str]) -> None:
    """Each token of a program is coloured as the table says; names before brackets are functions."""
    table = {kind.name: string_to_tokentype(kind.pygments) for kind in TOKENS if kind.pygments}
    seen: set[str] = set()
    for text in programs:
        pieces = coloured(text)
        for token in tokens(Source("a", text)):
            if token.type == "NUMBERS":
                continue
            seen.add(token.type)
            kind, value = pieces[token.start_pos or 0]
            if token.type == "QUANTITY":
                assert kind is Number
                assert str(token).startswith(value)
                assert pieces[(token.end_pos or 0) - len(re.findall(r"[A-Za-z]+$", token)[0])][0] is Keyword.Type
            elif token.type == "TIMES":
                assert kind in Name
            elif token.type in {"NUMBER", "MINUS"} and str(token).startswith("-"):
                assert kind is Operator
            else:
                assert value == str(token)
                assert kind in table[token.type], token
    assert seen >= {kind.name for kind in TOKENS} - {"NUMBERS", "TIMES", "SLASH", "MINUS", "STAR", "PLUS"}


def test_soft_keywords() -> None:
    """A keyword is one where a name or a text follows."""
    pieces = coloured("input input[3] input -> output : direct # input x")
    assert [(value, kind in Keyword) for kind, value in pieces.values() if value in ("input", "output")] == [
        ("input", True), ("input", False), ("input", False), ("output", False),
    ]  # fmt: skip
    kinds = [kind for kind, _ in pieces.values()]
    assert kinds[-1] is Token.Comment.Single
    assert {Operator, Punctuation, Number} <= set(kinds)
    assert coloured('let a = "b"')[8][0] is String


def test_the_entry_point(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    module, _, name = project["project"]["entry-points"]["pygments.lexers"]["snn"].partition(":")
    assert getattr(import_module(module), name) is SnnLexer
    assert SnnLexer.aliases == ["snn"]


def test_the_stored_grammar(root: Path) -> None:
    """docs/editor/snn.tmLanguage.json is what the table gives; write it again when this fails."""
    stored = (root / "docs" / "editor" / "snn.tmLanguage.json").read_text()
    assert stored == json.dumps(textmate_grammar(), indent=2) + "\n"


def textmate(text: str) -> Iterator[tuple[str, str | None]]:
    """The pieces of a text and their scopes, as an editor finds them: the first rule that matches at each place."""
    grammar = json.loads(json.dumps(textmate_grammar()))
    rules = [(re.compile(rule["match"]), rule["captures"]) for rule in grammar["patterns"]]
    for line in text.splitlines():
        position = 0
        while position < len(line):
            for regex, captures in rules:
                match = regex.match(line, position)
                if match:
                    for number in range(1, regex.groups + 1):
                        yield match[number], captures.get(str(number), {}).get("name")
                    position = match.end()
                    break
            else:
                position += 1


def test_the_textmate_grammar_colours_programs() -> None:
    found = [each for each in textmate("input x[8x8] : f64 # c") if each[1]]
    assert found == [
        ("input", "keyword.declaration.snn"),
        ("x", "variable.other.snn"),
        ("[", "punctuation.snn"),
        ("8x8", "constant.numeric.snn"),
        ("]", "punctuation.snn"),
        (":", "punctuation.snn"),
        ("f64", "variable.other.snn"),
        ("# c", "comment.line.number-sign.snn"),
    ]
    found = [each for each in textmate('a -> b : lif(tau = 5 ms, k = "x") using nir') if each[1]]
    assert ("lif", "entity.name.function.snn") in found
    assert ("5", "constant.numeric.snn") in found
    assert ("ms", "keyword.other.unit.snn") in found
    assert ('"x"', "string.quoted.double.snn") in found
    assert ("using", "keyword.other.snn") in found
    assert ("->", "keyword.operator.snn") in found


def test_every_scope_of_the_table_is_used() -> None:
    """No rule is missing for a kind of token."""
    used = {kind for rule in colouring() for kind in rule.kinds if kind}
    assert {(kind.pygments, kind.scope) for kind in TOKENS if kind.scope} <= used
    for rule in colouring():
        assert re.compile(rule.regex).groups == len(rule.kinds)


def test_the_grammar_has_no_terminals_of_its_own(root: Path) -> None:
    """All come from the table, and each has words for messages."""
    rules = (root / "snnir" / "frontend" / "snn" / "grammar.lark").read_text()
    assert not re.search(r"^[A-Z_]+(\.\d+)?:", rules, re.MULTILINE)
    assert len(re.findall(r"^[A-Z]+(?:\.\d+)?: ", terminals(), re.MULTILINE)) == len(TOKENS)
    assert all(kind.words for kind in TOKENS)


def test_language_configuration(root: Path) -> None:
    """Comments and brackets for editors."""
    settings = json.loads((root / "docs" / "editor" / "language-configuration.json").read_text())
    assert settings["comments"] == {"lineComment": "#"}
    assert [pair[0] for pair in settings["brackets"]] == ["{", "[", "("]
