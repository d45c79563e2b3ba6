"""The connections of a program as crossbars know them: which neurons each population reads, how late, how strongly.

Between a source of spikes or codes and a population may stand any chain of linear ops: slices, flattening, delays,
sums, pools that sum or average, projections. A connection is such a chain as one set of synapses. What crossbars cannot
hold is refused here, by name and with its place in the user's file; the simulator runs it all.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.places import place_of
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
    NetworkOp,
    NeuronOp,
    OutputOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    WeightedOp,
)
from snnir.errors import SnnirError
from snnir.semantics import Value
from snnir.synapses import Conv, Dense, Listed, OneToOne, Selected, Synapses, chained, targets_of

IntArray = NDArray[np.int64]
CODED_HINT = "let snn-legalize and snn-code-signals make codes of them"
"""What to do about real values that should travel."""

_REALS: ContextVar[bool] = ContextVar("reals", default=False)


@contextmanager
def real_values() -> Generator[None]:
    """Inside, connections of real values are found too: what they will be once those are codes."""
    token = _REALS.set(True)
    try:
        yield
    finally:
        _REALS.reset(token)


@dataclass(frozen=True)
class Connection:
    """What a population reads of one source with one delay, through one projection."""

    source: str
    """The input or population that is read."""
    delay: int
    """Steps between emission and arrival."""
    synapses: Synapses
    """From all neurons of the source to all neurons of the population; weights without `scale`."""
    scale: Value
    """Factor of the weights: one number, or one per target."""
    bias: Value
    """Constant current: one number, or one per target."""
    op: Operation
    """The last op before the population (or sum) that makes it."""
    direct: bool = False
    """Whether it is all that `op` makes, and `op` reads spikes of one source as they are."""

    @property
    def chosen(self) -> IntArray:
        """The neurons of the source in the order in which the projection numbers them."""
        return self.synapses.chosen if isinstance(self.synapses, Selected) else np.arange(self.synapses.sources)

    @property
    def plain(self) -> DenseOp | ScaleOp | None:
        """The dense or one-to-one projection that it is, where it is no more than that."""
        match self.op:
            case DenseOp() if self.direct and self.op.repeat == 1:
                return self.op
            case ScaleOp() if self.direct:
                return self.op
            case _:
                return None

    @property
    def one_to_one(self) -> bool:
        """Whether target n reads only `chosen[n]`, through one projection."""
        return isinstance(self.plain, ScaleOp)


def connections_of(population: NeuronOp) -> list[Connection]:
    """The projections that a population sums, in order. Raises `SnnirError` for what no crossbar can hold."""
    if population.inhibitory:
        raise _refusal(population, f"@{population.sym_name.data} has a second synapse", "give it one synapse")
    return [term for value in population.inputs for term in terms_behind(value, population)]


def refusals_of(population: NeuronOp) -> list[SnnirError]:
    """Everything for which `connections_of` refuses a population, not only the first; empty when it does not."""
    found: list[SnnirError] = []

    def note(attempt: Callable[[], object]) -> None:
        try:
            attempt()
        except SnnirError as error:
            found.append(error)

    def visit(value: SSAValue, user: Operation) -> None:
        owner, before = value.owner, len(found)
        if isinstance(owner, Operation) and not isinstance(owner, InputOp | NeuronOp):
            for operand in owner.operands:
                visit(operand, owner)
        if len(found) == before:
            note(lambda: terms_behind(value, user))
        elif isinstance(owner, WeightedOp | PoolOp):
            note(lambda: list(_own(owner)))

    try:
        connections_of(population)
    except SnnirError as error:
        if population.inhibitory:
            found.append(error)
        for value in population.inputs:
            visit(value, population)
    return found


def source_of(value: SSAValue, user: Operation) -> tuple[str, IntArray, int]:
    """The input or population whose spikes or codes a signal carries, which of its neurons, and the steps in between.

    Raises `SnnirError` for a signal that is not made of those of one source.
    """
    terms = terms_behind(value, user)
    if len(terms) != 1 or not _is_identity(terms[0]):
        raise _refusal(user, "reads a current, but machines return spikes or codes", "put a population between")
    return terms[0].source, terms[0].chosen, terms[0].delay


def emitter_of(output: OutputOp) -> str:
    """The population (or input) of spikes or codes that an output reads, whole and as it is emitted.

    Raises `SnnirError` for any other output.
    """
    name, neurons, delay = source_of(output.signal, output)
    size = _source_size(output.signal, name)
    if delay or not np.array_equal(neurons, np.arange(size)):
        what = f"output @{output.sym_name.data} reads a part or a delayed copy of @{name}"
        raise _refusal(
            output, f"{what}; a machine returns whole populations as they emit", f"let it read @{name} itself"
        )
    return name


def _source_size(value: SSAValue, name: str) -> int:
    """The number of neurons of the source `name` behind a signal."""
    owner = value.owner
    network = owner.parent_op() if isinstance(owner, Operation) else None
    assert isinstance(network, NetworkOp)
    return network.sources[name].size


def terms_behind(value: SSAValue, user: Operation) -> list[Connection]:
    """The connections whose sum a signal is; `user` is what reads it. Raises as `connections_of` does."""
    owner = value.owner
    match owner:
        case InputOp() | NeuronOp():
            return [_spikes(owner, value, user)]
        case FlattenOp():
            return terms_behind(owner.source, user)
        case AddOp():
            return [term for part in owner.inputs for term in terms_behind(part, owner)]
        case SliceOp():
            return [_sliced(term, owner.indices.data.array) for term in terms_behind(owner.source, user)]
        case DelayOp():
            return [late for term in terms_behind(owner.source, user) for late in _delayed(term, owner)]
        case WeightedOp() | PoolOp():
            return _projected(terms_behind(owner.source, owner), owner)
        case _:
            op = owner if isinstance(owner, Operation) else user
            raise _refusal(op, f"{op.name} cannot be placed on crossbars", "only simulate the program")


def _spikes(owner: InputOp | NeuronOp, value: SSAValue, user: Operation) -> Connection:
    assert isinstance(value.type, SignalType)
    name, what = owner.sym_name.data, "brings" if isinstance(owner, InputOp) else "emits"
    if value.type.span is None:
        if _REALS.get():
            return Connection(name, 0, OneToOne(np.ones(1), value.type.size), 1.0, 0.0, owner)
        hint = f"put a spiking population between, or {CODED_HINT}"
        raise _refusal(user, f"@{name} {what} currents, and crossbars read spikes or codes", hint)
    if value.type.span[0] < 0 and not isinstance(user, OutputOp):
        hint = "snn-code-signals sends a signed value as a pair, what is above 0 and what is below"
        raise _refusal(user, f"@{name} {what} codes with a sign, and rows take none below 0", hint)
    return Connection(owner.sym_name.data, 0, OneToOne(np.ones(1), value.type.size), 1.0, 0.0, owner)


def _is_identity(term: Connection) -> bool:
    """Whether a connection is the spikes of its source, or of some of its neurons, as they are."""
    inner = term.synapses.inner if isinstance(term.synapses, Selected) else term.synapses
    plain = isinstance(inner, OneToOne) and len(inner.weights) == 1 and inner.weights[0] == 1
    return plain and not np.ndim(term.scale) and term.scale == 1.0 and not np.any(term.bias)


def _sliced(term: Connection, chosen: IntArray) -> Connection:
    if _is_identity(term):
        synapses = Selected(OneToOne(np.ones(1), len(chosen)), term.chosen[chosen], term.synapses.sources)
        return replace(term, synapses=synapses)
    scale, bias = (each[chosen] if np.ndim(each) else each for each in map(np.asarray, (term.scale, term.bias)))
    synapses = targets_of(term.synapses, chosen)
    return replace(term, synapses=synapses, scale=_value(scale), bias=_value(bias), direct=False)


def _delayed(term: Connection, op: DelayOp) -> Iterable[Connection]:
    if np.any(term.bias):
        raise _refusal(
            op, "delays a current with a bias, and a crossbar's bias is there from the start", "delay spikes"
        )
    if op.steps is not None:
        yield replace(term, delay=term.delay + op.steps, direct=False)
        return
    assert isinstance(op.delay, TensorAttr)
    delays = op.delay.array.ravel()
    different = np.unique(delays).tolist()
    for delay in different:
        late = np.flatnonzero(delays == delay)
        some = targets_of(term.synapses, late, keep=True) if len(different) > 1 else term.synapses
        yield replace(term, synapses=some, delay=term.delay + delay, direct=False)


def _projected(terms: Sequence[Connection], op: WeightedOp | PoolOp) -> list[Connection]:
    """What a projection makes of the sum of what it reads."""
    found: list[Connection] = []
    own = list(_own(op))
    for number, term in enumerate(terms):
        # a bias is there once, however many terms are read
        found += [_through(term, then if not number else replace(then, bias=0.0)) for then in own]
    return [replace(each, direct=each.direct and len(terms) == 1) for each in found]


def _through(term: Connection, then: Connection) -> Connection:
    """What a projection makes of one term that it reads."""
    delay = term.delay + then.delay
    if _is_identity(term):
        synapses = then.synapses
        if isinstance(term.synapses, Selected):
            synapses = Selected(synapses, term.chosen, term.synapses.sources)
        return replace(then, source=term.source, delay=delay, synapses=synapses, direct=True)
    if np.any(term.bias) or np.ndim(term.scale):
        hint = "put a population between, or fold the two projections into one"
        raise _refusal(then.op, "reads a projection with a bias, or with a scale per target", hint)
    synapses, scale = chained(term.synapses, then.synapses), then.scale * term.scale
    return replace(then, source=term.source, delay=delay, synapses=synapses, scale=scale)


def _own(op: WeightedOp | PoolOp) -> Iterable[Connection]:
    """The synapses of a projection by itself, as connections from a source without a name; one for each delay."""
    if isinstance(op, PoolOp):
        if isinstance(op, MaxPoolOp):
            hint = "let a population that fires from one spike on read a sum pool: the largest of spikes, exactly"
            raise _refusal(op, f"{op.name} cannot be placed on crossbars, which add", hint)
        weight = 1.0 / prod(op.kernel.data) if isinstance(op, AvgPoolOp) else 1.0
        assert isinstance(op.source.type, SignalType)
        yield Connection("", 0, Conv.pool(op.source.type.shape.data[0], op.windows, weight), 1.0, 0.0, op)
        return
    scale = 1.0 if op.scale is None else op.spread(value_of(op.scale))
    bias = 0.0 if op.bias is None else op.spread(value_of(op.bias))
    for delay, synapses in _synapses(op):
        yield Connection("", op.delay.data + delay, synapses, scale, bias, op)
        bias = 0.0


def _synapses(op: WeightedOp) -> Iterable[tuple[int, Synapses]]:
    """The synapses of a projection, for each delay that they have of their own."""
    raw = op.weights.array if isinstance(op.weights, TensorAttr) else np.asarray(value_of(op.weights))
    match op:
        case DenseOp():
            yield 0, Dense(raw, op.repeat)
        case ScaleOp():
            yield 0, OneToOne(raw, op.current_type.size)
        case ConvOp():
            yield 0, Conv(raw, op.source_type.shape.data[0], op.windows, op.groups.data)
        case SparseOp():
            shape = (op.current_type.size, op.source_type.size)
            delays = np.zeros(len(raw), np.int64) if op.delays is None else op.delays.array
            for delay in np.unique(delays).tolist() or [0]:
                some = delays == delay
                yield delay, Listed(raw[some], op.sources.array[some], op.targets.array[some], shape)
        case BundleOp():
            for level in np.flatnonzero(raw.any(axis=(1, 2))).tolist() or [0]:
                yield level * op.stride.data, _level(raw[level])
        case _:
            raise _refusal(op, f"{op.name} cannot be placed on crossbars", "only simulate the program")


def _level(weights: "NDArray[Any]") -> Synapses:
    """One delay level of a bundle, where a weight of 0 is no synapse."""
    if weights.all():
        return Dense(weights, 1)
    targets, sources = np.nonzero(weights)
    return Listed(weights[targets, sources], sources, targets, weights.shape)


def _value(array: "NDArray[np.float64]") -> Value:
    return array if array.ndim else float(array)


def _refusal(op: Operation, message: str, hint: str) -> SnnirError:
    return SnnirError(place_of(op), message, hint)
