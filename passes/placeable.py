"""What programs may contain that no crossbar machine can run, or not the one that is meant: refused by name, before
anything is placed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from xdsl.ir import Attribute, Operation

from snnir.dialects.activity import ActivityAttr
from snnir.dialects.attributes import SignalType
from snnir.dialects.connections import CODED_HINT, Connection, connections_of, emitter_of, refusals_of
from snnir.dialects.machine_neurons import ACTIVATED, COEFFICIENTS, SPIKING_MODELS, unsupported
from snnir.dialects.places import place_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp
from snnir.dialects.snn_activations import ActivationOp
from snnir.errors import SnnirError
from snnir.passes.base import LoweringError

_HINT = "use semantics that machines have (docs/semantics.md), or only simulate the program"

Limit = Literal["signals", "model", "semantics", "projections", "outputs", "delay"]
"""What a refusal is about."""


@dataclass(frozen=True)
class Refusal:
    """Something that crossbars cannot hold."""

    subject: str
    """The input, population or output."""
    limit: Limit
    error: SnnirError
    needed: float | None = None
    available: float | None = None


@dataclass(frozen=True)
class Examined:
    """A program as crossbars would hold it."""

    connections: dict[str, list[Connection]] = field(default_factory=dict[str, list[Connection]])
    """What each population reads; populations whose projections crossbars cannot hold are left out."""
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    """Everything that is in the way, in the order in which passes refuse it."""


def examine(network: NetworkOp, target: Machine | None = None) -> Examined:
    """Everything that machines, and `target` in particular, have no means for."""
    found = Examined()
    for source in network.sources.values():
        if isinstance(source, NeuronOp):
            found.refusals.extend(_of_population(source, found.connections))
        else:
            found.refusals.extend(_of_input(source))
    found.refusals.extend(_of_outputs(network))
    if target is not None:
        found.refusals.extend(_of_machine(network, target, found.connections))
    return found


def check_placeable(network: NetworkOp, target: Machine | None = None) -> None:
    """Raise for the first input, population, projection or output that crossbars, or those of `target`, cannot hold."""
    for refusal in examine(network, target).refusals:
        raise refusal.error


def _error(op: Operation, message: str, hint: str) -> LoweringError:
    return LoweringError(place_of(op), message, hint)


def _of_input(source: InputOp) -> Iterator[Refusal]:
    name = source.sym_name.data
    if not source.emits_events:
        message = f"input @{name} brings currents, and a machine reads spikes or codes"
        yield Refusal(name, "signals", _error(source, message, f"encode them, or {CODED_HINT}"))
    if source.emits_spikes and repeats(source.activity):
        message = f"input @{name} brought several spikes in one step, and a machine reads 0 or 1"
        yield Refusal(name, "signals", _error(source, message, "profile with zeros and ones"))


def _of_population(population: NeuronOp, connections: dict[str, list[Connection]]) -> Iterator[Refusal]:
    name = population.sym_name.data
    if isinstance(population, ActivationOp):
        yield from _of_activation(population)
    elif population.MODEL not in COEFFICIENTS:
        known = ", ".join(SPIKING_MODELS)
        message = f"@{name}: no machine has {population.MODEL} neurons yet; they have {known}"
        yield Refusal(name, "model", _error(population, message, _HINT))
    else:
        wrong = unsupported(population.MODEL, population.semantics.data)
        if wrong:
            message = f"@{name}: no machine can do {', '.join(wrong)} yet"
            yield Refusal(name, "semantics", _error(population, message, _HINT))
    try:
        connections[name] = connections_of(population)
    except SnnirError:
        for error in refusals_of(population):
            yield Refusal(name, "projections", error)


def _of_activation(population: ActivationOp) -> Iterator[Refusal]:
    name = population.sym_name.data
    if population.MODEL not in ACTIVATED:
        message = f"@{name}: no machine has {population.MODEL} neurons; they have {' and '.join(ACTIVATED)}"
        hint = "run snn-legalize, which builds others of these, or only simulate the program"
        yield Refusal(name, "model", _error(population, message, hint))
    elif population.coding is None:
        message = f"@{name} emits real values, and a machine emits codes"
        yield Refusal(name, "signals", _error(population, message, "run snn-code-signals, which makes codes of them"))


def _of_outputs(network: NetworkOp) -> Iterator[Refusal]:
    for name, output in network.outputs.items():
        try:
            emitter = emitter_of(output)
        except SnnirError as error:
            yield Refusal(name, "outputs", error)
            continue
        if isinstance(network.sources[emitter], InputOp):
            message = f"output @{name} reads the input @{emitter}; a machine returns what it computes"
            yield Refusal(name, "outputs", _error(output, message, "let the output read a population"))


def _of_machine(network: NetworkOp, target: Machine, connections: dict[str, list[Connection]]) -> Iterator[Refusal]:
    """What other machines could do."""
    read = {c.source for each in connections.values() for c in each}
    for name, op in network.sources.items():
        if name in read:
            yield from _of_rows(name, op, target)
        if not isinstance(op, NeuronOp):
            continue
        if op.MODEL in COEFFICIENTS and op.MODEL not in target.crossbar.models:
            known = ", ".join(target.crossbar.models)
            message = f"the machine '{target.name}' has no {op.MODEL} neurons"
            yield Refusal(name, "model", _error(op, message, f"it has {known}"))
        longest, late = target.crossbar.max_delay, dict[Operation, int]()
        for c in connections.get(name, []):
            if c.delay > longest:
                late[c.op] = max(late.get(c.op, 0), c.delay)
        for projection, delay in late.items():
            message = f"a delay of {delay} steps; '{target.name}' delays by {longest} at most"
            hint = "shorten the delay, choose another machine, or run snn-legalize-delays, which relays it"
            error = _error(projection, message, hint)
            yield Refusal(name, "delay", error, delay, longest)


def _of_rows(name: str, op: InputOp | NeuronOp, target: Machine) -> Iterator[Refusal]:
    """Codes that rows can be given."""
    assert isinstance(op.signal.type, SignalType)
    if not op.signal.type.is_coded or op.signal.type.span is None:
        return
    needed, available = op.signal.type.span[1].bit_length(), target.crossbar.signal_bits
    if needed > available:
        rows = f"codes of {available} bits" if available else "spikes only"
        message = f"@{name} sends codes of {needed} bits, and rows of '{target.name}' take {rows}"
        hint = f"snn-code-signals{{bits={available}}}" if available else "convert-ann-to-snn"
        error = _error(op, message, f"{hint}, or a machine with crossbar.signal_bits = {needed} or more")
        yield Refusal(name, "signals", error, needed, available)


def repeats(activity: Attribute | None) -> bool:
    """Whether a neuron is known to have brought more than one spike in a step."""
    if not isinstance(activity, ActivityAttr):
        return False
    counts = activity.counts.array
    return activity.peak.data > counts.size or int(counts.max()) > activity.steps.data
