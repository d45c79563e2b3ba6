"""`snn-legalize-delays`: delays that a machine does not have, made of relay neurons."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, f64
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import SignalType
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.machine_neurons import SPIKING_MODELS
from snnir.dialects.places import place_of
from snnir.dialects.platform import Machine, machine_of
from snnir.dialects.snn import (
    BundleOp,
    DelayOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    SparseOp,
    WeightedOp,
)
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.placeable import repeats
from snnir.passes.snn.delayed import Read, read_of
from snnir.passes.snn.late_inputs import Input, inputs_of, repeated
from snnir.passes.snn.projections import erase_unused, replace_inputs
from snnir.passes.snn.relay_chains import Chains, Hops
from snnir.pruning.synapses import Integers
from snnir.report.changes import LayerChange


@dataclass(frozen=True)
class SNNLegalizeDelays(SNNPass):
    """Make delays fit the machine: what is longer than its `max_delay` is relayed, and stays exact.

    A relay fires from one spike on, a row's longest delay after its predecessor. A neuron has as many relays as its
    longest delay takes, the fewest possible, and all synapses that read it late share them. Projections stay what they
    are; those with several delays are parted by the relays that they read, and what is made of several ops becomes
    single synapses. Outputs that read a delayed copy get relays that emit it.

    On machines with `cuba_lif` neurons relays may be a step late themselves: their membranes follow the synapse's state
    of the step before. That takes fewer of them, and works on machines without any delays (`max_delay` = 0) too, as far
    as there is no feedback. Refused: late codes, and several spikes of a neuron in a step, which relays cannot repeat.
    """

    name = "snn-legalize-delays"

    mode: Literal["relay", "refuse"] = "relay"
    """What becomes of a delay that is too long: relay neurons, or an error."""
    longest: int | None = None
    """The longest delay that a row has, in steps; the machine's `max_delay` by default."""
    emulate: bool = True
    """Whether relays may be a step late themselves, where there are `cuba_lif` neurons."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine_of(op)
        longest = self.longest if self.longest is not None else target.crossbar.max_delay if target else None
        if longest is None:
            fail(network, "which delays are there?", "give longest=15, or a machine with --platform")
        if longest < 0:
            fail(network, f"a longest delay of {longest} steps", "give 0 or more")
        if not any(_delays(each) for each in network.body.block.ops):
            return
        populations = [each for each in network.sources.values() if isinstance(each, NeuronOp)]
        connections = {each.sym_name.data: connections_of(each) for each in populations}
        outputs = _late_outputs(network)
        late = [c for found in connections.values() for c in found if c.delay > longest]
        if not late and not outputs:
            return
        rows = "rows" if target is None or self.longest is not None else f"rows of '{target.name}'"
        if self.mode == "refuse":
            _refuse(late, outputs, longest, rows)
        models = _models(network, target, rows)
        hops = self._hops(network, models, longest, rows)
        if late and not longest:
            _check_feedback(network, connections, rows)
        self._relay(Chains(network, models, hops), populations, outputs)

    def _hops(self, network: NetworkOp, models: Sequence[str], longest: int, rows: str) -> Hops:
        """What rows and relays can delay."""
        hops = Hops(longest, 1 if self.emulate and "cuba_lif" in models else 0)
        if not hops.step:
            have = "emulate=true lets relays be late" if "cuba_lif" in models else "cuba_lif neurons could be late"
            message = f"{rows} do not delay, and relays of {' and '.join(models)} neurons are in time"
            fail(network, message, f"{have}; or choose a machine with crossbar.max_delay of 1 or more")
        return hops

    def _relay(self, chains: Chains, populations: Sequence[NeuronOp], outputs: Mapping[OutputOp, Read]) -> None:
        """Build the relays, and let everybody who reads late read them."""
        found = {each: inputs_of(each, chains.hops.longest) for each in populations}
        own = {output: 1 if chains.hops.own and read.delays.all() else 0 for output, read in outputs.items()}
        # the relay that an output reads is late itself
        ends = {output: Read(read.source, read.neurons, read.delays - own[output]) for output, read in outputs.items()}
        reads = [read for inputs in found.values() for each in inputs for read in each.reads]
        sources, late = chains.network.sources, _by_source([*reads, *ends.values()])
        relays = {name: _relays(sources[name], many, chains.hops) for name, many in late.items()}
        repeated_by_outputs = {read.source for read in ends.values()}
        for name, counts in relays.items():
            if counts.any() or name in repeated_by_outputs:
                _check_relayable(sources[name])
        for name, counts in relays.items():
            made = chains.build(sources[name], counts)
            if made:
                longest = max(int(read.delays.max()) for read in late[name])
                self._count(sources[name], int(counts.sum()), made, f"for delays of up to {longest} steps")
        for population, inputs in found.items():
            if not all(each.is_kept for each in inputs):
                _rewire(chains, population, inputs)
        for output, read in ends.items():
            self._end(chains, output, read, own[output])

    def _end(self, chains: Chains, output: OutputOp, read: Read, own: int) -> None:
        """A population that emits the delayed copy that an output reads."""
        before, type_ = output.signal, output.signal.type
        assert isinstance(type_, SignalType)
        made = chains.population(f"{output.sym_name.data}_late", own, type_, output)
        ops, values = repeated(chains, read, type_.shape.data, made.sym_name.data)
        made.operands = values
        for each in ops:
            each.location = output.location
        Rewriter.insert_op([*ops, made], InsertPoint.before(output))
        output.operands[0] = made.signal
        erase_unused(before)
        self._count(output, made.size, [made], "emit what an output reads late")

    def _count(self, op: InputOp | NeuronOp | OutputOp, relays: int, made: Sequence[NeuronOp], why: str) -> None:
        models = ", ".join(sorted({each.MODEL for each in made}))
        where = "1 population" if len(made) == 1 else f"{len(made)} populations"
        change = f"{relays:,} relay neurons ({models}) in {where}, {why}: exact"
        self.layers.append(LayerChange(f"@{op.sym_name.data}", place_of(op), change))
        self.statistics["relay neurons"] += relays
        self.statistics["relay populations"] += len(made)


def _delays(op: Operation) -> bool:
    """Whether an op delays anything."""
    late = isinstance(op, WeightedOp) and op.delay.data > 0
    return late or isinstance(op, DelayOp | BundleOp) or (isinstance(op, SparseOp) and op.delays is not None)


def _late_outputs(network: NetworkOp) -> dict[OutputOp, Read]:
    """Outputs that read spikes or codes some steps late, which no machine returns."""
    found: dict[OutputOp, Read] = {}
    for output in network.outputs.values():
        read = read_of(output.signal)
        if read is not None and read.delays.any() and network.sources[read.source].emits_events:
            found[output] = read
    return found


def _refuse(late: Sequence[Connection], outputs: Mapping[OutputOp, Read], longest: int, rows: str) -> None:
    """Raise for what is too late."""
    for op in dict.fromkeys(c.op for c in late):
        most = max(c.delay for c in late if c.op is op)
        message = f"a delay of {most} steps; {rows} delay by {longest} at most"
        fail(op, message, "mode=relay makes longer delays of relay neurons; or shorten the delay")
    for output in outputs:
        message = f"output @{output.sym_name.data} reads a delayed copy; a machine returns spikes as they are emitted"
        fail(output, message, "mode=relay makes a population that emits it; or let it read the population itself")


def _models(network: NetworkOp, target: Machine | None, rows: str) -> list[str]:
    """The neurons of which relays can be made."""
    models = [each for each in SPIKING_MODELS if target is None or each in target.crossbar.models]
    if not models:
        message = f"delays longer than those of {rows}, and there are no neurons that relay spikes"
        fail(network, message, "choose a machine with if, lif or cuba_lif neurons, or shorten the delays")
    return models


def _check_feedback(network: NetworkOp, connections: Mapping[str, Iterable[Connection]], rows: str) -> None:
    """Raise for cycles, where only relays delay: each population of a step waits for those that it reads."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for name, found in connections.items():
        order.add(name, *(c.source for c in found))
    try:
        order.prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        names = " -> ".join(f"@{name}" for name in cycle)
        message = f"the cycle {names}, and {rows} do not delay: relays are late, but a cycle needs a row that is"
        fail(network.sources[cycle[0]], message, "choose a machine with crossbar.max_delay of 1 or more")


def _check_relayable(source: InputOp | NeuronOp) -> None:
    """Raise for signals that a relay cannot repeat."""
    name = source.sym_name.data
    if not source.emits_spikes:
        message = f"@{name} sends codes, which are read later than rows delay; relays repeat spikes"
        fail(source, message, "shorten the delay, or choose a machine with a longer crossbar.max_delay")
    several = source.semantics.data.spikes if isinstance(source, NeuronOp) else 1
    if several > 1 or repeats(source.activity):
        many = f"up to {several} spikes" if several > 1 else "several spikes"
        message = f"@{name} sends {many} in a step, which are read later than rows delay; a relay repeats one"
        fail(source, message, "use spikes=1, shorten the delay, or choose a longer crossbar.max_delay")


def _relays(source: InputOp | NeuronOp, reads: Sequence[Read], hops: Hops) -> Integers:
    """How many relays each neuron of a source has, (neurons,): as many as its longest delay takes."""
    counts = np.zeros(source.size, np.int64)
    for read in reads:
        np.maximum.at(counts, read.neurons, hops.relays(read.delays))
    return counts


def _by_source(reads: Iterable[Read]) -> dict[str, list[Read]]:
    found: dict[str, list[Read]] = {}
    for read in reads:
        found.setdefault(read.source, []).append(read)
    return found


def _rewire(chains: Chains, population: NeuronOp, inputs: Sequence[Input]) -> None:
    """Let a population sum its inputs as they are with relays."""
    shape = population.signal_type.shape
    ops: list[Operation] = []
    values: list[SSAValue] = []
    for each in inputs:
        made, currents = each.make(chains)
        ops += made
        for value in currents:
            if value.type == SignalType(shape, f64):
                values.append(value)
            else:
                ops.append(flat := FlattenOp(value, shape.data))
                values.append(flat.flat)
    replace_inputs(population, ops, values)
