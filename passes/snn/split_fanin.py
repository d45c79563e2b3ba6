"""`snn-split-fanin`: neurons with more inputs than a crossbar has rows, rebuilt with relay neurons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import DenseOp, IfOp, NetworkOp, NeuronOp, ScaleOp, SliceOp, WeightedOp
from snnir.indices import Indices
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.placeable import check_placeable
from snnir.passes.snn.projections import dense_weights, forget_activity, replace_projections, total_bias
from snnir.semantics import Semantics

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class SNNSplitFanin(SNNPass):
    """Give every neuron at most `rows` inputs, on machines that cannot add partial sums.

    The inputs of a population are dealt into equal parts. For each part every neuron gets a relay: an integrate and
    fire neuron with subtracting reset, a first-order sigma-delta modulator that turns its weighted sum into spikes of
    a fixed weight. A constant current lifts the sum above zero and is taken away again at the neuron. While the sums
    stay within the range for which thresholds were chosen, what a relay has not yet sent never exceeds its threshold:
    sums are right on average and late by a step or two. The result is not exact; `snnc verify` measures the loss, and
    activity has to be profiled again. The range comes from the inputs' measured activity (mean +- `sigma` standard
    deviations, firing taken as independent), without a profile from the largest sums possible.

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
        for population in list(network.sources.values()):
            if isinstance(population, NeuronOp):
                self._split(network, population, rows)
        if self.statistics["populations split"]:
            forget_activity(source for source in network.sources.values() if isinstance(source, NeuronOp))

    def _split(self, network: NetworkOp, population: NeuronOp, rows: int) -> None:
        connections = connections_of(population)
        axons = sorted({(c.source, c.delay, int(n)) for c in connections if not c.one_to_one for n in c.neurons})
        own = sum(c.one_to_one for c in connections)
        if len(axons) + own <= rows:
            return
        parts = -(-len(axons) // rows)
        if parts + own > rows:
            hint = "use a machine with larger crossbars"
            fail(population, f"@{population.sym_name.data} needs {parts + own} relays per neuron, more than rows", hint)
        bias = total_bias(population)
        new: list[WeightedOp] = [
            ScaleOp(c.op.source, c.op.weights, c.op.current_type, scale=c.op.scale, delay=c.op.delay.data)
            for c in connections
            if c.one_to_one
        ]
        for number, chosen in enumerate(np.array_split(np.arange(len(axons)), parts)):
            wanted = set(axons[chosen[0] : chosen[-1] + 1])
            relay, step, lift = self._relay(network, population, connections, wanted, number)
            weight = TensorAttr.of(f"{relay.sym_name.data}.out", step)
            new.append(ScaleOp(relay.signal, weight, SignalType.current(*relay.signal_type.shape.data)))
            bias = bias - lift
        first = new[0]
        first.bias = TensorAttr.of(f"{population.sym_name.data}.bias", bias)
        replace_projections(population, new)
        self.statistics["relay neurons"] += parts * population.size
        self.statistics["populations split"] += 1

    def _relay(
        self,
        network: NetworkOp,
        population: NeuronOp,
        connections: Sequence[Connection],
        wanted: set[tuple[str, int, int]],
        number: int,
    ) -> tuple[IfOp, Vector, Vector]:
        """The relays of one part: the population, the weight of its spikes, and the current that lifts it."""
        pieces: list[tuple[Connection, NDArray[np.int64], Matrix]] = []
        for c in connections:
            mine = np.array([i for i, n in enumerate(c.neurons) if (c.source, c.delay, int(n)) in wanted], np.int64)
            if not c.one_to_one and mine.size:
                pieces.append((c, mine, dense_weights(c)[:, mine]))
        low, high = self._range(network, pieces)
        step = np.maximum(high - low, 1e-6)
        name = f"{population.sym_name.data}_relay{number}"
        shape = population.signal_type
        projections: list[WeightedOp] = []
        for index, (c, mine, weights) in enumerate(pieces):
            part = SliceOp(c.op.source, Indices.of(mine))
            Rewriter.insert_op(part, InsertPoint.before(population))
            key = f"{name}.weight{index}" if len(pieces) > 1 else f"{name}.weight"
            bias = TensorAttr.of(f"{name}.lift", -low) if index == 0 else None
            current = SignalType.current(*shape.shape.data)
            projections.append(
                DenseOp(part.part, TensorAttr.of(key, weights), current, bias=bias, delay=c.op.delay.data)
            )
        parameters = {"r": FloatAttr(1.0, 64), "threshold": TensorAttr.of(f"{name}.threshold", step)}
        parameters["v_reset"] = FloatAttr(0.0, 64)
        relay = IfOp(name, [], parameters, Semantics(reset="subtract", compare="ge"), shape)
        relay.location = population.location
        relay.signal.name_hint = name
        Rewriter.insert_op(relay, InsertPoint.before(population))
        replace_projections(relay, projections)
        return relay, step, -low

    def _range(
        self, network: NetworkOp, pieces: Sequence[tuple[Connection, NDArray[np.int64], Matrix]]
    ) -> tuple[Vector, Vector]:
        """The smallest and largest partial sum that relays must be able to send, per neuron."""
        low = sum(np.minimum(w, 0).sum(axis=1) for _, _, w in pieces) + np.zeros(len(pieces[0][2]))
        high = sum(np.maximum(w, 0).sum(axis=1) for _, _, w in pieces) + np.zeros(len(pieces[0][2]))
        mean, variance = np.zeros(len(low)), np.zeros(len(low))
        for c, mine, weights in pieces:
            activity = network.sources[c.source].activity
            if activity is None:
                return low, high
            rate = activity.counts.array.ravel()[c.neurons[mine]] / activity.steps.data
            mean += weights @ rate
            variance += weights**2 @ (rate * (1 - rate))
        spread = float(self.sigma) * np.sqrt(variance)
        return np.maximum(low, np.minimum(mean - spread, 0.0)), np.minimum(high, np.maximum(mean + spread, 0.0))
