"""The facts of a build, and of its verification, on one screen of plain text."""

from typing import Any

from snnir.report.delays import delay_lines
from snnir.report.energy import energy_lines
from snnir.report.transformation import transformation_lines


def as_text(summary: dict[str, Any], verification: dict[str, Any] | None = None) -> str:
    """One screen: program, machine, clusters, guarantee, verification."""
    lines = [
        *_program(summary),
        *_transformation(summary),
        *_machine(summary),
        *_metrics(summary),
        *_delays(summary),
        *_guarantee(summary),
        *_energy(summary),
    ]
    if verification is not None:
        lines += verification_lines(verification)
    lines += _seconds(summary)
    return "\n".join(lines)


def _program(summary: dict[str, Any]) -> list[str]:
    program = summary["program"]
    if program is None:
        return [f"{summary['model']}: no program"]
    per = f", {program['steps']} steps per inference" if program["steps"] else ""
    lines = [f"network    {program['name']} from {summary['model']}: dt {program['dt']:g} s{per}"]
    for source in program["sources"]:
        activity = source.get("spikes_per_step")
        spikes = f"{activity['mean']:8.2f} {activity['peak']:6}" if activity else " " * 15
        synapses = f"{source['synapses']:,}" if "synapses" in source else ""
        if not lines[1:]:
            lines.append(f"  {'':18}{'neurons':>8}  {'model':9}{'synapses':>12}   spikes/step mean, peak")
        lines.append(
            f"  {source['name'][:18]:18}{source['size']:8}  {source.get('model', 'input'):9}{synapses:>12}   {spikes}"
        )
    return lines


def _transformation(summary: dict[str, Any]) -> list[str]:
    found = summary["transformation"]
    if found is None:
        return []
    times = summary["metrics"] and summary["metrics"]["seconds"]
    return transformation_lines(found, times["parts"] if times else {})


def _machine(summary: dict[str, Any]) -> list[str]:
    machine, clusters = summary["machine"], summary["clusters"]
    if machine is None:
        return []
    bits = f"{machine['weight_bits']}-bit cells" if machine["weight_bits"] else "cells of unstated precision"
    mesh = "x".join(map(str, machine["mesh"]))
    size = f"{machine['crossbars']} crossbars of {machine['rows']}x{machine['columns']} {bits}"
    if machine["weight_columns"] != machine["columns"]:
        size += f", {machine['weight_columns']} columns of weights"
    size += f", codes of {machine['signal_bits']} bits" if machine["signal_bits"] else ""
    lines = [f"machine    {machine['name']}: {mesh} tiles, {size}"]
    if clusters:
        cells = sum(c["cells"] for c in clusters)
        share = cells / (len(clusters) * machine["rows"] * machine["weight_columns"])
        lines.append(f"clusters   {len(clusters)}, their cells {share:.0%} used, on {_tiles(clusters)}")
    return lines


def _tiles(clusters: list[dict[str, Any]]) -> str:
    tiles = {tuple(c["tile"]) for c in clusters if c["tile"] is not None}
    return f"{len(tiles)} tile{'s' if len(tiles) != 1 else ''}" if tiles else "no tiles yet"


def _metrics(summary: dict[str, Any]) -> list[str]:
    totals = summary["metrics"] and summary["metrics"]["totals"]
    if not totals:
        return []
    used, traffic, routed = totals["used"], totals["traffic"], totals["routed"]
    lines = [f"           rows {used['rows']:.0%}, columns {used['columns']:.0%} in use, {used['slices']} slices"]
    expected = "" if traffic["profiled"] else ", if all neurons fire"
    sums = f", and {traffic['sums']:,} partial sums" if traffic["sums"] else ""
    lines.append(f"traffic    {traffic['driven']:,.2f} rows driven per step{expected}")
    lines.append(f"           {traffic['spikes']:,.2f} spikes per step between crossbars{sums}")
    if routed is not None:
        joule = f", {routed['energy']:,.1f} pJ" if routed["energy"] is not None else ""
        hops = f"{routed['flits']:,.2f} flit-hops per step{joule}; {routed['busiest']:,.2f} flits on the busiest link"
        lines += [f"           {hops}", f"           {routed['entries']:,} table entries, {routed['fullest']:,} in one"]
    return lines


def _delays(summary: dict[str, Any]) -> list[str]:
    return delay_lines(summary["delays"]) if summary["delays"] is not None else []


def _seconds(summary: dict[str, Any]) -> list[str]:
    """The time that compiling took, and the passes that took most of it."""
    seconds = summary["metrics"] and summary["metrics"]["seconds"]
    if not seconds:
        return []
    longest = sorted(seconds["parts"].items(), key=lambda item: -item[1])[:4]
    return [f"compiled   in {seconds['total']:.2f} s: " + ", ".join(f"{name} {took:.2f} s" for name, took in longest)]


def _energy(summary: dict[str, Any]) -> list[str]:
    energy, machine = summary["energy"], summary["machine"]
    if energy is not None:
        return energy_lines(energy)
    if machine is None or not machine["states_energy"]:
        return []
    return ["energy     is measured on data that the machine takes: snnc verify --data spikes.npz"]


def _guarantee(summary: dict[str, Any]) -> list[str]:
    guarantee = summary["guarantee"]
    if guarantee is None or guarantee["steps_per_second"] is None:
        return []
    inference = guarantee["inferences_per_second"]
    rate = f"{guarantee['steps_per_second']:,.0f} steps/s"
    rate += f" = {inference:,.0f} inferences/s" if inference else ""
    assumes = "no step above the profiled peaks" if guarantee["activity"] == "peak" else "nothing (worst case)"
    lines = [f"guarantee  {rate}, assuming {assumes}"]
    exact = f"           period {guarantee['period']} {guarantee['unit']} exactly"
    lines.append(f"{exact}; step k is out by {1e6 * guarantee['latency_seconds']:.2f} us + k periods")
    if guarantee["predicted_steps_per_second"]:
        lines.append(f"           at mean activity {guarantee['predicted_steps_per_second']:,.0f} steps/s are expected")
    cycle = guarantee["critical_cycle"]
    if cycle:
        shown = " -> ".join(cycle[:6]) + (f" -> ... ({len(cycle)} actors)" if len(cycle) > 6 else "")
        lines.append(f"           set by {shown}")
    return lines


def verification_lines(result: dict[str, Any]) -> list[str]:
    """The outcome of `snnc verify`."""
    machine, exact = result["machine"], result["exact"]
    same = machine["different"] == 0
    how = "exactly" if exact else "up to rounding: some sums are not exact in float64"
    lines = [f"verified   {result['samples']} samples x {result['steps']} steps"]
    if same:
        lines.append(f"           machine = compiled program, {machine['compared']:,} neuron-steps, {how}")
    else:
        lines.append(f"           MACHINE DIFFERS from the compiled program in {machine['different']:,} neuron-steps")
        lines.append(f"           first: {_place(machine['first'])}")
        origin = machine["origin"] or "nobody: the files in machine/ are not what the last pass made"
        lines.append(f"           brought in by {origin}")
    for change in result["passes"]:
        lines += _change(change, "value" if result.get("values") else "spike")
    accuracy = result["accuracy"]
    if accuracy["program"] is not None:
        lines.append(f"accuracy   {accuracy['program']:.2%} program, {accuracy['machine']:.2%} machine")
    lines += _timing(result["timing"]) if result["timing"] is not None else []
    energy = result.get("energy")  # a verification of an earlier version has none
    lines += energy_lines(energy) if energy is not None else []
    lines.append("verdict    " + ("ok" if result["holds"] else "FAILED"))
    return lines


def _change(change: dict[str, Any], unit: str) -> list[str]:
    what = f"           {change['name']}: "
    if not change["different"]:
        return [what + f"changed no {unit}"]
    share = change["different"] / change["compared"]
    allowed = "" if change["lossy"] else " ALTHOUGH IT MUST NOT"
    accuracy = f", accuracy then {change['accuracy']:.2%}" if change["accuracy"] is not None else ""
    return [f"{what}changed {share:.3%} of the {unit}s{allowed}{accuracy}; first: {_place(change['first'])}"]


def _timing(timing: dict[str, Any]) -> list[str]:
    if timing["steps_per_second"] is None:
        return []
    rate = f"{timing['steps_per_second']:,.0f} steps/s over {timing['steps']} steps with real spikes"
    tight = f", tightness {timing['tightness']:.2f}" if timing["tightness"] is not None else ""
    lines = [f"simulated  {rate}{tight}"]
    if timing["late_step"] is not None:
        why = f"@{timing['exceeded']} exceeded the assumed activity" if timing["exceeded"] else "GUARANTEE BROKEN"
        lines.append(f"           step {timing['late_step']} was late: {why}")
    elif timing["exceeded"]:
        lines.append(f"           @{timing['exceeded']} exceeded the assumed activity, yet no step was late")
    return lines


def _place(first: dict[str, Any]) -> str:
    where = f"@{first['population']}[{first['neuron']}] at step {first['step']} of sample {first['sample']}"
    return f"{where} ({first['expected']} expected, {first['found']} found)"
