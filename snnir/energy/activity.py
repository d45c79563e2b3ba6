"""The operations of a run: which kind, how many, for which population, on which tile.

A slice does its synaptic operations row by row: a spike on a row, after the row's delay, once for each weight of the
slice on it that is not 0. With windows a spike counts at each position of the kernel that meets it. Codes other than 0
count as spikes do. What a spike does is done when it arrives, and not at all where an inference ends before; with ring
buffers it is done in the step of the spike, which adds to slots of later steps, whether an inference gets there or not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.machine.counts import Counts
from snnir.machine.parts import Configuration, Crossbar, Flow, Machine, Slice, Tile, taps
from snnir.machine.topology import Router, steps

OPERATIONS = ("synapse", "event", "read", "convert", "add", "update", "idle", "spike", "delay")
"""Operations of crossbars and neurons, under the names that a platform's table `energy` has for what they take."""
HOPS = ("hop_x", "hop_y", "hop_chip")
"""A flit on its way to the next router: in x, in y (on a tree anywhere), to one on another chip."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Item:
    """Some operations of one kind, summed over all samples and steps of a run."""

    operation: str
    population: str
    """The population that computes, or the population or input whose spikes travel or are remembered."""
    tile: Tile
    """Where; of a hop, the router at which it starts."""
    count: int


class _Spikes:
    """Spikes of one source, summed over samples: how many in the first steps, and for how long they are remembered."""

    def __init__(self, array: NDArray[Any]) -> None:
        per_step = np.count_nonzero(array, axis=0)
        self._steps = len(per_step)
        self._until = np.zeros((self._steps + 1, per_step.shape[1]), np.int64)
        np.cumsum(per_step, axis=0, out=self._until[1:])
        self._held = np.cumsum(self._until[::-1], axis=0)

    def arriving(self, neurons: Integers, delay: int) -> Integers:
        """Spikes of each neuron that arrive, so many steps late, before the inference ends."""
        return self._until[max(0, self._steps - delay), neurons]

    def held(self, neurons: Integers, lengths: Integers) -> int:
        """Steps in which these spikes are in a memory, each in its own and the next ones, `lengths` in all."""
        last = np.minimum(lengths, self._steps + 1) - 1
        return int(self._held[last, neurons][lengths > 0].sum())


def count(
    configuration: Configuration, signals: Mapping[str, NDArray[Any]], counts: Counts, memory: str | None = None
) -> list[Item]:
    """All operations of a run with the `signals` (samples, steps, size) of inputs and populations, and their counts.

    `memory` is the kind of the delay memories, `None` where every axon keeps its own past spikes.
    """
    spikes = {name: _Spikes(array) for name, array in signals.items()}
    found: list[Item] = []
    for crossbar in configuration.crossbars:
        for part in crossbar.slices:
            done = _of_slice(part, counts, configuration.machine.columns_per_weight)
            done |= _of_rows(crossbar, part, spikes, at_once=memory == "ring")
            found += [Item(name, part.population, crossbar.tile, done[name]) for name in OPERATIONS if done[name]]
        if memory is not None and memory != "ring":
            found += _remembered(crossbar, spikes, memory)
    found += [item for flow in configuration.flows for item in _hops(configuration, flow, counts)]
    return found


def _of_rows(crossbar: Crossbar, part: Slice, spikes: Mapping[str, _Spikes], *, at_once: bool) -> dict[str, int]:
    """Spikes on the rows of a slice and its synaptic operations; additions to slots of later steps if `at_once`."""
    weights = np.count_nonzero(crossbar.cells[part.rows, slice(*part.columns)], axis=1)
    if part.windows is not None:
        met = part.windows.met
        lines = np.searchsorted(part.axons, met)
        each = np.broadcast_to(weights, met.shape)
        weights = np.zeros(len(part.axons), np.int64)
        np.add.at(weights, lines[met >= 0], each[met >= 0])
    done = {"event": 0, "synapse": 0, "delay": 0}
    for group, neurons, positions in taps(crossbar, part):
        arriving = spikes[group.source].arriving(neurons, 0 if at_once else group.delay)
        synapses = int(arriving @ weights[positions])
        done["event"] += int(arriving.sum())
        done["synapse"] += synapses
        done["delay"] += synapses if at_once and group.delay else 0
    return done


def _of_slice(part: Slice, counts: Counts, columns_per_weight: int) -> dict[str, int]:
    """What a slice does besides that."""
    here = counts.spikes_in[part.name] > 0
    driven = here.copy()
    for name in part.partials:
        driven |= counts.spikes_in[name] > 0
    reads = part.reads * int(here.sum())
    done = {
        "read": reads,
        "convert": reads * (part.width // part.reads) * columns_per_weight,
        "add": part.width * len(part.partials) * len(here),
        "update": 0,
        "idle": 0,
        "spike": 0,
    }
    if not part.is_partial:
        done["update"] = part.width * int(driven.sum())
        done["idle"] = part.width * len(driven) - done["update"]
        done["spike"] = int(counts.spikes_out[part.name].sum())
    return done


def _remembered(crossbar: Crossbar, spikes: Mapping[str, _Spikes], memory: str) -> Iterator[Item]:
    """Events in the shared delay memory of a crossbar, once for each step that each is there.

    In a `queue` there is one for each delay of at least a step and stays as long; in the others it stays from the step
    of the spike to that in which the neuron's last delay is read.
    """
    delays: dict[tuple[str, int], set[int]] = {}
    for group in (*crossbar.rows, *crossbar.windowed):
        for neuron in group.neurons.tolist():
            delays.setdefault((group.source, neuron), set()).add(group.delay)
    lengths: dict[str, list[tuple[int, int]]] = {}
    for (source, neuron), found in delays.items():
        last = max(found)
        stays = sorted(found) if memory == "queue" else [last + 1] if last else []
        lengths.setdefault(source, []).extend((neuron, steps) for steps in stays)
    for source, pairs in sorted(lengths.items()):
        table = np.array(pairs, np.int64).reshape(-1, 2)
        total = spikes[source].held(table[:, 0], table[:, 1])
        if total:
            yield Item("delay", source, crossbar.tile, total)


def _hops(configuration: Configuration, flow: Flow, counts: Counts) -> Iterator[Item]:
    """Flits from router to router: each spike (or partial sum), and a marker of the end of each step."""
    part = configuration.slices.get(flow.source)
    if part is not None and part.is_partial:
        flits = (part.width + 1) * len(counts.spikes_out[flow.source])
    else:
        flits = int(counts.spikes_out[flow.source].sum()) + len(counts.spikes_out[flow.source])
    population = flow.source if part is None else part.population
    for branch in flow.branches:
        for start, end in steps(branch):
            yield Item(_kind(configuration.machine, start, end), population, start, flits)


def _kind(machine: Machine, start: Router, end: Router) -> str:
    if machine.chip is not None and any(a // c != b // c for a, b, c in zip(start, end, machine.chip, strict=True)):
        return "hop_chip"
    return "hop_x" if machine.arity is None and start[0] != end[0] else "hop_y"
