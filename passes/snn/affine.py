"""Linear ops of a program as arithmetic: weights times factors per source or target, and constants, as new ops.

Nothing here changes what other readers of a signal see: values are made anew beside the old ones. All is computed in
float64. Integer weights stay as they are; a factor goes into their scale where it can.
"""

from collections.abc import Sequence
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, IntAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import Rewriter

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.snn import (
    AddOp,
    AvgPoolOp,
    BundleOp,
    ConvOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    NeuronOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    WeightedOp,
)
from snnir.semantics import Value
from snnir.sim import convolution

Vector = NDArray[np.float64]
LinearOp = WeightedOp | PoolOp | AddOp | DelayOp | FlattenOp | SliceOp
"""What may stand between a source and a population."""
OpT = TypeVar("OpT", bound=Operation)


def type_of(value: SSAValue) -> SignalType:
    """The signal type of a value."""
    assert isinstance(value.type, SignalType)
    return value.type


def leaf_behind(value: SSAValue) -> SSAValue:
    """The signal of the first input or population that a linear value is made of."""
    while isinstance(value.owner, Operation) and not isinstance(value.owner, InputOp | NeuronOp):
        value = value.owner.operands[0]
    return value


def is_float(op: WeightedOp) -> bool:
    """Whether weights are stored as floats, so that factors may go into them."""
    return not isinstance(op.weights, TensorAttr) or op.weights.data.element.startswith("f")


def is_single(op: WeightedOp) -> bool:
    """Whether all tensors that take part in a projection are of float32; plain numbers do not count."""
    parts = [a for a in (op.weights, op.bias, op.scale) if isinstance(a, TensorAttr)]
    return bool(parts) and all(part.data.element == "f32" for part in parts)


def key_of(op: WeightedOp) -> str:
    """The name of a projection's weights; that of its bias, or of its result, where weights are a number."""
    for attribute in (op.weights, op.bias):
        if isinstance(attribute, TensorAttr):
            return attribute.data.key
    return op.current.name_hint or op.name


def is_constant(op: Operation) -> bool:
    """Whether a projection makes its bias and nothing else."""
    return isinstance(op, WeightedOp) and not np.any(np.asarray(value_of(op.weights)))


# --- weights as arrays


def weights_of(op: WeightedOp) -> Vector:
    """Weights times `scale`, in the shape in which they are stored; one per target for one-to-one projections."""
    if isinstance(op.weights, TensorAttr):
        weights = op.weights.array.astype(np.float64)
    else:
        weights = np.full(op.current_type.size, value_of(op.weights))
    return weights if op.scale is None else weights * op.per_weight(value_of(op.scale))


def bias_of(op: WeightedOp) -> Vector:
    """The bias of each lane; zeros where there is none."""
    return np.zeros(op.lanes) if op.bias is None else op.bias.array.astype(np.float64).ravel()


def lanes_of(op: WeightedOp) -> NDArray[np.int64]:
    """The lane of each target."""
    every: Value = np.arange(op.lanes, dtype=np.float64)
    return np.asarray(op.spread(every)).astype(np.int64)


def per_lane(op: WeightedOp, values: Vector) -> Vector | None:
    """What is stated per target, once per lane; `None` where the targets of a lane differ."""
    of = lanes_of(op)
    first = np.unique(of, return_index=True)[1]
    lanes = values[first]
    return lanes if np.array_equal(lanes[of], values) else None


def applied(op: WeightedOp | PoolOp, values: Vector) -> Vector:
    """What a projection without delay, or a pool, makes of values (sources,), its bias left out: (targets,)."""
    if isinstance(op, PoolOp):
        kind = "avg" if isinstance(op, AvgPoolOp) else "sum"
        pool = convolution.Pool(kind, type_of(op.source).shape.data[0], op.windows)
        return pool.apply(values[None, None], None)[0, 0].astype(np.float64)
    weights = weights_of(op)
    match op:
        case DenseOp():
            return (values.reshape(op.repeat, -1) @ weights.T).ravel()
        case ConvOp():
            operator = convolution.Conv(weights, op.source_type.shape.data[0], op.windows, op.groups.data)
            return operator.apply(values[None, None], None)[0, 0]
        case SparseOp():
            found = np.zeros(op.current_type.size)
            np.add.at(found, op.targets.array, weights * values[op.sources.array])
            return found
        case BundleOp():
            return weights.sum(axis=0) @ values
        case _:
            return weights.ravel() * values


# --- new ops like old ones


def like(op: OpT, operands: Sequence[SSAValue], properties: dict[str, Attribute | None] | None = None) -> OpT:
    """The op with other operands and with some properties changed (`None` takes one away)."""
    merged = {**op.properties, **(properties or {})}
    new = type(op).create(
        operands=operands,
        result_types=op.result_types,
        properties={name: value for name, value in merged.items() if value is not None},
        attributes=op.attributes,
        location=op.location,
    )
    new.results[0].name_hint = op.results[0].name_hint
    return new


def moved(op: OpT, source: SSAValue) -> OpT:
    """The op that rearranges a signal, of another one; its element follows."""
    new = like(op, [source])
    result = SignalType(type_of(op.results[0]).shape, type_of(source).element)
    Rewriter.replace_value_with_new_type(new.results[0], result)
    return new


def reweighted(op: WeightedOp, weights: Vector, bias: Vector | None, source: SSAValue | None = None) -> WeightedOp:
    """The projection with other float weights (scale included) and another bias per lane."""
    key = key_of(op)
    new: dict[str, Attribute | None] = {"scale": None, "bias": bias_attribute(op, bias)}
    if isinstance(op, ScaleOp) and (weights == weights.ravel()[0]).all():
        new["weights"] = FloatAttr(float(weights.ravel()[0]), 64)
    else:
        new["weights"] = TensorAttr.of(key, weights)
    return like(op, [op.source if source is None else source], new)


def bias_attribute(op: WeightedOp, bias: Vector | None) -> TensorAttr | None:
    """A bias per lane, under the name of the old one; none where it is zero."""
    if bias is None or not bias.any():
        return None
    return TensorAttr.of(op.bias.data.key if op.bias is not None else f"{key_of(op)}.bias", bias)


def with_bias(op: WeightedOp, bias: Vector) -> WeightedOp:
    """The projection with another bias per lane."""
    return like(op, [op.source], {"bias": bias_attribute(op, bias)})


def on_targets(op: WeightedOp, factor: Vector) -> WeightedOp | None:
    """The projection with its current times a factor per target; `None` where its weights cannot hold that."""
    lanes = per_lane(op, factor)
    if lanes is None:
        return None
    bias = None if op.bias is None else bias_of(op) * lanes
    if not is_float(op):
        scale = np.broadcast_to(np.asarray(1.0 if op.scale is None else value_of(op.scale)), (op.lanes,)) * lanes
        return _rescaled(op, scale, bias) if (scale > 0).all() else None
    return reweighted(op, weights_of(op) * op.per_weight(lanes), bias)


def on_sources(op: WeightedOp, factor: Vector, source: SSAValue) -> WeightedOp | None:
    """The projection reading `source`, whose values still lack a factor each; `None` where weights cannot hold it."""
    bias = None if op.bias is None else bias_of(op)
    if not is_float(op):
        if (factor != factor[0]).any() or factor[0] <= 0:
            return None
        own = np.asarray(1.0 if op.scale is None else value_of(op.scale))
        new = _rescaled(op, np.broadcast_to(own, (op.lanes,)) * factor[0], bias)
        return like(new, [source])
    weights = weights_of(op)
    match op:
        case DenseOp():
            parts = factor.reshape(op.repeat, -1)
            return None if (parts != parts[0]).any() else reweighted(op, weights * parts[0], bias, source)
        case ConvOp():
            planes = factor.reshape(op.source_type.shape.data[0], -1)
            if (planes != planes[:, :1]).any():
                return None
            inner, each = weights.shape[1], len(weights) // op.groups.data
            group = np.arange(len(weights), dtype=np.int64) // each
            own = planes[:, 0][group[:, None] * inner + np.arange(inner)]
            return reweighted(op, weights * own.reshape(len(weights), inner, *(1,) * (weights.ndim - 2)), bias, source)
        case SparseOp():
            return reweighted(op, weights * factor[op.sources.array], bias, source)
        case BundleOp():
            return reweighted(op, weights * factor, bias, source)
        case _:
            return reweighted(op, weights.ravel() * factor, bias, source)


def _rescaled(op: WeightedOp, scale: Vector, bias: Vector | None) -> WeightedOp:
    """The projection with another scale per lane, as one number where all are equal."""
    uniform = bool((scale == scale[0]).all())
    new = FloatAttr(float(scale[0]), 64) if uniform else TensorAttr.of(f"{key_of(op)}.scale", scale)
    return like(op, [op.source], {"scale": new, "bias": bias_attribute(op, bias)})


def factor_of(op: ScaleOp) -> Vector:
    """The factor of each neuron."""
    return weights_of(op).ravel()


def scaling(value: SSAValue, factor: Vector, key: str, location: Operation) -> ScaleOp:
    """A one-to-one projection of a value; what it stands for comes from the place of `location`."""
    uniform = bool((factor == factor[0]).all())
    weights = FloatAttr(float(factor[0]), 64) if uniform else TensorAttr.of(key, factor)
    new = ScaleOp(value, weights, SignalType.current(*type_of(value).shape.data))
    new.location = location.location
    return new


def constant(value: SSAValue, bias: Vector, key: str, location: Operation) -> SparseOp:
    """A constant current beside `value`: a projection of which only the bias is left."""
    zero = np.zeros(1, np.int64)
    new = SparseOp(
        leaf_behind(value),
        TensorAttr.of(f"{key}.none", np.zeros(1)),
        TensorAttr.of(f"{key}.from", zero),
        TensorAttr.of(f"{key}.to", zero),
        SignalType.current(*type_of(value).shape.data),
        bias=TensorAttr.of(key, bias),
    )
    new.location = location.location
    return new


def channelwise(type_: SignalType, factor: Vector) -> Vector | None:
    """A factor per neuron as one per channel (the first dimension); `None` where it differs within one."""
    planes = factor.reshape(type_.shape.data[0], -1)
    return None if (planes != planes[:, :1]).any() else planes[:, 0]


def spread_over(type_: SignalType, channels: Vector) -> Vector:
    """A factor per channel as one per neuron."""
    return np.repeat(channels, prod(type_.shape.data[1:]))


def adds(op: Operation) -> bool:
    """Whether an op is a pool that is linear."""
    return isinstance(op, PoolOp) and not isinstance(op, MaxPoolOp)


def delayed(op: WeightedOp, steps: int) -> WeightedOp:
    """The projection so many steps later."""
    return like(op, [op.source], {"delay": IntAttr(op.delay.data + steps)}) if steps else op
