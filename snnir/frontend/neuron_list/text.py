"""The neuron lists of the published mappers: connections, weights, spikes, one number per neuron.

Two layouts are in use, and both are read. As the mappers read them (Shihao-Song/ncc_prototype, `ext/include/unroll/
unroll.cc`, and SNNPartitioning of drexel-DISCO/SpiNeMap; written by their `model.cc`, `printConns`), one line a neuron:

    connection_info.txt   source target target ...
    weight_info.txt       source weight weight ...       in the order of the connections
    spike_info.txt        neuron time time ...

As SpiNeMap's CARLsim parser writes them (`Parser/Parser-CARLsim/log_parser.py`, reformatted by its `format.py`):

    connection_info.txt   source / target target ... / an empty line
    weight_info.txt       source target weight
    spike_info.txt        neuron,count / time time ...

Neurons are numbered from 0, times are whole steps (ms in CARLsim and snn_toolbox).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError

NUMBER_LIMIT = 1 << 28
"""No neuron has a higher number, no spike a later time."""

_WHOLE = re.compile(r"[0-9 \t]*")
_LINE_LIMIT = 1 << 27


@dataclass(frozen=True)
class Connections:
    """Single connections, record by record: record n is lines[n] of the file, edges starts[n] up to starts[n + 1]."""

    path: Path
    lines: tuple[int, ...]
    record_sources: NDArray[np.int64]
    starts: NDArray[np.int64]
    targets: NDArray[np.int64]

    @property
    def sources(self) -> NDArray[np.int64]:
        """The source of each edge."""
        return np.repeat(self.record_sources, np.diff(self.starts))

    @property
    def size(self) -> int:
        """The number of neurons: one more than the highest number."""
        return int(max(self.record_sources.max(initial=-1), self.targets.max(initial=-1))) + 1


@dataclass(frozen=True)
class SpikeTimes:
    """Spikes: neurons and times, sorted by time, then by neuron."""

    neurons: NDArray[np.int64]
    times: NDArray[np.int64]
    unlisted: int
    """How many neurons are not in the list."""


Line = tuple[int, str]
"""A number and a text."""
Record = tuple[int, int, NDArray[np.int64]]
"""The line, the neuron at its start, and the numbers that follow."""


def _lines(path: Path) -> Iterator[Line]:
    """The lines of a text file with their numbers. Raises `SnnirError` when it cannot be read or is no text."""
    try:
        with path.open(encoding="ascii", errors="strict", newline=None) as file:
            number = 0
            while line := file.readline(_LINE_LIMIT + 1):
                number += 1
                if len(line) > _LINE_LIMIT:
                    raise SnnirError(f"{path}:{number}", f"a line of more than {_LINE_LIMIT} characters is refused")
                yield number, line.strip()
    except FileNotFoundError:
        raise SnnirError(path, "no such file", "name an existing connection_info.txt") from None
    except UnicodeDecodeError as error:
        raise SnnirError(path, f"this is not a text of numbers (byte {error.start})", "name a text file") from None
    except OSError as error:
        raise SnnirError(path, f"cannot be read: {error.strerror}", "name a readable file") from None


def _whole(text: str, place: str, what: str) -> NDArray[np.int64]:
    """Whole numbers that are separated by blanks."""
    if not _WHOLE.fullmatch(text):
        wrong = next(word for word in text.split() if not _WHOLE.fullmatch(word))
        raise SnnirError(place, f"'{_cut(wrong)}' is not {what}", "these are whole numbers from 0 on")
    words = text.split()
    long = next((word for word in words if len(word) > 12), None)
    if long is not None or (words and max(map(int, words)) >= NUMBER_LIMIT):
        raise SnnirError(place, f"{what} of {NUMBER_LIMIT} or more is refused", "correct this line")
    return np.array(words, np.int64) if words else np.empty(0, np.int64)


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def read_connections(path: Path) -> Connections:
    """The connections of a `connection_info.txt`. Raises `SnnirError` with the line that makes no sense."""
    lines = _lines(path)
    head = list(islice(lines, 3))
    separate = len(head) == 3 and len(head[0][1].split()) == 1 and bool(head[1][1]) and not head[2][1]
    records = (_three_lines if separate else _one_line)(path, chain(head, lines))
    numbers: list[int] = []
    sources: list[int] = []
    targets: list[NDArray[np.int64]] = []
    for number, source, reached in records:
        numbers.append(number)
        sources.append(source)
        targets.append(reached)
    if not numbers:
        raise SnnirError(path, "there are no connections in this file", "each line is a source and its targets")
    starts = np.concatenate([[0], np.cumsum([len(each) for each in targets])]).astype(np.int64)
    return Connections(path, tuple(numbers), np.array(sources, np.int64), starts, np.concatenate(targets))


def _one_line(path: Path, lines: Iterable[Line]) -> Iterator[Record]:
    for number, line in lines:
        if line:
            found = _whole(line, f"{path}:{number}", "a neuron's number")
            yield number, int(found[0]), found[1:]


def _three_lines(path: Path, lines: Iterable[Line]) -> Iterator[Record]:
    rest = iter(lines)
    for number, first in rest:
        if not first:
            continue
        source = _whole(first, f"{path}:{number}", "a neuron's number")
        if source.size != 1:
            what = f"{source.size} numbers where one source is expected"
            hint = "as in the lines before, a source, its targets and an empty line follow each other"
            raise SnnirError(f"{path}:{number}", what, hint)
        second, reached = next(rest, (number, ""))
        yield number, int(source[0]), _whole(reached, f"{path}:{second}", "a neuron's number")
        third, nothing = next(rest, (number, ""))
        if nothing:
            raise SnnirError(f"{path}:{third}", "an empty line is expected after the targets", "see lines 1 to 3")


def read_weights(path: Path, connections: Connections) -> NDArray[np.float64]:
    """The weight of each edge. Raises `SnnirError` for weights that do not belong to the connections."""
    counts = np.diff(connections.starts).tolist()
    total = sum(1 for _, line in _lines(path) if line)
    lines = ((number, line) for number, line in _lines(path) if line)
    first = next((line for _, line in _lines(path) if line), "")
    if total != len(counts) or (set(counts) == {1} and len(first.split()) == 3):
        return _single_weights(path, lines, connections)
    found: list[NDArray[np.float64]] = []
    for (number, line), source, count in zip(lines, connections.record_sources.tolist(), counts, strict=True):
        place, words = f"{path}:{number}", line.split()
        if words[0] != str(source):
            what = f"weights of neuron {_cut(words[0])} where those of neuron {source} are expected"
            raise SnnirError(place, what, "weights are in the order of the connections")
        if len(words) - 1 != count:
            what = f"{len(words) - 1} weights of neuron {source}, which has {count} connections"
            raise SnnirError(place, what, "give one weight for each connection, in order")
        found.append(_reals(words[1:], place))
    return np.concatenate(found)


def _reals(words: list[str], place: str) -> NDArray[np.float64]:
    try:
        values = np.array(words, np.float64)
    except ValueError:
        wrong = next(word for word in words if not _is_real(word))
        raise SnnirError(place, f"'{_cut(wrong)}' is not a weight", "weights are decimal numbers") from None
    if not np.isfinite(values).all():
        raise SnnirError(place, f"weight {words[int(np.argmin(np.isfinite(values)))]} is not finite", "correct it")
    return values


def _is_real(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _single_weights(path: Path, lines: Iterable[Line], connections: Connections) -> NDArray[np.float64]:
    """Weights in lines of source, target, weight; a weight of 0 may stand for a connection that is not listed."""
    size, sources = connections.size, connections.sources
    keys = sources * size + connections.targets
    order = np.argsort(keys, kind="stable")
    result = np.full(keys.size, np.nan)
    for number, line in lines:
        place, words = f"{path}:{number}", line.split()
        if len(words) != 3:
            what = f"{len(words)} values where a source, a target and a weight are expected"
            hint = f"or give a line to each of the {len(connections.lines)} sources of {connections.path.name}"
            raise SnnirError(place, what, hint)
        source, target = _whole(" ".join(words[:2]), place, "a neuron's number").tolist()
        weight = float(_reals(words[2:], place)[0])
        low, high = np.searchsorted(keys[order], (source * size + target, source * size + target + 1))
        if source >= size or target >= size or low == high:
            if weight == 0:
                continue
            raise SnnirError(place, f"there is no connection {source} -> {target}", f"see {connections.path}")
        if not np.isnan(result[order[low]]):
            raise SnnirError(place, f"the weight of {source} -> {target} is there twice", "leave one out")
        result[order[low:high]] = weight
    if np.isnan(result).any():
        edge = int(np.argmax(np.isnan(result)))
        what = f"there is no weight for {sources[edge]} -> {connections.targets[edge]}"
        raise SnnirError(path, what, "give every connection a weight, or leave the file out")
    return result


def read_times(path: Path, size: int) -> SpikeTimes:
    """The spikes of `size` neurons. Raises `SnnirError` for neurons that there are none of."""
    lines = _lines(path)
    head = list(islice(lines, 1))
    counted = bool(head) and "," in head[0][1]
    neurons: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    times: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    listed = np.zeros(size, np.bool_)
    for number, neuron, each in (_counted if counted else _plain)(path, chain(head, lines)):
        if neuron >= size:
            what = f"neuron {neuron} has spikes, but the highest number of the connections is {size - 1}"
            raise SnnirError(f"{path}:{number}", what, "use the lists of one network")
        listed[neuron] = True
        neurons.append(np.full(each.size, neuron))
        times.append(each)
    flat, stamps = np.concatenate(neurons), np.concatenate(times)
    order = np.lexsort((flat, stamps))
    return SpikeTimes(flat[order], stamps[order], int(size - listed.sum()))


def _plain(path: Path, lines: Iterable[Line]) -> Iterator[Record]:
    for number, line in lines:
        if line:
            found = _whole(line, f"{path}:{number}", "a neuron's number or a time in steps")
            yield number, int(found[0]), found[1:]


def _counted(path: Path, lines: Iterable[Line]) -> Iterator[Record]:
    rest = iter(lines)
    for number, head in rest:
        if not head:
            continue
        place, words = f"{path}:{number}", head.split(",")
        parts = [_whole(word, place, "a whole number") for word in words]
        if len(parts) != 2 or any(part.size != 1 for part in parts):
            raise SnnirError(place, f"'{_cut(head)}' is not a neuron's number, a comma and a count", "see line 1")
        (neuron,), (count,) = (part.tolist() for part in parts)
        following, text = next(rest, (number, ""))
        times = _whole(text, f"{path}:{following}", "a time in steps")
        if times.size != count:
            what = f"{times.size} times of neuron {neuron}, but {count} are announced"
            raise SnnirError(f"{path}:{following}", what, "the file may be truncated")
        yield number, neuron, times
