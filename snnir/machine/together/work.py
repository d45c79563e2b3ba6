"""What one application asks of a machine, as arrays: its actors, who waits for whom, and the links of its flows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain

import numpy as np

from snnir.machine.checks import route_of
from snnir.machine.counts import Counts, check_counts, peak_counts
from snnir.machine.network import Way, router_name, way_of
from snnir.machine.parts import Configuration, Machine, Place, Tile
from snnir.machine.timing import check_range, firing_times
from snnir.machine.together.columns import ASLEEP, NONE, Integers
from snnir.machine.topology import link_time


@dataclass(frozen=True, eq=False)
class Floor:
    """All links of a machine: their names, and for each how long a flit takes and the hop after it, int64 (links,)."""

    names: tuple[str, ...]
    numbers: Mapping[str, int]
    flit: Integers
    hop: Integers


@lru_cache(maxsize=16)
def floor_of(machine: Machine) -> Floor:
    """The links of a machine, named as in `snnir.machine.network`."""
    width, height = machine.mesh
    times = {f"{kind} host": (machine.time.flit, 0) for kind in ("inject", "eject")}
    routers = [(x, y) for y in range(height) for x in range(width)]
    times |= {f"{kind} {router_name(r)}": (machine.time.flit, 0) for kind in ("inject", "eject") for r in routers}
    if machine.arity is None:
        pairs = [((x, y), (x + 1, y)) for x, y in routers if x + 1 < width]
        pairs += [((x, y), (x, y + 1)) for x, y in routers if y + 1 < height]
    else:
        pairs, level = list[tuple[Tile, Tile]](), 0
        while width > 1:
            pairs += [((index, level), (index // machine.arity, level + 1)) for index in range(width)]
            width, level = -(-width // machine.arity), level + 1
    for a, b in chain(pairs, [(b, a) for a, b in pairs]):
        times[f"{router_name(a)} -> {router_name(b)}"] = link_time(machine, a, b)
    flit, hop = np.array(list(times.values()), np.int64).T
    return Floor(tuple(times), {name: n for n, name in enumerate(times)}, flit.copy(), hop.copy())


@dataclass(frozen=True, eq=False)
class Work:
    """One application at its place on a machine, ready to be added to others.

    The tables have the columns of the classes in `snnir.machine.together.columns`; rows are numbered from 0 in each.
    Durations and numbers of flits repeat after `cycle` steps. `reasons` says of each wait for what and for whom.
    """

    machine: Machine
    crossbars: Mapping[tuple[int, int, int], str]
    """Column and row of the tile and index on it -> the crossbar's name."""
    actors: tuple[str, ...]
    """Names: inputs, slices, outputs."""
    outputs: int
    """How many outputs there are: the last actors."""
    cycle: int
    tables: Mapping[str, Integers]
    reasons: tuple[tuple[str, int], ...]
    margin: int
    """The most ports and destinations that all flows of one actor have."""
    ports: int
    """The most ports that one flow has."""

    @property
    def slices(self) -> range:
        """The actors that are no inputs and no outputs."""
        units = self.tables["units"]
        return range(len(units) - len(self.crossbars) - self.outputs, len(self.actors) - self.outputs)


def work_of(configuration: Configuration, counts: Counts | None = None) -> Work:
    """What a configuration asks of its machine when it has that activity, again and again after `counts.steps` steps.

    Without counts, all that its guarantee assumes, in every step. Raises `SnnirError` when the counts do not fit the
    configuration, or take more time than 64 bits hold.
    """
    counts = peak_counts(configuration, 1) if counts is None else counts
    steps = check_counts(configuration, counts, None)
    check_range(configuration, steps)
    return _Maker(configuration, counts, steps).work()


class _Maker:
    """Numbers actors, counters, ports and so on, and collects the rows of the tables."""

    def __init__(self, configuration: Configuration, counts: Counts, steps: int) -> None:
        self._configuration = configuration
        self._counts = counts
        self._steps = steps
        self._floor = floor_of(replace(configuration.machine, name=""))
        names = [item.name for item in configuration.inputs] + list(configuration.slices)
        self._producers = {name: number for number, name in enumerate(names)}
        self._outputs = {output.name: len(names) + n for n, output in enumerate(configuration.outputs)}
        self._names = (*names, *self._outputs)
        self._unit_of: dict[int, int] = {}
        self._ends: dict[tuple[str, Place], int] = {}
        """The counter of each destination of each flow."""
        self._units: list[tuple[int, ...]] = []
        self._turns: list[tuple[int, int]] = []
        self._ports: list[tuple[int, ...]] = []
        self._targets: list[tuple[int, int]] = []
        self._hops: list[int] = []
        """Of each destination."""
        self._values: list[Integers] = []
        self._emits: list[list[tuple[int, ...]]] = [[] for _ in self._names]
        self._waits: list[list[tuple[int, int, str, int]]] = [[] for _ in self._names]
        self._wakes: list[list[int]] = []

    def work(self) -> Work:
        """All tables."""
        configuration = self._configuration
        self._make_units()
        for name in self._names[: len(self._producers)]:
            self._values.append(self._durations(name))
        self._values.append(np.zeros(self._steps, np.int64))
        for flow in configuration.flows:
            way = way_of(configuration, flow)
            self._make_flow(self._producers[flow.source], way)
            first = len(self._names) + len(self._hops) - len(flow.to)
            self._ends |= {(flow.source, to): first + number for number, to in enumerate(flow.to)}
            self._values.append(self._flits(flow.source))
        self._make_waits()
        rows = [sum(stop - start for start, stop, *_ in emits) for emits in self._emits]
        ends = [sum(emit[3] - emit[2] for emit in emits) for emits in self._emits]
        return Work(
            machine=configuration.machine,
            crossbars={(*crossbar.tile, crossbar.index): crossbar.name for crossbar in configuration.crossbars},
            actors=self._names,
            outputs=len(self._outputs),
            cycle=self._steps,
            tables=self._tables(),
            reasons=tuple((what, other) for waits in self._waits for _, _, what, other in waits),
            margin=max(a + b for a, b in zip(rows, ends, strict=True)),
            ports=max((emit[1] - emit[0] for emits in self._emits for emit in emits), default=0),
        )

    def _make_units(self) -> None:
        for item in self._configuration.inputs:
            self._add_unit([self._producers[item.name]], [0])
        for crossbar in self._configuration.crossbars:
            self._add_unit([self._producers[name] for name in crossbar.order], crossbar.stages)
        for number in self._outputs.values():
            self._add_unit([number], [0])

    def _add_unit(self, order: Sequence[int], stages: Sequence[int]) -> None:
        self._unit_of |= {actor: len(self._units) for actor in order}
        self._units.append((0, len(self._turns), len(order), max(stages), 0, 0, ASLEEP, NONE, 0))
        self._turns += zip(order, stages, strict=True)

    def _durations(self, name: str) -> Integers:
        part = self._configuration.slices.get(name)
        if part is None:
            return np.zeros(self._steps, np.int64)
        spikes_in, spikes_out = self._counts.spikes_in[name], self._counts.spikes_out[name]
        machine = self._configuration.machine
        return firing_times(machine.time, part, spikes_in, spikes_out, machine.columns_per_weight)

    def _flits(self, source: str) -> Integers:
        part = self._configuration.slices.get(source)
        if part is not None and part.is_partial:
            return np.full(self._steps, part.width + 1)
        return self._counts.spikes_out[source] + 1

    def _make_flow(self, source: int, way: Way) -> None:
        first, first_end = len(self._ports), len(self._names) + len(self._hops)
        targets: list[list[tuple[int, int]]] = [[] for _ in way.links]
        hops: list[int] = []
        for number, (link, before) in enumerate(zip(way.links, way.before, strict=True)):
            hops.append(link.hop + (hops[before] if number else 0))
            if number:
                targets[before].append((first + number, NONE))
        for number, end in enumerate(way.ends):
            targets[end].append((NONE, first_end + number))
            self._hops.append(hops[end])
        for link, before, further in zip(way.links, way.before, targets, strict=True):
            start, number = len(self._targets), self._floor.numbers[link.name]
            self._targets += further
            port = first + before if before >= 0 else NONE
            self._ports.append((number, port, start, len(self._targets), NONE, NONE, NONE))
        flits = len(self._values) * self._steps
        self._emits[source].append((first, len(self._ports), first_end, first_end + len(way.ends), flits))

    def _make_waits(self) -> None:
        wakes: list[dict[int, None]] = [{} for _ in range(len(self._names) + len(self._hops))]
        for channel in self._configuration.channels:
            producer = self._producers[channel.source]
            outputs, target = self._outputs, channel.target
            consumer = outputs[target] if target in outputs else self._producers[target]
            route = route_of(self._configuration, channel)
            arrived = producer if route is None else self._ends[route]
            self._waits[consumer].append((arrived, channel.delay, "the token of", producer))
            self._waits[producer].append((consumer, channel.capacity - channel.delay, "space at", consumer))
            wakes[arrived][self._unit_of[consumer]] = None
            wakes[consumer][self._unit_of[producer]] = None
        self._wakes = [list(units) for units in wakes]

    def _tables(self) -> dict[str, Integers]:
        waits, emits, wakes = (_bounds(lists) for lists in (self._waits, self._emits, self._wakes))
        actors, producers, steps = len(self._names), len(self._producers), self._steps
        hops = [0] * actors + self._hops
        return {
            "applications": _table([(0, steps, len(self._units), 0)], 4),
            "units": _table(self._units, 9),
            "turns": _table(self._turns, 2),
            "actors": _table(
                [(*waits[n], *emits[n], min(n, producers) * steps, n, int(n >= producers)) for n in range(actors)],
                7,
            ),
            "counters": _table([(0, *wakes[n], 0, each) for n, each in enumerate(hops)], 5),
            "waits": _table([wait[:2] for each in self._waits for wait in each], 2),
            "wakes": np.array([unit for each in self._wakes for unit in each], np.int64),
            "emits": _table([emit for each in self._emits for emit in each], 5),
            "ports": _table(self._ports, 7),
            "targets": _table(self._targets, 2),
            "values": np.concatenate(self._values).astype(np.int64),
        }


def _bounds(lists: Sequence[Sequence[object]]) -> list[tuple[int, int]]:
    """Where each list begins and ends when all are put one after the other."""
    stops = np.cumsum([len(each) for each in lists]).tolist()
    return list(zip([0, *stops], stops, strict=False))


def _table(rows: Sequence[Sequence[int]], columns: int) -> Integers:
    return np.array(rows, np.int64).reshape(len(rows), columns)
