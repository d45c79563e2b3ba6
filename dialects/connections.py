"""The connections of a program as crossbars know them: which neurons each population reads, and how late.

Crossbars hold dense and one-to-one weights between populations that spike. Whatever else a program may contain is
refused here, by name and with its place in the user's file; the simulator runs it all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType
from snnir.dialects.places import place_of
from snnir.dialects.snn import (
    AddOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NeuronOp,
    OutputOp,
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
    op: DenseOp | ScaleOp

    @property
    def one_to_one(self) -> bool:
        """Whether target n reads only `neurons[n]`; else each target reads all."""
        return isinstance(self.op, ScaleOp)


def connections_of(population: NeuronOp) -> list[Connection]:
    """The projections that a population sums, in order. Raises `SnnirError` for what no crossbar can hold."""
    if population.inhibitory:
        raise _refusal(population, f"@{population.sym_name.data} has a second synapse", "give it one synapse")
    return [_connection(leaf) for value in population.inputs for leaf in _leaves(value, population)]


def source_of(value: SSAValue, user: Operation) -> tuple[str, NDArray[np.int64], int]:
    """The input or population whose spikes a signal carries, which of its neurons, and the steps in between.

    Raises `SnnirError` for a signal that is not made of spikes of one source.
    """
    owner = value.owner
    match owner:
        case InputOp() | NeuronOp():
            assert isinstance(value.type, SignalType)
            if not value.type.is_spike:
                what = "brings" if isinstance(owner, InputOp) else "emits"
                name = owner.sym_name.data
                raise _refusal(
                    user, f"@{name} {what} currents, and crossbars read spikes", "put a spiking population between"
                )
            return owner.sym_name.data, np.arange(value.type.size), 0
        case SliceOp():
            name, neurons, delay = source_of(owner.source, user)
            return name, neurons[owner.indices.data.array], delay
        case FlattenOp():
            return source_of(owner.source, user)
        case DelayOp():
            if owner.steps is None:
                raise _refusal(
                    owner, "crossbars delay all neurons of a projection alike", "split it by delay with slices"
                )
            name, neurons, delay = source_of(owner.source, user)
            return name, neurons, delay + owner.steps
        case WeightedOp() | AddOp():
            raise _refusal(user, "reads a current, but crossbars project and return spikes", "put a population between")
        case _:
            raise _no_place(owner if isinstance(owner, Operation) else user)


def emitter_of(output: OutputOp) -> str:
    """The spiking population (or input) that an output reads, whole and as it is emitted.

    Raises `SnnirError` for any other output.
    """
    name, neurons, delay = source_of(output.signal, output)
    assert isinstance(output.signal.type, SignalType)
    size = _size_behind(output.signal)
    if delay or not np.array_equal(neurons, np.arange(size)):
        what = f"output @{output.sym_name.data} reads a part or a delayed copy of @{name}"
        raise _refusal(
            output, f"{what}; a machine returns whole populations as they emit", f"let it read @{name} itself"
        )
    return name


def _size_behind(value: SSAValue) -> int:
    """The number of neurons of the source of a signal."""
    owner = value.owner
    while isinstance(owner, SliceOp | FlattenOp | DelayOp):
        value = owner.source
        owner = value.owner
    assert isinstance(value.type, SignalType)
    return value.type.size


def _leaves(value: SSAValue, user: Operation) -> list[WeightedOp]:
    """The projections whose sum a value is."""
    owner = value.owner
    match owner:
        case AddOp():
            return [leaf for part in owner.inputs for leaf in _leaves(part, owner)]
        case WeightedOp():
            return [owner]
        case InputOp() | NeuronOp() | SliceOp() | FlattenOp() | DelayOp():
            hint = "run canonicalize, which moves delays into projections; or project the signal with snn.scale"
            raise _refusal(user, "a population's input must be a projection or a sum of projections", hint)
        case _:
            raise _no_place(owner if isinstance(owner, Operation) else user)


def _connection(op: WeightedOp) -> Connection:
    if isinstance(op, DenseOp) and op.on_last_dimension:
        hint = "write the weights for all neurons, targets x sources"
        raise _refusal(op, "dense weights along the last dimension cannot be placed on crossbars yet", hint)
    if not isinstance(op, DenseOp | ScaleOp):
        raise _no_place(op)
    name, neurons, delay = source_of(op.source, op)
    return Connection(name, neurons, delay + op.delay.data, op)


def _no_place(op: Operation) -> SnnirError:
    message = f"{op.name} cannot be placed on crossbars yet; dense and one-to-one projections can"
    return _refusal(op, message, "write it as dense weights, or only simulate the program")


def _refusal(op: Operation, message: str, hint: str) -> SnnirError:
    return SnnirError(place_of(op), message, hint)
