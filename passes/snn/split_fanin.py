"""`snn-split-fanin`: neurons with more inputs than a crossbar has rows, rebuilt with relay neurons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import AddOp, DelayOp, DenseOp, FlattenOp, NetworkOp, NeuronOp, ScaleOp, SliceOp
from snnir.indices import Indices
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.placeable import check_placeable
from snnir.passes.snn.parts import Part, axons_of, parts_of
from snnir.passes.snn.projections import dense_weights, replace_inputs, total_bias
from snnir.passes.snn.relays import Relay, relay_of, relay_of_relays
from snnir.passes.snn.terms import Term, terms_of

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class SNNSplitFanin(SNNPass):
    """Give every neuron at most `rows` inputs, on machines that cannot add partial sums.

    The inputs of a population are dealt into equal parts. For each part every neuron gets a relay: an integrate and
    fire neuron with subtracting reset, a first-order sigma-delta modulator that turns its weighted sum into spikes of
    a fixed weight. A constant current lifts the sum above zero and is taken away again at the neuron. While the sums
    stay within the range for which thresholds were chosen, what a relay has not yet sent never exceeds its threshold:
    sums are right on average and late by a step or two. The result is not exact; `snnc verify` measures the loss.
    Populations keep the activity that was measured before, which is exact for those that no relay reaches and close for
    the others; relays have none until the result is profiled, and until then a guarantee assumes the worst. The range
    comes from the inputs' measured activity (mean +- `sigma` standard deviations, firing taken as independent), without
    a profile from the largest sums possible.

    Parts are cut so that neurons share the axons of a part: some of the sources of an all-to-all projection, some input
    channels of a convolution (or, where one channel is too much, some rows of its kernel); of single synapses, each
    neuron's are dealt. What is small stays at the neuron, one-to-one projections first. Relays that are more than
    `rows` are read by relays of relays, level by level.

    Does nothing for machines that add partial sums digitally: clustering splits there, exactly.
    """

    name = "snn-split-fanin"
    lossy = True

    mode: Literal["platform", "relay"] = "platform"
    """`relay`: always; `platform`: where the machine says `fanin = "relay"`."""
    rows: int | None = None
    """Inputs that a neuron may have; the machine's `rows` by default."""
    sigma: float | int = 2.0
    """How many standard deviations of a partial sum a relay can send."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine_of(op)
        if self.mode == "platform" and (target is None or target.crossbar.fanin != "relay"):
            return
        rows = self.rows if self.rows is not None else target.crossbar.rows if target is not None else None
        if rows is None or rows < 2:
            fail(network, "how many rows?", "give rows=128, or a machine with --platform")
        check_placeable(network)
        columns = target.crossbar.columns if target is not None else None
        for population in list(network.sources.values()):
            if isinstance(population, NeuronOp):
                self._split(network, population, rows, columns)

    def _split(self, network: NetworkOp, population: NeuronOp, rows: int, columns: int | None) -> None:
        connections = connections_of(population)
        if _is_plain(population, connections):
            if _axons(connections) + sum(c.one_to_one for c in connections) <= rows:
                return
            kept, bins = _plain_bins(connections, rows)
        else:
            terms = terms_of(population)
            if sum(axons_of(term) for term in terms) <= rows or _fanin(connections, population.size) <= rows:
                return
            kept, bins = _bins(network, population, terms, rows)
        bias = total_bias(population)
        relays = [relay_of(network, population, parts, n, float(self.sigma)) for n, parts in enumerate(bins)]
        levels, made = 1, len(relays)
        while len(relays) + sum(kept.axons) > rows:
            before, count = relays, -(-len(relays) // rows)
            ends = [len(before) * n // count for n in range(count + 1)]
            relays = [
                relay_of_relays(population, before[ends[n] : ends[n + 1]], made + n, float(self.sigma))
                for n in range(count)
            ]
            levels, made = levels + 1, made + len(relays)
        self._join(population, kept, relays, bias)
        self.statistics["relay neurons"] += made * population.size
        self.statistics["populations split"] += 1
        self.statistics["levels of relays, most"] = max(self.statistics["levels of relays, most"], levels)
        if columns is not None:
            self.statistics["crossbars for relays, about"] += -(-made * population.size // columns)

    @staticmethod
    def _join(population: NeuronOp, kept: "_Kept", relays: Sequence[Relay], bias: Vector) -> None:
        """Let a population read what was kept, and the last relays."""
        shape = population.signal_type.shape.data
        out = [ScaleOp(r.op.signal, TensorAttr.of(f"{r.name}.out", r.step), SignalType.current(*shape)) for r in relays]
        for relay in relays:
            bias = bias - relay.lift
        first = next((op for op in kept.ops if isinstance(op, ScaleOp)), out[0])
        first.bias = TensorAttr.of(f"{population.sym_name.data}.bias", bias)
        replace_inputs(population, [*kept.ops, *out], [*kept.values, *(op.current for op in out)])


@dataclass(frozen=True)
class _Kept:
    """What a population goes on reading itself; biases are taken from it."""

    ops: list[Operation]
    """Not yet in the IR."""
    values: list[SSAValue]
    axons: list[int]


def _is_plain(population: NeuronOp, connections: Sequence[Connection]) -> bool:
    shape = population.signal_type.shape
    return all(c.plain is not None and c.plain.current_type.shape == shape for c in connections)


def _axons(connections: Sequence[Connection]) -> int:
    """How many axons the all-to-all projections read."""
    return len(_all_to_all(connections))


def _all_to_all(connections: Sequence[Connection]) -> list[tuple[str, int, int]]:
    return sorted({(c.source, c.delay, int(n)) for c in connections if not c.one_to_one for n in c.chosen})


def _fanin(connections: Sequence[Connection], size: int) -> int:
    """The most axons that a neuron reads; parallel synapses of one axon count once."""
    total = np.zeros(size, np.int64)
    for axon in {(c.source, c.delay) for c in connections}:
        mine = [c.synapses for c in connections if (c.source, c.delay) == axon]
        if len(mine) == 1:
            total += mine[0].fanin()
        else:
            matrices = [each.csr().astype(np.int32) for each in mine]
            total += np.diff(sum(matrices[1:], start=matrices[0]).indptr)
    return int(total.max(initial=0))


def _plain_bins(connections: Sequence[Connection], rows: int) -> tuple[_Kept, list[list[Part]]]:
    """Equal parts of all axons; one-to-one projections stay."""
    axons = _all_to_all(connections)
    kept = [
        ScaleOp(op.source, op.weights, op.current_type, scale=op.scale, delay=op.delay.data)
        for op in (c.plain for c in connections)
        if isinstance(op, ScaleOp)
    ]
    bins: list[list[Part]] = []
    for chosen in np.array_split(np.arange(len(axons)), -(-len(axons) // rows)):
        wanted = set(axons[chosen[0] : chosen[-1] + 1])
        bins.append([part for c in connections if not c.one_to_one for part in _plain_part(c, wanted)])
    return _Kept([*kept], [op.current for op in kept], [1] * len(kept)), bins


def _plain_part(c: Connection, wanted: set[tuple[str, int, int]]) -> list[Part]:
    mine = np.array([i for i, n in enumerate(c.chosen) if (c.source, c.delay, int(n)) in wanted], np.int64)
    op = c.plain
    assert op is not None

    def make(key: str) -> list[Operation]:
        some = SliceOp(op.source, Indices.of(mine))
        weights = TensorAttr.of(key, dense_weights(c)[:, mine])
        return [some, DenseOp(some.part, weights, op.current_type, delay=op.delay.data)]

    return [Part(len(mine), make)] if mine.size else []


def _bins(network: NetworkOp, population: NeuronOp, terms: Sequence[Term], rows: int) -> tuple[_Kept, list[list[Part]]]:
    """Parts of the larger terms, put together where they fit; the smaller terms stay while there are rows for them."""
    sizes = [axons_of(term) for term in terms]
    least = [-(-size // rows) for size in sizes]
    order = sorted(range(len(terms)), key=lambda n: sizes[n])
    kept, used, relays = _Kept([], [], []), 0, sum(least)
    stays: set[int] = set()
    for n in order:
        if used + sizes[n] + relays - least[n] > rows or len(stays) == len(terms) - 1:
            break
        used, relays = used + sizes[n], relays - least[n]
        stays.add(n)
        kept.axons.append(sizes[n])
    bins: list[list[Part]] = []
    room: list[int] = []
    for n, term in enumerate(terms):
        if n in stays:
            _keep(kept, population, term)
            continue
        for part in parts_of(network, population, term, rows):
            place = next((b for b, free in enumerate(room) if free >= part.axons), len(room))
            if place == len(room):
                bins.append([])
                room.append(rows)
            bins[place].append(part)
            room[place] -= part.axons
    return kept, bins


def _keep(kept: _Kept, population: NeuronOp, term: Term) -> None:
    """A term as it is, but for its bias."""
    value = term.value
    assert isinstance(value.type, SignalType)
    if term.projection is not None and term.projection.bias is not None:
        copy = term.projection.clone()
        copy.bias, copy.location = None, term.projection.location
        kept.ops.append(copy)
        value = copy.current
    if isinstance(value.type, SignalType) and value.type.is_spike:
        value = _put(kept, AddOp(value))
    if term.delay:
        value = _put(kept, DelayOp(value, term.delay))
    shape = population.signal_type.shape
    if value.type != SignalType.current(*shape.data):
        value = _put(kept, FlattenOp(value, shape.data))
    kept.values.append(value)


def _put(kept: _Kept, op: Operation) -> SSAValue:
    kept.ops.append(op)
    return op.results[0]
