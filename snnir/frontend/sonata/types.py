"""Types files of SONATA: tables in text, columns separated by spaces, one row per node or edge type.

Source: SONATA Developer Guide 0.1, "CSV" and "node types". `NULL` (and `NA`, `None`, nothing) stands for no value.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Place
from snnir.frontend.names import suggestion

MISSING = frozenset({"", "NULL", "NA", "None", "NaN", "nan"})
_SIZE_LIMIT = 1 << 26
_ID_LIMIT = 1 << 62


@dataclass(frozen=True)
class Row:
    """One type: its id and the columns that have a value."""

    id: int
    values: Mapping[str, str]
    place: Place

    def get(self, column: str) -> str | None:
        """The text in a column; `None` when there is none."""
        return self.values.get(column)

    def number(self, column: str) -> Decimal | None:
        """The number in a column; `None` when there is none. Raises `SnnirError` when it is none."""
        text = self.values.get(column)
        if text is None:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise self.place.error(f"{column} = {text} is not a number") from None
        if not number.is_finite():
            raise self.place.error(f"{column} = {text} is not finite")
        return number


@dataclass(frozen=True)
class Types:
    """All types of a population."""

    place: Place
    columns: Sequence[str]
    rows: Sequence[Row] = field(default_factory=tuple[Row, ...])

    @cached_property
    def by_id(self) -> dict[int, Row]:
        """The rows by their ids."""
        return {row.id: row for row in self.rows}

    def positions(self, ids: NDArray[np.int64], place: Place) -> NDArray[np.int64]:
        """For each id the position of its row. Raises `SnnirError` at `place` for an id that is in no row."""
        known = np.array([row.id for row in self.rows], np.int64)
        order = np.argsort(known, kind="stable")
        found = np.searchsorted(known[order], ids)
        found[found == known.size] = 0
        wrong = np.ones(ids.shape, np.bool_) if not known.size else known[order][found] != ids
        if wrong.any():
            number = int(np.argmax(wrong))
            hint = suggestion(str(ids[number]), map(str, known.tolist()), "types")
            raise place.error(f"entry {number} is of type {ids[number]}, which is not in {self.place}", hint)
        return order[found]


def no_types(place: Place) -> Types:
    """The table of a population without a types file."""
    return Types(place, ())


def read_types(path: Path, kind: str, population: str) -> Types:
    """The node or edge types (`kind`: `node` or `edge`) that a population may use.

    Raises `SnnirError` with the line for a row that does not fit, an id that is no whole number or is there twice.
    """
    place = Place(str(path))
    lines = [(number, line) for number, line in enumerate(_lines(path, place), 1) if line.strip()]
    if not lines:
        raise place.error("this types file is empty", f"its first line names the columns, {kind}_type_id among them")
    where = Place(str(path), str(lines[0][0]))
    columns = _fields(lines[0][1], where)
    id_column = f"{kind}_type_id"
    if id_column not in columns:
        hint = "columns are separated by spaces" if "," in lines[0][1] else suggestion(id_column, columns, "columns")
        raise where.error(f"there is no column '{id_column}'", hint)
    if len(set(columns)) != len(columns):
        raise where.error("a column is there twice")
    rows: dict[int, Row] = {}
    for number, line in lines[1:]:
        row = _row(columns, line, id_column, Place(str(path), str(number)))
        if row.values.get("population", population) != population:
            continue
        if row.id in rows:
            raise row.place.error(f"{id_column} {row.id} is there twice, first in {rows[row.id].place}")
        rows[row.id] = row
    return Types(place, columns, tuple(rows.values()))


def _lines(path: Path, place: Place) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(_SIZE_LIMIT + 1)
        if len(data) > _SIZE_LIMIT:
            raise place.error(f"a types file of more than {_SIZE_LIMIT >> 20} MiB is refused")
        return data.decode("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise place.error(
            "no such file", "the configuration names it; correct the name or put the file there"
        ) from None
    except OSError as error:
        raise place.error(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise place.error(f"not UTF-8 text: {error.reason} at byte {error.start}") from None


def _fields(line: str, place: Place) -> list[str]:
    try:
        return next(csv.reader([line.strip()], delimiter=" ", quotechar='"', skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise place.error(f"this row cannot be read: {error}") from None


def _row(columns: Sequence[str], line: str, id_column: str, place: Place) -> Row:
    fields = _fields(line, place)
    if len(fields) != len(columns):
        hint = "a value that holds spaces is written in double quotes; NULL stands for no value"
        raise place.error(f"{len(fields)} values for {len(columns)} columns", hint)
    values = {name: text for name, text in zip(columns, fields, strict=True) if text not in MISSING}
    text = values.pop(id_column, "")
    if not (text.isascii() and text.isdigit() and int(text) < _ID_LIMIT):
        raise place.error(f"{id_column} = '{text}' is not a whole number")
    return Row(int(text), values, place)
