"""What a population sums, rewritten so that no row is later than a machine allows: the rest is read from relays."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, IntAttr, f64
from xdsl.ir import Attribute, Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import Connection, terms_behind
from snnir.dialects.snn import AddOp, BundleOp, FlattenOp, NeuronOp, ScaleOp, SparseOp, WeightedOp
from snnir.passes.snn.delayed import Read, read_of, synapses_of
from snnir.passes.snn.relay_chains import Chains
from snnir.precision import integer_type
from snnir.pruning.synapses import Integers

Made = tuple[list[Operation], list[SSAValue]]
"""New ops in order, and the currents that they make."""


class Input(ABC):
    """One of the signals that a population sums."""

    is_kept: ClassVar[bool] = False
    """Whether it stays as it is."""

    @property
    @abstractmethod
    def reads(self) -> list[Read]:
        """What relays may have to be made for, with all steps in between."""

    @abstractmethod
    def make(self, chains: Chains) -> Made:
        """The same with rows that are no later than rows can be."""


def inputs_of(population: NeuronOp, longest: int) -> list[Input]:
    """The inputs of a population that crossbars can hold; those with rows later than `longest` can be made anew."""
    found: list[Input] = []
    shape = population.signal_type.shape.data
    for value in population.inputs:
        for part, user in _summands(value, population, longest):
            key = f"{population.sym_name.data}.weight{len(found) or ''}"
            found.append(_input(part, user, longest) or _Chain(terms_behind(part, user), key, shape))
    return found


def _summands(value: SSAValue, user: Operation, longest: int) -> Iterator[tuple[SSAValue, Operation]]:
    """The signals of which a signal is the sum, as far as some of them are too late."""
    owner = value.owner
    if _is_late(value, user, longest):
        if isinstance(owner, AddOp):
            for part in owner.inputs:
                yield from _summands(part, owner, longest)
            return
        if isinstance(owner, FlattenOp):
            yield from _summands(owner.source, owner, longest)
            return
    yield value, user


def _is_late(value: SSAValue, user: Operation, longest: int) -> bool:
    return any(term.delay > longest for term in terms_behind(value, user))


def _input(value: SSAValue, user: Operation, longest: int) -> Input | None:
    """What keeps its form; `None` for what several ops make together."""
    owner = value.owner
    if not _is_late(value, user, longest):
        return _Kept(value)
    if isinstance(owner, WeightedOp):
        read = read_of(owner.source)
        if read is not None and isinstance(owner, SparseOp):
            return _Single(owner, read)
        if read is not None and len(np.unique(read.delays)) == 1:
            return _Bundle(owner, read) if isinstance(owner, BundleOp) else _Whole(owner, read)
    return None


@dataclass(frozen=True)
class _Kept(Input):
    """A signal that stays as it is."""

    value: SSAValue
    is_kept: ClassVar[bool] = True

    @property
    def reads(self) -> list[Read]:
        return []

    def make(self, chains: Chains) -> Made:
        del chains
        assert isinstance(self.value.type, SignalType)
        if self.value.type.element == f64:
            return [], [self.value]
        current = AddOp(self.value)
        return [current], [current.total]


@dataclass(frozen=True)
class _Whole(Input):
    """A projection all of whose synapses are equally late."""

    op: WeightedOp
    read: Read

    @property
    def reads(self) -> list[Read]:
        return [Read(self.read.source, self.read.neurons, self.read.delays + self.op.delay.data)]

    def make(self, chains: Chains) -> Made:
        late = self.reads[0].delays[:1]
        stage = chains.stages[self.read.source][int(chains.hops.relays(late)[0])]
        ops, signal = stage.of(self.read.neurons, self.op.source_type.shape.data)
        new = self.op.clone()
        new.operands = [signal]
        new.delay = IntAttr(int(chains.hops.rest(late)[0]))
        _placed([new], self.op)
        return [*ops, new], [new.current]


@dataclass(frozen=True)
class _Bundle(Input):
    """A bundle: its levels are parted by the relays that they read, and stay bundles."""

    op: BundleOp
    read: Read

    @property
    def reads(self) -> list[Read]:
        synapses = synapses_of(self.op)
        delays = self.read.delays[synapses.origins] + synapses.delays
        return [Read(self.read.source, self.read.neurons[synapses.origins], delays)]

    def make(self, chains: Chains) -> Made:
        op, raw = self.op, self.op.weights
        assert isinstance(raw, TensorAttr)
        delays = self.read.delays[0] + op.delay.data + op.stride.data * np.arange(op.levels)
        relays, rest = chains.hops.relays(delays), chains.hops.rest(delays)
        used = raw.array.any(axis=(1, 2))
        made: list[WeightedOp] = []
        numbers: list[int] = np.unique(relays[used]).tolist()
        for number in numbers:
            stage = chains.stages[self.read.source][number]
            levels = np.flatnonzero(relays == number)
            sources = np.flatnonzero(raw.array[levels].any(axis=(0, 1)))
            weights = np.zeros((len(levels), op.current_type.size, len(stage.neurons)), raw.array.dtype)
            weights[:, :, stage.places(self.read.neurons[sources])] = raw.array[levels][:, :, sources]
            made.append(
                BundleOp(
                    stage.signal,
                    TensorAttr.of(_key(raw.data.key, number), weights),
                    op.current_type,
                    stride=op.stride.data,
                    bias=None if made else op.bias,
                    scale=op.scale,
                    delay=int(rest[levels[0]]),
                )
            )
        _placed(made, op)
        return list(made), [each.current for each in made]


@dataclass(frozen=True)
class _Some:
    """Single synapses of one source."""

    source: str
    weights: NDArray[Any]
    neurons: Integers
    targets: Integers
    delays: Integers

    @property
    def read(self) -> Read:
        return Read(self.source, self.neurons, self.delays)

    def make(
        self, chains: Chains, key: str, result: SignalType, scale: Attribute | None, bias: TensorAttr | None
    ) -> list[WeightedOp]:
        """Single synapses of as many relays as it takes; the first projection has the bias."""
        relays, rest = chains.hops.relays(self.delays), chains.hops.rest(self.delays)
        made: list[WeightedOp] = []
        numbers: list[int] = np.unique(relays).tolist()
        for number in numbers:
            stage, some = chains.stages[self.source][number], relays == number
            own, late = _key(key, number), rest[some]
            least = int(late.min())
            made.append(
                SparseOp(
                    stage.signal,
                    TensorAttr.of(own, self.weights[some]),
                    TensorAttr.of(f"{own}.from", stage.places(self.neurons[some])),
                    TensorAttr.of(f"{own}.to", self.targets[some]),
                    result,
                    delays=TensorAttr.of(f"{own}.delays", late - least) if (late > least).any() else None,
                    bias=None if made else bias,
                    scale=scale,
                    delay=least,
                )
            )
        return made


@dataclass(frozen=True)
class _Single(Input):
    """Single synapses, each as late as it is."""

    op: SparseOp
    read: Read

    @property
    def _some(self) -> _Some:
        assert isinstance(self.op.weights, TensorAttr)
        synapses = synapses_of(self.op)
        delays = self.read.delays[synapses.origins] + synapses.delays
        neurons = self.read.neurons[synapses.origins]
        return _Some(self.read.source, self.op.weights.array, neurons, synapses.ends, delays)

    @property
    def reads(self) -> list[Read]:
        return [self._some.read]

    def make(self, chains: Chains) -> Made:
        assert isinstance(self.op.weights, TensorAttr)
        key = self.op.weights.data.key
        made = self._some.make(chains, key, self.op.current_type, self.op.scale, self.op.bias)
        _placed(made, self.op)
        return list(made), [each.current for each in made]


@dataclass(frozen=True)
class _Chain(Input):
    """Several ops between spikes and a population; they become the single synapses that they make in all."""

    terms: list[Connection]
    key: str
    shape: tuple[int, ...]

    @property
    def _shared(self) -> bool:
        size = self.terms[0].synapses.targets
        scales = [np.broadcast_to(np.asarray(term.scale, np.float64), (size,)) for term in self.terms]
        return all(np.array_equal(scale, scales[0]) for scale in scales)

    @property
    def _parts(self) -> list[_Some]:
        found: dict[str, list[tuple[NDArray[Any], ...]]] = {}
        for term in self.terms:
            matrix = term.synapses.weighted()
            targets = np.repeat(np.arange(term.synapses.targets), np.diff(matrix.indptr))
            scale = np.broadcast_to(np.asarray(term.scale, np.float64), (term.synapses.targets,))
            weights = matrix.data if self._shared else matrix.data * scale[targets]
            delays = np.full(len(targets), term.delay)
            found.setdefault(term.source, []).append((weights, matrix.indices.astype(np.int64), targets, delays))
        parts = {name: [np.concatenate(each) for each in zip(*many, strict=True)] for name, many in found.items()}
        some = [_Some(name, *each) for name, each in parts.items() if len(each[0])]
        if some:
            return some
        # what has no synapses at all keeps its bias; one step late, it closes no cycle without a delay
        nothing = np.zeros(1, np.int64)
        return [_Some(self.terms[0].source, np.zeros(1), nothing, nothing, np.ones(1, np.int64))]

    @property
    def reads(self) -> list[Read]:
        return [part.read for part in self._parts]

    def make(self, chains: Chains) -> Made:
        size = self.terms[0].synapses.targets
        scale = _attribute(f"{self.key}.scale", self.terms[0].scale) if self._shared else None
        bias = np.sum([np.broadcast_to(np.asarray(term.bias, np.float64), (size,)) for term in self.terms], axis=0)
        added = TensorAttr.of(f"{self.key}.bias", bias) if bias.any() else None
        made: list[WeightedOp] = []
        for part in self._parts:
            key = self.key if not made else f"{self.key}.{part.source}"
            some = _Some(part.source, _narrow(part.weights, scale), part.neurons, part.targets, part.delays)
            made += some.make(chains, key, SignalType.current(*self.shape), scale, None if made else added)
        _placed(made, self.terms[0].op)
        return list(made), [each.current for each in made]


def repeated(chains: Chains, read: Read, shape: Sequence[int], name: str) -> Made:
    """The spikes of some neurons as a current that is 1 where one arrives; each neuron is read once."""
    if len(np.unique(read.delays)) == 1:
        stage = chains.stages[read.source][int(chains.hops.relays(read.delays[:1])[0])]
        ops, signal = stage.of(read.neurons, tuple(shape))
        late = int(chains.hops.rest(read.delays[:1])[0])
        new = ScaleOp(signal, FloatAttr(1.0, 64), SignalType.current(*shape), delay=late)
        return [*ops, new], [new.current]
    ones, targets = np.ones(len(read.neurons)), np.arange(len(read.neurons))
    some = _Some(read.source, ones, read.neurons, targets, read.delays)
    made = some.make(chains, f"{name}.weight", SignalType.current(*shape), None, None)
    return list(made), [each.current for each in made]


def _attribute(key: str, scale: Any) -> Attribute | None:
    if np.ndim(scale):
        return TensorAttr.of(key, np.asarray(scale, np.float64))
    return None if scale == 1.0 else FloatAttr(float(scale), 64)


def _narrow(weights: NDArray[Any], scale: Attribute | None) -> NDArray[Any]:
    """Whole numbers with a scale as the integers that they are; others as they are."""
    most = float(np.abs(weights).max(initial=0.0))
    if scale is None or most > 2**31 - 1 or not np.array_equal(weights, np.rint(weights)):
        return weights
    return weights.astype(integer_type(int(most).bit_length() + 1))


def _key(key: str, relays: int) -> str:
    return f"{key}.late{relays}" if relays else key


def _placed(made: Sequence[WeightedOp], op: Operation) -> None:
    """Say where new projections come from."""
    for each in made:
        each.location = op.location
        if isinstance(op, WeightedOp):
            each.attributes = dict(op.attributes)
            each.current.name_hint = op.current.name_hint
