"""Synchronous dataflow graphs: actors, channels, buffer capacities and static orders (Lee, Messerschmitt, 1987)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import gcd, lcm
from typing import Literal, NamedTuple

from snnir.maxplus.errors import Inconsistent, MaxPlusError
from snnir.maxplus.graph import LARGEST

ArcKind = Literal["channel", "capacity", "concurrency", "order"]
"""Why one firing waits for another: data, buffer space, its own actor's earlier firing, its turn on a resource."""


@dataclass(frozen=True)
class Actor:
    """Fires for `time` units (>= 0); at most `concurrency` (>= 1) firings of it run at once, None: any number."""

    name: str
    time: int
    concurrency: int | None = 1


@dataclass(frozen=True)
class Channel:
    """A first-in first-out queue from actor `source` to actor `target`.

    `source` adds `produce` tokens at the end of each firing, `target` takes `consume` tokens at the start of each;
    `tokens` are there at the beginning. `capacity` is the number of tokens that there is room for, None without limit:
    room is claimed when the producer starts and given back when the consumer ends.
    """

    source: str
    target: str
    produce: int = 1
    consume: int = 1
    tokens: int = 0
    capacity: int | None = None


class Arc(NamedTuple):
    """A plain dependency: firings of actor number `target` take `consume` tokens each, those of `source` add `produce`.

    `number` is that of the channel (kinds channel and capacity) or of the actor (concurrency).
    """

    kind: ArcKind
    number: int
    source: int
    target: int
    produce: int
    consume: int
    tokens: int


@dataclass(frozen=True)
class SDFGraph:
    """Actors, channels, and static orders of shared resources.

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
        for actor in self.actors:
            _check(f"time of actor {actor.name}", actor.time, 0)
            if actor.concurrency is not None:
                _check(f"concurrency of actor {actor.name}", actor.concurrency, 1)
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
        _check(f"production rate of {place}", channel.produce, 1)
        _check(f"consumption rate of {place}", channel.consume, 1)
        _check(f"tokens of {place}", channel.tokens, 0)
        if channel.capacity is not None:
            _check(f"capacity of {place}, with {channel.tokens} tokens in it,", channel.capacity, channel.tokens)

    @cached_property
    def index(self) -> dict[str, int]:
        """The number of each actor."""
        return {actor.name: number for number, actor in enumerate(self.actors)}

    def arcs(self) -> Iterator[Arc]:
        """All constraints but the orders, as arcs.

        A channel is an arc; its capacity B an arc back with B - tokens tokens, the two rates swapped; concurrency n an
        arc from the actor to itself with n tokens and rates of 1.
        """
        for number, channel in enumerate(self.channels):
            source, target = self.index[channel.source], self.index[channel.target]
            yield Arc("channel", number, source, target, channel.produce, channel.consume, channel.tokens)
            if channel.capacity is not None:
                space = channel.capacity - channel.tokens
                yield Arc("capacity", number, target, source, channel.consume, channel.produce, space)
        for number, actor in enumerate(self.actors):
            if actor.concurrency is not None:
                yield Arc("concurrency", number, number, number, 1, 1, actor.concurrency)


def repetition_vector(sdf: SDFGraph) -> dict[str, int]:
    """How often each actor fires in one iteration, which puts all channels back to where they were.

    The smallest positive integers q with q(source) * produce = q(target) * consume on every channel, separately for
    each connected part of the graph. Raises `Inconsistent` with the channel that contradicts those walked before
    (breadth first from the first actor), and `MaxPlusError` when an order does not list each of its actors q times.
    """
    if all(channel.produce == channel.consume for channel in sdf.channels):
        repetition = [1] * len(sdf.actors)
    else:
        repetition = _balance(sdf)
    result = {actor.name: firings for actor, firings in zip(sdf.actors, repetition, strict=True)}
    _check_orders(sdf, result)
    return result


def _balance(sdf: SDFGraph) -> list[int]:
    """The repetition vector of a graph with different rates, by actor number."""
    steps: list[list[tuple[int, int, int, int]]] = [[] for _ in sdf.actors]
    for number, channel in enumerate(sdf.channels):
        source, target = sdf.index[channel.source], sdf.index[channel.target]
        steps[source].append((number, target, channel.produce, channel.consume))
        steps[target].append((number, source, channel.consume, channel.produce))
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


def _check(what: str, value: int, least: int) -> None:
    # bool is an int to Python, and a number read from a file may be a float
    if isinstance(value, bool) or not isinstance(value, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise MaxPlusError(f"the {what} must be an integer, not {value!r}")
    if not least <= value <= LARGEST:
        raise MaxPlusError(f"the {what} is {value}; it must be between {least} and 2**62")
