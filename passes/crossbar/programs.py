"""The programs of crossbars: cells, constants of neurons, from a program and the slices of its clusters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute, OpResult

from snnir.activations import activate
from snnir.dialects import dataflow
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.cluster import ClusterOp, address_of
from snnir.dialects.cluster_attributes import Place, Slice, Windows
from snnir.dialects.cluster_synapses import Axon, axon_groups, taken
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.crossbar import AxonsOp, CrossbarOp, OrderOp
from snnir.dialects.crossbar_slices import TABLE, SliceOp
from snnir.dialects.machine_neurons import COEFFICIENTS
from snnir.dialects.platform import Machine
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.indices import Indices
from snnir.passes.base import fail
from snnir.precision import finest_power, integer_type, largest
from snnir.semantics import Semantics, Value
from snnir.sim.network import Activation, Network
from snnir.synapses import Conv, Lanes

_ENDS = (-np.finfo(np.float64).max, np.finfo(np.float64).max)
"""The least and the largest input of a neuron."""
Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class _Columns:
    """A population as columns: cells are the weights of its connections divided by `unit`."""

    connections: Sequence[Connection]
    unit: NDArray[np.float64]
    """A power of two, (1,) or one per neuron."""
    scale: Value
    """What a column's sum is multiplied with."""
    dtype: "np.dtype[np.generic]"
    scaled: bool = False
    """Whether cells hold the weights times their scales, because connections with different scales meet."""


class Programs:
    """The cells and constants of the slices, from the program's arrays."""

    def __init__(self, network: NetworkOp, arrays: Network, target: Machine) -> None:
        self._network, self._arrays, self._target = network, arrays, target
        populations = [op for op in network.sources.values() if isinstance(op, NeuronOp)]
        self._columns = {op.sym_name.data: self._of(op) for op in populations}
        self.cells = 0

    def crossbar(self, cluster: ClusterOp, names: Mapping[ClusterOp, list[str]], order: dataflow.OrderOp) -> CrossbarOp:
        """The configured crossbar of a cluster."""
        own = cluster.sym_name.data
        cells = self._cells(cluster)
        self.cells += int(np.count_nonzero(cells))
        place = cluster.place.data if cluster.place is not None else Place((0, 0), 0)
        op = CrossbarOp(own, place, TensorAttr.of(f"{own}.cells", cells), cluster.delays)
        for signal, axons in zip(cluster.signals, cluster.axons, strict=True):
            op.body.block.add_op(AxonsOp(address_of(signal)[0], axons.data))
        for name, part, sums in zip(names[cluster], cluster.parts, cluster.sums_of_slices, strict=True):
            added = [
                names[value.op][value.index]
                for value in sums
                if isinstance(value, OpResult) and isinstance(value.op, ClusterOp)
            ]
            op.body.block.add_op(self._slice(name, part, added, self._table(name, part, cluster)))
        op.body.block.add_op(OrderOp(order.names, order.lags))
        return op

    def _of(self, population: NeuronOp) -> _Columns:
        bits, connections = self._target.crossbar.weight_bits, connections_of(population)
        name, size, one = population.sym_name.data, population.size, np.ones(1)
        scale = _common_scale(connections, size)
        lanes = [c.synapses.lanes() for c in connections]
        if not bits:
            narrow = len(lanes) < 2 and all((each.weights == each.weights.astype(np.float32)).all() for each in lanes)
            dtype = np.dtype("<f4" if narrow else "<f8")
            return _Columns(connections, one, 1.0 if scale is None else scale, dtype, scale is None)
        if scale is None:
            fail(population, f"the projections into @{name} have different scales", "run snn-quantize before")
        if all((each.weights == np.rint(each.weights)).all() for each in lanes) and _peaks(lanes, size).max(
            initial=0.0
        ) <= largest(bits):
            return _Columns(connections, one, scale, integer_type(bits))
        unit = _units(lanes, size, bits)
        if unit is None:
            message = f"the weights into @{name} need more than the {bits} bits of '{self._target.name}'"
            fail(population, message, "run snn-quantize before, or choose a machine with more weight bits")
        # a power of two times the program's own scale: sums of integers times it are the program's sums, bit for bit
        return _Columns(connections, unit, _compact(unit * scale), integer_type(bits))

    def _cells(self, cluster: ClusterOp) -> "NDArray[np.generic]":
        """The cells of a crossbar, (rows, columns)."""
        kinds = [self._columns[part.population].dtype for part in cluster.parts]
        cells = np.zeros((self._target.crossbar.rows, self._target.crossbar.weight_columns))
        groups = axon_groups(cluster)
        for part in cluster.parts:
            rows, column = part.rows.array, part.column + np.arange(part.columns)
            if part.windows is not None:
                cells[np.ix_(rows, column)] = self._kernel(part, part.windows)
                continue
            done = 0
            for number, mine in taken(part, groups):
                here = rows[done : done + len(mine)]
                done += len(mine)
                cells[np.ix_(here, column)] += self._block(part, groups[number].axon, groups[number].neurons[mine])
        rounded = cells.astype(np.result_type(*kinds))
        bits = self._target.crossbar.weight_bits
        if (rounded != cells).any() or (bits and np.abs(cells).max(initial=0) > largest(bits)):
            place = self._network.sources[cluster.parts[0].population]
            fail(place, f"parallel synapses on @{cluster.sym_name.data} add up to more than a cell holds", "merge them")
        return rounded

    def _block(self, part: Slice, axon: tuple[str, int], neurons: NDArray[np.int64]) -> Matrix:
        """The cells between some neurons of one axon group and a slice, (axons, columns)."""
        columns, targets = self._columns[part.population], part.neurons.array
        block = np.zeros((len(neurons), len(targets)))
        for connection in columns.connections:
            if (connection.source, connection.delay) == axon:
                weights = connection.synapses.block(neurons, targets)
                if columns.scaled:
                    weights *= (
                        connection.scale[targets] if isinstance(connection.scale, np.ndarray) else connection.scale
                    )
                block += weights
        return block / (columns.unit[targets] if len(columns.unit) > 1 else columns.unit)

    def _kernel(self, part: Slice, windows: Windows) -> Matrix:
        """The cells of a slice that is read several times, (places of the kernel, channels)."""
        columns, (conv, _) = self._columns[part.population], self._convolution(part)
        channels = part.neurons.array[:: windows.reads] // prod(conv.windows.result)
        unit = columns.unit[part.neurons.array[:: windows.reads]] if len(columns.unit) > 1 else columns.unit
        return conv.kernel(windows.kernel.array, channels) / unit

    def _convolution(self, part: Slice) -> tuple[Conv, Axon]:
        """The one convolution that a population with windows is, and what it reads."""
        (connection,) = self._columns[part.population].connections
        assert isinstance(connection.synapses, Conv)
        return connection.synapses, (connection.source, connection.delay)

    def _table(self, name: str, part: Slice, cluster: ClusterOp) -> dict[str, TensorAttr] | None:
        """Which windowed axon a slice's windows meet with each place of the kernel."""
        if part.windows is None:
            return None
        conv, _ = self._convolution(part)
        groups, numbers, start = axon_groups(cluster), np.full(conv.sources, -1), 0
        chosen = dict(taken(part, groups))
        for number, group in enumerate(groups):
            if group.windowed:
                if number in chosen:
                    numbers[group.neurons[chosen[number]]] = start + chosen[number]
                start += len(group.neurons)
        positions = part.neurons.array[: part.reads] % prod(conv.windows.result)
        arrays = conv.table(positions, part.windows.kernel.array, numbers)
        return {
            key: TensorAttr.of(f"{name}.{key}", array.astype(np.int32))
            for key, array in zip(TABLE, arrays, strict=True)
        }

    def _slice(self, name: str, part: Slice, added: list[str], table: "dict[str, TensorAttr] | None") -> SliceOp:
        if part.is_partial:
            return SliceOp(name, part, table=table)
        model, semantics, own = self._neurons(part.population)
        bias = self._arrays.nodes[part.population].bias
        values: dict[str, Value] = {"scale": self._columns[part.population].scale, "bias": bias, **own}
        constants = {key: _attribute(f"{name}.{key}", value, part.neurons) for key, value in values.items()}
        return SliceOp(name, replace(part, adds=0), added, model, constants, semantics, table)

    def _neurons(self, name: str) -> tuple[str, Semantics | None, dict[str, Value]]:
        """The model of a population, its semantics where it has a state, and its constants but scale and bias."""
        activation = self._arrays.activations.get(name)
        if activation is not None:
            return activation.function, None, code_constants(activation)
        population = self._arrays.populations[name]
        names = [key for key in COEFFICIENTS[population.model] if key not in ("scale", "bias")]
        own = {key: getattr(population.coefficients, key) for key in names}
        return population.model, population.semantics, own


def code_constants(activation: Activation) -> dict[str, Value]:
    """The constants of neurons that emit codes.

    What the function makes of a value is within its limits, and a code rises with its value: the limits of the function
    become limits of the code, bit for bit.
    """
    coding = activation.coding
    assert coding is not None
    limits = [activate(activation.function, np.full(activation.size, end), activation.parameters) for end in _ENDS]
    with np.errstate(over="ignore"):  # what is beyond all numbers has the last code
        least, most = (coding.encode(limit) for limit in limits)
    return {"step": coding.step, "zero": coding.zero, "least": least, "most": most}


def _common_scale(connections: Sequence[Connection], size: int) -> Value | None:
    """The scale that all connections into a population share; `None` when they differ."""
    if not connections:
        return 1.0
    first = connections[0].scale
    same = all(np.array_equal(np.broadcast_to(c.scale, size), np.broadcast_to(first, size)) for c in connections)
    return first if same else None


def _peaks(lanes: Sequence[Lanes], size: int) -> Vector:
    """The largest weight of each neuron."""
    peaks = np.zeros(size)
    for each in lanes:
        peaks = np.maximum(peaks, np.abs(each.weights).max(axis=1, initial=0.0)[each.of])
    return peaks


def _units(lanes: Sequence[Lanes], size: int, bits: int) -> Vector | None:
    """For each neuron, a power of two of which its weights are multiples that fit; `None` where there is none."""
    units = finest_power(_peaks(lanes, size), bits)
    for each in lanes:
        # what is a multiple of a power of two is one of all smaller ones
        coarsest = np.zeros(len(each.weights))
        np.maximum.at(coarsest, each.of, units)
        whole = each.weights / np.where(coarsest > 0, coarsest, 1.0)[:, None]
        if (whole != np.rint(whole))[coarsest > 0].any():
            return None
    return units


def _attribute(key: str, value: Value, neurons: Indices) -> Attribute:
    """A constant of a slice: one number where all its neurons agree."""
    compact = _compact(np.asarray(value)[neurons.array]) if np.ndim(value) else value
    return TensorAttr.of(key, compact) if isinstance(compact, np.ndarray) else FloatAttr(float(compact), 64)


def _compact(values: "NDArray[np.float64]") -> Value:
    return float(values[0]) if values.size and (values == values[0]).all() else values
