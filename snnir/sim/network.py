"""A program as arrays: what the simulator runs and what passes compute on. No IR here."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.activations import Coding, activate
from snnir.semantics import SPIKING, Coefficients, Semantics, Value
from snnir.sim.operators import EXACT_BITS, OneToOne, Operator
from snnir.sim.schedule import Group, schedule

INLINE = "an inline number"
"""The key of weights that are one number and no tensor."""


@dataclass(frozen=True)
class Projection:
    """Connections from `source` to one population (or current), `delay` steps late and as late as the operator says."""

    source: str
    """The input, population or current that is read."""
    indices: NDArray[np.int64]
    """Which of its neurons, in the order of the operator's sources."""
    operator: Operator
    scale: Value
    """Factor of the weights: one number, or one per target."""
    bias: Value
    """Constant current per target."""
    delay: int
    key: str
    """The name of the weights, for messages."""
    place: str
    """Where the projection comes from, for messages."""
    bias_start: int = 0
    """The first step with the bias; later than 0 for a delayed current."""
    most: int | None = 1
    """The largest value that is read where all are whole (an input counted as 0 or 1), `None` for reals."""

    @property
    def weights(self) -> NDArray[Any]:
        """Dense: (targets, sources). One-to-one: (targets,), target n reads `indices[n]`. Others: as stored."""
        return self.operator.weights

    @property
    def one_to_one(self) -> bool:
        """Whether target n reads only `indices[n]`."""
        return isinstance(self.operator, OneToOne)

    @property
    def lag(self) -> int:
        """The least number of steps between emission and arrival."""
        return self.delay + self.operator.least

    @cached_property
    def whole(self) -> bool:
        """Whether the indices are all neurons of the source, as far as they go, in order."""
        return bool((self.indices == np.arange(len(self.indices))).all())


@dataclass(frozen=True)
class Current:
    """A sum of projections that is read as it is: by other projections, or as an output."""

    name: str
    size: int
    projections: tuple[Projection, ...]
    place: str

    @cached_property
    def scale(self) -> Value | None:
        """The factor that all projections share, or `None` when they differ (then no crossbar column can hold them)."""
        scales = [p.scale for p in self.projections]
        if all(np.array_equal(np.broadcast_to(s, self.size), np.broadcast_to(scales[0], self.size)) for s in scales):
            return scales[0] if scales else 1.0
        return None

    @cached_property
    def bias(self) -> Value:
        """The sum of the projections' biases, in their order."""
        return sum((p.bias for p in self.projections), start=0.0)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The steps in which a bias begins, ascending."""
        return tuple(sorted({p.bias_start for p in self.projections if np.any(p.bias)}))

    @cached_property
    def _biases(self) -> list[Value]:
        """The sums of the biases that have begun before the first and after each of `starts`."""
        ends = (-1, *self.starts)
        return [sum((p.bias for p in self.projections if p.bias_start <= end), start=0.0) for end in ends]

    def bias_at(self, step: int) -> Value:
        """The sum of the biases that have begun."""
        return self._biases[bisect_right(self.starts, step)]

    @cached_property
    def exact(self) -> bool:
        """Whether every sum of weighted inputs, in any order, is exact in float64.

        All summands are multiples of a common unit (1 for integers; for floats the last place of the smallest weight)
        and no sum can exceed 2**53 units: the condition is sum |w| most < 2**53 unit, per neuron.
        """
        if self.scale is None:
            return False
        sums = np.zeros(self.size)
        units = np.full(self.size, np.inf)
        for p in self.projections:
            if p.most is None:
                return False
            mine, unit = p.operator.bounds()
            sums += mine * p.most
            units = np.minimum(units, unit)
        return bool((sums < units * 2.0**EXACT_BITS).all())

    def reach(self, most: Mapping[str, int | None]) -> int | None:
        """The largest value, where all are whole multiples of one unit, in that unit; from that of the sources."""
        if len(self.projections) != 1 or np.any(self.bias) or np.any(np.asarray(self.scale) != 1.0):
            return None
        (p,) = self.projections
        return p.operator.reach(most.get(p.source))

    @property
    def keeps_whole(self) -> bool:
        """Whether whole numbers stay in an integer type."""
        simple = len(self.projections) == 1 and not np.any(self.bias) and np.all(np.asarray(self.scale) == 1.0)
        return bool(simple) and self.projections[0].operator.whole()


@dataclass(frozen=True)
class Population(Current):
    """Neurons of one model; they sum the projections in their order."""

    model: str
    semantics: Semantics
    coefficients: Coefficients
    second: Current | None = None
    """What enters the second synapse of `dual_lif`."""
    settled: tuple[Value, Value] = (0.0, 0.0)
    """Constant current, `w * bias`, that is added to each synapse state where the semantics puts biases on the membrane
    (the projections have none then)."""
    unrounded: tuple[tuple[Projection, ...], tuple[Projection, ...]] | None = None
    """The projections of both synapses before the semantics rounded their weights, where it does: what is trained."""

    @property
    def spiking(self) -> bool:
        """Whether it emits spikes; else its membrane."""
        return self.model in SPIKING

    @property
    def all_projections(self) -> tuple[Projection, ...]:
        """Those of both synapses."""
        return self.projections + (self.second.projections if self.second is not None else ())


@dataclass(frozen=True)
class Activation(Current):
    """Neurons without a state; they emit a function of the sum of the projections."""

    function: str
    parameters: Mapping[str, Value]
    last: int
    """The last dimension of its shape, along which `softmax` works."""
    coding: Coding | None = None
    """What is emitted in place of values, where there is one."""

    @property
    def most(self) -> int | None:
        """The largest code that it emits; `None` where it emits reals, or codes with a sign."""
        return None if self.coding is None or self.coding.least < 0 else self.coding.most

    def emitted(self, current: NDArray[np.float64]) -> NDArray[np.float64]:
        """What it emits for an input, (..., neurons)."""
        shape = current.shape
        if self.function == "softmax":
            current = current.reshape(*shape[:-1], -1, self.last)
        found = activate(self.function, current, self.parameters).reshape(shape)
        return found if self.coding is None else self.coding.encode(found)


@dataclass(frozen=True)
class Network:
    """A program: inputs, populations in program order, and which signals the user reads."""

    name: str
    dt: float
    steps: int | None
    inputs: dict[str, int]
    """Number of lines of each input."""
    populations: dict[str, Population]
    outputs: dict[str, str]
    """The input, population or current behind each output."""
    currents: dict[str, Current] = field(default_factory=dict[str, Current])
    """Signals between projections, and currents that outputs read; no input or population has their names."""
    real_inputs: frozenset[str] = frozenset()
    """The inputs that bring real numbers, not spikes."""
    codings: Mapping[str, Coding] = field(default_factory=dict[str, Coding])
    """Of inputs that are values and become codes: how."""
    activations: dict[str, Activation] = field(default_factory=dict[str, Activation])
    """Populations without a state, in program order."""

    @property
    def sizes(self) -> dict[str, int]:
        """Number of neurons (or lines) of every input, population and current."""
        return {**self.inputs, **{name: node.size for name, node in self.nodes.items()}}

    @property
    def nodes(self) -> dict[str, Current]:
        """Everything that is computed: populations, activations and currents."""
        return {**self.populations, **self.activations, **self.currents}

    @property
    def signals(self) -> tuple[str, ...]:
        """What a simulation gives: inputs, populations, activations, and the currents that outputs read."""
        read = [source for source in self.outputs.values() if source in self.currents]
        return (*self.inputs, *self.populations, *self.activations, *dict.fromkeys(read))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """What runs together because it depends on each other, in an order of dependence."""
        edges = [
            (p.source, name, p.lag + self.emission_delay(p.source))
            for name, node in self.nodes.items()
            for p in (node.all_projections if isinstance(node, Population) else node.projections)
        ]
        return schedule(self.name, list(self.nodes), edges)

    def emission_delay(self, source: str) -> int:
        """The steps between firing and emission of a population; 0 for what is none."""
        population = self.populations.get(source)
        return 0 if population is None else population.semantics.out_delay
