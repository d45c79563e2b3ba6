"""The check itself: everything that crossbars cannot hold, the figures of each layer, and which limits these break."""

from collections.abc import Iterable, Iterator

from snnir.dialects.places import place_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.partition.metrics import Bounds, demands
from snnir.passes.activity import Assumption
from snnir.passes.cluster.problem import problem_of
from snnir.passes.limits.figures import Figures, figures_of
from snnir.passes.limits.findings import Finding, Layer, Level, PlatformCheck
from snnir.passes.limits.memories import of_delays, of_synapses
from snnir.passes.limits.network import of_host, of_tables
from snnir.passes.placeable import examine


def check(network: NetworkOp, target: Machine, activity: Assumption = "peak") -> PlatformCheck:
    """Hold a program against a machine, by structure alone: nothing is clustered, placed or run.

    `activity` says what the guarantee will assume of the spikes, which decides how full buffers get: `peak`, no step
    with more than the profile, which may be attached later; `worst`, every neuron in every step.
    """
    examined = examine(network, target)
    problem = problem_of(network, target, connections=examined.connections)
    total, alone = demands(problem)
    demand = {layer.name: each for layer, each in zip(problem.layers, alone, strict=True)}
    layers: list[Layer] = []
    findings = [
        Finding("error", r.limit, r.subject, r.error.place, r.error.message, r.error.hint, r.needed, r.available)
        for r in examined.refusals
    ]
    for name, op in network.sources.items():
        if not isinstance(op, NeuronOp):
            continue
        figures = None
        if name in demand:
            figures = figures_of(network, target, examined.connections[name], op.size, demand[name])
        layer = Layer(name, place_of(op), op.MODEL, op.signal_type.shape.data, figures)
        layers.append(layer)
        if figures is not None:
            findings.extend(_of_layer(layer, figures, target, activity))
            findings.extend(of_synapses(layer, figures, target))
            findings.extend(of_delays(layer, figures, examined.connections[name], target, activity))
    findings.extend(_of_crossbars(network, target, total, [layer for layer in layers if layer.figures is None]))
    findings.extend(of_tables(network, target, examined.connections))
    findings.extend(of_host(network, target))
    order = {op.sym_name.data: n for n, op in enumerate((*network.sources.values(), *network.outputs.values()))}
    findings.sort(key=lambda finding: order.get(finding.subject, len(order)))
    return PlatformCheck(network.sym_name.data, target, tuple(layers), total, tuple(findings))


def _of_layer(layer: Layer, figures: Figures, target: Machine, activity: Assumption) -> Iterator[Finding]:
    yield from _of_fanin(layer, figures, target)
    yield from _of_weights(layer, figures, target)
    if figures.least.crossbars > target.crossbars:
        message = f"@{layer.name} takes at least {figures.least.crossbars:,} crossbars ({_reason(figures.least)})"
        yield _crossbars_finding(layer.name, layer.place, message, figures.least, target)
    yield from _of_buffer(layer, figures, target, activity)


def _of_fanin(layer: Layer, figures: Figures, target: Machine) -> Iterator[Finding]:
    rows, fanin, parts = target.crossbar.rows, figures.fanin, figures.parts
    if parts == 1:
        return
    what = f"a neuron of @{layer.name} reads {fanin:,} axons, a crossbar of '{target.name}' has {rows:,} rows"
    larger = f"crossbars of {fanin:,} rows"
    level: Level = "note"
    match target.crossbar.fanin:
        case "digital":
            what += f": its inputs are summed on {parts:,} crossbars, which is exact"
            hint = f"nothing has to be done; {larger} would take no partial sums"
        case "relay":
            relays = f"{figures.relays:,} relay neuron{'s' if figures.relays > 1 else ''}"
            what += f": it takes {relays} or more, which is not exact"
            hint = f"snn-split-fanin makes them, snnc verify says what they cost; {larger} would take none"
        case _:
            level = "error"
            hint = f'a machine with {larger}, or with crossbar.fanin = "digital" (partial sums) or "relay"'
    yield Finding(level, "fan-in", layer.name, layer.place, what, hint, fanin, rows)


def _of_weights(layer: Layer, figures: Figures, target: Machine) -> Iterator[Finding]:
    bits, weights = target.crossbar.weight_bits, figures.weights
    if weights.representable and weights.one_scale:
        return
    if not weights.representable:
        count = f"{'' if weights.is_exact else 'more than '}{weights.levels:,} different weights"
        message = (
            f"the weights of @{layer.name} ({', '.join(weights.elements)}, {count}) are no integers of {bits} bits"
        )
        hint = f"snn-quantize rounds them to {2**bits - 1:,} levels, snnc verify says what that costs"
    else:
        message = f"the projections into @{layer.name} have different scales, and a column has one"
        hint = "snn-quantize gives them a common one"
    yield Finding("note", "weights", layer.name, layer.place, message, hint, weights.levels, 2**bits - 1)


def _of_buffer(layer: Layer, figures: Figures, target: Machine, activity: Assumption) -> Iterator[Finding]:
    events, buffer, name = target.buffers.events, figures.buffer, layer.name
    holds = f"the input buffer of a crossbar of '{target.name}' holds {events:,}"
    larger = "a machine with larger buffers, or shorter delays"
    peak = buffer.peak if activity == "peak" else None
    if peak is not None and peak > events:
        message = f"@{name} waits for {peak:,} spikes at the profile's peak, {holds}"
        yield Finding("error", "buffer", name, layer.place, message, larger, peak, events)
    elif peak is None and buffer.worst > events:
        level: Level = "error" if activity == "worst" else "warning"
        message = f"@{name} waits for {buffer.worst:,} spikes when all neurons fire, {holds}"
        hint = f"profile the program (snnc compile --data), as fewer may fire; else {larger}"
        yield Finding(level, "buffer", name, layer.place, message, hint, buffer.worst, events)
    if target.crossbar.fanin == "digital" and buffer.sums > events:
        message = f"a crossbar full of neurons of @{name} takes {buffer.sums:,} partial sums a step, {holds}"
        level = "error" if figures.parts - 1 > events else "warning"
        hint = "a machine with larger buffers, or with more rows, which takes fewer partial sums"
        yield Finding(level, "buffer", name, layer.place, message, hint, buffer.sums, events)


def _of_crossbars(network: NetworkOp, target: Machine, least: Bounds, left_out: Iterable[Layer]) -> Iterator[Finding]:
    if least.crossbars > target.crossbars:
        without = ", ".join(f"@{layer.name}" for layer in left_out)
        message = f"the program takes at least {least.crossbars:,} crossbars ({_reason(least)}"
        message += f"; without {without})" if without else ")"
        yield _crossbars_finding("", place_of(network), message, least, target)


def _crossbars_finding(subject: str, place: str, message: str, least: Bounds, target: Machine) -> Finding:
    tiles = -(-least.crossbars // target.tiles.crossbars)
    hint = f"a machine with {tiles:,} tiles or more, more crossbars per tile, or larger crossbars"
    message += f", '{target.name}' has {target.crossbars:,}"
    return Finding("error", "crossbars", subject, place, message, hint, least.crossbars, target.crossbars)


def _reason(least: Bounds) -> str:
    """What it is that takes so many crossbars."""
    reasons = (
        (least.columns, "neurons and partial sums fill the columns"),
        (least.rows, "axons fill the rows"),
        (least.cells, "synapses fill the cells"),
        (least.neurons, "crossbars keep the state of so many neurons only"),
    )
    return max(reasons, key=lambda reason: reason[0])[1]
