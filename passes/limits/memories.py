"""Limits of what crossbars remember: synapses of a neuron, and spikes that it reads late."""

from collections.abc import Iterator, Sequence

import numpy as np

from snnir.delays import Memory
from snnir.dialects.cluster_reads import memory_of
from snnir.dialects.connections import Connection
from snnir.dialects.platform import Machine
from snnir.passes.activity import Assumption
from snnir.passes.limits.figures import Figures
from snnir.passes.limits.findings import Finding, Layer


def of_synapses(layer: Layer, figures: Figures, target: Machine) -> Iterator[Finding]:
    """A neuron whose synapses no crossbar stores: divided by its axons where sums are digital, else it never fits."""
    stores, fanin = target.crossbar.synapses, figures.fanin
    if not stores or fanin <= stores:
        return
    message = f"a neuron of @{layer.name} has {fanin:,} synapses, a crossbar of '{target.name}' stores {stores:,}"
    larger = f"crossbar.synapses = {fanin} or more"
    if target.crossbar.fanin == "digital":
        message += f": its inputs are summed on {-(-fanin // stores):,} crossbars, which is exact"
        hint = f"nothing has to be done; {larger} would take no partial sums"
        yield Finding("note", "synapses", layer.name, layer.place, message, hint, fanin, stores)
        return
    hint = f'prune synapses, or a machine with {larger}, or with crossbar.fanin = "digital" (partial sums)'
    yield Finding("error", "synapses", layer.name, layer.place, message, hint, fanin, stores)


def of_delays(
    layer: Layer, figures: Figures, connections: Sequence[Connection], target: Machine, activity: Assumption
) -> Iterator[Finding]:
    """What one neuron of a layer makes its crossbar remember at least, whatever else is there.

    The slots of a ring are all there whatever spikes; events of other memories are as many as neurons fire, so that
    only the worst case makes them an error.
    """
    late = [c for c in connections if c.delay]
    if target.delays is None or not target.delays.entries or not late:
        return
    memory, entries = memory_of(target.delays), target.delays.entries
    together = target.crossbar.fanin != "digital" and figures.parts == 1
    needed = _needed(memory, late, together=together)
    if needed <= entries:
        return
    holds = f"the delay memory of a crossbar of '{target.name}' holds {entries:,}"
    larger = f"a machine with delays.entries = {needed} or more"
    if memory == "ring":
        message = f"a neuron of @{layer.name} takes a ring of {needed:,} slots, {holds}"
        hint = f"shorter delays (snn-legalize-delays, snn-prune-delays), or {larger}"
        yield Finding("error", "delay memory", layer.name, layer.place, message, hint, needed, entries)
        return
    what = "what it reads" if together else "one that it reads"
    message = f"a neuron of @{layer.name} makes {needed:,} events or more wait when {what} always fires, {holds}"
    hint = f"prune delays (snn-prune-delays), or {larger}"
    if activity == "worst":
        yield Finding("error", "delay memory", layer.name, layer.place, message, hint, needed, entries)
        return
    hint = f"{hint}; cluster-size-delays{{data=...}} says whether the spikes of your data fit"
    yield Finding("warning", "delay memory", layer.name, layer.place, message, hint, needed, entries)


def _needed(memory: Memory, late: Sequence[Connection], *, together: bool) -> int:
    """Entries that are in use at least when all neurons fire: for one late row, or for all of the neuron with most."""
    more = {"ring": (1, 1), "queue": (1, 0), "circular": (2, 1), "fifo": (1, 1)}[memory]
    each = [more[0] * c.delay + more[1] for c in late]
    if memory == "ring" or not together:
        return max(each)
    fanin = [c.synapses.fanin() for c in late]
    if memory == "queue":
        total = np.sum([count * entries for count, entries in zip(fanin, each, strict=True)], axis=0)
        return int(total.max(initial=0))
    # an event serves all delays of its source: no fewer than for the projection that needs most
    return max(int(count.max(initial=0)) * entries for count, entries in zip(fanin, each, strict=True))
