"""`snn-split-fanin`: neurons with more inputs than a crossbar has rows, rebuilt with relay neurons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import connections_of
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import NetworkOp, NeuronOp, ScaleOp
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.placeable import check_placeable
from snnir.passes.snn.bins import Kept, axons_read, bins_of, fanin_of, is_plain, plain_bins
from snnir.passes.snn.parts import axons_of
from snnir.passes.snn.projections import replace_inputs, total_bias
from snnir.passes.snn.relays import Relay, relay_of, relay_of_relays
from snnir.passes.snn.terms import terms_of

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
        columns = target.crossbar.weight_columns if target is not None else None
        for population in list(network.sources.values()):
            if isinstance(population, NeuronOp):
                self._split(network, population, rows, columns)

    def _split(self, network: NetworkOp, population: NeuronOp, rows: int, columns: int | None) -> None:
        connections = connections_of(population)
        if is_plain(population, connections):
            if axons_read(connections) + sum(c.one_to_one for c in connections) <= rows:
                return
            _check_relayable(population, rows)
            kept, bins = plain_bins(connections, rows)
        else:
            terms = terms_of(population)
            if sum(axons_of(term) for term in terms) <= rows or fanin_of(connections, population.size) <= rows:
                return
            _check_relayable(population, rows)
            kept, bins = bins_of(network, population, terms, rows)
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
    def _join(population: NeuronOp, kept: Kept, relays: Sequence[Relay], bias: Vector) -> None:
        """Let a population read what was kept, and the last relays."""
        shape = population.signal_type.shape.data
        out = [ScaleOp(r.op.signal, TensorAttr.of(f"{r.name}.out", r.step), SignalType.current(*shape)) for r in relays]
        for relay in relays:
            bias = bias - relay.lift
        first = next((op for op in kept.ops if isinstance(op, ScaleOp)), out[0])
        first.bias = TensorAttr.of(f"{population.sym_name.data}.bias", bias)
        replace_inputs(population, [*kept.ops, *out], [*kept.values, *(op.current for op in out)])


def _check_relayable(population: NeuronOp, rows: int) -> None:
    """Relays pass spikes on: a part of what codes add up to is no spike."""
    if population.signal_type.is_coded:
        message = f"@{population.sym_name.data} emits codes and reads more than the {rows} rows of a crossbar"
        fail(population, message, 'relays pass on spikes only: take a machine with crossbar.fanin = "digital"')
