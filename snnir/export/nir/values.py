"""Numbers of the IR as NIR stores them: which element type, and products of quantised weights with their scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Attribute

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.snn import NeuronOp, WeightedOp
from snnir.frontend.network import Shape
from snnir.frontend.nir.fields import DEFAULTS, field_of
from snnir.frontend.nir.mirror import Field, Stored
from snnir.semantics import PARAMETERS

Array = NDArray[Any]
_SPLIT = 2.0**27 + 1.0


def cast(values: Array, wanted: np.dtype[Any] | None) -> Array:
    """`values` as `wanted` where that keeps every number, else as they are."""
    if wanted is None or wanted == values.dtype:
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        changed = values.astype(wanted)
    return changed if fits(changed, values) else values


def fits(changed: Array, values: Array) -> bool:
    """Whether two arrays hold the same numbers."""
    return bool((changed.astype(np.float64) == values.astype(np.float64)).all())


def smallest(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """All arrays as float32 where that keeps every number of all of them, else as float64."""
    with np.errstate(over="ignore"):
        single = {name: array.astype(np.float32) for name, array in arrays.items()}
    if all(fits(single[name], array) for name, array in arrays.items()):
        return single
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def product(integers: Array, scale: float | Array) -> tuple[Array, bool]:
    """Weights times their scale as float32, or float64 where float32 cannot hold them; and whether that is exact.

    The rounding error of a float64 product is itself a float64, found by splitting the factors in halves (Dekker,
    Numer. Math. 18, 1971, section 5).
    """
    a, b = np.broadcast_arrays(integers.astype(np.float64), np.asarray(scale, np.float64))
    result = a * b
    with np.errstate(over="ignore", invalid="ignore"):
        (high_a, low_a), (high_b, low_b) = _halves(a), _halves(b)
        error = ((high_a * high_b - result) + high_a * low_b + low_a * high_b) + low_a * low_b
    return smallest({"": result})[""], not error.any()


def _halves(array: Array) -> tuple[Array, Array]:
    spread = array * _SPLIT
    high = spread - (spread - array)
    return high, array - high


def weights_of(op: WeightedOp, lanes: Shape = ()) -> tuple[Array, bool]:
    """The weights with their scale multiplied in, and whether that is exact; `lanes`: the shape of a scale tensor."""
    weights = op.weights.array if isinstance(op.weights, TensorAttr) else np.asarray(value_of(op.weights))
    if op.scale is None:
        return weights, True
    scale = value_of(op.scale)
    return product(weights, scale.reshape(lanes) if isinstance(scale, np.ndarray) else scale)


def spread(attribute: Attribute, shape: Shape) -> Array:
    """A parameter with one entry per neuron."""
    if isinstance(attribute, TensorAttr):
        return attribute.array.reshape(shape)
    return np.full(shape, value_of(attribute), np.float64)


def neuron_fields(op: NeuronOp, shape: Shape, stored: Stored | None) -> dict[str, Field]:
    """The fields of a population, of the types that they had in the file, where there was one.

    A field that the file left out stays out while it has the value that this means.
    """
    values = {field_of(name, op.MODEL): spread(op.properties[name], shape) for name in PARAMETERS[op.MODEL]}
    given: Any = {} if stored is None else stored.fields
    absent = {name for name in values if given and name not in given and (values[name] == DEFAULTS.get(name)).all()}
    kept = {name: array for name, array in values.items() if name not in absent}
    if stored is None:
        return dict(smallest(kept))
    result: dict[str, Field] = {}
    for name, array in kept.items():
        result[name] = cast(array, stored.dtype(name) or np.dtype(np.float64))
        only = stored.shape(name)
        # nir's own CubaLIF has a w_in of no dimensions where its exporter gave none.
        if name == "w_in" and only in ((), (1,)) and bool((array == array.flat[0]).all()):
            result[name] = cast(array.ravel()[:1].reshape(only), stored.dtype(name))
    return result
