"""Rewriting the projections of one population: what quantisation and fan-in splitting share."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.snn import AddOp, DelayOp, FlattenOp, NeuronOp, PoolOp, SliceOp, WeightedOp

_LINEAR = WeightedOp | PoolOp | AddOp | DelayOp | FlattenOp | SliceOp
"""What may stand between a population and the spikes that it reads."""


def replace_projections(population: NeuronOp, projections: Sequence[WeightedOp]) -> None:
    """Make `projections` (not yet in the IR) the only inputs of a population, in this order.

    What nobody reads any more is erased.
    """
    replace_inputs(population, projections, [projection.current for projection in projections])


def replace_inputs(population: NeuronOp, ops: Sequence[Operation], values: Sequence[SSAValue]) -> None:
    """Insert `ops` and make `values` the only inputs of a population.

    What nobody reads any more is erased.
    """
    if ops:
        Rewriter.insert_op(list(ops), InsertPoint.before(population))
    old = list(population.inputs)
    population.operands = values
    for value in old:
        erase_unused(value)


def forget_activity(populations: Iterable[NeuronOp]) -> None:
    """Take away activity that was measured before the program changed."""
    for population in populations:
        population.activity = None


def erase_unused(value: SSAValue) -> None:
    """Erase the linear op that makes a signal if nobody reads it, and what only that has read."""
    owner = value.owner
    if isinstance(owner, _LINEAR) and owner.parent is not None and not any(result.uses for result in owner.results):
        operands = list(owner.operands)
        owner.detach()
        owner.erase()
        for operand in operands:
            erase_unused(operand)


def dense_weights(connection: Connection, *, scaled: bool = True) -> NDArray[np.float64]:
    """The weights of a connection times their scale, (targets, weights of each): one column when one-to-one."""
    op = connection.plain
    assert op is not None
    raw = op.weights.array if isinstance(op.weights, TensorAttr) else np.asarray(value_of(op.weights))
    targets = op.current_type.size
    weights = np.asarray(raw, np.float64)
    weights = np.broadcast_to(weights.ravel(), (targets,))[:, None] if connection.one_to_one else weights
    scale = (
        1.0 if op.scale is None or not scaled else np.broadcast_to(np.asarray(value_of(op.scale)), (targets,))[:, None]
    )
    return weights * scale


def total_bias(population: NeuronOp) -> NDArray[np.float64]:
    """The sum of the biases of a population's projections, in their order; one entry per neuron."""
    total = np.zeros(population.size)
    for connection in connections_of(population):
        total = total + connection.bias
    return total
