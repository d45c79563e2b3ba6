"""`snn-prune-delays`: fewer delays for each synapse, axon or entry of a delay memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.places import place_of
from snnir.dialects.snn import BundleOp, NetworkOp, NeuronOp, SparseOp
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.snn.delayed import DelayedOp, has_delays, keep, plain_reads, read_of, readers_of, synapses_of
from snnir.passes.snn.projections import forget_activity
from snnir.pruning.memory import Choice, Option, choose
from snnir.pruning.synapses import (
    Delayed,
    Integers,
    Kept,
    Mask,
    Norm,
    Reals,
    entries,
    groups,
    last_delays,
    strongest_of_pairs,
    strongest_of_sources,
)
from snnir.report.changes import LayerChange
from snnir.tuning.ranges import sqnr


@dataclass(frozen=True)
class SNNPruneDelays(SNNPass):
    """Leave delays out of projections whose synapses have several: `snn.bundle`, and `snn.sparse` with delays.

    `synapse` keeps the delays with the largest weights between each two neurons; events then still live until the last
    of them. `axon` keeps the delays of each source neuron whose weights to all targets are the strongest by their norm:
    rows of a crossbar go. `memory` shortens the time that events live: each source keeps its delays up to some last
    one. All of those are chosen together, so that projections lose the least of their norms (as shares, added up) with
    which the entries of a shared circular delay queue, 2 L + 1 for each source with the last delay L, stay within a
    budget. What others read late, or `populations` leaves alone, frees nothing. The choice is exact, or where the
    network is too large for that, within the bound that is noted.

    Every source and every projection keep one delay at least. Lossy: what was lost, and the lifetimes and entries
    before and after, stand in `layers`. Activity that was measured before is dropped.
    """

    name = "snn-prune-delays"
    lossy = True

    by: Literal["synapse", "axon", "memory"] = "synapse"
    """What loses delays: each pair of neurons, each source neuron, or events in a delay memory."""
    keep: int | None = None
    """Delays that each pair (`synapse`) or source neuron (`axon`) keeps."""
    share: float | int | None = None
    """Instead the share that stays: of the delays of each pair or source, rounded up; for `memory`, of the entries."""
    entries: int | None = None
    """For `memory`: entries that events may take if all sources fire in every step."""
    norm: Norm = "l1"
    """The strength of a delay of a source: the sum of its absolute weights, or of their squares."""
    populations: tuple[str, ...] | None = None
    """The populations whose projections are pruned; all by default."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network = program(op)
        self._check(network)
        found = self._projections(network)
        if not found:
            self.layers.append(
                LayerChange(f"@{network.sym_name.data}", place_of(network), "nothing has several delays: none pruned")
            )
            return
        before = [synapses_of(each) for each in found]
        kept = self._kept(network, found, before)
        changed = False
        for each, synapses, mask in zip(found, before, kept, strict=True):
            if not mask.all():
                keep(each, mask)
                changed = True
            self._note(each, synapses, mask)
        if changed:
            forget_activity(each for each in network.sources.values() if isinstance(each, NeuronOp))

    def _check(self, network: NetworkOp) -> None:
        """Raise for options that say nothing, or nothing that can be done."""
        given = [name for name in ("keep", "share", "entries") if getattr(self, name) is not None]
        fitting = ("share", "entries") if self.by == "memory" else ("keep", "share")
        hint = f"for by={self.by} give {fitting[0]} or {fitting[1]}"
        if not given:
            fail(network, "how many delays stay?", hint)
        if len(given) > 1 or given[0] not in fitting:
            fail(network, f"{' and '.join(given)} for by={self.by}", hint)
        if self.keep is not None and self.keep < 1:
            fail(network, f"keep={self.keep}: nothing would be left of a synapse", "keep 1 or more, or take it out")
        if self.share is not None and not 0 < self.share <= 1:
            fail(network, f"a share of {self.share:g}", "give a number above 0, at most 1")
        if self.entries is not None and self.entries < 1:
            fail(network, f"{self.entries} entries", "give 1 or more")
        known = [name for name, each in network.sources.items() if isinstance(each, NeuronOp)]
        for name in self.populations or ():
            if name not in known:
                fail(network, f"there is no population @{name}", f"there are {', '.join(known)}")

    def _projections(self, network: NetworkOp) -> list[DelayedOp]:
        """The projections that are pruned, in program order."""
        found: list[DelayedOp] = []
        for each in network.body.block.ops:
            if not isinstance(each, BundleOp | SparseOp) or not has_delays(each):
                continue
            readers = readers_of(each.current)
            if self.populations is not None and not readers & set(self.populations):
                continue
            left = sorted(readers - set(self.populations or readers))
            if left:
                message = f"'{_key(each)}' is read by {', '.join(f'@{name}' for name in sorted(readers))}"
                fail(each, message, f"name {', '.join(left)} in populations too")
            found.append(each)
        return found

    def _kept(self, network: NetworkOp, found: Sequence[DelayedOp], synapses: Sequence[Delayed]) -> list[Mask]:
        if self.by == "memory":
            return self._by_memory(network, found, synapses)
        kept = Kept(self.keep, None if self.share is None else float(self.share))
        if self.by == "axon":
            return [strongest_of_sources(each, kept, self.norm) for each in synapses]
        return [strongest_of_pairs(each, kept) for each in synapses]

    def _by_memory(self, network: NetworkOp, found: Sequence[DelayedOp], synapses: Sequence[Delayed]) -> list[Mask]:
        """Which synapses stay so that the entries of all sources together keep to the budget."""
        owners, together, floors = _of_all(network, found, synapses, self.norm)
        group, owner, delay, magnitude = groups(owners, together, self.norm)
        starts = np.searchsorted(owner, np.arange(len(floors) + 1))
        ends = np.cumsum([0, *(len(each) for each in synapses)])
        first = np.zeros(len(floors), np.int64)
        rank = np.arange(len(owner)) - starts[owner]
        for a, b in pairwise(ends.tolist()):
            if rank[group[a:b]].all():  # no source keeps any of its delays for sure: the shortest one stays
                least = group[a + int(together.delays[a:b].argmin())]
                first[owner[least]] = max(first[owner[least]], rank[least])
        options = [
            _option(delay[a:b], magnitude[a:b], int(floor), int(skip))
            for (a, b), floor, skip in zip(pairwise(starts.tolist()), floors, first, strict=True)
        ]
        today = sum(int(each.costs[-1]) for each in options)
        budget = self.entries if self.entries is not None else int(float(self.share or 0) * today)
        least = sum(int(each.costs[0]) for each in options)
        if least > budget:
            fail(
                network,
                f"{budget:,} entries, and the shortest delays (and those that are not pruned) take {least:,}",
                f"allow {least:,} or more",
            )
        choice = choose(options, budget)
        # how many groups of each source stay, and so which groups
        stay = rank <= (first + np.array(choice.chosen))[owner]
        after = sum(int(each.costs[n]) for each, n in zip(options, choice.chosen, strict=True))
        self._note_choice(network, choice, today, after)
        return np.split(stay[group], ends[1:-1])

    def _note_choice(self, network: NetworkOp, choice: Choice, before: int, after: int) -> None:
        self.statistics["delay entries of all sources before"] = before
        self.statistics["delay entries of all sources after"] = after
        best = (
            "the least possible"
            if choice.least >= choice.lost
            else f"at least {100 * choice.least:.2f} % with any choice"
        )
        change = (
            f"delay entries {before:,} to {after:,}; the shares of the {self.norm.upper()} norms that projections lose "
            f"add up to {100 * choice.lost:.2f} %, {best}"
        )
        self.layers.append(LayerChange(f"@{network.sym_name.data}", place_of(network), change))

    def _note(self, op: DelayedOp, before: Delayed, kept: Mask) -> None:
        """Say what a projection lost."""
        after, sources = before.some(kept), op.source_type.size
        lives = [last_delays(each.origins, each.delays, sources) for each in (before, after)]
        needed = [int(entries(each).sum()) for each in lives]
        norm = float(np.abs(before.weights).sum())
        lost = float(np.abs(before.weights[~kept]).sum()) / norm if norm else 0.0
        what = f"'{_key(op)}'"
        self.statistics[f"synapses of {what} before"] = len(before)
        self.statistics[f"synapses of {what} after"] = len(after)
        self.statistics[f"delay entries of {what} before"], self.statistics[f"delay entries of {what} after"] = needed
        self.statistics[f"norm of {what} lost, millionths"] = round(lost * 1e6)
        readers = sorted(readers_of(op.current))
        change = (
            f"{len(before) - len(after):,} of {len(before):,} delayed synapses of {what} pruned by {self.by}, "
            f"{100 * lost:.2f} % of their L1 norm; delay entries {needed[0]:,} to {needed[1]:,}; an event lives "
            f"{lives[0].mean():.1f} to {lives[1].mean():.1f} steps on average, {lives[0].max()} to {lives[1].max()} "
            "at most"
        )
        level = sqnr(before.weights, np.where(kept, before.weights, 0.0))
        self.layers.append(LayerChange(f"@{readers[0]}" if len(readers) == 1 else what, place_of(op), change, level))


def _of_all(
    network: NetworkOp, found: Sequence[DelayedOp], synapses: Sequence[Delayed], norm: Norm
) -> tuple[Integers, Delayed, Integers]:
    """The sources of all projections as one.

    Returns the source of each synapse, all synapses with targets of their own for each projection, delays from their
    sources on and weights that give each projection a norm of 1, and the last delay of each source that is not pruned.
    """
    reads = [read_of(op.source) for op in found]
    names = [f"%{number}" if read is None else read.source for number, read in enumerate(reads)]
    numbers: dict[tuple[str, int], int] = {}
    owners: list[int] = []
    delays: list[Integers] = []
    ends: list[Integers] = []
    targets = 0
    for op, read, name, each in zip(found, reads, names, synapses, strict=True):
        neurons = each.origins if read is None else read.neurons[each.origins]
        owners += [numbers.setdefault((name, neuron), len(numbers)) for neuron in neurons.tolist()]
        delays.append(each.delays if read is None else each.delays + read.delays[each.origins])
        ends.append(each.ends + targets)
        targets += op.current_type.size
    floors = np.zeros(len(numbers), np.int64)
    for read in plain_reads(network, found):
        for neuron, delay in zip(read.neurons.tolist(), read.delays.tolist(), strict=True):
            number = numbers.get((read.source, neuron))
            if number is not None:
                floors[number] = max(floors[number], delay)
    owner = np.array(owners, np.int64)
    weights = np.concatenate([_relative(each, norm) for each in synapses])
    return owner, Delayed(weights, owner, np.concatenate(ends), np.concatenate(delays)), floors


def _relative(synapses: Delayed, norm: Norm) -> Reals:
    """The weights of a projection, with which its norm is 1: those of others have other targets and thresholds."""
    whole = float(groups(synapses.origins, synapses, norm)[3].sum()) or 1.0
    return synapses.weights / (whole if norm == "l1" else np.sqrt(whole))


def _option(delays: Integers, magnitudes: Reals, floor: int, first: int) -> Option:
    """What a source can keep: its delays up to number `first` or a later one; it is read until `floor` in any case."""
    total = np.cumsum(magnitudes)
    return Option(entries(np.maximum(delays, floor))[first:], (total[-1] - total)[first:])


def _key(op: DelayedOp) -> str:
    assert isinstance(op.weights, TensorAttr)
    return op.weights.data.key
