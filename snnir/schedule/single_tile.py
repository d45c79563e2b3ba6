"""The single-tile order: one order of all firings of a round, from which that of each crossbar is cut out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np

from snnir.maxplus.errors import Deadlock, MaxPlusError
from snnir.maxplus.graph import TimedGraph
from snnir.maxplus.potentials import start_times
from snnir.maxplus.sdf import SDFGraph
from snnir.schedule.stages import Order


@dataclass(frozen=True)
class SingleTile:
    """Lags with which all orders are in step, and the actors in one sequence.

    In the graph retimed by the lags, as in `snnir.schedule.stages.Retimed`, no channel has fewer than 0 tokens, entries
    of an order that follow each other have none between them, and all that has no tokens leads forward in the sequence.
    """

    lag: Mapping[str, int]
    sequence: tuple[str, ...]


def single_tile(sdf: SDFGraph, orders: Sequence[Order], starts: Mapping[str, Fraction], period: Fraction) -> SingleTile:
    """The least such lags of a graph of rates 1 without orders, and the sequence by start modulo the period.

    `starts`: those of a periodic schedule, which decide only where the graph leaves a choice. The orders of
    `snnir.schedule.stages.pipelined`, and orders without stages that respect one sequence, always have such lags: their
    stages are such lags but for a constant. Raises `Deadlock` for orders that come from no common sequence.
    """
    index = sdf.index
    arcs = [(arc.source, arc.target, arc.tokens) for arc in sdf.arcs()]
    turns = [(index[a], index[b], before - after) for order in orders for (a, before), (b, after) in pairwise(order)]
    source, target, tokens = np.array([*arcs, *turns, *((b, a, -count) for a, b, count in turns)], np.int64).T
    try:
        lags = start_times(TimedGraph(len(sdf.actors), source, target, -tokens, np.ones_like(tokens)), Fraction(0))
    except MaxPlusError:
        raise Deadlock("the orders of the crossbars come from no common sequence") from None
    lag = np.array([int(each) for each in lags], np.int64)
    waits = [
        (before, after) for before, after, count in [*arcs, *turns] if count + int(lag[after]) - int(lag[before]) == 0
    ]
    keys = [starts[actor.name] % period for actor in sdf.actors]
    names = [actor.name for actor in sdf.actors]
    sequence = tuple(names[actor] for actor in _sequence(waits, keys))
    return SingleTile(dict(zip(names, lag.tolist(), strict=True)), sequence)


def _sequence(waits: Sequence[tuple[int, int]], keys: Sequence[Fraction]) -> list[int]:
    """All actors, each after those that it waits for; of those that are free to go the one with the least key."""
    after: list[list[int]] = [[] for _ in keys]
    missing = [0] * len(keys)
    for source, target in waits:
        after[source].append(target)
        missing[target] += 1
    ready = [(keys[actor], actor) for actor, count in enumerate(missing) if not count]
    heapify(ready)
    found: list[int] = []
    while ready:
        _, actor = heappop(ready)
        found.append(actor)
        for other in after[actor]:
            missing[other] -= 1
            if not missing[other]:
                heappush(ready, (keys[other], other))
    if len(found) < len(keys):
        raise Deadlock("deadlock: actors wait for each other without a token")
    return found
