"""Whether the arrays of an application say what its configuration says, and what makes its guarantees sound.

Admission trusts these arrays: times too short, a missing channel, or actors that seem closer than they are would let it
promise too much.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from snnir.machine.parts import Configuration, Slice
from snnir.machine.timing import firing_times
from snnir.runtime.application import MOST_DISTANCES, Application, Channels
from snnir.runtime.distances import FAR

Integers = NDArray[np.int64]
_ROWS = 128
"""Actors whose distances are checked at once; bounds the memory."""


def actors_of(configuration: Configuration) -> tuple[str, ...]:
    """The names of the actors: inputs, slices crossbar by crossbar, outputs."""
    items = [*configuration.inputs, *configuration.slices.values(), *configuration.outputs]
    return tuple(item.name for item in items)


def clusters_of(configuration: Configuration) -> Integers:
    """The number of the crossbar of each actor, -1 for inputs and outputs."""
    sizes = [len(crossbar.slices) for crossbar in configuration.crossbars]
    host = [np.full(len(items), -1) for items in (configuration.inputs, configuration.outputs)]
    return np.concatenate([host[0], np.repeat(np.arange(len(sizes)), sizes), host[1]]).astype(np.int64)


def channels_of(configuration: Configuration) -> Channels:
    """The channels of a configuration between its actors, in its order."""
    names, inputs = actors_of(configuration), len(configuration.inputs)
    last = len(names) - len(configuration.outputs)
    sources = {name: number for number, name in enumerate(names[:last])}
    targets = {name: number for number, name in enumerate(names[inputs:], inputs)}
    rows = [(sources[c.source], targets[c.target], c.delay, c.capacity) for c in configuration.channels]
    return Channels(*np.array(rows, np.int64).reshape(-1, 4).T.copy())


def contradiction(application: Application, configuration: Configuration) -> str | None:
    """The first thing in which the arrays contradict the configuration or themselves, in words; None: there is none."""
    return next(_contradictions(application, configuration), None)


def _contradictions(application: Application, configuration: Configuration) -> Iterator[str]:
    actors = application.actors
    if not np.array_equal(actors.cluster, clusters_of(configuration)):
        yield "actors belong to other clusters than in the configuration"
    expected = channels_of(configuration)
    for name in ("source", "target", "delay", "capacity"):
        if not np.array_equal(getattr(application.channels, name), getattr(expected, name)):
            yield f"the channels have another {name} than in the configuration"
    if not np.array_equal(application.where, [crossbar.tile for crossbar in configuration.crossbars]):
        yield "clusters are on other tiles than in the configuration"
    yield from _problems_of_orders(application, configuration)
    yield from _problems_of_times(application, configuration)
    yield from _problems_of_waits(application)
    yield from _problems_of_flows(application, configuration)
    if not _distances_are_right(application):
        yield "the distances between actors are not those of the channels"


def _problems_of_orders(application: Application, configuration: Configuration) -> Iterator[str]:
    actors = application.actors
    names = application.names
    slices = np.flatnonzero(actors.cluster >= 0)
    at: list[int] = slices[np.lexsort((actors.sequence[slices], actors.cluster[slices]))].tolist()
    found = [(names[number], int(actors.stage[number])) for number in at]
    stated = [pair for c in configuration.crossbars for pair in zip(c.order, c.stages, strict=True)]
    if found != stated:
        wrong = next(ours for ours, theirs in zip(found, stated, strict=True) if ours != theirs)
        yield f"{wrong[0]!r} has another place or stage than in the order of its crossbar"
    if np.any(actors.stage[actors.cluster < 0]):
        yield "an input or output has a stage"
    if not np.array_equal(np.sort(actors.sequence), np.arange(len(names))):
        yield "the places in the single-tile order are not 0, 1, 2, ..."


def _problems_of_times(application: Application, configuration: Configuration) -> Iterator[str]:
    """Firings and tokens may not be shorter than the activity that the configuration promises to stay within."""
    actors, guarantee = application.actors, configuration.guarantee
    assert guarantee is not None
    one = np.ones(1, np.int64)
    time, columns = configuration.machine.time, configuration.machine.columns_per_weight
    sizes: list[Slice | int] = [*(item.size for item in configuration.inputs), *configuration.slices.values()]
    for number, item in enumerate(sizes):
        name = application.names[number]
        width = item if isinstance(item, int) else item.width
        values = width if isinstance(item, Slice) and item.is_partial else guarantee.peaks.get(name, width)
        if actors.flits[number] < values + 1:
            yield f"a token of {name!r} has fewer flits than the configuration says"
        if isinstance(item, Slice):
            taken = guarantee.peaks_in.get(name, len(item.axons))
            if actors.worst[number] < firing_times(time, item, one * taken, one * values, columns)[0]:
                yield f"a firing of {name!r} takes less time than the configuration says"
    outputs = len(configuration.outputs)
    if np.any(actors.flits[-outputs:]) or np.any(actors.worst[-outputs:]) or np.any(actors.mean[-outputs:]):
        yield "outputs take no time and send nothing"
    if np.any(actors.mean > actors.worst) or not np.all(actors.mean_flits <= actors.flits):
        yield "something takes longer on average than at most"
    if np.any(actors.mean_flits < np.minimum(actors.flits, 1)):
        yield "tokens have an end-of-step marker, and so one flit at least"


def _problems_of_waits(application: Application) -> Iterator[str]:
    """With the lags no wait needs a token of a later round, and what has none leads forward in the single-tile order.

    So nothing can deadlock, wherever the clusters are.
    """
    actors, channels = application.actors, application.channels
    source, target = channels.source, channels.target
    after, behind = application.following
    slices = np.flatnonzero(after >= 0)
    moved = channels.delay + actors.lag[target] - actors.lag[source]
    waits = [
        (source, target, moved),
        (target, source, channels.capacity - moved),
        (slices, after[slices], behind[slices]),
    ]
    for tail, head, tokens in waits:
        if np.any(tokens < 0):
            yield "the lags let a firing wait for a later round"
        if np.any(actors.sequence[tail][tokens == 0] >= actors.sequence[head][tokens == 0]):
            yield "the single-tile order contradicts what actors wait for"


def _problems_of_flows(application: Application, configuration: Configuration) -> Iterator[str]:
    flows = configuration.flows
    if application.platform.multicast and len({flow.source for flow in flows}) < len(flows):
        yield "the routes are multicast, but a source has several flows"
    if not application.platform.multicast and any(len(flow.to) > 1 for flow in flows):
        yield "the routes are unicast, but a flow has several destinations"


def _distances_are_right(application: Application) -> bool:
    """Whether each distance is the least over the last step of a path, and 0 from an actor to itself.

    Given that, all are right: no cycle is without tokens, as the single-tile order says.
    """
    distance, channels, count = application.distance, application.channels, len(application.names)
    if count > MOST_DISTANCES:
        return distance.shape == (0, 0)
    if distance.shape != (count, count) or distance.diagonal().any():
        return False
    tail = np.concatenate([channels.source, channels.target, np.arange(count)])
    head = np.concatenate([channels.target, channels.source, np.arange(count)])
    # an edge of its own for each actor: every actor has an edge into it, and itself stays at 0
    own = np.full(count, FAR)
    tokens = np.minimum(np.concatenate([channels.delay, channels.capacity - channels.delay, own]), FAR)
    order = np.argsort(head, kind="stable")
    tail, tokens = tail[order], tokens[order].astype(np.uint16)
    begin = np.searchsorted(head[order], np.arange(count))
    for start in range(0, count, _ROWS):
        rows = distance[start : start + _ROWS]
        least = np.minimum(np.minimum.reduceat(rows[:, tail] + tokens, begin, axis=1), FAR)
        own_row = np.arange(len(rows))
        least[own_row, start + own_row] = 0
        if not np.array_equal(least, rows):
            return False
    return True
