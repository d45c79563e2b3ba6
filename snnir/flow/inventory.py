"""What a program holds: inputs, populations with parameters and semantics, connections with their synapses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from xdsl.ir import Operation, SSAValue

from snnir.activations import ACTIVATIONS
from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.places import place_of
from snnir.dialects.snn import (
    AddOp,
    BundleOp,
    ConvOp,
    DelayOp,
    DualLifOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    PoolOp,
    SparseOp,
    WeightedOp,
)
from snnir.flow.variants import sources_behind
from snnir.semantics import PRESETS, Semantics, preset

VERSION = 1


def inventory(network: NetworkOp) -> dict[str, Any]:
    """The program as plain values, in program order; times in seconds."""
    sources = network.sources.values()
    populations = [_population(op) for op in sources if isinstance(op, NeuronOp)]
    projections = [each for entry in populations for each in entry["reads"]]
    return {
        "version": VERSION,
        "name": network.sym_name.data,
        "dt": network.step_seconds,
        "steps": None if network.steps is None else network.steps.data,
        "inputs": [_input(op) for op in sources if isinstance(op, InputOp)],
        "populations": populations,
        "outputs": [{"name": name, "reads": _ends(op.signal)} for name, op in network.outputs.items()],
        "neurons": sum(entry["size"] for entry in populations),
        "synapses": sum(each["synapses"] for each in projections),
    }


def _input(op: InputOp) -> dict[str, Any]:
    shape, element = _type(op.signal)
    return {"name": op.sym_name.data, "shape": list(shape), "element": element, "place": place_of(op)}


def _population(op: NeuronOp) -> dict[str, Any]:
    values = [*((value, "") for value in op.excitatory), *((value, "inhibitory") for value in op.inhibitory)]
    if isinstance(op, DualLifOp):
        values = [(value, kind or "excitatory") for value, kind in values]
    return {
        "name": op.sym_name.data,
        "model": op.MODEL,
        "shape": list(op.signal_type.shape.data),
        "size": op.size,
        "parameters": {name: _range(op.parameters[name]) for name in op.names()},
        "semantics": op.semantics.data.differences(Semantics()),
        "reads": [_path(term, kind) for value, kind in values for term in _terms(value)],
        "place": place_of(op),
    }


def _range(value: Any) -> float | dict[str, float]:
    """One number, or the smallest and the largest of several."""
    array = np.asarray(value, np.float64)
    low, high = float(array.min()), float(array.max())
    return low if low == high else {"from": low, "to": high}


def _terms(value: SSAValue) -> list[SSAValue]:
    owner = value.owner
    return [each for part in owner.inputs for each in _terms(part)] if isinstance(owner, AddOp) else [value]


def _path(value: SSAValue, synapse: str) -> dict[str, Any]:
    """The ops from the sources to a summand, the last one first."""
    ops: list[dict[str, Any]] = []
    current = value
    while isinstance(current.owner, Operation) and not isinstance(current.owner, InputOp | NeuronOp | AddOp):
        ops.append(_op(current.owner))
        current = current.owner.operands[0]
    entry: dict[str, Any] = {"from": _ends(value), "ops": ops[::-1], "synapses": sum(each["synapses"] for each in ops)}
    return {**entry, "synapse": synapse} if synapse else entry


def _op(op: Operation) -> dict[str, Any]:
    kind = op.name.removeprefix("snn.")
    entry: dict[str, Any] = {"kind": kind, "synapses": 0, "shape": list(_type(op.results[0])[0]), "place": place_of(op)}
    if isinstance(op, WeightedOp):
        entry["synapses"] = _synapses(op)
        entry["weights"] = _weights(op)
        entry["bias"] = op.bias is not None
    if isinstance(op, ConvOp | PoolOp):
        entry["stride"] = list(op.stride.data)
        entry["padding"] = [list(op.padding_low.data), list(op.padding_high.data)]
    if isinstance(op, PoolOp):
        entry["kernel"] = list(op.kernel.data)
    delay = _delay(op)
    return {**entry, "delay": delay} if delay not in (0, [0, 0]) else entry


def _delay(op: Operation) -> int | list[int]:
    """Steps; the least and the most where single synapses or neurons have their own."""
    if isinstance(op, SparseOp) and op.delays is not None:
        return [int(n) + op.delay.data for n in (op.delays.array.min(), op.delays.array.max())]
    if isinstance(op, BundleOp):
        return [op.least_delay, op.latest_delay] if op.latest_delay > op.least_delay else op.least_delay
    if isinstance(op, DelayOp) and isinstance(op.delay, TensorAttr):
        return [int(op.delay.array.min()), int(op.delay.array.max())]
    return op.delay.data if isinstance(op, WeightedOp) else (op.steps or 0) if isinstance(op, DelayOp) else 0


def _synapses(op: WeightedOp) -> int:
    """The single connections that a projection stands for; those into the padding of a convolution count too."""
    if not isinstance(op.weights, TensorAttr):
        return op.current_type.size
    if isinstance(op, ConvOp):
        return op.current_type.size * prod(op.weights.data.shape[1:])
    if isinstance(op, BundleOp):
        return int(np.count_nonzero(op.weights.array))
    shape = op.weights.data.shape
    repeated = len(shape) == 2 and shape != (op.current_type.size, op.source_type.size)
    return op.weights.data.size * (prod(op.current_type.shape.data[:-1]) if repeated else 1)


def _weights(op: WeightedOp) -> str:
    if isinstance(op.weights, TensorAttr):
        return "x".join(map(str, (*op.weights.data.shape, op.weights.data.element)))
    return f"{value_of(op.weights):g}"


def _ends(value: SSAValue) -> list[str]:
    """The inputs and populations behind a signal."""
    return sorted({op.sym_name.data for op in sources_behind(value)})


def _type(value: SSAValue) -> tuple[tuple[int, ...], str]:
    type_ = value.type
    assert isinstance(type_, SignalType)
    return type_.shape.data, "spike" if type_.is_spike else str(type_.element)


def inventory_lines(found: dict[str, Any], path: str) -> list[str]:
    """The program as a table."""
    steps = f", {found['steps']} steps per inference" if found["steps"] else ""
    totals = f"{found['neurons']:,} neurons, {found['synapses']:,} synapses"
    lines = [f"network    {found['name']} from {path}: dt {found['dt']:g} s{steps}; {totals}"]
    named = [*found["inputs"], *found["populations"], *found["outputs"]]
    wide = min(24, max((len(each["name"]) for each in named), default=0))
    for each in found["inputs"]:
        element = "spikes" if each["element"] == "spike" else "currents"
        lines.append(f"  {each['name']:{wide}}  {'input':10} {_shape(each['shape']):>10}  {element}")
    for each in found["populations"]:
        parameters = " ".join(f"{name} {_number(value)}" for name, value in each["parameters"].items())
        lines.append(f"  {each['name']:{wide}}  {each['model']:10} {_shape(each['shape']):>10}  {parameters}")
        lines += [f"  {'':{wide}}    {_reading(term)}" for term in each["reads"]]
    for each in found["outputs"]:
        lines.append(f"  {each['name']:{wide}}  {'output':10} {'':>10}  {' + '.join(each['reads'])}")
    return [*lines, *_semantics_lines(found["populations"])]


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _number(value: float | dict[str, float]) -> str:
    return f"{value['from']:g}..{value['to']:g}" if isinstance(value, dict) else f"{value:g}"


def _reading(term: dict[str, Any]) -> str:
    ops = [_op_text(op) for op in term["ops"]]
    synapses = f", {term['synapses']:,} synapses" if term["synapses"] else ""
    kind = f" ({term['synapse']})" if "synapse" in term else ""
    return f"<- {' + '.join(term['from'])}{kind}: {', '.join(ops) or 'as it is'}{synapses}"


def _op_text(op: dict[str, Any]) -> str:
    text = op["kind"]
    if "weights" in op:
        text += f" {op['weights']}" + (" + bias" if op["bias"] else "")
    if "kernel" in op:
        text += f" {_shape(op['kernel'])}"
    if "stride" in op and set(op["stride"]) != {1} and op["stride"] != op.get("kernel"):
        text += f" stride {_shape(op['stride'])}"
    if op["kind"] == "flatten":
        text += f" to {_shape(op['shape'])}"
    if "delay" in op:
        several = isinstance(op["delay"], list)
        text += f" delay {op['delay'][0]}..{op['delay'][1]}" if several else f" delay {op['delay']}"
    return text


def _semantics_lines(populations: list[dict[str, Any]]) -> list[str]:
    """What the populations of one kind have in common, the most frequent first."""
    kinds = Counter(_semantics_text(each) for each in populations if each["model"] not in ACTIVATIONS)
    lines: list[str] = []
    for text, count in kinds.most_common():
        title = "semantics" if not lines else ""
        who = "" if len(kinds) == 1 else f" in {count} population{'s' if count > 1 else ''}"
        lines.append(f"{title:11}{text}{who}")
    return lines


def _semantics_text(population: dict[str, Any]) -> str:
    """How a population differs from NIR's equations, and which platforms do the same."""
    changes = ", ".join(f"{name} = {value}" for name, value in population["semantics"].items())
    semantics = Semantics().changed(population["semantics"])
    same = [name for name in PRESETS if preset(name, population["model"]) == semantics]
    text = f"nir, {changes}" if changes else "nir"
    others = [name for name in same if name != text]
    return f"{text} (as {', '.join(others)})" if others else text
