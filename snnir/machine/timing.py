"""When each slice fires and each step is complete: the machine run as a self-timed system, in exact integers.

All steps of all samples stream through back to back. A firing starts at the latest of the times it waits for (its turn
on the crossbar, tokens, space), so firings are computed as soon as these are known, in any order; only links where
flows meet need an order of time, and `snnir.machine.network` serves those up to a horizon before which nothing is
unknown: whatever is not sent yet waits for a token that is still on its way, and for at least one firing of a slice
after that token. The result is that of the event-driven machine, event for event.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.machine.checks import route_of
from snnir.machine.counts import Counts, check_counts
from snnir.machine.network import Network, way_of
from snnir.machine.parts import UNIT_SECONDS, Configuration, Slice, Times

Integers = NDArray[np.int64]

_MOST_TIME = 2**62


@dataclass(frozen=True, eq=False)
class Timing:
    """The times of a run, int64 in the unit `unit` of the machine.

    `finish[k]`: when all outputs of step k have arrived at the host. `busy[slice]`: total firing time.
    `link_flits[link]`: flits that crossed the link. `firings[slice]`: (start, end) of each firing, two arrays (steps,).
    """

    unit: str
    finish: Integers
    busy: Mapping[str, int]
    link_flits: Mapping[str, int]
    firings: Mapping[str, tuple[Integers, Integers]]

    @property
    def throughput(self) -> Fraction | None:
        """Steps per unit of time between the first and the last completion; None when no time passes between them."""
        span = int(self.finish[-1]) - int(self.finish[0])
        return Fraction(len(self.finish) - 1, span) if span else None

    @property
    def steps_per_second(self) -> float | None:
        """The throughput in steps per second."""
        return None if self.throughput is None else float(self.throughput / UNIT_SECONDS[self.unit])


def firing_times(
    time: Times, part: Slice, spikes_in: Integers, spikes_out: Integers, columns_per_weight: int = 1
) -> Integers:
    """The firing time of a slice for each pair of spike counts, in units of time.

    event * n_in + reads * (read + convert * ceil(columns / columns_per_adc)) + add * neurons * partials, and for slices
    of neurons + update * neurons + spike * n_out; columns as they are built, `columns_per_weight` for each of weights.
    """
    columns = part.width // part.reads * columns_per_weight
    fixed = part.reads * (time.read + time.convert * -(-columns // time.columns_per_adc))
    fixed += time.add * part.width * len(part.partials)
    if part.is_partial:
        return fixed + time.event * spikes_in
    return fixed + time.update * part.width + time.event * spikes_in + time.spike * spikes_out


def simulate(configuration: Configuration, counts: Counts, steps: int | None = None) -> Timing:
    """Run the first `steps` steps (all by default) of the stream whose activity `counts` gives.

    `counts` are those of a `Run`, or any others, for example `peak_counts`. Raises `SnnirError` when they do not fit
    the configuration, and for a deadlock, naming who waits for whom.
    """
    steps = check_counts(configuration, counts, steps)
    check_range(configuration, steps)
    simulation = _Simulation(configuration, counts, steps)
    simulation.run()
    actors = simulation.actors
    ends = {name: np.array(actors[name].ends, np.int64) for name in configuration.slices}
    outputs = [simulation.outputs[output.name].ends for output in configuration.outputs]
    link_flits: dict[str, int] = {}
    for flow, sizes in zip(configuration.flows, simulation.flow_flits, strict=True):
        for link in way_of(configuration, flow).links:
            link_flits[link.name] = link_flits.get(link.name, 0) + sum(sizes)
    return Timing(
        unit=configuration.machine.time.unit,
        finish=np.array(outputs, np.int64).max(axis=0),
        busy={name: sum(actors[name].durations) for name in configuration.slices},
        link_flits=link_flits,
        firings={name: (end - np.array(actors[name].durations, np.int64), end) for name, end in ends.items()},
    )


def check_range(configuration: Configuration, steps: int) -> None:
    """All times fit 64 bits: every firing, and every flit on every link, one after the other."""
    time = configuration.machine.time
    total = 0
    for part in configuration.slices.values():
        spikes = len(part.axons) + part.width + part.reads
        columns = part.width * (2 + configuration.machine.columns_per_weight + len(part.partials))
        total += max(time.read, time.event, time.convert, time.add, time.update, time.spike) * (1 + spikes + columns)
    for flow in configuration.flows:
        source = configuration.slices.get(flow.source)
        size = max(item.size for item in configuration.inputs) if source is None else source.width
        total += (size + 1) * sum(link.flit + link.hop for link in way_of(configuration, flow).links)
    if total * steps > _MOST_TIME:
        message = f"{steps} steps can take {total * steps} {time.unit}, more than 64 bits hold"
        raise SnnirError(f"{configuration.path}:/machine/time", message, "use a larger unit, or fewer steps")


class _Actor:
    """A slice, an input or an output: what it waits for, how long it takes, and when it has ended so far."""

    __slots__ = ("durations", "ends", "flows", "name", "waits", "wakes")

    def __init__(self, name: str, durations: list[int]) -> None:
        self.name = name
        self.durations = durations
        self.ends: list[int] = []
        self.waits: list[tuple[list[int], int, str, _Actor]] = []
        """(times, lag, what, other): firing k starts at times[k - lag] or later, which `other` has to bring about."""
        self.flows: list[tuple[int, list[int]]] = []
        """(flow, flits of each step)."""
        self.wakes: list[_Unit] = []
        """Who may be able to fire after this one has."""


class _Unit:
    """What fires one actor at a time: a crossbar, an input or an output.

    In round r of its order, an actor of stage s fires for step r - s, if there is such a step.
    """

    __slots__ = ("free", "missing", "order", "position", "round", "rounds", "stages", "waiting")

    def __init__(self, order: list[_Actor], stages: Sequence[int], steps: int) -> None:
        self.order = order
        self.stages = stages
        self.position = 0
        self.round = 0
        self.rounds = steps + max(stages)
        self.free = 0
        self.missing: tuple[list[int], int] = ([], -1)
        """What held it up last: the list of times that was too short for this index."""
        self.waiting = False
        """Whether this unit is in the queue of those that may be able to fire."""

    @property
    def step(self) -> int:
        """The step for which the actor whose turn it is fires; none of the run while the pipeline fills or drains."""
        return self.round - self.stages[self.position]

    def next(self) -> None:
        """The turn goes to the next of the order."""
        self.position += 1
        if self.position == len(self.order):
            self.position, self.round = 0, self.round + 1


class _Simulation:
    """Computes firings as soon as all that they wait for is known, and moves flits when none can be computed."""

    def __init__(self, configuration: Configuration, counts: Counts, steps: int) -> None:
        self._configuration = configuration
        self._steps = steps
        self._queue: deque[_Unit] = deque()
        ways = [way_of(configuration, flow) for flow in configuration.flows]
        self._network = Network(ways, self._delivered)
        self._wakes: list[list[_Unit]] = [[] for _ in self._network.arrivals]
        """For each destination of a flow who may be able to fire when a token has arrived there."""
        self.flow_flits: list[list[int]] = []
        self.actors: dict[str, _Actor] = {}
        """Slices and inputs."""
        self.outputs: dict[str, _Actor] = {}
        self._units: list[_Unit] = []
        self._unit_of: dict[int, _Unit] = {}
        self._make_actors(counts)
        self._make_flows(counts)
        self._make_waits()
        shortest = min(min(self.actors[name].durations) for name in configuration.slices)
        self._lookahead = shortest + min((link.flit for way in ways for link in way.links), default=0)

    def _make_actors(self, counts: Counts) -> None:
        configuration, steps = self._configuration, self._steps
        nothing = [0] * steps
        for name, part in configuration.slices.items():
            spikes_in, spikes_out = counts.spikes_in[name][:steps], counts.spikes_out[name][:steps]
            machine = configuration.machine
            times = firing_times(machine.time, part, spikes_in, spikes_out, machine.columns_per_weight)
            self.actors[name] = _Actor(name, times.tolist())
        for item in configuration.inputs:
            self.actors[item.name] = _Actor(item.name, nothing)
            self._add_unit([self.actors[item.name]])
        for crossbar in configuration.crossbars:
            self._add_unit([self.actors[name] for name in crossbar.order], crossbar.stages)
        for output in configuration.outputs:
            self.outputs[output.name] = _Actor(output.name, nothing)
            self._add_unit([self.outputs[output.name]])

    def _add_unit(self, order: list[_Actor], stages: Sequence[int] = (0,)) -> None:
        unit = _Unit(order, stages, self._steps)
        self._units.append(unit)
        self._unit_of |= {id(actor): unit for actor in order}

    def _make_flows(self, counts: Counts) -> None:
        slices = self._configuration.slices
        for number, flow in enumerate(self._configuration.flows):
            part = slices.get(flow.source)
            if part is not None and part.is_partial:
                flits = [part.width + 1] * self._steps
            else:
                flits: list[int] = (counts.spikes_out[flow.source][: self._steps] + 1).tolist()
            self.flow_flits.append(flits)
            self.actors[flow.source].flows.append((number, flits))

    def _make_waits(self) -> None:
        ends = {
            (flow.source, to): end
            for flow, numbers in zip(self._configuration.flows, self._network.ends, strict=True)
            for to, end in zip(flow.to, numbers, strict=True)
        }
        for channel in self._configuration.channels:
            producer = self.actors[channel.source]
            consumer = self.outputs.get(channel.target) or self.actors[channel.target]
            route = route_of(self._configuration, channel)
            if route is None:
                times = producer.ends
                producer.wakes.append(self._unit_of[id(consumer)])
            else:
                times = self._network.arrivals[ends[route]]
                self._wakes[ends[route]].append(self._unit_of[id(consumer)])
            consumer.waits.append((times, channel.delay, "the token of", producer))
            consumer.wakes.append(self._unit_of[id(producer)])
            producer.waits.append((consumer.ends, channel.capacity - channel.delay, "space at", consumer))

    def _delivered(self, end: int) -> None:
        self._wake(self._wakes[end])

    def _wake(self, units: list[_Unit]) -> None:
        for unit in units:
            if not unit.waiting:
                unit.waiting = True
                self._queue.append(unit)

    def run(self) -> None:
        """Fire everything; raises `SnnirError` when some actor can never fire again."""
        self._wake(self._units)
        queue = self._queue
        while True:
            while queue:
                unit = queue.popleft()
                unit.waiting = False
                self._fire(unit)
            if not self._network.advance(self._lookahead):
                break
        if any(unit.round < unit.rounds for unit in self._units):
            raise self._deadlock()

    def _fire(self, unit: _Unit) -> None:
        """Compute the firings of a unit one after the other, until one waits for something that is not known yet."""
        times, index = unit.missing
        if index >= len(times):
            return
        send, order, steps = self._network.send, unit.order, self._steps
        while unit.round < unit.rounds:
            step = unit.step
            if not 0 <= step < steps:
                unit.next()
                continue
            actor = order[unit.position]
            start = unit.free
            for times, lag, _, _ in actor.waits:
                if step >= lag:
                    if step - lag >= len(times):
                        unit.missing = times, step - lag
                        return
                    start = max(start, times[step - lag])
            unit.free = end = start + actor.durations[step]
            actor.ends.append(end)
            for flow, flits in actor.flows:
                send(flow, end, flits[step])
            self._wake(actor.wakes)
            unit.next()

    def _deadlock(self) -> SnnirError:
        """Follow who waits for whom until somebody comes up twice: that is the cycle that holds all up."""
        unit = next(unit for unit in self._units if unit.round < unit.rounds)
        seen: list[str] = []
        reasons: list[str] = []
        while True:
            actor = unit.order[unit.position]
            firing = f"{actor.name!r} (step {unit.step})"
            if firing in seen:
                reasons = reasons[seen.index(firing) :]
                break
            seen.append(firing)
            _, lag, what, other = next(
                wait for wait in actor.waits if unit.step >= wait[1] and unit.step - wait[1] >= len(wait[0])
            )
            reasons.append(f"{firing} waits for {what} {other.name!r} (step {unit.step - lag})")
            unit = self._unit_of[id(other)]
            turn = unit.order[unit.position]
            if turn is not other:
                reasons[-1] += f", whose turn comes after {turn.name!r}"
        message = f"deadlock: {'; '.join(reasons)}"
        hint = "give a channel more capacity, or change the order of a crossbar"
        return SnnirError(self._configuration.path, message, hint)
