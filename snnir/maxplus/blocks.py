"""From SDF graphs to timed graphs of a few firings of each actor: what a K-periodic schedule has to respect.

A schedule is K-periodic when each actor a starts a block of K(a) cycles of its phases again and again: block m of actor
a starts its firing r at S(a, r) + m * P * K(a) / q(a), where P is the period of an iteration, in which a goes through
q(a) cycles. In what follows, B is the number of firings of a block. Bodin, Munier-Kordon, Dupont de Dinechin, "Optimal
and fast throughput evaluation of CSDF", DAC 2016.

Which S are schedules. Take an arc from a to b with d tokens; let p(r) be the tokens that the first r firings of a block
of a make, c(s) those that the first s firings of a block of b take, and g the greatest common divisor of what whole
blocks make and take. Firing s of block n of b waits for firing r of block m of a when that makes a token and not too
late a one: m * p(B) + p(r) + d < n * c(B) + c(s + 1). The differences m * p(B) - n * c(B) are the multiples of g, and
with N tokens passed in an iteration, the starts of the two blocks differ by P / N times that. Hence

    S(b, s) >= S(a, r) + time(r) + P * beta / N,        beta = g * floor((c(s + 1) - p(r) - d - 1) / g),

an edge with -beta / N tokens, a multiple of 1 / lcm(q(a) / K(a), q(b) / K(b)), as N / g is this number. It may be
negative. That b waits for earlier tokens than those that it takes is no restriction: it starts in order, and earlier
firings took them. Not so when its firings are scattered (`SDFGraph.scattered`): then only firings that make a token
taken count, those with m * p(B) + p(r + 1) + d > n * c(B) + c(s) as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import gcd, lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.expansion import KINDS, SEQUENCE
from snnir.maxplus.graph import Integers
from snnir.maxplus.sdf import Arc, SDFGraph

_LARGEST_BLOCK = 1 << 60
"""Tokens that a block may pass; sums of a few such numbers fit into 64 bits."""

_SAFE = float(1 << 61)
"""Sums of magnitudes below this one are computed in 64 bits."""


class _Part(NamedTuple):
    """Edges of one dependency: firings within blocks, and tokens in units of 1 / denominator."""

    source: Integers
    target: Integers
    tokens: Integers
    denominator: int
    kind: int
    number: int
    ends: tuple[int, int]


@dataclass(frozen=True, eq=False)
class BlockGraph:
    """The dependencies between the firings of blocks, `block[a]` firings of actor number a from node `first[a]` on.

    Edge e leaves node `source[e]` for `target[e]`, takes `time[e]` and carries `numerator[e]` / `denominator[part[e]]`
    tokens; it comes from constraint `kind[part[e]]` number `index[part[e]]`.
    """

    block: list[int]
    first: list[int]
    source: Integers
    target: Integers
    time: Integers
    numerator: Integers
    part: Integers
    denominator: list[int]
    kind: Integers
    index: Integers

    @property
    def size(self) -> int:
        """The number of nodes."""
        return sum(self.block)

    def tokens(self, edges: Integers) -> tuple[NDArray[Any], int]:
        """The tokens of some edges as integers, and how many of these units are one token.

        int64 when the sum of all magnitudes surely fits, Python integers else.
        """
        used: list[int] = np.unique(self.part[edges]).tolist()
        unit = lcm(*(self.denominator[part] for part in used))
        factor = [0] * len(self.denominator)
        for part in used:
            factor[part] = unit // self.denominator[part]
        weight = np.array([min(each, _LARGEST_BLOCK) for each in factor], np.float64)[self.part[edges]]
        fits = float((np.abs(self.numerator[edges].astype(np.float64)) * weight).sum()) < _SAFE
        if fits and max(factor, default=0) < _LARGEST_BLOCK:
            return self.numerator[edges] * np.array(factor, np.int64)[self.part[edges]], unit
        factors = np.array(factor, dtype=object)
        return self.numerator[edges].astype(object) * factors[self.part[edges]], unit


class Blocks:
    """Block graphs of one SDF graph for growing blocks; what did not change from one to the next is kept."""

    def __init__(self, sdf: SDFGraph, cycles: list[int]) -> None:
        """`cycles`: how often each actor goes through its phases in an iteration."""
        self.sdf = sdf
        self.cycles = cycles
        self.arcs = list(sdf.arcs())
        self._part = lru_cache(maxsize=None)(self._make)

    def count(self, cycles: list[int]) -> int:
        """How many firings and edges the graph of blocks of so many cycles of phases has, at most."""
        block = [count * phases for count, phases in zip(cycles, self.sdf.phases, strict=True)]
        return sum(block) + sum(min(_choices(self.sdf, arc, block)) for arc in self.arcs)

    def graph(self, cycles: list[int]) -> BlockGraph:
        """The graph of blocks of so many cycles of phases, each a divisor of those in an iteration."""
        block = [count * phases for count, phases in zip(cycles, self.sdf.phases, strict=True)]
        first: list[int] = (np.cumsum(block) - block).tolist() if block else []
        parts = [self._part(number, cycles[a.source], cycles[a.target]) for number, a in enumerate(self.arcs)]
        for number, actor in enumerate(self.sdf.actors):
            if actor.concurrency != 1 and block[number] > 1 and not self.sdf.scattered[number]:
                parts.append(self._starts(number, cycles[number], block[number]))
        parts.extend(self._orders(first))
        times = [_repeat(actor.times, count) for actor, count in zip(self.sdf.actors, block, strict=True)]
        source = _join(part.source + first[part.ends[0]] for part in parts)
        number = np.repeat(np.arange(len(parts)), [len(part.source) for part in parts])
        kind = np.array([part.kind for part in parts], np.int64)
        return BlockGraph(
            block=block,
            first=first,
            source=source,
            target=_join(part.target + first[part.ends[1]] for part in parts),
            time=np.where(kind[number] == SEQUENCE, 0, _join(times)[source]),
            numerator=_join(part.tokens for part in parts),
            part=number,
            denominator=[part.denominator for part in parts],
            kind=kind,
            index=np.array([part.number for part in parts], np.int64),
        )

    def _make(self, number: int, source_cycles: int, target_cycles: int) -> _Part:
        arc = self.arcs[number]
        source_block = source_cycles * self.sdf.phases[arc.source]
        target_block = target_cycles * self.sdf.phases[arc.target]
        source, target, tokens = _dependencies(arc, source_block, target_block, self.sdf)
        denominator = lcm(self.cycles[arc.source] // source_cycles, self.cycles[arc.target] // target_cycles)
        kind = KINDS.index(arc.kind)
        return _Part(source, target, tokens, denominator, kind, arc.number, (arc.source, arc.target))

    def _starts(self, actor: int, cycles: int, block: int) -> _Part:
        """Starts are in order, which lets one dependency stand for many: only the latest tokens count."""
        nodes = np.arange(block)
        tokens = np.zeros(block, np.int64)
        tokens[-1] = 1
        denominator = self.cycles[actor] // cycles
        return _Part(nodes, np.roll(nodes, -1), tokens, denominator, SEQUENCE, actor, (actor, actor))

    def _orders(self, first: list[int]) -> Iterable[_Part]:
        """The chains of orders, whose actors have blocks of a whole iteration, on the nodes of the whole graph."""
        for number, order in enumerate(self.sdf.orders):
            fired: dict[int, int] = {}
            nodes: list[int] = []
            for actor in (self.sdf.index[name] for name in order):
                nodes.append(first[actor] + fired.get(actor, 0))
                fired[actor] = fired.get(actor, 0) + 1
            chain = np.array(nodes, np.int64)
            tokens = np.zeros(len(chain), np.int64)
            tokens[-1] = 1
            yield _Part(chain, np.roll(chain, -1), tokens, 1, KINDS.index("order"), number, (0, 0))


def _dependencies(arc: Arc, source_block: int, target_block: int, sdf: SDFGraph) -> tuple[Integers, Integers, Integers]:
    """Source firing, target firing and tokens (in units of g / N) of the edges of an arc.

    Of all pairs (r, s), those are left out that others imply. With the same beta, a later r (whose end is no earlier,
    unless firings overtake) and an earlier s say more; so for each s and each offset between the two sequences of
    blocks, the last r will do, or for each r and each offset, the first s, whichever are fewer.
    """
    late, scattered = sdf.overtaking[arc.source], sdf.scattered[arc.target]
    made, taken = _repeat(arc.produce, source_block), _repeat(arc.consume, target_block)
    makes, takes = np.flatnonzero(made), np.flatnonzero(taken)
    before: Integers = (np.cumsum(made) - made)[makes]
    reach: Integers = np.cumsum(taken)[takes] - arc.tokens - 1
    total, wanted = int(made.sum()), int(taken.sum())
    common = gcd(total, wanted)
    counts = [len(makes) * len(takes), len(makes) * (wanted // common), len(takes) * (total // common)]
    choice = counts.index(min(counts[: 1 if scattered else 2 if late else 3]))
    if choice == 0:
        r, s = np.divmod(np.arange(counts[0]), len(takes))
    elif choice == 1:
        r, offset = np.divmod(np.arange(counts[1]), wanted // common)
        least = before[r] + offset * common
        block: Integers = -((reach[-1] - least) // wanted)
        aim: Integers = least - block * wanted
        s: Integers = np.searchsorted(reach, aim)
    else:
        s, offset = np.divmod(np.arange(counts[2]), total // common)
        most: Integers = (reach[s] - offset * common) % total
        r: Integers = np.searchsorted(before, most, side="right") - 1
    if scattered:
        shift = (reach[s] - before[r]) // common * common
        meets = before[r] + made[makes[r]] + shift > reach[s] + 1 - taken[takes[s]]
        r, s = r[meets], s[meets]
    elif choice and counts[choice] > min(len(makes), len(takes)):
        r, s = np.divmod(np.unique(r * len(takes) + s), len(takes))
    return makes[r], takes[s], -((reach[s] - before[r]) // common)


def _choices(sdf: SDFGraph, arc: Arc, block: list[int]) -> list[int]:
    """How many edges each way of choosing them gives, as `_dependencies` has them."""
    sizes: list[tuple[int, int]] = []
    for actor, rates in ((arc.source, arc.produce), (arc.target, arc.consume)):
        rounds = block[actor] // len(rates)
        if sum(rates) * rounds > _LARGEST_BLOCK:
            raise MaxPlusError(f"{arc.kind} {arc.number} passes more than 2**60 tokens in {block[actor]} firings")
        sizes.append(((len(rates) - rates.count(0)) * rounds, sum(rates) * rounds))
    (makes, total), (takes, wanted) = sizes
    common = gcd(total, wanted)
    choices = [makes * takes, makes * (wanted // common), takes * (total // common)]
    return choices[: 1 if sdf.scattered[arc.target] else 2 if sdf.overtaking[arc.source] else 3]


def _repeat(phases: tuple[int, ...], count: int) -> Integers:
    return np.resize(np.array(phases, np.int64), count)


def _join(parts: Iterable[Integers]) -> Integers:
    return np.concatenate([np.zeros(0, np.int64), *parts])
