"""Cycles, delays, nested graphs and odd names: the structure of NIR graphs, checked by running them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nir_files import (
    DT,
    Edges,
    Floats,
    chain,
    filled,
    h5py,
    lif,
    network,
    nir,
    pairs,
    rain,
    read,
    run,
    sink,
    source,
    spiking,
    written,
)
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.snn import DelayOp, NeuronOp, WeightedOp
from snnir.frontend.nir.cycles import closing_edges, readers_of
from snnir.semantics import PRESETS

STEPS = 20


def timing(module: ModuleOp) -> dict[str, int]:
    """Every delay of a network by the name of its signal."""
    found: dict[str, int] = {}
    for op in network(module).body.block.ops:
        if isinstance(op, WeightedOp) and op.delay.data:
            found[op.current.name_hint or ""] = op.delay.data
        elif isinstance(op, DelayOp):
            found[op.late.name_hint or ""] = op.least
    return found


def recurrent(bias: float = 0.25) -> tuple[dict[str, Any], Edges]:
    """2 -> 3 neurons with a recurrent Affine."""
    generator = np.random.default_rng(3)
    nodes = {
        "a": source(2),
        "fc": nir.Linear(weight=generator.integers(-2, 4, (3, 2)) / 2),
        "rec": nir.Affine(weight=generator.integers(-2, 3, (3, 3)) / 4, bias=np.full(3, bias)),
        "n": spiking(3),
        "o": sink(3),
    }
    return nodes, [("a", "fc"), ("fc", "n"), ("n", "rec"), ("rec", "n"), ("n", "o")]


def by_hand(nodes: dict[str, Any], x: Any, late_bias: bool, connection: int) -> Floats:
    """The recurrent network of IF neurons, spike by spike."""
    fc, rec = nodes["fc"].weight, nodes["rec"]
    v, out = np.zeros(3), np.zeros((len(x), 3))
    for t in range(len(x)):
        current = fc @ x[t - connection] if t >= connection else np.zeros(3)
        current = current + (rec.weight @ out[t - 1] if t else 0)
        v = v + current + (0 if late_bias and t == 0 else rec.bias)
        out[t] = v > 1
        v = np.where(out[t], 0.0, v)
    return out


@pytest.mark.parametrize(
    ("semantics", "delays", "late_bias", "connection"),
    [
        ("nir", {"rec": 1}, False, 0),
        ("snntorch", {"rec": 1}, False, 0),
        ("norse", {"rec_late": 1}, True, 0),
    ],
)
def test_a_recurrent_matrix(
    tmp_path: Path, semantics: str, delays: dict[str, int], late_bias: bool, connection: int
) -> None:
    """Its spikes wait a step and its bias does not; under `norse` the bias waits as well."""
    nodes, edges = recurrent()
    path = written(tmp_path / "net.nir", nodes, edges)
    assert timing(read(path, semantics=semantics)) == delays
    x = rain(1, STEPS, 2)
    np.testing.assert_array_equal(
        run(path, {"a": x}, semantics=semantics)["o"], by_hand(nodes, x, late_bias, connection)
    )


def test_platforms_that_delay_everything(tmp_path: Path) -> None:
    """`spinnaker2`: each connection takes one step, and a cycle none beyond it. `spyx`: spikes leave late instead."""
    nodes, edges = recurrent()
    path = written(tmp_path / "net.nir", nodes, edges)
    assert timing(read(path, semantics="spinnaker2")) == {"fc": 1, "rec": 1}
    assert not timing(read(path, semantics="spyx"))
    assert PRESETS["spyx"].semantics.out_delay == 1
    x = rain(1, STEPS, 2)
    nodes["rec"].bias[:] = 0
    path = written(tmp_path / "net.nir", nodes, edges)
    module = read(path, semantics="spinnaker2")
    neuron = network(module).sources["n"]
    assert isinstance(neuron, NeuronOp)
    assert neuron.semantics.data.weights == "trunc8"
    exact = by_hand(nodes, x, False, 1)
    spikes = run(path, {"a": x}, semantics="spinnaker2")["o"]
    assert (spikes != exact).mean() < 0.2


def test_platforms_that_delay_everything_delay_a_way_once(tmp_path: Path) -> None:
    """Through a pool, two matrices and a direct edge: one step on each way, at the first weights or at the end."""
    nodes = {
        "a": source(1, 2, 2),
        "p": nir.SumPool2d(kernel_size=np.array([1, 1]), stride=np.array([1, 1]), padding=np.array([0, 0])),
        "f": nir.Flatten(input_type={"input": np.array([1, 2, 2])}, start_dim=0),
        "w": nir.Linear(weight=np.eye(4)),
        "v": nir.Linear(weight=np.eye(4)),
        "n": spiking(4, v_threshold=0.5),
        "o": sink(4),
        "s": nir.Scale(scale=np.arange(4.0)),
        "d": nir.Delay(delay=np.full(4, 2e-3)),
    }
    edges = [*chain("a", "p", "f", "w", "v", "n", "o"), ("f", "n"), ("f", "v"), *chain("f", "d", "s", "n")]
    path = written(tmp_path / "net.nir", nodes, edges)
    assert timing(read(path, semantics="nest", dt=DT)) == {"w": 1, "f_late": 1, "d": 2}
    x = rain(2, STEPS, 1, 2, 2)
    spikes = run(path, {"a": x}, semantics="nest", dt=DT)["o"]
    flat = x.reshape(STEPS, 4).astype(float)

    def late(steps: int) -> Floats:
        return np.concatenate([np.zeros((steps, 4)), flat[: STEPS - steps]])

    np.testing.assert_array_equal(spikes, 3 * late(1) + np.arange(4) * late(2) >= 0.5)


def test_a_delay_node_opens_a_cycle(tmp_path: Path) -> None:
    """A Delay of at least a step in each element is delay enough; one of zero is not."""
    nodes, edges = recurrent()
    edges = [edge for edge in edges if edge != ("n", "rec")] + [("n", "d"), ("d", "rec")]
    nodes["d"] = nir.Delay(delay=np.array([1e-3, 2e-3, 1e-3]))
    assert timing(read(written(tmp_path / "net.nir", nodes, edges), dt=DT)) == {"d": 1}
    nodes["d"] = nir.Delay(delay=np.array([1e-3, 0.0, 1e-3]))
    assert timing(read(written(tmp_path / "net.nir", nodes, edges), dt=DT)) == {"d": 0, "n_late": 1}


def test_a_cycle_through_a_leaky_integrator(tmp_path: Path) -> None:
    """As in Nengo's networks: spikes -> matrix -> LI -> matrix -> spikes. The spikes wait."""
    w, u = np.array([[0.5, -1.0], [1.0, 0.5], [0.25, 1.5]]), np.array([[1.0, -0.5, 0.5], [0.5, 1.0, -1.0]])
    nodes = {
        "a": source(2),
        "n": spiking(2),
        "down": nir.Linear(weight=w),
        "li": filled(nir.LI, (3,), tau=4e-3, r=1.0, v_leak=0.0),
        "up": nir.Linear(weight=u),
        "o": sink(2),
    }
    edges = [("a", "n"), *chain("n", "down", "li", "up", "n"), ("n", "o")]
    path = written(tmp_path / "net.nir", nodes, edges)
    assert timing(read(path, dt=DT)) == {"up": 1}
    x = rain(4, STEPS, 2, rate=0.5)
    v, li, up, expected = np.zeros(2), np.zeros(3), np.zeros(2), np.zeros((STEPS, 2))
    for t in range(STEPS):
        v = v + x[t] + up
        expected[t] = v > 1
        v = np.where(expected[t], 0, v)
        li = li + 0.25 * (w @ expected[t] - li)
        up = u @ li
    np.testing.assert_array_equal(run(path, {"a": x}, dt=DT)["o"], expected)
    assert expected.any()


def test_what_does_not_belong_to_a_cycle_is_not_delayed(tmp_path: Path) -> None:
    """A matrix that sums a cycle and something else; a recurrent Affine that others read too gets a late twin."""
    w = np.array([[0.5, -0.25], [0.75, 0.5]])
    nodes = {
        "a": source(2),
        "b": source(2),
        "w": nir.Affine(weight=w, bias=np.array([0.125, 0.25])),
        "n": spiking(2),
        "m": spiking(2),
        "o": sink(2),
    }
    x, y = rain(5, STEPS, 2), rain(6, STEPS, 2)
    edges = [("a", "n"), ("b", "w"), ("n", "w"), ("w", "n"), ("n", "o")]
    path = written(tmp_path / "net.nir", {k: v for k, v in nodes.items() if k != "m"}, edges)
    assert timing(read(path)) == {"n_late": 1}
    v, out = np.zeros(2), np.zeros((STEPS + 1, 2))
    for t in range(STEPS):
        v = v + x[t] + w @ (y[t] + out[t - 1]) + nodes["w"].bias
        out[t] = v > 1
        v = np.where(out[t], 0, v)
    np.testing.assert_array_equal(run(path, {"a": x, "b": y})["o"], out[:-1])
    edges = [("a", "n"), ("n", "w"), ("w", "n"), ("w", "m"), ("m", "o")]
    path = written(tmp_path / "net.nir", {k: v for k, v in nodes.items() if k != "b"}, edges)
    module = read(path)
    assert timing(module) == {"w": 1}
    assert sum(isinstance(op, WeightedOp) and op.bias is not None for op in network(module).body.block.ops) == 2
    v, u, n, m = np.zeros(2), np.zeros(2), np.zeros((STEPS + 1, 2)), np.zeros((STEPS, 2))
    for t in range(STEPS):
        v = v + x[t] + w @ n[t - 1] + nodes["w"].bias
        n[t] = v > 1
        v = np.where(n[t], 0, v)
        u = u + w @ n[t] + nodes["w"].bias
        m[t] = u > 1
        u = np.where(m[t], 0, u)
    np.testing.assert_array_equal(run(path, {"a": x})["o"], m)


def test_a_cycle_without_neurons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A linear recurrence: y[t] = W (x[t] + s * y[t-1])."""
    w = np.array([[0.5, 0.25], [-0.5, 1.0]])
    nodes = {"a": source(2), "w": nir.Linear(weight=w), "s": nir.Scale(scale=np.array([0.5, 0.75])), "o": sink(2)}
    path = written(tmp_path / "net.nir", nodes, [("a", "w"), ("w", "s"), ("s", "w"), ("w", "o")])
    x = rain(7, STEPS, 2)
    found = run(path, {"a": x})["o"]
    assert "/nodes/w: note: a cycle without neurons is closed here" in capsys.readouterr().err
    y, expected = np.zeros(2), np.zeros((STEPS, 2))
    for t in range(STEPS):
        expected[t] = y = w @ (x[t] + nodes["s"].scale * y)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_random_graph_is_opened(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever the edges are, under every preset: the network is verified, which refuses cycles without delay."""
    kinds = data.draw(st.lists(st.sampled_from("nlwsd"), min_size=1, max_size=7))
    make = {
        "n": lambda: spiking(2),
        "l": lambda: filled(nir.LI, (2,), tau=4e-3, r=1.0, v_leak=0.0),
        "w": lambda: nir.Affine(weight=np.eye(2), bias=np.ones(2)),
        "s": lambda: nir.Scale(scale=np.ones(2)),
        "d": lambda: nir.Delay(delay=np.array([1e-3, 2e-3])),
    }
    names = [f"{kind}{number}" for number, kind in enumerate(kinds)]
    nodes = {"a": source(2), "o": sink(2), **{name: make[name[0]]() for name in names}}
    inner = st.tuples(st.sampled_from(["a", *names]), st.sampled_from([*names, "o"]))
    edges = data.draw(st.sets(inner, max_size=16)) | {("a", names[0]), (names[-1], "o")}
    edges |= {(name, "o") for name in names} | {("a", name) for name in names}
    semantics = data.draw(st.sampled_from(["nir", "norse", "spyx", "spinnaker2", "nest"]))
    path = written(tmp_path / "net.nir", nodes, sorted(edges))
    assert run(path, {"a": rain(8, 4, 2)}, dt=DT, semantics=semantics)["o"].shape == (4, 2)


@given(edges=st.sets(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), max_size=14))
def test_closing_edges_close_all_cycles(edges: set[tuple[str, str]]) -> None:
    """Without them the rest can be sorted; each of them lies on a cycle."""
    into = {name: sorted(s for s, t in edges if t == name) for name in "abcde"}
    closing = closing_edges(into, ["a"])
    rest = {name: [s for s in sources if (s, name) not in closing] for name, sources in into.items()}
    done: set[str] = set()
    for _ in range(5):
        done |= {name for name, sources in rest.items() if set(sources) <= done}
    assert done == set("abcde")
    out = readers_of(into)
    for start, end in closing:
        seen, waiting = {end}, [end]
        while waiting:
            new = set(out[waiting.pop()]) - seen
            seen |= new
            waiting += new
        assert start in seen


def test_nested_graphs(tmp_path: Path) -> None:
    """Three levels, a recurrent one among them, run as the flat network does."""
    nodes, edges = recurrent()
    innermost = ({"in": source(3), "n": nodes["n"], "rec": nodes["rec"], "out": sink(3)},
                 [("in", "n"), ("n", "rec"), ("rec", "n"), ("n", "out")])  # fmt: skip
    middle = ({"x": source(3), "core": innermost, "y": sink(3)}, chain("x", "core", "y"))
    outer = {"a": source(2), "fc": nodes["fc"], "block": middle, "o": sink(3)}
    nested = written(tmp_path / "nested.nir", outer, chain("a", "fc", "block", "o"))
    flat = written(tmp_path / "flat.nir", nodes, edges)
    x = rain(9, STEPS, 2)
    np.testing.assert_array_equal(run(nested, {"a": x})["o"], run(flat, {"a": x})["o"])
    module = read(nested)
    assert set(network(module).sources) == {"a", "block.core.n"}
    (place,) = (str(op.location) for op in network(module).body.block.ops if isinstance(op, NeuronOp))
    assert "nested.nir:/nodes/block/nodes/core/nodes/n" in place


def test_deep_nesting(tmp_path: Path) -> None:
    """Graphs inside each other."""
    inside: tuple[dict[str, Any], Edges] = ({"i": source(2), "n": spiking(2), "o": sink(2)}, chain("i", "n", "o"))
    for _ in range(12):
        inside = ({"i": source(2), "g": inside, "o": sink(2)}, chain("i", "g", "o"))
    path = written(tmp_path / "net.nir", *inside)
    assert list(network(read(path)).sources) == ["i", "g." * 12 + "n"]


def test_graphs_with_several_inputs(tmp_path: Path) -> None:
    """An edge may name the Input that it means."""
    members = {"i": source(2), "j": source(2), "s": nir.Scale(scale=np.array([2.0, 3.0])), "n": spiking(2)}
    inner = ({**members, "o": sink(2)}, [("i", "s"), ("s", "n"), ("j", "n"), ("n", "o")])
    nodes = {"a": source(2), "b": source(2), "g": inner, "o": sink(2)}
    edges = [("a", "g.i"), ("b", "g/j"), ("g", "o")]
    x, y = rain(11, STEPS, 2), rain(12, STEPS, 2)
    found = run(written(tmp_path / "net.nir", nodes, edges), {"a": x, "b": y})["o"]
    v, expected = np.zeros(2), np.zeros((STEPS, 2))
    for t in range(STEPS):
        v = v + x[t] * [2.0, 3.0] + y[t]
        expected[t] = v > 1
        v = np.where(expected[t], 0, v)
    np.testing.assert_array_equal(found, expected)


def test_names_with_slashes_and_dots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """HDF5 nests groups where a name has a `/`; `nir` cannot read such files back."""
    nodes = {"in/put": source(2), "b/n": spiking(2), "b/w.1": nir.Linear(weight=np.eye(2) * 2), "o//x": sink(2)}
    path = written(tmp_path / "net.nir", nodes, [])
    with h5py.File(path, "r+") as file:
        group = file["node/nodes"]
        file.copy(group["b/n"], group, "m")
        file.move("node/nodes/m", "node/nodes/b/w.1/m")
        for name, values in [("type", "Scale"), ("scale", np.ones(2))]:
            group["b"][name] = values
        del file["node/edges"]
        file["node/edges"] = pairs(*chain("in/put", "b/n", "b/w.1", "b/w.1/m", "b", "o//x"))
    module = read(path)
    assert list(network(module).sources) == ["in_put", "b_n", "b_w.1_m"]
    assert "names that are no valid symbols were changed: 'b/n' is b_n, " in capsys.readouterr().err
    places = [str(op.location) for op in network(module).body.block.ops]
    assert any("net.nir:/nodes/b/w.1/m" in place for place in places)


def test_names_that_collide(tmp_path: Path) -> None:
    """A node `g.n` beside a graph `g` that has a node `n`."""
    inner = ({"i": source(2), "n": spiking(2), "o": sink(2)}, chain("i", "n", "o"))
    nodes = {"a": source(2), "g": inner, "g.n": lif(2), "o": sink(2)}
    path = written(tmp_path / "net.nir", nodes, chain("a", "g", "g.n", "o"))
    assert list(network(read(path)).sources) == ["a", "g.n_2", "g.n"]


def test_what_is_left_of_flattened_graphs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """nirtorch wrote nested Inputs and Outputs into the outermost graph: they pass their signals on."""
    nodes, edges = recurrent()
    renamed = {"fc": "fc", "a": "a", "o": "o", "n": "l.lif", "rec": "l.w_rec"}
    flat = {renamed[name]: node for name, node in nodes.items()} | {"l.input": source(3), "l.output": sink(3)}
    kept = [(renamed[s], renamed[t]) for s, t in edges if (s, t) not in (("fc", "n"), ("n", "o"))]
    kept += [("fc", "l.input"), ("l.input", "l.lif"), ("l.lif", "l.output"), ("l.output", "o")]
    path = written(tmp_path / "net.nir", flat, kept)
    x = rain(13, STEPS, 2)
    found = run(path, {"a": x})
    assert "/nodes/l.input: note: this is left of a nested graph; it passes its signal on" in capsys.readouterr().err
    plain = run(written(tmp_path / "plain.nir", nodes, edges), {"a": x})
    assert list(found) == list(plain) == ["o"]
    np.testing.assert_array_equal(found["o"], plain["o"])
