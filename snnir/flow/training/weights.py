"""What was trained, put into the program: tensors of the same keys."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.places import place_of
from snnir.dialects.snn import NetworkOp, NeuronOp, WeightedOp
from snnir.errors import SnnirError
from snnir.passes.snn.projections import forget_activity
from snnir.semantics import parameter_error

Array = NDArray[Any]


def put_weights(network: NetworkOp, weights: Mapping[str, Array]) -> None:
    """Give the projections of a program new weights, by the keys of their tensors, each in the shape of the old.

    Integers stay of the type they were where the new ones fit; others get the type of the new weights. Activity that
    was measured with the old weights is dropped. Raises `SnnirError` for a key that no projection has, another shape,
    or a number that is not finite; nothing is changed then.
    """
    ops = _by_key(network, weights)
    for key, array in weights.items():
        for op in ops[key]:
            _check(op, key, array)
    for key, array in weights.items():
        for op in ops[key]:
            assert isinstance(op.weights, TensorAttr)
            op.weights = TensorAttr.of(key, _typed(array, op.weights.array.dtype))
    _finish(network)


def put_integers(network: NetworkOp, weights: Mapping[str, tuple[Array, Array]]) -> None:
    """The same with integers and the scale of each target, as `snnir.train.quantise.quantised` gives them.

    Raises `SnnirError` likewise, and where targets that share weights have different scales.
    """
    ops = _by_key(network, weights)
    found: list[tuple[WeightedOp, TensorAttr, Attribute]] = []
    for key, (integers, scale) in weights.items():
        for op in ops[key]:
            _check(op, key, integers)
            found.append((op, TensorAttr.of(key, integers), _lanes(op, key, scale)))
    for op, tensor, scale in found:
        op.weights, op.scale = tensor, scale
    _finish(network)


def put_biases(network: NetworkOp, biases: Mapping[str, Array]) -> None:
    """New biases, by the keys of the weights beside which they stand, one per lane of the projection."""
    ops = _by_key(network, biases)
    for key, array in biases.items():
        for op in ops[key]:
            if array.shape != (op.lanes,) or not np.isfinite(array).all():
                message = f"biases of shape {array.shape} for {op.lanes} {op.LANES}, or not finite"
                raise SnnirError(place_of(op), message, "give one number for each")
    for key, array in biases.items():
        for op in ops[key]:
            name = op.bias.data.key if isinstance(op.bias, TensorAttr) else f"{key}.bias"
            op.bias = TensorAttr.of(name, array) if np.any(array) else None
    _finish(network)


def put_parameters(network: NetworkOp, parameters: Mapping[str, Mapping[str, Array]]) -> None:
    """New parameters of neurons, by population and name, as `snnir.train.network.parameters_of` gives them.

    Raises `SnnirError` for a population or a parameter that is none, and for values that make no neurons.
    """
    new: list[tuple[NeuronOp, str, Attribute]] = []
    for name, values in parameters.items():
        op = network.sources.get(name)
        if not isinstance(op, NeuronOp) or not set(values) <= set(op.names()):
            what = f"@{name} has no parameters {', '.join(values)}" if op is not None else f"no population @{name}"
            raise SnnirError(place_of(network), what, "train the program that gets them")
        found = {key: np.asarray(value, np.float64) for key, value in values.items()}
        error = parameter_error(op.MODEL, {**op.parameters, **found}, network.step_seconds)
        if error is not None:
            raise SnnirError(place_of(op), f"@{name}: {error}", "train with a smaller learning rate")
        for key, value in found.items():
            attribute = TensorAttr.of(f"{name}.{key}", value) if value.ndim else FloatAttr(float(value), 64)
            new.append((op, key, attribute))
    for op, key, attribute in new:
        op.properties[key] = attribute
    _finish(network)


def _by_key(network: NetworkOp, wanted: Mapping[str, object]) -> dict[str, list[WeightedOp]]:
    found: dict[str, list[WeightedOp]] = {}
    for op in network.body.block.ops:
        if isinstance(op, WeightedOp) and isinstance(op.weights, TensorAttr):
            found.setdefault(op.weights.data.key, []).append(op)
    missing = next((key for key in wanted if key not in found), None)
    if missing is not None:
        have = ", ".join(found) or "none"
        raise SnnirError(place_of(network), f"no projection has weights '{missing}'", f"there are {have}")
    return found


def _check(op: WeightedOp, key: str, array: Array) -> None:
    assert isinstance(op.weights, TensorAttr)
    if array.shape != op.weights.data.shape:
        message = f"weights '{key}' of shape {array.shape} in place of {op.weights.data.shape}"
        raise SnnirError(place_of(op), message, "train the program that gets them")
    if not np.isfinite(array).all():
        raise SnnirError(place_of(op), f"weights '{key}' are not all finite", "train with a smaller learning rate")


def _typed(array: Array, old: "np.dtype[Any]") -> Array:
    """Weights that were integers stay so where they can."""
    if old.kind not in "iu" or array.dtype.kind != "f":
        return array
    limits = np.iinfo(old)
    fits = (array == np.rint(array)).all() and array.min() >= limits.min and array.max() <= limits.max
    return array.astype(old) if fits else array


def _lanes(op: WeightedOp, key: str, per_target: Array) -> Attribute:
    """The scale of each target as one number, or one per lane."""
    if (per_target == per_target.flat[0]).all():
        return FloatAttr(float(per_target.flat[0]), 64)
    numbers = np.broadcast_to(np.asarray(op.spread(np.arange(op.lanes, dtype=np.float64))), per_target.shape)
    lanes = np.zeros(op.lanes)
    lanes[numbers.astype(np.int64)] = per_target
    if not (lanes[numbers.astype(np.int64)] == per_target).all():
        message = f"targets that share weights '{key}' have different scales"
        raise SnnirError(place_of(op), message, "quantise after training")
    return TensorAttr.of(f"{key}.scale", lanes)


def _finish(network: NetworkOp) -> None:
    forget_activity(source for source in network.sources.values() if isinstance(source, NeuronOp))
    network.verify()
