"""How active a program is on data: what `snn-profile` attaches to the IR, for data of any format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from snnir.dialects.activity import PERCENTILES, ActivityAttr
from snnir.dialects.snn import NetworkOp
from snnir.flow.compare import Signal
from snnir.passes.snn.profile import Measure
from snnir.sim import chunks, run
from snnir.sim.entry import network_of
from snnir.sim.events import Events


def measure(
    network: NetworkOp, inputs: Mapping[str, Signal], progress: Callable[[int, int], None] | None = None
) -> dict[str, ActivityAttr]:
    """The activity of every input and population that spikes; a few samples at a time, so that memory stays bounded."""
    program = network_of(network)
    measures = {name: Measure(name, op.size) for name, op in network.sources.items() if op.emits_spikes}
    if all(isinstance(data, Events) for data in inputs.values()):
        found = run(program, inputs, record=list(measures), lists=True, progress=progress).events
        for name, events in found.items():
            measures[name].add_events(events)
    else:
        for _, signals in chunks(program, inputs, record=list(measures), progress=progress):
            for name, each in measures.items():
                each.add(signals[name])
    return {name: each.activity() for name, each in measures.items()}


def activity_table(activity: Mapping[str, ActivityAttr], top: int) -> dict[str, dict[str, Any]]:
    """The same as plain values, with the `top` neurons that fired most and the number of those that never did."""
    return {name: _entry(each, top) for name, each in activity.items()}


def _entry(activity: ActivityAttr, top: int) -> dict[str, Any]:
    counts = activity.counts.array
    order = np.argsort(-counts, kind="stable")[:top]
    levels = {f"p{p}": n for p, n in zip(PERCENTILES, activity.percentiles.data, strict=True)}
    return {
        "neurons": len(counts),
        "spikes": activity.total.data,
        "mean": float(activity.mean),
        "peak": activity.peak.data,
        **levels,
        "silent": int((counts == 0).sum()),
        "most_active": [{"neuron": int(n), "spikes": int(counts[n])} for n in order if counts[n]],
    }
