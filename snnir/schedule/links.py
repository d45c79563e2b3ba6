"""Links that serve flows round-robin: how long a token is on its way at most, whatever other flows do.

A flow sends one token after the other, as flits, along one way or a tree of ways. Each link serves the flows that cross
it in turn, one flit at a time. What this module states about a way is a pair of actors that the flow is never slower
than: `send`, one token at a time, and `carry`, any number at once. Proofs: docs/guarantee.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from snnir.maxplus.sdf import SDFGraph, dependencies

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

Lead = Callable[[int, int], int | None]
"""Of two ways: how many more tokens the flow of the second can have on a link than the flow of the first, while those
of the first are there; None when nothing limits it."""


@dataclass(frozen=True)
class Way:
    """One way of a flow: the links that it crosses, in order."""

    flow: int
    links: tuple[int, ...]


@dataclass(frozen=True)
class Transport:
    """A token is serialised, one after the other, for `send`; then it is on its way for `carry`."""

    send: Fraction
    carry: int


@dataclass(frozen=True)
class Links:
    """Links, and the ways of the flows that cross them.

    `flit[l]`: for how long a flit occupies link l; `hop[l]`: how much later it is at the next one. `flits[f]`: flits of
    a token of flow f, at most. A flow is on a link once, however many of its ways cross it.
    """

    flit: Sequence[int]
    hop: Sequence[int]
    flits: Sequence[int]
    ways: Sequence[Way]

    @cached_property
    def flows(self) -> list[list[int]]:
        """The flows on each link."""
        found: list[dict[int, None]] = [{} for _ in self.flit]
        for way in self.ways:
            for link in way.links:
                found[link][way.flow] = None
        return [list(each) for each in found]

    @cached_property
    def crossing(self) -> list[dict[int, list[int]]]:
        """For each link and flow on it, the ways of the flow that cross it."""
        found: list[dict[int, list[int]]] = [{} for _ in self.flit]
        for number, way in enumerate(self.ways):
            for link in way.links:
                found[link].setdefault(way.flow, []).append(number)
        return found

    @cached_property
    def loads(self) -> list[int]:
        """For how long each link is busy with one token of each of its flows."""
        return [flit * sum(self.flits[f] for f in flows) for flit, flows in zip(self.flit, self.flows, strict=True)]

    @cached_property
    def turns(self) -> list[int]:
        """How long each link takes for a flit of a flow when every flow on it is always waiting."""
        return [flit * len(flows) for flit, flows in zip(self.flit, self.flows, strict=True)]

    def waiting(self, way: Way) -> Transport:
        """With every other flow always waiting: a link with k flows takes k flit times for a flit."""
        times = [self.turns[link] for link in way.links]
        carry = sum(times) - max(times) + sum(self.hop[link] for link in way.links)
        return Transport(Fraction(self.flits[way.flow] * max(times)), carry)

    def alone(self, way: Way, flits: int) -> int:
        """For how long a token of so many flits is on its way when there is nothing else."""
        times = [self.flit[link] for link in way.links]
        return sum(times) + (flits - 1) * max(times) + sum(self.hop[link] for link in way.links)

    @cached_property
    def waits(self) -> list[Transport]:
        """`waiting` of each way."""
        return [self.waiting(way) for way in self.ways]

    def limited(self, number: int, target: int, lead: Lead) -> Transport:
        """With other flows that run out of flits: each sends no more tokens than its lead allows.

        While tokens of flow i are on a link, another flow j passes at most one flit for each of theirs, and no more
        than one token for each of their tokens and its lead. Where the second is less in the long run, it takes n_j /
        n_i flit times for each flit of i, and once (2 - 2 / n_i + lead) * n_j more; on the first link, where tokens
        come whole, and on the last one, where only whole tokens count, (1 - 1 / n_i + lead) * n_j. That is assumed of
        those flows that gain most by it, until no link needs more than `target` for a token.
        """
        way = self.ways[number]
        size = self.flits[way.flow]
        times: list[int] = []
        once = 0
        for place, link in enumerate(way.links):
            flit, shares = self.flit[link], len(self.flows[link]) * size
            if shares * flit > target:
                partly = 1 if place in (0, len(way.links) - 1) else 2
                for gain, extra in self._gains(number, link, partly, lead):
                    if shares * flit <= target:
                        break
                    shares -= gain
                    once += flit * extra
            times.append(shares * flit)
        carry = Fraction(sum(times) - max(times) + once, size) + sum(self.hop[link] for link in way.links)
        return Transport(Fraction(max(times)), ceil(carry))

    def _gains(self, number: int, link: int, partly: int, lead: Lead) -> list[tuple[int, int]]:
        """Flits that each smaller flow on a link leaves free per token of this one, and what it may cost once, in flits
        divided by those of this one's tokens.

        `partly`: how many tokens of this flow may be on the link in part only while it is never empty of them.
        """
        way = self.ways[number]
        size = self.flits[way.flow]
        found: list[tuple[int, int]] = []
        for flow, others in self.crossing[link].items():
            other = self.flits[flow]
            if flow == way.flow or other >= size:
                continue
            leads = [lead(number, each) for each in others]
            least = min((each for each in leads if each is not None), default=None)
            if least is not None:
                found.append((size - other, other * (partly * (size - 1) + least * size)))
        return sorted(found, key=lambda each: each[1] / each[0])


def expected(links: Links, flits: Sequence[float]) -> list[Transport]:
    """The ways with `flits` per token of each flow on average, and links shared fairly in the long run.

    An expectation, no bound: while one token is sent, each other flow sends one of its own, or as many flits.
    """
    mean = np.array(flits, np.float64)
    shares: list[dict[int, float]] = []
    for flit, flows in zip(links.flit, links.flows, strict=True):
        sizes = np.sort(mean[flows])
        below = np.searchsorted(sizes, mean[flows], side="right")
        total = np.concatenate(([0.0], np.cumsum(sizes)))[below] + (len(flows) - below) * mean[flows]
        shares.append(dict(zip(flows, (flit * total).tolist(), strict=True)))
    found: list[Transport] = []
    for way in links.ways:
        own = [links.flit[link] for link in way.links]
        send = max(shares[link][way.flow] for link in way.links)
        found.append(Transport(Fraction(send), sum(own) - max(own) + sum(links.hop[link] for link in way.links)))
    return found


class Leads:
    """How far flows can be ahead of each other, from the tokens of a graph with rates of 1.

    `producers[f]`: the actor that makes the tokens of flow f; `arrivals[w]`: the actor whose end is the arrival of a
    token over way w. A path with d tokens from the arrival of j to the producer of i says that, when i has made token
    k, token k - d of j has arrived; one with e tokens from the arrival of i to the producer of j, that token k + e of j
    is not made before token k of i has arrived. So no more than m + d + e - 2 tokens of j are under way while m of i
    are.
    """

    def __init__(self, sdf: SDFGraph, ways: Sequence[Way], producers: Sequence[str], arrivals: Sequence[str]) -> None:
        self._ways = ways
        self._producers = [sdf.index[name] for name in producers]
        self._arrivals = [sdf.index[name] for name in arrivals]
        source, target, tokens = dependencies(sdf)
        order = np.lexsort((tokens, target, source))
        source, target, tokens = source[order], target[order], tokens[order]
        first = np.flatnonzero(np.diff(source * len(sdf.actors) + target, prepend=-1))
        weights: Floats = tokens[first].astype(np.float64)
        shape = (len(sdf.actors), len(sdf.actors))
        self._forward = csr_array((weights, (source[first], target[first])), shape=shape)
        self._backward = csr_array((weights, (target[first], source[first])), shape=shape)
        self._after: dict[int, Floats] = {}
        self._before: dict[int, Floats] = {}

    def __call__(self, own: int, other: int) -> int | None:
        """The lead of the flow of way `other` over that of way `own`."""
        producer = self._producers[self._ways[own].flow]
        if own not in self._after:
            self._after[own] = _distances(self._forward, self._arrivals[own])
        if producer not in self._before:
            self._before[producer] = _distances(self._backward, producer)
        ahead = self._after[own][self._producers[self._ways[other].flow]]
        behind = self._before[producer][self._arrivals[other]]
        return int(ahead + behind) - 2 if np.isfinite(ahead + behind) else None


def _distances(graph: csr_array, node: int) -> Floats:
    found: NDArray[np.float64] = np.asarray(dijkstra(graph, directed=True, indices=np.array([node])))
    return found[0]
