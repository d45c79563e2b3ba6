"""What an ONNX file says beside its operators: batch, types, names, other files, order, old opsets, time."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import Array, Shape, check, difference, expected, feeds_of, floats, helper, model, node, onnx, save

import snnir
from snnir.api import Net
from snnir.errors import SnnirError

LINE: dict[str, Shape] = {"x": [1, 4]}
MATRIX = {"w": floats(4, 3)}
PRODUCT = [node("MatMul", "x w", "y")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def outputs(net: Net, data: Array) -> Array:
    """The first output of a program with one input, (samples, neurons)."""
    run = net.sim(dict.fromkeys(net.inputs, data[:, None]))
    return np.asarray(next(iter(run.outputs.values())))[:, 0]


@pytest.mark.parametrize("batch", [1, "N", None, 3, 789444])
def test_the_batch_is_taken_out(path: Path, batch: Any) -> None:
    nodes = [node("Reshape", "x s", "h"), node("Gemm", "h w", "y")]
    target = batch if isinstance(batch, int) else -1
    weights = {"w": floats(4, 3), "s": np.array([target, 4])}
    net = snnir.load(save(path, model(nodes, {"x": [batch, 2, 2]}, weights, outputs={"y": [batch, 3]})))
    assert net.inputs == {"x": (2, 2)}
    data = np.random.default_rng(0).normal(size=(5, 2, 2))
    assert np.allclose(outputs(net, data), data.reshape(5, 4) @ weights["w"], atol=1e-6)
    noted = any("is taken for samples of a batch" in note for note in net.notes)
    assert noted == (isinstance(batch, int) and batch > 1)


def test_no_batch(path: Path) -> None:
    assert check(path, model(PRODUCT, {"x": [4]}, MATRIX)).inputs == {"x": (4,)}
    nodes = [node("Unsqueeze", "x a", "h"), node("Conv", "h w", "y")]
    net = check(path, model(nodes, {"x": [3, 5, 5]}, {"a": np.array([0]), "w": floats(4, 3, 3, 3)}))
    assert net.inputs == {"x": (3, 5, 5)}
    assert any("is taken for a part of each sample" in note for note in net.notes)


@pytest.mark.parametrize("element", ["FLOAT", "DOUBLE", "FLOAT16"])
def test_real_types(path: Path, element: str) -> None:
    kind = getattr(onnx.TensorProto, element)
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    net = snnir.load(save(path, model(PRODUCT, LINE, {"w": floats(4, 3).astype(dtype)}, element=kind)))
    data = np.random.default_rng(0).normal(size=(3, 4))
    wanted = data @ floats(4, 3).astype(dtype).astype(np.float64)
    assert np.allclose(outputs(net, data), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("element", ["UINT8", "INT8", "INT64"])
def test_whole_inputs_that_are_cast(path: Path, element: str) -> None:
    nodes = [node("Cast", "x", "h", to=1), node("MatMul", "h w", "y")]
    net = snnir.load(save(path, model(nodes, LINE, MATRIX, element=getattr(onnx.TensorProto, element))))
    data = np.arange(8.0).reshape(2, 4)
    assert np.allclose(outputs(net, data), data @ MATRIX["w"], atol=1e-5)


def test_weights_keep_their_type_and_uniform_ones_are_numbers(path: Path) -> None:
    nodes = [node("MatMul", "x w", "h"), node("LeakyRelu", "h", "i", alpha=0.25), node("Mul", "i c", "y")]
    net = snnir.load(save(path, model(nodes, LINE, {**MATRIX, "c": np.full(3, 2.0, np.float32)})))
    dense, population, scale = list(net.network.body.block.ops)[1:4]
    assert "4x3xf32" not in str(dense)
    assert "3x4xf32" in str(dense)
    assert "slope = 0.25" in str(population)
    assert " by 2.0 " in str(scale)


def test_names(path: Path) -> None:
    """Of nodes, else of what they compute; made valid and different."""
    nodes = [
        helper.make_node("Relu", ["in:0"], ["/a b/c"], name="/müll//one"),
        helper.make_node("Relu", ["/a b/c"], ["7"]),
        helper.make_node("Relu", ["7"], ["same"], name="same"),
        helper.make_node("Relu", ["same"], ["y"], name="same"),
        helper.make_node("Relu", ["y"], ["z"]),
    ]
    net = snnir.load(save(path, model(nodes, {"in:0": [1, 4]}, outputs=("y", "z"))))
    assert list(net.inputs) == ["in_0"]
    assert list(net.populations) == ["m_ll__one", "n7", "same", "same_relu", "z_relu"]
    assert list(net.network.outputs) == ["y", "z"]


def test_places(path: Path) -> None:
    nodes = [node("MatMul", "x w", "h", name="/fc/MatMul"), node("Relu", "h", "y")]
    net = snnir.load(save(path, model(nodes, LINE, MATRIX)))
    places = [str(op.location) for op in net.network.body.block.ops]
    ends = ["input/x", "fc/MatMul", "node[1]", "output/y"]
    assert [f"{path}:/graph/{end}" in place for end, place in zip(ends, places, strict=True)] == [True] * 4


def test_every_output_is_an_output(path: Path) -> None:
    nodes = [node("MatMul", "x w", "h"), node("Softmax", "h", "p"), node("Transpose", "h", "t", perm=[1, 0])]
    made = model(nodes, LINE, MATRIX, outputs=("h", "p", "t"))
    net = check(path, made)
    assert list(net.network.outputs) == ["h", "p", "t"]
    assert check(path, model([node("Identity", "x", "y")], LINE)).populations == {}


def external(folder: Path, location: str, data: bytes, **more: Any) -> Path:
    """A model whose weights are said to lie in another file, which is written into the folder."""
    made = model(PRODUCT, LINE, MATRIX)
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    (folder / "weights.bin").write_bytes(data)
    return save(folder / "model.onnx", made)


def test_weights_in_another_file(tmp_path: Path) -> None:
    bytes_ = MATRIX["w"].tobytes()
    net = snnir.load(external(tmp_path, "weights.bin", b"\0" * 64 + bytes_, offset=64, length=len(bytes_)))
    data = np.eye(4)
    assert (outputs(net, data) == MATRIX["w"]).all()
    assert (outputs(snnir.load(external(tmp_path, "weights.bin", bytes_)), data) == MATRIX["w"]).all()


@pytest.mark.parametrize(
    ("location", "more", "message"),
    [
        ("../weights.bin", {}, "not in the folder"),
        ("/etc/passwd", {}, "not in the folder"),
        ("sub/../../weights.bin", {}, "not in the folder"),
        ("", {}, "not in the folder"),
        ("link.bin", {}, "not in the folder"),
        ("missing.bin", {}, "not there"),
        ("weights.bin", {"offset": 4}, "which has 48"),
        ("weights.bin", {"offset": -4}, "from byte -4"),
        ("weights.bin", {"offset": "many"}, "no number"),
        ("weights.bin", {"length": 1 << 40}, "needs 48"),
    ],
)
def test_other_files_that_are_refused(tmp_path: Path, location: str, more: dict[str, Any], message: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "weights.bin").write_bytes(MATRIX["w"].tobytes())
    os.symlink(tmp_path / "weights.bin", folder / "link.bin")
    path = external(folder, location, MATRIX["w"].tobytes(), **more)
    with pytest.raises(SnnirError) as caught:
        snnir.load(path)
    assert message in caught.value.message
    assert caught.value.place == f"{path}:/graph/initializer/w"


REPAIRED: list[tuple[str, Any]] = [
    ("stands before h, which it reads", model([node("Relu", "h", "y"), node("MatMul", "x w", "h")], LINE, MATRIX)),
    ("stated as 1x5, but it is 1x3", model(PRODUCT, LINE, MATRIX, outputs={"y": [1, 5]})),
    (
        "kernel_shape is 5x5",
        model([node("Conv", "x k", "y", kernel_shape=[5, 5])], {"x": [1, 2, 6, 6]}, {"k": floats(3, 2, 3, 3)}),
    ),
]


@pytest.mark.parametrize(("message", "made"), REPAIRED, ids=[each[0] for each in REPAIRED])
def test_repairs(path: Path, message: str, made: Any) -> None:
    save(path, made)
    with pytest.raises(SnnirError) as caught:
        snnir.load(path)
    assert message in caught.value.message
    assert "snnc import --fix" in caught.value.hint
    net = snnir.load(path, fix=True)
    assert any("repaired: " in note and message in note for note in net.notes)
    assert net.network.outputs


def old(op: str, names: str, weights: dict[str, Array], shape: Shape, **attributes: Any) -> Any:
    return model([node(op, names, "y", **attributes)], {"x": shape}, weights, opset=6)


OLD: list[tuple[Any, str, str, dict[str, Array], dict[str, Any]]] = [
    (
        old("Add", "x c", {"c": floats(3)}, [1, 3, 2], broadcast=1, axis=1),
        "Add", "x c", {"c": floats(3).reshape(3, 1)}, {},
    ),
    (old("Mul", "x c", {"c": floats(2)}, [1, 3, 2], broadcast=1), "Mul", "x c", {"c": floats(2)}, {}),
    (
        old("Gemm", "x w c", {"w": floats(4, 3), "c": floats(3)}, [1, 4], broadcast=1),
        "Gemm", "x w c", {"w": floats(4, 3), "c": floats(3)}, {},
    ),
    (
        old("BatchNormalization", "x a b c d", {n: np.abs(floats(3)) for n in "abcd"}, [1, 3, 2], is_test=1),
        "BatchNormalization", "x a b c d", {n: np.abs(floats(3)) for n in "abcd"}, {},
    ),
    (old("Clip", "x", {}, [1, 4], min=-0.5, max=0.5), "Clip", "x", {}, {"min": -0.5, "max": 0.5}),
    (old("Dropout", "x", {}, [1, 4], is_test=1, ratio=0.5), "Dropout", "x", {}, {"ratio": 0.5}),
]  # fmt: skip


@pytest.mark.parametrize("case", OLD, ids=[each[1] for each in OLD])
def test_opset_6(path: Path, case: tuple[Any, str, str, dict[str, Array], dict[str, Any]]) -> None:
    """Opset 6, which onnxruntime does not have, says the same in other words."""
    made, op, names, weights, attributes = case
    net = snnir.load(save(path, made))
    feeds = feeds_of(net, 3)
    shape: Shape = [1, *net.inputs["x"]]
    newer = model([node(op, names, "y", **attributes)], {"x": shape}, weights, opset=7)
    assert difference(net, feeds, expected(save(path.with_name("newer.onnx"), newer), feeds)) < 1e-6


def test_time(path: Path) -> None:
    save(path, model(PRODUCT, LINE, MATRIX))
    net = snnir.load(path)
    assert net.dt == 1e-3
    assert any("dt = 0.001 s is assumed" in note for note in net.notes)
    net = snnir.load(path, dt=0.5, steps=3)
    assert net.dt == 0.5
    assert not net.notes
    run = net.sim({"x": np.ones((2, 3, 4))})
    assert np.asarray(run.outputs["y"]).shape == (2, 3, 3)


def test_the_extra_is_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(path, model(PRODUCT, LINE, MATRIX))

    def missing(_: str) -> None:
        return None

    monkeypatch.setattr("snnir.frontend.onnx.reader.find_spec", missing)
    with pytest.raises(SnnirError) as caught:
        snnir.load(path)
    assert caught.value.hint == "pip install 'snnir[onnx]'"


def test_the_library_is_imported_for_its_files_only() -> None:
    program = "import sys, snnir.api, snnir.frontend.onnx.reader; print('onnx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert importlib.util.find_spec("onnx") is not None


def test_the_command(path: Path) -> None:
    save(path, model([*PRODUCT, node("Foo", "y", "z")], LINE, MATRIX, outputs=("z",)))
    command = [sys.executable, "-m", "snnir.cli.snnc", "import"]
    refused = subprocess.run([*command, path], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{path}:/graph/node[1]: error: operator Foo is refused")
    save(path, model([*PRODUCT, node("Relu", "y", "z")], LINE, MATRIX, outputs=("z",)))
    read = subprocess.run([*command, path, "-o", path.with_suffix(".mlir")], capture_output=True, text=True, check=True)
    assert "z_relu  relu" in read.stdout
    again = snnir.load(path.with_suffix(".mlir"))
    data = np.random.default_rng(0).normal(size=(2, 4))
    assert (outputs(again, data) == outputs(snnir.load(path), data)).all()
