"""What a layer takes of a machine, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from snnir.dialects.connections import Connection
from snnir.dialects.platform import Machine
from snnir.dialects.snn import InputOp, NetworkOp
from snnir.partition.metrics import Bounds, Demand
from snnir.passes.limits.weights import Weights, weights_of
from snnir.synapses import Conv


@dataclass(frozen=True)
class Buffer:
    """Values that wait in the input buffer of one crossbar, at least."""

    worst: int
    """Spikes, when every neuron fires in every step."""
    peak: int | None
    """Spikes, when no step has more than the profile's peak; `None` without a profile of all that is read."""
    sums: int
    """Partial sums that a crossbar full of the layer's neurons takes in a step."""


@dataclass(frozen=True)
class Figures:
    """What a layer takes."""

    synapses: int
    fanin: int
    """The most axons of a neuron."""
    axons: int
    """Different axons of all neurons."""
    delay: int
    """The longest, in steps."""
    parts: int
    """Crossbars that the inputs of one neuron take at least; 1 where they fit into its rows."""
    relays: int
    """Relay neurons that one neuron takes at least, on a machine that builds wide fan-in with them."""
    least: Bounds
    """How few crossbars the layer can have."""
    weights: Weights
    buffer: Buffer


def figures_of(
    network: NetworkOp, target: Machine, connections: Sequence[Connection], size: int, demand: Demand
) -> Figures:
    """The figures of a layer of `size` neurons; `demand` is what it takes as if it were alone."""
    rows, columns = target.crossbar.rows, target.crossbar.weight_columns
    is_kernel = len(connections) == 1 and isinstance(connections[0].synapses, Conv)
    together = min(size, max(columns, target.crossbar.neurons) if is_kernel else columns)
    parts = max(1, -(-demand.fanin // rows))
    return Figures(
        demand.synapses,
        demand.fanin,
        demand.axons,
        max((c.delay for c in connections), default=0),
        parts,
        # a neuron has rows - 1 inputs more for each relay that takes one of its rows
        -(-max(demand.fanin - rows, 0) // max(rows - 1, 1)) if target.crossbar.fanin == "relay" else 0,
        demand.least,
        weights_of(connections, size, target.crossbar.weight_bits),
        _buffer(network, connections, rows, (parts - 1) * together),
    )


def _buffer(network: NetworkOp, connections: Sequence[Connection], rows: int, sums: int) -> Buffer:
    """What is buffered for one neuron: the spikes of one step more than the delay.

    An input arrives whole wherever some of it is read; of a population, what the neuron reads of it at least.
    """
    worst, peak, measured = 0, 0, True
    for c in connections:
        source = network.sources[c.source]
        most = source.size if isinstance(source, InputOp) else min(rows, int(c.synapses.fanin().max(initial=0)))
        worst = max(worst, (c.delay + 1) * most)
        measured = measured and source.activity is not None
        if source.activity is not None:
            peak = max(peak, (c.delay + 1) * min(most, source.activity.peak.data))
    return Buffer(worst, peak if measured and connections else None, sums)
