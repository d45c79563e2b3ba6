"""N-MNIST: handwritten digits seen by a moving event camera of 34x34 pixels (Orchard et al., Front. Neurosci. 9:437).

A recording is a file (`.bin`, or `.bs2` in other collections) of records of five bytes, the most significant bit first:

| bits | 39-32 | 31-24 | 23 | 22-0 |
|---|---|---|---|---|
| | x address (column) | y address (row) | polarity: 0 darker, 1 brighter | time in microseconds |

A record with y = 240 is no event: the clock has overflowed, and all later times count 2^13 microseconds more.

The published set has folders `Train` and `Test` with a folder for each digit; a file's name is the number of the digit
in MNIST, so that sorted by name digits come in MNIST's order. Other collections have a list, a line `number label` for
each sample, beside the files `number.bs2` or `number.bin`.

The neuron of an event is (polarity * 34 + y) * 34 + x: the signal has the shape 2x34x34.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.train.data.dataset import Recording

SIDE = 34
"""Pixels of a row and of a column."""
NEURONS = 2 * SIDE * SIDE
RECORD = 5
OVERFLOW_ROW, OVERFLOW_TIME = 240, 1 << 13
ENDINGS = (".bin", ".bs2")
SUBSETS = {"train": "Train", "test": "Test"}


@dataclass(frozen=True)
class File:
    """A recording that has not been read."""

    path: Path
    label: int | None


def files(path: Path, subset: str | None = None) -> list[File]:
    """The recordings of a file, a folder or a list, as the module says; `subset` is train or test.

    Raises `SnnirError` where there is none, and for lines of a list that are no number and label, or name no file.
    """
    if path.is_dir():
        return _in_folder(path, subset)
    if subset is not None:
        raise SnnirError(path, f"there is no part '{subset}' of a file", "name the folder that holds Train and Test")
    if not path.exists():
        raise SnnirError(path, "no such file or folder", "name a folder with Train and Test, a list, or a .bin file")
    if path.suffix in ENDINGS:
        return [File(path, None)]
    if path.suffix == ".txt":
        return _in_list(path)
    raise SnnirError(path, "this is no recording of N-MNIST", "name a .bin or .bs2 file, a .txt list, or a folder")


def recordings(found: list[File]) -> Iterator[Recording]:
    """The samples one after the other, with the number of each where its name is one. Raises as `events`."""
    for file in found:
        x, y, polarity, time = events(file.path)
        about = {"number": int(file.path.stem) if file.path.stem.isdecimal() else -1}
        seconds = time.astype(np.float64) * 1e-6
        yield Recording(str(file.path), seconds, (polarity * SIDE + y) * SIDE + x, file.label, about)


def events(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Columns, rows, polarities and times (microseconds) of a file, each (events,).

    Raises `SnnirError` for a file that ends within a record, events outside the sensor, and times that go back.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SnnirError(path, f"cannot be read ({error.strerror})", "name a readable file") from None
    if len(data) % RECORD:
        message = f"truncated: {len(data)} bytes are no whole number of records of {RECORD} bytes"
        raise SnnirError(path, message, "download or copy the file again")
    raw = np.frombuffer(data, np.uint8).reshape(-1, RECORD).astype(np.int64)
    x, y = raw[:, 0], raw[:, 1]
    time = (raw[:, 2] & 127) << 16 | raw[:, 3] << 8 | raw[:, 4]
    overflow = y == OVERFLOW_ROW
    time = time + OVERFLOW_TIME * np.cumsum(overflow)
    x, y, polarity, time = (each[~overflow] for each in (x, y, raw[:, 2] >> 7, time))
    outside = np.flatnonzero((x >= SIDE) | (y >= SIDE))
    if len(outside):
        event = outside[0]
        message = f"event {event} is at ({x[event]}, {y[event]}), outside a sensor of {SIDE}x{SIDE}"
        raise SnnirError(path, message, "is this a recording of N-MNIST?")
    back = np.flatnonzero(np.diff(time) < 0)
    if len(back):
        message = f"event {back[0] + 1} is at {time[back[0] + 1]} us, after one at {time[back[0]]} us"
        raise SnnirError(path, message, "the file is damaged, or its events have to be sorted by time")
    return x, y, polarity, time


def _in_folder(path: Path, subset: str | None) -> list[File]:
    """The files of the folders 0 to 9, by number."""
    if subset is not None and subset not in SUBSETS:
        raise SnnirError(path, f"there is no part '{subset}'", "use train or test")
    if subset is not None and not _has_digits(path):
        path = path / SUBSETS[subset]
    elif subset is None and any((path / name).is_dir() for name in SUBSETS.values()):
        raise SnnirError(path, "which part: Train or Test?", "say train or test, or name that folder")
    found = [
        File(file, int(folder.name))
        for folder in (sorted(path.iterdir()) if path.is_dir() else [])
        if folder.is_dir() and folder.name.isdecimal()
        for file in folder.iterdir()
        if file.suffix in ENDINGS
    ]
    if not found:
        raise SnnirError(
            path, "there are no folders 0 to 9 with .bin files", "name the folder that holds Train and Test"
        )
    return sorted(found, key=lambda file: (file.path.name, file.label))


def _has_digits(path: Path) -> bool:
    return any(folder.is_dir() and folder.name.isdecimal() for folder in path.iterdir())


def _in_list(path: Path) -> list[File]:
    found: list[File] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SnnirError(
            path, f"cannot be read as text ({error})", "name a list: a number and a label in a line"
        ) from None
    for number, line in enumerate(lines, 1):
        words: list[Any] = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        place = f"{path}:{number}"
        if len(words) != 2 or not all(word.isascii() and word.isdecimal() for word in words):
            raise SnnirError(place, "this is no number and label", "write a line as: 60001 7")
        stems = dict.fromkeys((words[0], f"{int(words[0]):05}"))
        files = [path.parent / f"{stem}{ending}" for stem in stems for ending in ENDINGS]
        file = next((each for each in files if each.is_file()), None)
        if file is None:
            raise SnnirError(
                place, f"there is no file {files[0].name} or {files[1].name}", f"put it into {path.parent}"
            )
        found.append(File(file, int(words[1])))
    if not found:
        raise SnnirError(path, "the list is empty", "write a line as: 60001 7")
    return found
