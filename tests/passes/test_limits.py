"""What is found about limits by structure alone: against the passes that refuse, and against single weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from general_networks import general_program
from networks import NetworkMaker, random_machine, run_passes, set_machine
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from snnir.dialects.activity import ActivityAttr
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.connections import connections_of
from snnir.dialects.platform import Buffers, Crossbar, Machine, Tiles, Time
from snnir.dialects.snn import InputOp, NeuronOp, WeightedOp, networks
from snnir.errors import SnnirError
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.limits import check
from snnir.passes.limits.weights import weights_of
from snnir.passes.placeable import check_placeable
from snnir.precision import nearest_grid
from snnir.universe import SNNIR_UNIVERSE

LARGE = Machine(
    "large",
    Tiles((100, 100), 100),
    Crossbar(4096, 4096, 0, "digital", max_delay=100),
    Buffers(10**6),
    time=Time("ns", 1),
)

POOLS = """
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<1x4x4, spike>
  %a = snn.max_pool %x kernel [2, 2] stride [2, 2] : !snn.signal<1x4x4, spike> -> !snn.signal<1x2x2, spike>
  %b = snn.max_pool %x kernel [2, 2] stride [2, 2] : !snn.signal<1x4x4, spike> -> !snn.signal<1x2x2, spike>
  %f = snn.flatten %a : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
  %g = snn.flatten %b : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
  %c = snn.scale %f by 2.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
  %d = snn.scale %g by 3.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
  %s = snn.add %c, %d : !snn.signal<4, f64>
  %p = snn.if @p(%s) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, refractory = 2> : !snn.signal<4, spike>
  snn.output @y %p : !snn.signal<4, spike>
}
"""


def parsed(text: str) -> ModuleOp:
    """A module of the `snn` dialect."""
    ctx = Context()
    for name, factory in SNNIR_UNIVERSE.all_dialects.items():
        ctx.register_dialect(name, factory)
    module = Parser(ctx, text).parse_module()
    module.verify()
    return module


def test_everything_that_one_population_reads() -> None:
    (network,) = networks(parsed(POOLS))
    found = check(network, LARGE)
    assert [f.limit for f in found.of("error")] == ["semantics", "projections", "projections"]
    assert {f.message for f in found.of("error")[1:]} == {"snn.max_pool cannot be placed on crossbars, which add"}
    assert found.layers[0].figures is None
    assert found.least.crossbars == 0


def test_several_spikes_in_a_step() -> None:
    (network,) = networks(NetworkMaker(np.random.default_rng(0), recurrent=False).module())
    source = next(op for op in network.sources.values() if isinstance(op, InputOp))
    counts = np.zeros(source.size, np.int64)
    counts[0] = 11
    source.activity = ActivityAttr.of(10, 11, 2, TensorAttr.of("counts", counts))
    (error,) = check(network, LARGE).of("error")
    assert error.limit == "signals"
    message = f"input @{source.sym_name.data} brought several spikes in one step, and a machine reads 0 or 1"
    assert error.message == message


@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_the_passes_that_refuse(seed: int) -> None:
    """Whatever a pass refuses is the first error; what has no error is clustered."""
    rng = np.random.default_rng(seed)
    module = general_program(rng)
    (network,) = networks(module)
    set_machine(module, LARGE)
    found = check(network, LARGE)
    try:
        check_placeable(network, LARGE)
    except SnnirError as error:
        assert (error.place, error.message, error.hint) in [(f.place, f.message, f.hint) for f in found.of("error")]
        return
    assert found.holds, [str(f) for f in found.of("error")]
    clustering = ConvertSNNToCluster(algorithm="sequential")
    run_passes(module, clustering)
    assert clustering.statistics["clusters"] >= found.least.crossbars


@pytest.mark.parametrize("seed", range(20))
def test_figures(seed: int) -> None:
    """Against the single synapses; no clustering has fewer clusters than the bound."""
    rng = np.random.default_rng(seed)
    module = NetworkMaker(rng, recurrent=seed % 2 == 1, most=40).module()
    target = replace(random_machine(rng), buffers=Buffers(10**6))
    set_machine(module, target)
    (network,) = networks(module)
    found = check(network, replace(target, tiles=LARGE.tiles))
    for layer in found.layers:
        population, figures = network.sources[layer.name], layer.figures
        assert isinstance(population, NeuronOp)
        assert figures is not None
        read: set[tuple[int, str, int, int]] = set()
        for c in connections_of(population):
            targets, sources = c.synapses.csr().nonzero()
            read |= {(int(t), c.source, c.delay, int(s)) for t, s in zip(targets, sources, strict=True)}
        fanin = np.bincount([t for t, *_ in read], minlength=population.size)
        assert figures.synapses == len(read)
        assert figures.fanin == fanin.max()
        assert figures.axons == len({axon[1:] for axon in read})
        assert figures.parts == -(-figures.fanin // target.crossbar.rows)
        assert figures.delay == max(c.delay for c in connections_of(population))
        assert figures.weights.levels == levels(population)
    clustering = ConvertSNNToCluster()
    run_passes(module, clustering)
    assert clustering.statistics["clusters"] >= found.least.crossbars


def levels(population: NeuronOp) -> int:
    """The different weights of a population's projections as they are stored."""
    ops = [value.owner for value in population.inputs]
    arrays = [
        op.weights.array.ravel() for op in ops if isinstance(op, WeightedOp) and isinstance(op.weights, TensorAttr)
    ]
    return len(np.unique(np.concatenate([each.astype(np.float64) for each in arrays])))


@pytest.mark.parametrize("seed", range(40))
def test_representable(seed: int) -> None:
    """The same as for the matrix of all weights of each neuron."""
    rng = np.random.default_rng(seed)
    module = NetworkMaker(rng, recurrent=False, weights="grid" if seed % 4 else "float").module()
    (network,) = networks(module)
    for population in network.sources.values():
        if isinstance(population, NeuronOp):
            connections = connections_of(population)
            lanes = [c.synapses.lanes() for c in connections]
            matrix = np.concatenate([each.weights[each.of] for each in lanes], axis=1)
            for bits in (4, 7, 8):
                fits = nearest_grid(matrix, bits).exact
                assert weights_of(connections, population.size, bits).representable == fits
            assert weights_of(connections, population.size, 0).representable


def test_weights_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit stands in the last piece."""
    monkeypatch.setattr("snnir.passes.limits.weights.PIECE", 8)
    module = NetworkMaker(np.random.default_rng(3), recurrent=False).module()
    (network,) = networks(module)
    population = next(op for op in network.sources.values() if isinstance(op, NeuronOp))
    assert sum(c.synapses.count for c in connections_of(population)) > 8
    assert weights_of(connections_of(population), population.size, 8).representable
    projection = population.inputs[0].owner
    assert isinstance(projection, WeightedOp)
    assert isinstance(projection.weights, TensorAttr)
    array = projection.weights.array.copy()
    array.reshape(-1)[-1] = np.pi
    projection.weights = TensorAttr.of("changed", array)
    assert not weights_of(connections_of(population), population.size, 8).representable
