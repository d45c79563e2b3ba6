"""What of a crossbar its delay memory has to know: which axons its rows carry on, and at which delay levels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnir.machine.parts import Configuration, Crossbar

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Wiring:
    """The axons of a crossbar: neurons of inputs and populations, each read at one or more delay levels.

    A level is a number of steps. Rows and, behind them, windowed axons are *lines* here: what an event is delivered
    to. A line counts where a cell that it drives is programmed: on all others an event would change nothing. So
    (axon, level) pairs with a line are the ones of the weight-valid matrix of arXiv 2404.10597, section III.
    """

    numbers: Mapping[str, Integers]
    """Source -> number of the axon of each of its neurons; -1: not read at all."""
    sources: tuple[str, ...]
    """The source of each axon."""
    neurons: Integers
    """The neuron of each axon."""
    lines: int
    """How many lines there are."""
    parts: Mapping[str, Integers]
    """Slice -> the lines that it reads, in the order of its axons."""
    span: int
    """The longest delay, and one more: how many levels there are."""
    keys: Integers
    """axon * span + level of each line that counts, ascending."""
    targets: Integers
    """These lines."""
    last: Integers
    """The last level of each axon that a line counts for; -1: none does."""

    def delivered(self, axons: Integers, levels: Integers) -> tuple[Integers, Integers]:
        """Where events are delivered: positions in `axons`, and lines; one pair for each delivery."""
        keys = axons * self.span + levels
        first, behind = (np.searchsorted(self.keys, keys, side) for side in ("left", "right"))
        many = behind - first
        positions = np.repeat(np.arange(len(keys)), many)
        within = np.arange(len(positions)) - np.repeat(np.cumsum(many) - many, many)
        return positions, self.targets[first[positions] + within]


def wiring_of(configuration: Configuration, crossbar: Crossbar) -> Wiring:
    """The axons of a crossbar, numbered source by source."""
    groups = [*crossbar.rows, *crossbar.windowed]
    sizes = {item.name: item.size for item in (*configuration.inputs, *configuration.populations)}
    numbers: dict[str, Integers] = {}
    sources: list[str] = []
    neurons: list[Integers] = []
    for name in dict.fromkeys(group.source for group in groups):
        read = np.unique(np.concatenate([group.neurons for group in groups if group.source == name]))
        numbers[name] = np.full(sizes[name], -1)
        numbers[name][read] = len(sources) + np.arange(len(read))
        sources += [name] * len(read)
        neurons.append(read)
    none = np.empty(0, np.int64)
    axons = np.concatenate([none, *(numbers[group.source][group.neurons] for group in groups)])
    levels = np.concatenate([none, *(np.full(len(group.neurons), group.delay) for group in groups)])
    lines = np.flatnonzero(programmed_lines(crossbar))
    last = np.full(len(sources), -1)
    np.maximum.at(last, axons[lines], levels[lines])
    span = int(last.max(initial=0)) + 1
    keys = axons[lines] * span + levels[lines]
    order = np.argsort(keys, kind="stable")
    fed = sum(len(group.neurons) for group in crossbar.rows)
    return Wiring(
        numbers,
        tuple(sources),
        np.concatenate([none, *neurons]),
        len(axons),
        {part.name: part.axons + (0 if part.windows is None else fed) for part in crossbar.slices},
        span,
        keys[order],
        lines[order],
        last,
    )


def programmed_lines(crossbar: Crossbar) -> NDArray[np.bool]:
    """Which rows, and behind them windowed axons, drive a cell that is not 0."""
    fed, windowed = (sum(len(group.neurons) for group in each) for each in (crossbar.rows, crossbar.windowed))
    found = np.zeros(fed + windowed, np.bool)
    for part in crossbar.slices:
        rows = (crossbar.cells[part.rows, slice(*part.columns)] != 0).any(axis=1)
        if part.windows is None:
            found[part.rows[rows]] = True
        else:
            met = part.windows.met[:, rows]
            found[fed + met[met >= 0]] = True
    return found
