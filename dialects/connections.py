"""The connections of a program: which neurons each population reads, how late, through which ops."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType
from snnir.dialects.places import place_of
from snnir.dialects.snn import (
    AddOp,
    DelayOp,
    FlattenOp,
    InputOp,
    NeuronOp,
    ScaleOp,
    SliceOp,
    WeightedOp,
)
from snnir.errors import SnnirError


@dataclass(frozen=True)
class Connection:
    """One projection of a population, seen through slices, delays and sums."""

    source: str
    """The input or population that is read."""
    neurons: NDArray[np.int64]
    """Its neurons, in the order of the weights."""
    delay: int
    """Steps between emission and arrival."""
    op: WeightedOp

    @property
    def one_to_one(self) -> bool:
        """Whether target n reads only `neurons[n]`; else each target reads all."""
        return isinstance(self.op, ScaleOp)


def connections_of(population: NeuronOp) -> list[Connection]:
    """The projections that a population sums, in order. Raises `SnnirError` for what cannot be executed."""
    return [_connection(leaf) for value in population.inputs for leaf in _leaves(value)]


def source_of(value: SSAValue, user: Operation) -> tuple[str, NDArray[np.int64], int]:
    """The input or population behind a signal, which of its neurons, and the steps in between."""
    owner = value.owner
    match owner:
        case InputOp() | NeuronOp():
            assert isinstance(value.type, SignalType)
            return owner.sym_name.data, np.arange(value.type.size), 0
        case SliceOp():
            name, neurons, delay = source_of(owner.source, user)
            return name, neurons[owner.indices.data.array], delay
        case FlattenOp():
            return source_of(owner.source, user)
        case DelayOp():
            name, neurons, delay = source_of(owner.source, user)
            return name, neurons, delay + owner.delay.data
        case _:
            message = "reads a current, but only spikes can be projected or read"
            raise SnnirError(place_of(user), message, "put a population between")


def _leaves(value: SSAValue) -> list[WeightedOp]:
    """The projections whose sum a value is."""
    owner = value.owner
    if isinstance(owner, AddOp):
        return [leaf for part in owner.inputs for leaf in _leaves(part)]
    if isinstance(owner, WeightedOp):
        return [owner]
    place = place_of(owner) if isinstance(owner, Operation) else "snn.network"
    raise SnnirError(place, "a population's input must be a projection or a sum of projections", "project the signal")


def _connection(op: WeightedOp) -> Connection:
    name, neurons, delay = source_of(op.source, op)
    return Connection(name, neurons, delay + op.delay.data, op)
