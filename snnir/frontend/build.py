"""From declarations to IR: the builder that all front ends share, so that equal networks give equal IR.

`build` checks what `snnir.frontend.network` describes, blames the place that is wrong, and makes the ops: inputs, then
for each population the ops that feed it followed by the population itself, then outputs, each in the order given.
Connections are SSA values, so a recurrent projection reads a population that follows it in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NoReturn

from xdsl.dialects.builtin import FloatAttr, IntAttr, ModuleOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import SignalType
from snnir.dialects.platform import ATTRIBUTE as MACHINE
from snnir.dialects.snn import (
    ACTIVATION_OPS,
    NEURON_OPS,
    AddOp,
    DualLifOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    zero_delay_cycle,
)
from snnir.frontend.build_ops import Maker, signal_shape
from snnir.frontend.checks import check_names, check_parameters, check_shape, check_time, parameters_of
from snnir.frontend.names import suggestion, value_name
from snnir.frontend.network import Input, Network, Origin, Output, Population, Reference, Transform, text_of


def build(network: Network) -> ModuleOp:
    """The module with one `snn.network`, verified, every op located. Raises `SnnirError` for what makes no sense."""
    return _Builder(network).module()


class _Builder:
    """The ops made so far and where each comes from."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.maker = Maker(network)
        self.transforms = {each.name: each for each in network.transforms}
        self.sources: dict[str, InputOp | NeuronOp] = {}
        self.values: dict[str, SSAValue] = {}
        self.sums: dict[tuple[SSAValue, ...], SSAValue] = {}
        self.ops: list[Operation] = []
        self.origins: dict[Operation, Origin] = {}
        self.made: dict[Operation, Transform] = {}

    def module(self) -> ModuleOp:
        """Check everything and make the ops."""
        network = self.network
        check_names(network)
        check_time(network)
        for each in network.inputs:
            self.sources[each.name] = self.input(each)
            self.ops.append(self.sources[each.name])
        for each in network.populations:
            self.sources[each.name] = self.population(each)
        for each in network.populations:
            self.feed(each)
        outputs = [self.output(each) for each in network.outputs]
        for each in network.transforms:
            if each.name not in self.values:
                raise each.origin.error(f"nothing reads '{each.title}'", "connect it to a population or an output")
        block = Block([*self.ops, *outputs])
        op = NetworkOp(network.name, network.dt, network.steps, Region(block))
        op.attributes |= network.attributes
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
            op.results[0].name_hint = value_name(hint)

    def input(self, each: Input) -> InputOp:
        """The op of an input."""
        check_shape(each.shape, each.origin, each.name)
        type_ = SignalType.spikes if each.element == "spike" else SignalType.current
        op = InputOp(each.name, type_(*each.shape))
        op.attributes |= each.attributes
        self.placed(op, each.origin, each.name)
        return op

    def population(self, each: Population) -> NeuronOp:
        """The op of a population, its inputs still missing."""
        check_shape(each.shape, each.origin, each.name)
        check_parameters(each, self.network.dt)
        parameters: dict[str, Attribute] = {}
        for name in parameters_of(each.model):
            value = each.parameters[name]
            parameters[name] = self.maker.value(value, name, f"{each.name}.{name}")
        if each.model in ACTIVATION_OPS:
            op: NeuronOp = ACTIVATION_OPS[each.model](each.name, [], SignalType.current(*each.shape), parameters)
        else:
            make = NEURON_OPS[each.model]
            op = make(each.name, [], parameters, each.semantics, make.emitted(SignalType.spikes(*each.shape)))
        op.attributes |= each.attributes
        self.placed(op, each.origin, each.name)
        return op

    def feed(self, each: Population) -> None:
        """Make what a population reads, and place the population behind it."""
        op = self.sources[each.name]
        assert isinstance(op, NeuronOp)
        if each.inhibitory and not isinstance(op, DualLifOp):
            hint = "dual_lif has two: excitatory and inhibitory"
            raise each.inhibitory[0].origin.error(f"{each.model} neurons have one synapse state", hint)
        inputs = [self.current(reference, op) for reference in (*each.inputs, *each.inhibitory)]
        op.operands = inputs
        if isinstance(op, DualLifOp):
            op.second = IntAttr(len(each.inhibitory))
        self.ops.append(op)

    def current(self, reference: Reference, target: NeuronOp) -> SSAValue:
        """What a population reads, as a current of its shape; spikes count as one each."""
        value = self.value(reference)
        assert isinstance(value.type, SignalType)
        if value.type.shape != target.signal_type.shape:
            what = f"'{reference.name}' has the shape {text_of(signal_shape(value))}"
            hint = "put a flatten or a projection between them"
            raise reference.origin.error(
                f"{what}, but '{target.sym_name.data}' has {text_of(target.signal_type.shape.data)}", hint
            )
        if not value.type.is_spike:
            return value
        op = ScaleOp(value, FloatAttr(1.0, 64), SignalType.current(*value.type.shape.data))
        self.placed(op, reference.origin, f"{reference.name}_to_{target.sym_name.data}")
        self.ops.append(op)
        return op.current

    def value(self, reference: Reference) -> SSAValue:
        """The signal that a name stands for; transforms are made when they are first asked for."""
        if reference.name in self.sources:
            return self.sources[reference.name].results[0]
        if reference.name not in self.transforms:
            known = [*self.sources, *(each.name for each in self.network.transforms if not each.label)]
            what = f"there is no input or population '{reference.name}'"
            raise reference.origin.error(what, suggestion(reference.name, known))
        if reference.name not in self.values:
            for name in self.order(reference.name):
                self.values[name] = self.transform(self.transforms[name])
        return self.values[reference.name]

    def order(self, name: str) -> list[str]:
        """The transforms behind a transform that are not made yet, each after those that it reads."""
        order: TopologicalSorter[str] = TopologicalSorter()
        waiting, seen = [name], {name}
        while waiting:
            each = self.transforms[waiting.pop()]
            before = [r.name for r in each.inputs if r.name in self.transforms and r.name not in self.values]
            order.add(each.name, *before)
            waiting += [new for new in before if new not in seen]
            seen.update(before)
        try:
            return list(order.static_order())
        except CycleError as error:
            ring: list[str] = error.args[1]
            what = f"the cycle {' -> '.join(ring)} has no population in it"
            raise self.transforms[ring[0]].origin.error(what, "put a population into it") from None

    def transform(self, each: Transform) -> SSAValue:
        """The value of a transform whose inputs are made."""
        if not each.inputs:
            raise each.origin.error(f"'{each.title}' reads nothing", "connect it to an input or a population")
        source = self.sum([self.value(reference) for reference in each.inputs], each.inputs, each.origin)
        ops, value = self.maker.make(each, source)
        for op, hint in ops:
            last = op is value.owner
            op.attributes |= each.attributes if last else {}
            self.placed(op, each.origin, each.name if last and each.declared else hint)
            self.made[op] = each
        self.ops += [op for op, _ in ops]
        return value

    def sum(self, values: Sequence[SSAValue], references: Sequence[Reference], origin: Origin) -> SSAValue:
        """The sum of several signals of one shape."""
        if len(values) == 1:
            return values[0]
        key = tuple(values)
        if key not in self.sums:
            for value, reference in zip(values[1:], references[1:], strict=True):
                if signal_shape(value) != signal_shape(values[0]):
                    what = f"'{reference.name}' has the shape {text_of(signal_shape(value))}, but it is added to"
                    first = f"'{references[0].name}' of {text_of(signal_shape(values[0]))}"
                    raise reference.origin.error(f"{what} {first}", "only signals of one shape are added")
            op = AddOp(*values)
            self.placed(op, origin, "sum")
            self.ops.append(op)
            self.sums[key] = op.total
        return self.sums[key]

    def output(self, each: Output) -> OutputOp:
        """The op of an output."""
        if not each.sources:
            raise each.origin.error(f"output '{each.name}' reads nothing", "name an input or a population")
        value = self.sum([self.value(reference) for reference in each.sources], each.sources, each.origin)
        op = OutputOp(each.name, value)
        op.attributes |= each.attributes
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
        """Blame the connection that leads furthest back in the order of the file. `cycle` repeats its first op."""
        ring = cycle[:-1]
        starts = [number for number, op in enumerate(ring) if isinstance(op, NeuronOp)]
        ring = ring[starts[0] :] + ring[: starts[0]]
        order = {op: number for number, op in enumerate(self.sources.values())}
        # Between two populations of the ring stand the ops of one connection; the last one is blamed.
        closing, furthest, source = ring[-1], None, ring[0]
        for before, op in zip(ring, [*ring[1:], ring[0]], strict=True):
            if isinstance(op, NeuronOp):
                back = order[op] - order[source]  # pyright: ignore[reportArgumentType]
                if furthest is None or back < furthest:
                    closing, furthest, first = before, back, op
                source = op
        names = [op.sym_name.data for op in ring if isinstance(op, NeuronOp)]
        where = names.index(first.sym_name.data)  # pyright: ignore[reportPossiblyUnboundVariable]
        text = " -> ".join([*names[where:], *names[: where + 1]])
        what = f"zero-delay cycle {text}: within one step each would have to wait for the other"
        raise self.origins[closing].error(what, "give this projection delay = 1, or more")
