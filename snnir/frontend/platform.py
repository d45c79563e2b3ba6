"""Platform files: a machine in TOML, each of its numbers with a source.

The tables `tiles`, `crossbar`, `buffers`, `link`, `time`, `device`, `delays` and `energy` hold the fields of
`snnir.dialects.platform`; the table `source` says for each table or `table.entry` where its numbers come from.
"""

import re
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from snnir.dialects.machine_device import CONVERTER_BITS, Device
from snnir.dialects.platform import GROUPS, MachineAttr, MachineError, device_from, machine_from
from snnir.errors import SnnirError


def read_platform(path: Path | str) -> MachineAttr:
    """The machine described in a TOML file. Raises `SnnirError` with `file:line` for anything that does not fit."""
    path = Path(path)
    text, document = _document(path)
    name, sources = document.pop("name", path.stem), document.pop("source", {})
    with _placed(path, text):
        for key, value in document.items():
            if not isinstance(value, dict):
                raise MachineError(key, f"'{key}' is not a table of a platform file; there are {', '.join(GROUPS)}")
        machine = machine_from(str(name), cast(dict[str, dict[str, object]], document))
        _check_sources(document, sources)
    return MachineAttr(machine)


def read_device(path: Path | str) -> tuple[Device, int]:
    """The table `device` of a TOML file and its `crossbar.adc_bits`, 0 where it has none.

    A platform file, or one with these entries (and their sources) alone. Raises `SnnirError` as `read_platform` does.
    """
    path = Path(path)
    text, document = _document(path)
    if not isinstance(document.get("device"), dict):
        raise SnnirError(path, "no table [device] in this file", "docs/platforms.md lists its entries")
    crossbar: Any = document.get("crossbar")
    stated = isinstance(crossbar, dict) and "adc_bits" in crossbar
    entries = {"device": cast(dict[str, object], document["device"])}
    entries["crossbar"] = {"adc_bits": crossbar["adc_bits"]} if stated else {}
    with _placed(path, text):
        device, bits = device_from(entries["device"]), entries["crossbar"].get("adc_bits", 0)
        if not isinstance(bits, int) or isinstance(bits, bool) or not 0 <= bits <= CONVERTER_BITS:
            raise MachineError("crossbar.adc_bits", f"crossbar.adc_bits is 0 (exact) or 1 to {CONVERTER_BITS}")
        _check_sources(entries, document.get("source", {}))
    return device, bits


@contextmanager
def _placed(path: Path, text: str) -> Generator[None]:
    """Give a `MachineError` its line in a file."""
    try:
        yield
    except MachineError as error:
        place = f"{path}:{_line_of(text, error.key)}"
        raise SnnirError(place, str(error), "docs/platforms.md lists all entries") from None


def _document(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file, and what is in it."""
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        raise SnnirError(path, "no such platform file", "name an existing .toml file") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+), column (\d+)", str(error))
        place = f"{path}:{line[1]}:{line[2]}" if line else path
        raise SnnirError(place, f"not TOML: {error}", "see https://toml.io for the syntax") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SnnirError(path, f"cannot be read: {error}", "name a text file in UTF-8") from None


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
