"""What passes there are and what their options mean, read from the classes themselves."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, cast, get_type_hints

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ParameterType

from snnir.cli.pipeline import describe_type, value_text


@dataclasses.dataclass(frozen=True)
class OptionInfo:
    """One option of a pass, for people."""

    name: str
    type: str
    default: str
    """As it is written in a pipeline; empty when the option must be given."""
    meaning: str


def options_of(cls: type[ModulePass]) -> tuple[OptionInfo, ...]:
    """The options of a pass. The meaning of an option is the string literal that follows its field in the source."""
    hints = get_type_hints(cls)
    meanings = field_docs(cls)
    return tuple(
        OptionInfo(
            field.name.replace("_", "-"),
            describe_type(hints[field.name]),
            _default(field),
            " ".join(meanings.get(field.name, "").split()),
        )
        for field in dataclasses.fields(cls)
        if field.init and field.name != "name"
    )


def field_docs(cls: type) -> dict[str, str]:
    """Field name -> the string literal after it, over the class and its bases; empty where there is no source."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError, SyntaxError):
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for field, doc in pairwise(body):
            match field, doc:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    docs[name] = text
                case _:
                    pass
    return docs


def first_line(cls: type) -> str:
    """The first paragraph of the class's own docstring, on one line; dataclasses' automatic docstrings do not count."""
    doc = inspect.cleandoc(cls.__doc__ or "")
    if doc.startswith(f"{cls.__name__}("):
        return ""
    return " ".join(doc.split("\n\n", 1)[0].split())


def pass_listing(passes: Mapping[str, Callable[[], type[ModulePass]]]) -> str:
    """Every pass with its first docstring line, and each option with type, default and meaning."""
    return "\n".join(line for name in sorted(passes) for line in _entry(name, passes[name]()))


def _entry(name: str, cls: type[ModulePass]) -> Iterable[str]:
    yield name
    if doc := first_line(cls):
        yield from textwrap.wrap(doc, 112, initial_indent="    ", subsequent_indent="    ")
    for option in options_of(cls):
        default = f" = {option.default}" if option.default else " (required)"
        yield f"      {option.name}: {option.type}{default}"
        if option.meaning:
            yield from textwrap.wrap(option.meaning, 112, initial_indent=" " * 10, subsequent_indent=" " * 10)


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if value is dataclasses.MISSING:
        if field.default_factory is dataclasses.MISSING:
            return ""
        value = field.default_factory()
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ",".join(map(value_text, cast(tuple[ParameterType, ...], value))) or "none"
    return value_text(value)
