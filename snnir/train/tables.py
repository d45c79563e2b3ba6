"""Tables of a TOML file as dataclasses: every entry known by name and of its type, every error with its line."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from snnir.errors import SnnirError

Table = TypeVar("Table")

_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


class Text:
    """A TOML file and the lines of its entries; `place` is what errors name where there is no file."""

    def __init__(self, place: str | Path, text: str = "") -> None:
        self.place, self._text = str(place), text

    def error(self, key: str, message: str, hint: str = "") -> SnnirError:
        """An error at `table.entry` (or `table`)."""
        return SnnirError(f"{self.place}:{self._line(key)}" if self._text else self.place, message, hint)

    def _line(self, key: str) -> int:
        """The line of `table.entry`, or of the table; 1 where it is not there."""
        table, _, entry = key.partition(".")
        entry = entry.partition(".")[0]
        current, best = "", 1
        for number, line in enumerate(self._text.splitlines(), 1):
            header = re.match(r"\s*\[([\w.-]+)\]", line)
            if header:
                current = header[1]
            if header and current.partition(".")[0] == table:
                best = number if best == 1 or current == f"{table}.{entry}" else best
            elif current == table and entry and re.match(rf"\s*{re.escape(entry)}\s*[=.]", line):
                return number
        return best


def read_document(path: Path) -> tuple[Text, dict[str, Any]]:
    """What a TOML file holds. Raises `SnnirError` where it is none."""
    try:
        text = path.read_text(encoding="utf-8")
        return Text(path, text), tomllib.loads(text)
    except FileNotFoundError:
        raise SnnirError(path, "no such training description", "name an existing .toml file") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+), column (\d+)", str(error))
        place = f"{path}:{line[1]}:{line[2]}" if line else path
        raise SnnirError(place, f"not TOML: {error}", "see https://toml.io for the syntax") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SnnirError(path, f"cannot be read: {error}", "name a text file in UTF-8") from None


def read_table(kind: type[Table], found: object, text: Text, key: str) -> Table:
    """The table `key` as a dataclass of `kind`. Raises `SnnirError` for entries that are unknown, missing or wrong."""
    if not isinstance(found, dict):
        raise text.error(key, f"'{key}' is no table", f"write [{key}] and its entries below it")
    entries, known = cast(dict[str, Any], found), {f.name: f for f in fields(cast(Any, kind))}
    for name in entries:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise text.error(f"{key}.{name}", f"no entry '{name}' in [{key}]", hint)
    missing = [
        n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING and n not in entries
    ]
    if missing:
        raise text.error(key, f"[{key}] says nothing of '{missing[0]}'", f"add {missing[0]} = ...")
    types = get_type_hints(kind)
    return kind(**{name: _value(types[name], value, text, f"{key}.{name}") for name, value in entries.items()})


def _value(kind: Any, found: object, text: Text, key: str) -> Any:
    """A value of the type that a field has."""
    options = [each for each in _options(kind) if each is not NoneType]
    for each in options:
        value = _as(each, found, text, key)
        if value is not None:
            return value
    expected = " or ".join(dict.fromkeys(_words(each) for each in options))
    raise text.error(key, f"{key} = {_shown(found)} is not {expected}", f"write {expected}")


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _as(kind: Any, found: object, text: Text, key: str) -> Any:
    """The value as one type, `None` where it is of another."""
    if is_dataclass(kind):
        inner = cast(type[Any], kind)
        return read_table(inner, cast(object, found), text, key) if isinstance(found, dict) else None
    if get_origin(kind) is Literal:
        return found if found in get_args(kind) else None
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        parts = (
            [_as(inner, each, text, key) for each in cast(list[object], found)] if isinstance(found, list) else [None]
        )
        return None if any(part is None for part in parts) else tuple(parts)
    if get_origin(kind) in (dict, Mapping):
        return dict(cast(dict[str, object], found)) if isinstance(found, dict) else None
    if kind is float and isinstance(found, int) and not isinstance(found, bool):
        return float(found)
    return found if isinstance(found, kind) and isinstance(found, bool) == (kind is bool) else None


def _words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(f'"{each}"' for each in get_args(kind))
    if get_origin(kind) is tuple:
        return f"a list, each entry {_words(get_args(kind)[0])}"
    return _WORDS.get(kind, "a table")


def _shown(found: object) -> str:
    text = f'"{found}"' if isinstance(found, str) else str(found)
    return text if len(text) < 60 else f"{text[:57]}..."
