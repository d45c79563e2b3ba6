"""Ordinary networks as ONNX files: onnxruntime computes what the simulator does; what ONNX cannot say is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, IntegerType, ModuleOp

from snnir.dialects.attributes import ShapeAttr, SignalType, TensorAttr
from snnir.dialects.snn import (
    AddOp,
    AvgPoolOp,
    ClipOp,
    Conv2dOp,
    DelayOp,
    DenseOp,
    EluOp,
    FlattenOp,
    IfOp,
    InputOp,
    LeakyReluOp,
    NetworkOp,
    OutputOp,
    ReluOp,
    SoftmaxOp,
    SparseOp,
    networks,
)
from snnir.dialects.snn_activations import SquareOp
from snnir.errors import SnnirError
from snnir.export import write
from snnir.export.onnx import coded as coded_export
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.passes.base import LoweringError
from snnir.passes.snn.code_signals import SNNCodeSignals
from snnir.passes.snn.legalize import SNNLegalize
from snnir.passes.snn.quantize import SNNQuantize
from snnir.semantics import Semantics
from snnir.sim import simulate
from snnir.sim.entry import network_of
from tests.passes.ordinary_networks import EXACT, FITTED, ordinary, outputs_of, program_in, values_for

onnxruntime: Any = pytest.importorskip("onnxruntime")
reader: Any = pytest.importorskip("snnir.frontend.onnx.reader")
Array = NDArray[Any]
CURRENT = SignalType.current


def exported(module: ModuleOp, path: Path) -> list[str]:
    """Write a program; the notes."""
    notes = Notes()
    write(program_in(module), path, notes)
    return notes.lines


def computed(path: Path, module: ModuleOp, data: dict[str, Array]) -> dict[str, Array]:
    """What onnxruntime makes of values (samples, 1, lines): (samples, 1, neurons)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    kinds = {each.name: np.float64 if "double" in each.type else np.float32 for each in session.get_inputs()}
    shapes = {name: op.signal.type.shape.data for name, op in program_in(module).sources.items()}
    feed = {name: data[name].reshape(-1, *shapes[name]).astype(kind) for name, kind in kinds.items()}
    names = [each.name for each in session.get_outputs()]
    found = session.run(names, feed)
    return {name: np.asarray(each).reshape(len(each), 1, -1) for name, each in zip(names, found, strict=True)}


def program(*ops: Any, steps: int | None = 1) -> ModuleOp:
    """A program of some ops."""
    network = NetworkOp("net", 1e-3, steps)
    network.body.block.add_ops(ops)
    module = ModuleOp([network])
    module.verify()
    return module


@pytest.mark.parametrize("seed", range(40))
def test_real_networks_are_what_onnxruntime_computes(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    module = ordinary(rng, (*EXACT, *FITTED, "square", "softmax"))
    data = {name: each.astype(np.float32) for name, each in values_for(module, rng).items()}
    exported(module, tmp_path / "net.onnx")
    expected, found = outputs_of(module, data), computed(tmp_path / "net.onnx", module, data)
    assert expected.keys() == found.keys()
    for name, each in expected.items():
        np.testing.assert_allclose(found[name], each, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(each).max())))


def coded_network(rng: np.random.Generator, folder: Path) -> tuple[ModuleOp, dict[str, Array]]:
    """A random program whose signals are codes and whose weights are integers, and values for it."""
    while True:
        module = ordinary(rng, ("relu", "clip"))
        data = values_for(module, rng, 12)
        np.savez(folder / "data.npz", **data)  # pyright: ignore[reportArgumentType]
        SNNLegalize(models=("relu", "clip")).apply(Context(), module)
        try:
            SNNCodeSignals(data=str(folder / "data.npz"), bits=int(rng.integers(2, 9))).apply(Context(), module)
        except LoweringError:
            continue  # an output that reads what is no single population
        SNNQuantize(bits=int(rng.integers(2, 9))).apply(Context(), module)
        module.verify()
        return module, data


@pytest.mark.parametrize("seed", range(40))
def test_codes_are_what_onnxruntime_computes(tmp_path: Path, seed: int) -> None:
    module, data = coded_network(np.random.default_rng(seed), tmp_path)
    assert any("codes" in line for line in exported(module, tmp_path / "net.onnx"))
    expected, found = outputs_of(module, data), computed(tmp_path / "net.onnx", module, data)
    assert expected.keys() == found.keys()
    for name, each in expected.items():
        np.testing.assert_array_equal(found[name], each)


def image(rng: np.random.Generator, bits: int, largest: int) -> ModuleOp:
    """A convolution and an average pool of codes, with weights up to `largest`; sums reach all codes of 16 bits."""
    x = InputOp("x", SignalType(ShapeAttr((2, 7, 6)), IntegerType(bits)), FloatAttr(0.25, 64))
    weights = rng.integers(-largest, largest + 1, (3, 2, 3, 2)).astype(np.int16)
    scale = FloatAttr(1.0 / (2**bits * largest), 64)
    conv = Conv2dOp(x.signal, TensorAttr.of("w", weights), padding=((1, 0), (1, 1)), scale=scale)
    step = FloatAttr(2.0**-14, 64)
    relu = ReluOp("h", [conv], SignalType(conv.current_type.shape, IntegerType(16)), step=step)
    pool = AvgPoolOp(relu.signal, (2, 2), (1, 1), ((0, 1), (1, 0)))
    out = ReluOp("o", [pool], SignalType(pool.pooled.type.shape, IntegerType(16)), step=FloatAttr(0.3, 64))
    return program(x, conv, relu, pool, out, OutputOp("y", out))


@pytest.mark.parametrize(("bits", "largest"), [(4, 7), (12, 30000)])
def test_convolutions_of_codes_are_exact_whether_float32_holds_their_sums_or_not(
    tmp_path: Path, bits: int, largest: int
) -> None:
    rng = np.random.default_rng(bits)
    module = image(rng, bits, largest)
    data = {"x": rng.uniform(0, 2**bits / 4, (9, 1, 84))}
    exported(module, tmp_path / "net.onnx")
    kinds = {node.op_type for node in _nodes(tmp_path / "net.onnx")}
    assert ("Conv" in kinds, "MatMul" in kinds) == (True, bits == 12)
    np.testing.assert_array_equal(computed(tmp_path / "net.onnx", module, data)["y"], outputs_of(module, data)["y"])


def test_float32_is_left_where_it_would_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    module, data = image(rng, 12, 30000), {"x": rng.uniform(0, 1024, (40, 1, 84))}
    monkeypatch.setattr(coded_export, "SINGLE", 1 << 60)
    exported(module, tmp_path / "net.onnx")
    assert (computed(tmp_path / "net.onnx", module, data)["y"] != outputs_of(module, data)["y"]).any()


def _nodes(path: Path) -> list[Any]:
    onnx: Any = pytest.importorskip("onnx")
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    assert [each.version for each in model.opset_import] == [17]
    return list(model.graph.node)


def test_parameters_of_each_neuron(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = InputOp("x", CURRENT(4, 3))
    per = {
        key: TensorAttr.of(key, rng.uniform(low, low + 1, 12)) for key, low in (("low", -1), ("high", 0), ("slope", 0))
    }
    clip = ClipOp("c", [x], CURRENT(4, 3), {"low": per["low"], "high": per["high"]})
    leaky = LeakyReluOp("l", [x], CURRENT(4, 3), {"slope": per["slope"]})
    both = AddOp(clip, leaky)
    soft = SoftmaxOp("s", [both], CURRENT(4, 3))
    square = SquareOp("q", [soft], CURRENT(4, 3))
    module = program(x, clip, leaky, both, soft, square, OutputOp("y", square), OutputOp("z", both))
    data = {"x": rng.normal(size=(5, 1, 12)).astype(np.float32)}
    exported(module, tmp_path / "net.onnx")
    found, expected = computed(tmp_path / "net.onnx", module, data), outputs_of(module, data)
    for name in ("y", "z"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


@pytest.mark.parametrize("seed", range(30))
def test_real_networks_come_back(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    module = ordinary(rng, (*EXACT, *FITTED))
    data = {name: each.astype(np.float32) for name, each in values_for(module, rng).items()}
    exported(module, tmp_path / "net.onnx")
    back = reader.read(tmp_path / "net.onnx", FrontendOptions(dt=1e-3))
    (network,) = networks(back)
    arrays, expected = network_of(network), outputs_of(module, data)
    found = simulate(arrays, data)
    for name, each in expected.items():
        scale = max(1.0, float(np.abs(each).max()))
        np.testing.assert_allclose(found[arrays.outputs[name]], each, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize("bits", [None, 4])
def test_populations_that_read_nothing_are_constant(tmp_path: Path, bits: int | None) -> None:
    type_ = CURRENT(2) if bits is None else SignalType(ShapeAttr((2,)), IntegerType(bits))
    x = InputOp("x", CURRENT(3))
    clip = ClipOp("c", [], type_, {"low": FloatAttr(0.5, 64), "high": FloatAttr(1.0, 64)})
    if bits is not None:
        clip.step = FloatAttr(0.125, 64)
    module = program(x, clip, OutputOp("y", clip))
    exported(module, tmp_path / "net.onnx")
    data = {"x": np.ones((3, 1, 3), np.float32)}
    np.testing.assert_array_equal(computed(tmp_path / "net.onnx", module, data)["y"], outputs_of(module, data)["y"])
    assert computed(tmp_path / "net.onnx", module, data)["y"].shape == (3, 1, 2)


def test_equal_programs_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        exported(ordinary(np.random.default_rng(5)), tmp_path / f"{name}.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def _refused(kind: str) -> ModuleOp:
    x = InputOp("x", SignalType.spikes(2) if kind == "spikes" else CURRENT(2))
    w = TensorAttr.of("w", np.ones((2, 2), np.float32))
    dense = DenseOp(x, w, CURRENT(2), delay=1 if kind == "delay" else 0)
    number = FloatAttr(1.0, 64)
    match kind:
        case "state":
            pop: Any = IfOp(
                "h",
                [dense],
                {"r": number, "threshold": number, "v_reset": FloatAttr(0.0, 64)},
                Semantics(),
                SignalType.spikes(2),
            )
        case "alpha":
            pop = EluOp("h", [dense], CURRENT(2), {"alpha": TensorAttr.of("a", np.array([1.0, 2.0]))})
        case _:
            pop = ReluOp("h", [dense], CURRENT(2))
    if kind == "late":
        late = DelayOp(x, 2)
        pop = ReluOp("h", [late], CURRENT(2))
        return program(x, late, pop, OutputOp("y", pop))
    if kind == "large":
        wide = InputOp("wide", CURRENT(1 << 14))
        one = np.zeros(1, np.int64)
        sparse = SparseOp(
            wide, TensorAttr.of("s", np.ones(1)), TensorAttr.of("f", one), TensorAttr.of("t", one), CURRENT(1 << 14)
        )
        return program(wide, sparse, OutputOp("y", sparse))
    return program(x, dense, pop, OutputOp("y", pop))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("state", "ONNX has no neurons with a state, and @h is snn.if"),
        ("spikes", "@x brings spikes"),
        ("delay", "delays its signal"),
        ("late", "delays its signal"),
        ("alpha", "ONNX has one alpha for all neurons, and those of @h differ"),
        ("large", "as a matrix of 16384 x 16384"),
    ],
)
def test_what_onnx_cannot_say_is_refused_by_name(tmp_path: Path, kind: str, message: str) -> None:
    with pytest.raises(SnnirError, match=message) as caught:
        exported(_refused(kind), tmp_path / "net.onnx")
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_nir_refuses_ordinary_networks_by_name(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match=r"no neuron model like snn\.relu, which @h is") as caught:
        write(program_in(_refused("")), tmp_path / "net.nir", Notes())
    assert ".onnx" in str(caught.value.hint)
    x = InputOp("x", CURRENT(2, 3))
    flat = FlattenOp(x.signal)
    dense = DenseOp(flat, TensorAttr.of("w", np.ones((2, 6), np.float32)), CURRENT(2))
    write(program_in(program(x, flat, dense, OutputOp("y", dense))), tmp_path / "linear.nir", Notes())
    assert (tmp_path / "linear.nir").is_file()


def test_notes_say_what_the_file_does_not(tmp_path: Path) -> None:
    x = InputOp("x", CURRENT(2))
    relu = ReluOp("h", [x], CURRENT(2))
    lines = exported(program(x, relu, OutputOp("y", relu), steps=4), tmp_path / "net.onnx")
    assert any("--dt 0.001" in line for line in lines)
    assert any("an inference takes 4 steps" in line for line in lines)
