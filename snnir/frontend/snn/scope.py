"""Names of a `.snn` program: constants, blocks and includes; a program with all its instances written out.

A `Scope` understands the names in a stretch of text: the whole program, or the body of a block in one of its uses.
`expand` reads included files, puts the items of blocks in the place of their instances, and declares the names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from snnir.errors import SnnirError
from snnir.frontend.names import suggestion
from snnir.frontend.snn.syntax import parse
from snnir.frontend.snn.tree import (
    Applied,
    Arrow,
    Block,
    InputDeclaration,
    Item,
    Let,
    Named,
    NetworkBody,
    PopulationDeclaration,
    Program,
    Setting,
    Template,
    Text,
    Using,
    Word,
)
from snnir.frontend.snn.values import Constant, Name, Neurons, evaluate, kind_of, too_many
from snnir.frontend.source import Source, Span
from snnir.semantics import PARAMETERS

DECLARATION_LIMIT = 100_000
"""A program with more declarations, counted with all instances, is refused."""

DEPTH_LIMIT = 32
"""Instances within instances."""

FILE_LIMIT = 100
"""Included files of a program."""


class Scope:
    """What names mean. `prefix` stands before the names that are declared here; `trail` says why the text is used."""

    def __init__(self, parent: Scope | None = None, prefix: str = "", trail: tuple[tuple[str, Span], ...] = ()) -> None:
        self.parent, self.prefix, self.trail = parent, prefix, trail
        self.values: dict[str, Constant] = {}
        self.places: dict[str, Span] = {}
        self.declared: dict[str, str] = {} if parent is None else parent.declared
        self.blocks: dict[str, Block] = {} if parent is None else parent.blocks
        self.later: frozenset[str] = frozenset()

    def place(self, span: Span) -> Span:
        """A place in this text, with the reason for which the text is used."""
        return replace(span, trail=(*span.trail, *self.trail)) if self.trail else span

    def define(self, name: Word, value: Constant) -> None:
        """Give a value a name."""
        self.claim(name)
        self.values[name.text] = value

    def claim(self, name: Word) -> Span:
        """Take a name of this scope. Raises `SnnirError` when it is taken."""
        where = self.place(name.span)
        if name.text in self.places:
            where = where.because(f"'{name.text}' is declared here", self.places[name.text])
            hint = "constants, inputs, populations, signals, instances and outputs need different names"
            raise where.error(f"'{name.text}' is declared twice", hint)
        self.places[name.text] = where
        return where

    def declare(self, name: Word, kind: str) -> str:
        """Take a name for a signal, population or output of the network; its full name."""
        where = self.claim(name)
        full = self.prefix + name.text
        if full in self.declared:
            raise where.error(f"'{full}' is declared twice", "an instance has this name as well")
        self.declared[full] = kind
        return full

    def constant(self, name: Word) -> Constant:
        """What a name stands for in a value; a `Name` when it is no constant."""
        place = self.place(name.span)
        if name.text in self.values:
            value = self.values[name.text]
            if isinstance(value, Name):
                inner = value.scope.constant(Word(value.text, value.span))
                value = value if isinstance(inner, Name) else inner
            remark = f"'{name.text}' is given here"
            return replace(value, span=place.because(remark, self.places[name.text]))
        if self.parent is not None and name.text not in self.places:
            found = self.parent.constant(Word(name.text, place))
            return replace(found, scope=self) if isinstance(found, Name) and found.scope is self.parent else found
        return Name(name.text, self, place)

    def bound_word(self, name: Name) -> str:
        """The word that a name stands for: itself, or the word that a parameter was given."""
        value = self.values.get(name.text)
        return value.scope.bound_word(value) if isinstance(value, Name) else name.text

    def unknown_constant(self, name: Name, wanted: str = "") -> SnnirError:
        """The error for a name that is no constant."""
        if name.text in self.later:
            return name.span.error(f"the constant '{name.text}' is defined further below", "define it above its use")
        known = [*self.values, *(self.parent.values if self.parent else ())]
        hint = suggestion(name.text, known)
        message = (
            f"{wanted}, but there is no constant '{name.text}'" if wanted else f"there is no constant '{name.text}'"
        )
        return name.span.error(message, hint)

    def resolve(self, name: Word, wanted: str, kinds: tuple[str, ...]) -> tuple[str, str, Span]:
        """The full name and the kind of a declaration, and the place to blame. Raises `SnnirError` for no declaration.

        `wanted` is for messages; `kinds` are those that a hint may name.
        """
        place = self.place(name.span)
        value = self.values.get(name.text)
        if isinstance(value, Name):
            given = value.span.because(f"as '{name.text}' here", place)
            return value.scope.resolve(Word(value.text, given), wanted, kinds)
        if value is not None:
            place = place.because(f"'{name.text}' is given here", self.places[name.text])
            raise place.error(f"'{name.text}' is {kind_of(value)}, no {wanted}", "put the name of one here")
        full = self.prefix + name.text
        if full in self.declared:
            return full, self.declared[full], place
        if self.parent is not None and (name.text in self.parent.values or name.text in self.declared):
            return self.parent.resolve(Word(name.text, place), wanted, kinds)
        visible = [each.removeprefix(self.prefix) for each, kind in self.declared.items() if kind in kinds]
        raise place.error(f"there is no {wanted} '{name.text}'", suggestion(name.text, visible))

    def neurons(self, name: Word) -> Neurons:
        """A neuron model, or a template. Raises `SnnirError` for a name that is neither."""
        value = self.constant(name)
        text = self.bound_word(value) if isinstance(value, Name) else name.text
        if isinstance(value, Neurons):
            return value
        if isinstance(value, Name) and text in PARAMETERS:
            return Neurons(text, {}, None, value.span)
        templates = [each for each, v in self.values.items() if isinstance(v, Neurons)]
        known = [*PARAMETERS, *templates, *(self.parent.templates() if self.parent else ())]
        what = (
            f"no neuron model '{text}'" if isinstance(value, Name) else f"'{text}' is {kind_of(value)}, no neuron model"
        )
        raise value.span.error(what, suggestion(text, known, "models"))

    def templates(self) -> list[str]:
        """The names of all neuron templates here."""
        return [name for name, value in self.values.items() if isinstance(value, Neurons)]


@dataclass
class Expanded:
    """A program with all instances written out: each item with the scope in which its names are understood."""

    network: NetworkBody
    scope: Scope
    items: list[tuple[Item, Scope]] = field(default_factory=list[tuple[Item, Scope]])


def expand(program: Program) -> Expanded:
    """Read what a program includes, evaluate its constants, write out its instances, declare all names."""
    scope = Scope()
    source = program.source
    path = Path(source.name)
    _header(program, scope, {path.resolve(): True})
    if program.network is None:
        end = len(source.text.rstrip()) if program.header else 0
        where = source.span(max(0, end - 1), end)
        what = "the file holds constants and blocks, but no network" if program.header else "the file holds no program"
        raise where.error(what, "a program reads: network name { dt = 1 ms ... }")
    lets = [each for each in program.network.items if isinstance(each, Let)]
    _define(lets, scope)
    expanded = Expanded(program.network, scope)
    _items([each for each in program.network.items if not isinstance(each, Let)], scope, expanded, ())
    return expanded


def _header(program: Program, scope: Scope, files: dict[Path, bool]) -> None:
    """Constants, blocks and includes. `files` says which files are being read (true) or have been read."""
    scope.later = frozenset(each.name.text for each in program.header if isinstance(each, Let))
    for each in program.header:
        match each:
            case Let():
                _define([each], scope, scope.later)
            case Block():
                name = each.name
                if name.text in scope.blocks:
                    where = name.span.because("the other one", scope.blocks[name.text].name.span)
                    raise where.error(f"the block '{name.text}' is defined twice", "rename one of them")
                scope.blocks[name.text] = each
                _check_parameters(each)
            case Text():
                _include(each, scope, files)


def _check_parameters(block: Block) -> None:
    first: dict[str, Span] = {}
    for each in block.parameters:
        if each.text in first:
            where = each.span.because("the first one", first[each.text])
            raise where.error(f"the parameter '{each.text}' is named twice", "rename one of them")
        first[each.text] = each.span


def _define(lets: list[Let], scope: Scope, later: Iterable[str] = ()) -> None:
    """Evaluate constants in order."""
    names = frozenset(each.name.text for each in lets) | frozenset(later)
    for each in lets:
        scope.later = names - scope.values.keys()
        scope.define(each.name, _value(each, scope))
    scope.later = names - scope.values.keys()


def _value(let: Let, scope: Scope) -> Constant:
    if isinstance(let.value, Template):
        call = let.value.call
        base = scope.neurons(call.name)
        arguments = {
            **base.arguments,
            **by_name(call.arguments, PARAMETERS[base.model], f"parameter of {base.model}", scope),
        }
        no_plain(call.plain, scope)
        using: tuple[Using, Scope] | None = (let.value.using, scope) if let.value.using else base.using
        return Neurons(base.model, arguments, using, scope.place(call.name.span))
    value = evaluate(let.value, scope)
    if isinstance(value, Name):
        if value.text in PARAMETERS:
            return scope.neurons(Word(value.text, value.span))
        raise scope.unknown_constant(value)
    return value


def _include(name: Text, scope: Scope, files: dict[Path, bool]) -> None:
    """Read the constants and blocks of another file, once."""
    source = name.span.source
    path = source.directory / name.text
    if not path.is_file():
        what = f"{source.name} is included from" if source.included else "the path is relative to"
        raise name.span.error(f"there is no file {path}", f"{what} the folder of {source.name}")
    key = path.resolve()
    if files.get(key):
        raise name.span.error(f"{path} includes itself, here", "remove one of the includes")
    if key in files:
        return
    if len(files) >= FILE_LIMIT:
        raise name.span.error(f"more than {FILE_LIMIT} files are included", "put them together")
    files[key] = True
    program = parse(Source.load(path, name.span))
    if program.network is not None:
        hint = "an included file holds constants and blocks, and the network stays in the main file"
        raise program.network.name.span.error("a network in an included file", hint)
    outer = scope.later
    _header(program, scope, files)
    scope.later = outer
    files[key] = False


def _items(items: list[Item], scope: Scope, into: Expanded, stack: tuple[str, ...]) -> None:
    """Declare the names of items and write out instances."""
    lets = frozenset(each.name.text for each in items if isinstance(each, Let))
    for each in items:
        place = scope.place(_name_of(each).span)
        if len(into.items) > DECLARATION_LIMIT:
            raise too_many(place, DECLARATION_LIMIT)
        match each:
            case Let():
                _define([each], scope, lets)
                continue
            case Applied(instance=True):
                _instance(each, scope, into, stack)
            case InputDeclaration():
                scope.declare(each.name, "input")
            case PopulationDeclaration():
                scope.declare(each.name, "population")
            case Named():
                scope.declare(each.name, "output" if each.output else "signal")
            case _:
                pass
        into.items.append((each, scope))


def _name_of(item: Item) -> Word:
    return item.target if isinstance(item, Arrow) else item.name


def _instance(each: Applied, scope: Scope, into: Expanded, stack: tuple[str, ...]) -> None:
    """The items of a block, with its parameters bound."""
    called = each.call.name
    place = scope.place(called.span)
    block = scope.blocks.get(called.text)
    if block is None:
        raise place.error(f"there is no block '{called.text}'", suggestion(called.text, scope.blocks, "blocks"))
    if called.text in stack:
        round_trip = " -> ".join([*stack[stack.index(called.text) :], called.text])
        raise place.error(f"block '{called.text}' contains itself ({round_trip})", "a block is no function")
    if len(stack) >= DEPTH_LIMIT:
        raise place.error(f"instances are nested deeper than {DEPTH_LIMIT}", "flatten the blocks")
    scope.claim(each.name)
    remark = f"in instance '{scope.prefix}{each.name.text}' of block '{called.text}'"
    root = scope if scope.parent is None else scope.parent
    inner = Scope(root, f"{scope.prefix}{each.name.text}.", ((remark, each.name.span), *scope.trail))
    no_plain(each.call.plain, scope)
    arguments = by_name(
        each.call.arguments, [p.text for p in block.parameters], f"parameter of block {called.text}", scope
    )
    missing = [p.text for p in block.parameters if p.text not in arguments]
    if missing:
        defined = place.because("the block is defined here", block.name.span)
        parameters = ", ".join(p.text for p in block.parameters)
        hint = f"{called.text} takes {parameters}"
        raise defined.error(f"instance '{each.name.text}' lacks {', '.join(missing)}", hint)
    for parameter in block.parameters:
        setting, _ = arguments[parameter.text]
        inner.define(parameter, evaluate(setting.value, scope))
        inner.places[parameter.text] = scope.place(setting.value.span)
    _items(block.items, inner, into, (*stack, called.text))


def by_name(
    settings: Iterable[Setting], known: Iterable[str], what: str, scope: Scope
) -> dict[str, tuple[Setting, Scope]]:
    """The arguments by name; `what` says what a name is. Raises `SnnirError` at an unknown or repeated one."""
    names = list(known)
    result: dict[str, tuple[Setting, Scope]] = {}
    for each in settings:
        name = each.name.text
        if name not in names:
            hint = suggestion(name, names)
            raise scope.place(each.name.span).error(f"no {what} '{name}'", hint)
        if name in result:
            raise scope.place(each.name.span).error(f"'{name}' is given twice", "keep one of them")
        result[name] = (each, scope)
    return result


def no_plain(plain: list[Text], scope: Scope) -> None:
    """Raise when a call has a text without a name."""
    if plain:
        raise scope.place(plain[0].span).error("a text without a name", "arguments are written name = value")
