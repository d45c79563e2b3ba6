"""Bundles of delayed synapses in summaries, in variants of a program, and as connections of crossbars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundled_networks import Weights, array_of, as_sparse, bundled_program, bundles_of, network_in

from snnir import api
from snnir.dialects.connections import connections_of
from snnir.dialects.snn import NetworkOp, NeuronOp, delay_of
from snnir.flow.inventory import inventory, inventory_lines
from snnir.flow.variants import with_delay, with_preset
from snnir.sim.entry import network_of
from snnir.sim.simulate import simulate
from snnir.synapses import Dense, Listed, Selected

PROGRAM = """\
network echoes {
  dt = 1 ms
  input x[2]
  population h[2] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  let w = [[[0, 0], [0, 0]], [[0.5, 0], [1, 2]], [[0, 0], [0, 0]], [[0, 1], [0, 0]]]
  x -> h : bundle(weights = w, stride = 3, delay = 2)
  h -> h : bundle(weights = [[[0, 0], [0, 0]], [[0.5, 0.5], [1, 2]]])
  output y = h
}
"""


@pytest.fixture
def echoes(tmp_path: Path) -> NetworkOp:
    """Two bundles, one of them recurrent, with pruned levels and synapses."""
    (tmp_path / "echoes.snn").write_text(PROGRAM)
    return api.load(tmp_path / "echoes.snn").network


def test_a_summary_counts_what_is_left(echoes: NetworkOp) -> None:
    found = inventory(echoes)
    assert found["synapses"] == 4 + 4
    first, second = (each["ops"][-1] for each in found["populations"][0]["reads"])
    assert (first["kind"], first["synapses"], first["delay"], first["weights"]) == ("bundle", 4, [5, 11], "4x2x2xf64")
    assert (second["synapses"], second["delay"]) == (4, 1)
    text = "\n".join(inventory_lines(found, "echoes.snn"))
    assert "x: bundle 4x2x2xf64 delay 5..11, 4 synapses" in text
    assert "h: bundle 2x2x2xf64 delay 1, 4 synapses" in text


def test_crossbars_have_a_connection_for_each_level_that_is_left(echoes: NetworkOp) -> None:
    population = echoes.sources["h"]
    assert isinstance(population, NeuronOp)
    found = connections_of(population)
    kinds = [(c.source, c.delay, type(c.synapses), c.synapses.count) for c in found]
    assert kinds == [("x", 5, Listed, 3), ("x", 11, Listed, 1), ("h", 1, Dense, 4)]


@pytest.mark.parametrize("weights", ["float", "grid", "integer"])
@pytest.mark.parametrize("seed", range(8))
def test_connections_are_those_of_single_synapses(seed: int, weights: Weights) -> None:
    network = network_in(bundled_program(seed, weights))
    other = as_sparse(network)
    for name in "abc":
        blocks: list[dict[tuple[str, int], list[list[float]]]] = []
        biases: list[list[float]] = []
        for program in (network, other):
            op = program.sources[name]
            assert isinstance(op, NeuronOp)
            found: dict[tuple[str, int], np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {}
            for c in connections_of(op):
                assert not isinstance(c.synapses, Selected)
                block = c.synapses.block(np.arange(c.synapses.sources), np.arange(op.size)) * c.scale
                found[c.source, c.delay] = found.get((c.source, c.delay), 0.0) + block
            blocks.append({key: block.tolist() for key, block in found.items() if block.any()})
            total = np.zeros(op.size)
            for c in connections_of(op):
                total = total + c.bias
            biases.append(total.tolist())
        assert blocks[0] == blocks[1]
        assert biases[0] == biases[1]


def test_variants_move_all_levels(echoes: NetworkOp) -> None:
    """One step more for each way is the spikes of a program in which each level is one step later."""
    spikes = (np.random.default_rng(0).random((1, 40, 2)) < 0.3).astype(np.uint8)
    later = with_delay(echoes, "h", 1, recurrent=False)
    assert later is not None
    assert [delay_of(op) for op in bundles_of(later)] == [6, 2]
    assert [array_of(op).tolist() for op in bundles_of(later)] == [array_of(op).tolist() for op in bundles_of(echoes)]
    for op, other in zip(bundles_of(moved := echoes.clone()), bundles_of(later), strict=True):
        op.delay = other.delay
    same = [simulate(network_of(each), {"x": spikes})["h"] for each in (moved, later)]
    assert np.array_equal(same[0], same[1])
    assert same[0].any()
    # a preset that delays every connection by a step finds that these are late already
    changed = with_preset(echoes, "norse")
    assert changed is None or [delay_of(op) for op in bundles_of(changed)] == [5, 1]
