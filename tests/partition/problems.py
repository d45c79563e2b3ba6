"""Clustering problems to test with: by hand and at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from hypothesis import strategies as st

from snnir.partition.problem import Group, Input, Layer, Plan, Problem
from snnir.synapses import Conv, Listed, OneToOne, Selected, Synapses
from snnir.windows import Windows
from tests.partition.projections import dense, listed

Read = tuple[int, int, Synapses]
"""What a layer reads: source (as in `Group`), delay, synapses."""


def problem(
    layers: Sequence[tuple[tuple[int, ...], Sequence[Read]]],
    sources: dict[int, int],
    *,
    rows: int,
    columns: int,
    digital: bool = True,
    slices: int = 0,
    spikes: Mapping[int, Sequence[float]] | None = None,
) -> Problem:
    """Layers of a shape that read; `sources` are the sizes of inputs; spikes of a source are 1 where none are given."""
    sizes = sources | {number: int(np.prod(shape)) for number, (shape, _) in enumerate(layers)}
    keys = sorted({(source, delay) for _, reads in layers for source, delay, _ in reads})
    starts = list(accumulate((sizes[source] for source, _ in keys), initial=0))
    groups = tuple(
        Group(source, delay, start, sizes[source]) for (source, delay), start in zip(keys, starts, strict=False)
    )
    number = {key: n for n, key in enumerate(keys)}
    made = tuple(
        Layer(f"layer{n}", shape, tuple(Input(number[source, delay], synapses) for source, delay, synapses in reads))
        for n, (shape, reads) in enumerate(layers)
    )
    known = spikes or {}
    each = [np.asarray(known.get(source, np.ones(sizes[source])), np.float64) for source, _ in keys]
    return Problem(made, groups, rows, columns, digital, np.concatenate([np.empty(0), *each]), slices)


def recurrent(size: int, pairs: Sequence[tuple[int, int]], **options: int) -> Problem:
    """One layer that reads itself."""
    return problem([((size,), [(0, 1, listed(size, size, pairs))])], {}, **options)  # pyright: ignore[reportArgumentType]


def cliques(groups: Sequence[Sequence[int]], bridges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """All pairs within each group, both ways, and some more."""
    return [(a, b) for group in groups for a in group for b in group if a != b] + list(bridges)


def synapses_of(problem: Problem) -> set[tuple[int, int, int]]:
    """Every (layer, neuron, axon)."""
    found: set[tuple[int, int, int]] = set()
    for number, layer in enumerate(problem.layers):
        for neuron in range(layer.size):
            axons = problem.axons_of(number, np.array([neuron]))
            found |= {(number, neuron, int(axon)) for axon in axons}
    return found


def spikes_by_hand(problem: Problem, plan: Plan) -> float:
    """`metrics.spikes_between` from its definition."""
    total = 0.0
    needed = synapses_of(problem)
    for source in sorted({group.source for group in problem.groups}):
        groups = [group for group in problem.groups if group.source == source]
        for neuron in range(groups[0].size):
            axons = {group.start + neuron for group in groups}
            own = {
                n
                for n, parts in enumerate(plan)
                for p in parts
                if p.layer == source and not p.is_partial and neuron in p.neurons
            }
            readers = {
                n
                for n, parts in enumerate(plan)
                for p in parts
                for axon in axons & set(p.axons.tolist())
                if any((p.layer, int(m), axon) in needed for m in p.neurons)
            }
            total += max(problem.spikes[axon] for axon in axons) * len(readers - own)
    return total


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Layers of every kind of projection, recurrent and late ones, on machines with and without digital sums."""
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    channels, side = draw(st.integers(1, 3)), draw(st.integers(2, 5))
    layers: list[tuple[tuple[int, ...], list[Read]]] = []
    shapes: dict[int, tuple[int, ...]] = {-1: (channels, side, side)}
    for number in range(draw(st.integers(1, 3))):
        before = number - 1
        shape, reads = _layer(draw, seed, before, shapes[before])
        if draw(st.booleans()):
            size = int(np.prod(shape))
            reads.append((number, draw(st.integers(1, 2)), _sparse(seed, size, size)))
        if draw(st.booleans()) and before >= 0:
            size = int(np.prod(shapes[-1]))
            reads.append((-1, draw(st.integers(0, 2)), _sparse(seed, size, int(np.prod(shape)))))
        shapes[number] = shape
        layers.append((shape, reads))
    digital = draw(st.booleans())
    rows = draw(st.integers(1, 12)) if digital else 200
    spikes = {number: seed.integers(0, 5, int(np.prod(shape))).tolist() for number, shape in shapes.items()}
    return problem(
        layers,
        {-1: int(np.prod(shapes[-1]))},
        rows=rows,
        columns=draw(st.integers(1, 12)),
        digital=digital,
        slices=draw(st.integers(0, 3)),
        spikes=spikes,
    )


def _layer(
    draw: st.DrawFn, seed: np.random.Generator, source: int, shape: tuple[int, ...]
) -> tuple[tuple[int, ...], list[Read]]:
    size = int(np.prod(shape))
    delay = draw(st.integers(0, 1))
    match draw(st.sampled_from(["dense", "one", "sparse", "conv", "pool", "selected", "parallel"])):
        case "one":
            return shape, [(source, delay, OneToOne(np.ones(1), size))]
        case "sparse":
            return (7,), [(source, delay, _sparse(seed, size, 7))]
        case "conv" if len(shape) == 3 and shape[1] > 1:
            out = draw(st.integers(1, 4))
            windows = Windows.of(shape[1:], (2, 2), (1, 1), (0, 1), (0, 0))
            conv = Conv(np.ones((out, shape[0], 2, 2)), shape[0], windows, 1)
            return conv.shape, [(source, delay, conv)]
        case "pool" if len(shape) == 3 and shape[1] > 1:
            pool = Conv.pool(shape[0], Windows.of(shape[1:], (2, 2), (2, 2), (0, 0), (0, 0)), 1.0)
            return pool.shape, [(source, delay, pool)]
        case "selected":
            chosen = seed.permutation(size)[: max(1, size // 2)]
            return (5,), [(source, delay, Selected(dense(len(chosen), 5), chosen, size))]
        case "parallel":
            return (6,), [(source, delay, _sparse(seed, size, 6)), (source, delay, _sparse(seed, size, 6))]
        case _:
            return (9,), [(source, delay, dense(size, 9)), (source, delay + 1, _sparse(seed, size, 9))]


def _sparse(seed: np.random.Generator, sources: int, targets: int) -> Listed:
    pairs = np.argwhere(seed.random((sources, targets)) < 0.3)
    return listed(sources, targets, [(int(a), int(b)) for a, b in pairs])
