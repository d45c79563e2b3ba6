"""The syntax of `.snn` programs: text to a tree of plain objects, and syntax errors in words that a user knows.

The rules are `grammar.lark`, the tokens `snnir.frontend.snn.tokens`. Nothing here knows what a name means;
`snnir.frontend.snn.reader` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, cast

import numpy as np
from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedToken

from snnir.frontend.snn.syntax_errors import character_error, short, token_error
from snnir.frontend.snn.tokens import UNITS, terminals
from snnir.frontend.snn.tree import (
    Applied,
    Arrow,
    Block,
    Call,
    Dimensions,
    Expression,
    InputDeclaration,
    Item,
    Items,
    Let,
    Named,
    Negative,
    NetworkBody,
    Number,
    Operation,
    Plain,
    PopulationDeclaration,
    Program,
    Read,
    Setting,
    Slice,
    Template,
    Text,
    Using,
    Word,
)
from snnir.frontend.source import Source, Span

DEPTH_LIMIT = 64
"""Brackets, minus signs and lists within each other."""

_LETTERS = "".join(sorted(set("".join(UNITS))))

Node = Any
"""A token, a tree, or `None` where an optional part is missing."""


def parse(source: Source) -> Program:
    """The tree of a text. Raises `SnnirError` at the first place where the text breaks the grammar."""
    try:
        tree: Tree[Token] = cast(Any, _parser()).parse(source.text)
    except UnexpectedCharacters as error:
        raise character_error(source, cast(int, error.pos_in_stream)) from None
    except UnexpectedToken as error:
        raise token_error(source, error) from None
    return _Reading(source).program(tree)


def tokens(source: Source) -> list[Token]:
    """All tokens of a text that `parse` accepts, in order."""
    return list(cast(Any, _parser()).parse_interactive(source.text).iter_parse())


@cache
def _parser() -> Lark:
    rules = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(rules + terminals(), parser="lalr", lexer="contextual", maybe_placeholders=True)


class _Reading:
    """From lark's tree to ours."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.starts: list[int] = []
        self.depth = 0

    def program(self, tree: Node) -> Program:
        *header, network = tree.children
        items = [self.header(each) for each in header]
        return Program(self.source, items, self.network(network) if network is not None else None, self.starts)

    def header(self, tree: Node) -> Text | Let | Block:
        children = tree.children
        if tree.data == "let":
            return self.item(tree)  # pyright: ignore[reportReturnType]
        self.starts.append(children[0].start_pos)
        if tree.data == "include":
            return self.text(children[1])
        _, name, *rest = children
        parameters = [self.word(each) for each in rest if isinstance(each, Token)]
        return Block(self.word(name), parameters, [self.item(each) for each in rest if isinstance(each, Tree)])

    def network(self, tree: Node) -> NetworkBody:
        keyword, name, *declarations = tree.children
        self.starts.append(keyword.start_pos)
        body = NetworkBody(self.word(name))
        for each in declarations:
            if each.data == "setting":
                self.starts.append(each.children[0].start_pos)
                body.settings.append(self.setting(each))
            else:
                body.items.append(self.item(each))
        return body

    def item(self, tree: Node) -> Item:
        children = tree.children
        first = children[0]
        token = first if isinstance(first, Token) else cast(Token, first.children[0].children[0])
        self.starts.append(cast(int, token.start_pos))
        match str(tree.data):
            case "population":
                _, name, shape, call, using = children
                return PopulationDeclaration(
                    self.word(name), self.dimensions(shape), self.call(call), self.using(using)
                )
            case "projection":
                sources, target, chain = children
                return Arrow(self.reads(sources), self.word(target), self.chain(chain))
            case "input":
                _, name, shape, element = children
                return InputDeclaration(
                    self.word(name), self.dimensions(shape), self.word(element) if element is not None else None
                )
            case "let":
                _, name, value = children
                return Let(self.word(name), self.template(value) if _is(value, "template") else self.value(value))
            case "signal" | "output" as kind:
                _, name, sources, chain = children
                return Named(self.word(name), self.reads(sources), self.chain(chain), kind == "output")
            case kind:
                _, name, call = children
                return Applied(self.word(name), self.call(call), kind == "instance")

    def span(self, token: Token) -> Span:
        return Span(self.source, cast(int, token.start_pos), cast(int, token.end_pos))

    def word(self, token: Token) -> Word:
        return Word(str(token), self.span(token))

    def text(self, token: Token) -> Text:
        return Text(str(token)[1:-1], self.span(token))

    def setting(self, tree: Node) -> Setting:
        name, value = tree.children
        return Setting(self.word(name), self.value(value))

    def arguments(self, name: Node, arguments: list[Node]) -> Call:
        given = [each.children for each in arguments if each is not None]
        named = [Setting(self.word(pair[0]), self.value(pair[1])) for pair in given if len(pair) == 2]
        return Call(self.word(name), named, [self.text(each[0]) for each in given if len(each) == 1])

    def call(self, tree: Node) -> Call:
        name, *arguments = tree.children
        return self.arguments(name, arguments)

    def template(self, tree: Node) -> Template:
        name, *arguments, using = tree.children
        return Template(self.arguments(name, arguments), self.using(using))

    def using(self, tree: Node) -> Using | None:
        if tree is None:
            return None
        _, preset, *changes = tree.children
        return Using(self.word(preset), [self.setting(each) for each in changes if each is not None])

    def chain(self, tree: Node) -> list[Call]:
        return [] if tree is None else [self.call(each) for each in tree.children]

    def reads(self, tree: Node) -> list[Read]:
        return [self.read(*each.children) for each in tree.children]

    def read(self, name: Node, part: Node) -> Read:
        if part is None:
            return Read(self.word(name), None)
        first, *runs, last = part.children
        values = [[self.value(each) for each in run.children if each is not None] for run in runs]
        return Read(self.word(name), Slice(values, self.span(first).to(self.span(last))))

    def dimensions(self, tree: Node) -> Dimensions:
        first, *entries, last = tree.children
        found: list[Expression] = []
        for each in entries:
            if isinstance(each, Token) and each.type == "DIMENSIONS":
                found += [Number(number, None, self.span(each)) for number in str(each).split("x")]
            elif not (isinstance(each, Token) and each.type == "TIMES"):
                found.append(self.value(each))
        span = self.span(first).to(self.span(last))
        return Dimensions(found, Span(span.source, span.start + 1, span.end - 1))

    def value(self, node: Node) -> Expression:
        if isinstance(node, Token):
            match node.type:
                case "NUMBER":
                    return Number(str(node), None, self.span(node))
                case "QUANTITY":
                    number = str(node).rstrip(_LETTERS)
                    return Number(number.rstrip(), str(node)[len(number) :], self.span(node))
                case "STRING":
                    return self.text(node)
                case _:
                    return self.word(node)
        children = node.children
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            where = self.span(next(_tokens_of(node)))
            raise where.error("brackets are nested too deeply", f"at most {DEPTH_LIMIT} levels")
        result = self.nested(str(node.data), children)
        self.depth -= 1
        return result

    def nested(self, kind: str, children: list[Node]) -> Expression:
        if kind == "list":
            return self.list(children)
        if kind == "group":
            return self.value(children[1])
        if kind == "negative":
            operand = self.value(children[1])
            return Negative(operand, self.span(children[0]).to(operand.span))
        first, *rest = children
        start = self.value(first)
        pairs = [(str(rest[i]), self.value(rest[i + 1])) for i in range(0, len(rest), 2)]
        return Operation(start, pairs, start.span.to(pairs[-1][1].span))

    def list(self, children: list[Node]) -> Expression:
        first, last = children[0], children[-1]
        span = self.span(first).to(self.span(last))
        if first.type == "NUMBERS":
            return self.numbers(first, span)
        entries = [self.value(each) for each in children[1:-1] if each is not None]
        if not entries:
            raise span.error("an empty list", "list at least one number")
        arrays = [each.array for each in entries if isinstance(each, Plain)]
        if len(arrays) == len(entries) and len({array.shape for array in arrays}) == 1:
            return Plain(np.stack(arrays), span)
        return Items(entries, span)

    def numbers(self, token: Token, span: Span) -> Plain:
        parts = str(token)[1:-1].split(",")
        if not parts[-1].strip():
            parts.pop()
        values = [float(part) for part in parts]
        if not all(map(isfinite, values)):
            position = next(i for i, value in enumerate(values) if not isfinite(value))
            text = parts[position].strip()
            offset = sum(len(part) + 1 for part in parts[:position]) + 1
            start = span.start + offset + parts[position].index(text)
            where = Span(span.source, start, start + len(text))
            raise where.error(f"{short(text)} is too large for a number", "use a number below 1e308")
        return Plain(np.array(values, np.float64), span)


def _is(node: Node, rule: str) -> bool:
    return isinstance(node, Tree) and str(cast(Any, node).data) == rule


def _tokens_of(node: Node) -> Iterator[Token]:
    """The first token below a node, found without recursion."""
    while not isinstance(node, Token):
        node = next(each for each in node.children if each is not None)
    yield node
