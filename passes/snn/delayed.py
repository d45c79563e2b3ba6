"""Projections with several delays as lists of synapses, and back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.connections import real_values, terms_behind
from snnir.dialects.snn import (
    AddOp,
    BundleOp,
    DelayOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    PoolOp,
    SliceOp,
    SparseOp,
    WeightedOp,
)
from snnir.errors import SnnirError
from snnir.pruning.synapses import Delayed, Integers, Mask

DelayedOp = BundleOp | SparseOp
"""Projections whose synapses have delays of their own."""


@dataclass(frozen=True)
class Read:
    """Of each neuron of a signal: whose it is, and how late."""

    source: str
    """The input or population; for what is computed, a name that none has."""
    neurons: Integers
    delays: Integers


def has_delays(op: Operation) -> bool:
    """Whether an op is a projection whose synapses have different delays."""
    if isinstance(op, BundleOp):
        assert isinstance(op.weights, TensorAttr)
        return int(op.weights.array.any(axis=(1, 2)).sum()) > 1
    return isinstance(op, SparseOp) and op.delays is not None and len(np.unique(op.delays.array)) > 1


def synapses_of(op: DelayedOp) -> Delayed:
    """The synapses of a projection: weights with their scale, sources as it numbers them, delays with its own.

    Those of a bundle level by level, target by target.
    """
    assert isinstance(op.weights, TensorAttr)
    scale = np.broadcast_to(np.asarray(1.0 if op.scale is None else value_of(op.scale)), (op.current_type.size,))
    if isinstance(op, BundleOp):
        levels, ends, origins = np.nonzero(op.weights.array)
        delays, values = op.delay.data + levels * op.stride.data, op.weights.array[levels, ends, origins]
    else:
        own = 0 if op.delays is None else op.delays.array
        origins, ends, values = op.sources.array, op.targets.array, op.weights.array
        delays = np.broadcast_to(op.delay.data + own, (len(values),))
    weights = values.astype(np.float64) * scale[ends]
    return Delayed(weights, *(np.asarray(each, np.int64) for each in (origins, ends, delays)))


def keep(op: DelayedOp, kept: Mask) -> None:
    """Leave only some of the synapses of `synapses_of` in a projection, one at least."""
    assert isinstance(op.weights, TensorAttr)
    key = op.weights.data.key
    if isinstance(op, BundleOp):
        weights = op.weights.array.copy()
        lost = tuple(each[~kept] for each in np.nonzero(weights))
        weights[lost] = 0
        op.weights = TensorAttr.of(key, weights)
        return
    assert op.delays is not None
    op.weights = TensorAttr.of(key, op.weights.array[kept])
    op.sources = TensorAttr.of(op.sources.data.key, op.sources.array[kept])
    op.targets = TensorAttr.of(op.targets.data.key, op.targets.array[kept])
    op.delays = TensorAttr.of(op.delays.data.key, op.delays.array[kept])


def read_of(value: SSAValue) -> Read | None:
    """The neurons that a signal carries; `None` for what is computed from others."""
    inner = value
    while isinstance(inner.owner, FlattenOp | SliceOp | DelayOp):
        inner = inner.owner.source
    owner = inner.owner
    assert isinstance(value.type, SignalType)
    if not isinstance(owner, InputOp | NeuronOp):
        return None
    neurons, delays = np.zeros(value.type.size, np.int64), np.zeros(value.type.size, np.int64)
    try:
        with real_values():
            terms = terms_behind(value, owner)
    except SnnirError:  # codes with a sign, which no machine sends
        return None
    for term in terms:
        matrix = term.synapses.csr()
        places = np.flatnonzero(np.diff(matrix.indptr))
        neurons[places], delays[places] = matrix.indices, term.delay
    return Read(owner.sym_name.data, neurons, delays)


def plain_reads(network: NetworkOp, without: Sequence[Operation]) -> Iterator[Read]:
    """What all ops but `without` that add up signals read, with the delays at which they do."""
    for op in network.body.block.ops:
        if op in without or not isinstance(op, WeightedOp | PoolOp | AddOp):
            continue
        for value in op.operands:
            read = read_of(value)
            if read is None:
                continue
            if isinstance(op, DelayedOp):
                synapses = synapses_of(op)
                yield Read(read.source, read.neurons[synapses.origins], read.delays[synapses.origins] + synapses.delays)
            else:
                late = op.delay.data if isinstance(op, WeightedOp) else 0
                yield Read(read.source, read.neurons, read.delays + late)


def readers_of(value: SSAValue) -> set[str]:
    """The populations that sum a signal, whatever linear ops stand between."""
    found: set[str] = set()
    for use in value.uses:
        if isinstance(use.operation, NeuronOp):
            found.add(use.operation.sym_name.data)
        else:
            for result in use.operation.results:
                found |= readers_of(result)
    return found
