"""Dataflow graphs of clustered workloads, as the papers draw them: one actor for what a crossbar holds of a layer.

An actor fires once per time step. Its time is that of the machine's crossbar for the spikes of a mean step: reading,
one event per spike on its rows, converting its columns, updating its neurons, emitting its spikes. A channel carries
the spikes of a step from the neurons of one actor to the rows of another; a delay of so many steps is so many initial
tokens, and there is room for two more. Inputs of the network are always there.
"""

import math
from collections import defaultdict

import numpy as np

from benchmarks.machines import PLATFORM
from snnir.frontend.platform import read_platform
from snnir.maxplus.sdf import Actor, Channel, SDFGraph
from snnir.partition.problem import Part, Plan, Problem
from snnir.schedule.application import Application, Transport
from snnir.schedule.architecture import Architecture, Connection, Tile

MACHINE = read_platform(PLATFORM).data
ROOM = 2
"""Tokens that a channel has room for, beside those of its delay."""


def application_of(problem: Problem, plan: Plan) -> Application:
    """The graph of a plan. The size of a token is how long an interface is busy with it: a flit a spike, one to end."""
    parts = [part for cluster in plan for part in cluster]
    owner = {number: np.full(layer.size, -1) for number, layer in enumerate(problem.layers)}
    homes: dict[int | None, int] = {}
    for number, part in enumerate(parts):
        if not part.is_partial:
            owner[part.layer][part.neurons] = number
            homes[part.home] = number
    emitted = np.zeros(len(parts))
    groups = list(problem.groups)
    for sent in {group.source: group for group in groups if group.source >= 0}.values():
        np.add.at(emitted, owner[sent.source], problem.spikes[sent.start : sent.start + sent.size])
    added: dict[int, int] = defaultdict(int)
    volumes: dict[tuple[int, int, int], float] = defaultdict(float)
    for number, part in enumerate(parts):
        if part.is_partial:
            volumes[number, homes[part.home], 0] = len(part.neurons)
            added[homes[part.home]] += 1
        inside = problem.group_of(part.axons)
        for each in np.unique(inside):
            group, axons = groups[int(each)], part.axons[inside == each]
            if group.source >= 0:
                senders, place = np.unique(owner[group.source][axons - group.start], return_inverse=True)
                for sender, volume in zip(senders, np.bincount(place, problem.spikes[axons]), strict=True):
                    volumes[int(sender), number, group.delay] += float(volume)
    actors = [
        Actor(f"p{number}", _time(problem, part, float(emitted[number]), added[number]))
        for number, part in enumerate(parts)
    ]
    names = [actor.name for actor in actors]
    channels = [Channel(names[a], names[b], tokens=delay, capacity=delay + ROOM) for a, b, delay in volumes]
    ways = tuple(Transport((math.ceil(volume) + 1) * MACHINE.link.flit) for volume in volumes.values())
    return Application(SDFGraph(tuple(actors), tuple(channels)), {}, ways)


def _time(problem: Problem, part: Part, emitted: float, added: int) -> int:
    """The time of a firing in the machine's unit."""
    time, columns = MACHINE.time, part.columns
    events = math.ceil(float(problem.spikes[part.axons].sum()))
    result = time.read + time.event * events + time.convert * math.ceil(columns / time.columns_per_adc)
    result += time.add * columns * added
    if not part.is_partial:
        result += time.update * columns + time.spike * math.ceil(emitted)
    return result


def mesh(tiles: int) -> Architecture:
    """A square mesh of tiles with one processor each; what is sent is measured in time, so the bandwidth is 1."""
    side = math.isqrt(tiles)
    link = MACHINE.link
    places = [(x, y) for y in range(side) for x in range(side)]
    names = {(x, y): f"t{x}_{y}" for x, y in places}
    ways = [
        Connection(f"{names[a]}.{names[b]}", names[a], names[b], _delay(a, b, link.hop_x, link.hop_y, link.flit))
        for a in places
        for b in places
        if a != b
    ]
    return Architecture(
        f"mesh{side}x{side}",
        tuple(Tile(names[p], "crossbar", input_bandwidth=1, output_bandwidth=1) for p in places),
        tuple(ways),
    )


def _delay(a: tuple[int, int], b: tuple[int, int], hop_x: int, hop_y: int, flit: int) -> int:
    """The time from the one interface to the other of a message that meets no other."""
    across, along = abs(a[0] - b[0]), abs(a[1] - b[1])
    return across * (hop_x + flit) + along * (hop_y + flit)
