"""How long tokens are on their ways at most, with so many flows on each link; proofs: docs/guarantee.md, Transport."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from snnir.runtime.analysis import Cycle, Graph, cycle
from snnir.runtime.bound import Bound
from snnir.runtime.kernels import limited, waiting

Integers = NDArray[np.int64]

SHARPER = Fraction(7, 8)
"""By how much the target for the time of a `send` falls from one try to the next."""


@dataclass(frozen=True, eq=False)
class Transport:
    """`send` and `carry` of each way, (ways,), and the cycle that sets the period with these times."""

    send: Integers
    carry: Integers
    found: Cycle


def plain(found: Bound, room: Integers) -> tuple[Integers, Integers]:
    """`send` and `carry` with `room[l]` flows on link l that always have a flit waiting."""
    flit, hop = found.floor.times
    turn = flit * room
    return waiting(found.ways.begin, found.ways.links, found.flits, np.stack((turn, turn + hop), axis=1))


def fastest(graph: Graph, room: Integers) -> Transport:
    """Times of the ways with which the period is least, or nearly so, with `room[l]` flows on link l."""
    found = graph.bound
    send, carry = first = plain(found, room)
    # no period is less than a `send`, so the plain times need not be looked at when another period is less than that
    least: Fraction | int = int(send.max(initial=0))
    best: Transport | None = None
    target = int(least * SHARPER)
    while target > 0 and found.application.distance.size and int(send.max()) > target:
        send, carry = _bounded(found, room, target, send, carry)
        times = graph.times(send, carry)
        # the cycle that sets the period now often does so still, and longer
        if best is not None and best.found.ratio(graph, times) >= least:
            break
        sharper = Transport(send, carry, cycle(graph, times, least))
        if sharper.found.period >= least:
            break
        best, least = sharper, sharper.found.period
        target = int(least * SHARPER)
    return best if best is not None else Transport(*first, cycle(graph, graph.times(*first)))


def within(found: Bound, room: Integers, period: int) -> tuple[Integers, Integers]:
    """`send` and `carry` with which no way sends for longer than a period, where that can be had."""
    send, carry = plain(found, room)
    if int(send.max(initial=0)) <= period or not found.application.distance.size:
        return send, carry
    return _bounded(found, room, period, send, carry)


def _bounded(found: Bound, room: Integers, target: int, send: Integers, carry: Integers) -> tuple[Integers, Integers]:
    """Times with which no way sends for longer than `target`, where that can be had; those given otherwise."""
    send, carry = send.copy(), carry.copy()
    flit, hop = found.floor.times
    channels = found.application.channels
    limited(
        found.ways.begin,
        found.ways.links,
        found.flits,
        flit,
        hop,
        room,
        found.flow,
        found.source,
        found.crossing,
        found.uses,
        (channels.target, channels.delay),
        found.application.distance,
        target,
        send,
        carry,
    )
    return send, carry
