"""Synchronous and cyclo-static dataflow graphs: actors, channels, buffer capacities and static orders.

Synchronous: Lee, Messerschmitt, Proc. IEEE 75(9), 1987. Cyclo-static, where times and rates may change from firing to
firing in a fixed cycle of phases: Bilsen, Engels, Lauwereins, Peperstraete, IEEE Trans. Signal Processing 44(2), 1996.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import gcd, lcm

import numpy as np

from snnir.maxplus.channels import Actor, Arc, ArcKind, Channel, Phases, check, check_phases, phases_of
from snnir.maxplus.columns import Columns
from snnir.maxplus.errors import Inconsistent, MaxPlusError
from snnir.maxplus.graph import Integers

__all__ = ["Actor", "Arc", "ArcKind", "Channel", "Phases", "SDFGraph", "dependencies", "repetition_vector"]

_MANY = 64
"""Graphs with at least so many channels are checked as columns first."""


@dataclass(frozen=True)
class SDFGraph:
    """Actors, channels, and static orders of shared resources.

    A firing waits for the very tokens that it takes, which are numbered as they are made and taken, firing after
    firing: not for any of the same number, though firings of an actor with several phases may overtake each other when
    its concurrency allows. So do room (freed by firing after firing of the consumer) and concurrency n (firing k waits
    for the end of firing k - n). It waits for nothing else, not for earlier firings of its own actor either if that has
    unlimited concurrency. What a firing computes thus depends on no timing.

    An order lists, by actor name, the firings that take place on one resource in one iteration; the resource runs them
    one after the other and starts again at the first. An actor in an order appears in it once per firing of an
    iteration (once, in a single-rate graph). Raises `MaxPlusError` for unknown or repeated names and for numbers out
    of range.
    """

    actors: tuple[Actor, ...]
    channels: tuple[Channel, ...] = ()
    orders: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "actors", tuple(self.actors))
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "orders", tuple(tuple(order) for order in self.orders))
        repeated = [name for name, count in Counter(actor.name for actor in self.actors).items() if count > 1]
        if repeated:
            raise MaxPlusError(f"several actors are named {repeated[0]}")
        if len(self.channels) < _MANY or self.columns is None:
            for actor in self.actors:
                check_phases(f"time of actor {actor.name}", actor.time)
                if actor.concurrency is not None:
                    check(f"concurrency of actor {actor.name}", actor.concurrency, 1)
            for index, channel in enumerate(self.channels):
                self._check_channel(index, channel)
        for index, order in enumerate(self.orders):
            if not order:
                raise MaxPlusError(f"order {index} is empty")
            for name in order:
                self._known(name, f"order {index}")

    def _known(self, name: str, where: str) -> None:
        if name not in self.index:
            raise MaxPlusError(f"{where} names the unknown actor {name}")

    def _check_channel(self, index: int, channel: Channel) -> None:
        place = f"channel {index} ({channel.source} -> {channel.target})"
        self._known(channel.source, place)
        self._known(channel.target, place)
        for what, rate in (("production", channel.produce), ("consumption", channel.consume)):
            check_phases(f"{what} rate of {place}", rate)
            if not sum(phases_of(rate)):
                raise MaxPlusError(f"the {what} rate of {place} is 0 in all phases")
        check(f"tokens of {place}", channel.tokens, 0)
        if channel.capacity is not None:
            check(f"capacity of {place}, with {channel.tokens} tokens in it,", channel.capacity, channel.tokens)

    @cached_property
    def index(self) -> dict[str, int]:
        """The number of each actor."""
        return {actor.name: number for number, actor in enumerate(self.actors)}

    @cached_property
    def columns(self) -> Columns | None:
        """All numbers as vectors; None when some actor has several phases (or, while it is checked, a wrong number)."""
        return Columns.of(self.actors, self.channels, self.index)

    @cached_property
    def phases(self) -> tuple[int, ...]:
        """The number of phases of each actor: after so many firings, its times and all its rates begin again."""
        if self.columns is not None:
            return (1,) * len(self.actors)
        lengths = [[len(actor.times)] for actor in self.actors]
        for channel in self.channels:
            lengths[self.index[channel.source]].append(len(channel.produced))
            lengths[self.index[channel.target]].append(len(channel.consumed))
        return tuple(lcm(*each) for each in lengths)

    @cached_property
    def scattered(self) -> tuple[bool, ...]:
        """Of which actors a firing can start before an earlier one.

        Not with concurrency 1; else a firing that takes nothing from some channel has less to wait for than others, and
        tokens made by firings that overtake each other may come in another order than they are taken in.
        """
        return self._disorder[0]

    @cached_property
    def overtaking(self) -> tuple[bool, ...]:
        """Of which actors a firing can end before an earlier one: scattered ones, and concurrent ones whose phases take
        different times."""
        return self._disorder[1]

    @cached_property
    def _disorder(self) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
        serial = [actor.concurrency == 1 for actor in self.actors]
        late = [not one and len(set(actor.times)) > 1 for one, actor in zip(serial, self.actors, strict=True)]
        scattered = [False] * len(serial)
        if any(late) or any(phases > 1 for phases in self.phases):
            arcs = [arc for arc in self.arcs() if not serial[arc.target]]
            changed = True
            while changed:
                changed = False
                for arc in arcs:
                    if not scattered[arc.target] and (0 in arc.consume or late[arc.source]):
                        scattered[arc.target] = late[arc.target] = changed = True
        return tuple(scattered), tuple(late)

    def arcs(self) -> Iterator[Arc]:
        """All constraints but the orders, as arcs.

        A channel is an arc; its capacity B an arc back with B - tokens tokens, the two rates swapped; concurrency n an
        arc from the actor to itself with n tokens and rates of 1.
        """
        for number, channel in enumerate(self.channels):
            source, target = self.index[channel.source], self.index[channel.target]
            produce, consume = channel.produced, channel.consumed
            yield Arc("channel", number, source, target, produce, consume, channel.tokens)
            if channel.capacity is not None:
                yield Arc("capacity", number, target, source, consume, produce, channel.capacity - channel.tokens)
        for number, actor in enumerate(self.actors):
            if actor.concurrency is not None:
                yield Arc("concurrency", number, number, number, (1,), (1,), actor.concurrency)


def repetition_vector(sdf: SDFGraph) -> dict[str, int]:
    """How often each actor fires in one iteration, which puts all channels back to where they were.

    The smallest positive integers q with q(source) * produce = q(target) * consume on every channel, separately for
    each connected part of the graph; of actors with phases, multiples of their number, `produce` and `consume` being
    means over the phases. Raises `Inconsistent` with the channel that contradicts those walked before
    (breadth first from the first actor), and `MaxPlusError` when an order does not list each of its actors q times.
    """
    if _fires_once(sdf):
        repetition = [1] * len(sdf.actors)
    else:
        repetition = [cycles * phases for cycles, phases in zip(_balance(sdf), sdf.phases, strict=True)]
    result = {actor.name: firings for actor, firings in zip(sdf.actors, repetition, strict=True)}
    _check_orders(sdf, result)
    return result


def dependencies(sdf: SDFGraph) -> tuple[Integers, Integers, Integers]:
    """Source, target and tokens of each of `SDFGraph.arcs`, in the same order."""
    if sdf.columns is not None:
        arcs = sdf.columns.arcs
        return arcs.source, arcs.target, arcs.tokens
    rows = [(arc.source, arc.target, arc.tokens) for arc in sdf.arcs()]
    source, target, tokens = np.array(rows, np.int64).reshape(-1, 3).T
    return source, target, tokens


def _fires_once(sdf: SDFGraph) -> bool:
    """Whether it is plain that an iteration is one firing of each actor."""
    if sdf.columns is not None:
        return np.array_equal(sdf.columns.produce, sdf.columns.consume)
    return all(phases == 1 for phases in sdf.phases) and all(c.produce == c.consume for c in sdf.channels)


def _balance(sdf: SDFGraph) -> list[int]:
    """How often each actor, by number, goes through all its phases in one iteration."""
    steps: list[list[tuple[int, int, int, int]]] = [[] for _ in sdf.actors]
    for number, channel in enumerate(sdf.channels):
        source, target = sdf.index[channel.source], sdf.index[channel.target]
        produce = sum(channel.produced) * sdf.phases[source] // len(channel.produced)
        consume = sum(channel.consumed) * sdf.phases[target] // len(channel.consumed)
        steps[source].append((number, target, produce, consume))
        steps[target].append((number, source, consume, produce))
    repetition = [0] * len(sdf.actors)
    # firings of each actor for one of the first of its part, as numerator and denominator
    rates: list[tuple[int, int] | None] = [None] * len(sdf.actors)
    for root in range(len(sdf.actors)):
        if rates[root] is not None:
            continue
        rates[root] = 1, 1
        part = [(root, 1, 1)]
        for actor, above, below in part:
            for number, other, gain, loss in steps[actor]:
                rate = rates[other]
                if rate is None:
                    common = gcd(above * gain, below * loss)
                    rate = above * gain // common, below * loss // common
                    rates[other] = rate
                    part.append((other, *rate))
                elif above * gain * rate[1] != below * loss * rate[0]:
                    raise _inconsistent(sdf, number)
        # the least common denominator of reduced fractions leaves no common factor, as the first one is 1
        scale = lcm(*(below for _, _, below in part))
        for actor, above, below in part:
            repetition[actor] = above * (scale // below)
    return repetition


def _inconsistent(sdf: SDFGraph, number: int) -> Inconsistent:
    channel = sdf.channels[number]
    return Inconsistent(
        f"the rates of channel {number} ({channel.source} -> {channel.target}, {channel.produce} produced, "
        f"{channel.consume} consumed) do not balance with the other channels between the two actors",
        number,
    )


def _check_orders(sdf: SDFGraph, repetition: dict[str, int]) -> None:
    for number, order in enumerate(sdf.orders):
        for name, count in Counter(order).items():
            if count != repetition[name]:
                times = repetition[name]
                raise MaxPlusError(f"order {number} lists actor {name} {count} times, not {times} as in an iteration")
