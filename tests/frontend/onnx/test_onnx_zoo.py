"""Published ONNX files: what is imported of them computes what onnxruntime does, or they are refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx_models import TOLERANCE, Array, difference, expected, feeds_of, numpy_helper, onnx

import snnir
from snnir.errors import SnnirError

IMPORTED = [
    "4l_relu_conv_fc",
    "conv2d_small_mp_keras",
    "lenet_5",
    "mnist-8_model",
    "mnist2x10",
    "three_layer_keras",
]
REFUSED = {"lstm": "LSTM", "tiny_unet_ch_last": "Quant"}


@pytest.fixture
def zoo(shared_data: Path) -> Path:
    """The folder of published models."""
    if not (shared_data / "onnx").is_dir():
        pytest.skip("no published ONNX files")
    return shared_data / "onnx"


def tensor(path: Path) -> Array:
    """A tensor in a file of its own."""
    proto = onnx.TensorProto()
    proto.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(proto)


def test_every_file_is_imported_or_refused(zoo: Path) -> None:
    assert {path.stem for path in zoo.glob("*.onnx")} == {*IMPORTED, *REFUSED}


@pytest.mark.parametrize("name", IMPORTED)
def test_equal_to_onnxruntime(zoo: Path, name: str) -> None:
    path = zoo / f"{name}.onnx"
    net = snnir.load(path)
    feeds = feeds_of(net, 10)
    assert difference(net, feeds, expected(path, feeds)) < TOLERANCE


@pytest.mark.parametrize("name", IMPORTED)
def test_equal_to_the_recording(zoo: Path, name: str) -> None:
    recording = zoo / f"{name}.npz"
    if not recording.exists():
        pytest.skip("nothing is recorded of this file")
    net = snnir.load(zoo / f"{name}.onnx")
    with np.load(recording) as file:
        feeds = {each: file[f"in_{each}"][:, None] for each in net.inputs}
        wanted = [file[f"out_{number}"] for number in range(len(net.network.outputs))]
    assert difference(net, feeds, wanted) < TOLERANCE


def test_digits_of_mnist(zoo: Path) -> None:
    net = snnir.load(zoo / "mnist-8_model.onnx")
    digits = np.stack([tensor(zoo / f"mnist_tds{n}_input_0.pb") for n in range(3)])
    wanted = np.concatenate([tensor(zoo / f"mnist_tds{n}_output_0.pb") for n in range(3)])
    run = net.sim({"Input3": digits.astype(np.float64)})
    found = np.asarray(run.outputs["Plus214_Output_0"])[:, 0]
    assert (np.abs(found - wanted) <= TOLERANCE * np.maximum(1.0, np.abs(wanted))).all()
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).all()
    assert run.accuracy(wanted.argmax(axis=1)) == 1.0


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(zoo: Path, name: str) -> None:
    with pytest.raises(SnnirError, match=f"operator {REFUSED[name]} ") as caught:
        snnir.load(zoo / f"{name}.onnx")
    assert f"{name}.onnx:/graph/" in caught.value.place


def test_names_and_shapes_are_those_of_the_file(zoo: Path) -> None:
    net = snnir.load(zoo / "mnist-8_model.onnx")
    assert net.inputs == {"Input3": (1, 28, 28)}
    assert list(net.populations) == ["ReLU32", "ReLU114"]
    assert [op.signal_type.shape.data for op in net.populations.values()] == [(8, 28, 28), (16, 14, 14)]
    assert net.network.steps is not None
    assert net.network.steps.data == 1
    assert any("dt = 0.001 s is assumed" in note for note in net.notes)
