"""Train an ordinary network on scikit-learn's 8x8 digits, and write it as ONNX with data for it.

    python samples/ordinary/train.py

Writes ``digits.onnx`` (opset 13): a convolution, batch normalisation, ReLU, an average pool, two dense layers, softmax.
The kernels of the convolution are the principal components of 3x3 patches of training digits, and their negatives:
found without labels. Batch normalisation holds mean and variance over the training digits. The dense layers are trained
by scikit-learn (``MLPClassifier``, Adam). ``calibration.npz`` holds 256 training digits without labels; ``test.npz``
holds the 360 held-out digits with labels, the same split as ``samples/digits``.

Needs scikit-learn and onnx. The same versions on the same machine write the same bytes.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, KERNELS, HIDDEN, CLASSES = 8, 4, 40, 10
TEST_SAMPLES, CALIBRATION_SAMPLES = 360, 256
EPSILON = 1e-5

Arrays = dict[str, np.ndarray]


def load_split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Train pixels (1437, 8, 8) float32 in [0, 1], train labels, test pixels (360, 8, 8), test labels."""
    from sklearn.datasets import load_digits  # noqa: PLC0415
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    data = load_digits()
    planes = (data.images / 16.0).astype(np.float32)
    train, test, train_labels, test_labels = train_test_split(
        planes, data.target, test_size=TEST_SAMPLES, stratify=data.target, random_state=0
    )
    return train, train_labels, test, test_labels


def patches(planes: np.ndarray) -> np.ndarray:
    """All 3x3 windows of planes that are padded with zeros: (n, 8, 8) -> (n, 8, 8, 9)."""
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)))
    windows = [padded[:, y : y + SIDE, x : x + SIDE] for y in range(3) for x in range(3)]
    return np.stack(windows, axis=-1)


def principal_kernels(planes: np.ndarray) -> np.ndarray:
    """The first components of all patches and their negatives, (2 * KERNELS, 9); the largest entry is positive."""
    rows = patches(planes).reshape(-1, 9).astype(np.float64)
    _, vectors = np.linalg.eigh(np.cov(rows.T))
    chosen = vectors.T[::-1][:KERNELS]
    signs = np.sign(chosen[np.arange(KERNELS), np.abs(chosen).argmax(axis=1)])
    chosen = chosen * signs[:, None]
    return np.concatenate([chosen, -chosen]).astype(np.float32)


def maps(planes: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """The convolution: (n, 8, 8) -> (n, 2 * KERNELS, 8, 8)."""
    return np.moveaxis(patches(planes) @ kernels.T, -1, 1)


def features(planes: np.ndarray, weights: Arrays) -> np.ndarray:
    """What the dense layers read, (n, 2 * KERNELS * 16): normalised, rectified, averaged over 2x2."""
    found = maps(planes, weights["conv.weight"].reshape(-1, 9))
    spread = np.sqrt(weights["norm.variance"] + EPSILON)
    scaled = (found - weights["norm.mean"][:, None, None]) / spread[:, None, None]
    rectified = np.maximum(scaled * weights["norm.scale"][:, None, None] + weights["norm.bias"][:, None, None], 0)
    averaged = rectified.reshape(len(planes), -1, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(3, 5))
    return averaged.reshape(len(planes), -1)


def train(planes: np.ndarray, labels: np.ndarray, seed: int) -> Arrays:
    """All weights, float32, rows are outputs."""
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415

    kernels = principal_kernels(planes)
    found = maps(planes, kernels).astype(np.float64)
    weights: Arrays = {
        "conv.weight": kernels.reshape(-1, 1, 3, 3),
        "norm.scale": np.ones(2 * KERNELS, np.float32),
        "norm.bias": np.zeros(2 * KERNELS, np.float32),
        "norm.mean": found.mean(axis=(0, 2, 3)).astype(np.float32),
        "norm.variance": found.var(axis=(0, 2, 3)).astype(np.float32),
    }
    dense = MLPClassifier((HIDDEN,), alpha=1e-2, learning_rate_init=2e-3, max_iter=60, tol=0.0, random_state=seed)
    dense.n_iter_no_change = dense.max_iter
    with np.errstate(all="ignore"):
        dense.fit(features(planes, weights), labels)
    for name, matrix, bias in zip(("hidden", "out"), dense.coefs_, dense.intercepts_, strict=True):
        weights[f"{name}.weight"] = np.ascontiguousarray(matrix.T, np.float32)
        weights[f"{name}.bias"] = bias.astype(np.float32)
    return weights


def model(weights: Arrays) -> onnx.ModelProto:
    """The network as ONNX; its batch is of any size."""
    nodes = [
        helper.make_node("Conv", ["pixels", "conv.weight"], ["maps"], "conv", pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node(
            "BatchNormalization",
            ["maps", "norm.scale", "norm.bias", "norm.mean", "norm.variance"],
            ["normal"],
            "norm",
            epsilon=EPSILON,
        ),
        helper.make_node("Relu", ["normal"], ["edges"], "edges"),
        helper.make_node("AveragePool", ["edges"], ["pooled"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["pooled"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "hidden.weight", "hidden.bias"], ["summed"], "fc_hidden", transB=1),
        helper.make_node("Relu", ["summed"], ["hidden"], "hidden"),
        helper.make_node("Gemm", ["hidden", "out.weight", "out.bias"], ["logits"], "fc_out", transB=1),
        helper.make_node("Softmax", ["logits"], ["probability"], "softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch", CLASSES])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="samples/ordinary")
    made.ir_version = 7
    onnx.checker.check_model(made)
    return made


def accuracy(planes: np.ndarray, labels: np.ndarray, weights: Arrays) -> float:
    """Share of the digits whose largest output is the label."""
    hidden = np.maximum(features(planes, weights) @ weights["hidden.weight"].T + weights["hidden.bias"], 0)
    return float(np.mean((hidden @ weights["out.weight"].T + weights["out.bias"]).argmax(axis=1) == labels))


def main() -> None:
    """Read the arguments, train and write."""
    parser = argparse.ArgumentParser(description="Train an ordinary network on 8x8 digits and write it as ONNX.")
    parser.add_argument("--seed", type=int, default=0, help="of the dense layers' first weights and batches; default 0")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write; default: this one")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pixels, labels, test, test_labels = load_split()
    weights = train(pixels, labels, arguments.seed)
    (arguments.out / "digits.onnx").write_bytes(model(weights).SerializeToString(deterministic=True))
    first = pixels[:CALIBRATION_SAMPLES, None, None]
    np.savez_compressed(arguments.out / "calibration.npz", pixels=first)
    held_out = {"pixels": test[:, None, None], "labels": test_labels.astype(np.uint8)}
    np.savez_compressed(arguments.out / "test.npz", **held_out)
    parameters = sum(array.size for array in weights.values())
    print(f"{parameters} parameters, {accuracy(test, test_labels, weights):.2%} of {len(test)} held-out digits")


if __name__ == "__main__":
    main()
