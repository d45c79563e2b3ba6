"""Pass pipelines as text: `builtin.module(snn-quantize{bits=4}, convert-snn-to-cluster{algorithm=greedy})`.

The grammar is MLIR's and a superset of xDSL's. Blanks and newlines may stand anywhere between tokens:

    pipeline ::= [ element { `,` element } [ `,` ] ]
    element  ::= `builtin.module` `(` pipeline `)`
               | name [ `{` { option } `}` ]
    option   ::= key [ `=` value { `,` value } ]
    value    ::= `"` ... `"` | `'` ... `'` | word

A word runs up to the next blank, comma or brace, so a path, `1e-3` or `8x8` needs no quotes. What a word means is
decided by the annotation of the pass's field and not by its spelling: `bits=8` is an integer for a field `bits: int`, a
string for `bits: str`, a float for `bits: float`. A bare key is true for a boolean field, `None` for an optional one.

Everything that a user can get wrong raises `SnnirError` with the line and column in the text.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, ArgSpecConvertible, ParameterListType, ParameterType

from snnir.errors import SnnirError

ANCHOR = "builtin.module"
SOURCE = "<pass-pipeline>"
"""The name of the pipeline text in the place of an error."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_WORD = re.compile(r"[^\s,{}\"']+")
_BLANK = re.compile(r"\s*")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'', re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_ESCAPES = {"n": "\n", "t": "\t"}
_Made = TypeVar("_Made", bound=ArgSpecConvertible)


@dataclass(frozen=True)
class Word:
    """One value as written, without its quotes; `at` is its position in the text."""

    text: str
    quoted: bool
    at: int


@dataclass(frozen=True)
class Option:
    """`key=value,value` as written; no values when there is no `=`."""

    key: str
    values: tuple[Word, ...]
    at: int


@dataclass(frozen=True)
class Element:
    """One pass of a pipeline as written."""

    name: str
    options: tuple[Option, ...]
    at: int


@dataclass(frozen=True)
class Text:
    """The text that is being read, and its name in the place of an error."""

    content: str
    source: str

    def error(self, at: int, message: str, hint: str = "") -> SnnirError:
        """An error at a position of the text."""
        line = self.content.count("\n", 0, at) + 1
        column = at - (self.content.rfind("\n", 0, at) + 1) + 1
        return SnnirError(f"{self.source}:{line}:{column}", message, hint)


class _Reader:
    """Recursive descent over the grammar in the module's docstring."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.content = text.content
        self.at = 0

    def skip(self) -> None:
        match = _BLANK.match(self.content, self.at)
        self.at = match.end() if match else self.at

    def peek(self) -> str:
        """The next character after blanks, `""` at the end."""
        self.skip()
        return self.content[self.at : self.at + 1]

    def accept(self, character: str) -> bool:
        if self.peek() != character:
            return False
        self.at += 1
        return True

    def found(self) -> str:
        return f"'{self.content[self.at]}'" if self.at < len(self.content) else "the end of the pipeline"

    def whole(self) -> tuple[Element, ...]:
        elements = tuple(self.pipeline(""))
        if self.peek():
            raise self.text.error(self.at, f"expected ',' between passes, found {self.found()}")
        return elements

    def pipeline(self, closing: str) -> Iterable[Element]:
        while self.peek() not in ("", closing):
            yield from self.element()
            if not self.accept(","):
                return

    def element(self) -> Iterable[Element]:
        self.skip()
        start = self.at
        match = _NAME.match(self.content, start)
        if match is None:
            raise self.text.error(start, f"expected the name of a pass, found {self.found()}")
        name = match[0]
        self.at = match.end()
        if self.accept("("):
            if name != ANCHOR:
                hint = f"write {ANCHOR}(...), or the passes alone"
                raise self.text.error(start, f"'{name}(...)': passes run on {ANCHOR} only", hint)
            yield from self.pipeline(")")
            if not self.accept(")"):
                raise self.text.error(self.at, f"expected ')' to close '{ANCHOR}(', found {self.found()}")
        else:
            yield Element(name, tuple(self.options()), start)

    def options(self) -> Iterable[Option]:
        if not self.accept("{"):
            return
        seen: set[str] = set()
        while not self.accept("}"):
            start = self.at
            match = _NAME.match(self.content, start)
            if match is None:
                hint = "options are separated by blanks" if self.peek() == "," else ""
                raise self.text.error(start, f"expected the name of an option or '}}', found {self.found()}", hint)
            self.at = match.end()
            key = match[0].replace("-", "_")
            if key in seen:
                raise self.text.error(start, f"option '{match[0]}' is given twice", "give it once")
            seen.add(key)
            yield Option(match[0], tuple(self.values()), start)

    def values(self) -> Iterable[Word]:
        if not self.accept("="):
            return
        yield self.word()
        while self.content[self.at : self.at + 1] == ",":
            self.at += 1
            yield self.word()

    def word(self) -> Word:
        start = self.at
        if match := _STRING.match(self.content, start):
            self.at = match.end()
            body = match[1] if match[1] is not None else match[2]
            return Word(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), body, flags=re.DOTALL), True, start)
        if self.content[start : start + 1] in ("'", '"'):
            raise self.text.error(start, "this quote is not closed")
        match = _WORD.match(self.content, start)
        if match is None:
            hint = "options are separated by blanks, values of one option by commas without blanks"
            raise self.text.error(start, f"expected a value, found {self.found()}", hint)
        self.at = match.end()
        return Word(match[0], False, start)


def read_pipeline(content: str, source: str = SOURCE) -> tuple[Element, ...]:
    """The passes that a pipeline text names, in order, `builtin.module(...)` unwrapped; not yet looked up."""
    return _Reader(Text(content, source)).whole()


def build_passes(
    content: str, available: Mapping[str, Callable[[], type[ModulePass]]], source: str = SOURCE
) -> tuple[ModulePass, ...]:
    """The passes of a pipeline text, with their options.

    `available` maps the name of a pass to a function that returns its class; only the classes that the text names are
    asked for. Raises `SnnirError` for a syntax error, an unknown pass or option, and a value of the wrong type.
    """
    text = Text(content, source)
    elements = read_pipeline(content, source)
    for element in elements:
        if element.name not in available:
            raise text.error(element.at, f"unknown pass '{element.name}'", _nearest(element.name, available, "pass"))
    return tuple(make(element, available[element.name](), text) for element in elements)


def make(element: Element, cls: type[_Made], text: Text) -> _Made:
    """An instance of a pass (or target) class with the options of `element`, checked against the fields' types."""
    hints = get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init and field.name != "name"}
    parameters: dict[str, ParameterListType] = {}
    for option in element.options:
        name = option.key.replace("-", "_")
        if name not in fields:
            hint = _nearest(option.key, fields, "option") if fields else "this pass has no options"
            raise text.error(option.at, f"{element.name}: unknown option '{option.key}'", hint)
        try:
            parameters[name] = _convert(option.values, hints[name])
        except ValueError:
            given = ",".join(word.text for word in option.values)
            expected = f"option '{option.key}' expects {describe_type(hints[name])}"
            got = f"not '{given}'" if option.values else "but no value is given"
            raise text.error(option.at, f"{element.name}: {expected}, {got}") from None
    for name in sorted(cls.required_fields() & fields.keys() - parameters.keys()):
        if NoneType not in get_args(hints[name]):
            key = name.replace("_", "-")
            hint = f"write {element.name}{{{key}=...}}, {describe_type(hints[name])}"
            raise text.error(element.at, f"{element.name}: option '{key}' is missing", hint)
    try:
        return cls.from_spec(ArgSpec(element.name, parameters))
    except ValueError as error:
        raise text.error(element.at, f"{element.name}: {error}") from error


def describe_type(annotation: Any) -> str:
    """The type of an option in the words of a pipeline: `int`, `one of greedy, random`, `int,int,...`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "one of " + ", ".join(str(choice) for choice in arguments)
    if origin in (Union, UnionType):
        return " or ".join(describe_type(member) for member in arguments if member is not NoneType)
    if origin is tuple:
        if arguments[-1] is ...:
            return f"{describe_type(arguments[0])},..."
        return ",".join(describe_type(member) for member in arguments)
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def pipeline_text(passes: Iterable[ModulePass]) -> str:
    """The pipeline that builds `passes` again, in `snn-opt`'s spelling; `xdsl-opt` reads what is inside the wrapper."""
    return f"{ANCHOR}({', '.join(pass_text(each) for each in passes)})"


def pass_text(each: ModulePass) -> str:
    """One pass with the options that differ from their defaults."""
    options = " ".join(
        key.replace("_", "-") + ("=" + ",".join(map(value_text, values)) if values else "")
        for key, values in each.spec().parameters.items()
    )
    return f"{each.name}{{{options}}}" if options else each.name


def value_text(value: ParameterType) -> str:
    """One value, quoted when xDSL's lexer would not read it as a single token of the same type."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        mantissa, mark, exponent = repr(value).partition("e")
        return (mantissa if "." in mantissa or not mark else f"{mantissa}.0") + mark + exponent
    if _PLAIN.fullmatch(value) and value not in _TRUTH:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def _nearest(name: str, known: Iterable[str], kind: str) -> str:
    spelled = [each if kind == "pass" else each.replace("_", "-") for each in known]
    close = get_close_matches(name.replace("_", "-"), spelled, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return "snn-opt --list-passes shows all passes" if kind == "pass" else f"known options: {', '.join(spelled)}"


def _convert(values: tuple[Word, ...], annotation: Any) -> ParameterListType:
    """The values as the annotation wants them; `ValueError` when they are not of that type."""
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    if not values:
        if bool in members:
            return (True,)
        if NoneType in members:
            return ()
        raise ValueError
    for member in sorted(members, key=lambda each: _preference(each, values[0].quoted)):
        try:
            return _convert_to(values, member)
        except ValueError:
            continue
    raise ValueError


def _preference(member: Any, quoted: bool) -> int:
    """In which order the members of a union are tried: a quoted value is a string first, a bare one last."""
    if member is str:
        return 0 if quoted else 4
    return {int: 1, float: 2, bool: 3}.get(member, 2)


def _convert_to(values: tuple[Word, ...], annotation: Any) -> ParameterListType:
    if get_origin(annotation) is tuple:
        members = get_args(annotation)
        if members[-1] is ...:
            members = (members[0],) * len(values)
        if len(members) != len(values):
            raise ValueError
        return tuple(_scalar(word, member) for word, member in zip(values, members, strict=True))
    if len(values) != 1:
        raise ValueError
    return (_scalar(values[0], annotation),)


def _scalar(word: Word, annotation: Any) -> ParameterType:
    if get_origin(annotation) in (Union, UnionType):
        (value,) = _convert((word,), annotation)
        return value
    if get_origin(annotation) is Literal:
        for choice in get_args(annotation):
            if str(choice) == word.text:
                return choice
        raise ValueError
    if annotation is str:
        return word.text
    if word.quoted:
        raise ValueError
    if annotation is bool:
        if word.text not in _TRUTH:
            raise ValueError
        return _TRUTH[word.text]
    if annotation is int or annotation is float:
        return annotation(word.text)
    raise ValueError
