"""What programs may contain that no crossbar machine can run yet: refused by name, before anything is placed."""

from xdsl.ir import Attribute

from snnir.dialects.activity import ActivityAttr
from snnir.dialects.connections import connections_of, emitter_of
from snnir.dialects.machine_neurons import COEFFICIENTS, unsupported
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp
from snnir.passes.base import fail

_HINT = "use semantics that machines have (docs/semantics.md), or only simulate the program"


def check_placeable(network: NetworkOp) -> None:
    """Raise for the first input, population, projection or output that crossbars or their configuration cannot hold."""
    for source in network.sources.values():
        if isinstance(source, NeuronOp):
            _check_population(source)
        elif not source.emits_spikes:
            fail(source, f"input @{source.sym_name.data} brings currents, and a machine reads spikes", "encode them")
        if isinstance(source, InputOp) and _repeats(source.activity):
            message = f"input @{source.sym_name.data} brought several spikes in one step, and a machine reads 0 or 1"
            fail(source, message, "profile with zeros and ones")
    for name, output in network.outputs.items():
        emitter = emitter_of(output)
        if isinstance(network.sources[emitter], InputOp):
            message = f"output @{name} reads the input @{emitter}; a machine returns what it computes"
            fail(output, message, "let the output read a population")


def _check_population(population: NeuronOp) -> None:
    name = population.sym_name.data
    if population.MODEL not in COEFFICIENTS:
        known = ", ".join(COEFFICIENTS)
        fail(population, f"@{name}: no machine has {population.MODEL} neurons yet; they have {known}", _HINT)
    wrong = unsupported(population.MODEL, population.semantics.data)
    if wrong:
        fail(population, f"@{name}: no machine can do {', '.join(wrong)} yet", _HINT)
    connections_of(population)


def _repeats(activity: Attribute | None) -> bool:
    """Whether a neuron is known to have brought more than one spike in a step."""
    if not isinstance(activity, ActivityAttr):
        return False
    counts = activity.counts.array
    return activity.peak.data > counts.size or int(counts.max()) > activity.steps.data
