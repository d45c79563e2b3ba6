"""The `.nir` reader: what each node becomes, in which order, and what is said about what the file leaves open."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp, NameLoc

from snnir import tensors
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import DenseOp, FlattenOp, NetworkOp, NeuronOp, OutputOp, ScaleOp, WeightedOp, networks
from snnir.errors import SnnirError
from snnir.frontend import nir as nir_frontend
from snnir.frontend import snn as snn_frontend
from snnir.frontend.options import FrontendOptions

nir: Any = import_module("nir")
Read = Callable[..., ModuleOp]
Graph = tuple[dict[str, Any], list[tuple[str, str]]]
Make = Callable[..., Any]
Ends = tuple[Make, Make]


def network(module: ModuleOp) -> NetworkOp:
    """The only network of a module."""
    (found,) = networks(module)
    return found


def ops(module: ModuleOp) -> list[str]:
    """The ops of the only network, with their symbols."""
    found = network(module).body.block.ops
    return [
        op.name.removeprefix("snn.") + getattr(op.properties.get("sym_name"), "data", "").join("@ ") for op in found
    ]


def weighted(module: ModuleOp) -> list[WeightedOp]:
    """The projections in order."""
    return [op for op in network(module).body.block.ops if isinstance(op, WeightedOp)]


PROGRAM = """network net {
  dt = 1e-3
  weights = "w.safetensors"
  input a[2]
  population b[3] : lif(tau = 5e-3, r = 5.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  a -> b : dense(weights = "fc.weight", bias = "fc.bias")
  b -> b : dense(weights = "rec.weight", delay = 1)
  output o = b
}"""


def test_the_same_network_in_both_formats(read_nir: Read, read_snn: Read, graph: Callable[[], Graph]) -> None:
    """`.nir` and `.snn` give the same text."""
    assert str(read_nir(*graph())) == str(read_snn(PROGRAM))


@pytest.mark.parametrize("name", ["digits", "digits_recurrent"])
def test_the_samples_in_both_formats(samples: Path, name: str) -> None:
    """The shipped `.nir` files are the shipped programs."""
    folder = samples / "digits"
    if not (folder / f"{name}.nir").exists():
        pytest.skip("samples/digits is not trained")
    program = snn_frontend.read(folder / f"{name}.snn", FrontendOptions())
    platform = samples / "platforms" / "mesh2x2-128.toml"
    model = nir_frontend.read(folder / f"{name}.nir", FrontendOptions(steps=25, platform=platform))
    assert str(model) == str(program)


def test_text_is_parsed_back(read_nir: Read, graph: Callable[[], Graph], reparsed: Callable[[ModuleOp], str]) -> None:
    module = read_nir(*graph())
    module.verify()
    assert reparsed(module) == str(module)


def test_every_op_has_its_place_in_the_file(read_nir: Read, graph: Callable[[], Graph], tmp_path: Path) -> None:
    places = [op.location for op in network(read_nir(*graph())).body.block.ops]
    names = [place.desc.data.removeprefix(f"{tmp_path}/") for place in places if isinstance(place, NameLoc)]
    nodes = ["a", "fc", "rec", "b", "o"]
    assert names == [f"net.nir:/nodes/{node}" for node in nodes]


def test_notes(read_nir: Read, graph: Callable[[], Graph], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that is assumed is said."""
    read_nir(*graph())
    file = tmp_path / "net.nir"
    assert capsys.readouterr().err.splitlines() == [
        f"{file}: note: dt = 0.001 s is assumed: r = tau/dt in every LIF and CubaLIF node for dt = 0.001 s, "
        "as snnTorch exports them",
        f"{file}: note: snnTorch's files do not say whether a spike subtracts the threshold; if it does, pass "
        "--semantics snntorch_subtract",
        f"{file}: note: semantics nir are assumed: forward Euler, a spike when v > threshold, then v = v_reset; "
        "--semantics names others (nir, norse, snntorch, snntorch_subtract)",
        f"{file}:/nodes/rec: note: the connection b -> b closes a cycle; NIR states no delays, so it gets delay 1",
    ]


def test_no_notes_when_everything_is_said(
    read_nir: Read, graph: Callable[[], Graph], capsys: pytest.CaptureFixture[str]
) -> None:
    nodes, edges = graph()
    edges = [edge for edge in edges if "rec" not in edge]
    del nodes["rec"]
    read_nir(nodes, edges, dt=1e-3, semantics="nir")
    assert not capsys.readouterr().err
    read_nir(nodes, edges, dt=2e-3, semantics="nir")
    assert "note: --dt 0.002 is used, although r = tau/dt in every" in capsys.readouterr().err


def test_no_notes_beside_an_error(
    read_nir: Read, graph: Callable[[], Graph], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SnnirError):
        read_nir(*graph(), dt=1.0)
    assert not capsys.readouterr().err


def test_defaults_and_nodes_that_nothing_feeds_are_noted(
    read_nir: Read, graph: Callable[[], Graph], lif: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes, edges = graph()

    def remove(file: Any) -> None:
        del file["nodes/b/v_reset"]
        del file["nodes/fc/bias"]
        file["nodes/fc/bias"] = False

    module = read_nir({**nodes, "self": lif(2, v_leak=2.0)}, edges, remove)
    error = capsys.readouterr().err
    assert "/nodes/b: note: not in the file, NIR's default is used: v_reset = 0\n" in error
    assert "/nodes/self: note: nothing feeds this LIF node\n" in error
    assert "/nodes/fc/bias: note: bias = False is read as: no bias\n" in error
    assert all(op.bias is None for op in weighted(module))
    neuron = network(module).sources["b"]
    assert isinstance(neuron, NeuronOp)
    assert neuron.parameters["v_reset"] == 0.0


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("if", {"r": 2.0, "threshold": 1.5, "v_reset": -0.5}),
        ("lif", {"tau": 4e-3, "r": 4.0, "v_leak": 0.25, "threshold": 1.5, "v_reset": -0.5}),
        (
            "cuba_lif",
            {"tau_syn": 2e-3, "tau_mem": 4e-3, "r": 4.0, "v_leak": 0.1, "threshold": 1.5, "v_reset": 0.0, "w_in": 2.0},
        ),
    ],
)
def test_neurons(read_nir: Read, ends: Ends, model: str, parameters: dict[str, float]) -> None:
    """Uniform parameters are numbers, others tensors with the keys `<node>.<parameter>` that keep their type."""
    kind = {"if": nir.IF, "lif": nir.LIF, "cuba_lif": nir.CubaLIF}[model]
    for varied in (None, *parameters):
        given = {name: np.full(3, value) for name, value in parameters.items()}
        if varied is not None:
            given[varied] = (given[varied] + [0.0, 0.125, 0.25]).astype(np.float32)
        fields = {"v_threshold" if name == "threshold" else name: value for name, value in given.items()}
        nodes = {"a": ends[0](3), "w": nir.Scale(scale=np.ones(3)), "n": kind(**fields), "o": ends[1](3)}
        op = network(read_nir(nodes, [("a", "w"), ("w", "n"), ("n", "o")], dt=1e-3)).sources["n"]
        assert isinstance(op, NeuronOp)
        assert model == op.MODEL
        for name, value in op.parameters.items():
            if name != varied:
                assert value == parameters[name]
                continue
            attribute = op.properties[name]
            assert isinstance(attribute, TensorAttr)
            assert attribute.data.key == f"n.{name}"
            assert attribute.data.element == ("f64" if name == "w_in" else "f32")  # `nir` makes w_in float64
            assert np.array_equal(np.asarray(value), given[name])


def test_weights_keep_their_type(read_nir: Read, ends: Ends, lif: Make) -> None:
    """float32 and float64 stay; integers become float64, float16 becomes float32, both exactly."""
    for dtype, element in (("f4", "f32"), ("f8", "f64"), ("i1", "f64"), ("u2", "f64"), (">f4", "f32"), ("f2", "f32")):
        array = np.arange(6).reshape(3, 2).astype(dtype)
        nodes = {"a": ends[0](2), "w": nir.Linear(weight=array), "n": lif(3), "o": ends[1](3)}
        (dense,) = weighted(read_nir(nodes, [("a", "w"), ("w", "n"), ("n", "o")]))
        assert isinstance(dense.weights, TensorAttr)
        assert dense.weights.data.element == element
        assert dense.weights.data.key == "w.weight"
        assert np.array_equal(dense.weights.array, array)


def test_scale_flatten_and_direct_edges(read_nir: Read, ends: Ends, lif: Make) -> None:
    """Flatten is needed before a matrix and may stand on either side of a Scale; an edge alone has weight 1."""
    nodes = {
        "a": ends[0](2, 2),
        "s": nir.Scale(scale=np.array([[1.0, 2.0], [3.0, 4.0]])),
        "n": lif(4),
        "flat": nir.Flatten(input_type={"input": np.array([2, 2])}, start_dim=0),
        "flat2": nir.Flatten(input_type={"input": np.array([2, 2])}, start_dim=0, end_dim=1),
        "again": nir.Flatten(input_type={"input": np.array([4])}, start_dim=0),
        "w": nir.Linear(weight=np.ones((4, 4))),
        "half": nir.Scale(scale=np.full(4, 0.5)),
        "m": lif(4),
        "o": ends[1](4),
    }
    edges = [("a", "s"), ("s", "flat"), ("flat", "n"), ("a", "flat2"), ("flat2", "w"), ("w", "again"), ("again", "n")]
    edges += [("n", "m"), ("n", "half"), ("half", "m"), ("m", "o")]
    module = read_nir(nodes, edges)
    module.verify()
    assert ops(module) == [
        "input@a ", "flatten@ ", "scale@ ", "dense@ ", "lif@n ", "scale@ ", "scale@ ", "lif@m ", "output@o ",
    ]  # fmt: skip
    scale, dense, direct, half = weighted(module)
    assert isinstance(scale.source.owner, FlattenOp)
    assert dense.source is scale.source
    assert [str(op.weights) for op in (direct, half)] == ["1.000000e+00 : f64", "5.000000e-01 : f64"]
    assert isinstance(scale, ScaleOp)
    assert isinstance(scale.weights, TensorAttr)
    assert scale.weights.data.key == "s.scale"


def test_order_and_cycles(read_nir: Read, ends: Ends, lif: Make) -> None:
    """Populations in layers and by name; of a cycle the edge that leads back waits a step."""
    nodes: dict[str, Any] = {name: lif(1) for name in ("z", "y", "x", "late")}
    nodes.update({"in2": ends[0](1), "in1": ends[0](1), "out2": ends[1](1), "out1": ends[1](1)})
    edges = [("in1", "z"), ("in2", "y"), ("z", "x"), ("x", "late"), ("late", "z"), ("late", "late"), ("y", "late")]
    edges += [("late", "out1"), ("in1", "out2")]
    module = read_nir(nodes, edges)
    module.verify()
    names = [name for name in ops(module) if name != "scale@ "]
    expected = ["input@in1 ", "input@in2 ", "lif@y ", "lif@z ", "lif@x ", "lif@late ", "output@out1 ", "output@out2 "]
    assert names == expected
    found = [(op.source.name_hint, op.delay.data) for op in weighted(module)]
    assert found == [("in2", 0), ("in1", 0), ("late", 1), ("z", 0), ("y", 0), ("x", 0), ("late", 1)]


def test_a_weight_node_with_several_sources_and_targets(read_nir: Read, ends: Ends, lif: Make) -> None:
    """Sums come apart, W(s + t) + b = (W s + b) + W t: the bias counts once per target. Tensors are shared."""
    nodes = {
        "a": ends[0](2),
        "b": ends[0](2),
        "w": nir.Affine(weight=np.ones((2, 2)), bias=np.ones(2)),
        "m": lif(2),
        "n": lif(2),
        "o": ends[1](2),
    }
    edges = [("a", "w"), ("b", "w"), ("w", "m"), ("w", "n"), ("n", "o")]
    projections = weighted(read_nir(nodes, edges))
    assert [(op.source.name_hint, op.bias is not None) for op in projections] == [("a", True), ("b", False)] * 2
    assert len({id(op.weights.data) for op in projections if isinstance(op.weights, TensorAttr)}) == 1


def test_names_that_are_no_symbols(
    read_nir: Read, ends: Ends, lif: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are changed, differently for different names, and that is said."""
    nodes = {"0": ends[0](1), "n0": lif(1), "a b": lif(1), "a_b": lif(1), "lif1.lif": lif(1), "\u00e9": ends[1](1)}
    edges = [("0", "n0"), ("n0", "a b"), ("a b", "a_b"), ("a_b", "lif1.lif"), ("lif1.lif", "\u00e9")]
    module = read_nir(nodes, edges, name="2 nets.nir")
    module.verify()
    op = network(module)
    assert [op.sym_name.data, *op.sources, *op.outputs] == [
        "n2_nets", "n0_2", "n0", "a_b_2", "a_b", "lif1.lif", "_",
    ]  # fmt: skip
    assert (
        f"{tmp_path}/2 nets.nir: note: names that are no valid symbols were changed: '0' is n0_2, 'a b' is a_b_2, "
        "'\u00e9' is _\n"
    ) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("populations", "dt"),
    [
        ([{"tau": 4e-3, "r": 4.0}], 1e-3),
        ([{"tau": 4e-3, "r": 4.0}, {"tau": 7e-3, "r": 7.0}], 1e-3),
        ([{"tau": 4e-3, "r": 4.0}, {"tau": 1e-3, "r": 1.0}], 1e-3),
        ([{"tau": 2.5e-3, "r": 20.0}], 1.25e-4),
        ([{"tau": float(np.float32(2.22e-4)), "r": float(np.float32(2.22))}], 1e-4),
        ([{"tau": 4e-3, "r": 4.0}, {"tau": 7e-3, "r": 6.0}], None),
        ([{"tau": 2.5e-3, "r": 1.0}], None),
        ([{"tau": 2.5e-3, "r": 25.0 * np.exp(-0.04)}], None),
        ([{"tau": 4e-3, "r": [4.0, 5.0]}], None),
        ([{"tau": 4e-3, "r": -4.0}], None),
        ([{"tau": 4e-3, "r": 0.0}], None),
        ([], None),
    ],
)
def test_dt_is_inferred_only_from_evidence(
    read_nir: Read,
    ends: Ends,
    lif: Make,
    error_of: Callable[[Callable[[], object]], Exception],
    populations: list[dict[str, Any]],
    dt: float | None,
) -> None:
    """`r = tau/dt` for one round dt in every leaky population; 24.0197 is Rockpool's (tau/dt) exp(-dt/tau)."""
    nodes = {"a": ends[0](2), **{f"n{i}": lif(2, **each) for i, each in enumerate(populations)}}
    nodes["if"] = nir.IF(r=np.ones(2), v_threshold=np.ones(2), v_reset=np.zeros(2))
    edges = [("a", name) for name in nodes if name != "a"]
    if dt is None:
        assert "does not say how long a step is" in str(error_of(lambda: read_nir(nodes, edges)))
        assert network(read_nir(nodes, edges, dt=1e-4)).step_seconds == 1e-4
    else:
        assert network(read_nir(nodes, edges)).step_seconds == dt


@pytest.mark.parametrize(("w_in", "dt"), [(2.0, 1e-3), (1.0, None)])
def test_dt_of_cuba_lif_needs_the_synapse_too(
    read_nir: Read,
    ends: Ends,
    error_of: Callable[[Callable[[], object]], Exception],
    w_in: float,
    dt: float | None,
) -> None:
    values = {"tau_syn": 2e-3, "tau_mem": 4e-3, "r": 4.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    node = nir.CubaLIF(**{name: np.full(2, value) for name, value in values.items()}, w_in=np.full(2, w_in))
    nodes, edges = {"a": ends[0](2), "n": node}, [("a", "n")]
    if dt is None:
        assert "pass --dt" in str(error_of(lambda: read_nir(nodes, edges)))
    else:
        assert network(read_nir(nodes, edges)).step_seconds == dt


def test_options(read_nir: Read, graph: Callable[[], Graph], samples: Path) -> None:
    """Steps, semantics and the machine."""
    platform = samples / "platforms" / "mesh2x2-64.toml"
    module = read_nir(*graph(), steps=9, semantics="snntorch_subtract", platform=platform)
    op, machine = network(module), machine_of(module)
    assert op.steps is not None
    assert op.steps.data == 9
    neuron = op.sources["b"]
    assert isinstance(neuron, NeuronOp)
    assert neuron.semantics.data.reset == "subtract"
    assert machine is not None
    assert machine.name == "mesh2x2-64"


def test_arrays_of_compressed_and_plain_datasets_are_equal(read_nir: Read, graph: Callable[[], Graph]) -> None:
    """`nir` compresses by default; other writers do not."""

    def plain(file: Any) -> None:
        array = file["nodes/fc/weight"][()]
        del file["nodes/fc/weight"]
        file["nodes/fc/weight"] = array

    assert str(read_nir(*graph(), plain)) == str(read_nir(*graph()))


@pytest.mark.parametrize(("name", "hidden"), [("braille_bias_zero", 38), ("braille_nobias_subtract", 40)])
def test_published_recurrent_networks(shared_data: Path, name: str, hidden: int) -> None:
    """The Braille networks of the NIR paper: 12 inputs, recurrent hidden neurons, 7 outputs, 0.1 ms."""
    module = nir_frontend.read(shared_data / "nir" / "good" / f"{name}.nir", FrontendOptions())
    module.verify()
    op = network(module)
    assert op.step_seconds == 1e-4
    assert {key: source.results[0].type.size for key, source in op.sources.items()} == {  # pyright: ignore
        "input": 12, "lif1.lif": hidden, "lif2": 7,
    }  # fmt: skip
    fc1, recurrent, fc2 = weighted(module)
    assert [each.delay.data for each in (fc1, recurrent, fc2)] == [0, 1, 0]
    assert recurrent.source.name_hint == "lif1.lif"
    assert (recurrent.bias is None) == (name != "braille_bias_zero")
    assert all(isinstance(each, DenseOp) for each in (fc1, recurrent, fc2))
    (output,) = (each for each in op.body.block.ops if isinstance(each, OutputOp))
    assert output.signal.name_hint == "lif2"


@pytest.mark.parametrize("name", ["lif_norse", "two_lif_neurons"])
def test_published_small_networks(shared_data: Path, name: str) -> None:
    """They do not show their dt, and import when it is given."""
    module = nir_frontend.read(shared_data / "nir" / "good" / f"{name}.nir", FrontendOptions(dt=1e-4))
    module.verify()
    with tensors.elided():
        assert "snn.lif" in str(module)
