"""From IR to arrays: the program of a `snn.network` op. The only module of the simulator that knows the IR."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.places import place_of
from snnir.dialects.snn import (
    ActivationOp,
    AddOp,
    AvgPoolOp,
    BundleOp,
    ConvOp,
    DelayOp,
    DenseOp,
    DualLifOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    WeightedOp,
    networks,
)
from snnir.errors import SnnirError
from snnir.semantics import SPIKING, Value, discretise
from snnir.sim.bundle import Bundle
from snnir.sim.convolution import Conv, Pool
from snnir.sim.network import INLINE, Activation, Current, Network, Population, Projection
from snnir.sim.operators import Dense, Identity, OneToOne, Operator, Shift
from snnir.sim.rounding import rounded
from snnir.sim.sparse import Sparse


def network_in(module: Operation, place: str) -> NetworkOp:
    """The one program of a module; an error when there is none or more than one."""
    found = list(networks(module))
    if len(found) != 1:
        message = f"{len(found)} networks, but one is compiled at a time" if found else "there is no snn.network"
        raise SnnirError(place, message, "start from one program")
    return found[0]


def network_of(op: NetworkOp) -> Network:
    """The program as arrays. Raises `SnnirError` for what can be written but not run."""
    return _Reader(op).network()


@dataclass(frozen=True)
class _Read:
    """A signal as some neurons of a source, some steps late."""

    source: str
    neurons: NDArray[np.int64]
    delay: int


class _Reader:
    """Reads one program; signals between projections become currents with names of their own."""

    def __init__(self, op: NetworkOp) -> None:
        self._op = op
        self._most: dict[str, int | None] = {}
        self._currents: dict[str, Current] = {}
        self._names: dict[SSAValue, str] = {}
        self._numbers = {each: number for number, each in enumerate(op.body.block.ops)}
        for name, source in op.sources.items():
            if isinstance(source, InputOp):
                self._most[name] = _most(_type(source.signal))
            elif isinstance(source, ActivationOp):
                self._most[name] = _most(source.signal_type)
            else:
                self._most[name] = source.semantics.data.spikes if source.MODEL in SPIKING else None

    def network(self) -> Network:
        """The whole program."""
        op, sources = self._op, self._op.sources
        inputs = {name: source for name, source in sources.items() if isinstance(source, InputOp)}
        neurons = {name: source for name, source in sources.items() if isinstance(source, NeuronOp)}
        plain = {name: source for name, source in neurons.items() if isinstance(source, ActivationOp)}
        populations = {name: self._population(name, source) for name, source in neurons.items() if name not in plain}
        activations = {name: self._activation(name, source) for name, source in plain.items()}
        outputs = {name: self._output(name, output.signal) for name, output in op.outputs.items()}
        return Network(
            name=op.sym_name.data,
            dt=op.step_seconds,
            steps=op.steps.data if op.steps else None,
            inputs={name: source.size for name, source in inputs.items()},
            populations=populations,
            outputs=outputs,
            currents=self._currents,
            real_inputs=frozenset(name for name, each in inputs.items() if not _type(each.signal).is_discrete),
            codings={name: each.coding for name, each in inputs.items() if each.coding is not None},
            activations=activations,
        )

    def _activation(self, name: str, op: ActivationOp) -> Activation:
        return Activation(
            name=name,
            size=op.size,
            projections=tuple(self._sum(op.inputs, op)),
            place=place_of(op),
            function=op.MODEL,
            parameters=op.parameters,
            last=op.signal_type.shape.data[-1],
            coding=op.coding,
        )

    def _population(self, name: str, op: NeuronOp) -> Population:
        semantics, parameters, place = op.semantics.data, op.parameters, place_of(op)
        try:
            coefficients = discretise(op.MODEL, parameters, self._op.step_seconds, semantics)
        except ValueError as error:
            raise SnnirError(place, str(error), "change the parameters or the semantics") from None
        dual = isinstance(op, DualLifOp)
        sides = [op.excitatory, op.inhibitory] if isinstance(op, DualLifOp) else [op.inputs]
        parts = [self._sum(values, op) for values in sides]
        unrounded = None
        if semantics.weights != "exact":
            unrounded = (tuple(parts[0]), tuple(parts[1]) if dual else ())
            parts = rounded(parts, semantics.weights)
        settled: list[Value] = [0.0, 0.0]
        if semantics.bias == "membrane":
            for number, weight in enumerate(("w_exc", "w_inh") if dual else ("w_in",)):
                if weight in parameters:
                    settled[number] = parameters[weight] * Current(name, op.size, tuple(parts[number]), place).bias
                    parts[number] = [replace(p, bias=0.0) for p in parts[number]]
        return Population(
            name=name,
            size=op.size,
            projections=tuple(parts[0]),
            place=place,
            model=op.MODEL,
            semantics=semantics,
            coefficients=coefficients,
            second=Current(name, op.size, tuple(parts[1]), place) if dual else None,
            settled=(settled[0], settled[1]),
            unrounded=unrounded,
        )

    def _output(self, name: str, value: SSAValue) -> str:
        """The source behind an output; a current of the output's name where it is not all of one, undelayed."""
        read = self._plain(value)
        if read is not None and not read.delay:
            whole = self._op.sources.get(read.source)
            if whole is not None and np.array_equal(read.neurons, np.arange(whole.size)):
                return read.source
        return self._current(value, name)

    def _sum(self, values: Iterable[SSAValue], user: Operation) -> list[Projection]:
        return [projection for value in values for projection in self._terms(value, user, 0)]

    def _terms(self, value: SSAValue, user: Operation, late: int) -> list[Projection]:
        """The projections whose sum a value is, all of it `late` steps late."""
        owner = value.owner
        match owner:
            case AddOp():
                return [term for part in owner.inputs for term in self._terms(part, owner, late)]
            case FlattenOp():
                return self._terms(owner.source, user, late)
            case DelayOp() if owner.steps is not None:
                return self._terms(owner.source, user, late + owner.steps)
            case WeightedOp() | PoolOp() | DelayOp():
                return [self._projection(owner, late)]
            case _:
                read = self._read(value)
                return [self._term(read, Identity(len(read.neurons)), 1.0, 0.0, late, "no weights", user)]

    def _projection(self, op: WeightedOp | PoolOp | DelayOp, late: int) -> Projection:
        read = self._read(op.source)
        if isinstance(op, DelayOp):
            assert isinstance(op.delay, TensorAttr)
            return self._term(read, Shift(op.delay.array.ravel()), 1.0, 0.0, late, "delays", op)
        if isinstance(op, PoolOp):
            return self._term(read, _pool(op), 1.0, 0.0, late, "a pool", op)
        operator = _OPERATORS[next(kind for kind in _OPERATORS if isinstance(op, kind))](op)
        key = op.weights.data.key if isinstance(op.weights, TensorAttr) else INLINE
        scale = 1.0 if op.scale is None else op.spread(value_of(op.scale))
        bias = 0.0 if op.bias is None else op.spread(value_of(op.bias))
        term = self._term(read, operator, scale, bias, late, key, op)
        return replace(term, delay=term.delay + op.delay.data)

    def _term(
        self, read: _Read, operator: Operator, scale: Value, bias: Value, late: int, key: str, op: Operation
    ) -> Projection:
        most = self._most.get(read.source)
        return Projection(
            read.source, read.neurons, operator, scale, bias, read.delay + late, key, place_of(op), late, most
        )

    def _read(self, value: SSAValue) -> _Read:
        """A signal that a projection reads."""
        return self._plain(value) or _Read(self._current(value), np.arange(_type(value).size), 0)

    def _plain(self, value: SSAValue) -> _Read | None:
        """A signal that is some neurons of a source or current, some steps late; `None` for what is computed."""
        owner = value.owner
        match owner:
            case InputOp() | NeuronOp():
                return _Read(owner.sym_name.data, np.arange(_type(value).size), 0)
            case FlattenOp():
                return self._plain(owner.source)
            case SliceOp():
                read = self._read(owner.source)
                return _Read(read.source, read.neurons[owner.indices.data.array], read.delay)
            case DelayOp() if owner.steps is not None:
                read = self._read(owner.source)
                return _Read(read.source, read.neurons, read.delay + owner.steps)
            case _:
                return None

    def _current(self, value: SSAValue, name: str | None = None) -> str:
        """The name of the current that a value is."""
        owner = value.owner
        assert isinstance(owner, Operation)
        if isinstance(owner, FlattenOp) and name is None:
            return self._current(owner.source)
        if value in self._names and name is None:
            return self._names[value]
        found = name or f"%{self._numbers[owner]}"
        if name is None:
            self._names[value] = found
        current = Current(found, _type(value).size, tuple(self._terms(value, owner, 0)), place_of(owner))
        self._currents[found] = current
        self._most[found] = current.reach(self._most)
        return found


def _type(value: SSAValue) -> SignalType:
    assert isinstance(value.type, SignalType)
    return value.type


def _most(type_: SignalType) -> int | None:
    """The largest number that flows where whole numbers without a sign flow."""
    return None if type_.span is None or type_.span[0] < 0 else type_.span[1]


def _dense(op: Any) -> Operator:
    return Dense(op.weights.array, op.repeat)


def _one_to_one(op: Any) -> Operator:
    weights = op.weights.array if isinstance(op.weights, TensorAttr) else np.asarray(value_of(op.weights))
    return OneToOne(weights, op.current_type.size)


def _conv(op: Any) -> Operator:
    return Conv(op.weights.array, op.source_type.shape.data[0], op.windows, op.groups.data)


def _sparse(op: Any) -> Operator:
    shape = (op.current_type.size, op.source_type.size)
    delays = None if op.delays is None else op.delays.array
    return Sparse(op.weights.array, op.sources.array, op.targets.array, delays, shape)


def _bundle(op: Any) -> Operator:
    return Bundle(op.weights.array, op.stride.data)


_OPERATORS: dict[type[WeightedOp], Callable[[Any], Operator]] = {
    DenseOp: _dense,
    ScaleOp: _one_to_one,
    ConvOp: _conv,
    SparseOp: _sparse,
    BundleOp: _bundle,
}
"""Of each kind of projection: its operator."""


def _pool(op: PoolOp) -> Pool:
    kind = "max" if isinstance(op, MaxPoolOp) else "avg" if isinstance(op, AvgPoolOp) else "sum"
    return Pool(kind, _type(op.source).shape.data[0], op.windows)
