"""`cluster-size-delays`: how many entries of its delay memory each crossbar reserves."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.delays import Memory
from snnir.dialects.cluster import ClusterOp, ProgramOp
from snnir.dialects.cluster_delays import DelayMemory, DelayMemoryAttr
from snnir.dialects.cluster_reads import is_late, memory_of
from snnir.dialects.places import place_of
from snnir.dialects.platform import Machine
from snnir.passes.base import SNNPass, fail, machine, note_progress, only, program
from snnir.passes.cluster.delay_sizes import DelaySizes, Taken, delay_sizes
from snnir.passes.limits import Finding
from snnir.sim import Data
from snnir.sim.data import read_spikes

_SHOWN = 3
"""Sources that are named where a memory is too small."""


@dataclass(frozen=True)
class ClusterSizeDelays(SNNPass):
    """Reserve entries of the delay memory of each crossbar that reads something late.

    Needs clusters and a machine with a delay memory. Without data every crossbar reserves its bound: what is in use
    when every neuron fires in every step. With data the program is run on them, and a crossbar reserves the most that
    was in use in any step of a sample, times `margin`, unless its bound is less; the slots of a `ring` are always all
    there. What does not fit into the machine's memory is an error that names the sources which take most of it.
    """

    name = "cluster-size-delays"

    data: str | None = None
    """A file of representative inputs as `snn-profile` takes it; without it bounds are reserved."""
    samples: int | None = None
    """How many of the samples to run; all by default."""
    margin: float | int = 1.25
    """Entries reserved for each one in use on the data, 1 or more."""

    measures: list[DelaySizes] = field(default_factory=list[DelaySizes], init=False, repr=False, compare=False)
    """What the pass found, run by run."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        clusters = only(op, ProgramOp, "run convert-snn-to-cluster before")
        network, target = program(op), machine(op)
        if target.delays is None:
            hint = "leave this pass out, or state a table [delays] in the platform"
            fail(clusters, f"'{target.name}' has no delay memory to size", hint)
        if not 1 <= self.margin < float("inf"):
            fail(clusters, f"a margin of {self.margin}", "reserve as much as was in use, or more: 1 and up")
        inputs: Mapping[str, Data] | None = None
        if self.data is not None and any(map(is_late, clusters.clusters)):
            inputs = read_spikes(Path(self.data), self.samples, network.step_seconds)
        margin = Fraction(str(self.margin))
        sizes = delay_sizes(clusters, network, inputs, margin, partial(note_progress, self.name))
        self.measures.append(sizes)
        memory = memory_of(target.delays)
        _check(clusters, sizes, target, memory)
        _set(clusters, sizes, memory)
        reserved = [each.entries(memory, margin) for each in sizes.crossbars]
        self.statistics["crossbars with a delay memory"] = len(reserved)
        self.statistics["entries reserved"] = sum(reserved)
        self.statistics["entries reserved on one crossbar, most"] = max(reserved, default=0)
        self.statistics["entries if all neurons fire"] = sum(each.bound(memory) for each in sizes.crossbars)
        if sizes.samples:
            self.statistics["entries in use on one crossbar, most"] = max(
                each.observed[memory] for each in sizes.crossbars if each.observed is not None
            )


def _set(clusters: ProgramOp, sizes: DelaySizes, memory: Memory) -> None:
    found = {each.cluster: each for each in sizes.crossbars}
    for cluster in clusters.clusters:
        each = found.get(cluster.sym_name.data)
        if each is None:
            cluster.delays = None
            continue
        seen = None if each.observed is None else each.observed[memory]
        cluster.delays = DelayMemoryAttr(DelayMemory(each.entries(memory, sizes.margin), each.bound(memory), seen))


def _check(clusters: ProgramOp, sizes: DelaySizes, target: Machine, memory: Memory) -> None:
    """Raise where a crossbar needs more than the machine has; note where only its bound is more."""
    assert target.delays is not None
    available = target.delays.entries
    if not available or not sizes.crossbars:
        return
    ops = {op.sym_name.data: op for op in clusters.clusters}
    unit = "slots" if memory == "ring" else "events"
    worst = max(sizes.crossbars, key=lambda each: each.entries(memory, sizes.margin))
    needed = worst.entries(memory, sizes.margin)
    if needed > available:
        others = sum(each.entries(memory, sizes.margin) > available for each in sizes.crossbars) - 1
        more = f", and so do {others:,} other{'s' if others > 1 else ''}" if others else ""
        message = f"@{worst.cluster} needs {needed:,} {unit} of delay memory, a crossbar of '{target.name}' has "
        message += f"{available:,}{more}; {_shares(worst, memory)}"
        fail(ops[worst.cluster], message, _hint(sizes, memory, needed))
    above = [each for each in sizes.crossbars if each.bound(memory) > available]
    if above:
        print(_note(above, ops, sizes, target, memory), file=sys.stderr)


def _note(
    above: list[Taken], ops: Mapping[str, ClusterOp], sizes: DelaySizes, target: Machine, memory: Memory
) -> Finding:
    """That some crossbars would need more than there is if more neurons fired than on the data."""
    assert target.delays is not None
    largest = max(above, key=lambda each: each.bound(memory))
    name, more = largest.cluster, f" (as on {len(above) - 1:,} more)" if len(above) > 1 else ""
    bound, reserved, available = largest.bound(memory), largest.entries(memory, sizes.margin), target.delays.entries
    message = f"@{name} reserves {reserved:,} events of delay memory, {bound:,} if all neurons fired{more}; '"
    message += f"{target.name}' has {available:,}: overflow is then an error of the machine, not a lost spike"
    hint = "prune delays until the bound fits, where no input may ever stop the machine"
    return Finding("note", "delay memory", name, place_of(ops[name]), message, hint, bound, available)


def _shares(worst: Taken, memory: Memory) -> str:
    """Which sources take most of it."""
    shares = worst.reads.by_source(memory)
    total = max(1, sum(shares.values()))
    largest = sorted(shares.items(), key=lambda item: -item[1])[:_SHOWN]
    named = ", ".join(f"@{name} {count / total:.0%}" for name, count in largest)
    if memory == "ring":
        reads = worst.reads
        return f"{reads.targets:,} sums with delays up to {reads.longest} steps; late rows of {named}"
    return f"most is for {named}"


def _hint(sizes: DelaySizes, memory: Memory, needed: int) -> str:
    words = [
        "prune delays (snn-prune-delays)",
        "smaller crossbars",
        f"a machine with delays.entries = {needed} or more",
    ]
    if memory != "ring" and not sizes.samples:
        words.insert(0, "give representative inputs (data=...), on which fewer neurons may fire")
    return f"{', '.join(words[:-1])}, or {words[-1]}"
