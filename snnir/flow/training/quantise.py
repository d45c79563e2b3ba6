"""Which weights of a program share scales, as `snn-quantize` rounds them: for training with rounded weights."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import SSAValue

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.connections import Connection
from snnir.dialects.places import place_of
from snnir.dialects.snn import NetworkOp, NeuronOp, OutputOp, SparseOp, WeightedOp
from snnir.errors import SnnirError
from snnir.passes.snn.columns import neuron_classes, own_scale
from snnir.passes.snn.quantize import crossbar_connections, is_plain
from snnir.passes.snn.terms import Leaf, leaf_of, terms_of
from snnir.train.quantise import Part, Shared

Vector = NDArray[np.float64]


def shared_scales(network: NetworkOp) -> tuple[Shared, ...]:
    """The groups of weights for `snnir.train.quantise.GridQuantiser`, as `snn-quantize` would round them.

    Raises `SnnirError` where that pass would change more than weights: signals without weights that it gives some,
    chains of projections that it folds, several synapses that add up on one cell.
    """
    groups: list[Shared] = []
    done: set[WeightedOp] = set()
    for population in network.sources.values():
        found = crossbar_connections(population) if isinstance(population, NeuronOp) else None
        if not isinstance(population, NeuronOp) or not found:
            continue
        ops = {c.op: None for c in found if isinstance(c.op, WeightedOp)}
        twice = next((op for op in ops if not _is_read_once(op.current)), None)
        if twice is not None:
            what = f"the projection into @{population.sym_name.data} is read elsewhere too, where rounding differs"
            raise SnnirError(place_of(twice), what, "copy it, or quantise after training")
        groups.append(_plain(found) if is_plain(population, found) else _columns(population, found))
        done |= set(ops)
    rest = [op for op in network.body.block.ops if isinstance(op, WeightedOp) and op not in done]
    alone = [_alone(op) for op in rest if isinstance(op.weights, TensorAttr)]
    return tuple(group for group in (*groups, *alone) if group.parts)


def _plain(connections: Sequence[Connection]) -> Shared:
    """Dense and one-to-one projections of one population: a row per neuron."""
    size = connections[0].synapses.targets
    scales = [np.broadcast_to(np.asarray(c.scale, np.float64), (size,)) for c in connections]
    same = all((scale == scales[0]).all() for scale in scales)
    every, parts, fixed = np.arange(size), list[Part](), list[Vector]()
    for c, scale in zip(connections, scales, strict=True):
        op = c.plain
        assert op is not None
        if not isinstance(op.weights, TensorAttr):
            fixed.append(value_of(op.weights) * (np.ones(size) if same else scale))
            continue
        shape = op.weights.data.shape
        column = (-1, *(1,) * (len(shape) - 1)) if not c.one_to_one else shape
        rows = np.broadcast_to(every.reshape(column), shape)
        parts.append(Part(op.weights.data.key, rows, every, 1.0 if same else scale.reshape(column)))
    own = scales[0] if same else np.ones(size)
    return Shared(tuple(parts), own, (np.tile(every, len(fixed)), np.concatenate([np.empty(0), *fixed])))


def _columns(population: NeuronOp, connections: Sequence[Connection]) -> Shared:
    """Any projections of one population: a row per class of neurons with common weights."""
    name, size = population.sym_name.data, population.size
    leaves = [leaf_of(term, size) for term in terms_of(population)]
    if all(leaf.term.projection is None and leaf.term.factor is not None for leaf in leaves):
        return Shared((), np.ones(size))
    wrong = next((leaf for leaf in leaves if leaf.term.projection is None or leaf.term.factor != 1.0), None)
    if wrong is not None:
        what = "reads signals without weights, pools that average, or projections in a row"
        raise SnnirError(place_of(population), f"@{name} {what}, which rounding rewrites", "quantise after training")
    if len({(c.source, c.delay) for c in connections}) < len(connections) or any(map(_doubled, leaves)):
        what = "has several synapses from one neuron with one delay, which add up on a cell"
        raise SnnirError(place_of(population), f"@{name} {what}", "merge them, or quantise after training")
    own, classes = own_scale(leaves, size), neuron_classes(leaves, size)
    parts, fixed = list[Part](), [(np.empty(0, np.int64), np.empty(0))]
    for leaf in leaves:
        op = leaf.term.projection
        assert op is not None
        row = np.zeros(len(leaf.scale), np.int64)
        row[leaf.of] = classes
        rows = row[leaf.lane]
        factor = np.ones(len(rows)) if own is not None else leaf.scale[leaf.lane]
        if isinstance(op.weights, TensorAttr):
            shape = op.weights.data.shape
            parts.append(Part(op.weights.data.key, rows.reshape(shape), classes, factor.reshape(shape)))
        else:
            fixed.append((rows, leaf.weights * factor))
    shared = np.ones(int(classes.max(initial=-1)) + 1)
    if own is not None:
        shared[classes] = own  # neurons with common weights have a common scale
    rows, values = zip(*fixed, strict=True)
    return Shared(tuple(parts), shared, (np.concatenate(rows), np.concatenate(values)))


def _doubled(leaf: Leaf) -> bool:
    """Whether single synapses of a projection lie on one cell."""
    op = leaf.term.projection
    if not isinstance(op, SparseOp):
        return False
    late = np.zeros(len(leaf.weights), np.int64) if op.delays is None else op.delays.array
    cells = np.stack([op.sources.array, op.targets.array, late])
    return np.unique(cells, axis=1).shape[1] < cells.shape[1]


def _is_read_once(value: SSAValue) -> bool:
    """Whether nothing but one population reads a current, directly or through what only forwards it."""
    users = [use.operation for use in value.uses]
    return len(users) == 1 and (
        isinstance(users[0], NeuronOp) or (not isinstance(users[0], OutputOp) and _is_read_once(users[0].results[0]))
    )


def _alone(op: WeightedOp) -> Shared:
    """A projection whose scales nothing shares: a row per lane; single synapses have one."""
    assert isinstance(op.weights, TensorAttr)
    shape, key, size = op.weights.data.shape, op.weights.data.key, op.current_type.size
    own = np.asarray(1.0 if op.scale is None else value_of(op.scale), np.float64)
    if isinstance(op, SparseOp):
        rows, targets = np.zeros(shape, np.int64), np.zeros(size, np.int64)
        factor = own[op.targets.array] if own.ndim else 1.0
        return Shared((Part(key, rows, targets, factor),), np.ones(1) if own.ndim else own.reshape(1))
    numbers = np.arange(op.lanes, dtype=np.float64)
    rows = np.broadcast_to(np.asarray(op.per_weight(numbers)), shape).astype(np.int64)
    targets = np.broadcast_to(np.asarray(op.spread(numbers)), (size,)).astype(np.int64)
    return Shared((Part(key, rows, targets),), np.broadcast_to(own, (op.lanes,)))
