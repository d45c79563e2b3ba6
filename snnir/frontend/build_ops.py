"""The ops of stateless declarations: one method each, with the checks that need the shape of what is read."""

from __future__ import annotations

import re
from math import prod
from typing import TypedDict

import numpy as np
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr, ValueAttr, value_of
from snnir.dialects.snn import (
    AvgPoolOp,
    BundleOp,
    Conv1dOp,
    Conv2dOp,
    ConvOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    MaxPoolOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    SumPoolOp,
)
from snnir.dialects.snn_projections import convolved
from snnir.frontend.checks import check_finite
from snnir.frontend.names import unique, value_name
from snnir.frontend.network import (
    Bundle,
    Conv,
    Delay,
    Dense,
    Flatten,
    Network,
    OneToOne,
    Pool,
    Shape,
    Slice,
    Sparse,
    Transform,
    Value,
    Weighted,
    text_of,
)
from snnir.tensors import Tensor

_KEY_SUFFIX = re.compile(r"\.(weights?|scale)$")
_POOLS: dict[str, type[PoolOp]] = {"sum": SumPoolOp, "avg": AvgPoolOp, "max": MaxPoolOp}
_CONVOLUTIONS: dict[int, type[ConvOp]] = {1: Conv1dOp, 2: Conv2dOp}


class RestOfProjection(TypedDict):
    """What every projection has beside its weights."""

    bias: TensorAttr | None
    scale: ValueAttr | None
    delay: int


Made = tuple[list[tuple[Operation, str]], SSAValue]
"""New ops, each with a name for its result, and the value that they compute."""


def signal_shape(value: SSAValue) -> Shape:
    """The shape of a signal."""
    assert isinstance(value.type, SignalType)
    return value.type.shape.data


class Maker:
    """Makes the ops of transforms. Arrays without a key get one from the transform's name; flattenings are shared."""

    def __init__(self, network: Network) -> None:
        self.keys = {value.data.key for value in network.values() if isinstance(value.data, Tensor)}
        self.flat: dict[SSAValue, SSAValue] = {}

    def make(self, each: Transform, source: SSAValue) -> Made:
        """The ops of a transform that reads `source`."""
        match each.op:
            case Dense():
                return self.dense(each, each.op, source)
            case OneToOne():
                return self.one_to_one(each, each.op, source)
            case Conv():
                return self.conv(each, each.op, source)
            case Sparse():
                return self.sparse(each, each.op, source)
            case Bundle():
                return self.bundle(each, each.op, source)
            case Pool():
                return self.pool(each, each.op, source)
            case Flatten():
                return self.flatten(each, each.op, source)
            case Slice():
                return self.slice(each, each.op, source)
            case Delay():
                return self.delay(each, each.op, source)

    def dense(self, each: Transform, op: Dense, source: SSAValue) -> Made:
        """A matrix on all neurons, or along the last dimension."""
        value = op.weights
        if isinstance(value.data, int | float):
            hint = "dense weights are one row per target; for one weight between equal indices use one_to_one"
            raise value.origin.error("dense weights are a matrix, not a number", hint)
        shape = signal_shape(source)
        if len(value.shape) == 2 and each.shape is None:
            targets = (value.shape[0],) if value.shape[1] == prod(shape) else (*shape[:-1], value.shape[0])
        else:
            targets = each.shape or (1,)
        last = shape[:-1] == targets[:-1] and value.shape == (targets[-1], shape[-1])
        needed = (prod(targets), prod(shape))
        if value.shape != needed and not last:
            what = f"weights {value.label}are {text_of(value.shape)}, but {each.title} needs {text_of(needed)}"
            turned = "; this matrix is transposed" if value.shape == needed[::-1] else ""
            raise value.origin.error(what, f"weights are targets x sources{turned}")
        made, source = self.flattened(each, source) if value.shape == needed else ([], source)
        weights = self.tensor(value, "weights", f"{each.name}.weight")
        result = SignalType.current(*targets)
        lanes = prod(targets) if value.shape == needed else targets[-1]
        dense = DenseOp(source, weights, result, **self.rest(each, op, weights, lanes))
        return [*made, (dense, _name(weights, each))], dense.current

    def one_to_one(self, each: Transform, op: OneToOne, source: SSAValue) -> Made:
        """A weight for each neuron, or one for all."""
        shape = each.shape or signal_shape(source)
        made, source = ([], source) if signal_shape(source) == shape else self.flattened(each, source)
        if signal_shape(source) != shape:
            what = f"{each.title} connects {text_of(signal_shape(source))} neurons one to one with {text_of(shape)}"
            raise each.origin.error(what, "use dense, or a slice of the source that is as large as the target")
        weights = self.per_lane(op.weights, "weights", prod(shape), each)
        scale = ScaleOp(source, weights, SignalType.current(*shape), **self.rest(each, op, weights, prod(shape)))
        return [*made, (scale, _name(weights, each))], scale.current

    def conv(self, each: Transform, op: Conv, source: SSAValue) -> Made:
        """A convolution of one or two dimensions."""
        value, shape = op.weights, signal_shape(source)
        dimensions = len(value.shape) - 2
        if dimensions not in _CONVOLUTIONS:
            what = f"weights {value.label}are {text_of(value.shape)}, but a convolution needs output channels x input"
            raise value.origin.error(f"{what} channels x kernel", "give a kernel of one or two dimensions")
        if len(shape) != dimensions + 1:
            what = f"{each.title} convolves {dimensions} dimensions and channels, but its source is {text_of(shape)}"
            raise each.origin.error(what, "a convolution reads channels x length or channels x height x width")
        if value.shape[1] * op.groups != shape[0] or value.shape[0] % op.groups:
            what = f"weights {value.label}are {text_of(value.shape)} in {op.groups} groups"
            raise value.origin.error(
                f"{what}, but {each.title} reads {shape[0]} channels", "check channels and groups of the weights"
            )
        padding = op.padding or ((0,) * dimensions, (0,) * dimensions)
        stride, dilation = op.stride or (1,) * dimensions, op.dilation or (1,) * dimensions
        if min(convolved(shape[1:], value.shape[2:], stride, padding, dilation)) < 1:
            what = f"a kernel of {text_of(value.shape[2:])} does not fit {text_of(shape[1:])}"
            raise each.origin.error(f"{each.title}: {what}", "use a smaller kernel or more padding")
        weights = self.tensor(value, "weights", f"{each.name}.weight")
        rest = self.rest(each, op, weights, value.shape[0])
        make = _CONVOLUTIONS[dimensions]
        conv = make(source, weights, stride=stride, padding=padding, dilation=dilation, groups=op.groups, **rest)
        self.check_shape(each, conv.current)
        return [(conv, _name(weights, each))], conv.current

    def sparse(self, each: Transform, op: Sparse, source: SSAValue) -> Made:
        """Single synapses."""
        if each.shape is None:
            raise each.origin.error(f"the number of targets of {each.title} is unknown", "give it a shape")
        if op.weights.shape == ():
            op_weights = Value(np.full(op.sources.shape, float(op.weights.array)), op.weights.origin)
        else:
            op_weights = op.weights
        columns = {"from": op.sources, "to": op.targets} | ({} if op.delays is None else {"delays": op.delays})
        for name, value in columns.items():
            if value.shape != op_weights.shape or len(value.shape) != 1:
                what = f"{name} {value.label}is {text_of(value.shape)}, but the weights are {text_of(op_weights.shape)}"
                raise value.origin.error(what, "there is one entry per synapse in each")
            if value.array.dtype.kind not in "iu":
                raise value.origin.error(f"{name} {value.label}holds no whole numbers", "store it as int64")
        limits = {"from": prod(signal_shape(source)), "to": prod(each.shape)}
        for name, limit in limits.items():
            array = columns[name].array
            if int(array.max()) >= limit or int(array.min()) < 0:
                wrong = int(array[(array >= limit) | (array < 0)][0])
                hint = f"neurons are numbered from 0 to {limit - 1}"
                raise columns[name].origin.error(f"{name} names neuron {wrong} of {limit}", hint)
        weights = self.tensor(op_weights, "weights", f"{each.name}.weight")
        ends = {name: self.numbers(value, f"{each.name}.{name}") for name, value in columns.items()}
        rest = self.rest(each, op, weights, prod(each.shape))
        sparse = SparseOp(
            source,
            weights,
            ends["from"],
            ends["to"],
            SignalType.current(*each.shape),
            delays=ends.get("delays"),
            **rest,
        )
        return [(sparse, _name(weights, each))], sparse.current

    def bundle(self, each: Transform, op: Bundle, source: SSAValue) -> Made:
        """A matrix on all neurons for each delay level."""
        value, sources = op.weights, prod(signal_shape(source))
        if len(value.shape) != 3:
            found = f"are {text_of(value.shape)}" if value.shape else "are a number"
            what = f"weights {value.label}{found}, but a bundle needs a matrix for each delay level"
            raise value.origin.error(what, "weights are levels x targets x sources; for one matrix use dense")
        targets = each.shape or value.shape[1:2]
        needed = (prod(targets), sources)
        if value.shape[1:] != needed:
            what = f"weights {value.label}are {text_of(value.shape)}, but {each.title} needs levels x {text_of(needed)}"
            turned = "; these matrices are transposed" if value.shape[1:] == needed[::-1] else ""
            raise value.origin.error(what, f"weights are levels x targets x sources{turned}")
        weights = self.tensor(value, "weights", f"{each.name}.weight")
        rest = self.rest(each, op, weights, prod(targets))
        bundle = BundleOp(source, weights, SignalType.current(*targets), stride=op.stride, **rest)
        return [(bundle, _name(weights, each))], bundle.current

    def pool(self, each: Transform, op: Pool, source: SSAValue) -> Made:
        """A pool."""
        shape, n = signal_shape(source), len(op.kernel)
        if len(shape) != n + 1:
            what = f"{each.title} pools {n} dimensions and channels, but its source is {text_of(shape)}"
            raise each.origin.error(what, "a pool reads channels x length or channels x height x width")
        padding = op.padding or ((0,) * n, (0,) * n)
        if min(convolved(shape[1:], op.kernel, op.stride or op.kernel, padding, (1,) * n)) < 1:
            what = f"a window of {text_of(op.kernel)} does not fit {text_of(shape[1:])}"
            raise each.origin.error(f"{each.title}: {what}", "use a smaller window")
        pool = _POOLS[op.kind](source, op.kernel, op.stride, op.padding)
        self.check_shape(each, pool.pooled)
        return [(pool, each.name)], pool.pooled

    def flatten(self, each: Transform, op: Flatten, source: SSAValue) -> Made:
        """Merge dimensions; none where there is only one."""
        shape = signal_shape(source)
        start, end = (n + len(shape) if n < 0 else n for n in (op.start, op.end))
        if not 0 <= start <= end < len(shape):
            what = f"dimensions {op.start} to {op.end} of {text_of(shape)} cannot be flattened"
            raise each.origin.error(what, f"dimensions are numbered from 0 to {len(shape) - 1}")
        merged = (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])
        if merged == shape:
            return [], source
        if len(merged) == 1:
            return self.flattened(each, source)
        flat = FlattenOp(source, merged)
        return [(flat, each.name)], flat.flat

    def slice(self, each: Transform, op: Slice, source: SSAValue) -> Made:
        """Some neurons, in any shape of as many."""
        if op.indices.stop > prod(signal_shape(source)):
            neurons = prod(signal_shape(source))
            what = f"{op.indices} reaches beyond the {neurons} neurons of '{each.inputs[0].name}'"
            raise each.origin.error(what, "neurons are counted from 0, and the end of a slice is not part of it")
        part = SliceOp(source, op.indices, each.shape)
        return [(part, f"{each.inputs[0].name}_slice")], part.part

    def delay(self, each: Transform, op: Delay, source: SSAValue) -> Made:
        """The same signal, late."""
        if isinstance(op.steps, int):
            if op.steps == 0:
                return [], source
            late = DelayOp(source, op.steps)
            return [(late, each.name)], late.late
        size = prod(signal_shape(source))
        if prod(op.steps.shape) != size:
            what = f"{prod(op.steps.shape)} delays for {size} neurons of '{each.inputs[0].name}'"
            raise op.steps.origin.error(what, "give one number of steps per neuron, or one for all")
        late = DelayOp(source, self.numbers(op.steps, f"{each.name}.delay"))
        return [(late, each.name)], late.late

    def flattened(self, each: Transform, source: SSAValue) -> Made:
        """The source as one dimension."""
        if len(signal_shape(source)) == 1:
            return [], source
        if source in self.flat:
            return [], self.flat[source]
        flat = FlattenOp(source)
        self.flat[source] = flat.flat
        return [(flat, f"{value_name(each.inputs[0].name) or ''}_flat")], flat.flat

    def rest(self, each: Transform, op: Weighted, weights: ValueAttr, lanes: int) -> RestOfProjection:
        """Bias, scale and delay of a projection."""
        scale = None if op.scale is None else self.per_lane(op.scale, "scale", lanes, each)
        bias = None if op.bias is None else self.bias(op.bias, lanes, each)
        if isinstance(weights, TensorAttr) and not weights.data.element.startswith("f") and scale is None:
            hint = "add scale = ..., the value of one unit"
            raise op.weights.origin.error(f"weights {op.weights.label}are integers without a scale", hint)
        return {"bias": bias, "scale": scale, "delay": op.delay}

    def check_shape(self, each: Transform, value: SSAValue) -> None:
        """Raise unless the result has the shape that its reader has."""
        if each.shape is not None and signal_shape(value) != each.shape:
            what = f"{each.title} makes {text_of(signal_shape(value))}, but {text_of(each.shape)} is needed"
            raise each.origin.error(what, "correct the shape of the population, or the kernel, stride and padding")

    def per_lane(self, value: Value, what: str, size: int, each: Transform) -> ValueAttr:
        """A number, or one per target."""
        self.check_size(value, what, size, each)
        suffix = "weight" if what == "weights" else what
        attribute = self.value(value, what, f"{each.name}.{suffix}")
        if what == "scale" and not (np.asarray(value_of(attribute)) > 0).all():
            raise value.origin.error(f"scale {value.label}is not positive", "put the sign into the weights")
        return attribute

    def bias(self, value: Value, size: int, each: Transform) -> TensorAttr:
        """The bias of each target; one number stands for all."""
        self.check_size(value, "bias", size, each)
        if isinstance(value.data, int | float):
            value = Value(np.full(size, value.data), value.origin)
        return self.tensor(value, "bias", f"{each.name}.bias")

    def check_size(self, value: Value, what: str, size: int, each: Transform) -> None:
        """Raise unless there is one entry per target, or one for all."""
        if value.shape and prod(value.shape) != size:
            message = f"{what} {value.label}has {prod(value.shape)} entries, but {each.title} has {size} targets"
            raise value.origin.error(message, "give one entry per target")

    def value(self, value: Value, what: str, key: str) -> ValueAttr:
        """A number where all entries are equal, else a tensor; `key` names an array that has no key."""
        if isinstance(value.data, int | float):
            check_finite(value, what)
            return FloatAttr(value.data, 64)
        tensor = self.tensor(value, what, key).data
        first = tensor.array.flat[0]
        return FloatAttr(float(first), 64) if bool((tensor.array == first).all()) else TensorAttr(tensor)

    def numbers(self, value: Value, key: str) -> TensorAttr:
        """A tensor of whole numbers."""
        if isinstance(value.data, Tensor) and value.data.element == "i64":
            return TensorAttr(value.data)
        name = value.data.key if isinstance(value.data, Tensor) else key
        return self.tensor(Value(value.array.astype(np.int64), value.origin), name, name)

    def tensor(self, value: Value, what: str, key: str) -> TensorAttr:
        """The tensor of a value that is none or all of a number, checked entry by entry."""
        assert not isinstance(value.data, int | float)
        check_finite(value, what)
        if isinstance(value.data, Tensor):
            return TensorAttr(value.data)
        key = unique(key, self.keys)
        self.keys.add(key)
        return TensorAttr.of(key, value.data)


def _name(weights: ValueAttr, each: Transform) -> str:
    """A name for the current: the key of the weights where they have one."""
    return _KEY_SUFFIX.sub("", weights.data.key) if isinstance(weights, TensorAttr) else each.name
