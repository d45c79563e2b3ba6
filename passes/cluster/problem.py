"""A program as arrays for clustering: layers, the axons that they read, and the spikes on them."""

from collections.abc import Mapping, Sequence

import numpy as np

from snnir.dialects.connections import Connection, connections_of, emitter_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp
from snnir.dialects.ways import floor_of
from snnir.partition.problem import Group, Input, Layer, Problem
from snnir.partition.site import Site


def problem_of(
    network: NetworkOp,
    target: Machine,
    slices: int = 0,
    connections: Mapping[str, Sequence[Connection]] | None = None,
) -> Problem:
    """The clustering problem of a program on a machine; `slices` may share a crossbar (0: any number).

    Layers are the populations in program order, inputs are numbered -1, -2, ... Axons without a profile count one
    spike per step. Raises `SnnirError` for what no crossbar can hold; where `connections` are given, only the
    populations that have some there take part, and what reads the others reads inputs.
    """
    sources = network.sources
    every = [op for op in sources.values() if isinstance(op, NeuronOp)]
    populations = [op for op in every if connections is None or op.sym_name.data in connections]
    inputs = [op for op in sources.values() if op not in populations]
    number = {op.sym_name.data: n for n, op in enumerate(populations)}
    number |= {op.sym_name.data: -1 - n for n, op in enumerate(inputs)}
    order = {name: n for n, name in enumerate(sources)}
    found = [connections_of(op) if connections is None else connections[op.sym_name.data] for op in populations]
    read = sorted({(c.source, c.delay) for each in found for c in each}, key=lambda key: (order[key[0]], key[1]))
    place = {key: n for n, key in enumerate(read)}
    sizes = [sources[name].size for name, _ in read]
    starts = np.cumsum([0, *sizes]).tolist()
    groups = [
        Group(number[name], delay, start, size) for (name, delay), start, size in zip(read, starts, sizes, strict=False)
    ]
    layers = [
        Layer(
            op.sym_name.data,
            op.signal_type.shape.data,
            tuple(Input(place[c.source, c.delay], c.synapses) for c in each),
        )
        for op, each in zip(populations, found, strict=True)
    ]
    spikes = [_spikes(sources[name]) for name, _ in read]
    return Problem(
        tuple(layers),
        tuple(groups),
        target.crossbar.rows,
        target.crossbar.weight_columns,
        target.crossbar.fanin == "digital",
        np.concatenate([np.empty(0), *spikes]),
        slices,
        target.crossbar.neurons,
        target.crossbar.synapses,
    )


def site_of(network: NetworkOp, target: Machine, problem: Problem) -> Site:
    """Where the clusters of a problem will be placed, and what its program shows to the host."""
    number = {layer.name: n for n, layer in enumerate(problem.layers)}
    names = sorted({emitter_of(output) for output in network.outputs.values()})
    shown = {number[name]: _spikes(network.sources[name]) for name in names if name in number}
    cost = "multicast" if target.tiles.routes == "multicast" else "unicast"
    return Site(floor_of(target), cost, crossing_of(target), shown)


def crossing_of(target: Machine) -> int:
    """How many links one between chips counts for: as flits take longer on it."""
    link = target.link
    return max(1, round(link.chip_flit / link.flit)) if link.chip_flit else 1


def _spikes(source: InputOp | NeuronOp) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Spikes per step of each neuron; one where nothing was measured."""
    measured = source.activity
    if measured is None:
        return np.ones(source.size)
    return measured.counts.array.ravel() / max(1, measured.steps.data)
