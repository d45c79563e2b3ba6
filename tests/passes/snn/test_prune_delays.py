"""`snn-prune-delays` on programs: what stays is what stood there, the rest is gone, and it says what was lost."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pytest
from delayed_networks import DelayedMaker
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import program_of
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Operation

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import connections_of
from snnir.dialects.snn import (
    BundleOp,
    DelayOp,
    DenseOp,
    IfOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    SliceOp,
    SparseOp,
    networks,
)
from snnir.errors import SnnirError
from snnir.indices import Indices
from snnir.passes.snn.prune_delays import SNNPruneDelays
from snnir.semantics import Semantics

CONTEXT = Context()
Cells = dict[tuple[str, str, int, int, int], float]


def network_in(module: ModuleOp) -> NetworkOp:
    """The program of a module."""
    (network,) = networks(module)
    return network


def cells_of(module: ModuleOp) -> Cells:
    """The weight of each source, population, neuron, neuron and delay."""
    found: Cells = {}
    for name, op in network_in(module).sources.items():
        for c in connections_of(op) if isinstance(op, NeuronOp) else []:
            matrix = c.synapses.weighted().tocoo()
            for weight, target, source in zip(matrix.data, *matrix.coords, strict=True):
                key = (c.source, name, int(source), int(target), c.delay)
                found[key] = found.get(key, 0.0) + float(weight)
    return found


def last_of(cells: Cells) -> dict[tuple[str, int], int]:
    """The last delay of each source neuron."""
    found: dict[tuple[str, int], int] = {}
    for source, _, neuron, _, delay in cells:
        found[source, neuron] = max(found.get((source, neuron), 0), delay)
    return found


def entries_of(cells: Cells) -> int:
    """The entries of a circular queue that all sources share."""
    return sum(2 * last + 1 for last in last_of(cells).values() if last)


PRUNINGS = [
    SNNPruneDelays(keep=1),
    SNNPruneDelays(share=0.5),
    SNNPruneDelays(by="axon", keep=2),
    SNNPruneDelays(by="axon", share=0.3, norm="l2"),
    SNNPruneDelays(by="memory", share=0.7),
]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, len(PRUNINGS) - 1))
def test_what_stays_is_what_stood_there(seed: int, number: int) -> None:
    module = DelayedMaker(np.random.default_rng(seed), recurrent=bool(seed % 2)).module()
    options = PRUNINGS[number]
    prune = SNNPruneDelays(
        by=options.by, keep=options.keep, share=options.share, entries=options.entries, norm=options.norm
    )
    before = cells_of(module)
    try:
        prune.apply(CONTEXT, module)
    except SnnirError as error:
        assert prune.by == "memory"
        assert "the shortest delays" in error.message
        assert cells_of(module) == before
        return
    module.verify()
    program_of(module)
    after = cells_of(module)
    left = {key: weight for key, weight in after.items() if weight}
    assert left.items() <= before.items()
    assert last_of(after).keys() <= last_of(before).keys()
    assert entries_of(after) <= entries_of(before)
    if prune.by == "memory" and (total := prune.statistics["delay entries of all sources before"]):
        assert total <= entries_of(before)  # sources that are read without delays of their own are not counted
        assert prune.statistics["delay entries of all sources after"] <= 0.7 * total
    synapses = [prune.statistics[name] for name in prune.statistics if name.startswith("synapses")]
    assert sum(synapses[::2]) >= sum(synapses[1::2])


def program(*ops: Operation) -> ModuleOp:
    network = NetworkOp("n", 1e-3, None)
    network.body.block.add_ops(ops)
    module = ModuleOp([network])
    module.verify()
    return module


def neurons(name: str, *currents: Operation, size: int = 2) -> IfOp:
    parameters = {"r": FloatAttr(1.0, 64), "threshold": FloatAttr(0.5, 64), "v_reset": FloatAttr(0.0, 64)}
    return IfOp(name, currents, parameters, Semantics(), SignalType.spikes(size))


def bundled(weights: NDArray[np.float32], name: str = "w", delay: int = 0) -> tuple[InputOp, BundleOp]:
    x = InputOp("x", SignalType.spikes(weights.shape[2]))
    return x, BundleOp(x, TensorAttr.of(name, weights), SignalType.current(weights.shape[1]), stride=2, delay=delay)


def random_weights(levels: int = 30, targets: int = 8, sources: int = 6) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(levels, targets, sources)).astype("f4")


def test_pruning_of_synapses_leaves_lifetimes_and_of_axons_shortens_some() -> None:
    """48 entries and more a synapse at random: some synapse of a neuron nearly always reads it at the last levels."""
    lives: dict[str, float] = {}
    for by in ("synapse", "axon"):
        x, bundle = bundled(random_weights())
        h = neurons("h", bundle, size=8)
        module = program(x, bundle, h, OutputOp("y", h))
        prune = SNNPruneDelays(by=by, keep=10)
        prune.apply(CONTEXT, module)
        (change,) = prune.layers
        assert change.layer == "@h"
        assert change.sqnr is not None
        assert change.sqnr > 0
        match = re.search(r"lives (\S+) to (\S+) steps on average, 58 to (\d+) at most", change.change)
        assert match is not None, change.change
        assert float(match[1]) == 58
        lives[by] = float(match[2])
        assert bundle.weights.array.any(axis=1).sum(axis=0).max() == (10 if by == "axon" else 30)
        assert prune.statistics["synapses of 'w' before"] == 30 * 8 * 6
        assert prune.statistics["synapses of 'w' after"] == 10 * 8 * 6
        assert prune.statistics["norm of 'w' lost, millionths"] > 0
    assert lives["axon"] < lives["synapse"]


def test_memory_drops_the_longest_delays_where_that_costs_least() -> None:
    """Two sources of two delays; one of them has to lose its second one, and the weaker second one goes."""
    weights = np.array([[[1.0, 1.0]], [[0.5, 0.25]]], "f4")
    for first, second, gone in ((0.5, 0.25, 1), (0.25, 0.5, 0)):
        weights[1, 0] = first, second
        x, bundle = bundled(weights, delay=1)
        h = neurons("h", bundle, size=1)
        module = program(x, bundle, h, OutputOp("y", h))
        prune = SNNPruneDelays(by="memory", entries=10)
        prune.apply(CONTEXT, module)
        assert bundle.weights.array[1, 0].tolist() == [0.0 if n == gone else 0.5 for n in range(2)]
        assert prune.statistics["delay entries of all sources before"] == 14
        assert prune.statistics["delay entries of all sources after"] == 10
        assert "add up to 9.09 %, the least possible" in prune.layers[0].change


def test_what_others_read_late_frees_nothing() -> None:
    """Source 0 is read six steps late by a projection that nobody prunes: its own delays stay, source 1 loses one."""
    x, bundle = bundled(np.array([[[1.0, 1.0]], [[0.125, 0.5]]], "f4"), delay=1)
    some = SliceOp(x.signal, Indices.of([0]))
    late = DelayOp(some, 2)
    other = DenseOp(late, TensorAttr.of("o", np.ones((1, 1))), SignalType.current(1), delay=4)
    h = neurons("h", bundle, other, size=1)
    module = program(x, bundle, some, late, other, h, OutputOp("y", h))
    prune = SNNPruneDelays(by="memory", entries=16)
    prune.apply(CONTEXT, module)
    np.testing.assert_array_equal(bundle.weights.array, np.array([[[1.0, 1.0]], [[0.125, 0.0]]]))
    assert prune.statistics["delay entries of all sources before"] == 13 + 7
    with pytest.raises(SnnirError, match="15 entries, and the shortest delays"):
        SNNPruneDelays(by="memory", entries=15).apply(CONTEXT, module)


def test_sparse_projections_lose_synapses_and_keep_one() -> None:
    """Both projections read source 0; the second one would lose all that it has, and keeps its shortest delay."""
    x = InputOp("x", SignalType.spikes(1))
    ends = [TensorAttr.of(f"e{n}", np.zeros(2, np.int64)) for n in range(2)]
    late = [TensorAttr.of(f"d{n}", np.array(delays)) for n, delays in enumerate(([0, 1], [5, 9]))]
    weights = [TensorAttr.of(f"w{n}", np.array([1.0, value], "f4")) for n, value in enumerate((0.5, 0.125))]
    parts = [
        SparseOp(x, weight, ends[0], ends[1], SignalType.current(1), delays=delays)
        for weight, delays in zip(weights, late, strict=True)
    ]
    h = neurons("h", *parts, size=1)
    module = program(x, *parts, h, OutputOp("y", h))
    with pytest.raises(SnnirError, match=r"the shortest delays .* take 11"):
        SNNPruneDelays(by="memory", entries=10).apply(CONTEXT, module)
    SNNPruneDelays(by="memory", entries=12).apply(CONTEXT, module)
    module.verify()
    assert list(cells_of(module)) == [("x", "h", 0, 0, delay) for delay in (0, 1, 5)]


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_layers_lose_shares_of_their_own_norms(norm: Literal["l1", "l2"]) -> None:
    """A wide layer before a narrow one of small weights: the narrow one is not what pays for the memory."""
    x, first = bundled(random_weights(10, 10, 10))
    h = neurons("h", first, size=10)
    second = BundleOp(h, TensorAttr.of("v", 0.01 * random_weights(10, 2, 10)), SignalType.current(2), stride=2)
    o = neurons("o", second)
    module = program(x, first, h, second, o, OutputOp("y", o))
    prune = SNNPruneDelays(by="memory", share=0.5, norm=norm)
    prune.apply(CONTEXT, module)
    lost = [prune.statistics[f"norm of '{key}' lost, millionths"] for key in "wv"]
    assert max(lost) < 700_000, lost


def test_scales_count_between_targets() -> None:
    """A delay is strong by what its synapses add to currents: integers count with their scales."""
    weights = np.array([[[3], [0]], [[0], [2]]], np.int8)
    x = InputOp("x", SignalType.spikes(1))
    scale = TensorAttr.of("s", np.array([0.25, 1.0]))
    bundle = BundleOp(x, TensorAttr.of("w", weights), SignalType.current(2), scale=scale)
    h = neurons("h", bundle)
    module = program(x, bundle, h, OutputOp("y", h))
    SNNPruneDelays(by="axon", keep=1).apply(CONTEXT, module)
    np.testing.assert_array_equal(bundle.weights.array, [[[0], [0]], [[0], [2]]])
    assert bundle.weights.array.dtype == np.int8


def shared() -> tuple[ModuleOp, list[BundleOp]]:
    """Two populations that read a bundle together, and one with its own."""
    x, bundle = bundled(random_weights(3, 2, 2), "shared")
    own = BundleOp(x, TensorAttr.of("own", random_weights(3, 2, 2)), SignalType.current(2))
    a, b, c = neurons("a", bundle), neurons("b", bundle), neurons("c", own)
    return program(x, bundle, own, a, b, c, *(OutputOp(f"y_{p.sym_name.data}", p) for p in (a, b, c))), [bundle, own]


@pytest.mark.parametrize(("populations", "pruned"), [(("c",), [False, True]), (("b", "a"), [True, False])])
def test_populations_that_are_named(populations: tuple[str, ...], pruned: list[bool]) -> None:
    module, bundles = shared()
    prune = SNNPruneDelays(keep=1, populations=populations)
    prune.apply(CONTEXT, module)
    assert [bool((bundle.weights.array == 0).any()) for bundle in bundles] == pruned
    assert [change.layer for change in prune.layers] == (["@c"] if pruned[1] else ["'shared'"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "how many delays stay"),
        ({"keep": 0}, "keep=0: nothing would be left"),
        ({"keep": 1, "share": 0.5}, "keep and share for by=synapse"),
        ({"by": "memory", "keep": 1}, "keep for by=memory"),
        ({"by": "axon", "entries": 9}, "entries for by=axon"),
        ({"by": "memory", "entries": 0}, "0 entries"),
        ({"share": 0.0}, "a share of 0"),
        ({"share": 1.5}, "a share of 1.5"),
        ({"keep": 1, "populations": ("h",)}, "there is no population @h"),
        ({"keep": 1, "populations": ("x",)}, "there is no population @x"),
        ({"keep": 1, "populations": ("a",)}, "'shared' is read by @a, @b"),
    ],
)
def test_options_that_are_refused_by_name(options: dict[str, object], message: str) -> None:
    module, _ = shared()
    text = str(module)
    with pytest.raises(SnnirError, match=message):
        SNNPruneDelays(**options).apply(CONTEXT, module)  # pyright: ignore[reportArgumentType]
    assert str(module) == text


def test_nothing_with_delays_is_noted() -> None:
    x = InputOp("x", SignalType.spikes(2))
    dense = DenseOp(x, TensorAttr.of("w", np.ones((2, 2))), SignalType.current(2), delay=3)
    h = neurons("h", dense)
    module = program(x, dense, h, OutputOp("y", h))
    text, prune = str(module), SNNPruneDelays(keep=1)
    prune.apply(CONTEXT, module)
    assert str(module) == text
    assert [change.change for change in prune.layers] == ["nothing has several delays: none pruned"]
    assert not prune.statistics
