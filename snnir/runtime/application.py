"""What admission needs to know of a compiled network: arrays, no IR."""

from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snnir.runtime.platform import Platform

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


MOST_DISTANCES = 4096
"""Actors up to which there is an array of all distances (16 MiB)."""


@dataclass(frozen=True)
class Constraints:
    """What an application asks for; None: whatever can be had."""

    throughput: Fraction | None = None
    """Steps per second at least."""
    latency: Fraction | None = None
    """Seconds until the first step has arrived, at most."""


@dataclass(frozen=True, eq=False)
class Actors:
    """Inputs, then slices cluster by cluster, then outputs; arrays of (actors,)."""

    cluster: Integers
    """The cluster that a slice belongs to; -1: an input or an output, at the host."""
    worst: Integers
    """Firing time for which the guarantee holds, in the platform's unit."""
    mean: Integers
    """Firing time at mean activity."""
    lag: Integers
    """Firing k stands for iteration k - lag; from the stages of orders (docs/guarantee.md, Stages)."""
    stage: Integers
    """The stage of a slice in the order of its crossbar: in round r it fires for step r - stage."""
    sequence: Integers
    """The place in the single-tile order: one order of all firings of a round, as on a machine with one tile."""
    flits: Integers
    """Flits of a token at most, its end-of-step marker included; 0 for outputs."""
    mean_flits: Floats
    """The same on average."""


@dataclass(frozen=True, eq=False)
class Channels:
    """Arrays of (channels,)."""

    source: Integers
    target: Integers
    """Actors."""
    delay: Integers
    """Tokens at the start."""
    capacity: Integers
    """Tokens that have space, those at the start included."""


@dataclass(frozen=True, eq=False)
class Application:
    """A network, clustered and scheduled for one machine, that can be bound to the free crossbars of another.

    `clusters` and `names` (of the actors) are for messages. `where`: the tile [x, y] of each cluster where the compiler
    placed it, (clusters, 2): clusters that talk much are close. `distance`: the fewest tokens on a path of channels and
    of channels back for space from each actor to each other, (actors, actors) of uint8, 255: none, or more; or (0, 0)
    for an application of more than `MOST_DISTANCES` actors. `period` and `latency`: the guarantee that the compiler
    gave for the machine with nothing else on it, in the platform's unit.
    """

    name: str
    platform: Platform
    clusters: tuple[str, ...]
    names: tuple[str, ...]
    actors: Actors
    channels: Channels
    where: Integers
    distance: NDArray[np.uint8]
    period: Fraction
    latency: Fraction
    constraints: Constraints = field(default_factory=Constraints)

    @cached_property
    def following(self) -> tuple[Integers, Integers]:
        """(after, tokens) of each actor: which one fires after it on its crossbar, -1 for inputs and outputs.

        The single-tile order, projected: each crossbar fires its slices in the order that they have there; the last is
        followed by the first, one round later. Whatever the clusters, this is free of deadlock: no wait without a token
        goes back in the one sequence. Firing k of an actor stands for iteration k - lag.
        """
        actors = self.actors
        slices = np.flatnonzero(actors.cluster >= 0)
        order = slices[np.lexsort((actors.sequence[slices], actors.cluster[slices]))]
        first = np.flatnonzero(np.diff(actors.cluster[order], prepend=-1))
        follower, rounds = np.roll(order, -1), np.zeros(len(order), np.int64)
        last = np.append(first[1:], len(order)) - 1
        follower[last], rounds[last] = order[first], 1
        after, tokens = np.full(len(actors.cluster), -1), np.zeros(len(actors.cluster), np.int64)
        after[order] = follower
        ahead = actors.lag - actors.stage
        tokens[order] = rounds + ahead[follower] - ahead[order]
        return after, tokens

    @cached_property
    def in_order(self) -> Integers:
        """All actors in the single-tile order."""
        return np.argsort(self.actors.sequence)

    @cached_property
    def leaving(self) -> tuple[Integers, Integers]:
        """(begin, channels): the channels out of each actor."""
        return _grouped(self.channels.source, len(self.names))

    @cached_property
    def entering(self) -> tuple[Integers, Integers]:
        """(begin, channels): the channels into each actor."""
        return _grouped(self.channels.target, len(self.names))

    def problem(self) -> str | None:
        """What makes these arrays no application, in words; None: nothing does."""
        count = len(self.names)
        for each in fields(Actors):
            if getattr(self.actors, each.name).shape != (count,):
                return f"actors.{each.name} is not one number for each of {count} actors"
        length = len(self.channels.source)
        for each in fields(Channels):
            if getattr(self.channels, each.name).shape != (length,):
                return f"channels.{each.name} is not one number for each of {length} channels"
        if self.where.shape != (len(self.clusters), 2) or self.distance.shape not in ((0, 0), (count, count)):
            return "there is not one place for each cluster, or one distance for each pair of actors"
        return self._problem_of_actors() or self._problem_of_channels()

    def _problem_of_actors(self) -> str | None:
        actors = self.actors
        slices = actors.cluster[actors.cluster >= 0]
        if not len(slices) or sorted(set(slices.tolist())) != list(range(len(self.clusters))):
            return f"the slices do not belong to {len(self.clusters)} clusters"
        if min(int(a.min()) for a in (actors.worst, actors.mean, actors.lag, actors.stage, actors.flits)) < 0:
            return "a time, lag, stage or number of flits is negative"
        if int(actors.worst.max()) > 1 << 40 or int(actors.lag.max()) > 1 << 20 or int(actors.flits.max()) > 1 << 24:
            return "a time, lag or number of flits is out of range"
        if len(np.unique(actors.sequence)) != len(actors.sequence):
            return "two actors have one place in the single-tile order"
        if not self.period > 0 or self.latency < 0:
            return "the period is not positive, or the latency negative"
        return None

    def _problem_of_channels(self) -> str | None:
        channels, count = self.channels, len(self.names)
        for ends in (channels.source, channels.target):
            if len(ends) and not 0 <= int(ends.min()) <= int(ends.max()) < count:
                return "a channel leads to or from an actor that is not there"
        if np.any(channels.delay < 0) or np.any(channels.capacity <= channels.delay):
            return "a channel has no space for more than its first tokens"
        return None


def _grouped(owner: Integers, owners: int) -> tuple[Integers, Integers]:
    order = np.argsort(owner, kind="stable")
    return np.searchsorted(owner[order], np.arange(owners + 1)), order
