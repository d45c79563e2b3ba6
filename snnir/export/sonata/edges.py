"""Projections of ours as single edges: source neuron, target neuron, weight, delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.places import place_of
from snnir.dialects.snn import (
    BundleOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    WeightedOp,
)
from snnir.errors import SnnirError
from snnir.export.chains import Chain, chains_to
from snnir.frontend.notes import Notes

EDGE_LIMIT = 1 << 28
"""More edges than this are refused: a file of 10 GB."""


@dataclass(frozen=True)
class Edges:
    """Connections from one input or population to another, one entry per edge."""

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.floating]
    delays: NDArray[np.int64]
    """In steps."""


def edges_of(network: NetworkOp, notes: Notes) -> dict[tuple[str, str], Edges]:
    """All connections of a program, by source and target. Raises `SnnirError` for an op that is no set of edges."""
    found: dict[tuple[str, str], list[Edges]] = {}
    total = 0
    for name, op in network.sources.items():
        if isinstance(op, InputOp):
            continue
        for inhibitory, values in ((False, op.excitatory), (True, op.inhibitory)):
            for chain in (each for value in values for each in chains_to(value)):
                edges = _edges(chain, notes)
                total += edges.weights.size
                if total > EDGE_LIMIT:
                    raise SnnirError(place_of(op), f"the network has more than {EDGE_LIMIT} connections")
                if op.MODEL == "dual_lif":
                    _check_signs(op, chain, edges, inhibitory)
                found.setdefault((chain.source.sym_name.data, name), []).append(edges)
    return {ends: _joined(several) for ends, several in found.items()}


def _joined(several: list[Edges]) -> Edges:
    columns = [[getattr(each, name) for each in several] for name in ("sources", "targets", "weights", "delays")]
    return Edges(*(np.concatenate(column) for column in columns))


def _check_signs(op: NeuronOp, chain: Chain, edges: Edges, inhibitory: bool) -> None:
    """NEST chooses the synapse by the sign of the weight, so each must have the right one."""
    wrong = edges.weights >= 0 if inhibitory else edges.weights < 0
    if wrong.any():
        synapse = "second (inhibitory)" if inhibitory else "first (excitatory)"
        what = f"weight {edges.weights[wrong][0]:g} enters the {synapse} synapse of @{op.sym_name.data}"
        hint = "nest:iaf_psc_exp sends weights below 0 to the inhibitory synapse, all others to the excitatory one"
        raise SnnirError(place_of(chain.ops[-1]), what, hint)


def _edges(chain: Chain, notes: Notes) -> Edges:
    """The edges of one way from source to target."""
    size = chain.source.size
    neurons, late = np.arange(size), np.zeros(size, np.int64)
    edges: Edges | None = None
    for op in chain.ops:
        match op:
            case FlattenOp():
                continue
            case SliceOp() | DelayOp() if edges is None:
                if isinstance(op, SliceOp):
                    neurons, late = neurons[op.indices.data.array], late[op.indices.data.array]
                else:
                    late = late + _steps(op)
            case DelayOp() if edges is not None:
                steps = np.broadcast_to(_steps(op), (_size(op),))
                edges = Edges(edges.sources, edges.targets, edges.weights, edges.delays + steps[edges.targets])
            case SliceOp() if edges is not None:
                edges = _sliced(edges, op)
            case DenseOp() | SparseOp() | BundleOp() | ScaleOp() if edges is None:
                edges = _weighted(op, neurons, late, notes)
            case WeightedOp() if edges is not None:
                hint = "put a population between the two"
                raise SnnirError(place_of(op), f"SONATA cannot state this {op.name} behind another projection", hint)
            case _:
                hint = "an edge is one weight and one delay; snn.dense, snn.sparse, snn.bundle and snn.scale are edges"
                raise SnnirError(place_of(op), f"SONATA cannot state {op.name}", hint)
    assert edges is not None
    return edges


def _size(op: Operation) -> int:
    type_: Any = op.results[0].type
    return int(type_.size)


def _steps(op: DelayOp) -> NDArray[np.int64]:
    delay = op.delay
    return delay.array.ravel().astype(np.int64) if isinstance(delay, TensorAttr) else np.array(delay.data, np.int64)


def _sliced(edges: Edges, op: SliceOp) -> Edges:
    chosen = op.indices.data.array
    place = np.full(int(chosen.max(initial=-1)) + 1 if chosen.size else 0, -1, np.int64)
    place[chosen] = np.arange(chosen.size)
    kept = np.flatnonzero((edges.targets < place.size) & (place[np.minimum(edges.targets, place.size - 1)] >= 0))
    return Edges(edges.sources[kept], place[edges.targets[kept]], edges.weights[kept], edges.delays[kept])


def _weighted(op: WeightedOp, neurons: NDArray[np.int64], late: NDArray[np.int64], notes: Notes) -> Edges:
    """The edges of a projection that reads `neurons` of the source, each `late` by some steps."""
    if op.bias is not None and op.bias.array.any():
        raise SnnirError(place_of(op), f"SONATA cannot state the bias of this {op.name}", "fold it into v_leak")
    delays: NDArray[np.int64] | int = op.delay.data
    weights: NDArray[Any]
    if isinstance(op, SparseOp):
        read, targets, weights = op.sources.array.astype(np.int64), op.targets.array.astype(np.int64), _array(op)
        delays = delays + (0 if op.delays is None else op.delays.array.astype(np.int64))
    elif isinstance(op, BundleOp):
        levels, targets, read = np.nonzero(_array(op))
        weights = _array(op)[levels, targets, read]
        delays = delays + levels * op.stride.data
    elif isinstance(op, ScaleOp):
        read = targets = np.arange(neurons.size)
        weights = np.broadcast_to(np.asarray(value_of(op.weights)).ravel(), (neurons.size,))
    else:
        assert isinstance(op, DenseOp)
        read, targets, weights = _dense(op)
    if op.scale is not None:
        scale = np.broadcast_to(np.asarray(value_of(op.scale)).ravel(), (op.lanes,))
        weights = weights.astype(np.float64) * scale[targets % op.lanes]
        notes.add(place_of(op), "weights are written multiplied by their scale")
    exact: NDArray[np.floating] = weights if weights.dtype == np.float32 else weights.astype(np.float64)
    return Edges(neurons[read], targets, exact, late[read] + delays)


def _array(op: WeightedOp) -> NDArray[Any]:
    assert isinstance(op.weights, TensorAttr)
    return op.weights.array


def _dense(op: DenseOp) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
    """What is not 0 in the matrix, row by row; along the last dimension, once for each index of the others."""
    matrix = _array(op)
    if np.count_nonzero(matrix) > EDGE_LIMIT:
        raise SnnirError(place_of(op), f"this {op.name} has more than {EDGE_LIMIT} connections")
    targets, sources = np.nonzero(matrix)
    weights = matrix[targets, sources]
    if not op.on_last_dimension:
        return sources, targets, weights
    copies = op.current_type.size // matrix.shape[0]
    offsets: NDArray[np.int64] = np.repeat(np.arange(copies, dtype=np.int64), weights.size)
    read: NDArray[np.int64] = offsets * matrix.shape[1] + np.tile(sources, copies)
    return read, offsets * matrix.shape[0] + np.tile(targets, copies), np.tile(weights, copies)
