"""Connections in files: text or CSV with one synapse per line, or `.npz` with an array per column.

Columns are `from`, `to`, `weight` and, where synapses differ in it, `delay` (steps). Text separates them by commas,
semicolons, blanks or tabs; a first line may name them, else they stand in this order; `#` starts a comment.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.frontend.names import suggestion
from snnir.frontend.snn.values import Words

COLUMNS = ("from", "to", "weight", "delay")
"""The columns of a file of connections; `delay` may be missing."""

SIZE_LIMIT = 1 << 30
"""Files of more bytes are refused."""

Connections = tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64] | None]
"""Weights, sources, targets, delays."""


def read_connections(name: Words) -> Connections:
    """The connections in a file that a program names, relative to the program's folder. Raises `SnnirError`."""
    path = name.path
    if not path.is_file():
        raise name.span.error(f"there is no file {path}", "the path is relative to the file that names it")
    if path.stat().st_size > SIZE_LIMIT:
        raise name.span.error(f"{path} is larger than {SIZE_LIMIT >> 30} GiB", "put the synapses into safetensors")
    columns = _npz(path) if zipfile.is_zipfile(path) else _text(path)
    weights = columns["weight"]
    whole = {column: _whole(path, column, columns[column]) for column in columns if column != "weight"}
    return weights, whole["from"], whole["to"], whole.get("delay")


def _npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {each: file[each] for each in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, KeyError, EOFError) as error:
        raise SnnirError(path, f"not a readable .npz file ({error})", "write it with numpy.savez") from None
    plural = {"weights": "weight", "delays": "delay"}
    arrays = {plural.get(str(each), str(each)): array for each, array in arrays.items()}
    _check_names(path, tuple(arrays))
    for each, array in arrays.items():
        if array.ndim != 1 or array.dtype.kind not in "iuf":
            raise SnnirError(f"{path}:{each}", "not a list of numbers", "store one dimension of numbers")
        if array.size != arrays["from"].size:
            what = f"{array.size} numbers, but 'from' has {arrays['from'].size}"
            raise SnnirError(f"{path}:{each}", what, "give one entry per synapse")
    return arrays


def _check_names(place: str | Path, names: tuple[str, ...]) -> None:
    for each in names:
        if each not in COLUMNS:
            raise SnnirError(place, f"no column '{each}'", suggestion(each, COLUMNS, "columns"))
        if names.count(each) > 1:
            raise SnnirError(place, f"two columns '{each}'", "keep one of them")
    for each in COLUMNS[:3]:
        if each not in names:
            raise SnnirError(place, f"there is no column '{each}'", f"the columns are {', '.join(COLUMNS)}")


def _text(path: Path) -> dict[str, NDArray[Any]]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SnnirError(path, f"cannot be read: {error}", "name a text file in UTF-8, or .npz") from None
    names: tuple[str, ...] | None = None
    columns: list[list[float]] = []
    for number, line in enumerate(content.splitlines(), 1):
        words = [each for each in re.split(r"[,;\s]+", line.partition("#")[0].strip()) if each]
        if not words:
            continue
        place = f"{path}:{number}"
        if names is None and re.match(r"[A-Za-z]", words[0]):
            names = tuple(each.strip('"').lower() for each in words)
            _check_names(place, names)
            continue
        names = names or _usual(place, words)
        if len(words) != len(names):
            raise SnnirError(place, f"{len(words)} columns, but there are {len(names)}: {', '.join(names)}")
        columns.append([_number(place, each) for each in words])
    if names is None or not columns:
        raise SnnirError(path, "no connections in this file", f"a line reads: {', '.join(COLUMNS)}")
    return dict(zip(names, np.array(columns, np.float64).T.copy(), strict=True))


def _usual(place: str, words: list[str]) -> tuple[str, ...]:
    if len(words) not in (3, 4):
        raise SnnirError(place, f"{len(words)} columns, not 3 or 4", f"a line reads: {', '.join(COLUMNS)}")
    return COLUMNS[: len(words)]


def _number(place: str, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise SnnirError(place, f"'{word[:24]}' is no number", "columns hold numbers") from None
    if not np.isfinite(value):
        raise SnnirError(place, f"{word[:24]} is no finite number", "columns hold finite numbers")
    return value


def _whole(path: Path, column: str, array: NDArray[Any]) -> NDArray[np.int64]:
    values = np.asarray(array)
    wrong = np.flatnonzero((values != np.rint(values)) | (values < 0) | (np.abs(values.astype(np.float64)) >= 2.0**53))
    if wrong.size:
        what = f"{values[wrong[0]]:g} in row {int(wrong[0]) + 1} is no whole number, 0 or more"
        raise SnnirError(f"{path}:{column}", what, f"'{column}' holds whole numbers")
    return values.astype(np.int64)
