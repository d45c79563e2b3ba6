"""The same program with other semantics: what is changed, and what is left as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snnir import api
from snnir.dialects.snn import NetworkOp, NeuronOp, delay_of
from snnir.flow.compare import compare
from snnir.flow.variants import (
    signature,
    step_order,
    with_delay,
    with_fields,
    with_later_output,
    with_preset,
    with_recurrent_delay,
)
from snnir.semantics import PRESETS
from snnir.sim.entry import network_of
from snnir.sim.simulate import simulate
from snnir.tensors import write_safetensors

PROGRAM = """\
network loop {
  dt = 1 ms
  steps = 20
  weights = "w.safetensors"
  input x[4]
  population h[3] : lif(tau = 4 ms, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  population o[3] : li(tau = 4 ms, r = 4.0, v_leak = 0.0) using nir
  x -> h : dense(weights = "in")
  h -> h : dense(weights = "again", bias = "b", delay = 2)
  h -> o : dense(weights = "again")
  output y = o
}
"""


@pytest.fixture
def loop(tmp_path: Path) -> NetworkOp:
    """A recurrent population and one that emits its membrane."""
    rng = np.random.default_rng(0)
    arrays = {"in": rng.random((3, 4)), "again": rng.random((3, 3)), "b": rng.random(3)}
    write_safetensors(tmp_path / "w.safetensors", {key: array.astype("f4") for key, array in arrays.items()})
    (tmp_path / "loop.snn").write_text(PROGRAM)
    return api.load(tmp_path / "loop.snn").network


def semantics(network: NetworkOp | None) -> dict[str, dict[str, str]]:
    """How each population differs from `nir`."""
    assert network is not None
    network.verify()
    nir = PRESETS["nir"].semantics
    ops = network.sources.items()
    return {name: op.semantics.data.differences(nir) for name, op in ops if isinstance(op, NeuronOp)}


def delays(network: NetworkOp | None) -> list[int]:
    """The delays of all ops that have one, in the order of the program."""
    assert network is not None
    network.verify()
    return [delay_of(op) for op in network.body.block.ops if not isinstance(op, NeuronOp) and delay_of(op)]


def test_fields_go_where_they_have_a_meaning(loop: NetworkOp) -> None:
    before = signature(loop)
    assert semantics(with_fields(loop, {"reset": "subtract"})) == {"h": {"reset": "subtract"}, "o": {}}
    assert semantics(with_fields(loop, {"decay": "exp"})) == {"h": {"decay": "exp"}, "o": {"decay": "exp"}}
    assert semantics(with_fields(loop, {"decay": "exp"}, "o")) == {"h": {}, "o": {"decay": "exp"}}
    assert with_fields(loop, {"reset": "value"}) is None
    assert with_fields(loop, {"decay": "int12"}) is None
    assert signature(loop) == before


def test_spikes_leave_later(loop: NetworkOp) -> None:
    late = with_later_output(loop, 1)
    assert semantics(late) == {"h": {"out_delay": "1"}, "o": {}}
    assert late is not None
    assert signature(with_later_output(late, -1) or late) == signature(loop)
    assert with_later_output(loop, -1) is None


def test_delays_of_projections(loop: NetworkOp) -> None:
    assert delays(loop) == [2]
    assert delays(with_delay(loop, "h", 1, recurrent=False)) == [1, 3]
    assert delays(with_delay(loop, "h", 1, recurrent=True)) == [3]
    assert delays(with_recurrent_delay(loop, -1)) == [1]
    assert with_delay(loop, "h", -1, recurrent=False) is None
    assert with_delay(loop, "h", -2, recurrent=True) is None
    assert with_delay(loop, "o", 1, recurrent=True) is None
    assert delays(with_delay(loop, "o", 3, recurrent=False)) == [2, 3]


def test_presets_delay_what_they_delay(loop: NetworkOp) -> None:
    assert delays(with_preset(loop, "spinnaker2")) == [1, 2, 1]
    assert semantics(with_preset(loop, "spyx", "value"))["h"] == {"out_delay": "1"}
    late = with_preset(loop, "norse")
    assert late is not None
    assert [op.name for op in late.body.block.ops if delay_of(op)] == ["snn.delay"]
    assert signature(late) != signature(loop)


def test_order_within_a_step(loop: NetworkOp) -> None:
    order = step_order(loop)
    assert sorted(order) == ["h", "o", "x", "y"]
    assert order.index("x") < order.index("h") < order.index("o") < order.index("y")


@pytest.mark.parametrize("preset", ["norse", "spinnaker2", "sinabs", "nest"])
def test_what_the_reader_of_a_file_does(samples: Path, preset: str) -> None:
    """Where nothing but the least delay of connections is decided, both ways lead to the same spikes."""
    path = samples / "digits" / "digits_recurrent.nir"
    net = api.load(path, dt=1e-3, semantics="nir")
    data = net.data(samples / "digits" / "test_spikes.npz", samples=4).signals
    ours = with_preset(net.network, preset)
    theirs = api.load(path, dt=1e-3, semantics=preset).network
    assert ours is not None
    runs = [simulate(network_of(each), data) for each in (ours, theirs, net.network)]
    assert compare(runs[1], runs[0]).different == 0
    assert preset == "norse" or compare(runs[2], runs[0]).different > 0
