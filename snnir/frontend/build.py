"""From declarations to IR: the builder that all front ends share, so that equal networks give equal IR.

`build` checks what `snnir.frontend.network` describes, blames the place that is wrong, and makes the ops: inputs, then
for each population the projections into it followed by the population itself, then outputs, each in the order given.
Connections are SSA values, so a recurrent projection reads a population that follows it in the text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from math import isfinite, prod
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValue
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import SignalType, TensorAttr, ValueAttr, value_of
from snnir.dialects.platform import ATTRIBUTE as MACHINE
from snnir.dialects.snn import (
    NEURON_OPS,
    DenseOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SliceOp,
    WeightedOp,
    zero_delay_cycle,
)
from snnir.frontend.names import suggestion, unique
from snnir.frontend.network import (
    Input,
    Network,
    Origin,
    Output,
    Population,
    Projection,
    Reference,
    Shape,
    Value,
    text_of,
)
from snnir.indices import Indices
from snnir.semantics import PARAMETERS, TIME_CONSTANTS, parameter_error
from snnir.tensors import Tensor

NEURON_LIMIT = 2**31 - 1
"""A population of more neurons is refused as a typing error."""

_KEY_SUFFIX = re.compile(r"\.(weights?|scale)$")
_NUMBER_SUFFIX = re.compile(r"(_\d+)+$")


def build(network: Network) -> ModuleOp:
    """The module with one `snn.network`, verified, every op located. Raises `SnnirError` for what makes no sense."""
    return _Builder(network).module()


class _Builder:
    """The ops made so far and where each comes from."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.keys = {value.data.key for value in network.values() if isinstance(value.data, Tensor)}
        self.inputs: dict[str, InputOp] = {}
        self.populations: dict[str, NeuronOp] = {}
        self.into: dict[str, list[Operation]] = defaultdict(list)
        self.currents: dict[str, list[SSAValue]] = defaultdict(list)
        self.parts: dict[tuple[str, Indices | None], SSAValue] = {}
        self.origins: dict[Operation, Origin] = {}
        self.projections: dict[Operation, Projection] = {}

    def module(self) -> ModuleOp:
        """Check everything and make the ops."""
        network = self.network
        check_names(network)
        check_time(network)
        for each in network.inputs:
            self.inputs[each.name] = self.input(each)
        for each in network.populations:
            self.populations[each.name] = self.population(each)
        for each in network.projections:
            self.project(each)
        for name, op in self.populations.items():
            op.operands = self.currents[name]
        outputs = [self.output(each) for each in network.outputs]
        ops: list[Operation] = [*self.inputs.values()]
        for name, op in self.populations.items():
            ops += [*self.into[name], op]
        block = Block([*ops, *outputs])
        op = NetworkOp(network.name, network.dt, network.steps, Region(block))
        self.placed(op, network.origin)
        self.verify(op, block)
        module = ModuleOp([op])
        module.location = network.origin.location
        if network.machine is not None:
            module.attributes[MACHINE] = network.machine
        return module

    def placed(self, op: Operation, origin: Origin, hint: str = "") -> None:
        """Give an op its place and its result a name."""
        op.location = origin.location
        self.origins[op] = origin
        if op.results:
            op.results[0].name_hint = _hint(hint)

    def input(self, each: Input) -> InputOp:
        """The op of an input."""
        check_shape(each.shape, each.origin, each.name)
        op = InputOp(each.name, SignalType.spikes(*each.shape))
        self.placed(op, each.origin, each.name)
        return op

    def population(self, each: Population) -> NeuronOp:
        """The op of a population, its inputs still missing."""
        check_shape(each.shape, each.origin, each.name)
        check_parameters(each, self.network.dt)
        parameters: dict[str, Attribute] = {}
        for name in PARAMETERS[each.model]:
            value = each.parameters[name]
            parameters[name] = self.value(value, name, f"{each.name}.{name}")
        result = SignalType.spikes(*each.shape)
        op = NEURON_OPS[each.model](each.name, [], parameters, each.semantics, result)
        self.placed(op, each.origin, each.name)
        return op

    def project(self, each: Projection) -> None:
        """The ops of a projection: a slice or a flattening where needed, then the weights."""
        target = self.target(each.target)
        source = self.part(each, self.source(each.source), target)
        check = self.dense_weights if each.kind == "dense" else self.one_to_one_weights
        weights = check(each, source, target)
        size = target.spikes_type.size
        scale = None if each.scale is None else self.per_target(each.scale, "scale", size, each)
        bias = None if each.bias is None else self.bias(each.bias, size, each)
        if isinstance(weights, TensorAttr) and not weights.data.element.startswith("f") and scale is None:
            hint = "add scale = ..., the value of one unit"
            raise each.weights.origin.error(f"weights {each.weights.label}are integers without a scale", hint)
        make = DenseOp if each.kind == "dense" else ScaleOp
        result = SignalType.current(*target.spikes_type.shape.data)
        op = make(source, weights, result, bias=bias, scale=scale, delay=each.delay)
        tensor = weights if isinstance(weights, TensorAttr) else None
        self.placed(op, each.origin, _KEY_SUFFIX.sub("", tensor.data.key) if tensor else _base(each))
        self.projections[op] = each
        self.into[each.target.name].append(op)
        self.currents[each.target.name].append(op.current)

    def source(self, reference: Reference) -> OpResult:
        """The signal that a name stands for."""
        if reference.name in self.inputs:
            return self.inputs[reference.name].signal
        if reference.name in self.populations:
            return self.populations[reference.name].spikes
        known = [*self.inputs, *self.populations]
        raise reference.origin.error(
            f"there is no input or population '{reference.name}'", suggestion(reference.name, known)
        )

    def target(self, reference: Reference) -> NeuronOp:
        """The population that a name stands for."""
        if reference.name in self.populations:
            return self.populations[reference.name]
        if reference.name in self.inputs:
            hint = "a projection leads to a population"
            raise reference.origin.error(f"'{reference.name}' is an input, which takes no projections", hint)
        hint = suggestion(reference.name, self.populations, "populations")
        raise reference.origin.error(f"there is no population '{reference.name}'", hint)

    def part(self, each: Projection, source: SSAValue, target: NeuronOp) -> SSAValue:
        """The neurons that a projection reads, in the shape in which it reads them."""
        shape = _shape(source)
        indices = None
        if each.part is not None:
            indices, origin = each.part
            if indices.stop > prod(shape):
                what = f"{indices} reaches beyond the {prod(shape)} neurons of '{each.source.name}'"
                raise origin.error(what, "neurons are counted from 0, and the end of a slice is not part of it")
        elif len(shape) == 1 or (each.kind == "one_to_one" and shape == target.spikes_type.shape.data):
            return source
        key = (each.source.name, indices)
        if key not in self.parts:
            op = FlattenOp(source) if indices is None else SliceOp(source, indices)
            self.placed(op, each.origin, f"{each.source.name}_{'flat' if indices is None else 'slice'}")
            self.into[each.target.name].append(op)
            self.parts[key] = op.results[0]
        return self.parts[key]

    def dense_weights(self, each: Projection, source: SSAValue, target: NeuronOp) -> TensorAttr:
        """The matrix of a dense projection, targets x sources."""
        value, needed = each.weights, (target.spikes_type.size, prod(_shape(source)))
        if isinstance(value.data, int | float):
            hint = "dense weights are one row per target; for one weight between equal indices use one_to_one"
            raise value.origin.error("dense weights are a matrix, not a number", hint)
        if value.shape != needed:
            what = f"weights {value.label}are {text_of(value.shape)}, but {each.label} needs {text_of(needed)}"
            turned = "; this matrix is transposed" if value.shape == needed[::-1] else ""
            raise value.origin.error(what, f"weights are targets x sources{turned}")
        return self.tensor(value, "weights", f"{_base(each)}.weight")

    def one_to_one_weights(self, each: Projection, source: SSAValue, target: NeuronOp) -> ValueAttr:
        """The weights of a one-to-one projection: a number, or one per neuron."""
        sources, targets = _shape(source), target.spikes_type.shape.data
        if sources != targets:
            what = f"{each.label} connects {text_of(sources)} neurons one to one with {text_of(targets)}"
            raise each.origin.error(what, "use dense, or a slice of the source that is as large as the target")
        return self.per_target(each.weights, "weights", prod(targets), each)

    def per_target(self, value: Value, what: str, size: int, each: Projection) -> ValueAttr:
        """A number, or one per target."""
        self.check_size(value, what, size, each)
        suffix = "weight" if what == "weights" else what
        attribute = self.value(value, what, f"{_base(each)}.{suffix}")
        if what == "scale" and not (np.asarray(value_of(attribute)) > 0).all():
            raise value.origin.error(f"scale {value.label}is not positive", "put the sign into the weights")
        return attribute

    def bias(self, value: Value, size: int, each: Projection) -> TensorAttr:
        """The bias of each target; one number stands for all."""
        self.check_size(value, "bias", size, each)
        if isinstance(value.data, int | float):
            value = Value(np.full(size, value.data), value.origin)
        return self.tensor(value, "bias", f"{_base(each)}.bias")

    def check_size(self, value: Value, what: str, size: int, each: Projection) -> None:
        """Raise unless there is one entry per target, or one for all."""
        if value.shape and prod(value.shape) != size:
            message = f"{what} {value.label}has {prod(value.shape)} entries, but {each.label} has {size} targets"
            raise value.origin.error(message, "give one entry per target")

    def value(self, value: Value, what: str, key: str) -> ValueAttr:
        """A number where all entries are equal, else a tensor; `key` names an array that has no key."""
        if isinstance(value.data, int | float):
            check_finite(value, what)
            return FloatAttr(value.data, 64)
        tensor = self.tensor(value, what, key).data
        first = tensor.array.flat[0]
        return FloatAttr(float(first), 64) if bool((tensor.array == first).all()) else TensorAttr(tensor)

    def tensor(self, value: Value, what: str, key: str) -> TensorAttr:
        """The tensor of a value that is none or all of a number, checked entry by entry."""
        assert not isinstance(value.data, int | float)
        check_finite(value, what)
        if isinstance(value.data, Tensor):
            return TensorAttr(value.data)
        key = unique(key, self.keys)
        self.keys.add(key)
        return TensorAttr.of(key, value.data)

    def output(self, each: Output) -> OutputOp:
        """The op of an output."""
        op = OutputOp(each.name, self.source(each.source))
        self.placed(op, each.origin)
        return op

    def verify(self, network: NetworkOp, block: Block) -> None:
        """Ask each op; raises at its place. (xDSL's own walk would print the whole module into the error.)"""
        cycle = zero_delay_cycle(block)
        if cycle:
            self.raise_cycle(cycle)
        for op in (*block.ops, network):
            try:
                op.verify_()
            except VerifyException as error:
                raise self.origins[op].error(str(error)) from None

    def raise_cycle(self, cycle: list[Operation]) -> NoReturn:
        """Blame the projection that leads furthest back in the order of the file. `cycle` repeats its first op."""
        ring = cycle[:-1]
        names = [op.sym_name.data for op in ring if isinstance(op, NeuronOp)]
        order = {name: number for number, name in enumerate(self.populations)}
        closing = min(
            (self.projections[op] for op in ring if isinstance(op, WeightedOp)),
            key=lambda each: order[each.target.name] - order[each.source.name],
        )
        first = names.index(closing.target.name)
        text = " -> ".join([*names[first:], *names[: first + 1]])
        what = f"zero-delay cycle {text}: within one step each would have to wait for the other"
        raise closing.origin.error(what, "give this projection delay = 1, or more")


def check_names(network: Network) -> None:
    """Raise unless inputs, populations and outputs have different names."""
    declared: set[str] = set()
    for each in (*network.inputs, *network.populations, *network.outputs):
        if each.name in declared:
            hint = "inputs, populations and outputs need different names"
            raise each.origin.error(f"'{each.name}' is declared twice", hint)
        declared.add(each.name)


def check_time(network: Network) -> None:
    """Raise unless the step is a positive number of seconds and an inference takes at least one."""
    if not isfinite(network.dt) or network.dt <= 0:
        raise network.dt_origin.error(f"dt = {network.dt:g} is not a positive number of seconds", "say dt = 1e-3")
    if network.steps is not None and network.steps < 1:
        raise network.steps_origin.error(f"steps = {network.steps}, but an inference takes at least one step")


def check_shape(shape: Shape, origin: Origin, name: str) -> None:
    """Raise unless every dimension holds something and all together not absurdly much."""
    if not shape or min(shape) < 1:
        raise origin.error(f"'{name}' has the shape {text_of(shape)}, but every dimension needs at least 1 neuron")
    if prod(shape) > NEURON_LIMIT:
        raise origin.error(f"'{name}' has more than {NEURON_LIMIT} neurons", "correct its shape")


def check_parameters(each: Population, dt: float) -> None:
    """Raise at the parameter of a population that has a wrong shape or makes no sense for steps of `dt` seconds."""
    numbers: dict[str, float | NDArray[np.float64]] = {}
    for name in PARAMETERS[each.model]:
        value = each.parameters[name]
        if value.shape not in ((), each.shape, (prod(each.shape),)):
            what = f"{name} {value.label}has the shape {text_of(value.shape)}"
            hint = "give one number, or one for each neuron"
            raise value.origin.error(f"{what}, but '{each.name}' has the shape {text_of(each.shape)}", hint)
        check_finite(value, name)
        numbers[name] = value.array.astype(np.float64).ravel() if value.shape else float(value.array)
    problem = parameter_error(each.model, numbers, dt)
    if problem:
        name = problem.split()[0]
        in_seconds = name in TIME_CONSTANTS
        hint = "times are in seconds: 5e-3 is 5 ms" if in_seconds else "raise the threshold or lower v_reset"
        raise each.parameters[name].origin.error(f"'{each.name}': {problem}", hint)


def check_finite(value: Value, what: str) -> None:
    """Raise when a value is empty or holds NaN or infinity, naming the first such entry."""
    array = value.array
    if not array.size:
        raise value.origin.error(f"{what} {value.label}holds no numbers")
    if not (value.data.is_finite if isinstance(value.data, Tensor) else np.isfinite(array).all()):
        place = np.argwhere(~np.isfinite(array))[0].tolist()
        hint = "every number must be finite; was the training stable?"
        at = f" at {place}" if place else ""
        raise value.origin.error(f"{what} {value.label}holds {array[tuple(place)]}{at}", hint)


def _shape(value: SSAValue) -> Shape:
    assert isinstance(value.type, SignalType)
    return value.type.shape.data


def _base(each: Projection) -> str:
    return f"{each.source.name}_to_{each.target.name}"


def _hint(name: str) -> str | None:
    """A name for an SSA value that printing and parsing keep: xDSL drops one `_1` at the end each time."""
    text = _NUMBER_SUFFIX.sub("", re.sub(r"[^A-Za-z0-9_$.-]", "_", name))
    return None if not text else text if re.match(r"[A-Za-z_$.-]", text) else f"n{text}"
