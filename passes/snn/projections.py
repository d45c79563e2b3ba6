"""Rewriting the projections of one population: what quantisation and fan-in splitting share."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.snn import AddOp, NeuronOp, WeightedOp


def replace_projections(population: NeuronOp, projections: Sequence[WeightedOp]) -> None:
    """Make `projections` (not yet in the IR) the only inputs of a population, in this order.

    Projections and sums that nobody reads any more are erased.
    """
    Rewriter.insert_op(list(projections), InsertPoint.before(population))
    old = list(population.inputs)
    population.operands = [projection.current for projection in projections]
    for value in old:
        _erase_unused(value)


def forget_activity(populations: Iterable[NeuronOp]) -> None:
    """Take away activity that was measured before the program changed."""
    for population in populations:
        population.activity = None


def _erase_unused(value: SSAValue) -> None:
    owner = value.owner
    if isinstance(owner, WeightedOp | AddOp) and not any(result.uses for result in owner.results):
        operands = list(owner.operands)
        owner.detach()
        owner.erase()
        for operand in operands:
            _erase_unused(operand)


def dense_weights(connection: Connection, *, scaled: bool = True) -> NDArray[np.float64]:
    """The weights of a connection times their scale, (targets, weights of each): one column when one-to-one."""
    op = connection.op
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
        if connection.op.bias is not None:
            total = total + value_of(connection.op.bias)
    return total
