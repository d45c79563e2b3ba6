"""Copies of a program with other weights, and what of it can be trained."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.places import place_of
from snnir.dialects.snn import NetworkOp, NeuronOp, WeightedOp, networks
from snnir.errors import SnnirError
from snnir.flow.training.weights import put_biases, put_weights
from snnir.sim import Network
from snnir.sim.entry import network_of

Array = NDArray[Any]


def program_of(module: ModuleOp) -> NetworkOp:
    """The program of a module."""
    return next(networks(module))


def network_in(module: ModuleOp) -> Network:
    """The program of a module as arrays."""
    return network_of(program_of(module))


def weighted_ops(module: ModuleOp) -> Iterator[tuple[str, WeightedOp]]:
    """The projections whose weights are a tensor, and its key."""
    for op in program_of(module).body.block.ops:
        if isinstance(op, WeightedOp) and isinstance(op.weights, TensorAttr):
            yield op.weights.data.key, op


def with_weights(module: ModuleOp, weights: Mapping[str, Array], biases: Mapping[str, Array] | None = None) -> ModuleOp:
    """A copy of a program with other weights, and biases of the projections with these weights, by key."""
    found = module.clone()
    put_weights(program_of(found), weights)
    put_biases(program_of(found), biases or {})
    return found


def as_floats(module: ModuleOp) -> ModuleOp:
    """A copy of a program whose weights are float32 without a scale, as they are trained.

    Weights into integer states stay: these take whole numbers.
    """
    found = module.clone()
    for key, op in weighted_ops(found):
        assert isinstance(op.weights, TensorAttr)
        if _feeds_integers(op):
            continue
        scale = 1.0 if op.scale is None else op.per_weight(value_of(op.scale))
        op.weights = TensorAttr.of(key, (op.weights.array.astype(np.float64) * scale).astype(np.float32))
        op.scale = None
    return found


def _feeds_integers(op: WeightedOp) -> bool:
    users = [use.operation for use in op.current.uses]
    return any(isinstance(each, NeuronOp) and each.semantics.data.state == "i32" for each in users)


def biased(module: ModuleOp) -> frozenset[str]:
    """The keys of the weights of projections that have a bias.

    Raises `SnnirError` where such a bias cannot be trained, because nothing in the program could hold it.
    """
    keys = Counter(key for key, _ in weighted_ops(module))
    found: set[str] = set()
    for key, op in weighted_ops(module):
        if op.bias is None:
            continue
        wrong = None
        if keys[key] > 1:
            wrong = f"the weights '{key}' belong to {keys[key]} projections"
        elif len(list(op.current.uses)) > 1:
            wrong = f"what the projection with the weights '{key}' makes is read several times"
        elif op.lanes != op.current_type.size:
            wrong = f"the bias of '{key}' is one for {op.current_type.size // op.lanes} neurons"
        elif any(isinstance(u.operation, NeuronOp) and _on_membrane(u.operation) for u in op.current.uses):
            wrong = f"the bias of '{key}' acts on membranes"
        if wrong is not None:
            raise SnnirError(place_of(op), f"{wrong}, so its bias is not trained", "write biases = false in [training]")
        found.add(key)
    return frozenset(found)


def _on_membrane(op: NeuronOp) -> bool:
    return op.semantics.data.bias == "membrane"


def synapses(module: ModuleOp) -> dict[str, int]:
    """The weights other than 0 of each projection, by key; of shared ones once."""
    found: dict[str, int] = {}
    for key, op in weighted_ops(module):
        assert isinstance(op.weights, TensorAttr)
        found[key] = int(np.count_nonzero(op.weights.array))
    return found
