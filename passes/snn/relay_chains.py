"""Chains of relay neurons that make spikes later than the rows of a machine can, exactly.

A relay fires from one spike on and forgets at once, so it repeats what it reads. It reads its predecessor at the
longest delay that rows have. All synapses that need a spike later than that share the chain of its neuron, so a neuron
read until L steps late has ceil((L - m) / (m + e)) relays on rows of at most m steps, with e the step that a relay is
late itself. Fewer cannot do it: with k relays between, rows and relays add up to m (k + 1) + e k steps at most.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import SignalType
from snnir.dialects.snn import CubaLifOp, IfOp, InputOp, LifOp, NetworkOp, NeuronOp, ScaleOp, SliceOp
from snnir.indices import Indices
from snnir.pruning.synapses import Integers
from snnir.semantics import Semantics

_HALF = 0.5
"""The threshold of a relay: between no spike and one."""


@dataclass(frozen=True)
class Hops:
    """What rows and relays can delay."""

    longest: int
    """Steps of a row, at most."""
    own: int
    """Steps of a relay by itself: 0, or 1 for a membrane that follows the synapse's state of the step before."""

    @property
    def step(self) -> int:
        """Steps from one relay of a chain to the next."""
        return self.longest + self.own

    def relays(self, delays: Integers) -> Integers:
        """The fewest relays before a row, so that it is so many steps late in all."""
        if not self.step:
            return np.zeros_like(delays)
        return np.maximum(0, -(-(delays - self.longest) // self.step))

    def rest(self, delays: Integers) -> Integers:
        """The steps of the row itself behind these relays."""
        return delays - self.relays(delays) * self.step


def relay(name: str, models: Collection[str], own: int, type_: SignalType, dt: float) -> NeuronOp:
    """A population, without inputs yet, that fires where at least one spike arrives: now, or (`own` = 1) a step later.

    Membranes and synapses with a time constant of one step forget all within it.
    """
    ends: dict[str, Attribute] = {"threshold": FloatAttr(_HALF, 64), "v_reset": FloatAttr(0.0, 64)}
    one, step, rest = FloatAttr(1.0, 64), FloatAttr(dt, 64), FloatAttr(0.0, 64)
    if not own and "if" in models:
        return IfOp(name, [], {"r": one, **ends}, Semantics(), type_)
    if not own and "lif" in models:
        return LifOp(name, [], {"tau": step, "r": one, "v_leak": rest, **ends}, Semantics(), type_)
    parameters = {"tau_syn": step, "tau_mem": step, "r": one, "v_leak": rest, "w_in": one, **ends}
    return CubaLifOp(name, [], parameters, Semantics(order="mem_first" if own else "syn_first"), type_)


@dataclass(frozen=True)
class Stage:
    """Some neurons of a source, all of them equally late."""

    signal: SSAValue
    neurons: Integers
    """Their numbers in the source, ascending."""

    def places(self, neurons: Integers) -> Integers:
        """Where neurons of the source stand in the signal."""
        return np.searchsorted(self.neurons, neurons)

    def of(self, neurons: Integers, shape: tuple[int, ...]) -> tuple[list[Operation], SSAValue]:
        """The signal of some neurons in their order and in a shape; and the op that makes it, where that is new."""
        assert isinstance(self.signal.type, SignalType)
        places = self.places(neurons)
        if shape == self.signal.type.shape.data and np.array_equal(places, np.arange(len(self.neurons))):
            return [], self.signal
        part = SliceOp(self.signal, Indices.of(places), shape)
        return [part], part.part


@dataclass
class Chains:
    """The relays of a network: of each source, stages that are one hop later each."""

    network: NetworkOp
    models: Collection[str]
    hops: Hops
    stages: dict[str, list[Stage]] = field(default_factory=dict[str, list[Stage]])

    def build(self, source: InputOp | NeuronOp, relays: Integers) -> list[NeuronOp]:
        """Give each neuron of a source so many relays, (neurons,). Returns the populations of them, stage by stage."""
        name, signal = source.sym_name.data, source.results[0]
        assert isinstance(signal.type, SignalType)
        shape = signal.type.shape.data
        stages = [Stage(signal, np.arange(source.size))]
        made: list[NeuronOp] = []
        after: Operation = source
        for number in range(1, int(relays.max(initial=0)) + 1):
            members = np.flatnonzero(relays >= number)
            own = shape if len(members) == source.size else (len(members),)
            ops, read = stages[-1].of(members, own)
            late = ScaleOp(read, FloatAttr(1.0, 64), SignalType.current(*own), delay=self.hops.longest)
            made.append(self.population(f"{name}_late{number}", self.hops.own, SignalType.spikes(*own), source))
            made[-1].operands = [late.current]
            new = [*ops, late, made[-1]]
            for each in new:
                each.location = source.location
            Rewriter.insert_op(new, InsertPoint.after(after))
            after = made[-1]
            stages.append(Stage(made[-1].signal, members))
        self.stages[name] = stages
        return made

    def population(self, base: str, own: int, type_: SignalType, place: Operation) -> NeuronOp:
        """A relay population with a name that nothing has yet; not in the program yet."""
        taken = {*self.network.sources, *self.network.outputs}
        name, number = base, 1
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        made = relay(name, self.models, own, type_, self.network.step_seconds)
        made.location = place.location
        made.signal.name_hint = name
        return made
