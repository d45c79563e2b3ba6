"""Trained networks from ONNX files, rebuilt for machines with `relu` and `clip`: exactly, but for what is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.connections import connections_of, real_values
from snnir.dialects.snn import ActivationOp, InputOp, MaxPoolOp, NetworkOp, WeightedOp
from snnir.frontend.options import FrontendOptions
from snnir.passes.snn.code_signals import SNNCodeSignals
from snnir.passes.snn.expand import SNNExpand
from snnir.passes.snn.fold import SNNFold
from snnir.passes.snn.legalize import SNNLegalize
from snnir.passes.snn.tune_weights import SNNTuneWeights
from snnir.sim import simulate
from snnir.sim.entry import network_in, network_of

Array = NDArray[Any]
ROWS = 64


def _read(path: Path) -> tuple[ModuleOp, NetworkOp]:
    pytest.importorskip("onnx")
    from snnir.frontend.onnx import reader  # noqa: PLC0415  (needs the extra)

    module = reader.read(path, FrontendOptions())
    return module, network_in(module, str(path))


def _inputs(network: NetworkOp) -> dict[str, Array]:
    """Random values, of the sizes of pixels that the networks were trained with."""
    rng = np.random.default_rng(0)
    sources = [op for op in network.sources.values() if isinstance(op, InputOp)]
    return {op.sym_name.data: rng.random((20, 1, op.size)) for op in sources}


def _outputs(network: NetworkOp, data: dict[str, Array]) -> Array:
    arrays = network_of(network)
    (signal,) = arrays.outputs.values()
    return simulate(arrays, data)[signal]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("mnist-8_model", 1e-9),
        ("mnist2x10", 1e-9),
        ("4l_relu_conv_fc", 1e-9),
        ("lenet_5", 0.02),
    ],
)
def test_values_stay(shared_data: Path, tmp_path: Path, name: str, error: float) -> None:
    """Also with all sums of more than 64 inputs taken apart; relative to the largest value."""
    module, network = _read(shared_data / "onnx" / f"{name}.onnx")
    data = _inputs(network)
    np.savez(tmp_path / "data.npz", **data)  # pyright: ignore[reportArgumentType]
    before = _outputs(network, data)
    passes = [
        SNNFold(),
        SNNLegalize(models=("relu", "clip"), data=str(tmp_path / "data.npz")),
        SNNExpand(mode="pairs", rows=ROWS),
    ]
    for each in passes:
        each.apply(Context(), module)
        module.verify()
    after = _outputs(network, data)
    np.testing.assert_allclose(after, before, rtol=0, atol=error * np.abs(before).max())
    with real_values():
        for op in network.body.block.ops:
            assert not isinstance(op, MaxPoolOp)
            if isinstance(op, ActivationOp):
                assert op.MODEL in ("relu", "clip")
                read = {
                    (c.source, c.delay, int(n)) for c in connections_of(op) for n in c.synapses.inputs(np.array([0]))
                }
                assert len(read) <= ROWS


@pytest.mark.parametrize("name", ["three_layer_keras", "conv2d_small_mp_keras"])
def test_classes_stay_without_the_softmax(shared_data: Path, tmp_path: Path, name: str) -> None:
    module, network = _read(shared_data / "onnx" / f"{name}.onnx")
    data = _inputs(network)
    np.savez(tmp_path / "data.npz", **data)  # pyright: ignore[reportArgumentType]
    before = _outputs(network, data)
    legalize = SNNLegalize(models=("relu", "clip"), data=str(tmp_path / "data.npz"))
    legalize.apply(Context(), module)
    after = _outputs(network, data)
    np.testing.assert_array_equal(after.argmax(axis=-1), before.argmax(axis=-1))
    assert any("softmax" in each.change for each in legalize.layers)
    if legalize.statistics["activations fitted"] == 0:
        weights = np.exp(after - after.max(axis=-1, keepdims=True))
        np.testing.assert_allclose(weights / weights.sum(axis=-1, keepdims=True), before, atol=1e-9)


@pytest.mark.parametrize("bits", [8, 4])
def test_three_digits_keep_their_labels(shared_data: Path, tmp_path: Path, bits: int) -> None:
    """The digits that come with mnist-8, and the labels that its authors give: signals of 6 bits, weights of few."""
    module, network = _read(shared_data / "onnx" / "mnist-8_model.onnx")
    from onnx import TensorProto, numpy_helper  # noqa: PLC0415  (needs the extra)

    def tensor(name: str) -> Array:
        found = TensorProto()
        found.ParseFromString((shared_data / "onnx" / name).read_bytes())
        return numpy_helper.to_array(found)

    digits = np.stack([tensor(f"mnist_tds{n}_input_0.pb").reshape(1, -1) for n in range(3)])
    labels = [int(tensor(f"mnist_tds{n}_output_0.pb").argmax()) for n in range(3)]
    np.savez(tmp_path / "data.npz", Input3=digits)
    data = str(tmp_path / "data.npz")
    passes = [
        SNNFold(),
        SNNLegalize(models=("relu", "clip"), data=data),
        SNNCodeSignals(data=data, bits=6),
        SNNTuneWeights(data=data, bits=bits),
    ]
    for each in passes:
        each.apply(Context(), module)
    weights = [op.weights for op in network.walk() if isinstance(op, WeightedOp)]
    arrays = [each.array for each in weights if isinstance(each, TensorAttr)]
    assert arrays and all(array.dtype.kind == "i" and np.abs(array).max() < 1 << (bits - 1) for array in arrays)
    assert _outputs(network, {"Input3": digits})[:, 0].argmax(axis=-1).tolist() == labels == [2, 0, 9]
