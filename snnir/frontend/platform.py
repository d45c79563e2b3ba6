"""Platform files: a machine in TOML, each of its numbers with a source.

The tables `tiles`, `crossbar`, `buffers`, `link` and `time` hold the fields of `snnir.dialects.platform`; the table
`source` says for each table or `table.entry` where its numbers come from.
"""

import re
import tomllib
from pathlib import Path
from typing import Any, cast

from snnir.dialects.platform import GROUPS, MachineAttr, MachineError, machine_from
from snnir.errors import SnnirError


def read_platform(path: Path | str) -> MachineAttr:
    """The machine described in a TOML file. Raises `SnnirError` with `file:line` for anything that does not fit."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        document: dict[str, Any] = tomllib.loads(text)
    except FileNotFoundError:
        raise SnnirError(path, "no such platform file", "name an existing .toml file") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+), column (\d+)", str(error))
        place = f"{path}:{line[1]}:{line[2]}" if line else path
        raise SnnirError(place, f"not TOML: {error}", "see https://toml.io for the syntax") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SnnirError(path, f"cannot be read: {error}", "name a text file in UTF-8") from None
    name, sources = document.pop("name", path.stem), document.pop("source", {})
    try:
        for key, value in document.items():
            if not isinstance(value, dict):
                raise MachineError(key, f"'{key}' is not a table of a platform file; there are {', '.join(GROUPS)}")
        machine = machine_from(str(name), cast(dict[str, dict[str, object]], document))
        _check_sources(document, sources)
    except MachineError as error:
        place = f"{path}:{_line_of(text, error.key)}"
        raise SnnirError(place, str(error), "docs/platforms.md lists all entries") from None
    return MachineAttr(machine)


def _check_sources(document: dict[str, dict[str, object]], sources: object) -> None:
    """Every number must say where it comes from."""
    named: dict[str, object] = cast(dict[str, object], sources) if isinstance(sources, dict) else {}
    for group, entries in document.items():
        for key in entries:
            if group not in named and f"{group}.{key}" not in named:
                raise MachineError(f"{group}.{key}", f'{group}.{key} names no source: add "{group}.{key}" to [source]')


def _line_of(text: str, key: str) -> int:
    """The line of `table.entry` (or of `[table]`) in TOML text; 1 when it is not there."""
    group, _, entry = key.partition(".")
    current, best = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[([\w.-]+)\]", line)
        if header:
            current = header[1]
            best = number if current == group else best
        elif current == group and entry and re.match(rf"\s*{re.escape(entry)}\s*=", line):
            return number
    return best
