"""What delays take: parameters, spikes, and the bits of a delay memory of every kind, as plain values and as lines."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from snnir.delays import MEMORIES, Memory
from snnir.delays.formulas import EVENT_BITS
from snnir.dialects.attributes import value_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import NetworkOp, WeightedOp
from snnir.passes.cluster.delay_sizes import DelaySizes

UNSTATED_BITS = 32
"""Bits of a slot of a ring where the machine states no precision of weights."""
_SHOWN = 4
"""Sources whose spikes are shown in lines."""


def delays_as_json(network: NetworkOp, machine: Machine, sizes: DelaySizes) -> dict[str, Any]:
    """The delays of a clustered program as `metrics.json` has them (`metrics.schema.json`)."""
    own = None if machine.delays is None else machine.delays.memory
    measured = sizes.spikes is not None
    crossbars = [
        {
            "name": each.cluster,
            "bound": {memory: each.bound(memory) for memory in MEMORIES},
            "observed": None if each.observed is None else dict(each.observed),
            "reserved": None if own is None else each.entries(_memory(own), sizes.margin),
        }
        for each in sizes.crossbars
    ]
    return {
        "memory": own,
        "entries": None if machine.delays is None else machine.delays.entries or None,
        "longest": max((each.reads.longest for each in sizes.crossbars), default=0),
        "parameters": parameters_of(network),
        "samples": sizes.samples,
        "steps": sizes.steps,
        "margin": float(sizes.margin) if measured else None,
        "spikes": dict(sizes.spikes) if sizes.spikes is not None else None,
        "structures": [_structure(memory, machine, sizes) for memory in MEMORIES],
        "crossbars": crossbars,
    }


def parameters_of(network: NetworkOp) -> int:
    """The weights of a program that are not 0, each counted once, however many synapses share it."""
    weights = (value_of(op.weights) for op in network.body.block.ops if isinstance(op, WeightedOp))
    return sum(int(np.count_nonzero(each)) for each in weights)


def bits_of(memory: Memory, machine: Machine) -> int:
    """The bits of one entry: as the platform says for its own memory; else those of a weight for a slot of a ring, and
    those of arXiv 2404.10597, section III, for an event."""
    if machine.delays is not None and machine.delays.memory == memory and machine.delays.bits:
        return machine.delays.bits
    return (machine.crossbar.weight_bits or UNSTATED_BITS) if memory == "ring" else EVENT_BITS


def _structure(memory: Memory, machine: Machine, sizes: DelaySizes) -> dict[str, Any]:
    bits = bits_of(memory, machine)
    found: dict[str, Any] = {
        "memory": memory,
        "bits": bits,
        "bound": _sizes((each.bound(memory) for each in sizes.crossbars), bits),
        "with_margin": None,
    }
    if sizes.spikes is not None:
        found["with_margin"] = _sizes((each.entries(memory, sizes.margin) for each in sizes.crossbars), bits)
    return found


def _sizes(entries: Iterable[int], bits: int) -> dict[str, int]:
    every = list(entries)
    return {"total": bits * sum(every), "largest": bits * max(every, default=0)}


def _memory(name: str) -> Memory:
    return next(memory for memory in MEMORIES if memory == name)


def delay_lines(found: dict[str, Any]) -> list[str]:
    """The longest delay, parameters and spikes, then bits of each memory side by side."""
    crossbars = len(found["crossbars"])
    where = f"on {crossbars:,} crossbar{'s' if crossbars != 1 else ''}"
    lines = [f"delays     up to {found['longest']} steps {where}, {found['parameters']:,} parameters"]
    spikes = found["spikes"]
    if spikes:
        shown = ", ".join(f"{name} {mean:,.1f}" for name, mean in list(spikes.items())[:_SHOWN])
        more = f" and {len(spikes) - _SHOWN} more" if len(spikes) > _SHOWN else ""
        lines.append(f"           spikes per inference: {shown}{more}")
    head = f"           {'memory, bits':18}{'each':>5}{'bound':>14}{'largest':>12}"
    if spikes is not None:
        margin = Fraction(str(found["margin"]))
        head += f"{f'observed x {float(margin):g}':>18}{'largest':>12}"
    lines.append(head)
    for each in found["structures"]:
        name = each["memory"] + (" *" if each["memory"] == found["memory"] else "")
        bound, reserved = each["bound"], each["with_margin"]
        line = f"           {name[:24]:18}{each['bits']:>5}{bound['total']:>14,}{bound['largest']:>12,}"
        lines.append(line + (f"{reserved['total']:>18,}{reserved['largest']:>12,}" if reserved is not None else ""))
    return lines
