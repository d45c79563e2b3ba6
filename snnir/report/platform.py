"""A check of a program against a machine as plain values (`platform-check.schema.json`) and as a screen of text."""

from typing import Any

from snnir.dialects.platform import Machine
from snnir.partition.metrics import Bounds
from snnir.passes.limits import Finding, Layer, PlatformCheck, Weights

FORMAT = "snnir-platform-check"
VERSION = 1
_HEAD = ("layer", "model", "neurons", "synapses", "fan-in", "axons", "delay", "crossbars", "weights", "buffer", "")


def check_as_json(check: PlatformCheck, model: str) -> dict[str, Any]:
    """The check as plain values."""
    crossbar, tiles = check.machine.crossbar, check.machine.tiles
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": model,
        "program": check.program,
        "machine": {
            "name": check.machine.name,
            "mesh": list(tiles.mesh),
            "crossbars": check.machine.crossbars,
            "rows": crossbar.rows,
            "columns": crossbar.columns,
            "columns_per_weight": crossbar.columns_per_weight,
            "signal_bits": crossbar.signal_bits or None,
            "neurons": crossbar.neurons or None,
            "fanin": crossbar.fanin,
            "models": list(crossbar.models),
            "weight_bits": crossbar.weight_bits or None,
            "max_delay": crossbar.max_delay,
            "synapses": crossbar.synapses or None,
            "delay_memory": _delays(check.machine),
            "buffer_events": check.machine.buffers.events,
            "table_entries": tiles.table_entries or None,
        },
        "holds": check.holds,
        "layers": [_layer(layer, check) for layer in check.layers],
        "crossbars": _bounds(check.least),
        "findings": [vars(finding) for finding in check.findings],
    }


def _delays(machine: Machine) -> dict[str, Any] | None:
    delays = machine.delays
    return None if delays is None else {"memory": delays.memory, "entries": delays.entries or None}


def _layer(layer: Layer, check: PlatformCheck) -> dict[str, Any]:
    own = _own(layer, check)
    result: dict[str, Any] = {
        "name": layer.name,
        "place": layer.place,
        "model": layer.model,
        "shape": list(layer.shape),
        "neurons": layer.size,
        "fits": not any(finding.level == "error" for finding in own),
        "takes": None,
    }
    figures = layer.figures
    if figures is not None:
        result["takes"] = {
            "synapses": figures.synapses,
            "fanin": figures.fanin,
            "parts": figures.parts,
            "relays": figures.relays,
            "axons": figures.axons,
            "delay": figures.delay,
            "crossbars": _bounds(figures.least),
            "weights": {**vars(figures.weights), "elements": list(figures.weights.elements)},
            "buffer": vars(figures.buffer),
        }
    return result


def _own(layer: Layer, check: PlatformCheck) -> list[Finding]:
    return [finding for finding in check.findings if finding.subject == layer.name]


def _bounds(least: Bounds) -> dict[str, int]:
    by = {"columns": least.columns, "rows": least.rows, "cells": least.cells, "neurons": least.neurons}
    return {**by, "at_least": least.crossbars}


def check_as_text(check: PlatformCheck, model: str) -> str:
    """The machine, a table of the layers, the findings with their hints, the verdict."""
    rows = [_HEAD, *(_cells(layer, check) for layer in check.layers)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    left = {0, 1, 8, len(_HEAD) - 1}
    table = [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines = [f"network    {check.program} from {model}", *_machine(check), *(f"  {line}" for line in table)]
    lines += [f"crossbars  at least {check.least.crossbars:,} of {check.machine.crossbars:,}: {_why(check.least)}"]
    lines += [str(finding) for finding in check.findings]
    return "\n".join([*lines, f"verdict    {_verdict(check)}"])


def _machine(check: PlatformCheck) -> list[str]:
    machine = check.machine
    crossbar = machine.crossbar
    fanin = {"digital": "digital partial sums", "relay": "relay neurons", "none": "no splitting of fan-in"}
    bits = f"{crossbar.weight_bits}-bit weights" if crossbar.weight_bits else "weights of unstated precision"
    size = f"{machine.crossbars:,} crossbars of {crossbar.rows:,}x{crossbar.columns:,}"
    size += f" that keep {crossbar.neurons:,} neurons" if crossbar.neurons > crossbar.columns else ""
    per_weight = crossbar.columns_per_weight
    size += f", {crossbar.weight_columns:,} columns of weights" if per_weight > 1 else ""
    bits += f", {crossbar.synapses:,} of them stored" if crossbar.synapses else ""
    bits += f", codes of {crossbar.signal_bits} bits" if crossbar.signal_bits else ""
    first = f"machine    {machine.name}: {size}, {fanin[crossbar.fanin]}, {bits}"
    delays = f"delays to {crossbar.max_delay}"
    if machine.delays is not None:
        held = f" of {machine.delays.entries:,}" if machine.delays.entries else ""
        delays += f" ({machine.delays.memory}{held})"
    rest = f"{delays}, input buffers of {machine.buffers.events:,}, {', '.join(crossbar.models)}"
    return [first, f"           {rest}"]


def _cells(layer: Layer, check: PlatformCheck) -> tuple[str, ...]:
    figures = layer.figures
    head = (layer.name, layer.model, f"{layer.size:,}")
    if figures is None:
        return (*head, *[""] * 7, _outcome(layer, check))
    worst, peak = figures.buffer.worst, figures.buffer.peak
    return (
        *head,
        f"{figures.synapses:,}",
        f"{figures.fanin:,}",
        f"{figures.axons:,}",
        str(figures.delay),
        f"{figures.least.crossbars:,}",
        _weights(figures.weights),
        f"{worst:,}" if peak is None else f"{peak:,}/{worst:,}",
        _outcome(layer, check),
    )


def _weights(weights: Weights) -> str:
    kinds = "+".join(weights.elements)
    return f"{kinds}, {weights.levels:,}{'' if weights.is_exact else '+'} levels" if kinds else ""


def _outcome(layer: Layer, check: PlatformCheck) -> str:
    """`fits`, or what is broken; then what has to be done."""
    own = _own(layer, check)
    broken = ", ".join(dict.fromkeys(finding.limit for finding in own if finding.level == "error"))
    words = [f"BREAKS {broken}" if broken else "fits"]
    perhaps = ", ".join(dict.fromkeys(finding.limit for finding in own if finding.level == "warning"))
    words += [f"may break {perhaps}"] if perhaps else []
    figures, fanin = layer.figures, check.machine.crossbar.fanin
    if figures is not None and figures.parts > 1 and fanin != "none":
        words.append(f"{figures.relays:,} relays a neuron" if figures.relays else f"{figures.parts:,} sums a neuron")
    if any(finding.limit == "weights" for finding in own):
        words.append("quantised")
    return ", ".join(words)


def _why(least: Bounds) -> str:
    states = f", {least.neurons:,} by neuron states" if least.neurons else ""
    return f"{least.columns:,} by columns, {least.rows:,} by rows, {least.cells:,} by cells{states}"


def _verdict(check: PlatformCheck) -> str:
    errors, warnings = len(check.of("error")), len(check.of("warning"))
    verdict = "fits" if check.holds else f"BREAKS {errors} limit{'s' if errors > 1 else ''}"
    return verdict + (f", {warnings} warning{'s' if warnings > 1 else ''}" if warnings else "")
