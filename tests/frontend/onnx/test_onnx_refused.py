"""What is refused: by name, at its place, all of it at once, and without a traceback whatever the bytes are."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import Array, Shape, floats, helper, model, node, numpy_helper, onnx, save

import snnir
from snnir.errors import SnnirError
from snnir.frontend.nir.lints import LintError
from snnir.frontend.onnx.context import SIGNAL_LIMIT
from snnir.frontend.onnx.operators import HANDLERS, REASONS

LINE: dict[str, Shape] = {"x": [1, 4]}
IMAGE: dict[str, Shape] = {"x": [1, 2, 5, 5]}
MATRIX = {"w": floats(4, 3)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def refused(path: Path, made: Any, **options: Any) -> SnnirError:
    """The error for a model."""
    save(path, made)
    with pytest.raises(SnnirError) as caught:
        snnir.load(path, **options)
    return caught.value


REFUSED_OPERATORS = sorted(REASONS)


@pytest.mark.parametrize("op", REFUSED_OPERATORS)
def test_operators(path: Path, op: str) -> None:
    error = refused(path, model([node(op, "x", "y", name="/block/that")], LINE))
    assert error.message == f"operator {op} is refused: {REASONS[op]}"
    assert error.place == f"{path}:/graph/block/that"
    assert "docs/onnx.md" in error.hint


def test_no_operator_is_both_understood_and_refused() -> None:
    assert not HANDLERS.keys() & REASONS.keys()


def test_all_operators_are_listed_before_anything_else(path: Path) -> None:
    """Also where the file has other defects, and each operator once."""
    nodes = [
        node("LSTM", "x w w", "a", name="lstm"),
        node("Foo", "a", "b", name="foo", domain="my.own"),
        node("Resize", "b", "c", name="one"),
        node("Resize", "c", "d", name="two"),
        node("Conv", "d w", "y", name="conv"),
    ]
    error = refused(path, model(nodes, LINE, MATRIX, outputs=("y", "nothing")))
    assert isinstance(error, LintError)
    found = [
        (each.error.place.rpartition("/")[2], each.error.message.partition(" is refused")[0]) for each in error.findings
    ]
    domain = "operator Foo of the domain 'my.own'"
    assert found == [("lstm", "operator LSTM"), ("foo", domain), ("one", "operator Resize")]
    assert "(here and in 1 more nodes)" in error.findings[2].error.message


def test_what_leads_nowhere_is_left_out(path: Path) -> None:
    nodes = [node("MatMul", "x w", "y"), node("LSTM", "x w w", "z")]
    net = snnir.load(save(path, model(nodes, LINE, MATRIX)))
    assert list(net.network.outputs) == ["y"]


@pytest.mark.parametrize("opset", [1, 5, 22, 25])
def test_opsets(path: Path, opset: int) -> None:
    error = refused(path, model([node("Relu", "x", "y")], LINE, opset=opset))
    assert error.message.startswith(f"opset {opset} is refused")


SCALARS = {
    "half": np.array(0.5, np.float32),
    "one": np.array(1, np.float32),
    "zero": np.array(0, np.float32),
    "none": np.array(-np.inf, np.float32),
    "yes": np.array(True),
    "p": np.array([0, 1, 0, 1]),
}
CUBE = {"w": floats(1, 2, 1, 1, 1)}
USES: list[tuple[str, Any, Mapping[str, Shape], dict[str, Array], str]] = [
    ("two signals", node("MatMul", "x x", "y"), {"x": [4, 4]}, {}, "MatMul of two signals"),
    ("two signals in a Gemm", node("Gemm", "x x", "y"), LINE, {}, "Gemm of two signals"),
    ("three dimensions", node("Conv", "x w", "y"), {"x": [1, 2, 3, 3, 3]}, CUBE, "3 dimensions"),
    ("divided by data", node("Div", "c x", "y"), LINE, {"c": floats(4)}, "Div by a signal"),
    ("divided by zero", node("Div", "x c", "y"), LINE, {"c": np.zeros(4, np.float32)}, "Div by zero"),
    ("a cube", node("Pow", "x c", "y"), LINE, {"c": np.array(3.0, np.float32)}, "squares only"),
    ("rounding cast", node("Cast", "x", "y", to=6), LINE, {}, "Cast of a signal to int32"),
    ("infinite padding", node("Pad", "x p none", "y"), LINE, SCALARS, "inf"),
    ("training", node("BatchNormalization", "x a a a a", "y", training_mode=1), LINE, {"a": floats(4)}, "training"),
    ("training dropout", node("Dropout", "x half yes", "y"), LINE, SCALARS, "training"),
    ("whole weights", node("MatMul", "x w", "y"), LINE, {"w": np.ones((4, 3), np.int8)}, "int8, not real numbers"),
    ("matrices", node("MatMul", "x w", "y"), {"x": [1, 2, 4]}, {"w": floats(2, 4, 3)}, "2 matrices"),
    ("other sizes", node("MatMul", "x w", "y"), {"x": [1, 5]}, MATRIX, "4x3 does not fit a signal of 1x5"),
    ("other channels", node("Conv", "x w", "y"), IMAGE, {"w": floats(3, 4, 3, 3)}, "do not fit 2 channels"),
    ("a large kernel", node("Conv", "x w", "y"), IMAGE, {"w": floats(3, 2, 7, 7)}, "larger than what it reads"),
    ("no shape", node("Reshape", "x s", "y"), LINE, {"s": np.array([3, -1])}, "1x4 cannot become"),
    ("limits", node("Clip", "x one zero", "y"), LINE, SCALARS, "Clip between 1 and 0"),
    ("not finite", node("MatMul", "x w", "y"), LINE, {"w": np.full((4, 3), np.nan, np.float32)}, "nan"),
    ("a word", node("Softmax", "x", "y", axis="one"), LINE, {}, "axis of Softmax is no whole number"),
    ("a list", node("MaxPool", "x", "y", kernel_shape=2), IMAGE, {}, "no list of whole numbers"),
    ("a short list", node("MaxPool", "x", "y", kernel_shape=[2]), IMAGE, {}, "needs 2 numbers"),
    ("no kernel", node("MaxPool", "x", "y"), IMAGE, {}, "lacks kernel_shape"),
    ("many parts", node("Split", "x", "y", axis=1, num_outputs=1 << 31), LINE, {}, "Split into 2147483648 parts"),
    ("a huge tile", node("Tile", "x r", "y"), LINE, {"r": np.array([1, 1 << 40])}, f"more than {SIGNAL_LIMIT}"),
    ("a huge pad", node("Pad", "x p", "y"), LINE, {"p": np.array([0, 1 << 40, 0, 0])}, f"more than {SIGNAL_LIMIT}"),
    ("not enough", node("Conv", "x", "y"), IMAGE, {}, "Conv lacks its weights"),
    ("a constant", node("Identity", "w", "y"), LINE, MATRIX, "the output 'y' is constant"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "inputs", "weights", "message"), [each[1:] for each in USES], ids=[e[0] for e in USES]
)
def test_uses(path: Path, made: Any, inputs: Mapping[str, Shape], weights: dict[str, Array], message: str) -> None:
    error = refused(path, model([made], inputs, weights))
    assert message in error.message
    assert error.hint
    assert error.place.startswith(f"{path}:/graph/")


def test_further_outputs_that_are_read(path: Path) -> None:
    nodes = [node("MaxPool", "x", "h i", kernel_shape=[2, 2]), node("Cast", "i", "y", to=1)]
    assert "output 1 of MaxPool ('i') is read" in refused(path, model(nodes, IMAGE)).message


def test_constants_that_grow(path: Path) -> None:
    huge = {"s": np.array([1 << 20, 1 << 20])}
    nodes = [node("ConstantOfShape", "s", "c"), node("Add", "x c", "y")]
    assert f"more than {SIGNAL_LIMIT}" in refused(path, model(nodes, LINE, huge)).message
    ends = {name: np.array(n) for name, n in (("a", 0), ("b", 1 << 50), ("c", 1))}
    nodes = [node("Range", "a b c", "r"), node("Cast", "r", "d", to=1), node("Add", "x d", "y")]
    assert f"more than {SIGNAL_LIMIT}" in refused(path, model(nodes, LINE, ends)).message


INPUTS: list[tuple[Shape | None, str]] = [
    (["N", "time"], "dimension 'time' of unknown size"),
    ([1, None], "without a name"),
    (None, "states no shape"),
    ([1, 0], "has the shape 1x0"),
    ([1, 1 << 40], "has the shape"),
    ([1, 1 << 29], f"more than {SIGNAL_LIMIT}"),
]


@pytest.mark.parametrize(("shape", "message"), INPUTS, ids=str)
def test_inputs_without_a_size(path: Path, shape: Shape | None, message: str) -> None:
    error = refused(path, model([node("Relu", "x", "y")], {"x": shape}))  # pyright: ignore[reportArgumentType]
    assert message in error.message
    assert error.place == f"{path}:/graph/input/x"


def test_weights_that_are_inputs(path: Path) -> None:
    error = refused(path, model([node("Conv", "x w", "y")], {**IMAGE, "w": [3, 2, 3, 3]}))
    assert error.message == "the weights of Conv are the input 'w' of the graph"
    assert "parameters" in error.hint


def test_whole_numbers_are_only_cast(path: Path) -> None:
    made = model([node("Relu", "x", "y")], LINE, element=onnx.TensorProto.INT8)
    assert refused(path, made).message == "Relu computes with integers"
    made = model([node("Relu", "x", "y")], LINE, element=onnx.TensorProto.STRING)
    assert "strings" in refused(path, made).message


def test_samples_are_not_mixed(path: Path) -> None:
    nodes = [node("Flatten", "x", "h", axis=0), node("Gemm", "h w", "y")]
    assert refused(path, model(nodes, {"x": [5, 4]}, MATRIX)).message == "Flatten mixes the 5 samples of a batch"


def test_options_about_spikes(path: Path) -> None:
    made = model([node("Relu", "x", "y")], LINE)
    assert "--semantics" in refused(path, made, semantics="nir").message
    assert "--reset" in refused(path, made, reset="value").message


STRUCTURE: list[tuple[list[Any], tuple[str, ...], str]] = [
    ([node("Relu", "z", "y")], ("y",), "reads 'z', which nothing computes"),
    ([node("Relu", "x", "y"), node("Tanh", "x", "y")], ("y",), "'y' is computed here, and by another node"),
    ([node("Relu", "x", "y")], ("y", "z"), "nothing computes the output 'z'"),
    ([node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")], ("y",), "from its own result"),
    ([node("Relu", "x", "y")], (), "the graph has no outputs"),
]


@pytest.mark.parametrize(("nodes", "outputs", "message"), STRUCTURE, ids=[each[2] for each in STRUCTURE])
def test_graphs_that_are_none(path: Path, nodes: list[Any], outputs: tuple[str, ...], message: str) -> None:
    assert message in refused(path, model(nodes, LINE, outputs=outputs)).message


def test_files_that_are_none(path: Path) -> None:
    whole = model([node("MatMul", "x w", "y")], LINE, MATRIX).SerializeToString()
    for data in (b"", b"hello", b"\x89HDF\r\n\x1a\n", whole[: len(whole) // 2], whole[:-1], b"\x08\x07"):
        path.write_bytes(data)
        with pytest.raises(SnnirError) as caught:
            snnir.load(path)
        assert caught.value.place.startswith(str(path))
    with pytest.raises(SnnirError, match="No such file"):
        snnir.load(path.with_name("missing.onnx"))


def test_tensors_that_claim_more_than_they_hold(path: Path) -> None:
    made = model([node("MatMul", "x w", "y")], LINE, MATRIX)
    made.graph.initializer[0].dims[0] = 1 << 40
    assert "holds 48 bytes, but the shape 1099511627776x3 needs" in refused(path, made).message
    made.graph.initializer[0].dims[0] = -4
    assert "has the shape -4x3" in refused(path, made).message
    made.graph.initializer[0].CopyFrom(helper.make_tensor("w", onnx.TensorProto.STRING, [1], ["text"]))
    error = refused(path, made)
    assert "holds strings" in error.message
    assert error.place == f"{path}:/graph/initializer/w"


def test_names_that_are_no_text(path: Path) -> None:
    data = model([node("Relu", "x", "middle"), node("Relu", "middle", "y")], LINE).SerializeToString()
    path.write_bytes(data.replace(b"middle", b"mi\xffdle"))
    with pytest.raises(SnnirError, match="no UTF-8 text"):
        snnir.load(path)


OPERATORS = sorted({*HANDLERS, "Constant", "ConstantOfShape", "Range", "Where"})
NUMBERS = [0, 1, -1, 2, 3, 7, -2, 1 << 31, 1 << 62, -(1 << 40)]


def spoilt(draw: random.Random, made: Any) -> None:
    """Change one thing in a model: an operator, an attribute, what a node reads, a shape, numbers, or the opset."""
    graph = made.graph
    chosen = draw.choice(graph.node)
    names = [name for each in graph.node for name in (*each.input, *each.output)]
    match draw.randrange(7):
        case 0:
            chosen.op_type = draw.choice(OPERATORS)
        case 1:
            chosen.input[draw.randrange(len(chosen.input))] = draw.choice([*names, ""])
        case 2:
            values = [draw.choice(NUMBERS), [draw.choice(NUMBERS) for _ in range(draw.randrange(1, 5))], 1.5, "word"]
            known = [each.name for each in chosen.attribute] or ["axis", "pads", "to", "perm", "axes"]
            name = draw.choice(known)
            for each in [each for each in chosen.attribute if each.name == name]:
                chosen.attribute.remove(each)
            chosen.attribute.append(helper.make_attribute(name, draw.choice(values)))
        case 3:
            del chosen.input[draw.randrange(len(chosen.input))]
        case 4:
            tensor = draw.choice(graph.initializer)
            tensor.dims[draw.randrange(len(tensor.dims))] = draw.choice(NUMBERS)
        case 5:
            tensor = draw.choice(graph.initializer)
            other = [np.array([draw.choice(NUMBERS)]), np.zeros(3, np.float16), np.full((2, 2), np.nan, np.float32)]
            tensor.CopyFrom(numpy_helper.from_array(draw.choice(other), tensor.name))
        case _:
            made.opset_import[0].version = draw.choice([6, 9, 11, 13, 21, *NUMBERS])


def test_spoilt_models_are_read_or_refused(path: Path) -> None:
    nodes = [
        node("Pad", "x p", "a"),
        node("Transpose", "a", "b", perm=[0, 1, 3, 2]),
        node("Conv", "b w v", "c", pads=[1, 0, 0, 1]),
        node("Softmax", "c", "d", axis=1),
        node("Split", "d", "e f", axis=1, num_outputs=2),
        node("Clip", "e low", "g"),
        node("Concat", "g f", "h", axis=1),
        node("AveragePool", "h", "i", kernel_shape=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
        node("Flatten", "i", "j"),
        node("Gemm", "j m", "k", transB=1),
        node("Reshape", "k s", "y"),
    ]
    weights = {
        "p": np.array([0, 0, 1, 0, 0, 0, 2, 1]),
        "w": floats(4, 2, 3, 3),
        "v": floats(4),
        "s": np.array([1, -1, 1]),
    }
    weights |= {"m": floats(5, 72), "low": np.array(0.5, np.float32)}
    good = model(nodes, {"x": [1, 2, 4, 5]}, weights, opset=18).SerializeToString()
    draw = random.Random(3)
    read = 0
    for _ in range(250):
        made = onnx.ModelProto.FromString(good)
        try:
            for _ in range(draw.randrange(1, 3)):
                spoilt(draw, made)
        except (ValueError, IndexError):
            continue
        try:
            snnir.load(save(path, made))
            read += 1
        except SnnirError as error:
            assert error.place.startswith(str(path))
    assert read
