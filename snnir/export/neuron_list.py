"""Writing neuron lists for the published mappers (formats: `snnir.frontend.neuron_list.text`), one line a neuron.

Neurons are numbered through: inputs and populations in the order of the program, each in row-major order;
`population_info.txt` says which numbers each has. Matrices, convolutions and pools are written as single connections,
a few neurons at a time. Delays, biases and what neurons compute are not part of these lists; notes say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.places import place_of
from snnir.dialects.snn import BundleOp, DelayOp, InputOp, NetworkOp, NeuronOp, SparseOp, WeightedOp
from snnir.errors import SnnirError
from snnir.export.chains import chains_to
from snnir.export.connections import Expansion
from snnir.export.directory import whole_directory
from snnir.frontend.neuron_list.reader import CONNECTIONS, RECORDED, SPIKES, WEIGHTS
from snnir.frontend.neuron_list.text import NUMBER_LIMIT
from snnir.frontend.notes import Notes

POPULATIONS = "population_info.txt"
CONNECTION_LIMIT = 1 << 28
"""More connections are refused: lists of more than about 8 GB."""
_AT_ONCE = 1 << 18
"""About as many connections are held at a time."""


def write(network: NetworkOp, path: Path, notes: Notes, spikes: Mapping[str, NDArray[Any]] | None = None) -> None:
    """Write a program as neuron lists into the folder `path`, whole or not at all.

    `spikes` are those of all inputs and populations in event form (`snnir.frontend.sonata.reader.Events`); samples
    follow each other in time. Without them the spikes of the neuron list are written from which the program was read,
    else the counts of its activity, where it has been profiled: the times are then 0, 1, 2, ... as often as the neuron
    fired, and that is all that the mappers look at. Raises `SnnirError` naming what is no weighted connection, or when
    there are too many; `notes` get what the lists leave out.
    """
    starts = _numbering(network)
    outgoing = _outgoing(network, starts)
    _note_losses(network, notes)
    with whole_directory(path) as folder:
        with _created(folder / CONNECTIONS) as connections, _created(folder / WEIGHTS) as weights:
            _write_connections(network, starts, outgoing, connections, weights)
        with _created(folder / POPULATIONS) as file:
            for name, op in network.sources.items():
                kind = "input" if isinstance(op, InputOp) else op.MODEL
                shape = "x".join(map(str, _type(op).shape.data))
                file.write(f"{name} {starts[name]} {op.size} {kind} {shape}\n")
        times = _times(network, notes, spikes)
        if times is not None:
            with _created(folder / SPIKES) as file:
                _write_spikes(network, starts, times, file)


def _created(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="\n")


def _type(op: InputOp | NeuronOp) -> SignalType:
    type_ = op.results[0].type
    assert isinstance(type_, SignalType)
    return type_


def _numbering(network: NetworkOp) -> dict[str, int]:
    """The number of the first neuron of each input and population."""
    starts: dict[str, int] = {}
    total = 0
    for name, op in network.sources.items():
        starts[name] = total
        total += op.size
    if total >= NUMBER_LIMIT:
        raise SnnirError(place_of(network), f"{total} neurons are more than a list can number, {NUMBER_LIMIT}")
    return starts


def _outgoing(network: NetworkOp, starts: Mapping[str, int]) -> dict[str, list[tuple[int, Expansion]]]:
    """For each source the ways that lead away from it, and the first number of the population to which each leads."""
    result: dict[str, list[tuple[int, Expansion]]] = {name: [] for name in starts}
    for name, op in network.sources.items():
        for value in op.inputs if isinstance(op, NeuronOp) else ():
            for chain in chains_to(value):
                source = chain.source
                if not _type(source).is_spike:
                    what = f"{source.name} @{source.sym_name.data} emits a real number, and @{name} reads it"
                    raise SnnirError(place_of(source), what, "neuron lists are for neurons that spike")
                expansion = Expansion(chain)
                expansion.of(np.zeros(1, np.int64))
                result[source.sym_name.data].append((starts[name], expansion))
    return result


def _note_losses(network: NetworkOp, notes: Notes) -> None:
    """Say once for each kind what the lists leave out."""
    late = [
        op for op in network.body.block.ops if isinstance(op, DelayOp) or (isinstance(op, WeightedOp) and _late(op))
    ]
    biased = [op for op in network.body.block.ops if isinstance(op, WeightedOp) and op.bias is not None]
    place = place_of(network)
    notes.add(place, "what neurons compute is not part of neuron lists")
    for ops, what in ((late, "delays"), (biased, "biases")):
        if ops:
            notes.add(place_of(ops[0]), f"{what} are not part of neuron lists ({len(ops)} ops have some)")


def _late(op: WeightedOp) -> bool:
    if isinstance(op, BundleOp):
        return op.is_late
    return op.delay.data > 0 or (isinstance(op, SparseOp) and op.delays is not None and bool(op.delays.array.any()))


def _write_connections(
    network: NetworkOp,
    starts: Mapping[str, int],
    outgoing: Mapping[str, list[tuple[int, Expansion]]],
    connections: TextIO,
    weights: TextIO,
) -> None:
    """The lists of connections and weights. A neuron without any connection gets a line of its own, to be counted."""
    reached = np.zeros(sum(op.size for op in network.sources.values()), np.bool_)
    total = 0
    bare: list[int] = []
    for name, op in network.sources.items():
        for neurons, targets, values in _pieces(op.size, outgoing[name]):
            total += targets.size
            if total > CONNECTION_LIMIT:
                raise SnnirError(place_of(op), f"the network has more than {CONNECTION_LIMIT} connections")
            reached[targets] = True
            ends = np.searchsorted(neurons[1], np.arange(neurons[0].size + 1))
            for position, neuron in enumerate((neurons[0] + starts[name]).tolist()):
                part = slice(ends[position], ends[position + 1])
                if part.start == part.stop:
                    bare.append(neuron)
                    continue
                connections.write(f"{neuron} {' '.join(map(str, targets[part].tolist()))}\n")
                weights.write(f"{neuron} {' '.join(map(repr, values[part].tolist()))}\n")
    for neuron in bare:
        if not reached[neuron]:
            connections.write(f"{neuron}\n")
            weights.write(f"{neuron}\n")
    if not total:
        raise SnnirError(place_of(network), "the network has no connections", "neuron lists are lists of connections")


def _pieces(
    size: int, ways: list[tuple[int, Expansion]]
) -> Iterator[tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64], NDArray[np.float64]]]:
    """Some neurons after the other: ((neurons, which of them), targets, weights), sorted by neuron and target."""
    start, count = 0, 64
    while start < size:
        neurons = np.arange(start, min(start + count, size))
        fans = [(first, way.of(neurons)) for first, way in ways]
        positions = np.concatenate([np.empty(0, np.int64), *(fan.positions for _, fan in fans)])
        targets = np.concatenate([np.empty(0, np.int64), *(fan.targets + first for first, fan in fans)])
        values = np.concatenate([np.empty(0), *(fan.weights for _, fan in fans)])
        order = np.lexsort((targets, positions))
        yield (neurons, positions[order]), targets[order], values[order]
        start += neurons.size
        count = max(1, min(1 << 16, neurons.size * _AT_ONCE // max(1, positions.size)))


def _times(
    network: NetworkOp, notes: Notes, spikes: Mapping[str, NDArray[Any]] | None
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] | None:
    """For each source its spikes (neuron, time), sorted; `None` when nothing is known."""
    result: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    place = place_of(network)
    spiking = {name: op for name, op in network.sources.items() if _type(op).is_spike}
    if spikes is not None:
        for name in spiking:
            if f"{name}.step" not in spikes:
                raise SnnirError(place, f"there are no spikes of @{name}", "give those of all inputs and populations")
            steps = int(spikes[f"{name}.shape"][1])
            times = spikes[f"{name}.step"] + spikes[f"{name}.sample"] * steps
            order = np.lexsort((times, spikes[f"{name}.index"]))
            result[name] = (spikes[f"{name}.index"][order].astype(np.int64), times[order].astype(np.int64))
        return result
    if any(op.activity is None for op in spiking.values()):
        notes.add(place, f"no {SPIKES} is written: no activity is known; run snn-profile first")
        return None
    guessed = False
    for name, op in spiking.items():
        assert op.activity is not None
        counts = op.activity.counts.array.ravel().astype(np.int64)
        recorded = _recorded(op, counts)
        if recorded is None:
            neurons = np.repeat(np.arange(op.size), counts)
            recorded = (neurons, np.arange(neurons.size) - np.repeat(np.cumsum(counts) - counts, counts))
            guessed |= bool(counts.any())
        result[name] = recorded
    if guessed:
        notes.add(place, f"{SPIKES} holds counts only, as times 0, 1, 2, ...: activity does not say when neurons fired")
    return result


def _recorded(op: InputOp | NeuronOp, counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """The spikes that a neuron list brought along (neuron, time), unless the activity is by now another."""
    attribute = op.attributes.get(RECORDED)
    if not isinstance(attribute, TensorAttr) or attribute.array.ndim != 2 or attribute.array.shape[1] != 2:
        return None
    times, neurons = attribute.array.astype(np.int64).T
    if neurons.size != counts.sum() or not np.array_equal(np.bincount(neurons, minlength=op.size), counts):
        return None
    order = np.lexsort((times, neurons))
    return neurons[order], times[order]


def _write_spikes(
    network: NetworkOp,
    starts: Mapping[str, int],
    times: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]],
    file: TextIO,
) -> None:
    for name, op in network.sources.items():
        neurons, stamps = times.get(name, (np.empty(0, np.int64), np.empty(0, np.int64)))
        ends = np.searchsorted(neurons, np.arange(op.size + 1))
        for neuron in range(op.size):
            part = stamps[ends[neuron] : ends[neuron + 1]].tolist()
            file.write(" ".join(map(str, [starts[name] + neuron, *part])) + "\n")
