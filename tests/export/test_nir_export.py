"""`.nir` files are written as they were read, and other networks node by node."""

from __future__ import annotations

import time
from io import StringIO
from pathlib import Path
from typing import Any

import nir as _package  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, FloatAttr, ModuleOp
from xdsl.parser import Parser
from xdsl.printer import Printer

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    SNN,
    AddOp,
    Conv2dOp,
    ConvOp,
    DenseOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SliceOp,
    networks,
)
from snnir.errors import SnnirError
from snnir.export.nir.graph import Graph
from snnir.export.nir.values import product
from snnir.frontend.build import build
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn
from snnir.indices import Indices
from snnir.passes.snn.quantize import SNNQuantize
from snnir.sim import simulate
from snnir.sim.entry import network_of
from tests.export.nir_files import contents, ends, field, h5py, lif, line, network_in, node, save, written
from tests.export.random_networks import Random
from tests.general_networks import FEATURES, general_program
from tests.networks import run_passes

package: Any = _package
GOOD = (
    "braille_bias_zero",
    "braille_bias_zero_subgraph",
    "braille_nobias_subtract",
    "cnn_sinabs",
    "feedback_graph",
    "lif_norse",
    "two_lif_neurons",
)


def reparsed(network: NetworkOp) -> NetworkOp:
    """A network after its text has been printed and parsed."""
    text = StringIO()
    module = network.parent_op()
    assert module is not None
    Printer(text).print_op(module)
    context = Context()
    context.load_dialect(Builtin)
    context.load_dialect(SNN)
    (result,) = networks(Parser(context, text.getvalue()).parse_module())
    return result


def small(semantics: str = "nir") -> dict[str, Any]:
    """Options for files that do not say how long a step is."""
    return {"dt": 1e-3, "semantics": semantics}


@pytest.mark.parametrize("name", GOOD)
def test_real_files_come_back_byte_for_byte(shared_data: Path, tmp_path: Path, name: str) -> None:
    path = shared_data / "nir" / "good" / f"{name}.nir"
    network = network_in(path, dt=None if name[0] in "bc" else 1e-4)
    for step, each in enumerate((network, reparsed(network))):
        notes = written(each, tmp_path / f"{step}.nir")
        assert contents(tmp_path / f"{step}.nir") == contents(path)
        assert any("how long a step is" in line for line in notes)
    assert (tmp_path / "0.nir").read_bytes() == (tmp_path / "1.nir").read_bytes()


@pytest.mark.parametrize("semantics", ["norse", "spyx", "spinnaker2", "nest"])
@pytest.mark.parametrize("name", ["braille_bias_zero", "feedback_graph"])
def test_delays_that_only_the_reader_added_are_not_written(
    shared_data: Path, tmp_path: Path, name: str, semantics: str
) -> None:
    path = shared_data / "nir" / "good" / f"{name}.nir"
    network = network_in(path, dt=1e-4, semantics=semantics)
    notes = written(network, tmp_path / "a.nir")
    assert contents(tmp_path / "a.nir") == contents(path)
    said = any("not in a .nir file: " in line for line in notes)
    assert said == (semantics != "norse")


def test_equal_networks_are_equal_bytes_at_any_time(shared_data: Path, tmp_path: Path) -> None:
    network = network_in(shared_data / "nir" / "good" / "cnn_sinabs.nir")
    written(network, tmp_path / "a.nir")
    time.sleep(1.1)
    written(network, tmp_path / "b.nir")
    assert (tmp_path / "a.nir").read_bytes() == (tmp_path / "b.nir").read_bytes()


def test_names_types_and_odd_forms_of_fields_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    conv = {
        "weight": rng.normal(size=(4, 1, 3, 3)).astype("f4"),
        "bias": field(1, 2, 3, 4, dtype="f8"),
        "input_shape": field(6, 6),
        "stride": field(1, dtype="i4", shape=()),
        "padding": "same",
        "dilation": field(1),
        "groups": field(2, shape=()),
    }
    nodes = [
        *ends((2, 6, 6), (5,)),
        node("0", "Conv2d", **conv),
        node("a/b.c d", "IF", r=np.ones((4, 6, 6), "f2"), v_threshold=np.ones((4, 6, 6), "i8")),
        node("pool", "AvgPool2d", kernel_size=field(2, 2), stride=field(2), padding=field(0, shape=())),
        node("flat", "Flatten", start_dim=field(0, shape=()), end_dim=field(2, shape=()), input_type=field(4, 3, 3)),
        node("nothing", "Flatten", start_dim=field(0, shape=()), end_dim=field(-1, shape=())),
        node("fc", "Affine", weight=rng.integers(-3, 3, (5, 36)), bias=np.arange(5, dtype="i2")),
        node("wait", "Delay", delay=np.full(5, 0.002, "f4")),
        node("cuba é", "CubaLIF", **cuba(5)),
    ]
    nodes[-1].metadata = {"author": "ä", "rate": np.array(0.5), "deep": {"list": np.arange(3)}}
    names = ("input", "0", "a/b.c d", "pool", "flat", "nothing", "fc", "wait", "cuba é", "output")
    path = save(tmp_path / "a.nir", nodes, line(*names))
    network = network_in(path, **small())
    written(reparsed(network), tmp_path / "b.nir")
    assert contents(tmp_path / "b.nir") == contents(path)


def cuba(size: int) -> dict[str, Any]:
    """A CubaLIF whose w_in is one number, as norse writes it."""
    ones = np.ones(size)
    fields = dict.fromkeys(("tau_mem", "tau_syn"), 0.02 * ones)
    return {**fields, "r": ones, "v_leak": 0 * ones, "v_threshold": ones, "w_in": field(1.5, dtype="f4", shape=())}


def test_a_matrix_for_each_row_comes_back(tmp_path: Path) -> None:
    weight = np.random.default_rng(1).normal(size=(3, 4, 2)).astype("f4")
    nodes = [*ends((3, 2), (3, 4)), node("w", "Linear", weight=weight), lif("n", (3, 4), "f4")]
    path = save(tmp_path / "a.nir", nodes, line("input", "w", "n", "output"))
    written(network_in(path, **small()), tmp_path / "b.nir")
    assert contents(tmp_path / "b.nir") == contents(path)


def test_resistances_per_second_come_back(tmp_path: Path) -> None:
    fields = {"r": np.full(3, 1e4), "v_threshold": np.ones(3), "v_reset": np.zeros(3)}
    nodes = [*ends((3,), (3,)), node("n", "IF", **fields)]
    path = save(tmp_path / "a.nir", nodes, line("input", "n", "output"))
    network = network_in(path)
    written(network, tmp_path / "b.nir")
    assert network.step_seconds == 1e-4
    assert contents(tmp_path / "b.nir") == contents(path)


def nested(tmp_path: Path) -> Path:
    """A file with graphs in a graph in a graph."""
    inner = Graph(
        {each.name: each for each in [*ends((4,), (4,)), lif("input.lif", (4,))]},
        {},
        line("input", "input.lif", "output"),
    )
    weight = np.eye(4, dtype="f4")
    middle = Graph(
        {each.name: each for each in [*ends((4,), (4,)), node("w", "Linear", weight=weight)]},
        {"inner": inner},
        [*line("input", "inner", "output"), *line("inner", "w", "inner")],
    )
    nodes = [*ends((4,), (4,)), node("w", "Linear", weight=2 * weight)]
    return save(tmp_path / "a.nir", nodes, line("input", "w", "middle", "output"), {"middle": middle})


def test_nested_graphs_come_back(tmp_path: Path) -> None:
    path = nested(tmp_path)
    written(network_in(path, **small()), tmp_path / "b.nir")
    assert contents(tmp_path / "b.nir") == contents(path)


def test_changed_weights_are_written_into_the_old_structure(tmp_path: Path) -> None:
    path = nested(tmp_path)
    network = network_in(path, **small())
    (op,) = (op for op in network.body.block.ops if isinstance(op, DenseOp) and op.weights.array[0, 0] == 2)  # pyright: ignore
    op.weights = TensorAttr.of("w.weight", np.full((4, 4), 0.1))
    written(network, tmp_path / "b.nir")
    before, after = contents(path), contents(tmp_path / "b.nir")
    changed = [key for key in before | after if before.get(key) != after.get(key)]
    assert changed == ["node/nodes/w/weight"]
    assert after[changed[0]] == ((4, 4), "float64", np.full((4, 4), 0.1).tobytes())


def test_a_changed_network_is_written_flat(tmp_path: Path) -> None:
    network = network_in(nested(tmp_path), **small())
    block = network.body.block
    population = next(op for op in block.ops if isinstance(op, NeuronOp))
    block.add_op(OutputOp("more", population.signal))
    notes = written(network, tmp_path / "b.nir")
    assert any("without nested graphs" in line for line in notes)
    names = {key.split("/")[2] for key in contents(tmp_path / "b.nir") if key.startswith("node/nodes/")}
    assert names == {"input", "output", "more", "w", "middle.inner.input.lif", "middle.w"}


def test_a_flatten_that_two_nodes_share_in_the_network_comes_back_twice(tmp_path: Path) -> None:
    flat = {"start_dim": field(0, shape=()), "end_dim": field(-1, shape=()), "input_type": field(2, 2)}
    matrices = [node(name, "Linear", weight=np.eye(4, dtype="f4") * n) for n, name in enumerate(("v", "w"), 1)]
    nodes = [*ends((2, 2), (4,)), node("f", "Flatten", **flat), node("g", "Flatten", **flat), *matrices, lif("n", (4,))]
    edges = [*line("input", "f", "v", "n", "output"), *line("input", "g", "w", "n")]
    path = save(tmp_path / "a.nir", nodes, edges)
    network = network_in(path, **small())
    assert sum(isinstance(op, FlattenOp) for op in network.body.block.ops) == 1
    written(network, tmp_path / "b.nir")
    assert contents(tmp_path / "b.nir") == contents(path)


def test_a_projection_that_is_late_for_one_reader_alone_comes_back_once(tmp_path: Path) -> None:
    weight = node("w", "Affine", weight=np.eye(3, dtype="f4"), bias=np.ones(3, "f4"))
    nodes = [*ends((3,), (3,)), weight, lif("n", (3,)), lif("m", (3,))]
    path = save(tmp_path / "a.nir", nodes, [*line("input", "n", "w", "n"), *line("w", "m", "output")])
    network = network_in(path, **small())
    assert sum(isinstance(op, DenseOp) for op in network.body.block.ops) == 2
    written(network, tmp_path / "b.nir")
    assert contents(tmp_path / "b.nir") == contents(path)


# -- networks from elsewhere -------------------------------------------------------------------------------------------


def is_known_defect(path: Path, network: NetworkOp) -> bool:
    """Whether nir 1.0.8 infers wrong shapes: groups, kernels that are no squares, matrices on the last dimension."""
    with h5py.File(path, "r") as file:
        for each in file["node/nodes"].values():
            kind = each["type"][()]
            if kind.startswith(b"Conv") and each["groups"][()] > 1:
                return True
            if kind == b"Conv2d" and len(set(each["weight"].shape[2:])) > 1:
                return True
    return any(isinstance(op, DenseOp) and len(op.current_type.shape.data) > 1 for op in network.body.block.ops)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_networks_spike_alike(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng, path = np.random.default_rng(seed), tmp_path_factory.mktemp("nir") / "a.nir"
    (network,) = networks(build(Random(rng, "nir").network()))
    try:
        written(network, path)
    except SnnirError as error:
        assert "NIR has no way to get them from a flat signal" in error.message
        return
    check_spikes(network, path, rng)


@pytest.mark.parametrize("seed", range(25))
def test_general_networks_spike_alike(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    (network,) = networks(general_program(rng, FEATURES - {"real"}))
    semantics = [op.semantics.data for op in network.body.block.ops if isinstance(op, NeuronOp)]
    try:
        written(network, tmp_path / "a.nir")
    except SnnirError as error:
        assert "NIR has no" in error.message  # two synapses, max_pool, dimensions of a flat signal
        return
    if all(each.weights == "exact" for each in semantics):  # rounding looks at single weights, which NIR adds up
        check_spikes(network, tmp_path / "a.nir", rng)


def check_spikes(network: NetworkOp, path: Path, rng: np.random.Generator) -> None:
    """The network of a file must spike like the one that was written, with its semantics."""
    back = network_in(path, **small())
    if not is_known_defect(path, back):
        package.read(path)
    semantics = {op.sym_name.data: op.semantics for op in network.body.block.ops if isinstance(op, NeuronOp)}
    for op in back.body.block.ops:
        if isinstance(op, NeuronOp):
            op.semantics = semantics.pop(op.sym_name.data)
    assert all(
        not op.inputs for op in network.body.block.ops if isinstance(op, NeuronOp) and op.sym_name.data in semantics
    )
    first, second = network_of(network), network_of(back)
    data = {name: rng.integers(0, 2, (2, 12, size)).astype(np.uint8) for name, size in first.inputs.items()}
    names = list(second.populations)
    runs = [simulate(each, {name: data[name] for name in each.inputs}, record=names) for each in (first, second)]
    for name in names:
        one, other = (run[name] for run in runs)
        # membranes are sums of rounded numbers, whose order the file does not keep
        tolerance = 1e-9 * max(1.0, float(np.abs(one).max())) if one.dtype.kind == "f" else 0.0
        assert np.abs(one.astype(np.float64) - other).max() <= tolerance


def test_a_quantised_network_runs_from_its_nir_file(samples: Path, tmp_path: Path) -> None:
    module = snn.read(samples / "digits" / "digits_recurrent.snn", FrontendOptions())
    run_passes(module, SNNQuantize())
    (network,) = networks(module)
    assert any(isinstance(op, DenseOp) and op.scale is not None for op in network.body.block.ops)
    notes = written(network, tmp_path / "a.nir")
    assert any(line.endswith("note: not in a .nir file: the machine\n") for line in notes)
    graph = package.read(tmp_path / "a.nir")
    assert {each.weight.dtype for each in graph.nodes.values() if hasattr(each, "weight")} == {np.dtype("f4")}
    with np.load(samples / "digits" / "test_spikes.npz") as file:
        data = {"pixels": file["pixels"][:40].reshape(40, 25, -1)}
    back = network_in(tmp_path / "a.nir", **small())
    one, other = (simulate(network_of(each), data, record=["hidden", "out"]) for each in (network, back))
    assert one["hidden"].any()
    assert one["out"].any()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_products_of_weights_and_scales() -> None:
    integers = np.array([[3, -127], [100, 1]], np.int8)
    values, exact = product(integers, np.array([[0.25], [1 / 3]], "f4"))
    assert exact
    assert values.dtype == np.float64  # 100/3 needs more than float32 has
    values, exact = product(integers, 0.125)
    assert exact
    assert values.dtype == np.float32
    values, exact = product(integers, 0.1)
    assert not exact
    assert np.array_equal(values, integers * 0.1)


def network_with(*ops: Any) -> NetworkOp:
    """A network, in a module."""
    network = NetworkOp("n", 1e-3, None)
    network.body.block.add_ops(ops)
    ModuleOp([network]).verify()
    return network


def refused(network: NetworkOp, path: Path) -> SnnirError:
    """The error; nothing is left behind."""
    with pytest.raises(SnnirError) as caught:
        written(network, path)
    assert not list(path.parent.iterdir())
    return caught.value


def test_what_nir_cannot_state_is_refused_by_op(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.spikes(1, 4, 4))
    pool = MaxPoolOp(x.signal, [2, 2])
    pool.pooled.name_hint = "largest"
    error = refused(network_with(x, pool, OutputOp("y", pool.pooled)), tmp_path / "a.nir")
    assert error.place.startswith(str(tmp_path))
    assert "snn.max_pool %largest" in error.message


def test_two_synapses_are_refused_at_their_place(tmp_path: Path) -> None:
    program = """network n {
      dt = 1 ms
      input x[2]
      population p[2] : dual_lif(tau_exc = 2 ms, tau_inh = 2 ms, tau_mem = 9 ms, r = 1, v_leak = 0, threshold = 1,
        v_reset = 0, w_exc = 1, w_inh = 1) using nir
      x -> p : direct
      output y = p
    }"""
    source = tmp_path / "source.snn"
    source.write_text(program)
    (tmp_path / "out").mkdir()
    (network,) = networks(snn.read(source, FrontendOptions()))
    error = refused(network, tmp_path / "out" / "a.nir")
    assert error.place == f"{source}:4:18"
    assert "snn.dual_lif, which @p is" in error.message


def test_large_selections_are_refused(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.spikes(10_000))
    part = SliceOp(x.signal, Indices.span(0, 5000))
    error = refused(network_with(x, part, OutputOp("y", part.part)), tmp_path / "a.nir")
    assert "50000000 entries" in error.message


def test_what_is_added_twice_is_counted_twice(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.spikes(2))
    total = AddOp(x.signal, x.signal)
    written(network_with(x, total, OutputOp("y", total.total)), tmp_path / "a.nir")
    package.read(tmp_path / "a.nir")
    back = network_of(network_in(tmp_path / "a.nir", **small()))
    data = {"x": np.array([[[1, 0], [0, 1]]], np.uint8)}
    assert np.array_equal(simulate(back, data)["y"], 2 * data["x"])


def test_unread_ops_are_left_out_with_a_note(tmp_path: Path) -> None:
    x, other = InputOp("x", SignalType.spikes(2)), InputOp("other", SignalType.spikes(2))
    notes = written(network_with(x, other, OutputOp("y", x.signal)), tmp_path / "a.nir")
    assert any("left out, because nothing reads or feeds them: @other" in line for line in notes)
    assert not any("other" in key for key in contents(tmp_path / "a.nir"))


def test_a_matrix_along_the_last_dimension_of_what_is_flat_is_exact(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.spikes(2, 3))
    bias = TensorAttr.of("b", np.arange(6, dtype="f4"))
    scale = ScaleOp(x.signal, FloatAttr(0.5, 64), SignalType.current(2, 3), bias=bias)
    weights, more = TensorAttr.of("w", np.arange(6, dtype="f4").reshape(2, 3)), TensorAttr.of("c", np.ones(2, "f4"))
    dense = DenseOp(scale.current, weights, SignalType.current(2, 2), bias=more)
    network = network_with(x, scale, dense, OutputOp("y", dense.current))
    notes = written(network, tmp_path / "a.nir")
    assert any("Affine nodes with a diagonal" in line for line in notes)
    package.read(tmp_path / "a.nir")
    back = network_in(tmp_path / "a.nir", **small())
    data = {"x": np.random.default_rng(3).integers(0, 2, (2, 4, 6)).astype(np.uint8)}
    one, other = (simulate(network_of(each), data)["y"] for each in (network, back))
    assert np.array_equal(one, other)


def test_unequal_padding_is_exact(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    x = InputOp("x", SignalType.spikes(1, 5, 6))
    weights = TensorAttr.of("k", rng.integers(-4, 5, (2, 1, 2, 3)).astype("f4"))
    conv = Conv2dOp(x.signal, weights, stride=[2, 1], padding=([0, 2], [1, 0]), dilation=[2, 1])
    network = network_with(x, conv, OutputOp("y", conv.current))
    notes = written(network, tmp_path / "a.nir")
    assert any("enlarged with zeros" in line for line in notes)
    back = network_in(tmp_path / "a.nir", **small())
    (restored,) = (op for op in back.body.block.ops if isinstance(op, ConvOp))
    assert restored.padding_low == restored.padding_high
    data = {"x": rng.integers(0, 2, (3, 4, 30)).astype(np.uint8)}
    one, other = (simulate(network_of(each), data)["y"] for each in (network, back))
    assert one.any()
    assert np.array_equal(one, other)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.spikes(2))
    network = network_with(x, OutputOp("y", x.signal))
    with pytest.raises(SnnirError, match="cannot be written"):
        written(network, tmp_path / "missing" / "a.nir")
    with pytest.raises(SnnirError, match="is a directory"):
        written(network, tmp_path)
